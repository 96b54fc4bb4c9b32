/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as protobuf fields: the first byte chooses how repeated fields are taken. */
#include <stddef.h>
#include <stdint.h>

#include "codec/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Into memory of known size. */
static hy_status take_short(hy__span *s, const hy__pb_field *f, uint8_t how) {
  static const char *const texts[] = {"LEAF", "BRANCH_LEQ", "BRANCH_LT", "abcdefghijklmnop"};
  static const uint8_t values[] = {1, 2, 3, 4};
  int32_t ints[8];
  float floats[8];
  uint8_t chosen[8];
  hy__pb_choices choices;
  hy__pb_ints32 narrow = {ints, 0, how & 8};
  hy__pb_floats list = {floats, 0, how & 8};
  if ((how & 3) == 0) return hy__pb_narrow(s, f, &narrow, NULL);
  if ((how & 3) == 1) return hy__pb_float_run(s, f, &list, NULL);
  if (!hy__pb_choices_make(texts, values, 4, &choices)) return HY_INTERNAL;
  choices.items = chosen;
  choices.capacity = how & 8;
  return hy__pb_choice_run(s, f, &choices, NULL);
}

static hy_status take(hy__span *s, const hy__pb_field *f, uint8_t how, hy__pb_list lists[4]) {
  const hy_allocator *a = &hy__allocator_libc;
  if (how & 4) return take_short(s, f, how);
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
