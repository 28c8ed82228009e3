#include "CSQLite.h"

#include <sqlite3.h>
#include <stddef.h>
#include <string.h>

// A VFS (https://www.sqlite.org/vfs.html) over the system's own. SQLite hands on each frame of the write-ahead file in two writes, its header of 24
// bytes and its page; here the frames of a transaction are one write for every `ROOM` bytes.
//
// Nobody but the connection that writes them reads the frames of a transaction before its last one, which says that it is committed. So they wait
// from the time at which the connection has the lock of the one writer until that last frame, whose own write brings all of them to the system, or
// fails. What is read or synced before that is written first. What still waits when the lock is given back is of a transaction that was rolled back.

enum {
    ROOM = 1 << 16,
    // https://www.sqlite.org/fileformat2.html#the_write_ahead_log
    FRAME_HEADER = 24,
    // Of the lock of the one writer, among those of the shared index (https://www.sqlite.org/walformat.html#locks).
    WRITER = 0
};

typedef struct Log Log;

/// The database's own file. Both it and `Log` are followed in memory by the system's file.
typedef struct {
    sqlite3_file base;
    Log *log;
    int has_writer_lock;
} Main;

/// The write-ahead file of the same connection.
struct Log {
    sqlite3_file base;
    Main *main;
    /// Made by the first frame; of `ROOM` bytes.
    unsigned char *bytes;
    int count;
    /// In the file, of the first byte that waits.
    sqlite3_int64 offset;
    /// Whether the frame under way is the last of its transaction.
    int is_last;
};

static sqlite3_vfs *system_vfs;

static sqlite3_file *under_main(sqlite3_file *file) { return (sqlite3_file *)((Main *)file + 1); }
static sqlite3_file *under_log(sqlite3_file *file) { return (sqlite3_file *)((Log *)file + 1); }

static int write_out(Log *log) {
    if (log->count == 0) return SQLITE_OK;
    sqlite3_file *file = under_log(&log->base);
    int count = log->count;
    log->count = 0;
    return file->pMethods->xWrite(file, log->bytes, count, log->offset);
}

static int write_through(Log *log, const void *bytes, int count, sqlite3_int64 offset) {
    int result = write_out(log);
    if (result != SQLITE_OK) return result;
    sqlite3_file *file = under_log(&log->base);
    return file->pMethods->xWrite(file, bytes, count, offset);
}

/// Whether the frame's header carries the size of the database after the transaction, which only its last frame does.
static int is_last(const unsigned char *header) { return (header[4] | header[5] | header[6] | header[7]) != 0; }

static int log_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    Log *log = (Log *)file;
    int is_header = count == FRAME_HEADER;
    if (is_header) log->is_last = is_last(bytes);
    int follows = log->count > 0 && offset == log->offset + log->count;
    int begins = is_header && !log->is_last && !follows;
    if (!log->main || !log->main->has_writer_lock || count > ROOM || !(follows || begins)) return write_through(log, bytes, count, offset);
    if (!log->bytes && !(log->bytes = sqlite3_malloc(ROOM))) return write_through(log, bytes, count, offset);
    if (begins || log->count + count > ROOM) {
        int result = write_out(log);
        if (result != SQLITE_OK) return result;
    }
    if (log->count == 0) log->offset = offset;
    memcpy(log->bytes + log->count, bytes, (size_t)count);
    log->count += count;
    return log->is_last && !is_header ? write_out(log) : SQLITE_OK;
}

static int log_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
    Log *log = (Log *)file;
    if (log->count > 0 && offset < log->offset + log->count && offset + count > log->offset) {
        int result = write_out(log);
        if (result != SQLITE_OK) return result;
    }
    file = under_log(file);
    return file->pMethods->xRead(file, bytes, count, offset);
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size) {
    int result = write_out((Log *)file);
    if (result != SQLITE_OK) return result;
    file = under_log(file);
    return file->pMethods->xTruncate(file, size);
}

