// What Swift has no vector operation for: sums of products of bytes, and conversions between bytes, integers and floats.
//
// The functions exist for one width of vectors, that of the instruction set a room is built for: 16, 8 or 4 lanes. What
// becomes of a sum is here too, as a whole: Swift's optimiser stops inlining its own functions into ones as long as an
// unrolled strip, and these are inlined after it.

#ifndef MARTLET_QUANTIZED_VECTORS_H
#define MARTLET_QUANTIZED_VECTORS_H

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define MARTLET_LANES 16
#elif defined(__AVX2__)
#define MARTLET_LANES 8
#else
#define MARTLET_LANES 4
#endif

#define MARTLET_INLINE static inline __attribute__((always_inline))
#define MARTLET_VECTOR(element, count) __attribute__((ext_vector_type(count))) element

typedef MARTLET_VECTOR(int32_t, MARTLET_LANES) martlet_integers;
typedef MARTLET_VECTOR(float, MARTLET_LANES) martlet_reals;
typedef MARTLET_VECTOR(uint8_t, MARTLET_LANES) martlet_bytes;
typedef MARTLET_VECTOR(int16_t, 16) martlet_halves;
typedef MARTLET_VECTOR(uint8_t, 16) martlet_pixel;
typedef MARTLET_VECTOR(uint8_t, 4 * MARTLET_LANES) martlet_pixels;

/// The lanes as floats, rounded to the nearest.
MARTLET_INLINE martlet_reals martlet_to_reals(martlet_integers lanes) {
    return __builtin_convertvector(lanes, martlet_reals);
}

/// The vector at an address that need not be aligned to it.
MARTLET_INLINE martlet_integers martlet_load_integers(const void *address) {
    martlet_integers lanes;
    memcpy(&lanes, address, sizeof lanes);
    return lanes;
}

/// The vector at an address that need not be aligned to it.
MARTLET_INLINE martlet_reals martlet_load_reals(const float *address) {
    martlet_reals lanes;
    memcpy(&lanes, address, sizeof lanes);
    return lanes;
}

/// Writes a vector to an address that need not be aligned to it.
MARTLET_INLINE void martlet_store_reals(martlet_reals lanes, float *address) { memcpy(address, &lanes, sizeof lanes); }

/// The four bytes at an address, in each lane.
MARTLET_INLINE martlet_integers martlet_broadcast_quad(const void *address) {
    int32_t quad;
    memcpy(&quad, address, sizeof quad);
    return (martlet_integers)quad;
}

/// As many bytes as there are lanes, each in a lane of its own.
MARTLET_INLINE martlet_integers martlet_load_bytes(const void *bytes) {
    martlet_bytes lanes;
    memcpy(&lanes, bytes, MARTLET_LANES);
    return __builtin_convertvector(lanes, martlet_integers);
}

/// Writes the lowest byte of each lane.
MARTLET_INLINE void martlet_store_bytes(martlet_integers lanes, void *bytes) {
#if defined(__AVX512F__)
    _mm_storeu_si128((__m128i *)bytes, _mm512_cvtepi32_epi8((__m512i)lanes));
#else
    const martlet_bytes narrow = __builtin_convertvector(lanes, martlet_bytes);
    memcpy(bytes, &narrow, MARTLET_LANES);
#endif
}

/// Writes the three lowest bytes of each lane, without a gap between lanes.
MARTLET_INLINE void martlet_store_lowest_three(martlet_integers lanes, void *bytes) {
#if MARTLET_LANES == 16
    const __m512i order = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
    const __m512i packed = _mm512_shuffle_epi8((__m512i)lanes, order);
    const __m512i together = _mm512_permutexvar_epi32(
        _mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15), packed);
    memcpy(bytes, &together, 3 * MARTLET_LANES);
#else
    int32_t numbers[MARTLET_LANES];
    memcpy(numbers, &lanes, sizeof lanes);
    for (int lane = 0; lane < MARTLET_LANES; ++lane) memcpy((char *)bytes + 3 * lane, numbers + lane, 3);
#endif
}

