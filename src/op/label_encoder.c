/* SPDX-License-Identifier: Apache-2.0 */
/* LabelEncoder (ai.onnx.ml 1 to 4), CategoryMapper and OneHotEncoder: a key is looked up among
 * sorted keys. The three generations of LabelEncoder's attributes: classes_strings; keys_* and
 * values_* lists; keys_ and values_tensor. */
#include <string.h>

#include "op/ml_post.h"

/* Keys and values as lists of one type each. */
typedef struct list {
  hy_dtype dtype; /* HY_STRING, HY_I64, HY_F32 or the tensor's */
  const void *data;
  size_t n;
} list;

typedef struct params {
  list keys, values; /* values: empty for OneHotEncoder */
  uint32_t *order;   /* of the keys, sorted */
  hy_string default_string;
  int64_t default_int;
  double default_float;
  bool zeros;
  bool nan_is_key; /* from version 4 on; before, NaN equals nothing */
} params;

/* Every number as a key: floats by value (NaN equals NaN), integers as they are. */
typedef struct key {
  int kind; /* 0 string, 1 integer, 2 float */
  hy_string text;
  int64_t whole;
  double real;
} key;

static key key_at(const hy_tensor *t, size_t i) {
  if (t->dtype == HY_STRING) return (key){.kind = 0, .text = ((const hy_string *)t->data)[i]};
  if (t->dtype == HY_F32 || t->dtype == HY_F64) return (key){.kind = 2, .real = hy__ml_at(t, i)};
  return (key){.kind = 1,
               .whole =
                   t->dtype == HY_I64 ? ((const int64_t *)t->data)[i] : (int64_t)hy__ml_at(t, i)};
}

static hy_tensor as_tensor(const list *l) {
  return (hy_tensor){.data = (void *)(uintptr_t)l->data, .dtype = l->dtype};
}

static int compare_text(hy_string a, hy_string b) {
  const size_t n = HY_MIN(a.len_bytes, b.len_bytes);
  const int c = n ? memcmp(a.data, b.data, n) : 0;
  return c ? c : (a.len_bytes > b.len_bytes) - (a.len_bytes < b.len_bytes);
}

static int compare(key a, key b) {
  if (a.kind == 0) return compare_text(a.text, b.text);
  if (a.kind == 1) return (a.whole > b.whole) - (a.whole < b.whole);
  const bool na = a.real != a.real, nb = b.real != b.real;
  if (na || nb) return na - nb; /* NaN last, all of them one */
  return (a.real > b.real) - (a.real < b.real);
}

/* Shell's sort; of equal keys the first comes first. */
static void sort_keys(params *q) {
  const hy_tensor keys = as_tensor(&q->keys);
  for (size_t i = 0; i < q->keys.n; ++i) q->order[i] = (uint32_t)i;
  for (size_t gap = q->keys.n / 2; gap > 0; gap /= 2) {
    for (size_t i = gap; i < q->keys.n; ++i) {
      const uint32_t moving = q->order[i];
      const key k = key_at(&keys, moving);
      size_t j = i;
      for (; j >= gap; j -= gap) {
        const uint32_t other = q->order[j - gap];
        const int c = compare(key_at(&keys, other), k);
        if (c < 0 || (c == 0 && other < moving)) break;
        q->order[j] = other;
      }
      q->order[j] = moving;
    }
  }
}

