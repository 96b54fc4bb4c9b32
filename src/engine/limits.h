/* SPDX-License-Identifier: Apache-2.0
 * What the machine can do at most, what a plan's steps ask of it, and so the floor: the least time
 * in which the plan could run. The floor is the sum over steps (and over the time steps of a
 * recurrence) of the larger of multiply-adds over the peak and bytes over the bandwidth of the
 * caches that can hold them. */
#ifndef HY_ENGINE_LIMITS_H
#define HY_ENGINE_LIMITS_H

#include "engine/plan.h"

enum { HY__LEVELS = 4 }; /* L1, L2, L3, memory */

typedef struct hy__limits {
  double fma_per_s; /* float32 multiply-adds of one thread */
  double bytes_per_s[HY__LEVELS];
  size_t level_bytes[HY__LEVELS]; /* of one core; memory SIZE_MAX */
} hy__limits;

/* Measures for some milliseconds, on the caller's thread, with the runtime's instruction set.
 * Levels beyond `resident_bytes` are left at the rate of the last one measured. */
HY_CHECKED hy_status hy__limits_measure(const hy_runtime *runtime, size_t resident_bytes,
                                        hy__limits *out, hy_error *err);

/* One step's work, all of its repeats together. Repeats (the time steps of a recurrence) follow one
 * upon another, and each reads repeat_bytes again. */
typedef struct hy__cost {
  double macs; /* multiply-adds, or comparisons of trees */
  double activation_bytes, weight_bytes;
  double repeats, repeat_macs, repeat_bytes; /* beside the above; repeats 0: none */
  bool wide;                                 /* float64: half as many lanes */
  uint32_t bytes;     /* of integers: products that a lane adds up at once; 0: floats */
  const char *family; /* of the kernels that do most of it; NULL where it is not known */
  bool known;         /* false: an operator whose multiply-adds are not counted, if it has any */
} hy__cost;
void hy__cost_of(const hy__step *step, const hy__step_info *info, hy__cost *out);

/* Of one step in a plan of so many bytes in all. */
double hy__cost_floor_us(const hy__cost *cost, const hy__limits *limits, size_t arena_bytes,
                         size_t weight_bytes, uint32_t n_threads);
/* Of the whole batch; a step's too, all of its blocks together. */
double hy__plan_macs(const hy__plan *plan);
double hy__plan_times(const hy__plan *plan); /* how often a step runs, the last block by its rows */
double hy__plan_step_floor_us(const hy__plan *plan, size_t step, const hy__limits *limits,
                              uint32_t n_threads);
double hy__plan_floor_us(const hy__plan *plan, const hy__limits *limits, uint32_t n_threads);

#endif
