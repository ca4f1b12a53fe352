// A hint that memory will be read soon.

#ifndef MARTLET_PREFETCH_H
#define MARTLET_PREFETCH_H

/// Brings the cache line at `address` into the first-level cache if it can be read; does nothing where it cannot.
static inline __attribute__((always_inline)) void martlet_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

#endif
