/* SPDX-License-Identifier: Apache-2.0
 * Any bytes as a model of trees: opened, a session made, run once on a few rows. Memory has a
 * ceiling, so that a small file that asks for much is refused; what is not given back is a leak. */
#ifndef FUZZ_MODEL_H
#define FUZZ_MODEL_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <hayate/session.h>

enum { FUZZ_ROWS = 3, FUZZ_FEATURES = 512, FUZZ_MEMORY = 1 << 25 };

static size_t fuzz_had;
static inline void *fuzz_take(void *ctx, size_t bytes, size_t align) {
  void *p = NULL;
  (void)ctx;
  if (bytes > FUZZ_MEMORY - fuzz_had || posix_memalign(&p, align < 16 ? 16 : align, bytes))
    return NULL;
  fuzz_had += bytes;
  return p;
}
static inline void fuzz_give(void *ctx, void *p, size_t bytes) {
  (void)ctx;
  fuzz_had -= bytes;
  free(p);
}

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
  hy_runtime *runtime;
  hy_model *model;
  fuzz_had = 0;
  hy_allocator allocator = {fuzz_take, fuzz_give, NULL};
  hy_runtime_options options = {.struct_size = sizeof options,
                                .allocator = &allocator,
                                .n_threads = 1,
                                .log_level = HY_LOG_OFF};
  if (hy_runtime_create(&options, &runtime, NULL) != HY_OK) return;
  if (hy_model_open_memory(runtime, data, size, NULL, &model, NULL) == HY_OK) {
    fuzz_session(model);
    hy_model_destroy(model);
  }
  hy_runtime_destroy(runtime);
  if (fuzz_had) abort(); /* a leak */
}

#endif
