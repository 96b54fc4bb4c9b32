/* SPDX-License-Identifier: Apache-2.0 */
/* NodeProto and AttributeProto; calls of model-local functions are replaced by the function's body.
 */
#include "model/onnx.h"

/* A node's fields, the lists still in the file. */
typedef struct raw_node {
  const char *name, *domain, *op_type, *overload;
  size_t n_inputs, n_outputs, n_attrs;
} raw_node;

static hy_status raw_read(hy__onnx *r, hy__span in, raw_node *out, hy_error *err) {
  hy__pb_field f;
  *out = (raw_node){.name = "", .domain = "", .op_type = "", .overload = ""};
  while (hy__pb_next(&in, &f)) {
    switch (f.number) {
    case 1: out->n_inputs++; break;
    case 2: out->n_outputs++; break;
    case 3: HY_TRY(hy__onnx_text(r, &f, "a node's name", &out->name, err)); break;
    case 4: HY_TRY(hy__onnx_text(r, &f, "an operator's name", &out->op_type, err)); break;
    case 5: out->n_attrs++; break;
    case 7: HY_TRY(hy__onnx_text(r, &f, "a node's domain", &out->domain, err)); break;
    case 8: HY_TRY(hy__onnx_text(r, &f, "a node's overload", &out->overload, err)); break;
    default: break;
    }
  }
  if (in.failed) return hy__pb_malformed(&in, "a node", err);
  if (strcmp(out->domain, "ai.onnx") == 0) out->domain = "";
  return HY_OK;
}

static hy_status lists_read(hy__onnx *r, hy__span in, hy__onnx_frame *frame, const raw_node *raw,
                            hy__node *node, hy_error *err) {
  void *ids, *attrs;
  size_t n_attrs = 0;
  HY_TRY(hy__arena_array(r->arena, raw->n_inputs + raw->n_outputs + 1, sizeof(int32_t), &ids, err));
  HY_TRY(hy__arena_array(r->arena, raw->n_attrs + 1, sizeof(hy__attr), &attrs, err));
  int32_t *inputs = ids, *outputs = inputs + raw->n_inputs;
  node->inputs = inputs;
  node->outputs = outputs;
  node->attrs = attrs;
  hy__pb_field f;
  while (hy__pb_next(&in, &f)) {
    if (f.number == 1) HY_TRY(hy__onnx_resolve(r, frame, &f, &inputs[node->n_inputs++], err));
    if (f.number == 2) HY_TRY(hy__onnx_resolve(r, frame, &f, &outputs[node->n_outputs++], err));
    if (f.number != 5) continue;
    if (f.wire != HY__PB_BYTES) return hy__pb_malformed(&in, "an attribute", err);
    hy__attr *attr = (hy__attr *)attrs + n_attrs;
    HY_TRY(hy__onnx_attr(r, f.bytes, frame, attr, err));
    if (attr->kind != HY__ATTR_NONE) n_attrs++; /* a reference to what the caller left out */
  }
  node->n_attrs = n_attrs;
  return HY_OK;
}

static const hy__onnx_function *function_find(const hy__onnx *r, const raw_node *raw) {
  for (const hy__onnx_function *f = r->functions; f; f = f->next)
    if (strcmp(f->name, raw->op_type) == 0 && strcmp(f->domain, raw->domain) == 0 &&
        strcmp(f->overload, raw->overload) == 0)
      return f;
  return NULL;
}

static hy_status version_of(const hy__opsets *opsets, const raw_node *raw, int32_t *out,
                            hy_error *err) {
  for (size_t i = 0; i < opsets->n; i++)
    if (strcmp(opsets->items[i].domain, raw->domain) == 0) {
      *out = (int32_t)opsets->items[i].version;
      return HY_OK;
    }
  HY_FAIL(HY_BAD_FORMAT, err, "node '%s' (%s) uses domain '%s', which opset_import does not list",
          raw->name, raw->op_type, *raw->domain ? raw->domain : "ai.onnx");
}

/* Operators that ask for a list where it is, in a graph: no function looks at their attributes. */
static bool has_long_lists(const hy__onnx_frame *frame, const raw_node *raw) {
  static const char *const names[] = {"TreeEnsembleRegressor", "TreeEnsembleClassifier",
                                      "SVMRegressor", "SVMClassifier"};
  if (frame->call || strcmp(raw->domain, "ai.onnx.ml") != 0) return false;
  for (size_t i = 0; i < HY_COUNT(names); i++)
    if (strcmp(raw->op_type, names[i]) == 0) return true;
  return false;
}

