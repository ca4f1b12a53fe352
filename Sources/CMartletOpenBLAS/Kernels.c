// Has OpenBLAS choose its kernels again where it did not know the processor.
//
// A build for many processors knows those that were sold when it was made. On a newer one it falls back on kernels of 2004,
// which have no AVX: fits then take three times as long (OpenBLAS 0.3.21 of Debian 12 on an Intel Emerald Rapids). Where
// OPENBLAS_CORETYPE is set, the user has chosen.
//
// This is done when the program is loaded, after OpenBLAS has made its choice and before there are threads of anybody's: the
// kernels cannot be exchanged under a thread that computes, nor the environment, which says what to take, beside one that
// reads it. Swift has nothing that runs so early.

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#include "../CMartletIntrinsics/InstructionSets.h"

// Missing from a build for one processor.
void gotoblas_dynamic_init(void) __attribute__((weak));
void gotoblas_dynamic_quit(void) __attribute__((weak));

__attribute__((constructor)) static void adopt_processor(void) {
    static const char variable[] = "OPENBLAS_CORETYPE";
    if (!gotoblas_dynamic_init || !gotoblas_dynamic_quit || getenv(variable)) return;
    if (strcmp(openblas_get_corename(), "Prescott") != 0 || !martlet_supports_x86_64_v3()) return;
    if (setenv(variable, martlet_supports_x86_64_v4() ? "SkylakeX" : "Haswell", 1) != 0) return;
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
    unsetenv(variable);
}
