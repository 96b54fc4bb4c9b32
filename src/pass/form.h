/* SPDX-License-Identifier: Apache-2.0
 * What a value of [rows, columns] is made of, however it was written: sums of products with known
 * matrices, functions and products element by element, over values that are not looked into. Where
 * moving operators stand between does not matter. recover_recurrent.c finds cells by it. */
#ifndef HY_PASS_FORM_H
#define HY_PASS_FORM_H

#include "pass/rewrite.h"

typedef enum hy__form_kind {
  HY__FORM_VALUE, /* columns first .. first + width of a value */
  HY__FORM_SUM,   /* bias + addends */
  HY__FORM_MUL,   /* child[0] * child[1] */
  HY__FORM_CALL   /* function(child[0]) */
} hy__form_kind;

/* scale * form, or scale * form times a part of `matrix`, from (row, column) on. */
typedef struct hy__addend {
  double scale;
  int32_t form;
  const hy_tensor *matrix; /* known, [source, columns]; NULL: none */
  bool turned;             /* it lies as [columns, source] */
  int64_t row, column;
} hy__addend;

enum { HY__FORM_ADDENDS = 8 };

typedef struct hy__form {
  hy__form_kind kind;
  int32_t value; /* that it was first asked for */
  int64_t first, width;
  int32_t child[2];
  const char *function; /* as the recurrent operators name theirs */
  float alpha, beta;
  hy__addend addends[HY__FORM_ADDENDS];
  size_t n_addends;
  const float *bias; /* width; NULL: zeros */
} hy__form;

typedef struct hy__form_key hy__form_key;
typedef struct hy__forms {
  hy__work *w;      /* the graph that it is about */
  hy__arena *arena; /* for biases */
  int64_t rows;     /* that every value has */
  const bool *shut; /* per value: not looked into, but for `open`; NULL: none is */
  int32_t open;
  int depth;
  hy__form *list;
  hy__form_key *keys; /* what was asked for, and its form */
  size_t n, capacity, n_keys, keys_capacity;
} hy__forms;

/* The form of columns first .. first + width of a value; the same question, and one that is the
 * same through moves, has the same answer. */
HY_CHECKED hy_status hy__form_of(hy__forms *f, int32_t value, int64_t first, int64_t width,
                                 int32_t *out, hy_error *err);
void hy__forms_drop(hy__forms *f);

/* Back past nodes that only give the same rows other dims. */
int32_t hy__form_base(const hy__work *w, int32_t value);
/* What lies side by side in a value's columns, and each one's width: parts of a Concat, or itself
 * alone. */
enum { HY__FORM_PARTS = 4 };
typedef struct hy__form_part {
  int32_t value;
  int64_t width;
} hy__form_part;
size_t hy__form_parts(const hy__work *w, int32_t value, hy__form_part *out);
/* Of a value: elements of the last axis, and of all others. */
int64_t hy__form_width(const hy_tensor *t);
int64_t hy__form_rows(const hy_tensor *t);

/* --- cells (cell.c) --- */

enum { HY__CELL_GATES = 4 };

/* A linear part: x W + h R + bias. */
typedef struct hy__gate {
  int32_t input, state; /* forms whose addends go to W and R; the same one but for GRU's last */
  const char *function;
  float alpha, beta;
  double sign;
} hy__gate;

/* One step of a recurrent layer, gates in the order of ONNX. */
typedef struct hy__cell {
  char kind;     /* 'L', 'G', 'R' */
  int32_t h, c;  /* values: the states that it reads; c -1 where it has none */
  int32_t h_new; /* forms of what it makes of them */
  int32_t c_new;
  int32_t x; /* the value that it reads, HY__ABSENT: none */
  int64_t hidden, features;
  size_t n_gates;
  hy__gate gates[HY__CELL_GATES];
  bool reset_after;         /* linear_before_reset */
  int32_t reset;            /* the form that is multiplied with GRU's reset gate */
  const char *functions[3]; /* in ONNX's order */
  float alphas[3], betas[3];
  size_t n_functions;
} hy__cell;

/* Is form `h_new` a cell over the state `h`? *found: false where it is none. */
HY_CHECKED hy_status hy__cell_match(hy__forms *f, int32_t h_new, int32_t h, hy__cell *cell,
                                    bool *found, hy_error *err);
/* W [1, gates * hidden, features], R [1, gates * hidden, hidden], B [1, 2 * gates * hidden]; zeroed
 * before. */
typedef struct hy__cell_weights {
  float *w, *r, *b;
} hy__cell_weights;
void hy__cell_write(const hy__forms *f, const hy__cell *cell, const hy__cell_weights *to);

#endif
