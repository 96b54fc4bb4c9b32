/* SPDX-License-Identifier: Apache-2.0 */
/* Values that need not be tensors: sequences and optionals, as a few models take or give them. */
#ifndef HAYATE_VALUE_H
#define HAYATE_VALUE_H

#include <hayate/array.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hy_value_kind {
  HY_VALUE_NONE = 0, /* an optional without a value */
  HY_VALUE_TENSOR = 1,
  HY_VALUE_SEQUENCE = 2
} hy_value_kind;

/* A view of a value that someone else owns. An optional that has a value is that value. Maps (the
 * outputs of ZipMap) come as tensors [rows, classes]. */
typedef struct hy_value {
  hy_value_kind kind;
  hy_tensor tensor; /* TENSOR; of a SEQUENCE the dtype alone: its elements' (NONE if not known) */
  const struct hy_value *items; /* SEQUENCE */
  size_t n_items;
} hy_value;

#ifdef __cplusplus
}
#endif
#endif
