/* SPDX-License-Identifier: Apache-2.0
 * Following what a recurrent layer makes: what the axes of a value that comes from Y stand for, and
 * which layers are plain. */
#ifndef HY_PASS_RECURRENT_TRACK_H
#define HY_PASS_RECURRENT_TRACK_H

#include "pass/rewrite.h"

/* In the order in which they must stand. HY__AXIS_BOTH is directions and units in one. */
typedef enum hy__axis_role {
  HY__AXIS_ONE,
  HY__AXIS_TIME,
  HY__AXIS_BATCH,
  HY__AXIS_DIRECTION,
  HY__AXIS_HIDDEN,
  HY__AXIS_BOTH
} hy__axis_role;

typedef struct hy__track {
  int32_t value;
  hy__axis_role roles[HY_MAX_RANK];
} hy__track;

bool hy__text_is(hy_string s, const char *text);
/* LSTM, GRU or RNN. */
bool hy__recurrent_is(const hy__work *w, int32_t n);
/* The default functions, no clip, peepholes or input_forget; no lengths and no states put in; and
 * weights that are known. */
bool hy__recurrent_plain(const hy__work *w, int32_t n);
/* Y of node n. */
hy__track hy__track_of(const hy__work *w, int32_t n);
/* From a value to what its sole user `n` makes of it, where that moves axes alone. */
bool hy__track_through(const hy__work *w, int32_t n, hy__track *t);
/* Follows Y through its only users to the node that takes that step and nothing else away, batch
 * before units; -1 if it is used otherwise. */
int32_t hy__track_step(const hy__work *w, hy__track t, int64_t step);

#endif
