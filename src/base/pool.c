/* SPDX-License-Identifier: Apache-2.0
 * The thread pool. A job is a grid of pieces; each worker's share of it is one 64-bit word (begin,
 * end) that its owner eats from the front and others halve from the back, each by one
 * compare-and-swap. Workers enter a job through the gate (a count with an open bit) and the caller
 * leaves when the gate is shut and the count is zero, so a worker that sleeps through a short job
 * costs nothing.
 *
 * Order of memory: fn, ctx and the shares are written before the gate opens (release) and read
 * after entering it (acquire); results are written before leaving (release) and read after the
 * count is seen zero (acquire).
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/pool.h"
#include "base/runtime_types.h"

enum {
  CACHE_LINE = 64,
  SPIN_NS = 50000,       /* how long a worker watches for the next job before it sleeps */
  SPINS_PER_LOOK = 64,   /* pauses between two looks at the clock */
  MAX_PIECES = INT_MAX,  /* of one round: indices of pieces fit 32 bits */
  GATE_WAITED = 1 << 30, /* the caller sleeps on the gate */
  GATE_COUNT = GATE_WAITED - 1
};

static const uint32_t GATE_OPEN = 1u << 31;

typedef struct worker {
  _Alignas(CACHE_LINE) _Atomic uint64_t share; /* pieces not yet begun: begin in the high half */
  _Alignas(CACHE_LINE) hy__pool *pool;
  uint32_t index;
  bool started;
  pthread_t thread;
  size_t failed_piece; /* of this job, SIZE_MAX: none */
  hy_status failed_status;
  hy_error failed_error;
} worker;

struct hy__pool {
  _Alignas(CACHE_LINE) _Atomic uint32_t epoch; /* counts jobs; workers wait for a change */
  _Alignas(CACHE_LINE) _Atomic uint32_t gate;  /* workers inside, GATE_OPEN while they may enter */
  _Alignas(CACHE_LINE) _Atomic uint32_t n_sleeping;
  _Atomic uint32_t busy, stop;
  _Atomic size_t missed; /* work of jobs that were not worth a wake, since the last that was */
  _Atomic size_t lowest_failed; /* pieces from here on are not begun */
  /* The job, fixed while the gate is open. */
  hy__pool_fn fn;
  void *ctx;
  size_t base, n_items, grain;
  hy_allocator allocator;
  uint32_t n_workers;
  _Atomic bool running; /* threads were started; written by who has the job, read by anyone */
  pid_t owner;          /* the process that started the threads: a fork has none of them */
  bool pinned, eager, crowded; /* crowded: more workers than CPUs, so spinning would steal time */
  worker workers[];
};

