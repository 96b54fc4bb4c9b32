/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as protobuf fields: the first byte chooses how repeated fields are taken. */
#include <stddef.h>
#include <stdint.h>

#include "codec/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static hy_status take(hy__span *s, const hy__pb_field *f, uint8_t how, hy__pb_list lists[4]) {
  const hy_allocator *a = &hy__allocator_libc;
  switch (how & 3) {
  case 0: return hy__pb_varints(s, f, a, &lists[0], NULL);
  case 1: return hy__pb_fixed(s, f, 4, a, &lists[1], NULL);
  case 2: return hy__pb_fixed(s, f, 8, a, &lists[2], NULL);
  default: return hy__pb_strings(s, f, a, &lists[3], NULL);
  }
}

static void walk(hy__span s, uint8_t how, hy__pb_list lists[4], int depth) {
  hy__pb_field f;
  while (hy__pb_next(&s, &f)) {
    if (f.wire == HY__PB_BYTES && depth < 4) walk(f.bytes, (uint8_t)(how >> 2), lists, depth + 1);
    if (take(&s, &f, how, lists) != HY_OK) return;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const size_t each[4] = {8, 4, 8, sizeof(hy_string)};
  hy__pb_list lists[4] = {{0}};
  if (!size) return 0;
  walk(hy__span_make(data + 1, size - 1), data[0], lists, 0);
  for (size_t i = 0; i < 4; i++) hy__pb_list_free(&lists[i], &hy__allocator_libc, each[i]);
  return 0;
}
