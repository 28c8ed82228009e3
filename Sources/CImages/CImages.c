#include "CImages.h"

#include <magick/api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct aias_image {
    Image *frames;
};

static char fault[1024] = "";
static int hit_limit = 0;

const char *aias_images_fault(void) { return fault; }
int aias_images_hit_limit(void) { return hit_limit; }

/// Remembers an error; a warning is none. - Returns: -1 where it is an error.
static int note(const ExceptionInfo *exception) {
    if (exception->severity < ErrorException) return 0;
    const char *reason = exception->reason != NULL ? exception->reason : "no reason";
    // Decoders tell of a limit as of a damaged file, by words alone.
    hit_limit = exception->severity == ResourceLimitError || exception->severity == ResourceLimitFatalError || exception->severity == CacheError
        || exception->severity == CacheFatalError || strstr(reason, "resource limit") != NULL;
    snprintf(fault, sizeof fault, "%s", reason);
    return -1;
}

/// The errors that operations leave on frames.
static int note_frames(Image *frames) {
    for (Image *frame = frames; frame != NULL; frame = frame->next) {
        if (note(&frame->exception) != 0) return -1;
    }
    return 0;
}

static aias_image *wrapped(Image *frames, ExceptionInfo *exception) {
    aias_image *image = NULL;
    int failed = note(exception);
    if (frames != NULL && failed == 0) failed = note_frames(frames);
    if (frames == NULL && failed == 0) snprintf(fault, sizeof fault, "no image in it");
    if (frames != NULL && failed == 0) {
        image = malloc(sizeof *image);
        image->frames = frames;
    } else if (frames != NULL) {
        DestroyImageList(frames);
    }
    DestroyExceptionInfo(exception);
    return image;
}

const char *aias_images_version(void) { return MagickLibVersionText; }

int aias_images_start(int64_t pixels, int64_t side, int64_t memory) {
    // Read by the library of OpenMP when the first thread would start.
    setenv("OMP_NUM_THREADS", "1", 1);
    ExceptionInfo exception;
    GetExceptionInfo(&exception);
    if (InitializeMagickEx(NULL, MAGICK_OPT_NO_SIGNAL_HANDER, &exception) == MagickFail) return -1;
    DestroyExceptionInfo(&exception);
    SetMagickResourceLimit(ThreadsResource, 1);
    SetMagickResourceLimit(DiskResource, 0);
    SetMagickResourceLimit(MapResource, 0);
    SetMagickResourceLimit(PixelsResource, pixels);
    SetMagickResourceLimit(WidthResource, side);
    SetMagickResourceLimit(HeightResource, side);
    SetMagickResourceLimit(MemoryResource, memory);
    return 0;
}

aias_image *aias_image_read(const char *format, const void *bytes, size_t count) {
    ExceptionInfo exception;
    GetExceptionInfo(&exception);
    ImageInfo *info = CloneImageInfo(NULL);
    snprintf(info->filename, sizeof info->filename, "%s:", format);
    snprintf(info->magick, sizeof info->magick, "%s", format);
    Image *frames = BlobToImage(info, bytes, count, &exception);
    DestroyImageInfo(info);
    return wrapped(frames, &exception);
}

aias_image *aias_image_create(long width, long height, const char *color) {
    ExceptionInfo exception;
    GetExceptionInfo(&exception);
    ImageInfo *info = CloneImageInfo(NULL);
    char size[64];
    snprintf(size, sizeof size, "%ldx%ld", width, height);
    CloneString(&info->size, size);
    snprintf(info->filename, sizeof info->filename, "xc:%s", color);
    Image *frames = ReadImage(info, &exception);
    DestroyImageInfo(info);
    if (frames != NULL) frames->filename[0] = '\0';
    return wrapped(frames, &exception);
}

aias_image *aias_image_from_pixels(long width, long height, const uint8_t *rgba) {
    ExceptionInfo exception;
    GetExceptionInfo(&exception);
    return wrapped(ConstituteImage(width, height, "RGBA", CharPixel, rgba, &exception), &exception);
}

