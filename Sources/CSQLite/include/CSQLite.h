#ifndef CSQLITE_H
#define CSQLITE_H

/// sqlite3_config is variadic, which Swift cannot call. Turns the counting of SQLite's memory off, whose lock every allocation of every
/// connection takes otherwise. To be called before SQLite is used; returns an SQLite result code.
int aias_sqlite_forgo_statistics(void);

#endif
