/* SPDX-License-Identifier: Apache-2.0
 * The thread pool: every item once whatever the threads and the grain, stealing, the lowest failure
 * whatever the timing, refusal of nesting, concurrent callers, and no allocation per job. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "support/allocation_counter.h"

enum { MAX_ITEMS = 5000 };

static hy_runtime *runtime_with(uint32_t n_threads) {
  hy_runtime *runtime;
  hy_runtime_options options = {.struct_size = sizeof options, .n_threads = n_threads};
  assert_int_equal(hy_runtime_create(&options, &runtime, NULL), HY_OK);
  assert_int_equal(hy_runtime_n_threads(runtime), n_threads);
  return runtime;
}

typedef struct tally {
  _Atomic int n[MAX_ITEMS];
  size_t grain;
  uint32_t n_workers;
  _Atomic bool wrong;
} tally;

static hy_status count(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  tally *t = ctx;
  (void)err;
  if (worker >= t->n_workers || end <= begin || end - begin > t->grain || begin % t->grain != 0)
    t->wrong = true;
  for (size_t i = begin; i < end; i++) t->n[i]++;
  return HY_OK;
}

static void every_item_once(void **state) {
  (void)state;
  static tally t;
  for (uint32_t n_threads = 1; n_threads <= 8; n_threads++) {
    hy_runtime *runtime = runtime_with(n_threads);
    hy__pool *pool = hy__runtime_pool(runtime);
    assert_int_equal(hy__pool_n_workers(pool), n_threads);
    for (size_t n = 0; n <= MAX_ITEMS; n = n * 3 / 2 + 1)
      for (size_t grain = 1; grain < 2000; grain = grain * 5 + 2) {
        memset(&t, 0, sizeof t);
        t.grain = grain;
        t.n_workers = n_threads;
        assert_int_equal(hy__pool_for(pool, n, grain, count, &t, NULL), HY_OK);
        assert_false(t.wrong);
        for (size_t i = 0; i < MAX_ITEMS; i++) assert_int_equal(t.n[i], i < n);
      }
    hy_runtime_destroy(runtime);
  }
}

static void nap(long ns) { nanosleep(&(struct timespec){.tv_nsec = ns}, NULL); }

typedef struct uneven {
  _Atomic int n_by_worker[8];
  _Atomic int n_of_first_half_by_others;
} uneven;

/* Worker 0's own share is slow: the others must take from it. */
static hy_status slow_start(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  uneven *u = ctx;
  (void)end, (void)err;
  u->n_by_worker[worker]++;
  if (begin < 32 && worker != 0) u->n_of_first_half_by_others++;
  if (begin < 32) nap(2000000);
  return HY_OK;
}

static void idle_workers_steal(void **state) {
  (void)state;
  hy_runtime *runtime = runtime_with(2);
  uneven u = {.n_of_first_half_by_others = 0};
  assert_int_equal(hy__pool_for(hy__runtime_pool(runtime), 64, 1, slow_start, &u, NULL), HY_OK);
  assert_int_equal(u.n_by_worker[0] + u.n_by_worker[1], 64);
  assert_true(u.n_of_first_half_by_others > 0);
  hy_runtime_destroy(runtime);
}

typedef struct failing {
  size_t lowest, step;
  _Atomic size_t n_run;
} failing;

static hy_status fail_some(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  failing *f = ctx;
  (void)worker;
  f->n_run++;
  for (size_t i = begin; i < end; i++)
    if (i >= f->lowest && (i - f->lowest) % f->step == 0) {
      if (i == f->lowest) nap(200000); /* the lowest fails last */
      HY_FAIL(i == f->lowest ? HY_MISMATCH : HY_IO, err, "item %zu", i);
    }
  return HY_OK;
}

static void the_lowest_failure_is_told(void **state) {
  (void)state;
  for (uint32_t n_threads = 1; n_threads <= 8; n_threads *= 2) {
    hy_runtime *runtime = runtime_with(n_threads);
    hy__pool *pool = hy__runtime_pool(runtime);
    for (size_t lowest = 0; lowest < 1000; lowest += 97) {
      failing f = {.lowest = lowest, .step = 3};
      hy_error err;
      char want[32];
      snprintf(want, sizeof want, "item %zu", lowest);
      assert_int_equal(hy__pool_for(pool, 1000, 1, fail_some, &f, &err), HY_MISMATCH);
      assert_string_equal(err.message, want);
      assert_int_equal(err.status, HY_MISMATCH);
      assert_int_equal(hy__pool_for(pool, 1000, 7, fail_some, &f, NULL), HY_MISMATCH);
      tally t = {.grain = 100, .n_workers = n_threads}; /* and the next job runs as ever */
      assert_int_equal(hy__pool_for(pool, 1000, 100, count, &t, &err), HY_OK);
    }
    failing first = {.lowest = 0, .step = 1};
    assert_int_equal(hy__pool_for(pool, 100000, 1, fail_some, &first, NULL), HY_MISMATCH);
    assert_true(first.n_run < 100000); /* what lies behind a failure is not begun */
    hy_runtime_destroy(runtime);
  }
}

