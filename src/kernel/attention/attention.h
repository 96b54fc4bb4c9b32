/* SPDX-License-Identifier: Apache-2.0
 * One head of attention in one pass over blocks of queries: scores, softmax and their sum over the
 * values, with what a block needs in the first-level cache. */
#ifndef HY_KERNEL_ATTENTION_ATTENTION_H
#define HY_KERNEL_ATTENTION_ATTENTION_H

#include "base/base.h"

/* out[i, :] = sum over j of p[i, j] v[j, :], p[i, :] = softmax(scale * q[i, :] . k[j, :] +
 * mask[i, j]). Elements of a row of q, v and out lie side by side; those of a key k_step apart. A
 * row sees the keys below min(keys, seen + i * seen_step): all of them with seen = keys. Every
 * element is one chain of operations whatever the number of rows. */
typedef struct hy__attention_call {
  const float *q, *k, *v;
  float *out;
  size_t q_ld, k_ld, k_step, v_ld, out_ld; /* elements between rows; k_step between a key's own */
  const float *mask;                       /* NULL: none */
  size_t mask_ld;
  size_t rows, keys, depth, v_depth;
  size_t seen, seen_step;
  float scale;
  float *scratch; /* hy__attention_scratch_n floats */
} hy__attention_call;

typedef struct hy__attention_f32 {
  const char *tile; /* queries at a time x keys of a panel */
  void (*run)(const hy__attention_call *call);
} hy__attention_f32;

/* Floats of scratch; false on overflow. Enough for every level. */
bool hy__attention_scratch_n(size_t keys, size_t depth, size_t *out);

#endif
