#include "CMartletPNG.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

struct martlet_png {
    png_structp reader;
    png_infop info;
    const unsigned char *bytes;
    size_t count;
    size_t position;
    jmp_buf failure;
    char *message;
};

static void fail(png_structp reader, png_const_charp message) {
    martlet_png *png = png_get_error_ptr(reader);
    snprintf(png->message, MARTLET_PNG_MESSAGE_LENGTH, "%s", message);
    longjmp(png->failure, 1);
}

static void ignore(png_structp reader, png_const_charp message) {
    (void)reader;
    (void)message;
}

static void take(png_structp reader, png_bytep target, size_t count) {
    martlet_png *png = png_get_io_ptr(reader);
    if (count > png->count - png->position) png_error(reader, "the file ends too early");
    memcpy(target, png->bytes + png->position, count);
    png->position += count;
}

martlet_png *martlet_png_open(const unsigned char *bytes, size_t count, martlet_png_header *header, char *message) {
    martlet_png *png = calloc(1, sizeof *png);
    if (!png) {
        snprintf(message, MARTLET_PNG_MESSAGE_LENGTH, "out of memory");
        return NULL;
    }
    png->bytes = bytes;
    png->count = count;
    png->message = message;
    snprintf(message, MARTLET_PNG_MESSAGE_LENGTH, "out of memory");
    if (setjmp(png->failure)) {
        martlet_png_close(png);
        return NULL;
    }
    png->reader = png_create_read_struct(PNG_LIBPNG_VER_STRING, png, fail, ignore);
    if (png->reader) png->info = png_create_info_struct(png->reader);
    if (!png->info) {
        martlet_png_close(png);
        return NULL;
    }
    png_structp reader = png->reader;
    png_set_read_fn(reader, png, take);
    png_set_crc_action(reader, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_user_limits(reader, 0x7fffffff, 0x7fffffff);
    png_read_info(reader, png->info);
    int colour_type = png_get_color_type(reader, png->info);
    header->width = png_get_image_width(reader, png->info);
    header->height = png_get_image_height(reader, png->info);
    header->components = colour_type & PNG_COLOR_MASK_COLOR ? 3 : 1;
    header->stored_row_length = png_get_rowbytes(reader, png->info);
    return png;
}

int martlet_png_read(martlet_png *png, unsigned char *pixels, char *message) {
    png->message = message;
    if (setjmp(png->failure)) return 1;
    png_structp reader = png->reader;
    // Eight bits, grey or RGB: the high byte of sixteen, palettes looked up, alpha and transparent colours dropped.
    png_set_strip_16(reader);
    int colour_type = png_get_color_type(reader, png->info);
    if (colour_type == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(reader);
    else
        png_set_expand_gray_1_2_4_to_8(reader);
    png_set_strip_alpha(reader);
    png_set_interlace_handling(reader);
    png_read_update_info(reader, png->info);
    size_t height = png_get_image_height(reader, png->info);
    size_t row_length = png_get_image_width(reader, png->info);
    if (colour_type & PNG_COLOR_MASK_COLOR) row_length *= 3;
    if (png_get_rowbytes(reader, png->info) != row_length) png_error(reader, "unexpected row length");
    int passes = png_get_interlace_type(reader, png->info) == PNG_INTERLACE_ADAM7 ? 7 : 1;
    for (int pass = 0; pass < passes; pass++)
        for (size_t row = 0; row < height; row++) png_read_row(reader, pixels + row * row_length, NULL);
    // To the end: the last checksum stands there.
    png_read_end(reader, NULL);
    return 0;
}

void martlet_png_close(martlet_png *png) {
    if (png->reader) png_destroy_read_struct(&png->reader, &png->info, NULL);
    free(png);
}
