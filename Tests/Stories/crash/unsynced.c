// Preloaded into the server: keeps the old bytes of every write below $UNSYNCED_ROOT until the file is synced, so that after a kill
// the harness can put back what a power cut would have lost. One undo file a data file, set aside (NAME.undo.1, .2, ...) when a sync of
// it begins and removed when that has ended: what is written meanwhile is not synced by it.
// Record: int64 offset (-1: the file's length), int64 old length of the file, int64 count, bytes.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static int undo_path(int fd, char *out, size_t size) {
    const char *root = getenv("UNSYNCED_ROOT");
    const char *folder = getenv("UNSYNCED_UNDO");
    if (!root || !folder) return 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t count = readlink(link, path, sizeof path - 1);
    if (count <= 0) return 0;
    path[count] = 0;
    if (strncmp(path, root, strlen(root)) != 0) return 0;
    const char *name = strrchr(path, '/') + 1;
    // Only the database and its log: the shared index is rebuilt, logs of the harness do not count.
    if (strcmp(name, "aias.db") != 0 && strcmp(name, "aias.db-wal") != 0) return 0;
    snprintf(out, size, "%s/%s.undo", folder, name);
    return 1;
}

static void all(int fd, const void *bytes, size_t count) {
    static ssize_t (*real_write)(int, const void *, size_t);
    if (!real_write) real_write = dlsym(RTLD_NEXT, "write");
    const char *next = bytes;
    while (count > 0) {
        ssize_t done = real_write(fd, next, count);
        if (done <= 0) abort();
        next += done;
        count -= (size_t)done;
    }
}

static void remember(int fd, int64_t offset, int64_t count) {
    char path[PATH_MAX];
    if (!undo_path(fd, path, sizeof path)) return;
    struct stat about;
    if (fstat(fd, &about) != 0) return;
    pthread_mutex_lock(&lock);
    int undo = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (undo < 0) abort();
    int64_t kept = 0;
    if (offset >= 0 && offset < about.st_size) kept = about.st_size - offset < count ? about.st_size - offset : count;
    char *old = malloc((size_t)kept + 1);
    if (kept > 0) {
        ssize_t got = pread(fd, old, (size_t)kept, offset);
        if (got < 0) abort();
        kept = got;
    }
    int64_t head[3] = {offset, about.st_size, kept};
    all(undo, head, sizeof head);
    if (kept > 0) all(undo, old, (size_t)kept);
    free(old);
    close(undo);
    pthread_mutex_unlock(&lock);
}

static long begun;

// Returns the number of the sync that begins.
static long set_aside(int fd) {
    char path[PATH_MAX], aside[PATH_MAX + 24];
    if (!undo_path(fd, path, sizeof path)) return 0;
    pthread_mutex_lock(&lock);
    long number = ++begun;
    snprintf(aside, sizeof aside, "%s.%ld", path, number);
    rename(path, aside);
    pthread_mutex_unlock(&lock);
    return number;
}

// What syncs that began earlier were to bring to the disk is there too.
static void forget(int fd, long number) {
    char path[PATH_MAX], aside[PATH_MAX + 24];
    if (!undo_path(fd, path, sizeof path)) return;
    pthread_mutex_lock(&lock);
    for (long one = number; one > 0 && one > number - 64; one--) {
        snprintf(aside, sizeof aside, "%s.%ld", path, one);
        unlink(aside);
    }
    pthread_mutex_unlock(&lock);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    REAL(pwrite);
    remember(fd, offset, (int64_t)count);
    return real(fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    REAL(pwrite64);
    remember(fd, offset, (int64_t)count);
    return real(fd, bytes, count, offset);
}

int ftruncate(int fd, off_t length) {
    REAL(ftruncate);
    struct stat about;
    if (fstat(fd, &about) == 0) remember(fd, length, about.st_size > length ? about.st_size - length : 0);
    return real(fd, length);
}

int ftruncate64(int fd, off64_t length) {
    REAL(ftruncate64);
    struct stat about;
    if (fstat(fd, &about) == 0) remember(fd, length, about.st_size > length ? about.st_size - length : 0);
    return real(fd, length);
}

// A sync takes as long as on a disk that turns, so that a kill finds writes on their way.
#define SYNC_US 3000

int fsync(int fd) {
    REAL(fsync);
    long number = set_aside(fd);
    usleep(SYNC_US);
    int code = real(fd);
    if (code == 0) forget(fd, number);
    return code;
}

int fdatasync(int fd) {
    REAL(fdatasync);
    long number = set_aside(fd);
    usleep(SYNC_US);
    int code = real(fd);
    if (code == 0) forget(fd, number);
    return code;
}
