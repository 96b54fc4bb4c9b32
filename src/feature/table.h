/* SPDX-License-Identifier: Apache-2.0
 * The definitions: rows of indicator.inc and cross.inc, read into a form that the compiler of specs
 * uses. Rows [0, hy__def_n_indicators()) are time-series, the rest cross-sections. */
#ifndef HY_FEATURE_TABLE_H
#define HY_FEATURE_TABLE_H

#include "codec/codec.h"
#include "feature/indicator.h"

enum {
  HY__DEF_NAME = 16,
  HY__DEF_ID = 32,
  HY__WINDOW_MAX = 100000 /* bars of any window; integers without a range of their own */
};

typedef enum hy__input_kind { HY__INPUT_FREE, HY__INPUT_FIELD, HY__INPUT_CLOCK } hy__input_kind;

typedef struct hy__def_input {
  char name[HY__DEF_NAME];
  hy__input_kind kind;
  bool optional; /* may be left out, with those behind it */
} hy__def_input;

typedef struct hy__def_param {
  char name[HY__DEF_NAME];
  bool integer;
  bool has_default;
  double value; /* the default */
  /* The range; an open bound does not belong to it. */
  double least, most;
  bool open_least, open_most;
} hy__def_param;

typedef struct hy__def {
  const char *id;
  const char *doc;
  uint32_t version;
  uint32_t row;
  hy__ind_class klass;
  bool is_default, is_cross;
  size_t n_inputs, n_free, n_params, n_outputs; /* n_outputs >= 1 */
  hy__def_input inputs[HY__IND_INPUTS];
  hy__def_param params[HY__IND_PARAMS];
  char outputs[HY__IND_OUTPUTS][HY__DEF_NAME]; /* "" for a single output */
} hy__def;

size_t hy__def_n(void);
size_t hy__def_n_indicators(void);
/* INTERNAL when the row is malformed (a test reads them all). */
HY_CHECKED hy_status hy__def_read(size_t row, hy__def *out, hy_error *err);
/* The code of an indicator row for an instruction set. */
const hy__ind_code *hy__def_code(size_t row, hy_isa isa);
/* The same for one series alone, whose rows are one double. */
const hy__ind_code *hy__def_code_one(size_t row);

/* The row that `id` (length bytes) means: an exact id, or a family whose default row is taken;
 * version 0 is the newest. NOT_FOUND suggests the nearest names. */
HY_CHECKED hy_status hy__def_find(const char *id, size_t length, uint32_t version, size_t *row,
                                  hy_error *err);

/* Whether a parameter may have this value. */
bool hy__def_allows(const hy__def_param *param, double v);
enum { HY__RANGE_TEXT = 2 * HY_NUMBER_TEXT + 48 };
/* "a whole number of 1 to 100000", "a number above 0 and below 1": for messages and lists. */
void hy__def_range(const hy__def_param *param, char text[HY__RANGE_TEXT]);

/* "sma(x, n=30)", for messages and lists. */
void hy__def_signature(const hy__def *def, char *text, size_t bytes);

typedef struct hy__ranked {
  uint64_t key; /* orders as the value does */
  size_t index; /* into values */
} hy__ranked;

/* A cross-section of one row of the universe: the values of the symbols for which all inputs have
 * one, in the order of their names, replaced by the result. */
typedef struct hy__cross_step {
  double *values;             /* of the first input */
  double *in[HY__IND_INPUTS]; /* of all; the further ones are free to be overwritten */
  size_t n_in, n;
  const double *p;    /* parameters in the row's order, min_names last */
  hy__ranked *ranked; /* scratch of 2 n; what is sorted comes first */
} hy__cross_step;
/* Of scratch per symbol, beside `ranked`: the values, and which symbols they are of. */
enum { HY__CROSS_BYTES = HY__IND_INPUTS * sizeof(double) + sizeof(uint32_t) };
typedef void (*hy__cross_fn)(const hy__cross_step *s);
hy__cross_fn hy__def_cross(size_t row);

#endif
