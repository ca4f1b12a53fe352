#ifndef C_MARTLET_JPEG_H
#define C_MARTLET_JPEG_H

#include <stddef.h>

// libjpeg reports errors by a call that must not return, and C's way out of that is longjmp, which may not cross
// Swift frames. These functions hold the setjmp; everything else is done in Swift.

/// Room for one message of libjpeg's, its terminating zero included.
#define MARTLET_JPEG_MESSAGE_LENGTH 200

/// A picture that is being read.
typedef struct martlet_jpeg martlet_jpeg;

/// What the header says.
typedef struct {
    unsigned width;
    unsigned height;
    /// Components a pixel as `martlet_jpeg_read` writes them: 1 grey, 3 RGB, 4 CMYK as stored.
    int components;
    /// Whether the entropy coding is arithmetic.
    int is_arithmetic;
} martlet_jpeg_header;

/// Reads the header. The bytes must stay in place until `martlet_jpeg_close`. Returns NULL, and why in `message`, on
/// error.
martlet_jpeg *martlet_jpeg_open(
    const unsigned char *bytes, size_t count, martlet_jpeg_header *header, char *message);

/// Decodes into `height` rows of `width * components` bytes each, `pixels` being room for all of them. Returns 0, or 1
/// with the reason in `message`.
int martlet_jpeg_read(martlet_jpeg *jpeg, unsigned char *pixels, char *message);

/// Frees everything.
void martlet_jpeg_close(martlet_jpeg *jpeg);

#endif