static void futex_wait(_Atomic uint32_t *word, uint32_t seen) {
  syscall(SYS_futex, (uint32_t *)word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word, int n) {
  syscall(SYS_futex, (uint32_t *)word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

static uint64_t share_make(uint32_t begin, uint32_t end) { return (uint64_t)begin << 32 | end; }
static uint32_t share_begin(uint64_t share) { return (uint32_t)(share >> 32); }
static uint32_t share_end(uint64_t share) { return (uint32_t)share; }

static uint32_t share_left(uint64_t share) {
  return share_begin(share) < share_end(share) ? share_end(share) - share_begin(share) : 0;
}

/* The owner's next piece. The order is relaxed: shares carry no data, only who runs what. */
static bool share_take(worker *w, uint32_t *piece) {
  uint64_t share = atomic_load_explicit(&w->share, memory_order_relaxed);
  while (share_left(share) > 0) {
    uint64_t rest = share_make(share_begin(share) + 1, share_end(share));
    if (atomic_compare_exchange_weak_explicit(&w->share, &share, rest, memory_order_relaxed,
                                              memory_order_relaxed)) {
      *piece = share_begin(share);
      return true;
    }
  }
  return false;
}

/* Moves the far half of the largest rest into w's share. False when nobody has any. */
static bool share_steal(worker *w) {
  hy__pool *pool = w->pool;
  for (;;) {
    uint32_t most = 0, victim = 0;
    uint64_t share = 0;
    for (uint32_t i = 0; i < pool->n_workers; i++) {
      uint64_t other = atomic_load_explicit(&pool->workers[i].share, memory_order_relaxed);
      if (i == w->index || share_left(other) <= most) continue;
      most = share_left(other);
      victim = i;
      share = other;
    }
    if (most == 0) return false;
    uint32_t middle = share_begin(share) + most / 2;
    if (!atomic_compare_exchange_strong_explicit(&pool->workers[victim].share, &share,
                                                 share_make(share_begin(share), middle),
                                                 memory_order_relaxed, memory_order_relaxed))
      continue;
    atomic_store_explicit(&w->share, share_make(middle, share_end(share)), memory_order_relaxed);
    return true;
  }
}

/* Pieces under a failed one still run, those above it do not: so the lowest failure is found
 * whatever the number of threads, and the error of a job does not depend on timing. A worker's own
 * failures therefore fall from one to the next, and the last is its lowest. */
static void piece_failed(worker *w, size_t piece, hy_status status, const hy_error *err) {
  hy__pool *pool = w->pool;
  w->failed_piece = piece;
  w->failed_status = status;
  w->failed_error = *err;
  size_t lowest = atomic_load_explicit(&pool->lowest_failed, memory_order_relaxed);
  while (piece < lowest &&
         !atomic_compare_exchange_weak_explicit(&pool->lowest_failed, &lowest, piece,
                                                memory_order_relaxed, memory_order_relaxed)) {
  }
}

static void piece_run(worker *w, uint32_t piece) {
  hy__pool *pool = w->pool;
  if (piece >= atomic_load_explicit(&pool->lowest_failed, memory_order_relaxed)) return;
  hy_error err;
  hy_error_clear(&err);
  size_t begin = pool->base + (size_t)piece * pool->grain;
  size_t end = pool->n_items - begin > pool->grain ? begin + pool->grain : pool->n_items;
  hy_status status = pool->fn(pool->ctx, w->index, begin, end, &err);
  if (status != HY_OK) piece_failed(w, piece, status, &err);
}

static void work(worker *w) {
  uint32_t piece;
  do {
    while (share_take(w, &piece)) piece_run(w, piece);
  } while (share_steal(w));
}

static bool gate_enter(hy__pool *pool) {
  uint32_t gate = atomic_load_explicit(&pool->gate, memory_order_relaxed);
  while (gate & GATE_OPEN)
    if (atomic_compare_exchange_weak_explicit(&pool->gate, &gate, gate + 1, memory_order_acquire,
                                              memory_order_relaxed))
      return true;
  return false;
}

static void gate_leave(hy__pool *pool) {
  /* The last one out of a shut gate wakes the caller, if it sleeps. */
  if (atomic_fetch_sub_explicit(&pool->gate, 1, memory_order_release) == (GATE_WAITED | 1))
    futex_wake(&pool->gate, 1);
}

static uint32_t gate_count(hy__pool *pool) {
  return atomic_load_explicit(&pool->gate, memory_order_acquire) & GATE_COUNT;
}

static void gate_shut(hy__pool *pool) {
  atomic_fetch_and_explicit(&pool->gate, ~GATE_OPEN, memory_order_acquire);
  int64_t until_ns = pool->crowded ? 0 : hy__clock_monotonic_ns() + SPIN_NS;
  do {
    for (int i = 0; i < SPINS_PER_LOOK; i++) {
      if (gate_count(pool) == 0) return;
      hy__cpu_pause();
    }
  } while (until_ns && hy__clock_monotonic_ns() < until_ns);
  for (;;) {
    uint32_t gate =
        GATE_WAITED | atomic_fetch_or_explicit(&pool->gate, GATE_WAITED, memory_order_acquire);
    if ((gate & GATE_COUNT) == 0) return;
    futex_wait(&pool->gate, gate);
  }
}

/* Waits for an epoch other than `seen`: watching for a bounded time, then asleep. */
static uint32_t epoch_wait(hy__pool *pool, uint32_t seen) {
  int64_t until_ns = pool->crowded ? 0 : hy__clock_monotonic_ns() + SPIN_NS;
  for (;;) {
    for (int i = 0; i < SPINS_PER_LOOK; i++) {
      uint32_t epoch = atomic_load_explicit(&pool->epoch, memory_order_acquire);
      if (epoch != seen) return epoch;
      hy__cpu_pause();
    }
    if (until_ns && hy__clock_monotonic_ns() < until_ns) continue;
    /* Sequentially consistent with epoch_next: either it sees a sleeper or the wait sees its epoch.
     */
    atomic_fetch_add_explicit(&pool->n_sleeping, 1, memory_order_seq_cst);
    futex_wait(&pool->epoch, seen);
    atomic_fetch_sub_explicit(&pool->n_sleeping, 1, memory_order_relaxed);
  }
}

static void epoch_next(hy__pool *pool, size_t n_pieces) {
  atomic_fetch_add_explicit(&pool->epoch, 1, memory_order_seq_cst);
  if (atomic_load_explicit(&pool->n_sleeping, memory_order_seq_cst) == 0) return;
  futex_wake(&pool->epoch, n_pieces > INT_MAX ? INT_MAX : (int)n_pieces);
}

/* Worker `index` on the index-th CPU that this process may use; refusal is no error, only slower.
 */
static void pin(uint32_t index) {
  cpu_set_t usable, one;
  if (sched_getaffinity(0, sizeof usable, &usable) != 0) return;
  uint32_t n = (uint32_t)CPU_COUNT(&usable), want = n ? index % n : 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &usable) || want-- > 0) continue;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    return;
  }
}

