#ifndef C_MARTLET_FUTEX_H
#define C_MARTLET_FUTEX_H

#include <stdint.h>

// What waiting threads need and Swift cannot say: `syscall` is variadic, so it is not imported, and the pause
// instruction has no spelling in the language.

/// Tells the processor that this thread waits in a loop, to save power and to leave its sibling the core's units.
static inline void martlet_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    // `yield` does nothing on most cores; `isb` takes about as long as x86's pause.
    __asm__ volatile("isb");
#endif
}

#if defined(__linux__)

#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Sleeps if `*word` still equals `expected`, until `martlet_futex_wake` names one of the bits of `bits`. May also
/// return for no reason.
static inline void martlet_futex_wait(const void *word, uint32_t expected, uint32_t bits) {
    syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected, NULL, NULL, bits);
}

/// Wakes up to `count` of the threads that sleep on `word` with one of the bits of `bits`.
static inline void martlet_futex_wake(const void *word, int count, uint32_t bits) {
    syscall(SYS_futex, word, FUTEX_WAKE_BITSET_PRIVATE, count, NULL, NULL, bits);
}

/// The number of the processor this thread runs on, negative if unknown. In the C library, but declared only under
/// _GNU_SOURCE, which Swift's import of it does not set.
int sched_getcpu(void);

#endif
#endif
