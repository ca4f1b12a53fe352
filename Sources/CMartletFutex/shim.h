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

/// Moves this thread to another processor than `processor` if it may run on one, and leaves it free to be moved again.
static inline void martlet_leave_processor(int processor) {
    unsigned long allowed[128], others[128];
    const int bits = 8 * (int)sizeof(unsigned long);
    const long bytes = syscall(SYS_sched_getaffinity, 0, sizeof allowed, allowed);
    if (bytes <= 0 || processor < 0 || processor >= 8 * bytes) return;
    unsigned long any = 0;
    for (long word = 0; word < bytes / (long)sizeof(unsigned long); word++) {
        others[word] = allowed[word];
        if (word == processor / bits) others[word] &= ~(1UL << (processor % bits));
        any |= others[word];
    }
    if (any != 0 && syscall(SYS_sched_setaffinity, 0, bytes, others) == 0)
        syscall(SYS_sched_setaffinity, 0, bytes, allowed);
}

#endif
#endif
