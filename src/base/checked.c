/* SPDX-License-Identifier: Apache-2.0
 * The one place where dims become a size; readers and the engine size every tensor through it. */
#include "base/checked.h"

bool hy__shape_bytes(const int64_t *dims, int32_t rank, size_t element_bytes, size_t *out) {
  size_t total = element_bytes ? element_bytes : 1;
  bool empty = false;
  if (rank < 0) return false;
  for (int32_t i = 0; i < rank; i++) {
    if (dims[i] < 0) return false;
    /* A zero elsewhere does not excuse dims that overflow: strides are made of them too. */
    if (dims[i] == 0)
      empty = true;
    else if (!hy__mul(total, (size_t)dims[i], &total) || total > PTRDIFF_MAX)
      return false;
  }
  *out = empty ? 0 : total;
  return true;
}
