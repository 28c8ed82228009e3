#include "CSQLite.h"

#include <sqlite3.h>

int aias_sqlite_forgo_statistics(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

int aias_sqlite_reserve_lookaside(int size, int count) { return sqlite3_config(SQLITE_CONFIG_LOOKASIDE, size, count); }