static hy_status nested(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  (void)worker, (void)begin, (void)end;
  tally own = {.grain = 1, .n_workers = 1};
  hy_status status = hy__pool_for(ctx, 4, 1, count, &own, err);
  for (size_t k = 0; k < 4 && status == HY_OK; k++) status = own.n[k] == 1 ? HY_OK : HY_INTERNAL;
  return status;
}

static void a_job_within_a_job_is_the_callers_own(void **state) {
  (void)state;
  for (uint32_t n_threads = 1; n_threads <= 2; n_threads++) {
    hy_runtime *runtime = runtime_with(n_threads);
    hy__pool *pool = hy__runtime_pool(runtime);
    hy_error err;
    assert_int_equal(hy__pool_for(pool, 4, 1, nested, pool, &err), HY_OK);
    tally t = {.grain = 1, .n_workers = n_threads};
    assert_int_equal(hy__pool_for(pool, 10, 1, count, &t, &err), HY_OK);
    hy_runtime_destroy(runtime);
  }
}

typedef struct caller {
  hy__pool *pool;
  bool wrong;
} caller;

static void *call_often(void *arg) {
  caller *c = arg;
  for (int i = 0; i < 300; i++) {
    tally *t = calloc(1, sizeof *t);
    t->grain = 4;
    t->n_workers = 3;
    hy_status status = hy__pool_for(c->pool, 200, 4, count, t, NULL);
    c->wrong = c->wrong || status != HY_OK;
    for (size_t k = 0; k < 200; k++) c->wrong = c->wrong || t->n[k] != 1;
    free(t);
  }
  return NULL;
}

static void two_callers_never_mix(void **state) {
  (void)state;
  hy_runtime *runtime = runtime_with(3);
  caller callers[2] = {{.pool = hy__runtime_pool(runtime)}, {.pool = hy__runtime_pool(runtime)}};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, call_often, &callers[0]), 0);
  call_often(&callers[1]);
  pthread_join(thread, NULL);
  assert_false(callers[0].wrong || callers[1].wrong);
  hy_runtime_destroy(runtime);
}

static void long_jobs_alone_wake_workers(void **state) {
  (void)state;
  const size_t million = 1 << 20;
  hy_runtime *one = runtime_with(1), *two = runtime_with(2);
  hy__pool *pool = hy__runtime_pool(two);
  assert_false(hy__pool_worth(NULL, SIZE_MAX));
  assert_false(hy__pool_worth(hy__runtime_pool(one), SIZE_MAX));
  assert_true(hy__pool_worth(pool, 4 * million)); /* its threads are not started: they sleep */
  assert_false(hy__pool_worth(pool, million - 1));
  int n = 1; /* of middling ones the thirty-second */
  while (!hy__pool_worth(pool, million)) n++;
  assert_int_equal(n, 32);
  assert_false(hy__pool_worth(pool, million));
  hy__pool_be_eager(pool);
  assert_true(hy__pool_worth(pool, million / 4));
  assert_false(hy__pool_worth(pool, million / 4 - 1));
  hy_runtime_destroy(one);
  hy_runtime_destroy(two);
}

/* A fork has none of the threads: it does its work alone, and ends. */
static void a_fork_works_alone(void **state) {
  (void)state;
  hy_runtime *runtime = runtime_with(3);
  hy__pool *pool = hy__runtime_pool(runtime);
  tally t = {.grain = 4, .n_workers = 3};
  assert_int_equal(hy__pool_for(pool, 200, 4, count, &t, NULL), HY_OK);
  pid_t child = fork();
  if (child == 0) {
    tally own = {.grain = 4, .n_workers = 3};
    bool good = hy__pool_for(pool, 200, 4, count, &own, NULL) == HY_OK;
    for (size_t k = 0; k < 200; k++) good = good && own.n[k] == 1;
    hy_runtime_destroy(runtime);
    _exit(good ? 0 : 1);
  }
  int status = -1;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  hy_runtime_destroy(runtime);
}

static hy_status add_up(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  (void)worker, (void)err;
  for (size_t i = begin; i < end; i++) ((double *)ctx)[i] += 1;
  return HY_OK;
}

static void jobs_allocate_nothing(void **state) {
  (void)state;
  if (!allocation_counter_works) skip();
  for (uint32_t n_threads = 1; n_threads <= 2; n_threads++) {
    hy_runtime *runtime = runtime_with(n_threads);
    hy__pool *pool = hy__runtime_pool(runtime);
    double values[64] = {0};
    assert_int_equal(hy__pool_for(pool, 64, 4, add_up, values, NULL), HY_OK); /* starts threads */
    size_t before = allocation_count();
    for (int i = 0; i < 1000; i++)
      assert_int_equal(hy__pool_for(pool, 64, 4, add_up, values, NULL), HY_OK);
    assert_int_equal(allocation_count(), before);
    assert_true(values[63] == 1001);
    hy_runtime_destroy(runtime);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_item_once),
      cmocka_unit_test(idle_workers_steal),
      cmocka_unit_test(the_lowest_failure_is_told),
      cmocka_unit_test(a_job_within_a_job_is_the_callers_own),
      cmocka_unit_test(two_callers_never_mix),
      cmocka_unit_test(long_jobs_alone_wake_workers),
      cmocka_unit_test(a_fork_works_alone),
      cmocka_unit_test(jobs_allocate_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
