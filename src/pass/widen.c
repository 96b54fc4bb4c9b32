/* SPDX-License-Identifier: Apache-2.0 */
/* Half types where an operator has none: f16 and bf16 inputs are cast to f32 before it, and what
 * follows their type is cast back after it. So arithmetic on halves rounds once, at one place. */
#include "pass/rewrite.h"

/* Operators that differ from the rule "halves if input 0 is, and every f32 output follows it". */
typedef struct exception {
  const char *name;
  uint32_t follows; /* the input whose type the outputs have */
  uint32_t fixed;   /* outputs that are f32 whatever the inputs are, a bit each */
  bool mixed;       /* takes halves beside an input 0 of another type */
} exception;

static const exception exceptions[] = {
    {"BatchNormalization", 0, 0, true},
    {"LayerNormalization", 0, 6, true}, /* mean and inverse deviation */
    {"OneHot", 2, 0, false},
    {"Pow", 0, 0, true},
    {"RMSNormalization", 1, 0, true},
};

/* Attributes that state the outputs' type. */
static const char *const stating[] = {"dtype", "output_dtype", "output_datatype"};

static const exception *exception_of(const hy__node *node) {
  static const exception rule = {"", 0, 0, false};
  for (size_t i = 0; i < HY_COUNT(exceptions); i++)
    if (!strcmp(exceptions[i].name, node->op_type)) return &exceptions[i];
  return &rule;
}

static bool is_half(hy_dtype d) { return d == HY_F16 || d == HY_BF16; }

static hy_dtype dtype_of(const hy__work *w, int32_t id) {
  return id < 0 ? HY_DTYPE_NONE : w->values[id].t.dtype;
}

bool hy__work_widens(const hy__work *w, const hy__work_node *node) {
  const hy__node *n = &node->node;
  if (strcmp(n->domain, "ai.onnx.ml") == 0) return false; /* what comes out there is f32 anyway */
  if (!node->op || node->n_captured) return false;
  const bool mixed = exception_of(n)->mixed;
  bool first = true;
  for (size_t k = 0; k < n->n_inputs; k++) {
    const hy_dtype d = dtype_of(w, n->inputs[k]);
    if (d == HY_DTYPE_NONE) continue;
    if (is_half(d) && (first || mixed) && !(node->op->types & 1u << d)) return true;
    first = false;
  }
  return false;
}

static hy_status cast_enter(hy__work *w, const hy__node *of, int32_t in, int32_t out,
                            const int32_t *source, hy_error *err) {
  static const hy__attr to[] = {{.name = "to", .kind = HY__ATTR_INT, .as.i = HY_F32},
                                {.name = "to", .kind = HY__ATTR_INT, .as.i = HY_F16},
                                {.name = "to", .kind = HY__ATTR_INT, .as.i = HY_BF16}};
  const hy_dtype target = w->values[out].t.dtype;
  void *memory;
  HY_TRY(hy__arena_array(w->arena, 2, sizeof(int32_t), &memory, err));
  int32_t *ids = memory;
  ids[0] = in;
  ids[1] = out;
  hy__work_node cast = {.node = {.name = of->name,
                                 .domain = "",
                                 .op_type = "Cast",
                                 .version = 13,
                                 .inputs = ids,
                                 .outputs = ids + 1,
                                 .n_inputs = 1,
                                 .n_outputs = 1,
                                 .attrs = &to[target == HY_F32   ? 0
                                              : target == HY_F16 ? 1
                                                                 : 2],
                                 .n_attrs = 1,
                                 .offset_bytes = of->offset_bytes}};
  cast.op = hy__op_find("", "Cast", 13, NULL);
  HY_FAIL_IF(!cast.op, HY_INTERNAL, err, "no row for Cast");
  return hy__work_enter(w, &cast, source, err);
}

/* The value as f32: one cast for all who ask. `slot`: where the model keeps it if it is constant.
 */
static hy_status widened(hy__work *w, const hy__node *of, int32_t id, const int32_t *slot,
                         int32_t *out, hy_error *err) {
  if (w->values[id].wide < 0) {
    int32_t made;
    hy_tensor t = {.dtype = HY_F32};
    HY_TRY(hy__work_value_new(w, &t, w->values[id].name, &made, err));
    w->values[made].uses = 1;
    HY_TRY(cast_enter(w, of, id, made, slot, err));
    w->values[id].wide = made;
  }
  *out = w->values[id].wide;
  return HY_OK;
}

static hy_status widen_inputs(hy__work *w, hy__work_node *node, const hy__node *source,
                              hy_error *err) {
  hy__node *n = &node->node;
  void *memory;
  HY_TRY(hy__arena_array(w->arena, n->n_inputs + 1, sizeof(int32_t), &memory, err));
  int32_t *inputs = memory;
  for (size_t k = 0; k < n->n_inputs; k++) {
    inputs[k] = n->inputs[k];
    if (!is_half(dtype_of(w, inputs[k]))) continue;
    int32_t slot = source ? hy__fold_slot_wide(w->folds, source->inputs[k]) : HY__ABSENT;
    HY_TRY(widened(w, n, inputs[k], slot < 0 ? NULL : &slot, &inputs[k], err));
  }
  n->inputs = inputs;
  return HY_OK;
}

static bool states_type(const hy__node *n) {
  for (size_t i = 0; i < HY_COUNT(stating); i++)
    if (hy__node_attr(n, stating[i])) return true;
  return false;
}

hy_status hy__work_enter_wide(hy__work *w, const hy__work_node *node, const hy__node *source,
                              hy_error *err) {
  hy__work_node wide = *node;
  hy__op_plan view;
  const exception *e = exception_of(&node->node);
  const hy_dtype type =
      dtype_of(w, node->node.n_inputs > e->follows ? node->node.inputs[e->follows] : HY__ABSENT);
  const size_t n_out = node->node.n_outputs;
  void *memory;
  HY_TRY(widen_inputs(w, &wide, source, err));
  HY_TRY(hy__work_view(w, &wide, &view, err));
  HY_TRY(hy__arena_array(w->arena, n_out + 1, sizeof(int32_t), &memory, err));
  int32_t *outputs = memory;
  const bool follow = is_half(type) && !states_type(&node->node);
  for (size_t k = 0; k < n_out; k++) {
    const int32_t id = outputs[k] = node->node.outputs[k];
    if (id < 0 || !follow || view.out[k].dtype != HY_F32 || (e->fixed >> k & 1)) continue;
    const int32_t uses = w->values[id].uses;
    HY_TRY(hy__work_value_new(w, NULL, w->values[id].name, &outputs[k], err));
    w->values[outputs[k]].uses = uses;
  }
  wide.node.outputs = outputs;
  HY_TRY(hy__work_enter(w, &wide, NULL, err));
  for (size_t k = 0; k < n_out; k++) {
    const int32_t id = node->node.outputs[k];
    if (id < 0 || outputs[k] == id) continue;
    w->values[id].t.dtype = type;
    HY_TRY(cast_enter(w, &node->node, outputs[k], id, NULL, err));
  }
  return HY_OK;
}
