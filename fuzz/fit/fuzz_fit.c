/* SPDX-License-Identifier: Apache-2.0
 * Fits from arbitrary bytes, for a spec with a pooled step and one per symbol: constants or a
 * refusal. */
#include "feature/feature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char spec[] = "features: [\"a = close\", \"b = open\"]\n"
                           "norm: [{in: a, fit_z: true}, {in: b, fit_robust: {per: symbol}}]\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  hy_runtime *runtime;
  hy__arena *arena;
  const hy__yaml *root;
  hy_features *f;
  hy_error err;
  hy_runtime_options o = {
      .struct_size = sizeof o, .n_threads = 1, .no_pinning = true, .isa = HY_ISA_SCALAR};
  const hy__fit_source fit = {.path = "fuzz", .data = data, .bytes = size};
  if (size == 0 || size > 1 << 16 || hy_runtime_create(&o, &runtime, &err) != HY_OK) return 0;
  if (hy__arena_create(&hy__allocator_libc, 4096, 64 << 20, &arena, &err) == HY_OK) {
    if (hy__yaml_parse(spec, sizeof spec - 1, "spec", arena, &root, &err) == HY_OK &&
        hy__features_create_node(runtime, root, "spec", &fit, &f, &err) == HY_OK)
      hy_features_destroy(f);
    hy__arena_destroy(arena);
  }
  hy_runtime_destroy(runtime);
  return 0;
}
