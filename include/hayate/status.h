/* SPDX-License-Identifier: Apache-2.0 */
/* Status codes and the caller's error record: what every fallible call of hayate answers with. */
#ifndef HAYATE_STATUS_H
#define HAYATE_STATUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define HY_API     __attribute__((visibility("default")))
#define HY_CHECKED __attribute__((warn_unused_result))
#define HY_PRINTF(format_index, first_index)                                                       \
  __attribute__((format(printf, format_index, first_index)))
#else
#define HY_API
#define HY_CHECKED
#define HY_PRINTF(format_index, first_index)
#endif

typedef enum hy_status {
#define HY_STATUS(number, name, klass, http, grpc, exit_status, text) HY_##name = number,
#include <hayate/status.inc>
#undef HY_STATUS
} hy_status;

/* Where and why a call failed. Plain memory of the caller's, 512 bytes, no pointers: copy it
 * freely. `subject` is the file, tensor, symbol or feature concerned; line and column count from 1
 * (0: none); offset_bytes counts from 0 (-1: none). Thread rule: single-writer. */
typedef struct hy_error {
  int32_t status; /* an hy_status */
  int32_t line;
  int32_t column;
  int32_t reserved;
  int64_t offset_bytes;
  char subject[128];
  char message[360];
} hy_error;

/* Resets an error to HY_OK with no place. NULL is fine. */
HY_API void hy_error_clear(hy_error *err);

/* Writes "subject:line:column: message" into text (always terminated, cut if needed);
 * returns the length that a large enough buffer would have got. */
HY_API size_t hy_error_format(const hy_error *err, char *text, size_t text_bytes);

HY_API const char *hy_status_name(hy_status status); /* "BAD_FORMAT"; "UNKNOWN" for others */
HY_API const char *hy_status_text(hy_status status);
HY_API const char *hy_status_class(hy_status status);
HY_API int hy_status_exit(hy_status status); /* the command's exit status, design: 0 1 2 3 130 */
HY_API int hy_status_http(hy_status status);
HY_API int hy_status_grpc(hy_status status);

#ifdef __cplusplus
}
#endif
#endif
