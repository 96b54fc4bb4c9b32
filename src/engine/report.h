/* SPDX-License-Identifier: Apache-2.0
 * What the reports of this room share: a line of text to a sink, shapes as text. */
#ifndef HY_ENGINE_REPORT_H
#define HY_ENGINE_REPORT_H

#include "base/base.h"
#include "codec/codec.h"
#include "kernel/kernel.h"

#include <hayate/array.h>

enum { HY__REPORT_SHAPE = 128 };

/* Formats and writes; what is past 511 bytes is cut. */
hy_status hy__report_say(const hy_sink *sink, hy_error *err, const char *format, ...)
    HY_PRINTF(3, 4);
/* "f32[1,60,40]"; open dims by name (names may be NULL) or '?'. */
void hy__report_shape(const hy_tensor *t, const char *const *names, char text[HY__REPORT_SHAPE]);
/* The row of a family that a mask gets, and NULL where there is no such family. */
const hy__kernel_row *hy__report_kernel(const char *family, uint32_t cpu_mask);

#endif
