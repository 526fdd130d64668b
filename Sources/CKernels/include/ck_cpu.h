/* What the CPU can do, which kernel levels that allows, and the floating-point mode of a thread.
 * Detection gives a value; nothing here is remembered between calls. */
#ifndef CK_CPU_H
#define CK_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Ascending: a level inherits what it lacks from the one below. */
typedef enum ck_level {
    CK_LEVEL_SCALAR = 0, /* plain C for any CPU; the reference of the others */
    CK_LEVEL_AVX2,       /* AVX2 and FMA */
    CK_LEVEL_AVX512,     /* AVX-512 F, BW, VL, DQ */
} ck_level;

enum { CK_LEVEL_COUNT = 3 };

/* Each flag is true only where the CPU has the instructions and the system saves their registers. */
typedef struct ck_cpu_features {
    bool avx2_fma;
    bool avx512;      /* F, BW, VL and DQ together */
    bool avx512_vnni;
    bool avx512_bf16;
    bool amx_int8;    /* leave to use the tiles is another matter: ck_request_amx */
    bool amx_bf16;
} ck_cpu_features;

ck_cpu_features ck_detect_cpu(void);

/* The CPU's own name, NUL-terminated and cut to `size` bytes; "unknown CPU" where it gives none. */
void ck_cpu_name(char *name, size_t size);

/* "scalar", "avx2", "avx512": the words of --cpu-level. */
const char *ck_level_name(ck_level level);

/* Whether a CPU with these features can run the level. If not, *reason (which may be NULL) becomes a
 * constant text that says what is missing; else NULL. */
bool ck_level_supported(ck_level level, ck_cpu_features features, const char **reason);

/* Whether the level's tests have passed on a CPU that has it since its last change. The automatic choice
 * passes over levels that are not; they can still be asked for by name. *reason as above. */
bool ck_level_verified(ck_level level, const char **reason);

/* The highest level that is supported and verified. */
ck_level ck_best_level(ck_cpu_features features);

/* Asks the system for leave to use AMX tiles; once a process, before the first tile instruction. False
 * where there is no AMX or the system refuses. */
bool ck_request_amx(void);

/* Denormal results and operands of the calling thread become zero (FTZ and DAZ). Returns what
 * ck_denormals_restore needs. Elsewhere than on x86-64 both do nothing. */
uint32_t ck_denormals_off(void);
void ck_denormals_restore(uint32_t previous);

#ifdef __cplusplus
}
#endif
#endif