static int log_sync(sqlite3_file *file, int flags) {
    int result = write_out((Log *)file);
    if (result != SQLITE_OK) return result;
    file = under_log(file);
    return file->pMethods->xSync(file, flags);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *size) {
    int result = write_out((Log *)file);
    if (result != SQLITE_OK) return result;
    file = under_log(file);
    return file->pMethods->xFileSize(file, size);
}

static int log_close(sqlite3_file *file) {
    Log *log = (Log *)file;
    if (log->main) log->main->log = NULL;
    sqlite3_free(log->bytes);
    file = under_log(file);
    return file->pMethods->xClose(file);
}

static int log_lock(sqlite3_file *file, int level) {
    file = under_log(file);
    return file->pMethods->xLock(file, level);
}

static int log_unlock(sqlite3_file *file, int level) {
    file = under_log(file);
    return file->pMethods->xUnlock(file, level);
}

static int log_reserved(sqlite3_file *file, int *result) {
    file = under_log(file);
    return file->pMethods->xCheckReservedLock(file, result);
}

static int log_control(sqlite3_file *file, int operation, void *argument) {
    file = under_log(file);
    return file->pMethods->xFileControl(file, operation, argument);
}

static int log_sector(sqlite3_file *file) {
    file = under_log(file);
    return file->pMethods->xSectorSize(file);
}

static int log_characteristics(sqlite3_file *file) {
    file = under_log(file);
    return file->pMethods->xDeviceCharacteristics(file);
}

// Without shared memory and maps, which SQLite asks of the database's file alone.
static const sqlite3_io_methods log_methods = {
    .iVersion = 1,
    .xClose = log_close,
    .xRead = log_read,
    .xWrite = log_write,
    .xTruncate = log_truncate,
    .xSync = log_sync,
    .xFileSize = log_size,
    .xLock = log_lock,
    .xUnlock = log_unlock,
    .xCheckReservedLock = log_reserved,
    .xFileControl = log_control,
    .xSectorSize = log_sector,
    .xDeviceCharacteristics = log_characteristics,
};

static int main_close(sqlite3_file *file) {
    Main *self = (Main *)file;
    if (self->log) self->log->main = NULL;
    file = under_main(file);
    return file->pMethods->xClose(file);
}

static int main_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
    file = under_main(file);
    return file->pMethods->xRead(file, bytes, count, offset);
}

static int main_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    file = under_main(file);
    return file->pMethods->xWrite(file, bytes, count, offset);
}

static int main_truncate(sqlite3_file *file, sqlite3_int64 size) {
    file = under_main(file);
    return file->pMethods->xTruncate(file, size);
}

static int main_sync(sqlite3_file *file, int flags) {
    file = under_main(file);
    return file->pMethods->xSync(file, flags);
}

static int main_size(sqlite3_file *file, sqlite3_int64 *size) {
    file = under_main(file);
    return file->pMethods->xFileSize(file, size);
}

static int main_lock(sqlite3_file *file, int level) {
    file = under_main(file);
    return file->pMethods->xLock(file, level);
}

static int main_unlock(sqlite3_file *file, int level) {
    file = under_main(file);
    return file->pMethods->xUnlock(file, level);
}

static int main_reserved(sqlite3_file *file, int *result) {
    file = under_main(file);
    return file->pMethods->xCheckReservedLock(file, result);
}

static int main_control(sqlite3_file *file, int operation, void *argument) {
    file = under_main(file);
    return file->pMethods->xFileControl(file, operation, argument);
}

static int main_sector(sqlite3_file *file) {
    file = under_main(file);
    return file->pMethods->xSectorSize(file);
}

static int main_characteristics(sqlite3_file *file) {
    file = under_main(file);
    return file->pMethods->xDeviceCharacteristics(file);
}

static int main_index_map(sqlite3_file *file, int region, int size, int extends, void volatile **memory) {
    file = under_main(file);
    return file->pMethods->xShmMap(file, region, size, extends, memory);
}

