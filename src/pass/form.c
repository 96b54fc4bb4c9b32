/* SPDX-License-Identifier: Apache-2.0 */
/* Values as forms (form.h). One function per operator that is looked into; whatever does not fit
 * leaves the value as it is. */
#include "pass/form.h"

enum { DEPTH_MAX = 48, FORMS_MAX = 2048, NONE = -1 };

struct hy__form_key {
  int32_t value, form;
  int64_t first, width;
};

/* The question at hand. */
typedef struct ask {
  int32_t value, node;
  int64_t first, width;
} ask;

typedef hy_status (*rule_fn)(hy__forms *f, const ask *a, int32_t *out, hy_error *err);

int64_t hy__form_width(const hy_tensor *t) { return t->rank ? t->dims[t->rank - 1] : 1; }

int64_t hy__form_rows(const hy_tensor *t) {
  int64_t n = 1;
  for (int32_t d = 0; d + 1 < t->rank; d++) n *= t->dims[d];
  return n;
}

void hy__forms_drop(hy__forms *f) {
  hy__free(f->w->allocator, f->list, f->capacity * sizeof *f->list);
  hy__free(f->w->allocator, f->keys, f->keys_capacity * sizeof *f->keys);
}

static hy_status add(hy__forms *f, const hy__form *form, int32_t *out, hy_error *err) {
  void *list = f->list;
  if (f->n == f->capacity)
    HY_TRY(hy__grow(f->w->allocator, &list, &f->capacity, HY_MAX(f->n + 1, (size_t)32),
                    sizeof *f->list, err));
  f->list = list;
  f->list[f->n] = *form;
  *out = (int32_t)f->n++;
  return HY_OK;
}

static hy_status bare(hy__forms *f, const ask *a, int32_t *out, hy_error *err) {
  const hy__form form = {
      .kind = HY__FORM_VALUE, .value = a->value, .first = a->first, .width = a->width};
  return add(f, &form, out, err);
}

/* --- sums --- */

static hy__form sum_start(const ask *a) {
  return (hy__form){.kind = HY__FORM_SUM, .value = a->value, .first = a->first, .width = a->width};
}

static hy_status bias_add(hy__forms *f, hy__form *sum, double scale, const float *bias,
                          hy_error *err) {
  void *memory;
  if (!bias) return HY_OK;
  HY_TRY(hy__arena_array(f->arena, (size_t)sum->width, sizeof(float), &memory, err));
  float *own = memory;
  for (int64_t i = 0; i < sum->width; i++)
    own[i] = (float)((double)(sum->bias ? sum->bias[i] : 0.0f) + scale * (double)bias[i]);
  sum->bias = own;
  return HY_OK;
}

/* Another form, scaled, into the sum; *fits false where it has no room. */
static hy_status sum_add(hy__forms *f, hy__form *sum, double scale, int32_t id, bool *fits,
                         hy_error *err) {
  const hy__form from = f->list[id];
  if (from.kind != HY__FORM_SUM) {
    if (sum->n_addends == HY__FORM_ADDENDS) *fits = false;
    if (*fits) sum->addends[sum->n_addends++] = (hy__addend){.scale = scale, .form = id};
    return HY_OK;
  }
  *fits = *fits && sum->n_addends + from.n_addends <= HY__FORM_ADDENDS;
  if (!*fits) return HY_OK;
  for (size_t i = 0; i < from.n_addends; i++) {
    sum->addends[sum->n_addends] = from.addends[i];
    sum->addends[sum->n_addends++].scale *= scale;
  }
  return bias_add(f, sum, scale, from.bias, err);
}

/* A factor that undoes another one in float is one. */
static double near_one(double scale) {
  const double most = 1.0 / (1 << 22);
  return scale > 1.0 - most && scale < 1.0 + most ? 1.0 : scale;
}

static hy_status sum_end(hy__forms *f, hy__form *sum, int32_t *out, hy_error *err) {
  for (size_t i = 0; i < sum->n_addends; i++)
    sum->addends[i].scale = near_one(sum->addends[i].scale);
  const hy__addend *only = &sum->addends[0];
  if (sum->n_addends == 1 && !sum->bias && !only->matrix && only->scale == 1.0) {
    *out = only->form;
    return HY_OK;
  }
  return add(f, sum, out, err);
}

