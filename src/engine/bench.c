/* SPDX-License-Identifier: Apache-2.0 */
/* Measuring a model: both sides are loaded several times, then run in turns of some milliseconds
 * on the same sets of inputs, with turns of a spin loop of the same length between, which shows
 * what the machine itself adds to the tail. */
#include <fenv.h>
#include <math.h>
#include <stdlib.h>

#include "engine/backend.h"
#include "engine/bench.h"
#include "engine/limits.h"

enum {
  LOADS = 5,
  LOADS_OF_LARGE = 2,
  SAMPLES_MOST = 1 << 20,
  SAMPLES_LEAST = 16,
  TURN_NS = 5000000,
  WARM_RUNS = 2,
  COMPARED_SETS = 8,
  ARENA_BLOCK = 1 << 14
};
static const size_t large_bytes = (size_t)64 << 20;

/* Both sides at work. */
typedef struct job {
  hy_runtime *runtime;
  const hy_allocator *allocator;
  const char *path;
  const hy_bench_options *options;
  hy_bench *bench;
  hy_model *model;
  hy_session *session;
  hy__ort *ort;
  hy__bench_case made;
  hy_tensor *out; /* of a run: copies of the case's */
  fenv_t own, peers;
  int64_t clock_ns; /* what asking the clock costs */
  uint64_t spin_rounds;
  size_t next[2];
} job;

static void session_close(job *j) {
  hy_session_destroy(j->session);
  hy_model_destroy(j->model);
  j->session = NULL;
  j->model = NULL;
}

static hy_status run_ours(job *j, size_t set, hy_error *err) {
  hy__bench_case *c = &j->made;
  memcpy(j->out, c->out, c->n_out * sizeof(hy_tensor));
  return hy_session_run(j->session, c->in + set * c->n_in, c->n_in, j->out, c->n_out, err);
}

static size_t grown(size_t before) {
  size_t now = hy__memory_anon_bytes();
  return now > before ? now - before : 0;
}

/* The first run less what a second one takes is what was left to do; the first answer has it all.
 */
typedef struct loaded {
  double ms, answer_ms;
  size_t anon_bytes;
} loaded;

static hy_status first_runs(job *j, hy_status (*run)(job *, size_t, hy_error *), loaded *l,
                            hy_error *err) {
  size_t before = hy__memory_anon_bytes();
  int64_t began = hy__clock_monotonic_ns();
  HY_TRY(run(j, 0, err));
  double first = (double)(hy__clock_monotonic_ns() - began) * 1e-6;
  l->anon_bytes += grown(before);
  began = hy__clock_monotonic_ns();
  HY_TRY(run(j, 0, err));
  double second = (double)(hy__clock_monotonic_ns() - began) * 1e-6;
  l->answer_ms = l->ms + first;
  l->ms += HY_MAX(first - second, 0.0);
  return HY_OK;
}

static hy_status load_ours(job *j, loaded *l, hy_error *err) {
  hy_session_options options = {.struct_size = sizeof options,
                                .n_threads = j->options->n_threads,
                                .precision = j->options->precision};
  session_close(j);
  size_t before = hy__memory_anon_bytes();
  int64_t began = hy__clock_monotonic_ns();
  HY_TRY(hy_model_open(j->runtime, j->path, NULL, &j->model, err));
  HY_TRY(hy_session_create(j->model, &options, &j->session, err));
  l->ms = (double)(hy__clock_monotonic_ns() - began) * 1e-6;
  l->anon_bytes = grown(before);
  if (!j->made.n_sets) HY_TRY(hy__bench_case_make(j->model, j->options, &j->made, err));
  if (!j->out) {
    void *out;
    HY_TRY(hy__arena_array(j->bench->arena, j->made.n_out + 1, sizeof(hy_tensor), &out, err));
    j->out = out;
  }
  return first_runs(j, run_ours, l, err);
}

/* The library sets its own rules for denormals on the calling thread; each side has its own. */
static hy_status run_peer(job *j, size_t set, hy_error *err) {
  return hy__ort_run(j->ort, set, err);
}

