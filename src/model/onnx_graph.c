/* SPDX-License-Identifier: Apache-2.0 */
/* GraphProto: inputs, initializers and nodes with their names resolved, and the bodies of
 * functions, which are read into the graph that calls them. */
#include "model/onnx.h"

hy_status hy__onnx_value_new(hy__onnx *r, hy__onnx_build *b, const char *name, int32_t *id,
                             hy_error *err) {
  HY_FAIL_IF(b->n_values >= INT32_MAX, HY_LIMIT, err, "too many values");
  if (b->n_values == b->values_capacity) {
    void *values = b->values;
    HY_TRY(hy__grow(r->allocator, &values, &b->values_capacity, HY_MAX(b->n_values + 1, (size_t)64),
                    sizeof(hy__value), err));
    b->values = values;
  }
  b->values[b->n_values] = (hy__value){.name = name, .rank = -1, .producer = -1, .outer = -1};
  *id = (int32_t)b->n_values++;
  return HY_OK;
}

hy_status hy__onnx_node_add(hy__onnx *r, hy__onnx_build *b, const hy__node *node, hy_error *err) {
  if (b->n_nodes == b->nodes_capacity) {
    void *nodes = b->nodes;
    HY_TRY(hy__grow(r->allocator, &nodes, &b->nodes_capacity, HY_MAX(b->n_nodes + 1, (size_t)64),
                    sizeof(hy__node), err));
    b->nodes = nodes;
  }
  b->nodes[b->n_nodes++] = *node;
  return HY_OK;
}

static hy_status at(const hy__pb_field *f, hy_status status, hy_error *err) {
  if (status != HY_OK) hy__error_place(err, 0, 0, (int64_t)hy__span_offset(&f->bytes));
  return status;
}

hy_status hy__onnx_define(hy__onnx *r, hy__onnx_frame *frame, const hy__pb_field *f, int32_t *id,
                          hy_error *err) {
  const char *name;
  HY_TRY(hy__onnx_text(r, f, "a value's name", &name, err));
  if (hy__names_find(&frame->names, name, strlen(name)))
    return at(f, hy__error_set(err, HY_BAD_FORMAT, "value '%s' is defined twice", name), err);
  HY_TRY(hy__onnx_value_new(r, frame->build, name, id, err));
  return hy__names_add(&frame->names, name, strlen(name), *id, err);
}

/* A name of this frame, or of a graph around it, which then enters this graph as a captured value.
 */
static hy_status look_up(hy__onnx *r, hy__onnx_frame *frame, const char *name, size_t len,
                         int32_t *id, bool *found, hy_error *err) {
  const hy__names_slot *slot = hy__names_find(&frame->names, name, len);
  *found = slot != NULL;
  if (slot) *id = slot->id;
  if (slot || !frame->outer) return HY_OK;
  int32_t outer;
  HY_TRY(look_up(r, frame->outer, name, len, &outer, found, err));
  if (!*found) return HY_OK;
  if (outer == HY__ABSENT) {
    *id = HY__ABSENT;
    return HY_OK;
  }
  const hy__value seen = frame->outer->build->values[outer];
  HY_TRY(hy__onnx_value_new(r, frame->build, seen.name, id, err));
  hy__value *v = &frame->build->values[*id];
  *v = seen;
  v->producer = -1;
  v->outer = outer;
  return hy__names_add(&frame->names, v->name, len, *id, err);
}

hy_status hy__onnx_resolve(hy__onnx *r, hy__onnx_frame *frame, const hy__pb_field *f, int32_t *id,
                           hy_error *err) {
  if (f->wire != HY__PB_BYTES) return hy__pb_malformed(&f->bytes, "a value's name", err);
  size_t len = hy__span_left(&f->bytes);
  const char *name = (const char *)f->bytes.pos;
  *id = HY__ABSENT;
  if (!len) return HY_OK;
  bool found;
  HY_TRY(look_up(r, frame, name, len, id, &found, err));
  if (found) return HY_OK;
  int shown = (int)HY_MIN(len, (size_t)80);
  return at(
      f,
      hy__error_set(err, HY_BAD_FORMAT, "value '%.*s' is used but nothing defines it", shown, name),
      err);
}

