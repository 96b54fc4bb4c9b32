/* SPDX-License-Identifier: Apache-2.0
 * What an attention kernel needs of scratch, at the widest level. */
#include "kernel/attention/attention.h"

enum { ROWS_MAX = 8, PANEL_MAX = 32 };

bool hy__attention_scratch_n(size_t keys, size_t depth, size_t *out) {
  size_t padded, rows;
  return hy__round_up(keys, PANEL_MAX, &padded) && hy__add(depth, ROWS_MAX, &rows) &&
         hy__mul(padded, rows, out);
}
