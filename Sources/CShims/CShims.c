#include "CShims.h"

CURLcode aias_curl_set_long(CURL *handle, CURLoption option, long value) { return curl_easy_setopt(handle, option, value); }

CURLcode aias_curl_set_pointer(CURL *handle, CURLoption option, const void *value) {
    return curl_easy_setopt(handle, option, value);
}

void aias_curl_set_reader(CURL *handle, aias_curl_reader reader, void *context) {
    curl_easy_setopt(handle, CURLOPT_READFUNCTION, reader);
    curl_easy_setopt(handle, CURLOPT_READDATA, context);
}

void aias_curl_response_code(CURL *handle, long *code) { curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, code); }