/// `sum` plus the products of the 16-bit halves of each lane of `a` and `b`, both signed; what leaves 32 bits wraps around.
MARTLET_INLINE martlet_integers martlet_add_pairs(martlet_integers sum, martlet_integers a, martlet_integers b) {
#if defined(__AVX512VNNI__)
    return (martlet_integers)_mm512_dpwssd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
#elif defined(__AVX512BW__)
    return sum + (martlet_integers)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return sum + (martlet_integers)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined(__x86_64__)
    return sum + (martlet_integers)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
    return sum + (a << 16 >> 16) * (b << 16 >> 16) + (a >> 16) * (b >> 16);
#endif
}

/// The first and third byte of each lane, each in a half of it.
MARTLET_INLINE martlet_integers martlet_even_bytes(martlet_integers lanes) { return lanes & 0x00ff00ff; }

/// The second and fourth byte of each lane, each in a half of it.
MARTLET_INLINE martlet_integers martlet_odd_bytes(martlet_integers lanes) {
    typedef MARTLET_VECTOR(uint16_t, 2 * MARTLET_LANES) halves;
    return (martlet_integers)((halves)lanes >> 8);
}

#if defined(__AVX2__)
/// `sum` plus the products of the four bytes of each lane, those of `a` unsigned, those of `b` signed.
///
/// Without VNNI the first two of a lane are added in 16 bits, and so are the last two: two neighbours of `b` must not add up to
/// more than 128, positive or negative, or their sum saturates.
MARTLET_INLINE martlet_integers martlet_add_quads(martlet_integers sum, martlet_integers a, martlet_integers b) {
#if defined(__AVX512VNNI__)
    return (martlet_integers)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
#elif defined(__AVX512BW__)
    const __m512i pairs = _mm512_maddubs_epi16((__m512i)a, (__m512i)b);
    return sum + (martlet_integers)_mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
#else
    const __m256i pairs = _mm256_maddubs_epi16((__m256i)a, (__m256i)b);
    return sum + (martlet_integers)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
#endif
}
#endif

// Floats from here on up to twice as much have no fraction: adding it rounds to the nearest integer, halves to the even one,
// and leaves that integer in the lowest bits.
#define MARTLET_ROUNDING_OFFSET 12582912.0f

/// Each lane between two bounds.
MARTLET_INLINE martlet_reals martlet_clamp(martlet_reals lanes, float minimum, float maximum) {
    const martlet_reals low = minimum, high = maximum;
    // Of two numbers of which one is NaN the instructions take the second. Written as comparisons, each would be two.
#if defined(__AVX512F__)
    return (martlet_reals)_mm512_min_ps((__m512)high, _mm512_max_ps((__m512)low, (__m512)lanes));
#elif defined(__AVX2__)
    return (martlet_reals)_mm256_min_ps((__m256)high, _mm256_max_ps((__m256)low, (__m256)lanes));
#elif defined(__x86_64__)
    return (martlet_reals)_mm_min_ps((__m128)high, _mm_max_ps((__m128)low, (__m128)lanes));
#else
    lanes = lanes < low ? low : lanes;
    return lanes > high ? high : lanes;
#endif
}

/// Stores each lane as a byte: `zero point + clamp(round(lane))`, halves rounded to the even integer.
///
/// The settings are the bounds, from the zero point, and the zero point, as a float whose bits are those of an integer.
MARTLET_INLINE void martlet_store_rounded(martlet_reals lanes, const float *settings, void *output) {
    int32_t zero_point;
    memcpy(&zero_point, settings + 2, sizeof zero_point);
    const martlet_reals rounded = martlet_clamp(lanes, settings[0], settings[1]) + MARTLET_ROUNDING_OFFSET;
    // The zero point is added to the bits, after the rounding: before, it would make odd halves of even ones.
    martlet_store_bytes((martlet_integers)rounded + zero_point, output);
}

/// Stores `sum * factor` rounded.
MARTLET_INLINE void martlet_store_scaled(
    martlet_integers sum, martlet_reals factor, const float *settings, void *output) {
    martlet_store_rounded(martlet_to_reals(sum) * factor, settings, output);
}

