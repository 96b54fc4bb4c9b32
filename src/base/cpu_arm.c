/* SPDX-License-Identifier: Apache-2.0 */
/* What an AArch64 processor can do: NEON is part of the architecture. The cache sizes are what the
 * C library knows of them; names are not to be had without the operating system's files. */
#include <string.h>
#include <unistd.h>

#include "base/cpu_family.h"

static size_t size_of(int name) {
  long bytes = sysconf(name);
  return bytes > 0 ? (size_t)bytes : 0;
}

void hy__cpu_family_detect(hy__cpu *out) {
  out->mask = HY_CPU_NEON;
  memcpy(out->vendor, "AArch64", sizeof "AArch64");
  memcpy(out->model, "AArch64", sizeof "AArch64");
  out->l1d_bytes = size_of(_SC_LEVEL1_DCACHE_SIZE);
  out->l2_bytes = size_of(_SC_LEVEL2_CACHE_SIZE);
  out->l3_bytes = size_of(_SC_LEVEL3_CACHE_SIZE);
}