/* A known value as a sum of its bias alone, where all rows are alike. width: of the value that it
 * is broadcast to. */
static hy_status known(hy__forms *f, int32_t id, int64_t width, const ask *a, int32_t *out,
                       hy_error *err) {
  const hy_tensor *t = hy__work_tensor(f->w, id);
  const int64_t n = (int64_t)(hy__work_bytes(t) / sizeof(float));
  const float *x = t->data;
  hy__form sum = sum_start(a);
  void *memory;
  *out = NONE;
  if (t->dtype != HY_F32 || n < 1 || (n != 1 && hy__form_width(t) != width)) return HY_OK;
  for (int64_t i = width; n > 1 && i < n; i++)
    if (x[i] != x[i - width]) return HY_OK;
  HY_TRY(hy__arena_array(f->arena, (size_t)a->width, sizeof(float), &memory, err));
  for (int64_t i = 0; i < a->width; i++) ((float *)memory)[i] = n == 1 ? x[0] : x[a->first + i];
  sum.bias = memory;
  return add(f, &sum, out, err);
}

/* An operand of a node that works element by element. */
static hy_status operand(hy__forms *f, const ask *a, size_t k, int32_t *out, hy_error *err) {
  const int32_t id = hy__work_input(f->w, a->node, k);
  const hy_tensor *t = hy__work_tensor(f->w, id), *y = hy__work_tensor(f->w, a->value);
  *out = NONE;
  if (t && t->data) return known(f, id, hy__form_width(y), a, out, err);
  if (!t || hy__form_width(t) != hy__form_width(y) || hy__form_rows(t) != f->rows) return HY_OK;
  return hy__form_of(f, id, a->first, a->width, out, err);
}

static hy_status add_two(hy__forms *f, const ask *a, double second, int32_t *out, hy_error *err) {
  hy__form sum = sum_start(a);
  int32_t l, r = NONE;
  bool fits = true;
  HY_TRY(operand(f, a, 0, &l, err));
  if (l != NONE) HY_TRY(operand(f, a, 1, &r, err));
  if (r == NONE) return HY_OK;
  HY_TRY(sum_add(f, &sum, 1.0, l, &fits, err));
  HY_TRY(sum_add(f, &sum, second, r, &fits, err));
  return fits ? sum_end(f, &sum, out, err) : HY_OK;
}

static hy_status rule_add(hy__forms *f, const ask *a, int32_t *out, hy_error *err) {
  return f->w->nodes[a->node].node.n_inputs == 2 ? add_two(f, a, 1.0, out, err) : HY_OK;
}

static hy_status rule_sub(hy__forms *f, const ask *a, int32_t *out, hy_error *err) {
  return add_two(f, a, -1.0, out, err);
}

static hy_status scaled(hy__forms *f, const ask *a, double scale, int32_t id, int32_t *out,
                        hy_error *err) {
  hy__form sum = sum_start(a);
  bool fits = true;
  HY_TRY(sum_add(f, &sum, scale, id, &fits, err));
  return fits ? sum_end(f, &sum, out, err) : HY_OK;
}

static hy_status rule_neg(hy__forms *f, const ask *a, int32_t *out, hy_error *err) {
  int32_t id;
  HY_TRY(operand(f, a, 0, &id, err));
  return id == NONE ? HY_OK : scaled(f, a, -1.0, id, out, err);
}

/* One number, the same in all columns. */
static bool number_of(const hy__forms *f, int32_t id, double *out) {
  const hy__form *form = &f->list[id];
  if (form->kind != HY__FORM_SUM || form->n_addends || !form->bias || form->width < 1) return false;
  for (int64_t i = 1; i < form->width; i++)
    if (form->bias[i] != form->bias[0]) return false;
  *out = (double)form->bias[0];
  return true;
}

static bool is_known(const hy__forms *f, int32_t id) {
  return f->list[id].kind == HY__FORM_SUM && !f->list[id].n_addends;
}