/* The index of a key, or the number of keys. */
static size_t find(const params *q, key k) {
  const hy_tensor keys = as_tensor(&q->keys);
  size_t low = 0, high = q->keys.n;
  if (k.kind == 2 && k.real != k.real && !q->nan_is_key) return q->keys.n;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (compare(key_at(&keys, q->order[middle]), k) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  if (low < q->keys.n && compare(key_at(&keys, q->order[low]), k) == 0) return q->order[low];
  return q->keys.n;
}

static bool list_of(const hy__node *node, const char *name, hy_dtype dtype, list *out) {
  const hy__attr *a = hy__node_attr(node, name);
  if (!a) return false;
  if (a->kind == HY__ATTR_TENSOR) {
    *out = (list){a->as.tensor->dtype, a->as.tensor->data, hy__op_count_of(a->as.tensor)};
    return true;
  }
  const void *data = a->kind == HY__ATTR_STRINGS  ? (const void *)a->as.strings
                     : a->kind == HY__ATTR_INTS   ? (const void *)a->as.ints
                     : a->kind == HY__ATTR_FLOATS ? (const void *)a->as.floats
                                                  : NULL;
  *out = (list){dtype, data, data ? a->n : 0};
  return out->n > 0;
}

static int kind_of(hy_dtype d) { return d == HY_STRING ? 0 : d == HY_F32 || d == HY_F64 ? 2 : 1; }

/* classes_strings of the first version: names to their places, or places to names. */
static hy_status classes_of(hy__op_plan *p, list *keys, list *values, hy_error *err) {
  const hy__attr *a = hy__node_attr(p->node, "classes_strings");
  int64_t *places;
  HY_FAIL_IF(!a || a->kind != HY__ATTR_STRINGS || a->n == 0, HY_BAD_FORMAT, err,
             "classes_strings is missing");
  HY_TRY(hy__arena_array(p->arena, a->n, sizeof *places, (void **)&places, err));
  for (size_t i = 0; i < a->n; ++i) places[i] = (int64_t)i;
  const list names = {HY_STRING, a->as.strings, a->n}, numbers = {HY_I64, places, a->n};
  *keys = p->in[0].dtype == HY_STRING ? names : numbers;
  *values = p->in[0].dtype == HY_STRING ? numbers : names;
  return HY_OK;
}

/* cats_strings and cats_int64s, each the other's values. */
static hy_status categories_of(hy__op_plan *p, list *keys, list *values, hy_error *err) {
  list names = {0}, numbers = {0};
  const bool both = list_of(p->node, "cats_strings", HY_STRING, &names) &&
                    list_of(p->node, "cats_int64s", HY_I64, &numbers);
  HY_FAIL_IF(!both || names.n != numbers.n, HY_BAD_FORMAT, err,
             "there are %zu cats_strings and %zu cats_int64s", names.n, numbers.n);
  *keys = p->in[0].dtype == HY_STRING ? names : numbers;
  *values = p->in[0].dtype == HY_STRING ? numbers : names;
  return HY_OK;
}

/* Not OneHotEncoder: a value for each key. */
static bool is_encoder(const hy__node *node) { return node->op_type[0] != 'O'; }

static hy_status lists_of(hy__op_plan *p, list *keys, list *values, hy_error *err) {
  const hy__node *node = p->node;
  const hy_dtype x = p->in[0].dtype;
  *values = (list){0};
  if (!is_encoder(node)) {
    HY_FAIL_IF(!list_of(node, "cats_strings", HY_STRING, keys) &&
                   !list_of(node, "cats_int64s", HY_I64, keys),
               HY_BAD_FORMAT, err, "neither cats_strings nor cats_int64s names a category");
    HY_FAIL_IF((keys->dtype == HY_STRING) != (x == HY_STRING), HY_BAD_FORMAT, err,
               "categories of type %s for an input of type %s", hy_dtype_name(keys->dtype),
               hy_dtype_name(x));
    return HY_OK;
  }
  if (node->op_type[0] == 'C') return categories_of(p, keys, values, err);
  if (node->version < 2) return classes_of(p, keys, values, err);
  bool has_keys = list_of(node, "keys_tensor", HY_DTYPE_NONE, keys) ||
                  list_of(node, "keys_strings", HY_STRING, keys) ||
                  list_of(node, "keys_int64s", HY_I64, keys) ||
                  list_of(node, "keys_floats", HY_F32, keys);
  bool has_values = list_of(node, "values_tensor", HY_DTYPE_NONE, values) ||
                    list_of(node, "values_strings", HY_STRING, values) ||
                    list_of(node, "values_int64s", HY_I64, values) ||
                    list_of(node, "values_floats", HY_F32, values);
  HY_FAIL_IF(!has_keys || !has_values || keys->n != values->n, HY_BAD_FORMAT, err,
             "there are %zu keys and %zu values", has_keys ? keys->n : 0,
             has_values ? values->n : 0);
  HY_FAIL_IF(kind_of(keys->dtype) != kind_of(x), HY_BAD_FORMAT, err,
             "keys of type %s for an input of type %s", hy_dtype_name(keys->dtype),
             hy_dtype_name(x));
  return HY_OK;
}

hy_status hy__op_label_encoder_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  list keys, values;
  HY_TRY(lists_of(p, &keys, &values, err));
  if (is_encoder(p->node)) return hy__op_out(p, 0, values.dtype, x->rank, x->dims, err);
  HY_FAIL_IF(x->rank >= HY_MAX_RANK, HY_LIMIT, err, "more than %d dims", HY_MAX_RANK);
  int64_t dims[HY_MAX_RANK];
  memcpy(dims, x->dims, sizeof dims);
  dims[x->rank] = (int64_t)keys.n;
  return hy__op_out(p, 0, HY_F32, x->rank + 1, dims, err);
}

