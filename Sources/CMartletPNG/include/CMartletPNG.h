#ifndef C_MARTLET_PNG_H
#define C_MARTLET_PNG_H

#include <stddef.h>

// libpng reports errors by a call that must not return, and C's way out of that is longjmp, which may not cross Swift
// frames. These functions hold the setjmp; everything else is done in Swift.

/// Room for one message of libpng's, its terminating zero included.
#define MARTLET_PNG_MESSAGE_LENGTH 200

/// A picture that is being read.
typedef struct martlet_png martlet_png;

/// What the header says.
typedef struct {
    unsigned width;
    unsigned height;
    /// Bytes a pixel as `martlet_png_read` writes them: 1 grey, 3 RGB.
    int components;
    /// Bytes of a row as they are compressed in the file (not interlaced).
    size_t stored_row_length;
} martlet_png_header;

/// Reads everything before the pixels; nothing that grows with the picture is allocated yet. The bytes must stay in place until `martlet_png_close`. Returns NULL, and why
/// in `message`, on error.
martlet_png *martlet_png_open(const unsigned char *bytes, size_t count, martlet_png_header *header, char *message);

/// Decodes into `height` rows of `width * components` bytes each, `pixels` being room for all of them. Returns 0, or 1
/// with the reason in `message`.
int martlet_png_read(martlet_png *png, unsigned char *pixels, char *message);

/// Frees everything.
void martlet_png_close(martlet_png *png);

#endif