static hy_status rule_mul(hy__forms *f, const ask *a, int32_t *out, hy_error *err) {
  const bool div = hy__work_is(f->w, a->node, "Div");
  int32_t l, r = NONE;
  double by;
  HY_TRY(operand(f, a, 0, &l, err));
  if (l != NONE) HY_TRY(operand(f, a, 1, &r, err));
  if (r == NONE) return HY_OK;
  if (number_of(f, r, &by) && (!div || by != 0))
    return scaled(f, a, div ? 1.0 / by : by, l, out, err);
  if (div) return HY_OK;
  if (number_of(f, l, &by)) return scaled(f, a, by, r, out, err);
  if (is_known(f, l) || is_known(f, r)) return HY_OK;
  const hy__form form = {.kind = HY__FORM_MUL,
                         .value = a->value,
                         .first = a->first,
                         .width = a->width,
                         .child = {l, r}};
  return add(f, &form, out, err);
}

/* --- products with matrices --- */

static bool same_rows(const hy__work *w, int32_t a, int32_t b) {
  const hy_tensor *s = hy__work_tensor(w, a), *t = hy__work_tensor(w, b);
  return s && t && !s->data && s->dtype == t->dtype && hy__form_width(s) == hy__form_width(t) &&
         hy__form_rows(s) == hy__form_rows(t);
}

int32_t hy__form_base(const hy__work *w, int32_t id) {
  static const char *const names[] = {"Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten"};
  for (int i = 0; i < DEPTH_MAX && id >= 0; i++) {
    const int32_t n = w->values[id].producer;
    bool moves = false;
    for (size_t k = 0; n >= 0 && k < HY_COUNT(names); k++)
      moves = moves || hy__work_is(w, n, names[k]);
    if (!moves || !same_rows(w, hy__work_input(w, n, 0), id)) return id;
    id = hy__work_resolve(w, hy__work_input(w, n, 0));
  }
  return id;
}

static bool joins_columns(const hy__work *w, int32_t n, int32_t rank) {
  const int64_t axis = hy__node_int(&w->nodes[n].node, "axis", 1);
  return hy__work_is(w, n, "Concat") && (axis == -1 || axis == rank - 1);
}

size_t hy__form_parts(const hy__work *w, int32_t id, hy__form_part *out) {
  const int32_t at = hy__form_base(w, id), n = at < 0 ? -1 : w->values[at].producer;
  const hy_tensor *t = hy__work_tensor(w, at);
  out[0] = (hy__form_part){at, hy__form_width(t)};
  if (n < 0 || !joins_columns(w, n, t->rank)) return 1;
  const hy__node *node = &w->nodes[n].node;
  if (node->n_inputs > HY__FORM_PARTS) return 1;
  for (size_t k = 0; k < node->n_inputs; k++)
    out[k] = (hy__form_part){node->inputs[k], hy__form_width(hy__work_tensor(w, node->inputs[k]))};
  return node->n_inputs;
}

/* sum += scale * value times the matrix. */
static hy_status product_add(hy__forms *f, hy__form *sum, int32_t id, const hy__addend *as,
                             bool *fits, hy_error *err) {
  hy__form_part parts[HY__FORM_PARTS];
  const size_t n = hy__form_parts(f->w, id, parts);
  hy__addend addend = *as;
  for (size_t k = 0; k < n && *fits; k++) {
    const hy_tensor *t = hy__work_tensor(f->w, parts[k].value);
    *fits = t && !t->data && hy__form_rows(t) == f->rows && sum->n_addends < HY__FORM_ADDENDS;
    if (!*fits) break;
    HY_TRY(hy__form_of(f, parts[k].value, 0, parts[k].width, &addend.form, err));
    sum->addends[sum->n_addends++] = addend;
    addend.row += parts[k].width;
  }
  return HY_OK;
}

static hy_status rule_product(hy__forms *f, const ask *a, int32_t *out, hy_error *err) {
  const hy__node *node = &f->w->nodes[a->node].node;
  const bool gemm = hy__work_is(f->w, a->node, "Gemm");
  const hy_tensor *x = hy__work_tensor(f->w, node->inputs[0]);
  const hy_tensor *m = hy__work_known_input(f->w, a->node, 1);
  hy__form sum = sum_start(a);
  bool fits = true;
  int32_t c = NONE;
  if (!m || m->rank != 2 || m->dtype != HY_F32 || x->data || x->rank < 2) return HY_OK;
  if (gemm && hy__node_int(node, "transA", 0)) return HY_OK;
  const hy__addend addend = {.scale = gemm ? (double)hy__node_float(node, "alpha", 1.0f) : 1.0,
                             .matrix = m,
                             .turned = gemm && hy__node_int(node, "transB", 0) != 0,
                             .column = a->first};
  const double beta = gemm ? (double)hy__node_float(node, "beta", 1.0f) : 0;
  HY_TRY(product_add(f, &sum, node->inputs[0], &addend, &fits, err));
  if (gemm && fits && hy__work_input(f->w, a->node, 2) >= 0) {
    HY_TRY(operand(f, a, 2, &c, err));
    if (c == NONE) return HY_OK;
    HY_TRY(sum_add(f, &sum, beta, c, &fits, err));
  }
  return fits ? add(f, &sum, out, err) : HY_OK;
}

