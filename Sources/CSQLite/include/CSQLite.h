#ifndef CSQLITE_H
#define CSQLITE_H

/// sqlite3_config is variadic, which Swift cannot call. Turns the counting of SQLite's memory off, whose lock every allocation of every
/// connection takes otherwise. To be called before SQLite is used; returns an SQLite result code.
int aias_sqlite_forgo_statistics(void);

/// Has the frames of a transaction written to the write-ahead file in few large writes instead of two small ones each, in all databases that are
/// opened after it. To be called once; returns an SQLite result code.
int aias_sqlite_gather_frames(void);

#endif
