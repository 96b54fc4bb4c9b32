/* SPDX-License-Identifier: Apache-2.0
 * Specs from arbitrary bytes, as an inline list or as YAML: a program or a refusal with a place. */
#include "feature/feature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_yaml(hy_runtime *runtime, const char *text, size_t bytes) {
  hy__arena *arena;
  const hy__yaml *root;
  hy_features *f;
  hy_error err;
  const hy__fit_source no_file = {.none = true}; /* a step may name one */
  if (hy__arena_create(&hy__allocator_libc, 4096, 64 << 20, &arena, &err) != HY_OK) return;
  if (hy__yaml_parse(text, bytes, "fuzz", arena, &root, &err) == HY_OK &&
      hy__features_create_node(runtime, root, "fuzz", &no_file, &f, &err) == HY_OK)
    hy_features_destroy(f);
  hy__arena_destroy(arena);
}

/* An inline list; a slash could name a file of this machine, which is no part of the test. */
static void try_list(hy_runtime *runtime, const char *text, size_t bytes) {
  hy__buffer b;
  hy_features *f;
  hy_error err;
  hy__buffer_init(&b, &hy__allocator_libc, 1 << 20);
  if (hy__buffer_append(&b, "r=close;", 8, &err) == HY_OK &&
      hy__buffer_append(&b, text, bytes, &err) == HY_OK &&
      hy_features_create(runtime, b.data, &f, &err) == HY_OK)
    hy_features_destroy(f);
  hy__buffer_destroy(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  hy_runtime *runtime;
  hy_error err;
  hy_runtime_options o = {
      .struct_size = sizeof o, .n_threads = 1, .no_pinning = true, .isa = HY_ISA_SCALAR};
  if (size > 1 << 16 || hy_runtime_create(&o, &runtime, &err) != HY_OK) return 0;
  try_yaml(runtime, (const char *)data, size);
  try_list(runtime, (const char *)data, size);
  hy_runtime_destroy(runtime);
  return 0;
}
