/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: a model planned for shapes and an instruction set, ready to run without allocating. */
#ifndef HAYATE_SESSION_H
#define HAYATE_SESSION_H

#include <hayate/model.h>
#include <hayate/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Owns its plans, arena and state; shares the model's packed weights. Thread rule: single-writer.
 */
typedef struct hy_session hy_session;

/* How a session holds the matrices of a model's Gemm, MatMul, LSTM, GRU and RNN that are known when
 * it is planned. Arithmetic is float32 in both. */
typedef enum hy_precision {
  HY_PRECISION_FLOAT32 = 0,
  /* Rounded to the nearest bfloat16 (8 bits of significand): a relative error of up to 2^-9 in
   * each weight, half the bytes to read for a single row. */
  HY_PRECISION_BFLOAT16_WEIGHTS = 1
} hy_precision;
HY_API const char *hy_precision_name(hy_precision precision); /* "float32", "bfloat16" */
/* Errors: INVALID_ARGUMENT (an unknown name). */
HY_API HY_CHECKED hy_status hy_precision_parse(const char *name, hy_precision *out, hy_error *err);

/* hy_session_options.n_threads: the runtime's workers, which its sessions share. A run that finds
 * them at work for another does without; the bits are the same. */
#define HY_THREADS_SHARED UINT32_MAX

typedef struct hy_session_options {
  size_t struct_size;
  /* Workers of the session's own, the caller included; 0 and 1: the caller alone;
   * HY_THREADS_SHARED: the runtime's. */
  uint32_t n_threads;
  const char *const *outputs; /* names to compute, in this order; NULL: all of the model's */
  size_t n_outputs;
  /* What one run may take, so that a model cannot hold its caller up: LIMIT beyond. */
  uint64_t max_rounds; /* of Loop, Scan, SequenceMap, the inner ones counted; 0: 67108864 */
  uint64_t max_bytes;  /* of a plan's arena, or of the values alive in an evaluation; 0: 16 GiB */
  hy_precision precision;
  uint32_t max_run_ms; /* looked at between rounds and between evaluated nodes; 0: none */
} hy_session_options;

HY_API HY_CHECKED hy_status hy_session_create(hy_model *model, const hy_session_options *options,
                                              hy_session **out, hy_error *err);
HY_API void hy_session_destroy(hy_session *session);
/* in: one view per model input in the model's order, out: one per session output. An out with NULL
 * data comes back as a view into the session, valid until its next run; else its dtype and dims
 * must be the result's. The first run at new shapes plans and may allocate; later ones do not.
 * Errors: INVALID_ARGUMENT (which tensor, what was expected), UNSUPPORTED, OUT_OF_MEMORY. */
HY_API HY_CHECKED hy_status hy_session_run(hy_session *session, const hy_tensor *in, size_t n_in,
                                           hy_tensor *out, size_t n_out, hy_error *err);
/* The same for models that take or give sequences and optionals: each output is a view into the
 * session, valid until its next run, and so are the items of a sequence. Inputs are read where they
 * lie, during the call alone. A session whose shapes depend on data, or that meets such a value, is
 * evaluated node by node from then on, in both forms of run: it allocates. */
HY_API HY_CHECKED hy_status hy_session_run_values(hy_session *session, const hy_value *in,
                                                  size_t n_in, hy_value *out, size_t n_out,
                                                  hy_error *err);
HY_API size_t hy_session_n_outputs(const hy_session *session);
HY_API const hy_port *hy_session_output(const hy_session *session, size_t index);

typedef struct hy_session_info {
  size_t struct_size;
  size_t arena_bytes;  /* of the largest plan */
  size_t weight_bytes; /* packed or used in place */
  size_t n_steps;      /* of the latest plan */
  int32_t evaluated;   /* 1: node by node, because the shapes depend on data; there is no plan */
} hy_session_info;
HY_API void hy_session_describe(const hy_session *session, hy_session_info *info);

#ifdef __cplusplus
}
#endif
#endif
