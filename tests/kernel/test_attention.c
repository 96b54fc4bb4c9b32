/* SPDX-License-Identifier: Apache-2.0
 * Attention of one head: every row of kernel.inc that this machine can run against doubles, with
 * masks, with queries that see the first keys alone, between guard pages; and the bits of a query
 * do not depend on those beside it. */
#include "kernel/rows.h"

#include <math.h>

typedef struct shape {
  size_t rows, keys, depth, v_depth;
} shape;

static const shape shapes[] = {{1, 1, 1, 1},     {1, 64, 16, 16},  {3, 7, 5, 4},
                               {8, 32, 16, 20},  {9, 33, 17, 31},  {4, 16, 8, 32},
                               {13, 31, 3, 65},  {64, 64, 16, 16}, {17, 130, 64, 64},
                               {5, 250, 128, 7}, {2, 9, 40, 33},   {11, 48, 33, 48}};

/* The exact result of row i, and the size that its error is measured by. */
static void exact(const hy__attention_call *c, size_t i, double *y, double *size) {
  static double p[512];
  double sum = 0, most = -INFINITY, scores = 0;
  const size_t seen = HY_MIN(c->keys, c->seen + i * c->seen_step);
  for (size_t j = 0; j < seen; ++j) {
    double s = 0, magnitude = 0;
    for (size_t d = 0; d < c->depth; ++d) {
      const double x = (double)c->q[i * c->q_ld + d] * (double)c->k[j * c->k_ld + d * c->k_step];
      s += x;
      magnitude += fabs(x);
    }
    p[j] = s * (double)c->scale + (c->mask ? (double)c->mask[i * c->mask_ld + j] : 0);
    most = fmax(most, p[j]);
    scores = fmax(scores, magnitude * (double)c->scale);
  }
  for (size_t j = 0; j < seen; ++j) sum += p[j] = exp(p[j] - most);
  for (size_t d = 0; d < c->v_depth; ++d) {
    y[d] = size[d] = 0;
    for (size_t j = 0; j < seen; ++j) {
      const double x = p[j] / sum * (double)c->v[j * c->v_ld + d];
      y[d] += x;
      size[d] += fabs(x);
    }
    size[d] *= 1 + scores;
  }
}

static void check(const hy__kernel_row *row, const shape *s, int variant) {
  const hy__attention_f32 *kernel = row->ops;
  const bool at_end = variant & 1, turned = variant & 4;
  const size_t pad = (size_t)variant;
  hy__random r;
  size_t scratch_n;
  hy__random_init(&r, 11, (uint64_t)variant);
  assert_true(hy__attention_scratch_n(s->keys, s->depth, &scratch_n));
  hy__attention_call call = {.q_ld = s->depth + pad,
                             .k_ld = turned ? 1 : s->depth + pad,
                             .k_step = turned ? s->keys : 1,
                             .v_ld = s->v_depth + pad,
                             .out_ld = s->v_depth,
                             .mask_ld = variant & 8 ? 0 : s->keys,
                             .rows = s->rows,
                             .keys = s->keys,
                             .depth = s->depth,
                             .v_depth = s->v_depth,
                             .seen = variant & 16 ? 1 : s->keys,
                             .seen_step = variant & 16 ? 2 : 0,
                             .scale = 0.5f};
  const size_t q_n = (s->rows - 1) * call.q_ld + s->depth;
  const size_t k_n = (s->keys - 1) * call.k_ld + (s->depth - 1) * call.k_step + 1;
  const size_t v_n = (s->keys - 1) * call.v_ld + s->v_depth, out_n = s->rows * s->v_depth;
  const size_t mask_n = (s->rows - 1) * call.mask_ld + s->keys;
  guard q = guard_make(q_n * 4, at_end), k = guard_make(k_n * 4, at_end),
        v = guard_make(v_n * 4, at_end), out = guard_make(out_n * 4, at_end),
        mask = guard_make(mask_n * 4, at_end), scratch = guard_make(scratch_n * 4, at_end);
  fill_uniform(&r, (float *)q.data, q_n, -1, 1);
  fill_uniform(&r, (float *)k.data, k_n, -1, 1);
  fill_uniform(&r, (float *)v.data, v_n, -1, 1);
  fill_uniform(&r, (float *)mask.data, mask_n, -3, 3);
  fill_uniform(&r, (float *)scratch.data, scratch_n, -1, 1);
  ((float *)mask.data)[mask_n / 2] = s->keys > 1 ? -INFINITY : 0.0f;
  call.q = (float *)q.data;
  call.k = (float *)k.data;
  call.v = (float *)v.data;
  call.out = (float *)out.data;
  call.mask = variant & 2 && !(variant & 16) ? (float *)mask.data : NULL;
  call.scratch = (float *)scratch.data;
  kernel->run(&call);
  for (size_t i = 0; i < s->rows; ++i) {
    double y[256], size[256];
    float alone[256];
    exact(&call, i, y, size);
    for (size_t d = 0; d < s->v_depth; ++d) {
      const double off = fabs((double)call.out[i * s->v_depth + d] - y[d]) / (0x1p-24 * size[d]);
      if (!(off <= row->tolerance))
        fail_msg("%s %zu x %zu: row %zu is off by %g", row->isa, s->rows, s->keys, i, off);
    }
    hy__attention_call one = call;
    one.rows = 1;
    one.q += i * call.q_ld;
    if (one.mask) one.mask += i * call.mask_ld;
    one.seen += i * call.seen_step;
    one.out = alone;
    kernel->run(&one);
    assert_memory_equal(alone, call.out + i * s->v_depth, s->v_depth * 4);
  }
  guard_free(&q), guard_free(&k), guard_free(&v), guard_free(&out), guard_free(&mask);
  guard_free(&scratch);
}

static void test_all(void **state) {
  (void)state;
  const rows here = rows_here("attention_f32");
  for (size_t i = 0; i < here.n; ++i)
    for (size_t s = 0; s < HY_COUNT(shapes); ++s)
      for (int variant = 0; variant < 32; ++variant) check(here.row[i], &shapes[s], variant);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