static hy_status node_read(hy__onnx *r, hy__span in, hy__onnx_frame *frame, hy_error *err) {
  raw_node raw;
  HY_FAIL_IF(++r->n_nodes > r->limits.max_nodes, HY_LIMIT, err, "more than %zu nodes",
             r->limits.max_nodes);
  HY_TRY(raw_read(r, in, &raw, err));
  hy__node node = {.name = raw.name,
                   .domain = raw.domain,
                   .op_type = raw.op_type,
                   .offset_bytes = (int64_t)hy__span_offset(&in)};
  HY_FAIL_IF(strcmp(raw.domain, "hayate") == 0, HY_UNSUPPORTED, err,
             "node '%s' (%s) uses domain 'hayate', which is the engine's own", raw.name,
             raw.op_type);
  const hy__onnx_function *function = function_find(r, &raw);
  if (!function) HY_TRY(version_of(frame->opsets, &raw, &node.version, err));
  r->lists_wait = !function && has_long_lists(frame, &raw);
  hy_status status = lists_read(r, in, frame, &raw, &node, err);
  r->lists_wait = false;
  HY_TRY(status);
  if (function) return hy__onnx_inline(r, function, &node, frame, err);
  return hy__onnx_node_add(r, frame->build, &node, err);
}

hy_status hy__onnx_node(hy__onnx *r, hy__span in, hy__onnx_frame *frame, hy_error *err) {
  hy_status status = node_read(r, in, frame, err);
  if (status != HY_OK) hy__error_place(err, 0, 0, (int64_t)hy__span_offset(&in));
  return status;
}

/* --- functions --- */

/* The body's input names stand for the caller's values. */
static hy_status bind_inputs(hy__onnx *r, const hy__onnx_function *fn, const hy__node *call,
                             hy__onnx_frame *frame, hy_error *err) {
  hy__pb_field f;
  size_t k = 0;
  for (hy__span s = fn->body; hy__pb_next(&s, &f);) {
    if (f.number != 4) continue;
    const char *name;
    HY_TRY(hy__onnx_text(r, &f, "a function's input", &name, err));
    int32_t id = k < call->n_inputs ? call->inputs[k] : HY__ABSENT;
    k++;
    HY_FAIL_IF(hy__names_find(&frame->names, name, strlen(name)), HY_BAD_FORMAT, err,
               "function '%s' names input '%s' twice", fn->name, name);
    HY_TRY(hy__names_add(&frame->names, name, strlen(name), id, err));
  }
  HY_FAIL_IF(call->n_inputs > k, HY_BAD_FORMAT, err, "function '%s' takes %zu inputs, not %zu",
             fn->name, k, call->n_inputs);
  return HY_OK;
}

/* So do its output names; one that is an input as well becomes an Identity. */
static hy_status bind_outputs(hy__onnx *r, const hy__onnx_function *fn, const hy__node *call,
                              hy__onnx_frame *frame, hy_error *err) {
  hy__pb_field f;
  size_t k = 0;
  for (hy__span s = fn->body; hy__pb_next(&s, &f);) {
    if (f.number != 5) continue;
    const char *name;
    HY_TRY(hy__onnx_text(r, &f, "a function's output", &name, err));
    int32_t id = k < call->n_outputs ? call->outputs[k] : HY__ABSENT;
    k++;
    if (id == HY__ABSENT) continue; /* a body node defines it as its own */
    const hy__names_slot *same = hy__names_find(&frame->names, name, strlen(name));
    if (!same) {
      frame->build->values[id].producer = -2; /* waits for the node that defines it */
      HY_TRY(hy__names_add(&frame->names, name, strlen(name), id, err));
      continue;
    }
    void *ids;
    HY_TRY(hy__arena_array(r->arena, 2, sizeof(int32_t), &ids, err));
    int32_t *pair = ids;
    pair[0] = same->id;
    pair[1] = id;
    hy__node node = {.name = call->name,
                     .domain = "",
                     .op_type = "Identity",
                     .version = 13,
                     .inputs = pair,
                     .outputs = pair + 1,
                     .n_inputs = 1,
                     .n_outputs = 1,
                     .offset_bytes = call->offset_bytes};
    HY_TRY(hy__onnx_node_add(r, frame->build, &node, err));
  }
  HY_FAIL_IF(call->n_outputs > k, HY_BAD_FORMAT, err, "function '%s' gives %zu outputs, not %zu",
             fn->name, k, call->n_outputs);
  return HY_OK;
}

static hy_status defaults_read(hy__onnx *r, const hy__onnx_function *fn, hy__onnx_frame *caller,
                               hy__onnx_frame *frame, hy_error *err) {
  hy__pb_field f;
  size_t n = 0;
  void *attrs;
  for (hy__span s = fn->body; hy__pb_next(&s, &f);) n += f.number == 11;
  HY_TRY(hy__arena_array(r->arena, n + 1, sizeof(hy__attr), &attrs, err));
  frame->defaults = attrs;
  for (hy__span s = fn->body; hy__pb_next(&s, &f);)
    if (f.number == 11 && f.wire == HY__PB_BYTES)
      HY_TRY(hy__onnx_attr(r, f.bytes, caller, (hy__attr *)attrs + frame->n_defaults++, err));
  return HY_OK;
}

