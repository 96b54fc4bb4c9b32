/* SPDX-License-Identifier: Apache-2.0
 * .npy and .npz over any bytes: every byte of every array that is accepted is touched. Check sums
 * stand in the way of mutated members, so the header reader is also fed directly. */
#include "codec/npy.h"
#include "codec/npz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t touch(const hy_tensor *t) {
  size_t n = 0, sum = 0;
  if (!hy__shape_bytes(t->dims, t->rank, 0, &n)) __builtin_trap();
  if (t->dtype == HY_STRING) {
    const hy_string *texts = t->data;
    for (size_t i = 0; i < n; i++)
      for (size_t k = 0; k < texts[i].len_bytes; k++) sum += (unsigned char)texts[i].data[k];
    return sum;
  }
  const uint8_t *bytes = t->data;
  for (size_t i = 0; i < n * hy_dtype_bytes(t->dtype); i++) sum += bytes[i];
  return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  hy_arrays *arrays;
  hy_error err;
  volatile uint64_t sum = 0;
  if (hy__arrays_parse(&hy__allocator_libc, data, size, &arrays, &err) == HY_OK) {
    for (size_t i = 0; i < hy_arrays_n(arrays); i++) {
      sum += touch(hy_arrays_at(arrays, i));
      if (!hy_arrays_find(arrays, hy_arrays_name(arrays, i))) __builtin_trap();
    }
    hy_arrays_destroy(arrays);
  }
  hy__arena *arena;
  hy_tensor t;
  if (hy__arena_create(&hy__allocator_libc, 256, 1 << 26, &arena, &err) != HY_OK) return 0;
  if (hy__npy_read(data, size, arena, &t, &err) == HY_OK) sum += touch(&t);
  hy__arena_destroy(arena);
  (void)sum;
  return 0;
}
