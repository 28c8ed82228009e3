#ifndef CXML_H
#define CXML_H

#include <stddef.h>

/// What a reader of XML is told. Names carry their prefixes; attributes are pairs of name and value, ended by NULL.
typedef struct {
    void *context;
    void (*open)(void *context, const char *name, const char **attributes);
    void (*close)(void *context);
    void (*text)(void *context, const char *bytes, int length, int is_cdata);
} aias_xml_events;

/// Reads a UTF-8 text, whatever encoding its declaration names. Nothing is loaded from elsewhere, and entities of a DTD are unknown.
/// Returns 0, or the line of the first fault with its reason in `message`.
int aias_xml_parse(const char *text, int length, const aias_xml_events *events, char *message, size_t message_size);

#endif
