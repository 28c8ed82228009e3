#ifndef CMAIL_H
#define CMAIL_H

#include <stddef.h>

/// What the reader of a mail is told. Texts are UTF-8, ended by a zero; those that may be missing are NULL.
typedef struct {
    void *context;
    /// In the order of the mail: the value decoded and unfolded, and the whole line as it stands.
    void (*header)(void *context, const char *name, const char *value, const char *line);
    /// One mailbox of the header `from`, `to`, `cc`, `bcc` or `reply-to`.
    void (*address)(void *context, const char *field, const char *name, const char *address);
    /// A text that is not an attachment; the type is `text/plain`, `text/html`, …
    void (*text)(void *context, const char *type, const char *text);
    /// Everything else, decoded.
    void (*file)(void *context, const char *type, const char *name, const char *content_id, int is_attachment, const unsigned char *bytes, size_t count);
} aias_mail_events;

/// Reads a mail (RFC 5322, MIME). Returns 0, or 1 where it is none, or 2 where it has more than `parts_maximum` parts or too deep ones.
int aias_mail_read(const unsigned char *bytes, size_t count, int parts_maximum, const aias_mail_events *events);

#endif