/* --- functions --- */

static hy_status call(hy__forms *f, const ask *a, const hy__form *function, int32_t *out,
                      hy_error *err) {
  hy__form form = *function;
  HY_TRY(operand(f, a, 0, &form.child[0], err));
  if (form.child[0] == NONE) return HY_OK;
  form.kind = HY__FORM_CALL;
  form.value = a->value;
  form.first = a->first;
  form.width = a->width;
  return add(f, &form, out, err);
}

static hy_status rule_call(hy__forms *f, const ask *a, int32_t *out, hy_error *err) {
  const hy__node *node = &f->w->nodes[a->node].node;
  const char *name = node->op_type;
  const bool hard = strcmp(name, "HardSigmoid") == 0, leaky = strcmp(name, "LeakyRelu") == 0;
  const hy__form form = {.function = name,
                         .alpha = hy__node_float(node, "alpha",
                                                 hard    ? 0.2f
                                                 : leaky ? 0.01f
                                                         : 1.0f),
                         .beta = hy__node_float(node, "beta", 0.5f)};
  return call(f, a, &form, out, err);
}

/* Clip to 0 .. most is most times a hard sigmoid. */
static hy_status rule_clip(hy__forms *f, const ask *a, int32_t *out, hy_error *err) {
  double least, most;
  int32_t id = NONE;
  if (!hy__work_number(f->w, hy__work_input(f->w, a->node, 1), &least) ||
      !hy__work_number(f->w, hy__work_input(f->w, a->node, 2), &most) || least != 0 || most <= 0)
    return HY_OK;
  const hy__form form = {.function = "HardSigmoid", .alpha = (float)(1.0 / most)};
  HY_TRY(call(f, a, &form, &id, err));
  return id == NONE ? HY_OK : scaled(f, a, most, id, out, err);
}

/* --- moves --- */

static hy_status rule_view(hy__forms *f, const ask *a, int32_t *out, hy_error *err) {
  const int32_t from = hy__form_base(f->w, a->value);
  return from == a->value ? HY_OK : hy__form_of(f, from, a->first, a->width, out, err);
}

static hy_status rule_split(hy__forms *f, const ask *a, int32_t *out, hy_error *err) {
  const hy__node *node = &f->w->nodes[a->node].node;
  const hy_tensor *x = hy__work_tensor(f->w, node->inputs[0]);
  const int64_t axis = hy__node_int(node, "axis", 0);
  int64_t before = 0;
  if (x->data || (axis != -1 && axis != x->rank - 1)) return HY_OK;
  for (size_t k = 0; k < node->n_outputs && node->outputs[k] != a->value; k++) {
    if (node->outputs[k] < 0) return HY_OK;
    before += hy__form_width(hy__work_tensor(f->w, node->outputs[k]));
  }
  return hy__form_of(f, node->inputs[0], a->first + before, a->width, out, err);
}

/* Columns in a row of all rows. */
static hy_status rule_slice(hy__forms *f, const ask *a, int32_t *out, hy_error *err) {
  const int32_t from = hy__work_input(f->w, a->node, 0);
  const hy_tensor *x = hy__work_tensor(f->w, from), *y = hy__work_tensor(f->w, a->value);
  int64_t first[HY_MAX_RANK], axes[HY_MAX_RANK], steps[HY_MAX_RANK], at = 0;
  int32_t n, n_axes, n_steps;
  if (x->data || !hy__work_known_ints(f->w, a->node, 1, "starts", first, &n)) return HY_OK;
  const bool listed = hy__work_known_ints(f->w, a->node, 3, "axes", axes, &n_axes);
  const bool stepped = hy__work_input(f->w, a->node, 4) >= 0;
  if (stepped && !hy__work_known_ints(f->w, a->node, 4, NULL, steps, &n_steps)) return HY_OK;
  for (int32_t d = 0; d + 1 < x->rank; d++)
    if (x->dims[d] != y->dims[d]) return HY_OK;
  for (int32_t k = 0; k < n; k++) {
    const int64_t axis = listed ? axes[k] : k;
    if (stepped && steps[k] != 1) return HY_OK;
    if (axis != -1 && axis != x->rank - 1) continue;
    at = first[k] < 0 ? HY_MAX(first[k] + hy__form_width(x), (int64_t)0) : first[k];
  }
  return hy__form_of(f, from, a->first + at, a->width, out, err);
}

