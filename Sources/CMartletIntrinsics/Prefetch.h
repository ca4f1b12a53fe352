// A hint that memory will be read soon.

#ifndef MARTLET_PREFETCH_H
#define MARTLET_PREFETCH_H

/// Brings the cache line at `address` into the second-level cache; does nothing where it cannot be read.
static inline __attribute__((always_inline)) void martlet_prefetch(const void *address) { __builtin_prefetch(address, 0, 2); }

#endif
