/* SPDX-License-Identifier: Apache-2.0 */
/* Measuring a model: latency, throughput, load time and memory on rotating inputs, beside ONNX
 * Runtime in the same process where its library is given. */
#ifndef HAYATE_BENCH_H
#define HAYATE_BENCH_H

#include <hayate/session.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hy_bench_options {
  size_t struct_size;
  uint32_t n_threads;        /* of both; 0: 1 */
  uint64_t batch;            /* what open batch dims become; 0: 1 */
  const char *const *shapes; /* "name=1x60x40" for inputs whose other dims are open */
  size_t n_shapes;
  const char *const *input_names; /* arrays of rows to rotate among; NULL: random rows */
  const hy_tensor *inputs;        /* dense; each of the input's shape, or more rows of it */
  size_t n_inputs;
  uint64_t rows;          /* rotate among at least so many; 0: 64, for trees 4096 */
  uint64_t runs;          /* of each; 0: as many as `seconds` hold */
  double seconds;         /* of each; 0: 1 */
  uint64_t seed;          /* 0: 7 */
  const char *peer;       /* the path of libonnxruntime.so; NULL: none */
  hy_precision precision; /* of ours; the peer's is float32 */
  bool peer_spins;        /* lets the peer's workers spin between runs */
  hy_progress_fn progress;
  void *progress_ctx;
} hy_bench_options;

/* The answer. Immutable. */
typedef struct hy_bench hy_bench;

/* The path names a model file. Errors: those of opening and running it; INVALID_ARGUMENT (an open
 * dim without a shape), UNSUPPORTED (the peer cannot take this model), NOT_FOUND, CANCELLED. */
HY_API HY_CHECKED hy_status hy_bench_run(hy_runtime *runtime, const char *path,
                                         const hy_bench_options *options, hy_bench **out,
                                         hy_error *err);
HY_API void hy_bench_destroy(hy_bench *bench);

/* Of one side. Strings live as long as the bench. */
typedef struct hy_bench_figures {
  size_t struct_size;
  const char *model, *backend, *isa, *precision, *mode;
  uint64_t batch, threads, runs;
  double p50_us, p99_us, p999_us, mean_us, min_us;
  double rows_per_s; /* at the median */
  double load_ms;    /* opening, planning and packing: the first answer less a run's time */
  double answer_ms;  /* from opening the file to the first answer; medians of several loads */
  double floor_us;   /* 0: none is known */
  double multiply_adds, peak_share; /* of a run; their rate over the machine's, 0 unknown */
  size_t arena_bytes, weight_bytes;
  size_t anon_bytes; /* by which the first load and answer raised the anonymous memory */
} hy_bench_figures;
/* False, and nothing written, where there is no peer. */
HY_API bool hy_bench_ours(const hy_bench *bench, hy_bench_figures *out);
HY_API bool hy_bench_peer(const hy_bench *bench, hy_bench_figures *out);
/* Whether both gave the same outputs: floats within 1e-5 of the largest magnitude + 1e-6, the rest
 * equal. True without a peer. */
HY_API bool hy_bench_agrees(const hy_bench *bench);
/* For people, with a histogram if wanted; or one JSON object. */
HY_API HY_CHECKED hy_status hy_bench_write_text(const hy_bench *bench, bool histogram,
                                                const hy_sink *sink, hy_error *err);
HY_API HY_CHECKED hy_status hy_bench_write_json(const hy_bench *bench, const hy_sink *sink,
                                                hy_error *err);

#ifdef __cplusplus
}
#endif
#endif
