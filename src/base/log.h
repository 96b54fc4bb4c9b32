/* SPDX-License-Identifier: Apache-2.0
 * Structured logs: an event name and key-value pairs; text on a terminal, one JSON object per line
 * otherwise. */
#ifndef HY_BASE_LOG_H
#define HY_BASE_LOG_H

#include <hayate/runtime.h>

typedef enum hy__log_kind { HY__LOG_TEXT, HY__LOG_I64, HY__LOG_F64 } hy__log_kind;

typedef struct hy__log_field {
  const char *key;
  hy__log_kind kind;
  union {
    const char *text;
    int64_t i64;
    double f64;
  } as;
} hy__log_field;

#define HY_LOG_TEXT(k, v) ((hy__log_field){.key = (k), .kind = HY__LOG_TEXT, .as.text = (v)})
#define HY_LOG_I64(k, v)  ((hy__log_field){.key = (k), .kind = HY__LOG_I64, .as.i64 = (int64_t)(v)})
#define HY_LOG_F64(k, v)  ((hy__log_field){.key = (k), .kind = HY__LOG_F64, .as.f64 = (v)})

/* hy__log(rt, HY_LOG_WARN, "spec hash absent", (hy__log_field[]){...}, n) */
void hy__log(const hy_runtime *runtime, hy_log_level level, const char *event,
             const hy__log_field *fields, size_t n_fields);

#endif
