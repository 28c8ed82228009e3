#ifndef CIMAGES_H
#define CIMAGES_H

#include <stddef.h>
#include <stdint.h>

/// What aias-files needs of GraphicsMagick, whose structures (fields of thousands of characters, lists by pointers) are no good in Swift.
/// One thread only. An image is the list of its frames; a function that fails returns NULL or -1 and `aias_images_fault` says why.
typedef struct aias_image aias_image;

/// The version that it was compiled with, as `1.3.40`.
const char *aias_images_version(void);

/// Limits of one image's pixels and of its sides, and of the memory of all pixels together; no files, no threads.
/// Must be called before the others. - Returns: 0, or -1.
int aias_images_start(int64_t pixels, int64_t side, int64_t memory);

/// Why the last function failed: GraphicsMagick's reason, never NULL.
const char *aias_images_fault(void);
/// Whether the last function failed at one of the limits.
int aias_images_hit_limit(void);

/// Reads all frames of a file of this format (`PNG`) and of no other.
aias_image *aias_image_read(const char *format, const void *bytes, size_t count);
/// An image of one colour.
aias_image *aias_image_create(long width, long height, const char *color);
/// An image of rows of red, green, blue and opacity (255 is opaque), a byte each.
aias_image *aias_image_from_pixels(long width, long height, const uint8_t *rgba);
void aias_image_free(aias_image *image);

long aias_image_width(const aias_image *image);
long aias_image_height(const aias_image *image);
/// The format it was read from, as `PNG`.
const char *aias_image_format(const aias_image *image);

/// Whether it is the name of a colour or its digits.
int aias_image_knows_color(const char *color);

/// Runs options of `gm mogrify` on each frame. Not for texts of others: they may name files.
int aias_image_mogrify(aias_image *image, int count, const char *const *arguments);
/// Writes a text whose first line stands on (x, y), as it is, in the font of this file.
int aias_image_write_text(aias_image *image, const char *font, double size, const char *color, double x, double y, const char *text);
/// Puts the first frame of `top` on each frame.
int aias_image_composite(aias_image *image, const aias_image *top, const char *operator_name, long x, long y);

/// What `gm identify -verbose` prints of the first frame; to be given to free(3).
char *aias_image_describe(const aias_image *image);
/// The grey of each pixel of the first frame, a byte each, rows from the top; transparent ones on white. `grey` holds width × height bytes.
int aias_image_grey(const aias_image *image, uint8_t *grey);
/// The frames as a file of this format; quality 0 to 100, -1 for the format's own. To be given to `aias_images_release`.
void *aias_image_write(const aias_image *image, const char *format, int quality, size_t *count);
void aias_images_release(void *bytes);

#endif
