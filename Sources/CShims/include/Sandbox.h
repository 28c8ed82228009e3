#ifndef CSHIMS_SANDBOX_H
#define CSHIMS_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

/// prctl(2) and syscall(2) are variadic, which Swift cannot call.
int aias_prctl(int option, unsigned long value);

/// Gives up every group and takes the id as real, effective and saved user and group (calls that Glibc's module does not show).
int aias_become_user(uint32_t id);

/// Closes every descriptor from `first` on.
int aias_close_from(unsigned int first);

/// Landlock (landlock(7)); glibc has no wrappers. Each returns -1 and sets errno on failure.
/// The version of the kernel's Landlock interface, -1 where it has none.
int aias_landlock_abi(void);
/// A ruleset that denies the given rights (LANDLOCK_ACCESS_FS_*, LANDLOCK_ACCESS_NET_*, LANDLOCK_SCOPE_*); masks unknown to `abi` are dropped.
int aias_landlock_create(int abi);
/// Allows reading the file or, where `path` is a folder, all below it.
int aias_landlock_allow_reading(int ruleset, const char *path);
/// The same, and starting programs there.
int aias_landlock_allow_running(int ruleset, const char *path);
/// Locks the calling thread and its future threads in.
int aias_landlock_restrict(int ruleset);

#endif
