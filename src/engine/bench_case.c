/* SPDX-License-Identifier: Apache-2.0 */
/* What a bench runs on: shapes from the model, --shape and the batch; sets of inputs, random or
 * from a file, to rotate among; and whether two sides' outputs agree. */
#include <math.h>
#include <stdio.h>

#include "engine/bench.h"
#include "engine/engine.h"
#include "model/model.h"

enum { ROWS = 64, ROWS_OF_TREES = 4096, SETS_LEAST = 2, BATCH_MAX = 1 << 24 };
static const size_t memory_most = (size_t)512 << 20;

/* --- shapes --- */

/* "1x60x40" after the name's '='. */
static hy_status dims_parse(const char *text, const hy_port *port, hy_tensor *t, hy_error *err) {
  const char *at = text, *end = text + strlen(text);
  t->rank = 0;
  while (at < end) {
    int64_t dim;
    const char *next = hy__parse_i64(at, end, &dim);
    bool more = next < end && *next == 'x' && next + 1 < end;
    HY_FAIL_IF(next == at || dim < 0 || (next < end && !more) || t->rank == HY_MAX_RANK,
               HY_INVALID_ARGUMENT, err, "shape '%s' of input '%s' is not of the form 1x60x40",
               text, port->name);
    t->dims[t->rank++] = dim;
    at = more ? next + 1 : next;
  }
  return HY_OK;
}

static const char *shape_given(const hy_bench_options *o, const char *name) {
  size_t len = strlen(name);
  for (size_t i = 0; i < o->n_shapes; i++)
    if (strncmp(o->shapes[i], name, len) == 0 && o->shapes[i][len] == '=')
      return o->shapes[i] + len + 1;
  return NULL;
}

static hy_status shapes_check(const hy_model *model, const hy_bench_options *o, hy_error *err) {
  for (size_t i = 0; i < o->n_shapes; i++) {
    const char *equals = strchr(o->shapes[i], '=');
    bool found = false;
    for (size_t k = 0; equals && k < hy_model_n_inputs(model); k++) {
      const char *name = hy_model_input(model, k)->name;
      found = found || (strlen(name) == (size_t)(equals - o->shapes[i]) &&
                        strncmp(name, o->shapes[i], strlen(name)) == 0);
    }
    HY_FAIL_IF(!found, HY_INVALID_ARGUMENT, err,
               "shape '%s' names no input: NAME=1x60x40 is expected, and the first input is '%s'",
               o->shapes[i], hy_model_n_inputs(model) ? hy_model_input(model, 0)->name : "");
  }
  return HY_OK;
}

static bool is_batch(const char *name) {
  static const char *const names[] = {"N", "n", "B", "b", "batch", "batch_size", "None"};
  for (size_t i = 0; name && i < HY_COUNT(names); i++)
    if (strcmp(name, names[i]) == 0) return true;
  return name && strstr(name, "batch");
}

/* An open dim that is named as a batch, or the first where none is. */
static bool takes_batch(const hy__value *v, int32_t d) {
  for (int32_t k = 0; k < v->rank; k++)
    if (v->dims[k] < 0 && is_batch(v->dim_names[k])) return is_batch(v->dim_names[d]);
  return d == 0;
}

static hy_status shape_of(const hy__value *v, const hy_port *port, const hy_bench_options *o,
                          hy_tensor *t, hy_error *err) {
  const char *given = shape_given(o, port->name);
  HY_FAIL_IF(port->dtype == HY_DTYPE_NONE, HY_UNSUPPORTED, err,
             "input '%s' is a sequence, map or optional", port->name);
  *t = (hy_tensor){.dtype = port->dtype, .rank = HY_MAX(port->rank, 0)};
  if (given) return dims_parse(given, port, t, err);
  HY_FAIL_IF(port->rank < 0, HY_INVALID_ARGUMENT, err,
             "input '%s' has no declared rank: its shape is needed (--shape %s=1x60x40)",
             port->name, port->name);
  for (int32_t d = 0; d < port->rank; d++) {
    t->dims[d] = port->dims[d];
    if (t->dims[d] >= 0) continue;
    HY_FAIL_IF(!takes_batch(v, d), HY_INVALID_ARGUMENT, err,
               "dim %d (%s) of input '%s' is open: its shape is needed (--shape %s=...)", (int)d,
               v->dim_names[d] ? v->dim_names[d] : "unnamed", port->name, port->name);
    t->dims[d] = (int64_t)HY_MAX(o->batch, (uint64_t)1);
  }
  return HY_OK;
}

