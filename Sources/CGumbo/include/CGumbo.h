#ifndef CGUMBO_H
#define CGUMBO_H

#include <gumbo.h>
#include <stddef.h>
#include <stdint.h>

/// A parsed HTML text; all its memory lies in one arena.
typedef struct aias_html aias_html;

/// Parses a UTF-8 text. NULL where that takes more memory or time than allowed; parsers of HTML can take quadratic time.
/// The text must outlive the result, which points into it.
aias_html *aias_html_parse(const char *text, size_t length, size_t memory_limit, int64_t time_limit_nanoseconds);
const GumboNode *aias_html_document(const aias_html *html);
void aias_html_free(aias_html *html);

#endif