static hy_status define_outputs_of(hy__onnx *r, hy__span node, hy__onnx_frame *frame,
                                   hy_error *err) {
  hy__pb_field f;
  while (hy__pb_next(&node, &f)) {
    if (f.number != 2) continue;
    if (f.wire != HY__PB_BYTES) return hy__pb_malformed(&node, "a node's output", err);
    const hy__names_slot *slot =
        hy__names_find(&frame->names, (const char *)f.bytes.pos, hy__span_left(&f.bytes));
    /* A function's outputs stand for the caller's values already. */
    bool waits =
        slot && frame->call && slot->id >= 0 && frame->build->values[slot->id].producer == -2;
    int32_t id;
    if (waits)
      frame->build->values[slot->id].producer = -1;
    else if (hy__span_left(&f.bytes))
      HY_TRY(hy__onnx_define(r, frame, &f, &id, err));
  }
  return node.failed ? hy__pb_malformed(&node, "a node", err) : HY_OK;
}

hy_status hy__onnx_define_outputs(hy__onnx *r, hy__span in, uint32_t number, hy__onnx_frame *frame,
                                  hy_error *err) {
  hy__pb_field f;
  while (hy__pb_next(&in, &f))
    if (f.number == number && f.wire == HY__PB_BYTES)
      HY_TRY(define_outputs_of(r, f.bytes, frame, err));
  return HY_OK;
}

static hy_status dim_read(hy__onnx *r, hy__span in, hy__value *v, hy_error *err) {
  hy__pb_field f;
  HY_FAIL_IF(v->rank >= HY_MAX_RANK, HY_LIMIT, err, "'%s' has more than %d dims", v->name,
             (int)HY_MAX_RANK);
  int64_t *dim = &v->dims[v->rank];
  const char **name = &v->dim_names[v->rank++];
  *dim = -1;
  *name = NULL;
  while (hy__pb_next(&in, &f)) {
    if (f.number == 1 && f.wire == HY__PB_VARINT) *dim = HY_MAX((int64_t)f.value, (int64_t)-1);
    if (f.number == 2) HY_TRY(hy__onnx_text(r, &f, "a dim's name", name, err));
  }
  return in.failed ? hy__pb_malformed(&in, "a dim", err) : HY_OK;
}

static hy_status shape_read(hy__onnx *r, hy__span in, hy__value *v, hy_error *err) {
  hy__pb_field f;
  v->rank = 0;
  while (hy__pb_next(&in, &f))
    if (f.number == 1 && f.wire == HY__PB_BYTES) HY_TRY(dim_read(r, f.bytes, v, err));
  if (in.failed) return hy__pb_malformed(&in, "a shape", err);
  int64_t known[HY_MAX_RANK];
  for (int32_t d = 0; d < v->rank; d++) known[d] = v->dims[d] < 0 ? 1 : v->dims[d];
  size_t bytes;
  HY_FAIL_IF(!hy__shape_bytes(known, v->rank, HY_MAX(hy_dtype_bytes(v->dtype), (size_t)1), &bytes),
             HY_LIMIT, err, "the dims of '%s' overflow: more bytes than addresses", v->name);
  return HY_OK;
}

/* TypeProto.Tensor; other kinds of type (sequence, map, optional) stay NONE. */
static hy_status tensor_type_read(hy__onnx *r, hy__span in, hy__value *v, hy_error *err) {
  hy__pb_field f;
  hy__span shape = {0};
  bool has_shape = false;
  while (hy__pb_next(&in, &f)) {
    if (f.number == 1 && f.wire == HY__PB_VARINT)
      v->dtype =
          f.value <= HY_I2 && hy_dtype_bytes((hy_dtype)f.value) ? (hy_dtype)f.value : HY_DTYPE_NONE;
    if (f.number == 2 && f.wire == HY__PB_BYTES) {
      shape = f.bytes;
      has_shape = true;
    }
  }
  if (in.failed) return hy__pb_malformed(&in, "a type", err);
  return has_shape ? shape_read(r, shape, v, err) : HY_OK;
}

static hy_status type_read(hy__onnx *r, hy__span in, hy__value *v, hy_error *err) {
  hy__pb_field f;
  const hy__span whole = in;
  while (hy__pb_next(&in, &f))
    if (f.number == 1 && f.wire == HY__PB_BYTES) HY_TRY(tensor_type_read(r, f.bytes, v, err));
  if (in.failed) return hy__pb_malformed(&in, "a type", err);
  return v->dtype ? HY_OK : hy__onnx_type_text(r, whole, &v->type, err);
}

