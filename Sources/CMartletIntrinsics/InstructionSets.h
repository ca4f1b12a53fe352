// What this processor and this operating system let a program use, asked with CPUID and XGETBV.
//
// The levels are those of the x86-64 psABI, which are what `-march=x86-64-v3` and `-march=x86-64-v4` may use. Elsewhere
// than on x86-64 the answer is no.

#ifndef MARTLET_INSTRUCTION_SETS_H
#define MARTLET_INSTRUCTION_SETS_H

#include <stdbool.h>

#if defined(__x86_64__)

#include <cpuid.h>

static inline bool martlet_has_bits(unsigned int value, unsigned int bits) { return (value & bits) == bits; }

/// Which register states the operating system saves and restores (XCR0). Only after CPUID has reported OSXSAVE.
static inline unsigned int martlet_saved_states(void) {
    unsigned int low, high;
    // The intrinsic would need -mxsave for every file that includes this one.
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

/// AVX2, FMA, F16C, BMI1, BMI2, LZCNT and MOVBE, and the 256-bit registers.
static inline bool martlet_supports_x86_64_v3(void) {
    unsigned int a, b, c, d;
    const unsigned int basic = bit_FMA | bit_MOVBE | bit_OSXSAVE | bit_AVX | bit_F16C;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !martlet_has_bits(c, basic)) return false;
    const unsigned int vectorStates = 1u << 1 | 1u << 2;  // SSE and AVX
    if (!martlet_has_bits(martlet_saved_states(), vectorStates)) return false;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !martlet_has_bits(b, bit_AVX2 | bit_BMI | bit_BMI2)) return false;
    return __get_cpuid(0x80000001, &a, &b, &c, &d) && martlet_has_bits(c, bit_LZCNT);
}

/// All of v3, AVX-512 F, BW, CD, DQ and VL, and the 512-bit registers.
static inline bool martlet_supports_x86_64_v4(void) {
    if (!martlet_supports_x86_64_v3()) return false;
    const unsigned int vectorStates = 1u << 5 | 1u << 6 | 1u << 7;  // masks, upper halves, registers 16 to 31
    if (!martlet_has_bits(martlet_saved_states(), vectorStates)) return false;
    unsigned int a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d)
           && martlet_has_bits(b, bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL);
}

/// All of v4, and AVX-512 VNNI: sums of products of bytes. No level of the psABI has it.
static inline bool martlet_supports_avx512_vnni(void) {
    unsigned int a, b, c, d;
    return martlet_supports_x86_64_v4() && __get_cpuid_count(7, 0, &a, &b, &c, &d)
           && martlet_has_bits(c, bit_AVX512VNNI);
}

/// Whether two multiply-adds of 512-bit vectors begin in a cycle, of floats as of bytes: Intel's servers, and AMD's processors
/// from Zen 5 on. On Zen 4 it is one. No bit says so.
static inline bool martlet_doubles_wide_products(void) {
    unsigned int a, b, c, d;
    if (!__get_cpuid(0, &a, &b, &c, &d)) return false;
    if (b == signature_INTEL_ebx) return true;
    const bool isAMD = b == signature_AMD_ebx;
    return isAMD && __get_cpuid(1, &a, &b, &c, &d) && (a >> 8 & 0xf) + (a >> 20 & 0xff) >= 0x1a;
}

#else

static inline bool martlet_doubles_wide_products(void) { return false; }

static inline bool martlet_supports_x86_64_v3(void) { return false; }

static inline bool martlet_supports_x86_64_v4(void) { return false; }

static inline bool martlet_supports_avx512_vnni(void) { return false; }

#endif

#endif
