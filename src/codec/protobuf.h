/* SPDX-License-Identifier: Apache-2.0
 * The protobuf wire format (protobuf.dev, "Encoding"), bounded, over hy__span: fields one at a
 * time, and the runs of repeated numbers that make up most of a model file. The ONNX reader stands
 * on it. */
#ifndef HY_CODEC_PROTOBUF_H
#define HY_CODEC_PROTOBUF_H

#include <hayate/array.h>

#include "base/base.h"

typedef enum hy__pb_wire {
  HY__PB_VARINT = 0,
  HY__PB_FIXED64 = 1,
  HY__PB_BYTES = 2,
  HY__PB_FIXED32 = 5
} hy__pb_wire;

typedef struct hy__pb_field {
  uint32_t number;
  hy__pb_wire wire;
  uint64_t value; /* VARINT, FIXED64, FIXED32 */
  hy__span
      bytes; /* BYTES: a span that keeps the outermost begin, so offsets count from the file's */
} hy__pb_field;

/* The next field; false at the end and at the first malformed byte, which latches s->failed. Groups
 * (wire types 3 and 4) are malformed. */
bool hy__pb_next(hy__span *s, hy__pb_field *out);

/* Lists that several attributes and tensors reuse: grown, never shrunk. */
typedef struct hy__pb_list {
  void *items;
  size_t capacity, n;
} hy__pb_list;
void hy__pb_list_free(hy__pb_list *list, const hy_allocator *a, size_t each);

/* Appends field `f` of a repeated 64-bit varint (packed or not) to list of int64_t, and every
 * further field of the same number that follows directly in s. BAD_FORMAT where the bytes are not
 * that. */
HY_CHECKED hy_status hy__pb_varints(hy__span *s, const hy__pb_field *f, const hy_allocator *a,
                                    hy__pb_list *list, hy_error *err);
/* The same for fixed 32-bit (each 4) and fixed 64-bit (each 8) elements. */
HY_CHECKED hy_status hy__pb_fixed(hy__span *s, const hy__pb_field *f, size_t each,
                                  const hy_allocator *a, hy__pb_list *list, hy_error *err);
/* The same for length-delimited elements, to a list of hy_string that point into the file. */
HY_CHECKED hy_status hy__pb_strings(hy__span *s, const hy__pb_field *f, const hy_allocator *a,
                                    hy__pb_list *list, hy_error *err);

/* --- the same into memory of known size --- */

/* Elements so far; items NULL: they are only counted. More than capacity is BAD_FORMAT. */
typedef struct hy__pb_ints32 {
  int32_t *items;
  size_t n, capacity;
} hy__pb_ints32;
/* As hy__pb_varints; what 32 bits do not hold becomes INT32_MIN. */
HY_CHECKED hy_status hy__pb_narrow(hy__span *s, const hy__pb_field *f, hy__pb_ints32 *list,
                                   hy_error *err);

typedef struct hy__pb_floats {
  float *items;
  size_t n, capacity;
} hy__pb_floats;
HY_CHECKED hy_status hy__pb_float_run(hy__span *s, const hy__pb_field *f, hy__pb_floats *list,
                                      hy_error *err);

/* Texts out of a few, up to 16 bytes each, as their values. */
enum { HY__PB_CHOICE_SLOTS = 64, HY__PB_CHOICE_BYTES = 16 };
typedef struct hy__pb_choices {
  struct {
    uint64_t word[2]; /* the text, zeros behind it */
    uint8_t len, value;
  } slots[HY__PB_CHOICE_SLOTS]; /* no two texts share one */
  uint64_t factor;
  uint8_t *items;
  size_t n, capacity;
} hy__pb_choices;
/* Of texts that differ; false: there is no room for all. A run with any other is BAD_FORMAT. */
bool hy__pb_choices_make(const char *const *texts, const uint8_t *values, size_t n,
                         hy__pb_choices *out);
HY_CHECKED hy_status hy__pb_choice_run(hy__span *s, const hy__pb_field *f, hy__pb_choices *list,
                                       hy_error *err);

/* BAD_FORMAT at the place of s, "malformed protobuf in WHAT". */
hy_status hy__pb_malformed(const hy__span *s, const char *what, hy_error *err);

#endif
