/* SPDX-License-Identifier: Apache-2.0
 * The parts of hy_bench_run: the case (what goes in), the measuring, the report. */
#ifndef HY_ENGINE_BENCH_H
#define HY_ENGINE_BENCH_H

#include <hayate/bench.h>

#include "base/base.h"
#include "codec/codec.h"

/* What goes in and where outputs go. All of it in `arena` but the inputs' elements. */
typedef struct hy__bench_case {
  const hy_allocator *allocator;
  hy__arena *arena;
  size_t n_sets, n_in, n_out;
  uint64_t batch;
  hy_tensor *in;  /* [n_sets][n_in], dense */
  hy_tensor *out; /* [2][n_out]: ours, the peer's; data NULL until the outputs' dims are known */
  const char **in_names, **out_names;
  void *memory; /* of all elements */
  size_t memory_bytes;
} hy__bench_case;

/* The caller has set allocator and arena. */
HY_CHECKED hy_status hy__bench_case_make(const hy_model *model, const hy_bench_options *options,
                                         hy__bench_case *out, hy_error *err);
/* Memory for both sides' outputs, from the dims of a first answer. */
HY_CHECKED hy_status hy__bench_case_outputs(hy__bench_case *c, const hy_tensor *made,
                                            hy_error *err);
void hy__bench_case_destroy(hy__bench_case *c); /* not the arena */

/* How the two sides' outputs compare. */
typedef struct hy__bench_agreement {
  bool compared, agrees;
  double max_abs, scale; /* floats: the largest difference, the largest magnitude */
  uint64_t mismatched;   /* elements past the tolerance, or of other types and not equal */
  size_t sets;
} hy__bench_agreement;
/* Adds what the case's outputs hold now. */
void hy__bench_compare(const hy__bench_case *c, hy_precision precision, hy__bench_agreement *into);

/* Times of one side in microseconds; sorted once measured. */
typedef struct hy__bench_times {
  float *us;
  size_t n, capacity;
} hy__bench_times;

struct hy_bench {
  const hy_allocator *allocator;
  hy__arena *arena;
  hy_bench_figures ours, peer;
  bool has_peer;
  hy__bench_times our_times, peer_times, spin_times;
  double spin_p99_us, spin_p50_us;
  hy__bench_agreement agreement;
  const char *cpu;
  size_t n_sets;
  uint64_t rows;
};

#endif
