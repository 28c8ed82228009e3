#ifndef CSHIMS_H
#define CSHIMS_H

#include <curl/curl.h>

#include "Sandbox.h"

/// curl_easy_setopt is variadic, which Swift cannot call.
CURLcode aias_curl_set_long(CURL *handle, CURLoption option, long value);
CURLcode aias_curl_set_pointer(CURL *handle, CURLoption option, const void *value);

typedef size_t (*aias_curl_reader)(char *buffer, size_t size, size_t count, void *context);
void aias_curl_set_reader(CURL *handle, aias_curl_reader reader, void *context);
void aias_curl_response_code(CURL *handle, long *code);

#endif
