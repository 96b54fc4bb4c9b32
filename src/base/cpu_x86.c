/* SPDX-License-Identifier: Apache-2.0
 * What the processor can do and the operating system lets it: CPUID, XGETBV, and Linux's permission
 * for AMX tiles. The runtime limits the mask by the wanted ISA; kernels are chosen by what is left.
 */
#include <cpuid.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cpu_family.h"

enum {
  XCR0_SSE_AVX = 0x6,
  XCR0_AVX512 = 0xE6,
  XCR0_TILE = 0x60000,
  ARCH_REQ_XCOMP_PERM = 0x1023, /* arch_prctl, Linux 5.16 */
  XFEATURE_XTILEDATA = 18
};

typedef struct leaf {
  unsigned a, b, c, d;
} leaf;

/* Each CPUID leaves a virtual machine for microseconds, so the limits are asked for once. */
typedef struct limits {
  unsigned basic, extended;
} limits;

static leaf cpuid(const limits *most, unsigned number, unsigned sub) {
  leaf l = {0, 0, 0, 0};
  if (number <= (number >> 31 ? most->extended : most->basic))
    __cpuid_count(number, sub, l.a, l.b, l.c, l.d);
  return l;
}

static bool has(unsigned reg, unsigned bit) { return (reg >> bit & 1u) != 0; }

static uint64_t read_xcr0(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

/* Tiles are off in a process until it asks. */
static bool tiles_permitted(void) {
  return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

static uint32_t detect_mask(const limits *most) {
  leaf one = cpuid(most, 1, 0), seven = cpuid(most, 7, 0);
  leaf seven1 = seven.a >= 1 ? cpuid(most, 7, 1) : (leaf){0, 0, 0, 0};
  uint32_t mask = 0;
  if (!has(one.c, 27)) return 0; /* OSXSAVE */
  uint64_t xcr0 = read_xcr0();
  bool avx = has(one.c, 28) && (xcr0 & XCR0_SSE_AVX) == XCR0_SSE_AVX;
  bool fma = has(one.c, 12), f16c = has(one.c, 29), avx2 = has(seven.b, 5), bmi2 = has(seven.b, 8);
  if (!(avx && fma && f16c && avx2 && bmi2)) return 0;
  mask |= HY_CPU_AVX2;
  if (has(seven1.a, 4)) mask |= HY_CPU_AVX_VNNI;
  bool f = has(seven.b, 16), dq = has(seven.b, 17), cd = has(seven.b, 28);
  bool bw = has(seven.b, 30), vl = has(seven.b, 31);
  if (!(f && dq && cd && bw && vl && (xcr0 & XCR0_AVX512) == XCR0_AVX512)) return mask;
  mask |= HY_CPU_AVX512;
  if (has(seven.c, 1)) mask |= HY_CPU_AVX512_VBMI;
  if (has(seven.c, 11)) mask |= HY_CPU_AVX512_VNNI;
  if (has(seven1.a, 5)) mask |= HY_CPU_AVX512_BF16;
  if (has(seven.d, 23)) mask |= HY_CPU_AVX512_FP16;
  bool tile = has(seven.d, 24), tile_i8 = has(seven.d, 25), tile_bf16 = has(seven.d, 22);
  if (tile && tile_i8 && tile_bf16 && (xcr0 & XCR0_TILE) == XCR0_TILE && tiles_permitted())
    mask |= HY_CPU_AMX;
  return mask;
}

/* Deterministic cache parameters: Intel's leaf 4 and AMD's 0x8000001D have one layout. */
static void detect_caches(const limits *most, hy__cpu *out, unsigned number) {
  for (unsigned sub = 0; sub < 16; sub++) {
    leaf l = cpuid(most, number, sub);
    unsigned type = l.a & 31u, level = l.a >> 5 & 7u;
    if (type == 0) break;
    if (type == 2) continue; /* instructions */
    size_t line = (l.b & 0xFFFu) + 1, partitions = (l.b >> 12 & 0x3FFu) + 1;
    size_t ways = (l.b >> 22 & 0x3FFu) + 1, sets = (size_t)l.c + 1;
    size_t bytes = line * partitions * ways * sets;
    if (level == 1) out->l1d_bytes = bytes;
    if (level == 2) out->l2_bytes = bytes;
    if (level == 3) out->l3_bytes = bytes;
  }
}

static void detect_names(const limits *most, const leaf *zero, hy__cpu *out) {
  memcpy(out->vendor, &zero->b, 4);
  memcpy(out->vendor + 4, &zero->d, 4);
  memcpy(out->vendor + 8, &zero->c, 4);
  char text[49] = "";
  for (unsigned i = 0; i < 3; i++) {
    leaf l = cpuid(most, 0x80000002u + i, 0);
    memcpy(text + (size_t)16 * i, &l, sizeof l);
  }
  const char *begin = text;
  while (*begin == ' ') begin++;
  size_t n = strlen(begin);
  while (n > 0 && begin[n - 1] == ' ') n--;
  memcpy(out->model, begin, n);
  out->model[n] = 0;
}

void hy__cpu_family_detect(hy__cpu *out) {
  leaf zero, first_extended;
  __cpuid(0, zero.a, zero.b, zero.c, zero.d);
  __cpuid(0x80000000u, first_extended.a, first_extended.b, first_extended.c, first_extended.d);
  const limits most = {zero.a, first_extended.a};
  out->mask = detect_mask(&most);
  detect_names(&most, &zero, out);
  detect_caches(&most, out, strcmp(out->vendor, "AuthenticAMD") == 0 ? 0x8000001Du : 4u);
}