/* --- elements --- */

static uint16_t random_half(hy__random *r) { /* +-[1/4, 2) */
  uint32_t bits = hy__random_u32(r);
  return (uint16_t)((bits & 0x83ffu) | (13 + (bits >> 16) % 3) << 10);
}

static uint16_t random_bfloat(hy__random *r) {
  float v = (float)hy__random_normal(r);
  uint32_t bits;
  memcpy(&bits, &v, sizeof bits);
  return (uint16_t)(bits >> 16);
}

/* Integers are 0 or 1: what any table of classes or embeddings has. */
static void fill(const hy_tensor *t, size_t n, hy__random *r) {
  size_t each = hy_dtype_bytes(t->dtype);
  uint8_t *bytes = t->data;
  for (size_t i = 0; i < n; i++) switch (t->dtype) {
    case HY_F32: ((float *)t->data)[i] = (float)hy__random_normal(r); break;
    case HY_F64: ((double *)t->data)[i] = hy__random_normal(r); break;
    case HY_F16: ((uint16_t *)t->data)[i] = random_half(r); break;
    case HY_BF16: ((uint16_t *)t->data)[i] = random_bfloat(r); break;
    default: bytes[i * each] = (uint8_t)(hy__random_u32(r) & 1); break;
    }
}

/* Set `set` is rows [set * dims[0], ...) of the array of that name. */
static hy_status from_rows(const hy_bench_options *o, hy_tensor *t, const char *name, size_t set,
                           hy_error *err) {
  const hy_tensor *rows = NULL;
  for (size_t i = 0; i < o->n_inputs; i++)
    if (strcmp(o->input_names[i], name) == 0) rows = &o->inputs[i];
  HY_FAIL_IF(!rows, HY_NOT_FOUND, err, "the inputs given have no array '%s'", name);
  bool fits = rows->dtype == t->dtype && rows->rank == t->rank && t->rank > 0;
  for (int32_t d = 1; fits && d < t->rank; d++) fits = rows->dims[d] == t->dims[d];
  fits = fits && t->dims[0] > 0 && rows->dims[0] >= t->dims[0];
  HY_FAIL_IF(!fits, HY_INVALID_ARGUMENT, err,
             "the array '%s' does not hold rows of the input's type and shape", name);
  size_t bytes, n_sets = (size_t)(rows->dims[0] / t->dims[0]);
  HY_FAIL_IF(!hy__shape_bytes(t->dims, t->rank, hy_dtype_bytes(t->dtype), &bytes), HY_LIMIT, err,
             "input '%s' is too large", name);
  t->data = (uint8_t *)rows->data + set % n_sets * bytes;
  return HY_OK;
}

static hy_status sets_fill(hy__bench_case *c, const hy_bench_options *o, const size_t *bytes,
                           hy_error *err) {
  uint8_t *at = c->memory;
  hy__random r;
  hy__random_init(&r, o->seed ? o->seed : 7, 0);
  for (size_t set = 0; set < c->n_sets; set++)
    for (size_t k = 0; k < c->n_in; k++) {
      hy_tensor *t = &c->in[set * c->n_in + k];
      if (set) *t = c->in[k];
      if (o->inputs) {
        HY_TRY(from_rows(o, t, c->in_names[k], set, err));
        continue;
      }
      t->data = at;
      HY_FAIL_IF(t->dtype == HY_STRING, HY_INVALID_ARGUMENT, err,
                 "input '%s' takes strings: inputs must be given", c->in_names[k]);
      fill(t, bytes[k] / hy_dtype_bytes(t->dtype), &r);
      at += (bytes[k] + HY_ALIGN - 1) & ~(size_t)(HY_ALIGN - 1);
    }
  return HY_OK;
}