static hy_status load_peer(job *j, loaded *l, hy_error *err) {
  hy__bench_case *c = &j->made;
  hy__ort_binding binding = {.in = c->in,
                             .n_sets = c->n_sets,
                             .n_in = c->n_in,
                             .in_names = c->in_names,
                             .out = c->out + c->n_out,
                             .n_out = c->n_out,
                             .out_names = c->out_names};
  (void)fesetenv(&j->own);
  size_t before = hy__memory_anon_bytes();
  int64_t began = hy__clock_monotonic_ns();
  hy_status status = hy__ort_load(j->ort, err);
  l->ms = (double)(hy__clock_monotonic_ns() - began) * 1e-6;
  l->anon_bytes = grown(before);
  if (status == HY_OK) status = hy__ort_bind(j->ort, &binding, err);
  if (status == HY_OK) status = first_runs(j, run_peer, l, err);
  (void)fegetenv(&j->peers);
  (void)fesetenv(&j->own);
  return status;
}

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static hy_status loads(job *j, hy_status (*load)(job *, loaded *, hy_error *),
                       hy_bench_figures *figures, hy_error *err) {
  double ms[LOADS], answers[LOADS];
  size_t n = 0, most = LOADS;
  do {
    loaded l;
    HY_TRY(load(j, &l, err));
    ms[n] = l.ms;
    answers[n] = l.answer_ms;
    if (n == 0) figures->anon_bytes = l.anon_bytes;
    if (figures->anon_bytes > large_bytes) most = LOADS_OF_LARGE;
  } while (++n < most);
  qsort(ms, n, sizeof *ms, compare_doubles);
  qsort(answers, n, sizeof *answers, compare_doubles);
  figures->load_ms = ms[n / 2];
  figures->answer_ms = answers[n / 2];
  return HY_OK;
}

/* --- turns --- */

static void spin(uint64_t rounds) {
  uint64_t x = rounds | 1;
  for (uint64_t i = 0; i < rounds; i++) {
    x ^= x << 7;
    x ^= x >> 9;
    __asm__ volatile("" : "+r"(x));
  }
}

static hy_status run_spin(job *j, size_t set, hy_error *err) {
  (void)set;
  (void)err;
  spin(j->spin_rounds);
  return HY_OK;
}

typedef hy_status (*run_fn)(job *, size_t set, hy_error *err);

static hy_status time_one(job *j, run_fn run, size_t set, double *us, hy_error *err) {
  int64_t began = hy__clock_monotonic_ns();
  HY_TRY(run(j, set, err));
  int64_t spent = hy__clock_monotonic_ns() - began - j->clock_ns;
  *us = (double)HY_MAX(spent, (int64_t)1) * 1e-3;
  return HY_OK;
}

/* Runs for about TURN_NS, at least once more than the warm runs. */
static hy_status turn(job *j, run_fn run, size_t *next, hy__bench_times *times, hy_error *err) {
  int64_t until = hy__clock_monotonic_ns() + TURN_NS;
  size_t warm = run == run_spin ? 0 : WARM_RUNS, n_sets = j->made.n_sets;
  double us, longest = 0;
  do {
    HY_TRY(time_one(j, run, *next, &us, err));
    *next = (*next + 1) % n_sets;
    if (warm && us * 1e3 < TURN_NS / 10)
      warm--;
    else if (times->n < times->capacity)
      times->us[times->n++] = (float)us;
    longest = us > longest ? us : longest;
  } while (hy__clock_monotonic_ns() < until && times->n < times->capacity);
  return HY_OK;
}

static void clock_calibrate(job *j) {
  j->clock_ns = INT64_MAX;
  for (int i = 0; i < 1000; i++) {
    int64_t began = hy__clock_monotonic_ns();
    j->clock_ns = HY_MIN(j->clock_ns, hy__clock_monotonic_ns() - began);
  }
}

/* So many rounds as take what a run takes. */
static void spin_calibrate(job *j, double us) {
  enum { PROBE = 1 << 16 };
  int64_t least = INT64_MAX;
  for (int i = 0; i < 5; i++) {
    int64_t began = hy__clock_monotonic_ns();
    spin(PROBE);
    least = HY_MIN(least, hy__clock_monotonic_ns() - began);
  }
  j->spin_rounds = (uint64_t)(us * 1e3 * PROBE / (double)HY_MAX(least, (int64_t)1)) + 1;
}

static hy_status times_make(job *j, hy__bench_times *t, hy_error *err) {
  void *memory;
  t->capacity =
      j->options->runs ? (size_t)HY_MIN(j->options->runs, (uint64_t)SAMPLES_MOST) : SAMPLES_MOST;
  HY_TRY(hy__alloc(j->allocator, t->capacity * sizeof(float), &memory, err));
  t->us = memory;
  return HY_OK;
}

static bool enough(const job *j, const hy__bench_times *t, int64_t elapsed_ns) {
  if (j->options->runs) return t->n == t->capacity;
  double seconds = j->options->seconds > 0 ? j->options->seconds : 1;
  return t->n == t->capacity || (t->n >= SAMPLES_LEAST && (double)elapsed_ns * 1e-9 >= seconds);
}

