/* SPDX-License-Identifier: Apache-2.0
 * A .hyp container with its checksums put right, since a fuzzer cannot guess them and nothing may
 * depend on them. */
#ifndef FUZZ_CONTAINER_H
#define FUZZ_CONTAINER_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "codec/codec.h"
#include "engine/engine.h"

enum { FUZZ_HEADER = 64, FUZZ_HASHED = 48, FUZZ_ENTRY = 160 };

static inline uint64_t fuzz_number(const uint8_t *at, size_t n) {
  uint64_t v = 0;
  for (size_t i = 0; i < n; i++) v |= (uint64_t)at[i] << (8 * i);
  return v;
}

/* The checksums of the sections that lie inside, then those of the table; the size too. */
static inline void fuzz_mend(uint8_t *file, size_t size) {
  if (size < FUZZ_HEADER) return;
  uint64_t n = fuzz_number(file + 12, 4), whole = size;
  if (n > (size - FUZZ_HEADER) / FUZZ_ENTRY) return;
  memcpy(file + 16, &whole, 8);
  for (uint64_t i = 0; i < n; i++) {
    uint8_t *entry = file + FUZZ_HEADER + i * FUZZ_ENTRY;
    uint64_t offset = fuzz_number(entry + 8, 8), bytes = fuzz_number(entry + 16, 8);
    if (offset > size || bytes > size - offset) continue;
    hy__hash128 hash = hy__hash(file + offset, (size_t)bytes);
    memcpy(entry + 24, &hash, sizeof hash);
  }
  hy__hash128 parts[2] = {hy__hash(file, FUZZ_HASHED),
                          hy__hash(file + FUZZ_HEADER, (size_t)n * FUZZ_ENTRY)};
  hy__hash128 hash = hy__hash(parts, sizeof parts);
  memcpy(file + FUZZ_HASHED, &hash, sizeof hash);
}

/* The packed weights are used only where the build is the same. */
static inline void fuzz_revise(uint8_t *file, size_t size) {
  uint64_t revision = hy__part_revision();
  if (size >= FUZZ_HEADER && (file[24] & 1)) memcpy(file + 24, &revision, sizeof revision);
}

#endif
