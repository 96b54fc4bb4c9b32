/* SPDX-License-Identifier: Apache-2.0
 * For the tests of single indicators: the table's rows with their code per ISA, golden files, and a
 * driver that calls a step as the executor does (history before row 0 is NaN, state zeroed). */
#ifndef TESTS_FEATURE_ROWS_H
#define TESTS_FEATURE_ROWS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include <hayate/array.h>

#include "feature/indicator.h"

enum { N_SERIES_FIELDS = 8, NAME_MAX_BYTES = 128 };

#define HY_IND(id, version, symbol, class, is_default, inputs, params, outputs, doc)               \
  extern const hy__ind_code HY__IND_EACH_ISA(HY__IND_CODE, symbol);
#include "feature/indicator.inc"
#undef HY_IND

typedef struct row {
  const char *id, *inputs, *params, *outputs;
  hy__ind_class class;
  const hy__ind_code *code[HY__IND_N_ISAS];
} row;

#define HY_IND(id, version, symbol, class, is_default, inputs, params, outputs, doc)               \
  {id, inputs, params, outputs, HY__IND_##class, {HY__IND_EACH_ISA(HY__IND_CODE_AT, symbol)}},
static const row rows[] = {
#include "feature/indicator.inc"
};
#undef HY_IND

/* How many of the levels the machine can run. */
static inline int isas_here(void) {
  const hy_isa best = hy_isa_detect();
  const int levels = best >= HY_ISA_AVX512 ? 3 : best >= HY_ISA_AVX2 ? 2 : 1;
  return HY_MIN(levels, (int)HY__IND_N_ISAS);
}

/* Words of a space-separated list. */
static inline int words(const char *list, char out[][NAME_MAX_BYTES], int max) {
  int n = 0;
  while (*list != '\0') {
    size_t length = strcspn(list, " ");
    if (length > 0 && n < max && length < NAME_MAX_BYTES) {
      memcpy(out[n], list, length);
      out[n++][length] = '\0';
    }
    list += length;
    list += strspn(list, " ");
  }
  return n;
}

/* The row of the input series that an input of the table stands for: implicit fields by name, the
 * first free input close, the second `other`, the third open. */
static inline int series_field(const char *input, int *n_free) {
  static const char *const names[N_SERIES_FIELDS] = {"open",   "high",  "low",    "close",
                                                     "volume", "@time", "@local", ""};
  for (int i = 0; i < N_SERIES_FIELDS - 1; i++)
    if (strcmp(input, names[i]) == 0) return i;
  if (strcmp(input, "@bar") == 0) return 5; /* a clock, there in every row */
  const int nth = (*n_free)++;
  return nth == 0 ? 3 : nth == 1 ? 7 : 0;
}

/* The clocks of sessions, made of @time and @local: every local day, from 09:30 to 16:00, and a
 * holiday after every tenth. */
static inline double session_clock(const char *name, double time, double local) {
  const double day = floor((local - 1) / 86400), weekday = fmod(day + 3, 7);
  const double midnight = time - (local - day * 86400);
  if (strcmp(name, "@open") == 0) return midnight + 34200;
  if (strcmp(name, "@close") == 0) return midnight + 57600;
  if (strcmp(name, "@session") == 0) return day;
  return day + (weekday < 4 ? 1 : 7 - weekday) + (fmod(day, 10) == 3);
}

static inline bool is_session_clock(const char *name) {
  return strcmp(name, "@open") == 0 || strcmp(name, "@close") == 0 ||
         strcmp(name, "@session") == 0 || strcmp(name, "@next") == 0;
}

typedef struct trial { /* what a row's step reads, T rows of 8 lanes each */
  int n_in, n_out;
  size_t n_rows, history, state_bytes;
  double *base[HY__IND_INPUTS]; /* history rows of NaN, then the rows */
  double *out[HY__IND_OUTPUTS];
  size_t mid_rows;
  double *mid[HY__IND_MIDS]; /* guarded as the inputs: mid_rows - 1 rows of NaN, then the rows */
  void *state;
} trial;

static inline void *zeroed(size_t bytes) {
  void *p = aligned_alloc(64, (bytes + 127) / 64 * 64);
  assert_non_null(p);
  memset(p, 0, (bytes + 127) / 64 * 64);
  return p;
}

/* Memory whose first byte stands behind a page that may not be read: a step that reads further back
 * than its history faults. */
static inline size_t guarded_bytes(size_t bytes) { return (bytes + 3 * 4096 - 1) / 4096 * 4096; }
static inline double *guarded(size_t bytes) {
  char *p =
      mmap(NULL, guarded_bytes(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_ptr_not_equal(p, MAP_FAILED);
  assert_int_equal(mprotect(p, 4096, PROT_NONE), 0);
  return (double *)(void *)(p + 4096);
}
static inline void guarded_free(double *p, size_t bytes) {
  assert_int_equal(munmap((char *)p - 4096, guarded_bytes(bytes)), 0);
}

static inline size_t of_params(size_t (*f)(const double *), const double *p) {
  return f != NULL ? f(p) : 0;
}

static inline size_t trial_mid_bytes(const trial *t) {
  return (t->mid_rows - 1 + t->n_rows) * HY_LANES * sizeof(double);
}

/* The start of a series: no state, nothing in the hidden columns. */
static inline void trial_begin(trial *t) {
  memset(t->state, 0, t->state_bytes);
  for (int i = 0; i < HY__IND_MIDS && t->mid[i] != NULL; i++)
    for (size_t k = 0; k < trial_mid_bytes(t) / sizeof(double); k++) t->mid[i][k] = NAN;
}

/* series: N_SERIES_FIELDS rows of n values; lane k sees them `delay * k` bars late, NaN before. */
static inline trial trial_make(const row *r, const double *p, const double *series, size_t n,
                               size_t delay) {
  char names[HY__IND_INPUTS][NAME_MAX_BYTES], outs[HY__IND_OUTPUTS][NAME_MAX_BYTES];
  trial t = {.n_in = words(r->inputs, names, HY__IND_INPUTS), .n_rows = n};
  int n_free = 0;
  t.n_out = HY_MAX(1, words(r->outputs, outs, HY__IND_OUTPUTS));
  t.history = of_params(r->code[0]->history, p);
  t.state_bytes = of_params(r->code[0]->state_bytes, p);
  t.state = zeroed(t.state_bytes);
  for (int i = 0; i < t.n_in; i++) {
    const bool session = is_session_clock(names[i]);
    const double *values = series + (session ? 5 : (size_t)series_field(names[i], &n_free)) * n;
    t.base[i] = guarded((t.history + n) * HY_LANES * sizeof(double));
    for (size_t k = 0; k < (t.history + n) * HY_LANES; k++) t.base[i][k] = NAN;
    double *at = t.base[i] + t.history * HY_LANES;
    for (size_t lane = 0; lane < HY_LANES; lane++)
      for (size_t k = delay * lane; k < n; k++) {
        const double v = values[k - delay * lane], local = series[6 * n + k - delay * lane];
        at[k * HY_LANES + lane] = session ? session_clock(names[i], v, local) : v;
      }
  }
  for (int i = 0; i < t.n_out; i++) t.out[i] = zeroed(n * HY_LANES * sizeof(double));
  t.mid_rows = HY_MAX(of_params(r->code[0]->mid_rows, p), 1);
  for (int i = 0; i < r->code[0]->n_mid; i++) t.mid[i] = guarded(trial_mid_bytes(&t));
  trial_begin(&t);
  return t;
}

static inline void trial_free(trial *t) {
  for (int i = 0; i < t->n_in; i++)
    guarded_free(t->base[i], (t->history + t->n_rows) * HY_LANES * sizeof(double));
  for (int i = 0; i < t->n_out; i++) free(t->out[i]);
  for (int i = 0; i < HY__IND_MIDS && t->mid[i] != NULL; i++)
    guarded_free(t->mid[i], trial_mid_bytes(t));
  free(t->state);
}

/* Runs rows [begin, end) in one call; state goes on. */
static inline void trial_step(trial *t, const hy__ind_code *code, const double *p, size_t begin,
                              size_t end) {
  hy__ind_step s = {.n = end - begin, .state = t->state, .p = p};
  for (int i = 0; i < t->n_in; i++) s.in[i] = t->base[i] + (t->history + begin) * HY_LANES;
  for (int i = 0; i < t->n_out; i++) s.out[i] = t->out[i] + begin * HY_LANES;
  for (int i = 0; i < code->n_mid; i++) s.mid[i] = t->mid[i] + (t->mid_rows - 1 + begin) * HY_LANES;
  code->step(&s);
}

static inline void trial_run(trial *t, const hy__ind_code *code, const double *p) {
  trial_begin(t);
  trial_step(t, code, p, 0, t->n_rows);
}

/* A golden array's name: SERIES(P,P).OUTPUT */
typedef struct golden_name {
  char series[NAME_MAX_BYTES];
  double p[HY__IND_PARAMS];
  int n_params, output; /* output -1: no such suffix in the row */
} golden_name;

static inline golden_name golden_parse(const row *r, const char *name) {
  golden_name g = {.n_params = 0};
  char outs[HY__IND_OUTPUTS][NAME_MAX_BYTES];
  const int n_outs = words(r->outputs, outs, HY__IND_OUTPUTS);
  const size_t length = strcspn(name, "(");
  assert_true(length < NAME_MAX_BYTES && name[length] == '(');
  memcpy(g.series, name, length);
  const char *at = name + length + 1, *end = name + strlen(name);
  while (*at != ')') {
    assert_true(g.n_params < HY__IND_PARAMS);
    const char *next = hy__parse_f64(at, end, &g.p[g.n_params++]);
    assert_ptr_not_equal(next, at);
    at = *next == ',' ? next + 1 : next;
  }
  g.output = at[1] == '\0' && n_outs == 0 ? 0 : -1;
  for (int i = 0; i < n_outs && at[1] == '.'; i++)
    if (strcmp(at + 2, outs[i]) == 0) g.output = i;
  return g;
}

static inline hy_arrays *golden_open(hy_runtime *runtime, const char *id) {
  char path[256];
  hy_error err;
  hy_arrays *arrays = NULL;
  (void)snprintf(path, sizeof path, "tests/golden/feature/%s.npz", id);
  if (hy_arrays_read(runtime, path, &arrays, &err) != HY_OK) fail_msg("%s: %s", path, err.message);
  return arrays;
}

#endif
