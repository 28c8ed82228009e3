#ifndef CSHIMS_H
#define CSHIMS_H

#include <curl/curl.h>

/// curl_easy_setopt is variadic, which Swift cannot call.
CURLcode aias_curl_set_long(CURL *handle, CURLoption option, long value);
CURLcode aias_curl_set_pointer(CURL *handle, CURLoption option, const void *value);

#endif
