/* SPDX-License-Identifier: Apache-2.0 */
/* Unique: the different elements, or slices along an axis, sorted or in order of appearance, with
 * where each is first, which of them each input is, and how many there are. Its shape depends on
 * data, so the input must be known at planning; then so is the result. NaN is equal to itself and
 * comes last. */
#include <string.h>

#include "op/element.h"
#include "op/rule.h"

/* What is sorted: n slices, each of outer * inner elements. */
typedef struct slices {
  const hy_tensor *x;
  hy__around around;
  int64_t *order, *spare; /* slices in rising order; scratch of the sort */
} slices;

static int compare_strings(const hy_string *a, const hy_string *b) {
  const size_t n = HY_MIN(a->len_bytes, b->len_bytes);
  const int c = n ? memcmp(a->data, b->data, n) : 0;
  return c ? c : (a->len_bytes > b->len_bytes) - (a->len_bytes < b->len_bytes);
}

static int compare_elements(const hy_tensor *x, size_t a, size_t b) {
  if (x->dtype == HY_STRING) {
    const hy_string *s = x->data;
    return compare_strings(&s[a], &s[b]);
  }
  if (hy__element_is_float(x->dtype)) {
    const double u = hy__element_real(x, (int64_t)a), v = hy__element_real(x, (int64_t)b);
    if (u != u || v != v) return (u != u) - (v != v);
    return (u > v) - (u < v);
  }
  const int64_t u = hy__element_whole(x, (int64_t)a), v = hy__element_whole(x, (int64_t)b);
  if (x->dtype == HY_U64) return ((uint64_t)u > (uint64_t)v) - ((uint64_t)u < (uint64_t)v);
  return (u > v) - (u < v);
}

static int compare(const slices *s, int64_t a, int64_t b) {
  const hy__around *r = &s->around;
  int c = 0;
  for (size_t o = 0; o < r->outer && !c; o++)
    for (size_t i = 0; i < r->inner && !c; i++)
      c = compare_elements(s->x, (o * r->n + (size_t)a) * r->inner + i,
                           (o * r->n + (size_t)b) * r->inner + i);
  return c;
}

/* Stable: equals keep their order, so the first of a group is its earliest. */
static void sort(slices *s) {
  const size_t n = s->around.n;
  for (size_t i = 0; i < n; i++) s->order[i] = (int64_t)i;
  for (size_t width = 1; width < n; width *= 2) {
    for (size_t low = 0; low < n; low += 2 * width) {
      const size_t mid = HY_MIN(low + width, n), high = HY_MIN(low + 2 * width, n);
      size_t a = low, b = mid;
      for (size_t to = low; to < high; to++) {
        const bool left = b >= high || (a < mid && compare(s, s->order[a], s->order[b]) <= 0);
        s->spare[to] = s->order[left ? a++ : b++];
      }
    }
    int64_t *swap = s->order;
    s->order = s->spare;
    s->spare = swap;
  }
}

/* The groups in rising order: where each begins in `order`; how many there are. */
static size_t group(const slices *s, int64_t *begins) {
  size_t n = 0;
  for (size_t i = 0; i < s->around.n; i++)
    if (i == 0 || compare(s, s->order[i - 1], s->order[i]) != 0) begins[n++] = (int64_t)i;
  begins[n] = (int64_t)s->around.n;
  return n;
}

typedef struct answer {
  size_t n;
  int64_t *first, *which, *count; /* [n], [slices], [n] */
} answer;

/* Fills the answer group by group; in order of appearance rank[slice] says which comes when. */
static void fill(const slices *s, const int64_t *begins, bool sorted, answer *out) {
  const size_t n = s->around.n;
  size_t rank = 0;
  if (sorted) {
    for (size_t g = 0; g < out->n; g++) {
      out->first[g] = s->order[begins[g]];
      out->count[g] = begins[g + 1] - begins[g];
      for (int64_t i = begins[g]; i < begins[g + 1]; i++) out->which[s->order[i]] = (int64_t)g;
    }
    return;
  }
  for (size_t i = 0; i < n; i++) s->spare[i] = -1; /* the group that begins with this slice */
  for (size_t g = 0; g < out->n; g++) s->spare[s->order[begins[g]]] = (int64_t)g;
  for (size_t i = 0; i < n; i++) {
    const int64_t g = s->spare[i];
    if (g < 0) continue;
    out->first[rank] = (int64_t)i;
    out->count[rank] = begins[g + 1] - begins[g];
    for (int64_t k = begins[g]; k < begins[g + 1]; k++) out->which[s->order[k]] = (int64_t)rank;
    rank++;
  }
}

static void copy_slices(const slices *s, const answer *from, char *to) {
  const hy__around *r = &s->around;
  const size_t bytes = r->inner * hy_dtype_bytes(s->x->dtype);
  for (size_t o = 0; o < r->outer; o++)
    for (size_t g = 0; g < from->n; g++, to += bytes)
      memcpy(to, (const char *)s->x->data + (o * r->n + (size_t)from->first[g]) * bytes, bytes);
}

static hy_status solve(hy__op_plan *p, slices *s, answer *out, hy_error *err) {
  const size_t n = s->around.n + 1;
  void *memory[6];
  for (size_t k = 0; k < HY_COUNT(memory); k++)
    HY_TRY(hy__arena_array(p->arena, n, sizeof(int64_t), &memory[k], err));
  s->order = memory[0];
  s->spare = memory[1];
  *out = (answer){.first = memory[3], .which = memory[4], .count = memory[5]};
  sort(s);
  out->n = group(s, memory[2]);
  fill(s, memory[2], hy__node_int(p->node, "sorted", 1) != 0, out);
  return HY_OK;
}

hy_status hy__op_unique_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  slices s = {.x = x, .around = {1, hy__op_count_of(x), 1}};
  int64_t dims[HY_MAX_RANK];
  int32_t axis = -1;
  answer a;
  void *data;
  HY_FAIL_IF(!x->data, HY_UNSUPPORTED, err,
             "input 0 is not known before the run, so the output's shape would depend on data");
  if (hy__node_attr(p->node, "axis")) {
    HY_TRY(hy__op_axis(hy__node_int(p->node, "axis", 0), x->rank, &axis, err));
    s.around = hy__op_around(x, axis);
  }
  HY_TRY(solve(p, &s, &a, err));
  memcpy(dims, x->dims, sizeof dims);
  dims[HY_MAX(axis, 0)] = (int64_t)a.n;
  const int64_t groups = (int64_t)a.n, all = (int64_t)s.around.n;
  HY_TRY(hy__op_out(p, 0, x->dtype, axis < 0 ? 1 : x->rank, dims, err));
  HY_TRY(hy__op_out(p, 1, HY_I64, 1, &groups, err));
  HY_TRY(hy__op_out(p, 2, HY_I64, 1, &all, err));
  HY_TRY(hy__op_out(p, 3, HY_I64, 1, &groups, err));
  HY_TRY(hy__arena_alloc(p->arena, HY_MAX(hy__op_bytes_of(&p->out[0]), (size_t)1), HY_ALIGN, &data,
                         err));
  copy_slices(&s, &a, data);
  void *const all_data[4] = {data, a.first, a.which, a.count};
  for (size_t k = 0; k < p->n_out; k++) p->out[k].data = all_data[k];
  return HY_OK;
}

hy_status hy__op_unique_lower(hy__op_plan *p, hy_error *err) {
  return hy__op_identity_lower(p, err);
}
