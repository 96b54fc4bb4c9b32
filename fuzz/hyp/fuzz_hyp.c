/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a .hyp container: its table, its golden arrays, its packed weights, its model, which
 * is planned and run on the golden input. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <hayate/session.h>

#include "../ceiling.h"
#include "../container.h"

enum { SIZE_MOST = 1 << 20, PORTS = 16, MEMORY = 1 << 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(hy_model *model, const hy__golden *golden) {
  hy_session *session;
  hy_tensor in[PORTS] = {{0}}, out[PORTS] = {{0}};
  size_t n_in = hy_model_n_inputs(model);
  if (hy_session_create(model, NULL, &session, NULL) != HY_OK) return;
  if (n_in == golden->n && n_in <= PORTS && hy_session_n_outputs(session) <= PORTS) {
    for (size_t k = 0; k < n_in; k++) in[k] = golden->tensors[k];
    hy_status status = hy_session_run(session, in, n_in, out, hy_session_n_outputs(session), NULL);
    (void)status;
  }
  hy_session_destroy(session);
}

static void open_all(hy_runtime *runtime, const uint8_t *file, size_t size) {
  hy__arena *arena;
  hy__hyp hyp;
  hy_model *model;
  hy__golden golden = {0};
  if (hy__arena_create(hy__runtime_allocator(runtime), 0, 0, &arena, NULL) != HY_OK) return;
  if (hy__hyp_read(file, size, arena, &hyp, NULL) == HY_OK)
    for (size_t i = 0; i < hyp.n; i++) {
      hy_status status = hy__hyp_check(&hyp.sections[i], NULL);
      if (status != HY_OK) continue;
      uint32_t kind = hyp.sections[i].kind;
      hy__golden read;
      if ((kind == HY__HYP_GOLDEN_IN || kind == HY__HYP_GOLDEN_OUT) &&
          hy__golden_read(&hyp.sections[i], arena, &read, NULL) == HY_OK &&
          kind == HY__HYP_GOLDEN_IN)
        golden = read;
    }
  if (hy_model_open_memory(runtime, file, size, NULL, &model, NULL) == HY_OK) {
    run(model, &golden);
    hy_model_destroy(model);
  }
  hy__arena_destroy(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  void *file = NULL;
  if (size > SIZE_MOST || !size || posix_memalign(&file, 64, size)) return 0;
  memcpy(file, data, size);
  fuzz_revise(file, size);
  fuzz_mend(file, size);
  hy_runtime *runtime = fuzz_runtime(MEMORY, HY_ISA_SCALAR);
  if (runtime) open_all(runtime, file, size);
  fuzz_runtime_end(runtime);
  free(file);
  return 0;
}
