/* Reads what the CPU can do (CPUID) and what the system saves of it (XCR0). */
#include "ck_cpu.h"

#include <string.h>

#if defined(__x86_64__)

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xmmintrin.h>

/* Intel SDM volume 1, 13.1: the components of XCR0. */
enum {
    STATE_AVX = 0x6,       /* xmm, ymm */
    STATE_AVX512 = 0xe6,   /* and k registers, upper halves, zmm16 to 31 */
    STATE_AMX = 0x60000,   /* tile configuration, tile data */
};

static bool bit(uint32_t word, int index) { return word >> index & 1; }

static uint64_t enabled_state(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

ck_cpu_features ck_detect_cpu(void) {
    ck_cpu_features features = {0};
    uint32_t a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !bit(c, 27)) return features; /* no OSXSAVE: no xgetbv */
    bool fma = bit(c, 12), avx = bit(c, 28);
    uint64_t state = enabled_state();
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return features;
    uint32_t last_subleaf = a;

    bool ymm = (state & STATE_AVX) == STATE_AVX;
    bool zmm = (state & STATE_AVX512) == STATE_AVX512;
    bool tiles = (state & STATE_AMX) == STATE_AMX;
    features.avx2_fma = ymm && avx && fma && bit(b, 5);
    features.avx512 = features.avx2_fma && zmm && bit(b, 16) && bit(b, 17) && bit(b, 30) && bit(b, 31);
    features.avx512_vnni = features.avx512 && bit(c, 11);
    features.amx_int8 = tiles && bit(d, 24) && bit(d, 25);
    features.amx_bf16 = tiles && bit(d, 24) && bit(d, 22);
    if (last_subleaf >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d))
        features.avx512_bf16 = features.avx512 && bit(a, 5);
    return features;
}

void ck_cpu_name(char *name, size_t size) {
    if (size == 0) return;
    char brand[49] = "";
    uint32_t last = __get_cpuid_max(0x80000000, NULL);
    if (last >= 0x80000004) {
        for (uint32_t leaf = 0; leaf < 3; leaf++) {
            uint32_t words[4];
            __get_cpuid(0x80000002 + leaf, &words[0], &words[1], &words[2], &words[3]);
            memcpy(brand + 16 * leaf, words, sizeof words);
        }
    }
    const char *start = brand + strspn(brand, " "); /* Intel pads some names on the left */
    size_t length = strlen(start);
    while (length > 0 && start[length - 1] == ' ') length--;
    if (length == 0) {
        start = "unknown CPU";
        length = strlen(start);
    }
    if (length > size - 1) length = size - 1;
    memcpy(name, start, length);
    name[length] = '\0';
}

bool ck_request_amx(void) {
    ck_cpu_features features = ck_detect_cpu();
    if (!features.amx_int8 && !features.amx_bf16) return false;
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 }; /* asm/prctl.h of Linux 5.16 */
    return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}

uint32_t ck_denormals_off(void) {
    enum { FLUSH_TO_ZERO = 0x8000, DENORMALS_ARE_ZERO = 0x0040 };
    uint32_t previous = _mm_getcsr();
    _mm_setcsr(previous | FLUSH_TO_ZERO | DENORMALS_ARE_ZERO);
    return previous;
}

void ck_denormals_restore(uint32_t previous) { _mm_setcsr(previous); }

#else

ck_cpu_features ck_detect_cpu(void) { return (ck_cpu_features){0}; }

void ck_cpu_name(char *name, size_t size) {
    if (size == 0) return;
    strncpy(name, "unknown CPU", size - 1);
    name[size - 1] = '\0';
}

bool ck_request_amx(void) { return false; }
uint32_t ck_denormals_off(void) { return 0; }
void ck_denormals_restore(uint32_t previous) { (void)previous; }

#endif
