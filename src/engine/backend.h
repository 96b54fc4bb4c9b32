/* SPDX-License-Identifier: Apache-2.0
 * ONNX Runtime as a peer: its library, loaded when the program runs, behind a few calls. */
#ifndef HY_ENGINE_BACKEND_H
#define HY_ENGINE_BACKEND_H

#include <hayate/session.h>

#include "base/base.h"

typedef struct hy__ort hy__ort;

typedef struct hy__ort_options {
  const hy_allocator *allocator;
  const char *library, *model; /* paths; must outlive it */
  uint32_t n_threads;
  bool spins;
} hy__ort_options;

/* Opens the library and its environment. Errors: NOT_FOUND (no such library, or it is none),
 * UNSUPPORTED (too old). */
HY_CHECKED hy_status hy__ort_open(const hy__ort_options *options, hy__ort **out, hy_error *err);
void hy__ort_close(hy__ort *ort); /* NULL is fine */
const char *hy__ort_version(const hy__ort *ort);

/* Makes the session; the one before goes. Whatever the library says is UNSUPPORTED. */
HY_CHECKED hy_status hy__ort_load(hy__ort *ort, hy_error *err);

/* Values over the caller's memory, made once: n_sets of n_in inputs each, and n_out outputs whose
 * dtype and dims are known (from ours). in_names, out_names and the memory must outlive it.
 * Outputs that are strings or no tensors are made by the library at each run. */
typedef struct hy__ort_binding {
  const hy_tensor *in; /* [n_sets][n_in] */
  size_t n_sets, n_in;
  const char *const *in_names;
  hy_tensor *out; /* [n_out], data NULL: not compared */
  size_t n_out;
  const char *const *out_names;
} hy__ort_binding;
HY_CHECKED hy_status hy__ort_bind(hy__ort *ort, const hy__ort_binding *binding, hy_error *err);
HY_CHECKED hy_status hy__ort_run(hy__ort *ort, size_t set, hy_error *err);

#endif
