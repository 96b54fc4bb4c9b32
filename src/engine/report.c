/* SPDX-License-Identifier: Apache-2.0 */
/* Text that the reports of this room share, and the report on the kernel table. */
#include "engine/report.h"

#include <stdarg.h>
#include <stdio.h>

#include <hayate/inspect.h>

enum { LINE = 512 };

hy_status hy__report_say(const hy_sink *sink, hy_error *err, const char *format, ...) {
  char line[LINE];
  va_list list;
  va_start(list, format);
  int n = vsnprintf(line, sizeof line, format, list);
  va_end(list);
  return sink->write(sink->ctx, line, (size_t)HY_MIN(HY_MAX(n, 0), LINE - 1), err);
}

void hy__report_shape(const hy_tensor *t, const char *const *names, char text[HY__REPORT_SHAPE]) {
  size_t used = (size_t)snprintf(text, HY__REPORT_SHAPE, "%s[", hy_dtype_name(t->dtype));
  for (int32_t d = 0; d < t->rank && used + 40 < HY__REPORT_SHAPE; d++) {
    const char *mark = d ? "," : "";
    char *at = text + used;
    size_t left = HY__REPORT_SHAPE - used;
    if (t->dims[d] >= 0)
      used += (size_t)snprintf(at, left, "%s%lld", mark, (long long)t->dims[d]);
    else
      used += (size_t)snprintf(at, left, "%s%.32s", mark, names && names[d] ? names[d] : "?");
  }
  (void)snprintf(text + used, HY__REPORT_SHAPE - used, "]");
}

/* --- kernels --- */

const hy__kernel_row *hy__report_kernel(const char *family, uint32_t cpu_mask) {
  for (size_t i = 0; i < hy__kernel_row_count(); i++) {
    const hy__kernel_row *row = hy__kernel_row_at(i);
    bool may = row->checked && (row->cpu_mask & cpu_mask) == row->cpu_mask;
    if (may && strcmp(row->family, family) == 0) return row;
  }
  return NULL;
}

/* Why a row is not the chosen one. */
static const char *why_not(const hy__kernel_row *row, const hy_runtime *runtime,
                           uint32_t machine_mask) {
  uint32_t mask = hy__runtime_cpu(runtime)->mask;
  if (hy__report_kernel(row->family, mask) == row) return "chosen";
  if ((row->cpu_mask & machine_mask) != row->cpu_mask) return "the machine lacks it";
  if ((row->cpu_mask & mask) != row->cpu_mask) return "the instruction set was limited";
  if (!row->checked) return "never checked on such hardware";
  return "a better row is above";
}

static void kernel_json(hy__json_writer *w, const hy__kernel_row *row, const char *why) {
  hy__json_object_begin(w);
  hy__json_member_text(w, "family", row->family);
  hy__json_member_text(w, "isa", row->isa);
  hy__json_member_bool(w, "chosen", strcmp(why, "chosen") == 0);
  hy__json_member_text(w, "why", why);
  hy__json_member_bool(w, "checked", row->checked);
  hy__json_member_f64(w, "tolerance_ulp", row->tolerance);
  hy__json_member_text(w, "reason", row->reason);
  hy__json_object_end(w);
}

static hy_status kernels_text(const hy_runtime *runtime, uint32_t machine, const hy_sink *sink,
                              hy_error *err) {
  const char *family = "";
  HY_TRY(hy__report_say(sink, err, "instruction set %s\n", hy_isa_name(hy_runtime_isa(runtime))));
  for (size_t i = 0; i < hy__kernel_row_count(); i++) {
    const hy__kernel_row *row = hy__kernel_row_at(i);
    const char *why = why_not(row, runtime, machine);
    char ulp[HY_NUMBER_TEXT];
    (void)hy__format_f64(row->tolerance, ulp);
    HY_TRY(hy__report_say(sink, err, "  %-12s %-8s %s %-32s %5s ULP %s\n",
                          strcmp(family, row->family) == 0 ? "" : row->family, row->isa,
                          strcmp(why, "chosen") == 0 ? "*" : " ", why, ulp, row->reason));
    family = row->family;
  }
  return HY_OK;
}

hy_status hy_kernels_list(const hy_runtime *runtime, bool json, const hy_sink *sink,
                          hy_error *err) {
  hy_error_clear(err);
  HY_FAIL_IF(!runtime || !sink, HY_INVALID_ARGUMENT, err, "runtime and sink must not be NULL");
  hy__cpu machine;
  hy__cpu_detect(&machine);
  if (!json) return kernels_text(runtime, machine.mask, sink, err);
  hy__json_writer w;
  hy__json_begin(&w, *sink, 0);
  hy__json_object_begin(&w);
  hy__json_member_text(&w, "isa", hy_isa_name(hy_runtime_isa(runtime)));
  hy__json_key(&w, "kernels");
  hy__json_array_begin(&w);
  for (size_t i = 0; i < hy__kernel_row_count(); i++) {
    const hy__kernel_row *row = hy__kernel_row_at(i);
    kernel_json(&w, row, why_not(row, runtime, machine.mask));
  }
  hy__json_array_end(&w);
  hy__json_object_end(&w);
  return hy__json_end(&w, err);
}
