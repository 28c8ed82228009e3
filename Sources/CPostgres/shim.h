#include <libpq-fe.h>

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

/// The bytes that have come in over a connection so far, which libpq does not tell; 0 where the kernel does not either.
/// The answer of TCP_INFO (11) up to tcpi_bytes_received, as in linux/tcp.h, which cannot be read beside glibc's own header of that name.
static inline uint64_t aias_bytes_received(int descriptor) {
    struct {
        uint8_t states[8];
        uint32_t figures[24];
        uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
    } info;
    socklen_t size = sizeof info;
    memset(&info, 0, sizeof info);
    return getsockopt(descriptor, IPPROTO_TCP, 11, &info, &size) == 0 ? info.bytes_received : 0;
}
