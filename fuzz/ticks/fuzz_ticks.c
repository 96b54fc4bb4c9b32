/* SPDX-License-Identifier: Apache-2.0
 * Any text as trades, made into bars and onto an axis. The first byte chooses the rule. */
#include "market/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static hy_status run(hy__import *im, hy_runtime *runtime, const hy__source *source, hy_error *err) {
  hy__import_file file = {0};
  HY_TRY(hy__import_plan(im, source, &file, err));
  HY_TRY(hy__import_planned(im, err));
  HY_TRY(hy__import_map(im, &file, err));
  HY_TRY(hy__import_read(im, &file, source, err));
  HY_TRY(hy__import_ticks(im, runtime, err));
  return hy__import_settle(im, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const rules[] = {"tick:2",       "volume:3",    "dollar:50", "time:1m",
                                      "volume:1e-30", "dollar:1e30", "tick:1",    "time:1d"};
  if (size < 2) return 0;
  const hy_import_options options = {.struct_size = sizeof options,
                                     .zone = data[0] & 8 ? "UTC+2" : NULL,
                                     .bars = rules[data[0] & 7],
                                     .carry = data[0] & 16};
  const hy_runtime_options o = {.struct_size = sizeof o, .n_threads = 1, .no_pinning = true};
  hy_import_report report = {.dialects = "", .ignored = "", .source = ""};
  hy_runtime *runtime;
  hy__import im;
  hy_error err;
  const hy__source source = {.allocator = &hy__allocator_libc,
                             .path = "fuzz",
                             .stem = "fuzz",
                             .text = (const char *)data + 1,
                             .bytes = size - 1};
  if (hy_runtime_create(&o, &runtime, NULL) != HY_OK) return 0;
  hy_status status = hy__arena_create(&hy__allocator_libc, 4096, 0, &report.arena, &err);
  if (status == HY_OK) {
    status = hy__import_begin(&im, &hy__allocator_libc, &options, &report, &err);
    if (status == HY_OK) status = run(&im, runtime, &source, &err);
    hy__import_end(&im);
  }
  (void)status;
  hy__arena_destroy(report.arena);
  hy_runtime_destroy(runtime);
  return 0;
}
