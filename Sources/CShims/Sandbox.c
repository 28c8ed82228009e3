#define _GNU_SOURCE
#include "Sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// The kernel's numbers (linux/landlock.h), given here because the distribution's header may be older than the kernel.
enum { LANDLOCK_CREATE = 444, LANDLOCK_ADD_RULE = 445, LANDLOCK_RESTRICT = 446 };
#define ACCESS_FS_EXECUTE (1ULL << 0)
#define ACCESS_FS_READ_FILE (1ULL << 2)
#define ACCESS_FS_READ_DIR (1ULL << 3)

struct ruleset_attributes { uint64_t file_system, network, scoped; };
struct path_beneath { uint64_t allowed; int32_t parent; } __attribute__((packed));

int aias_prctl(int option, unsigned long value) { return prctl(option, value, 0UL, 0UL, 0UL); }

int aias_become_user(uint32_t id) {
    if (setgroups(0, NULL) != 0 || setresgid(id, id, id) != 0) return -1;
    return setresuid(id, id, id);
}

int aias_close_from(unsigned int first) { return (int)syscall(SYS_close_range, first, ~0U, 0U); }

int aias_landlock_abi(void) { return (int)syscall(LANDLOCK_CREATE, NULL, (size_t)0, 1U); }

int aias_landlock_create(int abi) {
    struct ruleset_attributes attributes = {(1ULL << 13) - 1, 0, 0};
    size_t size = sizeof attributes.file_system;
    if (abi >= 2) attributes.file_system |= 1ULL << 13; // refer
    if (abi >= 3) attributes.file_system |= 1ULL << 14; // truncate
    if (abi >= 5) attributes.file_system |= 1ULL << 15; // ioctl on devices
    if (abi >= 4) { attributes.network = 3; size = 2 * sizeof(uint64_t); } // bind and connect over TCP
    if (abi >= 6) { attributes.scoped = 3; size = sizeof attributes; } // abstract sockets and signals to outside
    return (int)syscall(LANDLOCK_CREATE, &attributes, size, 0U);
}

static int allow(int ruleset, const char *path, uint64_t rights) {
    struct path_beneath rule = {rights, open(path, O_PATH | O_CLOEXEC)};
    struct stat status;
    if (rule.parent < 0) return -1;
    if (fstat(rule.parent, &status) == 0 && S_ISDIR(status.st_mode)) rule.allowed |= ACCESS_FS_READ_DIR;
    int result = (int)syscall(LANDLOCK_ADD_RULE, ruleset, 1, &rule, 0U);
    close(rule.parent);
    return result;
}

int aias_landlock_allow_reading(int ruleset, const char *path) { return allow(ruleset, path, ACCESS_FS_READ_FILE); }

int aias_landlock_allow_running(int ruleset, const char *path) { return allow(ruleset, path, ACCESS_FS_READ_FILE | ACCESS_FS_EXECUTE); }

int aias_landlock_restrict(int ruleset) { return (int)syscall(LANDLOCK_RESTRICT, ruleset, 0U); }
