#ifndef MARTLET_OPENBLAS_H
#define MARTLET_OPENBLAS_H

#include <cblas.h>

// LAPACK, as the Fortran symbols inside libopenblas (column-major, every argument by address). Debian packages
// the C interface apart, and these few declarations are all it would add.
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dgelqf_(const int *m, const int *n, double *a, const int *lda, double *tau, double *work, const int *lwork, int *info);
void dorglq_(const int *m, const int *n, const int *k, double *a, const int *lda, const double *tau, double *work,
             const int *lwork, int *info);
void dgesdd_(const char *jobz, const int *m, const int *n, double *a, const int *lda, double *s, double *u,
             const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork, int *iwork, int *info);
void dsyevr_(const char *jobz, const char *range, const char *uplo, const int *n, double *a, const int *lda,
             const double *vl, const double *vu, const int *il, const int *iu, const double *abstol, int *m, double *w,
             double *z, const int *ldz, int *isuppz, double *work, const int *lwork, int *iwork, const int *liwork,
             int *info);

#endif
