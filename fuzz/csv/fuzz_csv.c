/* SPDX-License-Identifier: Apache-2.0
 * The whole way of a text file into rows and onto an axis, in memory: recognition, plan, numbers,
 * stamps, policies. The first byte chooses options. */
#include "market/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static hy_status run(hy__import *im, const hy__source *source, hy_error *err) {
  hy__import_file file = {0};
  HY_TRY(hy__import_plan(im, source, &file, err));
  HY_TRY(hy__import_planned(im, err));
  HY_TRY(hy__import_map(im, &file, err));
  HY_TRY(hy__import_read(im, &file, source, err));
  return hy__import_settle(im, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  const uint8_t choice = data[0];
  const hy_import_options options = {
      .struct_size = sizeof options,
      .dialect = choice & 1 ? hy__dialects[choice / 16 % hy__n_dialects].name : NULL,
      .zone = choice & 2 ? "UTC+2" : NULL,
      .date_order = choice & 4 ? "mdy" : NULL,
      .calendar = choice & 8 ? "24x7" : NULL,
      .stamp = choice & 4 ? HY_STAMP_CLOSE : HY_STAMP_DEFAULT};
  hy_import_report report = {.dialects = ""};
  hy__import im;
  hy_error err;
  const hy__source source = {.allocator = &hy__allocator_libc,
                             .path = "fuzz",
                             .stem = "fuzz_M1",
                             .text = (const char *)data + 1,
                             .bytes = size - 1};
  hy_status status = hy__import_begin(&im, &hy__allocator_libc, &options, &report, &err);
  if (status == HY_OK) status = run(&im, &source, &err);
  (void)status;
  hy__import_end(&im);
  return 0;
}
