/* SPDX-License-Identifier: Apache-2.0
 * What every row of the indicator table promises (feature/indicator.h), row by row with the
 * parameters of its golden file, on the synthetic series, the lanes a few bars apart: the cut into
 * chunks, the blocks of a step and the future change nothing, a window starts anywhere, missing
 * bars are passed over or make the window missing, a recurrence forgets its start as fast as it
 * says, and nothing is ever infinite. */
#include "feature/rows.h"

#include "base/base.h"

enum { DELAY = 3, MAX_CASES = 8 };

typedef struct law_case {
  const row *r;
  double p[HY__IND_PARAMS];
  const double *series; /* N_SERIES_FIELDS rows of n */
  size_t n;
} law_case;

typedef bool (*law_fn)(const law_case *c);

static trial fresh(const law_case *c) { return trial_make(c->r, c->p, c->series, c->n, DELAY); }

static trial whole(const law_case *c) {
  trial t = fresh(c);
  trial_run(&t, c->r->code[0], c->p);
  return t;
}

/* Rows [begin, end) of all outputs, by bits. */
static bool same(const trial *a, const trial *b, size_t begin, size_t end) {
  for (int i = 0; i < a->n_out; i++)
    if (memcmp(a->out[i] + begin * HY_LANES, b->out[i] + begin * HY_LANES,
               (end - begin) * HY_LANES * sizeof(double)) != 0)
      return false;
  return true;
}

static bool chunks_change_nothing(const law_case *c) {
  trial a = whole(c), b = fresh(c);
  hy__random random;
  hy__random_init(&random, 5, 0);
  for (size_t t = 0; t < c->n;) {
    const size_t end = HY_MIN(c->n, t + 1 + hy__random_below(&random, 40));
    trial_step(&b, c->r->code[isas_here() - 1], c->p, t, end);
    t = end;
  }
  const bool good = same(&a, &b, 0, c->n);
  trial_free(&a);
  trial_free(&b);
  return good;
}

/* ---- several blocks in one step ---- */

enum { BLOCKS = 3 };

/* Rows into the block at *at, the lanes moved along by one per block; *at goes past them. */
static double *laid_out(double **at, const double *from, size_t n_rows, size_t block) {
  double *const to = *at;
  for (size_t i = 0; i < n_rows * HY_LANES; i++)
    to[i - i % HY_LANES + (i + block) % HY_LANES] = from[i];
  *at += n_rows * HY_LANES;
  return to;
}

/* The step of a trial's copy at `at`, before row 0. */
static hy__ind_step lay_out(const trial *t, const law_case *c, double *at, size_t block) {
  hy__ind_step s = {.p = c->p};
  s.state = laid_out(&at, t->state, t->state_bytes / (HY_LANES * sizeof(double)), block);
  for (int i = 0; i < t->n_in; i++)
    s.in[i] = laid_out(&at, t->base[i], t->history + c->n, block) + t->history * HY_LANES;
  for (int i = 0; i < t->n_out; i++) s.out[i] = laid_out(&at, t->out[i], c->n, block);
  for (int i = 0; i < c->r->code[0]->n_mid; i++)
    s.mid[i] =
        laid_out(&at, t->mid[i], t->mid_rows - 1 + c->n, block) + (t->mid_rows - 1) * HY_LANES;
  return s;
}

static size_t trial_doubles(const trial *t, size_t n) {
  return t->state_bytes / sizeof(double) +
         HY_LANES * ((size_t)t->n_in * (t->history + n) + (size_t)t->n_out * n +
                     HY__IND_MIDS * (t->mid_rows - 1 + n));
}

