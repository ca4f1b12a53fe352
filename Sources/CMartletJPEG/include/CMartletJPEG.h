#ifndef C_MARTLET_JPEG_H
#define C_MARTLET_JPEG_H
#endif
