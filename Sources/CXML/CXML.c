#include "CXML.h"

#include <libxml/parser.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void open_element(void *context, const xmlChar *name, const xmlChar **attributes) {
    const aias_xml_events *events = context;
    events->open(events->context, (const char *)name, (const char **)attributes);
}

static void close_element(void *context, const xmlChar *name) {
    (void)name;
    const aias_xml_events *events = context;
    events->close(events->context);
}

static void add_text(void *context, const xmlChar *bytes, int length) {
    const aias_xml_events *events = context;
    events->text(events->context, (const char *)bytes, length, 0);
}

static void add_cdata(void *context, const xmlChar *bytes, int length) {
    const aias_xml_events *events = context;
    events->text(events->context, (const char *)bytes, length, 1);
}

/// libxml2 must be set up before several threads use it at a time.
static pthread_once_t is_set_up = PTHREAD_ONCE_INIT;

int aias_xml_parse(const char *text, int length, const aias_xml_events *events, char *message, size_t message_size) {
    // The older interface, which gives names with their prefixes.
    xmlSAXHandler handlers = {0};
    handlers.initialized = 1;
    handlers.startElement = open_element;
    handlers.endElement = close_element;
    handlers.characters = add_text;
    handlers.ignorableWhitespace = add_text;
    handlers.cdataBlock = add_cdata;
    pthread_once(&is_set_up, xmlInitParser);
    snprintf(message, message_size, "there is no memory");
    xmlParserCtxtPtr parser = xmlCreatePushParserCtxt(&handlers, (void *)events, NULL, 0, NULL);
    if (!parser) return 1;
    xmlCtxtUseOptions(parser, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_IGNORE_ENC);
    xmlParseChunk(parser, text, length, 1);
    int line = 0;
    if (!parser->wellFormed) {
        line = parser->lastError.line > 0 ? parser->lastError.line : 1;
        const char *reason = parser->lastError.message ? parser->lastError.message : "it is not well-formed";
        snprintf(message, message_size, "%s", reason);
        size_t count = strlen(message);
        if (count && message[count - 1] == '\n') message[count - 1] = 0;
    }
    if (parser->myDoc) xmlFreeDoc(parser->myDoc);
    xmlFreeParserCtxt(parser);
    return line;
}