static bool blocks_change_nothing(const law_case *c) {
  trial a = whole(c), b = fresh(c);
  const size_t apart = trial_doubles(&b, c->n);
  double *const room = zeroed(BLOCKS * apart * sizeof(double));
  hy__ind_step s = lay_out(&b, c, room, 0);
  bool good = true;
  for (size_t k = 1; k < BLOCKS; k++) (void)lay_out(&b, c, room + k * apart, k);
  s.more = BLOCKS - 1;
  s.apart = apart;
  for (size_t t = 0; t < c->n; t += s.n) {
    s.n = t % 3 ? 1 : HY_MIN(c->n - t, (size_t)20);
    c->r->code[isas_here() - 1]->step(&s);
    for (int i = 0; i < b.n_in; i++) s.in[i] += s.n * HY_LANES;
    for (int i = 0; i < b.n_out; i++) s.out[i] += s.n * HY_LANES;
    for (int i = 0; i < c->r->code[0]->n_mid; i++) s.mid[i] += s.n * HY_LANES;
  }
  for (int i = 0; i < a.n_out; i++)
    for (size_t at = 0; at < BLOCKS * c->n * HY_LANES; at++) {
      const size_t k = at / (c->n * HY_LANES), cell = at % (c->n * HY_LANES);
      const double *got = s.out[i] - c->n * HY_LANES + k * apart + cell - cell % HY_LANES;
      good = good && memcmp(&got[(cell + k) % HY_LANES], &a.out[i][cell], sizeof *got) == 0;
    }
  free(room);
  trial_free(&a);
  trial_free(&b);
  return good;
}

static bool the_future_changes_nothing(const law_case *c) {
  static const double junk[] = {NAN, 1e300, -7.0};
  trial a = whole(c);
  bool good = true;
  for (size_t k = 0; k < HY_COUNT(junk); k++) {
    const size_t cut = 230 + k;
    trial b = fresh(c);
    for (int i = 0; i < b.n_in; i++)
      for (size_t at = cut * HY_LANES; at < c->n * HY_LANES; at++)
        b.base[i][b.history * HY_LANES + at] = junk[k];
    trial_run(&b, c->r->code[0], c->p);
    good = good && same(&a, &b, 0, cut);
    trial_free(&b);
  }
  trial_free(&a);
  return good;
}

static bool a_window_starts_anywhere(const law_case *c) {
  static const size_t starts[] = {1, 37, 101, 333};
  if (c->r->class != HY__IND_W) return true;
  trial a = whole(c);
  bool good = true;
  for (size_t k = 0; k < HY_COUNT(starts); k++) {
    trial b = fresh(c);
    trial_step(&b, c->r->code[0], c->p, starts[k], c->n);
    good = good && same(&a, &b, starts[k], c->n);
    trial_free(&b);
  }
  trial_free(&a);
  return good;
}

/* The bars that the gap tests take out: single ones and a run. */
static bool is_gap(size_t t) { return t == 5 || t == 120 || t == 123 || (t >= 240 && t < 247); }

static trial with_gaps(const law_case *c) {
  trial b = trial_make(c->r, c->p, c->series, c->n, 0);
  for (int i = 0; i < b.n_in; i++)
    for (size_t t = 0; t < c->n; t++)
      for (size_t lane = 0; lane < HY_LANES && is_gap(t); lane++)
        b.base[i][(b.history + t) * HY_LANES + lane] = NAN;
  trial_run(&b, c->r->code[0], c->p);
  return b;
}

static bool reads_the_past_alone(const row *r) { return strcmp(r->id, "ref") == 0; }

/* Windows that hold what is there, whose values are others while a gap is in them. */
static bool passes_over_gaps(const row *r) {
  const char *variant = strrchr(r->id, '.');
  const bool counts = strstr(r->params, " min:") != NULL; /* how many values are enough */
  return counts || (variant && (strcmp(variant, ".qlib") == 0 || strcmp(variant, ".rel") == 0));
}