static void put_default(const params *q, hy_tensor *y, size_t i) {
  switch (y->dtype) {
  case HY_STRING: ((hy_string *)y->data)[i] = q->default_string; break;
  case HY_F32: ((float *)y->data)[i] = (float)q->default_float; break;
  case HY_F64: ((double *)y->data)[i] = q->default_float; break;
  case HY_I32: ((int32_t *)y->data)[i] = (int32_t)q->default_int; break;
  case HY_I16: ((int16_t *)y->data)[i] = (int16_t)q->default_int; break;
  default: ((int64_t *)y->data)[i] = q->default_int; break;
  }
}

static hy_status run_encoder(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  hy_tensor *y = &step->out[0];
  const size_t n = hy__op_count_of(y), each = hy_dtype_bytes(y->dtype);
  (void)err;
  for (size_t i = 0; i < n; ++i) {
    const size_t found = find(q, key_at(&step->in[0], i));
    if (found == q->keys.n)
      put_default(q, y, i);
    else
      memcpy((char *)y->data + i * each, (const char *)q->values.data + found * each, each);
  }
  return HY_OK;
}

/* A category is compared as an integer: floats are cut, as ONNX Runtime does. */
static key category_at(const hy_tensor *x, size_t i) {
  key k = key_at(x, i);
  if (k.kind != 2) return k;
  const bool fits = k.real > -9.2e18 && k.real < 9.2e18;
  return (key){.kind = 1, .whole = fits ? (int64_t)k.real : INT64_MIN};
}

static hy_status run_one_hot(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const size_t n = hy__op_count_of(&step->in[0]);
  float *y = step->out[0].data;
  memset(y, 0, n * q->keys.n * sizeof *y);
  for (size_t i = 0; i < n; ++i) {
    const size_t found = find(q, category_at(&step->in[0], i));
    HY_FAIL_IF(found == q->keys.n && !q->zeros, HY_INVALID_ARGUMENT, err,
               "element %zu is no category, and zeros is 0", i);
    if (found < q->keys.n) y[i * q->keys.n + found] = 1.0f;
  }
  return HY_OK;
}

static void lower_defaults(const hy__op_plan *p, params *q) {
  q->default_string = hy__node_string(p->node, "default_string", "_Unused");
  q->default_int = hy__node_int(p->node, "default_int64", -1);
  q->default_float = (double)hy__node_float(p->node, "default_float", -0.0f);
  const hy__attr *a = hy__node_attr(p->node, "default_tensor");
  if (!a || a->kind != HY__ATTR_TENSOR || hy__op_count_of(a->as.tensor) < 1) return;
  const key k = key_at(a->as.tensor, 0);
  if (k.kind == 0) q->default_string = k.text;
  q->default_int = k.whole;
  q->default_float = k.real;
}

hy_status hy__op_label_encoder_lower(hy__op_plan *p, hy_error *err) {
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(lists_of(p, &q->keys, &q->values, err));
  HY_FAIL_IF(q->keys.n > UINT32_MAX, HY_LIMIT, err, "there are %zu keys", q->keys.n);
  HY_TRY(hy__arena_array(p->arena, q->keys.n, sizeof *q->order, (void **)&q->order, err));
  sort_keys(q);
  lower_defaults(p, q);
  q->nan_is_key = p->node->version >= 4;
  q->zeros = hy__node_int(p->node, "zeros", 1) != 0;
  p->params = q;
  p->run = is_encoder(p->node) ? run_encoder : run_one_hot;
  return HY_OK;
}
