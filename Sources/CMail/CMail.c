#include "CMail.h"

#include <gmime/gmime.h>
#include <string.h>

/// Multiparts and mails within mails.
#define DEPTH_MAXIMUM 50

typedef struct {
    const aias_mail_events *events;
    int parts_left;
    int failed;
} walk_state;

static void tell_addresses(const aias_mail_events *events, const char *field, InternetAddressList *list, int depth) {
    int count = list ? internet_address_list_length(list) : 0;
    for (int index = 0; index < count && depth < DEPTH_MAXIMUM; index++) {
        InternetAddress *address = internet_address_list_get_address(list, index);
        const char *name = internet_address_get_name(address);
        if (INTERNET_ADDRESS_IS_MAILBOX(address)) {
            events->address(events->context, field, name, internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address)));
        } else if (INTERNET_ADDRESS_IS_GROUP(address)) {
            tell_addresses(events, field, internet_address_group_get_members(INTERNET_ADDRESS_GROUP(address)), depth + 1);
        }
    }
}

static void tell_headers(const aias_mail_events *events, GMimeMessage *message) {
    GMimeHeaderList *headers = g_mime_object_get_header_list(GMIME_OBJECT(message));
    int count = g_mime_header_list_get_count(headers);
    for (int index = 0; index < count; index++) {
        GMimeHeader *header = g_mime_header_list_get_header_at(headers, index);
        const char *name = g_mime_header_get_name(header);
        const char *raw = g_mime_header_get_raw_value(header);
        char *line = g_strconcat(name, ":", raw ? raw : "", NULL);
        char *readable = g_utf8_make_valid(line, -1);
        const char *value = g_mime_header_get_value(header);
        char *valid = g_utf8_make_valid(value ? value : "", -1);
        events->header(events->context, name, valid, g_strchomp(readable));
        g_free(valid);
        g_free(readable);
        g_free(line);
    }
    tell_addresses(events, "from", g_mime_message_get_from(message), 0);
    tell_addresses(events, "to", g_mime_message_get_to(message), 0);
    tell_addresses(events, "cc", g_mime_message_get_cc(message), 0);
    tell_addresses(events, "bcc", g_mime_message_get_bcc(message), 0);
    tell_addresses(events, "reply-to", g_mime_message_get_reply_to(message), 0);
}

static void tell_stream(const walk_state *state, GMimeObject *object, GMimeStream *stream, const char *name, int is_attachment) {
    GByteArray *array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
    GMimeContentType *type = g_mime_object_get_content_type(object);
    char *written = type ? g_mime_content_type_get_mime_type(type) : g_strdup("application/octet-stream");
    state->events->file(
        state->events->context, written, name, g_mime_object_get_content_id(object), is_attachment, array->data, array->len);
    g_free(written);
}

static void tell_part(walk_state *state, GMimePart *part) {
    GMimeObject *object = GMIME_OBJECT(part);
    const char *disposition = g_mime_object_get_disposition(object);
    int is_attachment = disposition && g_ascii_strcasecmp(disposition, "attachment") == 0;
    const char *name = g_mime_part_get_filename(part);
    if (GMIME_IS_TEXT_PART(part) && !is_attachment && !name) {
        char *text = g_mime_text_part_get_text(GMIME_TEXT_PART(part));
        char *type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(object));
        char *valid = g_utf8_make_valid(text ? text : "", -1);
        state->events->text(state->events->context, type, valid);
        g_free(valid);
        g_free(type);
        g_free(text);
        return;
    }
    GMimeDataWrapper *content = g_mime_part_get_content(part);
    GMimeStream *stream = g_mime_stream_mem_new();
    if (content) g_mime_data_wrapper_write_to_stream(content, stream);
    tell_stream(state, object, stream, name, is_attachment);
    g_object_unref(stream);
}

static void walk(walk_state *state, GMimeObject *object, int depth) {
    if (!object || state->failed) return;
    if (depth > DEPTH_MAXIMUM || state->parts_left-- <= 0) {
        state->failed = 1;
    } else if (GMIME_IS_MULTIPART(object)) {
        int count = g_mime_multipart_get_count(GMIME_MULTIPART(object));
        for (int index = 0; index < count; index++) walk(state, g_mime_multipart_get_part(GMIME_MULTIPART(object), index), depth + 1);
    } else if (GMIME_IS_MESSAGE_PART(object)) {
        // A mail that was forwarded is a file: its texts are not this mail's.
        GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
        GMimeStream *stream = g_mime_stream_mem_new();
        if (inner) g_mime_object_write_to_stream(GMIME_OBJECT(inner), NULL, stream);
        tell_stream(state, object, stream, "message.eml", 1);
        g_object_unref(stream);
    } else if (GMIME_IS_PART(object)) {
        tell_part(state, GMIME_PART(object));
    }
}

int aias_mail_read(const unsigned char *bytes, size_t count, int parts_maximum, const aias_mail_events *events) {
    g_mime_init();
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer((const char *)bytes, count);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    g_object_unref(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    g_object_unref(parser);
    if (!message) return 1;
    tell_headers(events, message);
    walk_state state = {events, parts_maximum, 0};
    walk(&state, g_mime_message_get_mime_part(message), 0);
    g_object_unref(message);
    return state.failed ? 2 : 0;
}
