/* SPDX-License-Identifier: Apache-2.0
 * Any bytes as a model of trees: opened, a session made, run once on a few rows. */
#ifndef FUZZ_MODEL_H
#define FUZZ_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include <hayate/session.h>

#include "ceiling.h"

enum { FUZZ_ROWS = 3, FUZZ_FEATURES = 512, FUZZ_MEMORY = 1 << 25 };

static inline void fuzz_session(hy_model *model) {
  static double zeros[FUZZ_ROWS * FUZZ_FEATURES];
  hy_session *session;
  const hy_port *port = hy_model_input(model, 0);
  if (!port || port->rank != 2 || port->dims[1] < 0 || port->dims[1] > FUZZ_FEATURES) return;
  if (hy_session_create(model, NULL, &session, NULL) != HY_OK) return;
  hy_tensor x = {.data = zeros, .dtype = port->dtype, .rank = 2}, out[2] = {{0}};
  x.dims[0] = FUZZ_ROWS;
  x.dims[1] = port->dims[1];
  if (hy_session_n_outputs(session) == 2) (void)!hy_session_run(session, &x, 1, out, 2, NULL);
  hy_session_destroy(session);
}

static inline void fuzz_model(const uint8_t *data, size_t size) {
  hy_model *model;
  hy_runtime *runtime = fuzz_runtime(FUZZ_MEMORY, HY_ISA_DEFAULT);
  if (!runtime) return;
  if (hy_model_open_memory(runtime, data, size, NULL, &model, NULL) == HY_OK) {
    fuzz_session(model);
    hy_model_destroy(model);
  }
  fuzz_runtime_end(runtime);
}

#endif