/* Never another value than the one without gaps, and that one again once the gap has left. */
static bool windows_with_gaps_are_missing(const law_case *c) {
  if (c->r->class != HY__IND_W) return true;
  const bool passes = passes_over_gaps(c->r);
  const size_t reach = of_params(passes ? c->r->code[0]->history : c->r->code[0]->lookback, c->p);
  trial a = trial_make(c->r, c->p, c->series, c->n, 0), b = with_gaps(c);
  trial_run(&a, c->r->code[0], c->p);
  size_t since = c->n; /* bars since the last gap */
  bool good = true;
  for (size_t t = 0; t < c->n && good; t++) {
    since = is_gap(t) ? 0 : HY_MIN(since + 1, c->n);
    for (int i = 0; i < a.n_out; i++) {
      const double full = a.out[i][t * HY_LANES], got = b.out[i][t * HY_LANES];
      const bool equal = memcmp(&full, &got, sizeof got) == 0;
      const bool missing = passes || isnan(got) || reads_the_past_alone(c->r);
      good = good && (since == 0 ? missing : since > reach ? equal : equal || missing);
    }
  }
  trial_free(&a);
  trial_free(&b);
  return good;
}

/* What reads earlier rows of its inputs or of its own values (hidden columns) reads the missing
 * ones as well, so a gap inside makes it missing, or is held for that long. */
static bool looks_back_on_rows(const row *r) {
  return r->code[0]->n_mid > 0 || r->code[0]->history != NULL;
}

static bool recurrences_pass_over_gaps(const law_case *c) {
  if (c->r->class == HY__IND_W || c->r->class == HY__IND_P || looks_back_on_rows(c->r)) return true;
  double *const kept = zeroed(N_SERIES_FIELDS * c->n * sizeof(double));
  size_t n = 0;
  for (size_t t = 0; t < c->n; t++) n += is_gap(t) ? 0 : 1;
  for (size_t field = 0, at = 0; field < N_SERIES_FIELDS; field++)
    for (size_t t = 0; t < c->n; t++)
      if (!is_gap(t)) kept[at++] = c->series[field * c->n + t];
  trial a = trial_make(c->r, c->p, kept, n, 0), b = with_gaps(c);
  trial_run(&a, c->r->code[0], c->p);
  bool good = true;
  for (size_t t = 0, at = 0; t < c->n; t++) {
    for (int i = 0; i < a.n_out; i++) {
      const double *const got = &b.out[i][t * HY_LANES];
      good = good &&
             (is_gap(t) ? isnan(*got) : memcmp(got, &a.out[i][at * HY_LANES], sizeof *got) == 0);
    }
    at += is_gap(t) ? 0 : 1;
  }
  trial_free(&a);
  trial_free(&b);
  free(kept);
  return good;
}

/* A start at another bar is within tol of the largest value from lookback + stable(tol) on. */
static bool recurrences_forget(const law_case *c) {
  static const size_t starts[] = {1, 37, 101};
  const double tol = 1e-3;
  if (c->r->class != HY__IND_E) return true;
  trial a = whole(c);
  const size_t wait = of_params(c->r->code[0]->lookback, c->p) + c->r->code[0]->stable(c->p, tol);
  bool good = true;
  for (size_t k = 0; k < HY_COUNT(starts); k++) {
    trial b = fresh(c);
    trial_step(&b, c->r->code[0], c->p, starts[k], c->n);
    for (int i = 0; i < a.n_out; i++) {
      double scale = 0;
      for (size_t t = 0; t < c->n; t++)
        if (isfinite(a.out[i][t * HY_LANES])) scale = fmax(scale, fabs(a.out[i][t * HY_LANES]));
      for (size_t t = starts[k] + wait; t < c->n; t++)
        good = good && fabs(a.out[i][t * HY_LANES] - b.out[i][t * HY_LANES]) <= tol * scale;
    }
    trial_free(&b);
  }
  trial_free(&a);
  return good;
}