void aias_image_free(aias_image *image) {
    DestroyImageList(image->frames);
    free(image);
}

long aias_image_width(const aias_image *image) { return (long)image->frames->columns; }
long aias_image_height(const aias_image *image) { return (long)image->frames->rows; }
const char *aias_image_format(const aias_image *image) { return image->frames->magick; }

int aias_image_knows_color(const char *color) {
    ExceptionInfo exception;
    GetExceptionInfo(&exception);
    PixelPacket pixel;
    int known = QueryColorDatabase(color, &pixel, &exception) != MagickFail;
    DestroyExceptionInfo(&exception);
    return known;
}

int aias_image_mogrify(aias_image *image, int count, const char *const *arguments) {
    char *options[64] = {"mogrify"};
    if (count > 62) return -1;
    for (int index = 0; index < count; index++) options[index + 1] = (char *)arguments[index];
    ImageInfo *info = CloneImageInfo(NULL);
    MogrifyImages(info, count + 1, options, &image->frames);
    DestroyImageInfo(info);
    return note_frames(image->frames);
}

int aias_image_write_text(aias_image *image, const char *font, double size, const char *color, double x, double y, const char *text) {
    char place[128];
    snprintf(place, sizeof place, "%+.6f%+.6f", x, y);
    for (Image *frame = image->frames; frame != NULL; frame = frame->next) {
        ImageInfo *info = CloneImageInfo(NULL);
        DrawInfo *draw = CloneDrawInfo(info, NULL);
        ExceptionInfo exception;
        GetExceptionInfo(&exception);
        CloneString(&draw->font, font);
        CloneString(&draw->geometry, place);
        CloneString(&draw->text, text);
        draw->pointsize = size;
        QueryColorDatabase(color, &draw->fill, &exception);
        DestroyExceptionInfo(&exception);
        AnnotateImage(frame, draw);
        DestroyDrawInfo(draw);
        DestroyImageInfo(info);
    }
    return note_frames(image->frames);
}

int aias_image_composite(aias_image *image, const aias_image *top, const char *operator_name, long x, long y) {
    CompositeOperator operator = StringToCompositeOperator(operator_name);
    for (Image *frame = image->frames; frame != NULL; frame = frame->next) CompositeImage(frame, operator, top->frames, x, y);
    return note_frames(image->frames);
}

char *aias_image_describe(const aias_image *image) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL) return NULL;
    DescribeImage(image->frames, stream, MagickTrue);
    fclose(stream);
    return text;
}

int aias_image_grey(const aias_image *image, uint8_t *grey) {
    ExceptionInfo exception;
    GetExceptionInfo(&exception);
    int result = -1;
    Image *copy = CloneImage(image->frames, 0, 0, MagickTrue, &exception);
    if (copy != NULL) {
        QueryColorDatabase("white", &copy->background_color, &exception);
        Image *flat = FlattenImages(copy, &exception);
        DestroyImageList(copy);
        if (flat != NULL && DispatchImage(flat, 0, 0, flat->columns, flat->rows, "I", CharPixel, grey, &exception) != MagickFail) result = 0;
        if (flat != NULL) DestroyImageList(flat);
    }
    if (note(&exception) != 0) result = -1;
    DestroyExceptionInfo(&exception);
    return result;
}

void *aias_image_write(const aias_image *image, const char *format, int quality, size_t *count) {
    ExceptionInfo exception;
    GetExceptionInfo(&exception);
    ImageInfo *info = CloneImageInfo(NULL);
    if (quality >= 0) info->quality = (unsigned long)quality;
    for (Image *frame = image->frames; frame != NULL; frame = frame->next) {
        snprintf(frame->magick, sizeof frame->magick, "%s", format);
        frame->filename[0] = '\0';
    }
    void *bytes = ImageToBlob(info, image->frames, count, &exception);
    if (note(&exception) != 0 || bytes == NULL) {
        if (bytes != NULL) MagickFree(bytes);
        bytes = NULL;
    }
    DestroyImageInfo(info);
    DestroyExceptionInfo(&exception);
    return bytes;
}

void aias_images_release(void *bytes) { MagickFree(bytes); }