/* ValueInfoProto: the name's field and the type. */
static hy_status info_read(hy__onnx *r, hy__span in, hy__pb_field *name, hy__value *v,
                           hy_error *err) {
  hy__pb_field f;
  hy__span type = in;
  type.pos = type.end;
  *name = (hy__pb_field){.wire = HY__PB_BYTES, .bytes = type};
  *v = (hy__value){.name = "", .rank = -1, .producer = -1, .outer = -1};
  while (hy__pb_next(&in, &f)) {
    if (f.number == 1) *name = f;
    if (f.number == 2 && f.wire == HY__PB_BYTES) type = f.bytes;
  }
  if (in.failed) return hy__pb_malformed(&in, "a graph's input or output", err);
  HY_TRY(hy__onnx_text(r, name, "a value's name", &v->name, err));
  hy_status status = type_read(r, type, v, err);
  if (status != HY_OK) hy__error_place(err, 0, 0, (int64_t)hy__span_offset(&type));
  return status;
}

static void type_copy(hy__value *to, const hy__value *from) {
  to->dtype = from->dtype;
  to->type = from->type;
  to->rank = from->rank;
  memcpy(to->dims, from->dims, sizeof to->dims);
  memcpy(to->dim_names, from->dim_names, sizeof to->dim_names);
}

static hy_status initializer_count(hy__onnx *r, const hy_tensor *t, hy_error *err) {
  size_t bytes = 0, most = r->limits.max_initializer_bytes;
  (void)hy__shape_bytes(t->dims, t->rank, hy_dtype_bytes(t->dtype), &bytes);
  HY_FAIL_IF(!hy__add(r->initializer_bytes, bytes, &r->initializer_bytes) ||
                 (most && r->initializer_bytes > most),
             HY_LIMIT, err, "the initializers have more than %zu bytes", most);
  return HY_OK;
}

static hy_status initializer_read(hy__onnx *r, hy__span in, hy__onnx_frame *frame, hy_error *err) {
  void *memory;
  hy__pb_field f, name = {.wire = HY__PB_BYTES, .bytes = in};
  HY_TRY(hy__arena_alloc(r->arena, sizeof(hy_tensor), _Alignof(hy_tensor), &memory, err));
  hy_tensor *t = memory;
  name.bytes.pos = name.bytes.end;
  for (hy__span scan = in; hy__pb_next(&scan, &f);)
    if (f.number == 8) name = f;
  int32_t id;
  HY_TRY(hy__onnx_define(r, frame, &name, &id, err));
  r->loose = !frame->outer;
  hy_status status = hy__onnx_tensor(r, in, t, NULL, err);
  r->loose = false;
  HY_TRY(status);
  HY_TRY(initializer_count(r, t, err));
  hy__value *v = &frame->build->values[id];
  v->constant = t;
  v->dtype = t->dtype;
  v->rank = t->rank;
  memcpy(v->dims, t->dims, sizeof v->dims);
  return HY_OK;
}

/* Inputs come after the initializers: old files list an initializer as an input too. */
static hy_status inputs_read(hy__onnx *r, hy__span in, hy__onnx_frame *frame, int32_t *ids,
                             size_t *n, hy_error *err) {
  hy__pb_field f, name;
  hy__value declared;
  while (hy__pb_next(&in, &f)) {
    if (f.number != 11 || f.wire != HY__PB_BYTES) continue;
    HY_TRY(info_read(r, f.bytes, &name, &declared, err));
    const hy__names_slot *slot =
        hy__names_find(&frame->names, declared.name, strlen(declared.name));
    if (slot && frame->build->values[slot->id].constant) continue;
    int32_t id;
    HY_TRY(hy__onnx_define(r, frame, &name, &id, err));
    type_copy(&frame->build->values[id], &declared);
    ids[(*n)++] = id;
  }
  return HY_OK;
}

static hy_status outputs_read(hy__onnx *r, hy__span in, hy__onnx_frame *frame, int32_t *ids,
                              size_t *n, hy_error *err) {
  hy__pb_field f, name;
  hy__value declared;
  while (hy__pb_next(&in, &f)) {
    if (f.number != 12 || f.wire != HY__PB_BYTES) continue;
    HY_TRY(info_read(r, f.bytes, &name, &declared, err));
    int32_t id;
    HY_TRY(hy__onnx_resolve(r, frame, &name, &id, err));
    HY_FAIL_IF(id == HY__ABSENT, HY_BAD_FORMAT, err, "a graph's output has no name");
    hy__value *v = &frame->build->values[id];
    if (!v->constant && v->dtype == HY_DTYPE_NONE) type_copy(v, &declared);
    ids[(*n)++] = id;
  }
  return HY_OK;
}