/* How many sets: enough for the wanted rows, as far as memory goes. */
static hy_status sets_count(hy__bench_case *c, const hy_bench_options *o, bool trees, size_t *bytes,
                            hy_error *err) {
  size_t one = 0;
  for (size_t k = 0; k < c->n_in; k++) {
    const hy_tensor *t = &c->in[k];
    size_t padded;
    HY_FAIL_IF(!hy__shape_bytes(t->dims, t->rank, hy_dtype_bytes(t->dtype), &bytes[k]) ||
                   !hy__round_up(bytes[k], HY_ALIGN, &padded) || !hy__add(one, padded, &one),
               HY_LIMIT, err, "input '%s' is too large", c->in_names[k]);
  }
  uint64_t rows = o->rows ? o->rows : trees ? ROWS_OF_TREES : ROWS;
  uint64_t sets = (rows + c->batch - 1) / c->batch, most = one ? memory_most / one : UINT64_MAX;
  sets = HY_MAX(HY_MIN(sets, most), (uint64_t)SETS_LEAST);
  c->n_sets = (size_t)HY_MIN(sets, (uint64_t)BATCH_MAX);
  HY_FAIL_IF(!hy__mul(one, c->n_sets, &c->memory_bytes), HY_LIMIT, err, "the inputs are too large");
  return HY_OK;
}

/* The model is opened again and again; the case stays. */
static hy_status name_keep(hy__bench_case *c, const hy_port *port, const char **out,
                           hy_error *err) {
  return hy__arena_text(c->arena, port->name, strlen(port->name), out, err);
}

static hy_status lists_make(hy__bench_case *c, const hy_model *model, hy_error *err) {
  void *in, *out;
  c->n_in = hy_model_n_inputs(model);
  c->n_out = hy_model_n_outputs(model);
  HY_TRY(hy__arena_array(c->arena, c->n_in + 1, sizeof(char *), &in, err));
  HY_TRY(hy__arena_array(c->arena, c->n_out + 1, sizeof(char *), &out, err));
  c->in_names = in;
  c->out_names = out;
  HY_TRY(hy__arena_array(c->arena, 2 * c->n_out + 1, sizeof(hy_tensor), &out, err));
  c->out = out;
  for (size_t k = 0; k < c->n_in; k++)
    HY_TRY(name_keep(c, hy_model_input(model, k), &c->in_names[k], err));
  for (size_t k = 0; k < c->n_out; k++)
    HY_TRY(name_keep(c, hy_model_output(model, k), &c->out_names[k], err));
  return HY_OK;
}

hy_status hy__bench_case_make(const hy_model *model, const hy_bench_options *o, hy__bench_case *c,
                              hy_error *err) {
  void *memory, *bytes;
  hy_tensor shapes[64];
  HY_TRY(lists_make(c, model, err));
  HY_FAIL_IF(o->batch > BATCH_MAX, HY_LIMIT, err, "a batch is at most %d", (int)BATCH_MAX);
  HY_FAIL_IF(c->n_in > HY_COUNT(shapes), HY_LIMIT, err, "a bench takes at most %zu inputs",
             HY_COUNT(shapes));
  HY_TRY(shapes_check(model, o, err));
  const hy__graph *graph = hy__model_graph(model);
  for (size_t k = 0; k < c->n_in; k++)
    HY_TRY(
        shape_of(&graph->values[graph->inputs[k]], hy_model_input(model, k), o, &shapes[k], err));
  c->in = shapes;
  c->batch = o->batch ? o->batch : 1;
  if (!o->batch && c->n_in && shapes[0].rank > 0 && shapes[0].dims[0] > 0)
    c->batch = (uint64_t)shapes[0].dims[0];
  HY_TRY(hy__arena_array(c->arena, c->n_in + 1, sizeof(size_t), &bytes, err));
  HY_TRY(sets_count(c, o, hy__model_has_trees(model), bytes, err));
  HY_TRY(hy__arena_array(c->arena, c->n_sets * c->n_in + 1, sizeof(hy_tensor), &memory, err));
  c->in = memory;
  memcpy(c->in, shapes, c->n_in * sizeof(hy_tensor));
  if (!o->inputs) HY_TRY(hy__alloc_zero(c->allocator, c->memory_bytes, &c->memory, err));
  return sets_fill(c, o, bytes, err);
}