static bool nothing_is_infinite(const law_case *c) {
  static const double odd[] = {0.0, -0.0, 1e308, -1e308, 5e-324, 1e-300, 1.0, NAN};
  trial b = fresh(c);
  hy__random random;
  hy__random_init(&random, 6, 0);
  for (int i = 0; i < b.n_in; i++)
    for (size_t at = 0; at < c->n * HY_LANES; at++)
      if (hy__random_below(&random, 3) == 0)
        b.base[i][b.history * HY_LANES + at] = odd[hy__random_below(&random, HY_COUNT(odd))];
  bool good = true;
  trial_run(&b, c->r->code[isas_here() - 1], c->p);
  for (int i = 0; i < b.n_out; i++)
    for (size_t at = 0; at < c->n * HY_LANES; at++) good = good && !isinf(b.out[i][at]);
  trial_free(&b);
  return good;
}

/* The parameter lists of a row's golden arrays, without repeats, and one with every count at 1. */
static size_t cases_of(const row *r, const hy_arrays *golden, law_case *out) {
  size_t n = 0;
  for (size_t k = 0; k < hy_arrays_n(golden); k++) {
    const golden_name g = golden_parse(r, hy_arrays_name(golden, k));
    bool known = false;
    for (size_t i = 0; i < n; i++) known = known || memcmp(out[i].p, g.p, sizeof g.p) == 0;
    if (known || n == MAX_CASES - 1) continue;
    out[n].r = r;
    memcpy(out[n++].p, g.p, sizeof g.p);
  }
  out[n] = out[n - 1];
  int param = 0;
  for (const char *at = r->params; *at != '\0'; at++) {
    if (*at == ' ') param++;
    if (*at == ':') out[n].p[param] = 1.0;
  }
  return n + 1;
}

static void hold(hy_runtime *runtime, law_fn law, const char *name) {
  hy_arrays *input = golden_open(runtime, "input");
  const hy_tensor *series = hy_arrays_find(input, name);
  size_t n_wrong = 0;
  assert_non_null(series);
  for (size_t i = 0; i < HY_COUNT(rows); i++) {
    law_case cases[MAX_CASES];
    hy_arrays *golden = golden_open(runtime, rows[i].id);
    const size_t n = cases_of(&rows[i], golden, cases);
    hy_arrays_destroy(golden);
    for (size_t k = 0; k < n; k++) {
      cases[k].series = series->data;
      cases[k].n = (size_t)series->dims[1];
      if (law(&cases[k])) continue;
      print_error("%s(%g,%g,%g)\n", rows[i].id, cases[k].p[0], cases[k].p[1], cases[k].p[2]);
      n_wrong++;
    }
  }
  hy_arrays_destroy(input);
  assert_int_equal(n_wrong, 0);
}

/* Forgetting is tried on a series that moves: the ratio of two averages (cmo, dx) that both fade
 * away in a flat stretch keeps what their start left of each other. */
#define LAW(name, series)                                                                          \
  static void test_##name(void **state) { hold(*state, name, series); }
LAW(chunks_change_nothing, "synth")
LAW(blocks_change_nothing, "synth")
LAW(the_future_changes_nothing, "synth")
LAW(a_window_starts_anywhere, "synth")
LAW(windows_with_gaps_are_missing, "synth")
LAW(recurrences_pass_over_gaps, "synth")
LAW(recurrences_forget, "sp500")
LAW(nothing_is_infinite, "synth")
#undef LAW

static int make_runtime(void **state) {
  return hy_runtime_create(NULL, (hy_runtime **)state, NULL) == HY_OK ? 0 : 1;
}

static int drop_runtime(void **state) {
  hy_runtime_destroy(*state);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_chunks_change_nothing),
      cmocka_unit_test(test_blocks_change_nothing),
      cmocka_unit_test(test_the_future_changes_nothing),
      cmocka_unit_test(test_a_window_starts_anywhere),
      cmocka_unit_test(test_windows_with_gaps_are_missing),
      cmocka_unit_test(test_recurrences_pass_over_gaps),
      cmocka_unit_test(test_recurrences_forget),
      cmocka_unit_test(test_nothing_is_infinite),
  };
  return cmocka_run_group_tests(tests, make_runtime, drop_runtime);
}