static hy_status body_read(hy__onnx *r, const hy__onnx_function *fn, const hy__node *call,
                           hy__onnx_frame *caller, hy__onnx_frame *frame, hy_error *err) {
  hy__pb_field f;
  hy__opsets opsets = {.n = 0};
  for (hy__span s = fn->body; hy__pb_next(&s, &f);)
    if (f.number == 9 && f.wire == HY__PB_BYTES) HY_TRY(hy__onnx_opsets(r, f.bytes, &opsets, err));
  if (!opsets.n) opsets = *caller->opsets;
  frame->opsets = &opsets;
  HY_TRY(defaults_read(r, fn, caller, frame, err));
  HY_TRY(bind_inputs(r, fn, call, frame, err));
  HY_TRY(bind_outputs(r, fn, call, frame, err));
  HY_TRY(hy__onnx_define_outputs(r, fn->body, 7, frame, err));
  for (size_t k = 0; k < call->n_outputs; k++)
    HY_FAIL_IF(call->outputs[k] >= 0 && frame->build->values[call->outputs[k]].producer == -2,
               HY_BAD_FORMAT, err, "function '%s' does not define its output %zu", fn->name, k);
  for (hy__span s = fn->body; hy__pb_next(&s, &f);)
    if (f.number == 7 && f.wire == HY__PB_BYTES) HY_TRY(hy__onnx_node(r, f.bytes, frame, err));
  return HY_OK;
}

hy_status hy__onnx_inline(hy__onnx *r, const hy__onnx_function *fn, const hy__node *call,
                          hy__onnx_frame *caller, hy_error *err) {
  HY_FAIL_IF(caller->depth >= r->limits.max_depth, HY_LIMIT, err,
             "function '%s' nests deeper than %zu calls (does it call itself?)", fn->name,
             r->limits.max_depth);
  hy__onnx_frame frame = {.build = caller->build, .call = call, .depth = caller->depth + 1};
  hy__names_init(&frame.names, r->allocator);
  hy_status status = body_read(r, fn, call, caller, &frame, err);
  hy__names_destroy(&frame.names);
  return status;
}

/* --- attributes --- */

static hy_status keep(hy__onnx *r, const hy__pb_list *list, size_t each, const void **out,
                      size_t *n, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(r->arena, list->n + 1, each, &memory, err));
  if (list->n) memcpy(memory, list->items, list->n * each);
  *out = memory;
  *n = list->n;
  return HY_OK;
}

static hy_status subgraph_read(hy__onnx *r, hy__span in, hy__onnx_frame *frame, hy__attr *out,
                               hy_error *err) {
  HY_FAIL_IF(frame->depth >= r->limits.max_depth, HY_LIMIT, err, "graphs nest deeper than %zu",
             r->limits.max_depth);
  void *memory;
  HY_TRY(hy__arena_alloc(r->arena, sizeof(hy__graph), _Alignof(hy__graph), &memory, err));
  out->as.graph = memory;
  out->kind = HY__ATTR_GRAPH;
  hy__onnx_build build = {0};
  hy__onnx_frame inner = {.outer = frame,
                          .build = &build,
                          .opsets = frame->opsets,
                          .call = NULL,
                          .depth = frame->depth + 1};
  hy__names_init(&inner.names, r->allocator);
  hy_status status = hy__onnx_graph(r, in, &inner, out->as.graph, err);
  hy__names_destroy(&inner.names);
  return status;
}

static hy_status tensor_attr_read(hy__onnx *r, hy__span in, hy__attr *out, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_alloc(r->arena, sizeof(hy_tensor), _Alignof(hy_tensor), &memory, err));
  out->kind = HY__ATTR_TENSOR;
  out->as.tensor = memory;
  return hy__onnx_tensor(r, in, memory, NULL, err);
}

