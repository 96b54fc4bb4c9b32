/* SPDX-License-Identifier: Apache-2.0
 * What the processor can do, with the operating system's consent, as a mask of levels. */
#ifndef HY_BASE_CPU_H
#define HY_BASE_CPU_H

#include <stdint.h>

#include <hayate/runtime.h>

enum {
  HY_CPU_AVX2 = 1u << 0,   /* with FMA, F16C, BMI2 */
  HY_CPU_AVX512 = 1u << 1, /* F, BW, DQ, VL, CD */
  HY_CPU_AVX512_VNNI = 1u << 2,
  HY_CPU_AVX512_BF16 = 1u << 3,
  HY_CPU_AVX_VNNI = 1u << 4,
  HY_CPU_AMX = 1u << 5, /* tile, int8, bf16, and the kernel's permission obtained */
  HY_CPU_AVX512_FP16 = 1u << 6,
  HY_CPU_NEON = 1u << 7, /* AArch64's, always there */
  HY_CPU_AVX512_VBMI = 1u << 8,
  /* Not of the processor: rows that no hardware has proven may be chosen too. Set where the caller
   * names the level. */
  HY_CPU_UNPROVEN = 1u << 30
};

typedef struct hy__cpu {
  uint32_t mask;
  uint32_t n_usable;                    /* CPUs this process may run on */
  size_t l1d_bytes, l2_bytes, l3_bytes; /* per core, per core, shared; 0 unknown */
  char vendor[16];
  char model[64];
} hy__cpu;

void hy__cpu_detect(hy__cpu *out);
/* The part of mask that a level allows: AVX2 hides AVX-512 and AMX, SCALAR hides all. */
uint32_t hy__cpu_limit(uint32_t mask, hy_isa isa);
hy_isa hy__cpu_best(uint32_t mask);
bool hy__cpu_has(uint32_t mask, hy_isa isa);

/* In a loop that waits for another core. */
static inline void hy__cpu_pause(void) {
#if defined(__aarch64__)
  __asm__ volatile("yield");
#else
  __builtin_ia32_pause();
#endif
}

#endif
