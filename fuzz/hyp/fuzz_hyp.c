/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a .hyp container: its table, its golden arrays, its packed weights, its model, which
 * is planned and run on the golden input. Checksums are put right first, since a fuzzer cannot
 * guess them and nothing may depend on them. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <hayate/session.h>

#include "base/base.h"
#include "codec/codec.h"
#include "engine/packed.h"

enum { HEADER = 64, HASHED = 48, ENTRY = 160, SIZE_MOST = 1 << 20, PORTS = 16, MEMORY = 1 << 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t had;
static void *take(void *ctx, size_t bytes, size_t align) {
  void *p = NULL;
  (void)ctx;
  if (bytes > MEMORY - had || posix_memalign(&p, align < 16 ? 16 : align, bytes)) return NULL;
  had += bytes;
  return p;
}
static void give(void *ctx, void *p, size_t bytes) {
  (void)ctx;
  had -= bytes;
  free(p);
}

static uint64_t number(const uint8_t *at, size_t n) {
  uint64_t v = 0;
  for (size_t i = 0; i < n; i++) v |= (uint64_t)at[i] << (8 * i);
  return v;
}

/* The checksums of the sections that lie inside, then those of the table; the size too. */
static void mend(uint8_t *file, size_t size) {
  if (size < HEADER) return;
  uint64_t n = number(file + 12, 4), whole = size;
  if (n > (size - HEADER) / ENTRY) return;
  memcpy(file + 16, &whole, 8);
  for (uint64_t i = 0; i < n; i++) {
    uint8_t *entry = file + HEADER + i * ENTRY;
    uint64_t offset = number(entry + 8, 8), bytes = number(entry + 16, 8);
    if (offset > size || bytes > size - offset) continue;
    hy__hash128 hash = hy__hash(file + offset, (size_t)bytes);
    memcpy(entry + 24, &hash, sizeof hash);
  }
  hy__hash128 parts[2] = {hy__hash(file, HASHED), hy__hash(file + HEADER, (size_t)n * ENTRY)};
  hy__hash128 hash = hy__hash(parts, sizeof parts);
  memcpy(file + HASHED, &hash, sizeof hash);
}

/* The packed weights are used only where the build is the same. */
static void revise(uint8_t *file, size_t size) {
  uint64_t revision = hy__pack_revision();
  if (size >= HEADER && (file[24] & 1)) memcpy(file + 24, &revision, sizeof revision);
}

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
  hy_runtime *runtime;
  void *file = NULL;
  if (size > SIZE_MOST || !size || posix_memalign(&file, 64, size)) return 0;
  memcpy(file, data, size);
  revise(file, size);
  mend(file, size);
  had = 0;
  hy_allocator allocator = {take, give, NULL};
  hy_runtime_options options = {.struct_size = sizeof options,
                                .allocator = &allocator,
                                .n_threads = 1,
                                .isa = HY_ISA_SCALAR,
                                .log_level = HY_LOG_OFF};
  if (hy_runtime_create(&options, &runtime, NULL) == HY_OK) {
    open_all(runtime, file, size);
    hy_runtime_destroy(runtime);
  }
  if (had) abort(); /* a leak */
  free(file);
  return 0;
}