static void *worker_main(void *arg) {
  worker *w = arg;
  hy__pool *pool = w->pool;
  if (pool->pinned) pin(w->index);
  uint32_t seen = 0;
  for (;;) {
    seen = epoch_wait(pool, seen);
    if (atomic_load_explicit(&pool->stop, memory_order_relaxed)) return NULL;
    if (!gate_enter(pool)) continue;
    work(w);
    gate_leave(pool);
  }
}

static hy_status workers_start(hy__pool *pool, hy_error *err) {
  sigset_t all, before;
  int code = 0;
  if (atomic_load_explicit(&pool->running, memory_order_relaxed)) return HY_OK;
  /* Signals stay with the threads of the program. */
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (uint32_t i = 1; i < pool->n_workers && code == 0; i++) {
    worker *w = &pool->workers[i];
    if (w->started) continue;
    code = pthread_create(&w->thread, NULL, worker_main, w);
    w->started = code == 0;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  HY_FAIL_IF(code != 0, HY_SYSTEM, err, "cannot start %u threads: %s", pool->n_workers - 1,
             code == EAGAIN ? "the system's limit is reached" : "the system refuses");
  pool->owner = getpid();
  atomic_store_explicit(&pool->running, true, memory_order_relaxed);
  return HY_OK;
}

static size_t pool_bytes(uint32_t n_workers) {
  return sizeof(hy__pool) + n_workers * sizeof(worker);
}

hy_status hy__pool_create(const hy_allocator *a, uint32_t n_workers, uint32_t n_usable, bool pinned,
                          hy__pool **out, hy_error *err) {
  void *ptr;
  *out = NULL;
  HY_TRY(hy__alloc_zero(a, pool_bytes(n_workers), &ptr, err));
  hy__pool *pool = ptr;
  pool->allocator = *a;
  pool->n_workers = n_workers;
  pool->pinned = pinned;
  pool->crowded = n_workers > n_usable;
  for (uint32_t i = 0; i < n_workers; i++) {
    pool->workers[i].pool = pool;
    pool->workers[i].index = i;
  }
  *out = pool;
  return HY_OK;
}

void hy__pool_destroy(hy__pool *pool) {
  if (!pool) return;
  atomic_store_explicit(&pool->stop, 1, memory_order_relaxed);
  atomic_fetch_add_explicit(&pool->epoch, 1, memory_order_seq_cst);
  futex_wake(&pool->epoch, INT_MAX);
  const bool ours = pool->owner == 0 || pool->owner == getpid();
  for (uint32_t i = 1; i < pool->n_workers && ours; i++)
    if (pool->workers[i].started) pthread_join(pool->workers[i].thread, NULL);
  hy_allocator allocator = pool->allocator;
  hy__free(&allocator, pool, pool_bytes(pool->n_workers));
}

uint32_t hy__pool_n_workers(const hy__pool *pool) { return pool->n_workers; }

bool hy__pool_worth(hy__pool *pool, size_t work) {
  /* Measured with matrix products: a wake costs 10 to 20 us of the caller's time, in which a core
   * does some 2^21 multiply-adds; a watching worker costs 1 us. */
  enum { WATCHED = 1 << 18, LEAST = 1 << 20, ASLEEP = 1 << 22, MISSED_MOST = 1 << 25 };
  if (!pool || pool->n_workers < 2 || work < WATCHED) return false;
  if (pool->eager) return true;
  const uint32_t others = pool->n_workers - 1;
  const bool asleep = !atomic_load_explicit(&pool->running, memory_order_relaxed) ||
                      atomic_load_explicit(&pool->n_sleeping, memory_order_relaxed) >= others;
  if (!asleep || work >= ASLEEP) return true;
  if (work < LEAST) return false;
  /* A guess that several callers may spoil for each other: relaxed. */
  const size_t missed = atomic_fetch_add_explicit(&pool->missed, work, memory_order_relaxed) + work;
  if (missed < MISSED_MOST) return false;
  atomic_store_explicit(&pool->missed, 0, memory_order_relaxed);
  return true;
}

void hy__pool_be_eager(hy__pool *pool) { pool->eager = true; }

static hy_status run_in_place(size_t n_items, size_t grain, hy__pool_fn fn, void *ctx,
                              hy_error *err) {
  for (size_t begin = 0; begin < n_items;) {
    size_t end = n_items - begin > grain ? begin + grain : n_items;
    HY_TRY(fn(ctx, 0, begin, end, err));
    begin = end;
  }
  return HY_OK;
}

/* Pieces [0, n_pieces) from item pool->base on, over all workers. */
static hy_status run_round(hy__pool *pool, size_t n_pieces, hy_error *err) {
  uint32_t n = pool->n_workers;
  for (uint32_t i = 0; i < n; i++) {
    worker *w = &pool->workers[i];
    w->failed_piece = SIZE_MAX;
    uint32_t begin = (uint32_t)(n_pieces * i / n), end = (uint32_t)(n_pieces * (i + 1) / n);
    atomic_store_explicit(&w->share, share_make(begin, end), memory_order_relaxed);
  }
  atomic_store_explicit(&pool->lowest_failed, SIZE_MAX, memory_order_relaxed);
  atomic_store_explicit(&pool->gate, GATE_OPEN, memory_order_release);
  epoch_next(pool, n_pieces - 1);
  work(&pool->workers[0]);
  gate_shut(pool);
  const worker *worst = &pool->workers[0];
  for (uint32_t i = 1; i < n; i++)
    if (pool->workers[i].failed_piece < worst->failed_piece) worst = &pool->workers[i];
  if (worst->failed_piece == SIZE_MAX) return HY_OK;
  if (err) *err = worst->failed_error;
  return worst->failed_status;
}

static hy_status run_job(hy__pool *pool, size_t n_items, size_t grain, hy_error *err) {
  HY_TRY(workers_start(pool, err));
  pool->n_items = n_items;
  pool->grain = grain;
  size_t pieces = n_items / grain + (n_items % grain != 0);
  for (size_t done = 0; done < pieces;) {
    size_t now = HY_MIN(pieces - done, (size_t)MAX_PIECES);
    pool->base = done * grain;
    HY_TRY(run_round(pool, now, err));
    done += now;
  }
  return HY_OK;
}

hy_status hy__pool_for(hy__pool *pool, size_t n_items, size_t grain, hy__pool_fn fn, void *ctx,
                       hy_error *err) {
  if (grain == 0) grain = 1;
  if (pool->n_workers == 1 || n_items <= grain) return run_in_place(n_items, grain, fn, ctx, err);
  uint32_t idle = 0;
  bool entered = atomic_compare_exchange_strong_explicit(
      &pool->busy, &idle, 1, memory_order_acquire, memory_order_relaxed);
  if (!entered) return run_in_place(n_items, grain, fn, ctx, err);
  pool->fn = fn;
  pool->ctx = ctx;
  hy_status status = run_job(pool, n_items, grain, err);
  atomic_store_explicit(&pool->busy, 0, memory_order_release);
  return status;
}
