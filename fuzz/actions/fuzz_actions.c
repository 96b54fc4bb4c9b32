/* SPDX-License-Identifier: Apache-2.0
 * Any text as a table of corporate actions, and what it does to a small universe. */
#include "market/action.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void apply(hy_runtime *runtime, const hy_actions *actions) {
  static const int64_t time_ns[] = {1704067200000000000, 1704153600000000000, 1709251200000000000};
  static const double close[] = {10, 20, 11, 21, 12, 22};
  static const char *const symbols[] = {"A", "B"}, *const fields[] = {"close"};
  const double *cells[] = {close};
  const hy_panel panel = {.struct_size = sizeof panel,
                          .n_bars = 3,
                          .n_symbols = 2,
                          .n_fields = 1,
                          .time_ns = time_ns,
                          .symbols = symbols,
                          .fields = fields,
                          .data = cells};
  hy_universe *u, *adjusted;
  if (hy_universe_from_panel(runtime, &panel, &u, NULL) != HY_OK) return;
  if (hy_universe_adjust(runtime, u, actions, INT64_MAX, &adjusted, NULL) == HY_OK)
    hy_universe_destroy(adjusted);
  hy_universe_destroy(u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const hy_runtime_options o = {.struct_size = sizeof o, .n_threads = 1, .no_pinning = true};
  const hy__source source = {
      .allocator = &hy__allocator_libc, .path = "fuzz", .text = (const char *)data, .bytes = size};
  hy_runtime *runtime;
  hy_actions *actions;
  hy_error err;
  if (size == 0 || hy_runtime_create(&o, &runtime, NULL) != HY_OK) return 0;
  if (hy__actions_begin(&hy__allocator_libc, &actions, &err) == HY_OK) {
    hy_status status = hy__actions_parse(actions, &source, data[0] & 1 ? "UTC+2" : NULL, &err);
    if (status == HY_OK) status = hy__actions_settle(actions, &err);
    if (status == HY_OK) apply(runtime, actions);
    hy_actions_destroy(actions);
  }
  hy_runtime_destroy(runtime);
  return 0;
}
