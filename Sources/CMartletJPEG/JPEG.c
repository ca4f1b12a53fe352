#include "CMartletJPEG.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>
#include <jerror.h>

// A valid progressive file has a dozen scans; a hostile one has thousands, each a pass over the whole picture.
#define MAXIMUM_SCANS 200

struct martlet_jpeg {
    struct jpeg_decompress_struct decompressor;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf failure;
    char *message;
};

static void fail(j_common_ptr common) {
    martlet_jpeg *jpeg = (martlet_jpeg *)common->client_data;
    common->err->format_message(common, jpeg->message);
    longjmp(jpeg->failure, 1);
}

// libjpeg fills in grey where data is missing and calls that a warning. Here it is an error; other warnings are not.
static void heed(j_common_ptr common, int level) {
    int code = common->err->msg_code;
    if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) fail(common);
}

static void count_scans(j_common_ptr common) {
    martlet_jpeg *jpeg = (martlet_jpeg *)common->client_data;
    if (common->is_decompressor && jpeg->decompressor.input_scan_number > MAXIMUM_SCANS) {
        snprintf(jpeg->message, MARTLET_JPEG_MESSAGE_LENGTH, "more than %d scans", MAXIMUM_SCANS);
        longjmp(jpeg->failure, 1);
    }
}

martlet_jpeg *martlet_jpeg_open(
    const unsigned char *bytes, size_t count, martlet_jpeg_header *header, char *message) {
    _Static_assert(MARTLET_JPEG_MESSAGE_LENGTH >= JMSG_LENGTH_MAX, "libjpeg's messages must fit");
    martlet_jpeg *jpeg = calloc(1, sizeof *jpeg);
    if (!jpeg) {
        snprintf(message, MARTLET_JPEG_MESSAGE_LENGTH, "out of memory");
        return NULL;
    }
    jpeg->message = message;
    j_decompress_ptr decompressor = &jpeg->decompressor;
    decompressor->err = jpeg_std_error(&jpeg->errors);
    decompressor->client_data = jpeg;
    jpeg->errors.error_exit = fail;
    jpeg->errors.emit_message = heed;
    jpeg->progress.progress_monitor = count_scans;
    if (setjmp(jpeg->failure)) {
        martlet_jpeg_close(jpeg);
        return NULL;
    }
    jpeg_create_decompress(decompressor);
    decompressor->progress = &jpeg->progress;
    jpeg_mem_src(decompressor, bytes, count);
    jpeg_read_header(decompressor, TRUE);
    switch (decompressor->jpeg_color_space) {
    case JCS_GRAYSCALE: decompressor->out_color_space = JCS_GRAYSCALE; break;
    case JCS_CMYK:
    case JCS_YCCK: decompressor->out_color_space = JCS_CMYK; break;
    default: decompressor->out_color_space = JCS_RGB; break;
    }
    // The accurate transform and smooth chroma: libjpeg's defaults, and Pillow's. Stated, since results hang on them.
    decompressor->dct_method = JDCT_ISLOW;
    decompressor->do_fancy_upsampling = TRUE;
    jpeg_calc_output_dimensions(decompressor);
    header->width = decompressor->output_width;
    header->height = decompressor->output_height;
    header->components = decompressor->output_components;
    header->is_arithmetic = decompressor->arith_code;
    return jpeg;
}

int martlet_jpeg_read(martlet_jpeg *jpeg, unsigned char *pixels, char *message) {
    jpeg->message = message;
    j_decompress_ptr decompressor = &jpeg->decompressor;
    if (setjmp(jpeg->failure)) return 1;
    jpeg_start_decompress(decompressor);
    size_t row_length = (size_t)decompressor->output_width * decompressor->output_components;
    while (decompressor->output_scanline < decompressor->output_height) {
        JSAMPROW row = pixels + decompressor->output_scanline * row_length;
        jpeg_read_scanlines(decompressor, &row, 1);
    }
    jpeg_finish_decompress(decompressor);
    return 0;
}

void martlet_jpeg_close(martlet_jpeg *jpeg) {
    jpeg_destroy_decompress(&jpeg->decompressor);
    free(jpeg);
}