static hy_status rule_concat(hy__forms *f, const ask *a, int32_t *out, hy_error *err) {
  const hy__node *node = &f->w->nodes[a->node].node;
  int64_t before = 0;
  if (!joins_columns(f->w, a->node, hy__work_tensor(f->w, a->value)->rank)) return HY_OK;
  for (size_t k = 0; k < node->n_inputs; k++) {
    const int64_t width = hy__form_width(hy__work_tensor(f->w, node->inputs[k]));
    if (a->first >= before && a->first + a->width <= before + width) {
      if (hy__work_tensor(f->w, node->inputs[k])->data) return HY_OK;
      return hy__form_of(f, node->inputs[k], a->first - before, a->width, out, err);
    }
    before += width;
  }
  return HY_OK;
}

/* --- asking --- */

static const struct {
  const char *name;
  rule_fn rule;
} rules[] = {{"Add", rule_add},        {"Sum", rule_add},      {"Sub", rule_sub},
             {"Neg", rule_neg},        {"Mul", rule_mul},      {"Div", rule_mul},
             {"MatMul", rule_product}, {"Gemm", rule_product}, {"Sigmoid", rule_call},
             {"Tanh", rule_call},      {"Relu", rule_call},    {"HardSigmoid", rule_call},
             {"LeakyRelu", rule_call}, {"Elu", rule_call},     {"Softsign", rule_call},
             {"Softplus", rule_call},  {"Clip", rule_clip},    {"Identity", rule_view},
             {"Reshape", rule_view},   {"Squeeze", rule_view}, {"Unsqueeze", rule_view},
             {"Flatten", rule_view},   {"Split", rule_split},  {"Slice", rule_slice},
             {"Concat", rule_concat}};

static hy_status answer(hy__forms *f, const ask *a, int32_t *out, hy_error *err) {
  const hy_tensor *t = hy__work_tensor(f->w, a->value);
  *out = NONE;
  if (f->shut && f->shut[a->value] && a->value != f->open) return bare(f, a, out, err);
  if (a->node < 0 || f->depth > DEPTH_MAX || t->dtype != HY_F32 || hy__form_rows(t) != f->rows)
    return bare(f, a, out, err);
  for (size_t i = 0; i < HY_COUNT(rules) && *out == NONE; i++)
    if (hy__work_is(f->w, a->node, rules[i].name)) HY_TRY(rules[i].rule(f, a, out, err));
  return *out == NONE ? bare(f, a, out, err) : HY_OK;
}

hy_status hy__form_of(hy__forms *f, int32_t value, int64_t first, int64_t width, int32_t *out,
                      hy_error *err) {
  const int32_t id = hy__work_resolve(f->w, value);
  for (size_t i = 0; i < f->n_keys; i++) {
    const hy__form_key *k = &f->keys[i];
    if (k->value != id || k->first != first || k->width != width) continue;
    *out = k->form;
    return HY_OK;
  }
  HY_FAIL_IF(f->n_keys >= FORMS_MAX, HY_LIMIT, err, "a body has too many parts");
  const ask a = {id, f->w->values[id].producer, first, width};
  f->depth++;
  HY_TRY(answer(f, &a, out, err));
  f->depth--;
  void *keys = f->keys;
  if (f->n_keys == f->keys_capacity)
    HY_TRY(hy__grow(f->w->allocator, &keys, &f->keys_capacity, HY_MAX(f->n_keys + 1, (size_t)32),
                    sizeof *f->keys, err));
  f->keys = keys;
  f->keys[f->n_keys++] = (hy__form_key){id, *out, first, width};
  return HY_OK;
}
