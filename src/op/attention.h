/* SPDX-License-Identifier: Apache-2.0
 * Attention as it is planned: sizes, options and the two products, between the rules in attention.c
 * and the run in attention_run.c. */
#ifndef HY_OP_ATTENTION_H
#define HY_OP_ATTENTION_H

#include "op/product.h"

/* Inputs and outputs by their places. */
enum {
  HY__ATTENTION_Q,
  HY__ATTENTION_K,
  HY__ATTENTION_V,
  HY__ATTENTION_MASK,
  HY__ATTENTION_PAST_K,
  HY__ATTENTION_PAST_V,
  HY__ATTENTION_LENGTHS
};
enum { HY__ATTENTION_Y, HY__ATTENTION_PRESENT_K, HY__ATTENTION_PRESENT_V, HY__ATTENTION_SCORES };
/* What output 3 shows of the scores. */
typedef enum hy__attention_show {
  HY__ATTENTION_RAW,
  HY__ATTENTION_CAPPED,
  HY__ATTENTION_BIASED,
  HY__ATTENTION_SOFT
} hy__attention_show;

enum { HY__ATTENTION_BLOCK = 64 }; /* query rows that go together */

typedef struct hy__attention {
  size_t batch, q_heads, kv_heads, q_len, kv_len, past_len, total; /* total: past_len + kv_len */
  size_t head, v_head;                                             /* elements of a row */
  bool rank_3; /* [batch, length, heads * head] in place of [batch, heads, length, head] */
  bool causal;
  int64_t left, right; /* window, -1: open */
  double scale, softcap;
  hy__attention_show show;
  int64_t mask_strides[4]; /* along [batch, head, query, key], in elements; 0 where it repeats */
  size_t mask_keys;        /* keys from here on are masked */
  hy__product scores, mix; /* rows x head x total, rows x total x v_head */
  /* scratch, in bytes from its start: K and V of a head, both packed, a block of queries, scores
   * and results, a row of bias */
  size_t at_k, at_v, at_packed_k, at_packed_v, at_q, at_scores, at_y, at_bias;
} hy__attention;

hy_status hy__attention_run(const hy__step *step, hy_error *err);

#endif
