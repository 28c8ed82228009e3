#include "CGumbo.h"

#include <setjmp.h>
#include <stdlib.h>
#include <time.h>

/// Gumbo frees its tree by recursion, which a deeply nested text turns into a crash, and has no limits of its own. So it
/// allocates from an arena that is dropped as a whole, and whose allocator leaves the parser when a limit is passed.
struct chunk {
    struct chunk *next;
    size_t used;
    size_t size;
    max_align_t bytes[];
};

struct aias_html {
    struct chunk *chunks;
    size_t left;
    int64_t deadline;
    unsigned allocations;
    jmp_buf stop;
    GumboOutput *output;
};

enum { chunk_size = 256 * 1024, allocations_between_clocks = 64 };

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void *allocate(void *context, size_t size) {
    struct aias_html *html = context;
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (++html->allocations % allocations_between_clocks == 0 && now() > html->deadline) longjmp(html->stop, 1);
    struct chunk *chunk = html->chunks;
    if (!chunk || chunk->size - chunk->used < size) {
        size_t room = size > chunk_size ? size : chunk_size;
        if (room > html->left) longjmp(html->stop, 1);
        chunk = malloc(sizeof(struct chunk) + room);
        if (!chunk) longjmp(html->stop, 1);
        html->left -= room;
        chunk->next = html->chunks;
        chunk->used = 0;
        chunk->size = room;
        html->chunks = chunk;
    }
    void *result = (char *)chunk->bytes + chunk->used;
    chunk->used += size;
    return result;
}

static void deallocate(void *context, void *pointer) {
    (void)context;
    (void)pointer;
}

aias_html *aias_html_parse(const char *text, size_t length, size_t memory_limit, int64_t time_limit_nanoseconds) {
    struct aias_html *html = calloc(1, sizeof(struct aias_html));
    if (!html) return NULL;
    html->left = memory_limit;
    html->deadline = now() + time_limit_nanoseconds;
    GumboOptions options = kGumboDefaultOptions;
    options.allocator = allocate;
    options.deallocator = deallocate;
    options.userdata = html;
    options.max_errors = 0;
    if (setjmp(html->stop)) {
        aias_html_free(html);
        return NULL;
    }
    html->output = gumbo_parse_with_options(&options, text, length);
    return html;
}

const GumboNode *aias_html_document(const aias_html *html) { return html->output->document; }

void aias_html_free(aias_html *html) {
    struct chunk *chunk = html->chunks;
    while (chunk) {
        struct chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    free(html);
}
