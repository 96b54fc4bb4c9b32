/* SPDX-License-Identifier: Apache-2.0
 * What the rules of operators share: axes, dims, broadcasting, integer inputs, and the strided walk
 * of broadcast or permuted operands that their plain loops run over. */
#ifndef HY_OP_RULE_H
#define HY_OP_RULE_H

#include "op/op.h"

/* Every operator's pair of functions. */
#define HY_OP(domain, name, since, until, in_min, in_max, out_min, out_max, types, file, pure)     \
  hy_status hy__op_##file##_infer(hy__op_plan *p, hy_error *err);                                  \
  hy_status hy__op_##file##_lower(hy__op_plan *p, hy_error *err);
#include "op/op.inc"
#undef HY_OP

/* Number of elements; dims were checked when the tensor was made. */
size_t hy__op_count_of(const hy_tensor *t);
size_t hy__op_bytes_of(const hy_tensor *t);
bool hy__op_same_dims(const hy_tensor *a, const hy_tensor *b);

/* Output k gets this type and these dims (at most HY_MAX_RANK of them, product checked: LIMIT). */
HY_CHECKED hy_status hy__op_out(hy__op_plan *p, size_t k, hy_dtype dtype, int32_t rank,
                                const int64_t *dims, hy_error *err);
/* Output k is like `t`. */
HY_CHECKED hy_status hy__op_out_like(hy__op_plan *p, size_t k, const hy_tensor *t, hy_error *err);
/* An axis in [-rank, rank) to [0, rank). */
HY_CHECKED hy_status hy__op_axis(int64_t axis, int32_t rank, int32_t *out, hy_error *err);
/* NumPy's rule over n tensors' dims. */
HY_CHECKED hy_status hy__op_broadcast(const hy_tensor *const *t, size_t n, int32_t *rank,
                                      int64_t *dims, hy_error *err);
/* Element-wise over inputs of one type: broadcast, output like the inputs, may share their memory.
 */
HY_CHECKED hy_status hy__op_elementwise(hy__op_plan *p, hy_dtype out_dtype, hy_error *err);
/* Refuses unless inputs a and b have one type. */
HY_CHECKED hy_status hy__op_same_type(const hy__op_plan *p, size_t a, size_t b, hy_error *err);

static inline bool hy__op_has(const hy__op_plan *p, size_t k) {
  return k < p->n_in && p->in_present[k];
}

/* An integer list that is an attribute in old opsets and an input in new ones: the input `k` if
 * present, else the attribute `name`; *n = -1 if neither. An input must be known at planning
 * (UNSUPPORTED: its shape would depend on data) and of type i32 or i64. values: HY__OP_LIST. */
enum { HY__OP_LIST = 32 };
HY_CHECKED hy_status hy__op_ints(const hy__op_plan *p, size_t k, const char *name, int64_t *values,
                                 int32_t *n, hy_error *err);
/* One integer in the same way. */
HY_CHECKED hy_status hy__op_int(const hy__op_plan *p, size_t k, const char *name, int64_t otherwise,
                                int64_t *out, hy_error *err);

/* Which of the names (NULL behind the last; the first is the default) a text attribute has;
 * UNSUPPORTED for any other. */
HY_CHECKED hy_status hy__op_choice(const hy__op_plan *p, const char *name,
                                   const char *const *choices, int32_t *out, hy_error *err);

/* A shape as MatMul sees it, [leading.., rows, columns]: vectors get the missing dim. And the
 * leading dims alone. */
hy_tensor hy__op_as_matrix(const hy_tensor *t, bool left);
hy_tensor hy__op_leading(const hy_tensor *matrix);

/* A tensor around an axis: `outer` blocks of n slices of `inner` elements. */
typedef struct hy__around {
  size_t outer, n, inner;
} hy__around;
hy__around hy__op_around(const hy_tensor *t, int32_t axis);

/* A walk over dense output elements in order with up to four strided operands: dims collapsed where
 * all operands allow it, innermost last. Strides in elements. For each row call the leaf with
 * (offsets of the operands, n = innermost length, strides of the innermost dim). */
enum { HY__WALK_OPERANDS = 4 };
typedef struct hy__walk {
  int32_t rank; /* outer dims, without the innermost */
  int32_t n_operands;
  size_t n_rows, row; /* rows in all; elements in a row */
  int64_t dims[HY_MAX_RANK];
  int64_t strides[HY__WALK_OPERANDS][HY_MAX_RANK]; /* of the outer dims */
  int64_t inner[HY__WALK_OPERANDS];                /* of the innermost */
} hy__walk;

/* Operands broadcast against the output's dims; dense each. n <= HY__WALK_OPERANDS. */
void hy__walk_broadcast(hy__walk *w, const hy_tensor *out, const hy_tensor *const *operands,
                        size_t n);
/* One operand with its own strides in elements along each output dim. */
void hy__walk_strided(hy__walk *w, const hy_tensor *out, const int64_t *strides);
/* The one operand's elements of `each` bytes to dense memory. */
void hy__walk_copy(const hy__walk *w, const void *from, size_t each, void *to);
/* Lowers to a copy of input 0 with these strides (in elements) along the output's dims. */
HY_CHECKED hy_status hy__op_lower_strided(hy__op_plan *p, const int64_t *strides, int64_t offset,
                                          hy_error *err);
/* The same, the output seen in the dims of `shape` (rank and dims alone), which has as many
 * elements.
 */
HY_CHECKED hy_status hy__op_lower_view(hy__op_plan *p, const hy_tensor *shape,
                                       const int64_t *strides, int64_t offset, hy_error *err);
/* Dense strides of t, in elements. */
void hy__op_strides(const hy_tensor *t, int64_t *strides);
/* The elements of a tensor as lines over some of its axes: operand 0 of `kept` steps from one
 * line's first element to the next, that of `inner` over a line. */
typedef struct hy__lines {
  hy__walk kept, inner;
  size_t n; /* elements of a line */
} hy__lines;
void hy__lines_make(hy__lines *lines, const hy_tensor *t, const bool *over);
/* Moves to the next row; offsets and index start at zero. */
static inline void hy__walk_next(const hy__walk *w, int64_t *index, int64_t *offsets) {
  for (int32_t d = w->rank - 1; d >= 0; d--) {
    for (int32_t k = 0; k < w->n_operands; k++) offsets[k] += w->strides[k][d];
    if (++index[d] < w->dims[d]) return;
    for (int32_t k = 0; k < w->n_operands; k++) offsets[k] -= w->strides[k][d] * w->dims[d];
    index[d] = 0;
  }
}

#endif