static int main_index_lock(sqlite3_file *file, int first, int count, int flags) {
    Main *self = (Main *)file;
    int is_writer = first == WRITER && flags & SQLITE_SHM_EXCLUSIVE;
    if (is_writer && flags & SQLITE_SHM_UNLOCK) {
        // Before it is another's.
        self->has_writer_lock = 0;
        if (self->log) self->log->count = 0;
    }
    file = under_main(file);
    int result = file->pMethods->xShmLock(file, first, count, flags);
    if (is_writer && flags & SQLITE_SHM_LOCK && result == SQLITE_OK) self->has_writer_lock = 1;
    return result;
}

static void main_index_barrier(sqlite3_file *file) {
    file = under_main(file);
    file->pMethods->xShmBarrier(file);
}

static int main_index_unmap(sqlite3_file *file, int deletes) {
    file = under_main(file);
    return file->pMethods->xShmUnmap(file, deletes);
}

static int main_fetch(sqlite3_file *file, sqlite3_int64 offset, int count, void **memory) {
    file = under_main(file);
    return file->pMethods->xFetch(file, offset, count, memory);
}

static int main_unfetch(sqlite3_file *file, sqlite3_int64 offset, void *memory) {
    file = under_main(file);
    return file->pMethods->xUnfetch(file, offset, memory);
}

static const sqlite3_io_methods main_methods = {
    .iVersion = 3,
    .xClose = main_close,
    .xRead = main_read,
    .xWrite = main_write,
    .xTruncate = main_truncate,
    .xSync = main_sync,
    .xFileSize = main_size,
    .xLock = main_lock,
    .xUnlock = main_unlock,
    .xCheckReservedLock = main_reserved,
    .xFileControl = main_control,
    .xSectorSize = main_sector,
    .xDeviceCharacteristics = main_characteristics,
    .xShmMap = main_index_map,
    .xShmLock = main_index_lock,
    .xShmBarrier = main_index_barrier,
    .xShmUnmap = main_index_unmap,
    .xFetch = main_fetch,
    .xUnfetch = main_unfetch,
};

static int open_main(const char *name, sqlite3_file *file, int flags, int *flags_out) {
    Main *self = (Main *)file;
    *self = (Main){0};
    sqlite3_file *under = under_main(file);
    int result = system_vfs->xOpen(system_vfs, name, under, flags, flags_out);
    if (result == SQLITE_OK && under->pMethods->iVersion >= 3) {
        self->base.pMethods = &main_methods;
    } else if (under->pMethods) {
        under->pMethods->xClose(under);
        if (result == SQLITE_OK) result = SQLITE_CANTOPEN;
    }
    return result;
}

static int open_log(const char *name, sqlite3_file *file, int flags, int *flags_out) {
    Log *self = (Log *)file;
    *self = (Log){0};
    sqlite3_file *under = under_log(file);
    int result = system_vfs->xOpen(system_vfs, name, under, flags, flags_out);
    if (result != SQLITE_OK) {
        if (under->pMethods) under->pMethods->xClose(under);
        return result;
    }
    self->base.pMethods = &log_methods;
    sqlite3_file *main = sqlite3_database_file_object(name);
    if (main && main->pMethods == &main_methods) {
        self->main = (Main *)main;
        self->main->log = self;
    }
    return SQLITE_OK;
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *flags_out) {
    (void)vfs;
    if (flags & SQLITE_OPEN_MAIN_DB) return open_main(name, file, flags, flags_out);
    if (flags & SQLITE_OPEN_WAL) return open_log(name, file, flags, flags_out);
    return system_vfs->xOpen(system_vfs, name, file, flags, flags_out);
}

int aias_sqlite_gather_frames(void) {
    static sqlite3_vfs vfs;
    int result = sqlite3_initialize();
    if (result != SQLITE_OK) return result;
    system_vfs = sqlite3_vfs_find(NULL);
    if (!system_vfs) return SQLITE_ERROR;
    vfs = *system_vfs;
    vfs.pNext = NULL;
    vfs.zName = "aias";
    vfs.szOsFile += (int)sizeof(Log);
    vfs.xOpen = open_file;
    return sqlite3_vfs_register(&vfs, 1);
}
