/* SPDX-License-Identifier: Apache-2.0
 * The thread pool: pinned workers that take blocks of an index range and steal from each other's
 * rest. No allocation per job; the caller's thread is worker 0. A job of one worker runs in place.
 */
#ifndef HY_BASE_POOL_H
#define HY_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hayate/runtime.h>

typedef struct hy__pool hy__pool;

/* Runs items [begin, end) as worker `worker` (0..n-1). Not HY_OK: no new items are started, and
 * hy__pool_for returns the status of the lowest failing item with its error. */
typedef hy_status (*hy__pool_fn)(void *ctx, uint32_t worker, size_t begin, size_t end,
                                 hy_error *err);

/* Threads are not started here but at the first job that needs them. n_usable: CPUs; with more
 * workers than that nobody spins. Errors: OUT_OF_MEMORY. */
HY_CHECKED hy_status hy__pool_create(const hy_allocator *a, uint32_t n_workers, uint32_t n_usable,
                                     bool pinned, hy__pool **out, hy_error *err);
/* NULL is fine. No job may be running. */
void hy__pool_destroy(hy__pool *pool);
uint32_t hy__pool_n_workers(const hy__pool *pool);
/* Whether a job of `work` multiply-adds, or as long as that, is worth its workers: they must be
 * woken where they sleep, which costs as much as millions; where one watches for work, a few
 * hundred thousand are enough. Many jobs of middling work wake them after a while. NULL: no. */
bool hy__pool_worth(hy__pool *pool, size_t work);
/* Workers that were asked for by number are woken for a few hundred thousand too. */
void hy__pool_be_eager(hy__pool *pool);
/* Covers [0, n_items) in pieces of at most `grain` items. Each worker starts with a contiguous
 * share; who runs dry steals the far half of the largest rest. One job at a time: a caller that
 * finds another's at work, or calls out of a job, does all of its own as worker 0. */
HY_CHECKED hy_status hy__pool_for(hy__pool *pool, size_t n_items, size_t grain, hy__pool_fn fn,
                                  void *ctx, hy_error *err);

#endif