hy_status hy__bench_case_outputs(hy__bench_case *c, const hy_tensor *made, hy_error *err) {
  for (size_t side = 0; side < 2; side++)
    for (size_t k = 0; k < c->n_out; k++) {
      size_t bytes;
      hy_tensor *t = &c->out[side * c->n_out + k];
      *t = made[k];
      t->data = NULL;
      HY_FAIL_IF(!hy__shape_bytes(t->dims, t->rank, hy_dtype_bytes(t->dtype), &bytes), HY_LIMIT,
                 err, "output '%s' is too large", c->out_names[k]);
      if (bytes && t->dtype != HY_STRING)
        HY_TRY(hy__arena_alloc(c->arena, bytes, HY_ALIGN, &t->data, err));
    }
  return HY_OK;
}

void hy__bench_case_destroy(hy__bench_case *c) {
  hy__free(c->allocator, c->memory, c->memory_bytes);
  c->memory = NULL;
}

/* --- agreement --- */

static double element(const hy_tensor *t, size_t i) {
  return t->dtype == HY_F32 ? (double)((const float *)t->data)[i] : ((const double *)t->data)[i];
}

/* Of the largest magnitude: two roundings of bfloat16 weights' unit, where those are asked for. */
static double tolerance(hy_precision precision) {
  return precision == HY_PRECISION_BFLOAT16_WEIGHTS ? 0x1p-7 : 1e-5;
}

static void compare_floats(const hy_tensor *a, const hy_tensor *b, double allowed,
                           hy__bench_agreement *into) {
  size_t n;
  if (!hy__shape_bytes(a->dims, a->rank, 0, &n)) return;
  double scale = 0;
  for (size_t i = 0; i < n; i++) {
    double x = fabs(element(b, i));
    if (isfinite(x)) scale = HY_MAX(scale, x);
  }
  into->scale = HY_MAX(into->scale, scale);
  for (size_t i = 0; i < n; i++) {
    double x = element(a, i), y = element(b, i), gap = fabs(x - y);
    if (x == y || (isnan(x) && isnan(y))) continue;
    if (gap > into->max_abs) into->max_abs = gap;
    into->mismatched += !(gap <= 1e-6 + allowed * scale);
  }
}

void hy__bench_compare(const hy__bench_case *c, hy_precision precision, hy__bench_agreement *into) {
  into->compared = true;
  into->sets++;
  for (size_t k = 0; k < c->n_out; k++) {
    const hy_tensor *a = &c->out[k], *b = &c->out[c->n_out + k];
    size_t n, each = hy_dtype_bytes(a->dtype);
    if (!a->data || !b->data || !hy__shape_bytes(a->dims, a->rank, 0, &n)) continue;
    if (a->dtype == HY_F32 || a->dtype == HY_F64)
      compare_floats(a, b, tolerance(precision), into);
    else
      for (size_t i = 0; i < n; i++)
        into->mismatched +=
            memcmp((uint8_t *)a->data + i * each, (uint8_t *)b->data + i * each, each) != 0;
  }
  into->agrees = into->mismatched == 0;
}
