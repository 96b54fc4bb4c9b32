/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an ONNX model: read, planned for small shapes, and run once. Nothing may crash,
 * hang, leak or allocate without bound. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <hayate/session.h>

#include "../ceiling.h"

enum {
  PORTS_MAX = 16,
  ROUNDS_MAX = 1000,
  OPEN_DIM = 2,
  ELEMENTS_MAX = 1 << 16,
  MEMORY_MAX = 1 << 24
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Zeros in a shape that fits the port; false where it would be large or is not a plain tensor. */
static int input_make(const hy_port *port, hy_tensor *t) {
  size_t n = 1;
  *t = (hy_tensor){.dtype = port->dtype, .rank = port->rank < 0 ? 1 : port->rank};
  if (port->dtype == HY_DTYPE_NONE || port->dtype == HY_STRING) return 0;
  for (int32_t d = 0; d < t->rank; d++) {
    t->dims[d] = port->rank < 0 || port->dims[d] < 0 ? OPEN_DIM : port->dims[d];
    if (t->dims[d] > ELEMENTS_MAX) return 0;
    n *= (size_t)t->dims[d];
    if (n > ELEMENTS_MAX) return 0;
  }
  t->data = calloc(n + 1, hy_dtype_bytes(t->dtype));
  return t->data != NULL;
}

/* What is no plain tensor gets nothing, or a sequence of none. */
static int value_make(const hy_port *port, size_t k, hy_value *v) {
  *v = (hy_value){.kind = k % 2 ? HY_VALUE_NONE : HY_VALUE_SEQUENCE};
  if (port->dtype == HY_DTYPE_NONE) return 1;
  v->kind = HY_VALUE_TENSOR;
  return input_make(port, &v->tensor);
}

static void run(hy_session *session, const hy_model *model) {
  hy_value in[PORTS_MAX] = {{0}}, out[PORTS_MAX] = {{0}};
  size_t n_in = hy_model_n_inputs(model), n_out = hy_session_n_outputs(session);
  int good = n_in <= PORTS_MAX && n_out <= PORTS_MAX;
  for (size_t k = 0; good && k < n_in; k++) good = value_make(hy_model_input(model, k), k, &in[k]);
  if (good) good = hy_session_run_values(session, in, n_in, out, n_out, NULL) == HY_OK;
  for (size_t k = 0; k < PORTS_MAX; k++) free(in[k].tensor.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  hy_model *model;
  hy_session *session;
  hy_runtime *runtime = fuzz_runtime(MEMORY_MAX, HY_ISA_DEFAULT);
  if (!runtime) return 0;
  if (hy_model_open_memory(runtime, data, size, NULL, &model, NULL) == HY_OK) {
    hy_session_options limits = {.struct_size = sizeof limits, .max_rounds = ROUNDS_MAX};
    if (hy_session_create(model, &limits, &session, NULL) == HY_OK) {
      run(session, model);
      hy_session_destroy(session);
    }
    hy_model_destroy(model);
  }
  fuzz_runtime_end(runtime);
  return 0;
}
