/* SPDX-License-Identifier: Apache-2.0 */
/* What operators need of their inputs for a few steps of their output: see needed.h. */
#include "pass/needed.h"

static hy__demand at_axis(const hy__demand *out, int32_t axis) {
  return (hy__demand){HY__WANT_STEPS, axis, out->steps};
}

static bool text_is(hy_string s, const char *text) {
  return s.len_bytes == strlen(text) && memcmp(s.data, text, s.len_bytes) == 0;
}

typedef hy__needed_request request;

/* Inputs aligned at their last axes, broadcast where they have one place. */
static bool pointwise(const hy__work *w, int32_t n, const hy__demand *out, request *r) {
  const hy__node *node = &w->nodes[n].node;
  const int32_t rank = hy__work_tensor(w, node->outputs[0])->rank;
  for (size_t k = 0; k < node->n_inputs; k++) {
    const hy_tensor *t = hy__work_tensor(w, node->inputs[k]);
    const int32_t own = t ? out->axis - (rank - t->rank) : -1;
    if (own >= 0 && t->dims[own] != 1) r->in[k] = at_axis(out, own);
  }
  return true;
}

static bool on_first_input(const hy__demand *out, int32_t axis, request *r) {
  r->in[0] = at_axis(out, axis);
  return true;
}

/* The rows of the left-hand side. */
static bool product(const hy__work *w, int32_t n, const hy__demand *out, request *r) {
  const int32_t rank = hy__work_tensor(w, w->nodes[n].node.outputs[0])->rank;
  const hy_tensor *a = hy__work_tensor(w, hy__work_input(w, n, 0));
  const hy_tensor *b = hy__work_tensor(w, hy__work_input(w, n, 1));
  if (a->rank != rank || b->rank < 2) return false;
  const bool rows = out->axis == rank - 2, outer = b->rank == 2 && out->axis < rank - 1;
  return (rows || outer) && on_first_input(out, out->axis, r);
}

/* Normalises or sums along other axes. */
static bool along_others(const hy__work *w, int32_t n, const hy__demand *out, request *r) {
  const hy__node *node = &w->nodes[n].node;
  const int32_t rank = hy__work_tensor(w, node->inputs[0])->rank;
  int64_t axis = hy__node_int(node, "axis", node->op_type[0] == 'B' ? 1 : -1);
  if (axis < 0) axis += rank;
  const bool softmax = hy__work_is(w, n, "Softmax") || hy__work_is(w, n, "LogSoftmax");
  if (softmax && node->version < 13) return false;
  const bool one = softmax || hy__work_is(w, n, "BatchNormalization");
  if (one ? out->axis == axis : out->axis >= axis) return false;
  return on_first_input(out, out->axis, r);
}

static bool reduce(const hy__work *w, int32_t n, const hy__demand *out, request *r) {
  int64_t axes[HY_MAX_RANK];
  int32_t n_axes, at = 0;
  bool reduced[HY_MAX_RANK] = {false};
  const int32_t rank = hy__work_tensor(w, hy__work_input(w, n, 0))->rank;
  const bool keep = hy__node_int(&w->nodes[n].node, "keepdims", 1) != 0;
  if (!hy__work_known_ints(w, n, 1, "axes", axes, &n_axes) || !n_axes) return false;
  for (int32_t i = 0; i < n_axes; i++) reduced[axes[i] < 0 ? axes[i] + rank : axes[i]] = true;
  for (int32_t d = 0; d < rank; d++) {
    if (reduced[d] && !keep) continue;
    if (at++ == out->axis) return !reduced[d] && on_first_input(out, d, r);
  }
  return false;
}

static bool transpose(const hy__work *w, int32_t n, const hy__demand *out, request *r) {
  int64_t perm[HY_MAX_RANK];
  return hy__work_read_perm(w, n, perm) && on_first_input(out, (int32_t)perm[out->axis], r);
}

/* An axis that the input has too, with as many elements before and behind it. */
static bool reshape(const hy__work *w, int32_t n, const hy__demand *out, request *r) {
  const hy_tensor *x = hy__work_tensor(w, hy__work_input(w, n, 0));
  const hy_tensor *y = hy__work_tensor(w, w->nodes[n].node.outputs[0]);
  int64_t outer = 1, own = 1;
  for (int32_t d = 0; d < out->axis; d++) outer *= y->dims[d];
  for (int32_t d = 0; d < x->rank; d++) {
    if (own == outer && x->dims[d] == y->dims[out->axis]) return on_first_input(out, d, r);
    own *= x->dims[d];
  }
  return false;
}

