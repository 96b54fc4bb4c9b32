/* SPDX-License-Identifier: Apache-2.0 */
/* What this process may use of the processor, and the levels over it. The runtime limits the mask
 * by the wanted ISA; kernels are chosen by what is left. */
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu_family.h"

void hy__cpu_detect(hy__cpu *out) {
  memset(out, 0, sizeof *out);
  hy__cpu_family_detect(out);
  cpu_set_t set;
  CPU_ZERO(&set);
  bool known = sched_getaffinity(0, sizeof set, &set) == 0;
  long online = known ? CPU_COUNT(&set) : sysconf(_SC_NPROCESSORS_ONLN);
  out->n_usable = online > 0 ? (uint32_t)online : 1;
}

uint32_t hy__cpu_limit(uint32_t mask, hy_isa isa) {
  switch (isa) {
  case HY_ISA_SCALAR: return 0;
  case HY_ISA_AVX2: return mask & (HY_CPU_AVX2 | HY_CPU_AVX_VNNI);
  case HY_ISA_AVX512: return mask & ~(uint32_t)HY_CPU_AMX;
  case HY_ISA_DEFAULT:
  case HY_ISA_AMX:
  case HY_ISA_NEON: break;
  }
  return mask;
}

hy_isa hy__cpu_best(uint32_t mask) {
  if (mask & HY_CPU_NEON) return HY_ISA_NEON;
  if (mask & HY_CPU_AMX) return HY_ISA_AMX;
  if (mask & HY_CPU_AVX512) return HY_ISA_AVX512;
  if (mask & HY_CPU_AVX2) return HY_ISA_AVX2;
  return HY_ISA_SCALAR;
}

bool hy__cpu_has(uint32_t mask, hy_isa isa) {
  switch (isa) {
  case HY_ISA_AVX2: return (mask & HY_CPU_AVX2) != 0;
  case HY_ISA_AVX512: return (mask & HY_CPU_AVX512) != 0;
  case HY_ISA_AMX: return (mask & HY_CPU_AMX) != 0;
  case HY_ISA_NEON: return (mask & HY_CPU_NEON) != 0;
  case HY_ISA_DEFAULT:
  case HY_ISA_SCALAR: break;
  }
  return true;
}