typedef struct counts {
  size_t inputs, outputs;
} counts;

static hy_status count_fields(hy__onnx *r, hy__span in, counts *n, hy_error *err) {
  hy__pb_field f;
  size_t nodes = 0;
  while (hy__pb_next(&in, &f)) {
    n->inputs += f.number == 11;
    n->outputs += f.number == 12;
    nodes += f.number == 1;
    HY_FAIL_IF(f.number == 15, HY_UNSUPPORTED, err, "sparse initializers are not supported");
  }
  if (in.failed) return hy__pb_malformed(&in, "the graph", err);
  HY_FAIL_IF(nodes > r->limits.max_nodes, HY_LIMIT, err, "the graph has %zu nodes; at most %zu",
             nodes, r->limits.max_nodes);
  return HY_OK;
}

static hy_status graph_parts(hy__onnx *r, hy__span in, hy__onnx_frame *frame, hy__graph *out,
                             hy_error *err) {
  counts n = {0};
  void *ids;
  hy__pb_field f;
  HY_TRY(count_fields(r, in, &n, err));
  out->name = "";
  for (hy__span s = in; hy__pb_next(&s, &f);) {
    if (f.number == 2) HY_TRY(hy__onnx_text(r, &f, "the graph's name", &out->name, err));
    if (f.number == 5 && f.wire == HY__PB_BYTES) HY_TRY(initializer_read(r, f.bytes, frame, err));
    if (f.number == 10 && f.wire == HY__PB_BYTES && !frame->outer)
      HY_TRY(hy__arena_text(r->arena, (const char *)f.bytes.pos, hy__span_left(&f.bytes),
                            &r->model->info.graph_description, err));
  }
  HY_TRY(hy__arena_array(r->arena, n.inputs + n.outputs + 1, sizeof(int32_t), &ids, err));
  int32_t *inputs = ids, *outputs = inputs + n.inputs;
  HY_TRY(inputs_read(r, in, frame, inputs, &out->n_inputs, err));
  HY_TRY(hy__onnx_define_outputs(r, in, 1, frame, err));
  for (hy__span s = in; hy__pb_next(&s, &f);)
    if (f.number == 1) {
      if (f.wire != HY__PB_BYTES) return hy__pb_malformed(&s, "a node", err);
      HY_TRY(hy__onnx_node(r, f.bytes, frame, err));
    }
  HY_TRY(outputs_read(r, in, frame, outputs, &out->n_outputs, err));
  out->inputs = inputs;
  out->outputs = outputs;
  return HY_OK;
}

/* From the growing lists into the arena. */
static hy_status settle(hy__onnx *r, hy__onnx_build *b, hy__graph *out, hy_error *err) {
  void *values, *nodes;
  HY_TRY(hy__arena_array(r->arena, b->n_values + 1, sizeof(hy__value), &values, err));
  HY_TRY(hy__arena_array(r->arena, b->n_nodes + 1, sizeof(hy__node), &nodes, err));
  out->values = values;
  out->nodes = nodes;
  out->n_values = b->n_values;
  out->n_nodes = b->n_nodes;
  if (b->n_values) memcpy(out->values, b->values, b->n_values * sizeof(hy__value));
  if (b->n_nodes) memcpy(out->nodes, b->nodes, b->n_nodes * sizeof(hy__node));
  return hy__graph_sort(out, r->arena, r->allocator, err);
}

hy_status hy__onnx_graph(hy__onnx *r, hy__span in, hy__onnx_frame *frame, hy__graph *out,
                         hy_error *err) {
  *out = (hy__graph){0};
  hy_status status = graph_parts(r, in, frame, out, err);
  if (status == HY_OK) status = settle(r, frame->build, out, err);
  hy__free(r->allocator, frame->build->values, frame->build->values_capacity * sizeof(hy__value));
  hy__free(r->allocator, frame->build->nodes, frame->build->nodes_capacity * sizeof(hy__node));
  *frame->build = (hy__onnx_build){0};
  return status;
}