static hy_status measure(job *j, hy_error *err) {
  hy_bench *b = j->bench;
  int64_t began = hy__clock_monotonic_ns(), sides = j->ort ? 3 : 2, elapsed = 0;
  bool more = true;
  while (more) {
    size_t nothing = 0;
    HY_TRY(turn(j, run_ours, &j->next[0], &b->our_times, err));
    HY_TRY(turn(j, run_spin, &nothing, &b->spin_times, err));
    if (j->ort) {
      (void)fesetenv(&j->peers);
      hy_status status = turn(j, run_peer, &j->next[1], &b->peer_times, err);
      (void)fesetenv(&j->own);
      HY_TRY(status);
    }
    elapsed = (hy__clock_monotonic_ns() - began) / sides;
    more = !enough(j, &b->our_times, elapsed) || (j->ort && !enough(j, &b->peer_times, elapsed));
    bool go_on = !j->options->progress ||
                 j->options->progress(j->options->progress_ctx, b->our_times.n, 0, "runs");
    HY_FAIL_IF(!go_on, HY_CANCELLED, err, "stopped");
  }
  return HY_OK;
}

/* --- figures --- */

static int compare_floats(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static double quantile(const hy__bench_times *t, double q) {
  size_t at = (size_t)(q * (double)t->n);
  return t->n ? rint((double)t->us[HY_MIN(at, t->n - 1)] * 1e3) * 1e-3 : 0; /* whole ns */
}

static void figures_fill(hy_bench_figures *f, hy__bench_times *t) {
  double sum = 0;
  qsort(t->us, t->n, sizeof *t->us, compare_floats);
  for (size_t i = 0; i < t->n; i++) sum += (double)t->us[i];
  f->runs = t->n;
  f->p50_us = quantile(t, 0.5);
  f->p99_us = quantile(t, 0.99);
  f->p999_us = quantile(t, 0.999);
  f->min_us = quantile(t, 0);
  f->mean_us = t->n ? sum / (double)t->n : 0;
  f->rows_per_s = f->p50_us > 0 ? (double)f->batch / f->p50_us * 1e6 : 0;
}

static hy_status compare_sets(job *j, hy_error *err) {
  size_t n = HY_MIN(j->made.n_sets, (size_t)COMPARED_SETS);
  for (size_t set = 0; set < n; set++) {
    HY_TRY(run_ours(j, set, err));
    (void)fesetenv(&j->peers);
    hy_status status = run_peer(j, set, err);
    (void)fesetenv(&j->own);
    HY_TRY(status);
    hy__bench_compare(&j->made, j->options->precision, &j->bench->agreement);
  }
  return HY_OK;
}

static hy_status names_fill(job *j, hy_error *err) {
  hy_bench *b = j->bench;
  const char *name;
  HY_TRY(hy__arena_text(b->arena, j->path, strlen(j->path), &name, err));
  HY_TRY(hy__arena_printf(b->arena, &b->cpu, err, "%s", hy__runtime_cpu(j->runtime)->model));
  b->ours = (hy_bench_figures){.struct_size = sizeof b->ours,
                               .model = name,
                               .backend = "hayate",
                               .isa = hy_isa_name(hy_runtime_isa(j->runtime)),
                               .precision = "float32",
                               .mode = "window",
                               .threads = HY_MAX(j->options->n_threads, 1u)};
  b->peer = b->ours;
  b->ours.precision = hy_precision_name(j->options->precision);
  if (j->ort)
    HY_TRY(hy__arena_printf(b->arena, &b->peer.backend, err, "onnxruntime %s",
                            hy__ort_version(j->ort)));
  b->peer.isa = hy_isa_name(hy_isa_detect()); /* it takes the best the machine has */
  return HY_OK;
}

static hy_status peer_open(job *j, hy_error *err) {
  hy__ort_options options = {.allocator = j->allocator,
                             .library = j->options->peer,
                             .model = j->path,
                             .n_threads = HY_MAX(j->options->n_threads, 1u),
                             .spins = j->options->peer_spins};
  return hy__ort_open(&options, &j->ort, err);
}

static hy_status floor_fill(job *j, double *peak_per_us, hy_error *err) {
  const hy__plan *plan = hy__session_plan(j->session);
  hy__limits limits;
  if (!plan) return HY_OK; /* evaluated node by node */
  HY_TRY(hy__limits_measure(j->runtime, plan->arena_bytes + plan->weight_bytes, &limits, err));
  uint32_t n = HY_MAX(j->options->n_threads, 1u);
  j->bench->ours.floor_us = hy__plan_floor_us(plan, &limits, n);
  j->bench->ours.multiply_adds = hy__plan_macs(plan);
  *peak_per_us = limits.fma_per_s * n * 1e-6;
  return HY_OK;
}

static hy_status bench_run(job *j, hy_error *err) {
  hy_bench *b = j->bench;
  hy_session_info info = {.struct_size = sizeof info};
  (void)fegetenv(&j->own);
  if (j->options->peer) HY_TRY(peer_open(j, err));
  HY_TRY(names_fill(j, err));
  HY_TRY(loads(j, load_ours, &b->ours, err));
  b->ours.batch = b->peer.batch = j->made.batch;
  b->n_sets = j->made.n_sets;
  b->rows = j->made.batch * j->made.n_sets;
  HY_TRY(hy__bench_case_outputs(&j->made, j->out, err));
  if (j->ort) HY_TRY(loads(j, load_peer, &b->peer, err));
  hy_session_describe(j->session, &info);
  b->ours.arena_bytes = info.arena_bytes;
  b->ours.weight_bytes = info.weight_bytes;
  if (j->ort) HY_TRY(compare_sets(j, err));
  HY_TRY(times_make(j, &b->our_times, err));
  HY_TRY(times_make(j, &b->spin_times, err));
  if (j->ort) HY_TRY(times_make(j, &b->peer_times, err));
  clock_calibrate(j);
  HY_TRY(turn(j, run_ours, &j->next[0], &b->our_times, err)); /* a first one, to know how long */
  qsort(b->our_times.us, b->our_times.n, sizeof(float), compare_floats);
  spin_calibrate(j, quantile(&b->our_times, 0.5));
  b->our_times.n = 0;
  double peak_per_us = 0;
  HY_TRY(floor_fill(j, &peak_per_us, err));
  HY_TRY(measure(j, err));
  figures_fill(&b->ours, &b->our_times);
  if (peak_per_us > 0) b->ours.peak_share = b->ours.multiply_adds / b->ours.p50_us / peak_per_us;
  hy_bench_figures spun = {0};
  figures_fill(&spun, &b->spin_times);
  b->spin_p50_us = spun.p50_us;
  b->spin_p99_us = spun.p99_us;
  if (j->ort) figures_fill(&b->peer, &b->peer_times);
  b->has_peer = j->ort != NULL;
  return HY_OK;
}

hy_status hy_bench_run(hy_runtime *runtime, const char *path, const hy_bench_options *options,
                       hy_bench **out, hy_error *err) {
  hy_error_clear(err);
  HY_FAIL_IF(!runtime || !path || !out, HY_INVALID_ARGUMENT, err,
             "runtime, path and out must not be NULL");
  *out = NULL;
  const hy_bench_options none = {.struct_size = sizeof none};
  if (!options) options = &none;
  HY_FAIL_IF(options->struct_size != sizeof *options, HY_INVALID_ARGUMENT, err,
             "hy_bench_options has an unknown struct_size of %zu", options->struct_size);
  const hy_allocator *a = hy__runtime_allocator(runtime);
  hy__arena *arena;
  void *memory;
  HY_TRY(hy__arena_create(a, ARENA_BLOCK, 0, &arena, err));
  hy_status status = hy__arena_alloc(arena, sizeof(hy_bench), HY_ALIGN, &memory, err);
  if (status != HY_OK) {
    hy__arena_destroy(arena);
    return status;
  }
  hy_bench *b = memory;
  b->allocator = a;
  b->arena = arena;
  job j = {.runtime = runtime, .allocator = a, .path = path, .options = options, .bench = b};
  j.made.allocator = a;
  j.made.arena = arena;
  status = bench_run(&j, err);
  hy__ort_close(j.ort);
  session_close(&j);
  hy__bench_case_destroy(&j.made);
  if (status == HY_OK)
    *out = b;
  else
    hy_bench_destroy(b);
  return status;
}

void hy_bench_destroy(hy_bench *b) {
  if (!b) return;
  hy__bench_times *all[] = {&b->our_times, &b->peer_times, &b->spin_times};
  for (size_t i = 0; i < HY_COUNT(all); i++)
    hy__free(b->allocator, all[i]->us, all[i]->capacity * sizeof(float));
  hy__arena_destroy(b->arena);
}

static bool figures_get(const hy_bench_figures *from, bool known, hy_bench_figures *out) {
  if (!known || out->struct_size != sizeof *out) return false;
  *out = *from;
  return true;
}

bool hy_bench_ours(const hy_bench *b, hy_bench_figures *out) {
  return figures_get(&b->ours, true, out);
}

bool hy_bench_peer(const hy_bench *b, hy_bench_figures *out) {
  return figures_get(&b->peer, b->has_peer, out);
}

bool hy_bench_agrees(const hy_bench *b) { return !b->agreement.compared || b->agreement.agrees; }