static bool concat(const hy__work *w, int32_t n, const hy__demand *out, request *r) {
  const hy__node *node = &w->nodes[n].node;
  const int32_t rank = hy__work_tensor(w, node->outputs[0])->rank;
  const int64_t axis = hy__node_int(node, "axis", 0);
  if ((axis < 0 ? axis + rank : axis) == out->axis) return false;
  for (size_t k = 0; k < node->n_inputs; k++) r->in[k] = at_axis(out, out->axis);
  return true;
}

static int64_t list_at(const hy__node *node, const char *name, int32_t i, int64_t otherwise) {
  const hy__attr *a = hy__node_attr(node, name);
  return a && a->kind == HY__ATTR_INTS && (size_t)i < a->n ? a->as.ints[i] : otherwise;
}

static int64_t gcd(int64_t a, int64_t b) {
  while (b) {
    const int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/* The padding before spatial dim d, by auto_pad too; -1 if it is not known. */
static int64_t pad_before(const hy__node *node, int32_t d, int64_t need) {
  const hy_string how = hy__node_string(node, "auto_pad", "NOTSET");
  if (need < 0) need = 0;
  if (text_is(how, "NOTSET") || !how.len_bytes) return list_at(node, "pads", d, 0);
  if (text_is(how, "VALID")) return 0;
  if (text_is(how, "SAME_UPPER")) return need / 2;
  if (text_is(how, "SAME_LOWER")) return need - need / 2;
  return -1;
}

/* The input's places that the windows at the output's meet, in steps that meet all of them; and the
 * window over these places. */
static bool conv(const hy__work *w, int32_t n, const hy__demand *out, request *r) {
  const hy__node *node = &w->nodes[n].node;
  const hy_tensor *x = hy__work_tensor(w, node->inputs[0]),
                  *y = hy__work_tensor(w, node->outputs[0]);
  const hy_tensor *weights = hy__work_tensor(w, node->inputs[1]);
  const hy__steps s = out->steps;
  const int32_t d = out->axis - 2;
  if (out->axis == 0) return on_first_input(out, 0, r);
  if (d < 0 || weights->rank != x->rank) return false;
  const int64_t size = x->dims[out->axis], kernel = weights->dims[out->axis];
  const int64_t stride = list_at(node, "strides", d, 1),
                dilation = list_at(node, "dilations", d, 1);
  const int64_t reach = (kernel - 1) * dilation;
  const int64_t before = pad_before(node, d, (y->dims[out->axis] - 1) * stride + reach + 1 - size);
  if (before < 0 || kernel < 1) return false;
  const int64_t lowest = s.first * stride - before;
  const int64_t highest = (s.first + (s.n - 1) * s.step) * stride - before + reach;
  int64_t step = gcd(s.n > 1 ? s.step * stride : 0, kernel > 1 ? dilation : 0);
  if (!step) step = 1;
  const int64_t n_all = (highest - lowest) / step + 1;
  const int64_t low = lowest < 0 ? (-lowest + step - 1) / step : 0;
  const int64_t high = lowest > size - 1 ? -1 : HY_MIN((size - 1 - lowest) / step, n_all - 1);
  if (high < low) return false; /* padding alone */
  r->in[0] = (hy__demand){HY__WANT_STEPS, out->axis, {lowest + low * step, step, high - low + 1}};
  r->window = true;
  r->dim = d;
  r->stride = s.n > 1 ? s.step * stride / step : 1;
  r->dilation = kernel > 1 ? dilation / step : 1;
  r->before = low;
  r->after = n_all - 1 - high;
  return true;
}

static bool attention(const hy__work *w, int32_t n, const hy__demand *out, request *r) {
  (void)r; /* all of every operand: the views move */
  return hy__needed_attention(w, n, out);
}

typedef struct rule {
  const char *op_type;
  bool (*fn)(const hy__work *, int32_t, const hy__demand *, request *);
} rule;

static const rule rules[] = {{"AttentionView", attention},
                             {"Conv", conv},
                             {"Linear", product},
                             {"MatMul", product},
                             {"Softmax", along_others},
                             {"LogSoftmax", along_others},
                             {"LayerNormalization", along_others},
                             {"RMSNormalization", along_others},
                             {"BatchNormalization", along_others},
                             {"ReduceMean", reduce},
                             {"ReduceSum", reduce},
                             {"ReduceMax", reduce},
                             {"ReduceMin", reduce},
                             {"Transpose", transpose},
                             {"Reshape", reshape},
                             {"Squeeze", reshape},
                             {"Unsqueeze", reshape},
                             {"Flatten", reshape},
                             {"Concat", concat}};

bool hy__needed_rule(const hy__work *w, int32_t n, const hy__demand *out, hy__needed_request *r) {
  memset(r, 0, sizeof *r);
  for (size_t k = 0; k < w->nodes[n].node.n_inputs; k++) r->in[k].want = HY__WANT_ALL;
  for (size_t i = 0; i < HY_COUNT(rules); i++)
    if (hy__work_is(w, n, rules[i].op_type)) return rules[i].fn(w, n, out, r);
  return hy__work_pointwise(w, n) && pointwise(w, n, out, r);
}

/* --- writing --- */

/* The list attribute with element `dim` (and for pads `dim + n`) changed, in full. */
static hy__attr changed(const hy__node *node, const char *name, int32_t n, int64_t otherwise,
                        int64_t *room) {
  for (int32_t i = 0; i < n; i++) room[i] = list_at(node, name, i, otherwise);
  return (hy__attr){.name = name, .kind = HY__ATTR_INTS, .n = (size_t)n, .as.ints = room};
}

/* SAME padding of the other dims stays as it was. */
static void pads_given(const hy__work *w, int32_t n, int32_t n_dims, int64_t *pads) {
  const hy__node *node = &w->nodes[n].node;
  const hy_tensor *x = hy__work_tensor(w, node->inputs[0]),
                  *y = hy__work_tensor(w, node->outputs[0]);
  const hy_string how = hy__node_string(node, "auto_pad", "NOTSET");
  if (text_is(how, "NOTSET") || !how.len_bytes) return;
  for (int32_t d = 0; d < n_dims; d++) {
    const int64_t kernel = hy__work_tensor(w, node->inputs[1])->dims[d + 2];
    const int64_t need = (y->dims[d + 2] - 1) * list_at(node, "strides", d, 1) +
                         (kernel - 1) * list_at(node, "dilations", d, 1) + 1 - x->dims[d + 2];
    pads[d] = pad_before(node, d, need);
    pads[d + n_dims] = text_is(how, "VALID") || need < 0 ? 0 : need - pads[d];
  }
}

static hy_status write_conv(hy__work *w, int32_t n, const request *r, hy__work_rewrite *to,
                            hy_error *err) {
  const hy__node *node = &w->nodes[n].node;
  const int32_t n_dims = hy__work_tensor(w, node->inputs[0])->rank - 2;
  int64_t strides[HY_MAX_RANK], dilations[HY_MAX_RANK], pads[2 * HY_MAX_RANK];
  const hy__attr attrs[4] = {changed(node, "strides", n_dims, 1, strides),
                             changed(node, "dilations", n_dims, 1, dilations),
                             changed(node, "pads", 2 * n_dims, 0, pads),
                             {.name = "auto_pad", .kind = HY__ATTR_STRING, .as.s = {"NOTSET", 6}}};
  pads_given(w, n, n_dims, pads);
  strides[r->dim] = r->stride;
  dilations[r->dim] = r->dilation;
  pads[r->dim] = r->before;
  pads[r->dim + n_dims] = r->after;
  return hy__work_attrs(w, node, attrs, 4, to, err);
}

hy_status hy__needed_write(hy__work *w, int32_t n, const hy__demand *out, const request *r,
                           const int32_t *inputs, int32_t *made, hy_error *err) {
  const hy__node node = w->nodes[n].node;
  hy_tensor y = *hy__work_tensor(w, node.outputs[0]);
  y.dims[out->axis] = out->steps.n;
  hy__work_rewrite to = {.domain = node.domain,
                         .op_type = node.op_type,
                         .version = node.version,
                         .inputs = inputs,
                         .n_inputs = node.n_inputs,
                         .attrs = node.attrs,
                         .n_attrs = node.n_attrs};
  if (r->window) HY_TRY(write_conv(w, n, r, &to, err));
  if (hy__work_is(w, n, "AttentionView")) HY_TRY(hy__needed_write_attention(w, n, out, &to, err));
  for (size_t i = 0; i < HY_COUNT(rules); i++)
    if (rules[i].fn == reshape && hy__work_is(w, n, rules[i].op_type))
      HY_TRY(hy__work_reshape(w, inputs[0], y.rank, y.dims, &to, err));
  HY_TRY(hy__work_add(w, n, &to, made, err));
  if (*made < 0) return HY_OK;
  const hy_tensor *t = hy__work_tensor(w, *made); /* a surprise is no part */
  if (t->rank != y.rank || memcmp(t->dims, y.dims, (size_t)y.rank * sizeof y.dims[0]) != 0)
    *made = HY__ABSENT;
  return HY_OK;
}
