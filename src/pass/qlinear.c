/* SPDX-License-Identifier: Apache-2.0 */
/* com.microsoft's QLinear operators as what they stand for: every operand through DequantizeLinear,
 * the operator on floats, QuantizeLinear. */
#include "pass/rewrite.h"

typedef struct form {
  const char *name, *op_type;
  int32_t version;
  size_t operands, first; /* operands (0: all that follow) from this input on, three inputs each */
  size_t y;               /* input of y's scale; its zero point follows */
} form;

static const form forms[] = {
    {"QLinearAdd", "Add", 14, 2, 0, 6},
    {"QLinearAveragePool", "AveragePool", 11, 1, 0, 3},
    {"QLinearConcat", "Concat", 13, 0, 2, 0},
    {"QLinearGlobalAveragePool", "GlobalAveragePool", 1, 1, 0, 3},
    {"QLinearLeakyRelu", "LeakyRelu", 16, 1, 0, 3},
    {"QLinearMul", "Mul", 14, 2, 0, 6},
    {"QLinearSigmoid", "Sigmoid", 13, 1, 0, 3},
    {"QLinearSoftmax", "Softmax", 13, 1, 0, 3},
};

static const form *form_of(const hy__node *node) {
  if (strcmp(node->domain, "com.microsoft") != 0) return NULL;
  for (size_t i = 0; i < HY_COUNT(forms); i++)
    if (strcmp(forms[i].name, node->op_type) == 0) return &forms[i];
  return NULL;
}

bool hy__work_is_qlinear(const hy__work_node *node) { return form_of(&node->node) != NULL; }

/* The node enters as one of ai.onnx with n inputs; the lists must live in the arena. */
static hy_status enter(hy__work *w, hy__work_node *node, const char *op_type, int32_t version,
                       const int32_t *source, hy_error *err) {
  node->node.domain = "";
  node->node.op_type = op_type;
  node->node.version = version;
  node->node.n_outputs = 1;
  node->op = hy__op_find("", op_type, version, NULL);
  HY_FAIL_IF(!node->op, HY_UNSUPPORTED, err, "%s of opset %d", op_type, (int)version);
  return hy__work_enter(w, node, source, err);
}

static hy_status ids_new(hy__work *w, size_t n, int32_t **out, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(w->arena, n + 1, sizeof(int32_t), &memory, err));
  *out = memory;
  return HY_OK;
}

static hy_status value_new(hy__work *w, const hy__node *of, int32_t *id, hy_error *err) {
  HY_TRY(hy__work_value_new(w, NULL, of->name, id, err));
  w->values[*id].uses = 1;
  return HY_OK;
}

static int32_t input_at(const hy__node *node, size_t k) {
  return k < node->n_inputs ? node->inputs[k] : HY__ABSENT;
}

/* The floats of operand `first`. */
static hy_status operand(hy__work *w, const hy__work_node *of, size_t first, int32_t *out,
                         hy_error *err) {
  int32_t *ids;
  HY_TRY(ids_new(w, 4, &ids, err));
  for (size_t k = 0; k < 3; k++) ids[k] = input_at(&of->node, first + k);
  HY_FAIL_IF(ids[0] < 0 || ids[1] < 0, HY_BAD_FORMAT, err, "input %zu or %zu is missing", first,
             first + 1);
  HY_TRY(value_new(w, &of->node, &ids[3], err));
  hy__work_node made = *of;
  made.node.inputs = ids;
  made.node.n_inputs = ids[2] < 0 ? 2 : 3;
  made.node.outputs = ids + 3;
  made.node.n_attrs = 0;
  *out = ids[3];
  return enter(w, &made, "DequantizeLinear", 13, NULL, err);
}

static hy_status last(hy__work *w, const hy__work_node *of, const form *f, int32_t floats,
                      const int32_t *source, hy_error *err) {
  const hy_tensor *x = hy__work_tensor(w, of->node.inputs[f->first]);
  int32_t *ids;
  void *memory;
  HY_TRY(ids_new(w, 3, &ids, err));
  HY_TRY(hy__arena_array(w->arena, 1, sizeof(hy__attr), &memory, err));
  hy__attr *type = memory;
  *type = (hy__attr){.name = "output_dtype", .kind = HY__ATTR_INT, .as.i = (int64_t)x->dtype};
  ids[0] = floats;
  ids[1] = input_at(&of->node, f->y);
  ids[2] = input_at(&of->node, f->y + 1);
  HY_FAIL_IF(ids[1] < 0, HY_BAD_FORMAT, err, "the output has no scale");
  hy__work_node made = *of;
  made.node.inputs = ids;
  made.node.n_inputs = ids[2] < 0 ? 2 : 3;
  made.node.attrs = type;
  made.node.n_attrs = ids[2] < 0; /* else the zero point has the type */
  return enter(w, &made, "QuantizeLinear", 13, source, err);
}

hy_status hy__work_enter_qlinear(hy__work *w, const hy__work_node *node, const int32_t *source,
                                 hy_error *err) {
  const form *f = form_of(&node->node);
  const hy__node *n = &node->node;
  const size_t rest = n->n_inputs > f->first ? (n->n_inputs - f->first + 2) / 3 : 0;
  const size_t operands = f->operands ? f->operands : rest;
  int32_t *ids;
  HY_FAIL_IF(hy__node_int(n, "channels_last", 0) != 0, HY_UNSUPPORTED, err, "channels_last");
  HY_FAIL_IF(n->n_outputs != 1, HY_BAD_FORMAT, err, "it has one output");
  HY_TRY(ids_new(w, operands + 1, &ids, err));
  for (size_t k = 0; k < operands; k++) HY_TRY(operand(w, node, f->first + 3 * k, &ids[k], err));
  HY_TRY(value_new(w, n, &ids[operands], err));
  hy__work_node made = *node;
  made.node.inputs = ids;
  made.node.n_inputs = operands;
  made.node.outputs = ids + operands;
  const int64_t opset = hy__node_int(n, "opset", f->version);
  HY_TRY(enter(w, &made, f->op_type, opset == f->version ? f->version : (int32_t)opset, NULL, err));
  return last(w, node, f, ids[operands], source, err);
}
