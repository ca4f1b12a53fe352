#ifndef C_MARTLET_PNG_H
#define C_MARTLET_PNG_H
#endif