/* One field of the attribute's value. */
static hy_status value_read(hy__onnx *r, hy__span *in, const hy__pb_field *f, hy__onnx_frame *frame,
                            hy__attr *out, hy_error *err) {
  bool message = f->wire == HY__PB_BYTES;
  switch (f->number) {
  case 2:
    out->kind = HY__ATTR_FLOAT;
    memcpy(&out->as.f, &f->value, sizeof out->as.f);
    return f->wire == HY__PB_FIXED32 ? HY_OK : hy__pb_malformed(in, "a float attribute", err);
  case 3:
    out->kind = HY__ATTR_INT;
    out->as.i = (int64_t)f->value;
    return f->wire == HY__PB_VARINT ? HY_OK : hy__pb_malformed(in, "an int attribute", err);
  case 4:
    if (!message) return hy__pb_malformed(in, "a string attribute", err);
    out->kind = HY__ATTR_STRING;
    out->as.s = (hy_string){(const char *)f->bytes.pos, hy__span_left(&f->bytes)};
    return HY_OK;
  case 5:
    return message ? tensor_attr_read(r, f->bytes, out, err)
                   : hy__pb_malformed(in, "a tensor attribute", err);
  case 6:
    return message ? subgraph_read(r, f->bytes, frame, out, err)
                   : hy__pb_malformed(in, "a graph attribute", err);
  case 7: return hy__pb_fixed(in, f, sizeof(float), r->allocator, &r->floats, err);
  case 8: return hy__pb_varints(in, f, r->allocator, &r->ints, err);
  case 9: return hy__pb_strings(in, f, r->allocator, &r->strings, err);
  default: return HY_OK;
  }
}

/* AttributeProto.AttributeType; zeros and empty lists that a writer left out are known by it alone.
 */
enum {
  TYPE_FLOAT = 1,
  TYPE_INT = 2,
  TYPE_STRING = 3,
  TYPE_FLOATS = 6,
  TYPE_INTS = 7,
  TYPE_STRINGS = 8
};

static hy_status rest_keep(hy__onnx *r, uint64_t type, hy__attr *out, hy_error *err) {
  const void *items;
  if (r->ints.n || type == TYPE_INTS) {
    out->kind = HY__ATTR_INTS;
    HY_TRY(keep(r, &r->ints, sizeof(int64_t), &items, &out->n, err));
    out->as.ints = items;
  } else if (r->floats.n || type == TYPE_FLOATS) {
    out->kind = HY__ATTR_FLOATS;
    HY_TRY(keep(r, &r->floats, sizeof(float), &items, &out->n, err));
    out->as.floats = items;
  } else if (r->strings.n || type == TYPE_STRINGS) {
    out->kind = HY__ATTR_STRINGS;
    HY_TRY(keep(r, &r->strings, sizeof(hy_string), &items, &out->n, err));
    out->as.strings = items;
  } else if (type == TYPE_FLOAT) {
    out->kind = HY__ATTR_FLOAT;
  } else if (type == TYPE_INT) {
    out->kind = HY__ATTR_INT;
  } else if (type == TYPE_STRING) {
    out->kind = HY__ATTR_STRING;
    out->as.s = (hy_string){"", 0};
  }
  return HY_OK;
}

/* ref_attr_name: the caller's attribute under the name it has here, else the function's default. */
static void referenced(const hy__onnx_frame *frame, const char *ref, hy__attr *out) {
  const hy__onnx_frame *in = frame;
  while (in && !in->call) in = in->outer; /* a subgraph inside a function's body */
  const char *name = out->name;
  out->kind = HY__ATTR_NONE;
  if (!in) return;
  const hy__attr *found = hy__node_attr(in->call, ref);
  for (size_t i = 0; !found && i < in->n_defaults; i++)
    if (strcmp(in->defaults[i].name, ref) == 0) found = &in->defaults[i];
  if (found) *out = *found;
  out->name = name;
}

hy_status hy__onnx_attr(hy__onnx *r, hy__span in, hy__onnx_frame *frame, hy__attr *out,
                        hy_error *err) {
  hy__pb_field f;
  const char *ref = "";
  uint64_t type = 0;
  *out = (hy__attr){.name = ""};
  r->ints.n = r->floats.n = r->strings.n = 0;
  if (r->lists_wait && hy__onnx_list_waits(in)) {
    const hy__span list = in;
    (void)hy__pb_next(&in, &f);
    out->kind = HY__ATTR_LIST;
    out->n = hy__span_left(&list);
    out->as.bytes = list.pos;
    return hy__onnx_text(r, &f, "an attribute's name", &out->name, err);
  }
  while (hy__pb_next(&in, &f)) {
    if (f.number == 1)
      HY_TRY(hy__onnx_text(r, &f, "an attribute's name", &out->name, err));
    else if (f.number == 21)
      HY_TRY(hy__onnx_text(r, &f, "ref_attr_name", &ref, err));
    else if (f.number == 20 && f.wire == HY__PB_VARINT)
      type = f.value;
    else
      HY_TRY(value_read(r, &in, &f, frame, out, err));
  }
  if (in.failed) return hy__pb_malformed(&in, "an attribute", err);
  if (out->kind == HY__ATTR_NONE) HY_TRY(rest_keep(r, type, out, err));
  if (*ref) referenced(frame, ref, out);
  return HY_OK;
}
