/* SPDX-License-Identifier: Apache-2.0 */
/* Walks over dense output with strided operands: see rule.h. */
#include "op/rule.h"

/* Drops dims of 1 and joins neighbours that every operand walks as one; then splits off the
 * innermost. */
static void walk_collapse(hy__walk *w, int32_t rank, int64_t *dims,
                          int64_t strides[HY__WALK_OPERANDS][HY_MAX_RANK]) {
  int32_t n = 0;
  for (int32_t d = 0; d < rank; d++) {
    if (dims[d] == 1) continue;
    bool joins = n > 0;
    for (int32_t k = 0; joins && k < w->n_operands; k++)
      joins = strides[k][n - 1] == strides[k][d] * dims[d];
    if (!joins) n++;
    dims[n - 1] = joins ? dims[n - 1] * dims[d] : dims[d];
    for (int32_t k = 0; k < w->n_operands; k++) strides[k][n - 1] = strides[k][d];
  }
  w->rank = n > 0 ? n - 1 : 0;
  w->row = n > 0 ? (size_t)dims[n - 1] : 1;
  w->n_rows = 1;
  for (int32_t d = 0; d < w->rank; d++) {
    w->dims[d] = dims[d];
    w->n_rows *= (size_t)dims[d];
    for (int32_t k = 0; k < w->n_operands; k++) w->strides[k][d] = strides[k][d];
  }
  for (int32_t k = 0; k < w->n_operands; k++) w->inner[k] = n > 0 ? strides[k][n - 1] : 0;
  if (w->row == 0) w->n_rows = 0;
}

void hy__walk_broadcast(hy__walk *w, const hy_tensor *out, const hy_tensor *const *operands,
                        size_t n) {
  int64_t dims[HY_MAX_RANK], strides[HY__WALK_OPERANDS][HY_MAX_RANK];
  HY_ASSERT(n <= HY__WALK_OPERANDS);
  w->n_operands = (int32_t)n;
  for (size_t k = 0; k < n; k++) {
    int64_t stride = 1;
    for (int32_t d = out->rank - 1; d >= 0; d--) {
      int32_t own = d - (out->rank - operands[k]->rank);
      int64_t dim = own < 0 ? 1 : operands[k]->dims[own];
      strides[k][d] = dim == 1 ? 0 : stride;
      stride *= dim;
    }
  }
  for (int32_t d = 0; d < out->rank; d++) dims[d] = out->dims[d];
  walk_collapse(w, out->rank, dims, strides);
}

void hy__walk_strided(hy__walk *w, const hy_tensor *out, const int64_t *strides_elems) {
  int64_t dims[HY_MAX_RANK], strides[HY__WALK_OPERANDS][HY_MAX_RANK];
  w->n_operands = 1;
  for (int32_t d = 0; d < out->rank; d++) {
    dims[d] = out->dims[d];
    strides[0][d] = strides_elems[d];
  }
  walk_collapse(w, out->rank, dims, strides);
}

/* n elements `stride` apart to n dense ones. */
static void copy_row(const uint8_t *from, int64_t stride, size_t n, size_t each, uint8_t *to) {
  if (stride == 1) {
    memcpy(to, from, n * each);
    return;
  }
#define COPY_AS(type)                                                                              \
  for (size_t i = 0; i < n; i++)                                                                   \
  ((type *)(void *)to)[i] = ((const type *)(const void *)from)[(int64_t)i * stride]
  switch (each) {
  case 1: COPY_AS(uint8_t); break;
  case 2: COPY_AS(uint16_t); break;
  case 4: COPY_AS(uint32_t); break;
  case 8: COPY_AS(uint64_t); break;
  default: COPY_AS(hy_string); break;
  }
#undef COPY_AS
}

void hy__walk_copy(const hy__walk *w, const void *from, size_t each, void *to) {
  int64_t index[HY_MAX_RANK] = {0}, offset[HY__WALK_OPERANDS] = {0};
  uint8_t *out = to;
  for (size_t r = 0; r < w->n_rows; r++) {
    copy_row((const uint8_t *)from + offset[0] * (int64_t)each, w->inner[0], w->row, each, out);
    out += w->row * each;
    hy__walk_next(w, index, offset);
  }
}

typedef struct strided {
  hy__walk walk;
  int64_t offset; /* of the first element, in elements */
} strided;

static hy_status run_strided(const hy__step *s, hy_error *err) {
  (void)err;
  const strided *q = s->params;
  size_t each = hy_dtype_bytes(s->in[0].dtype);
  if (s->out[0].data)
    hy__walk_copy(&q->walk, (const uint8_t *)s->in[0].data + q->offset * (int64_t)each, each,
                  s->out[0].data);
  return HY_OK;
}

hy_status hy__op_lower_view(hy__op_plan *p, const hy_tensor *shape, const int64_t *strides,
                            int64_t offset, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(strided), _Alignof(strided), &memory, err));
  strided *q = memory;
  q->offset = offset;
  hy__walk_strided(&q->walk, shape, strides);
  p->params = q;
  p->run = run_strided;
  return HY_OK;
}

hy_status hy__op_lower_strided(hy__op_plan *p, const int64_t *strides, int64_t offset,
                               hy_error *err) {
  return hy__op_lower_view(p, &p->out[0], strides, offset, err);
}

void hy__op_strides(const hy_tensor *t, int64_t *strides) {
  int64_t stride = 1;
  for (int32_t d = t->rank - 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= t->dims[d];
  }
}

void hy__lines_make(hy__lines *lines, const hy_tensor *t, const bool *over) {
  int64_t strides[HY_MAX_RANK], kept_strides[HY_MAX_RANK], inner_strides[HY_MAX_RANK];
  hy_tensor kept = {.rank = 0}, inner = {.rank = 0};
  hy__op_strides(t, strides);
  for (int32_t d = 0; d < t->rank; d++) {
    hy_tensor *to = over[d] ? &inner : &kept;
    (over[d] ? inner_strides : kept_strides)[to->rank] = strides[d];
    to->dims[to->rank++] = t->dims[d];
  }
  hy__walk_strided(&lines->kept, &kept, kept_strides);
  hy__walk_strided(&lines->inner, &inner, inner_strides);
  lines->n = hy__op_count_of(&inner);
}