/// A value after a first rounding and with an addend, as far as there are any; the settings are those of
/// `convolveQuantizedRows`.
MARTLET_INLINE martlet_reals martlet_add_residual(
    martlet_reals value, const float *settings, const uint8_t *residual) {
    if (settings[3] != 0) {
        value = martlet_clamp(value, settings[4], settings[5]) + MARTLET_ROUNDING_OFFSET;
        value = (value - MARTLET_ROUNDING_OFFSET) * settings[3];
    }
    if (residual) value += (martlet_to_reals(martlet_load_bytes(residual)) - settings[7]) * settings[6];
    return value;
}

/// Stores what `martlet_add_residual` makes of a value, rounded.
MARTLET_INLINE void martlet_store_value(
    martlet_reals value, const float *settings, const uint8_t *residual, void *output) {
    martlet_store_rounded(martlet_add_residual(value, settings, residual), settings, output);
}

/// The same of `sum * factor`.
MARTLET_INLINE void martlet_store_sum(
    martlet_integers sum, martlet_reals factor, const float *settings, const uint8_t *residual, void *output) {
    martlet_store_value(martlet_to_reals(sum) * factor, settings, residual, output);
}

#if MARTLET_LANES == 8
/// Stores the two vectors of a pixel, side by side, to the bytes `martlet_store_rounded` makes of each.
MARTLET_INLINE void martlet_store_rounded_pixel(
    martlet_reals lanes0, martlet_reals lanes1, const float *settings, void *output) {
    int32_t zero_point;
    memcpy(&zero_point, settings + 2, sizeof zero_point);
    // Packing saturates: the lower bound can wait until the numbers are bytes, and what has no 32-bit integer, which the largest
    // negative one stands for, must not be positive.
    const martlet_reals high = settings[1];
    const __m256i rounded0 = _mm256_cvtps_epi32((__m256)(lanes0 < high ? lanes0 : high));
    const __m256i rounded1 = _mm256_cvtps_epi32((__m256)(lanes1 < high ? lanes1 : high));
    const __m256i halves = _mm256_adds_epi16(
        _mm256_packs_epi32(rounded0, rounded1), _mm256_set1_epi16((int16_t)zero_point));
    const __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
    // In fours: the packing goes by halves of registers.
    const __m128i ordered = _mm_shuffle_epi32(bytes, 0xd8);
    _mm_storeu_si128((__m128i *)output, _mm_max_epu8(ordered, _mm_set1_epi8((char)((int32_t)settings[0] + zero_point))));
}

/// Stores the two vectors of a pixel as `martlet_store_scaled` stores one.
MARTLET_INLINE void martlet_store_scaled_pixel(
    martlet_integers sum0, martlet_integers sum1, martlet_reals factor0, martlet_reals factor1, const float *settings,
    void *output) {
    martlet_store_rounded_pixel(martlet_to_reals(sum0) * factor0, martlet_to_reals(sum1) * factor1, settings, output);
}

/// Stores the two vectors of a pixel as `martlet_store_sum` stores one.
MARTLET_INLINE void martlet_store_sum_pixel(
    martlet_integers sum0, martlet_integers sum1, martlet_reals factor0, martlet_reals factor1, const float *settings,
    const uint8_t *residual, void *output) {
    martlet_store_rounded_pixel(
        martlet_add_residual(martlet_to_reals(sum0) * factor0, settings, residual),
        martlet_add_residual(martlet_to_reals(sum1) * factor1, settings, residual ? residual + MARTLET_LANES : residual),
        settings, output);
}
#endif

/// The larger of each pair of bytes.
MARTLET_INLINE martlet_pixel martlet_larger(martlet_pixel a, martlet_pixel b) { return a > b ? a : b; }

/// The larger of each pair of bytes.
MARTLET_INLINE martlet_pixels martlet_larger_of_many(martlet_pixels a, martlet_pixels b) { return a > b ? a : b; }

/// Sixteen bytes less 128, each in 16 bits.
MARTLET_INLINE martlet_halves martlet_load_centred(const void *bytes) {
    martlet_pixel lanes;
    memcpy(&lanes, bytes, sizeof lanes);
    return __builtin_convertvector(lanes, martlet_halves) - 128;
}

#endif
