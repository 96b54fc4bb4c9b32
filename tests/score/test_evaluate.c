/* SPDX-License-Identifier: Apache-2.0
 * Evaluation and portfolio on numbers small enough to be worked out by hand; whole runs are checked
 * against numpy in tests/cli/test_score.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "score/evaluate.h"

static void close_to(double a, double b) { assert_true(fabs(a - b) <= 1e-12 * fmax(1, fabs(b))); }

static void ranks_share_ties(void **state) {
  (void)state;
  const double x[] = {3, 1, 3, 2, 3};
  uint32_t order[5];
  double rank[5];
  hy__average_ranks(x, 5, order, rank);
  const double want[] = {4, 1, 4, 2, 4};
  for (int k = 0; k < 5; k++) close_to(rank[k], want[k]);
}

static void correlation_of_a_line_and_of_nothing(void **state) {
  (void)state;
  const double x[] = {1, 2, 3, 4}, up[] = {3, 5, 7, 9}, flat[] = {2, 2, 2, 2};
  close_to(hy__pearson(x, up, 4), 1);
  assert_true(isnan(hy__pearson(x, flat, 4)));
  assert_true(isnan(hy__pearson(x, up, 2)));
}

enum { ROWS = 4, NAMES = 3 };
/* Closes of three names over six bars; the scores of the first four are judged. */
static const double closes[6 * NAMES] = {
    10, 20, 40, 11, 20, 40, 12.1, 19, 40, 12.1, 19, 44, 13.31, 19, 44, 13.31, 20.9, 44,
};

typedef struct judged {
  hy__evaluation e;
  double ic[ROWS], rank_ic[ROWS], returns[ROWS], turnover[ROWS];
} judged;

static void judge(const double *score, size_t horizon, hy__decision decision, judged *out) {
  *out = (judged){0};
  out->e.row_ic = out->ic;
  out->e.row_rank_ic = out->rank_ic;
  out->e.row_return = out->returns;
  out->e.row_turnover = out->turnover;
  hy__evaluate_in in = {.score = score,
                        .close = closes,
                        .n_rows = ROWS,
                        .n_close = 6,
                        .n_symbols = NAMES,
                        .horizon = horizon,
                        .decision = &decision,
                        .periods_per_year = 4,
                        .allocator = &hy__allocator_libc};
  assert_int_equal(hy__evaluate(&in, &out->e, NULL), HY_OK);
}

static void labels_begin_at_the_next_close(void **state) {
  (void)state;
  hy__evaluate_in in = {.close = closes, .n_rows = ROWS, .n_close = 6, .n_symbols = NAMES};
  close_to(hy__label_fwd(&in, 0, 0, 1), 12.1 / 11 - 1);
  close_to(hy__label_fwd(&in, 1, 2, 2), 44.0 / 40 - 1);
  assert_true(isnan(hy__label_fwd(&in, 4, 0, 1)));
  assert_true(isnan(hy__label_fwd(&in, 0, 0, SIZE_MAX)));
}

static void a_rank_portfolio_earns_drifts_and_pays(void **state) {
  (void)state;
  /* The first name is the best and the second the worst, whatever comes. */
  const double score[ROWS * NAMES] = {3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2};
  judged j;
  judge(score, 1, (hy__decision){.n_long = 1, .n_short = 1, .cost_bps = 100}, &j);
  /* t=0: +10 % on the long leg, -5 % on the short: gross 0.15; both legs opened: turnover 1. */
  close_to(j.turnover[0], 1);
  close_to(j.returns[0], 0.15 - 0.01 * 2 * 1);
  /* t=1: weights drifted to 1.1/1.15 and -0.95/1.15; nothing moves but the third name. */
  double change = fabs(1 - 1.1 / 1.15) + fabs(-1 + 0.95 / 1.15);
  close_to(j.turnover[1], 0.5 * change);
  close_to(j.returns[1], -0.01 * change);
  close_to(j.e.hit_rate, 4.0 / 5);
}

static void a_score_that_orders_nothing_holds_nothing(void **state) {
  (void)state;
  const double score[ROWS * NAMES] = {0};
  judged j;
  judge(score, 1, (hy__decision){.n_long = 1, .n_short = 1, .cost_bps = 100}, &j);
  close_to(j.e.turnover, 0);
  close_to(j.e.total_return, 0);
  assert_true(isnan(j.e.ic) && isnan(j.e.hit_rate) && isnan(j.e.spread) && isnan(j.e.sharpe));
}

static void missing_scores_are_no_names(void **state) {
  (void)state;
  double score[ROWS * NAMES];
  for (size_t k = 0; k < HY_COUNT(score); k++) score[k] = NAN;
  judged j;
  judge(score, 1, (hy__decision){.n_long = 1, .n_short = 1}, &j);
  assert_int_equal(j.e.n_labels, 0);
  assert_true(isnan(j.e.ic) && isnan(j.e.calibration));
}

static void the_sign_rule_is_symmetric_about_zero(void **state) {
  (void)state;
  const double score[ROWS * NAMES] = {0.2, -0.2, 0.05, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  judged j;
  judge(score, 1, (hy__decision){.by_sign = true, .threshold = 0.1}, &j);
  close_to(j.turnover[0], 0.5 * (2.0 / 3));
  close_to(j.returns[0], (0.1 + 0.05) / 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ranks_share_ties),
      cmocka_unit_test(correlation_of_a_line_and_of_nothing),
      cmocka_unit_test(labels_begin_at_the_next_close),
      cmocka_unit_test(a_rank_portfolio_earns_drifts_and_pays),
      cmocka_unit_test(a_score_that_orders_nothing_holds_nothing),
      cmocka_unit_test(missing_scores_are_no_names),
      cmocka_unit_test(the_sign_rule_is_symmetric_about_zero),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
