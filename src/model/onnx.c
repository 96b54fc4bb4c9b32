/* SPDX-License-Identifier: Apache-2.0 */
/* The ONNX reader's outer part: ModelProto with its opset imports, functions and metadata, and what
 * the model gives and takes. The graph itself: onnx_graph.c. */
#include "model/onnx.h"

const hy__onnx_limits hy__onnx_limits_default = {
    .max_nodes = 1 << 20, .max_name_bytes = 4096, .max_depth = 32, .max_files = 64};

enum { IR_OLDEST = 3, IR_NEWEST = 20 };

hy_status hy__onnx_text(hy__onnx *r, const hy__pb_field *f, const char *what, const char **out,
                        hy_error *err) {
  if (f->wire != HY__PB_BYTES) return hy__pb_malformed(&f->bytes, what, err);
  size_t len = hy__span_left(&f->bytes);
  const char *text = (const char *)f->bytes.pos;
  hy_status status = HY_OK;
  if (len > r->limits.max_name_bytes)
    status = hy__error_set(err, HY_LIMIT, "%s has %zu bytes; at most %zu are allowed", what, len,
                           r->limits.max_name_bytes);
  else if (len && memchr(text, 0, len))
    status = hy__error_set(err, HY_BAD_FORMAT, "%s contains a zero byte", what);
  if (status != HY_OK) {
    hy__error_place(err, 0, 0, (int64_t)hy__span_offset(&f->bytes));
    return status;
  }
  return hy__arena_text(r->arena, text, len, out, err);
}

static hy_status opset_read(hy__onnx *r, hy__span in, hy__opset *out, hy_error *err) {
  hy__pb_field f;
  *out = (hy__opset){"", 0};
  while (hy__pb_next(&in, &f)) {
    if (f.number == 1) HY_TRY(hy__onnx_text(r, &f, "an opset domain", &out->domain, err));
    if (f.number == 2 && f.wire == HY__PB_VARINT) out->version = (int64_t)f.value;
  }
  if (in.failed) return hy__pb_malformed(&in, "opset_import", err);
  if (strcmp(out->domain, "ai.onnx") == 0) out->domain = "";
  HY_FAIL_IF(out->version < 1 || out->version > INT32_MAX, HY_BAD_FORMAT, err,
             "opset_import of domain '%s' has version %lld", out->domain, (long long)out->version);
  return HY_OK;
}

hy_status hy__onnx_opsets(hy__onnx *r, hy__span in, hy__opsets *opsets, hy_error *err) {
  hy__opset one;
  HY_TRY(opset_read(r, in, &one, err));
  for (size_t i = 0; i < opsets->n; i++) {
    if (strcmp(opsets->items[i].domain, one.domain) != 0) continue;
    HY_FAIL_IF(opsets->items[i].version != one.version, HY_BAD_FORMAT, err,
               "domain '%s' is imported at version %lld and at %lld", one.domain,
               (long long)opsets->items[i].version, (long long)one.version);
    return HY_OK;
  }
  HY_FAIL_IF(opsets->n == HY__ONNX_OPSETS, HY_LIMIT, err, "more than %d opset imports",
             (int)HY__ONNX_OPSETS);
  opsets->items[opsets->n++] = one;
  return HY_OK;
}

static hy_status function_read(hy__onnx *r, hy__span in, hy_error *err) {
  hy__onnx_function *fn;
  void *memory;
  HY_TRY(hy__arena_alloc(r->arena, sizeof *fn, _Alignof(hy__onnx_function), &memory, err));
  fn = memory;
  *fn = (hy__onnx_function){
      .domain = "", .name = "", .overload = "", .body = in, .next = r->functions};
  hy__pb_field f;
  while (hy__pb_next(&in, &f)) {
    if (f.number == 1) HY_TRY(hy__onnx_text(r, &f, "a function's name", &fn->name, err));
    if (f.number == 10) HY_TRY(hy__onnx_text(r, &f, "a function's domain", &fn->domain, err));
    if (f.number == 13) HY_TRY(hy__onnx_text(r, &f, "a function's overload", &fn->overload, err));
  }
  if (in.failed) return hy__pb_malformed(&in, "a function", err);
  if (strcmp(fn->domain, "ai.onnx") == 0) fn->domain = "";
  r->functions = fn;
  return HY_OK;
}

static hy_status metadata_read(hy__onnx *r, hy__span in, hy__metadata *out, hy_error *err) {
  hy__pb_field f;
  out->key = out->value = "";
  while (hy__pb_next(&in, &f)) {
    if (f.number != 1 && f.number != 2) continue;
    if (f.wire != HY__PB_BYTES) return hy__pb_malformed(&in, "metadata_props", err);
    HY_TRY(hy__arena_text(r->arena, (const char *)f.bytes.pos, hy__span_left(&f.bytes),
                          f.number == 1 ? &out->key : &out->value, err));
  }
  return in.failed ? hy__pb_malformed(&in, "metadata_props", err) : HY_OK;
}

/* The first walk over ModelProto: everything but the graph, which may stand before what it needs.
 */
typedef struct header {
  hy__span graph;
  bool has_graph;
  int64_t ir_version;
  size_t n_fields, n_metadata;
} header;

static hy_status info_read(hy__onnx *r, const hy__pb_field *f, hy_model_info *info, hy_error *err) {
  if (f->number == 5 && f->wire == HY__PB_VARINT) info->model_version = (int64_t)f->value;
  const char **to = f->number == 2   ? &info->producer_name
                    : f->number == 3 ? &info->producer_version
                    : f->number == 4 ? &info->domain
                    : f->number == 6 ? &info->description
                                     : NULL;
  if (!to || f->wire != HY__PB_BYTES) return HY_OK;
  return hy__arena_text(r->arena, (const char *)f->bytes.pos, hy__span_left(&f->bytes), to, err);
}

static hy_status header_read(hy__onnx *r, hy__span in, header *h, hy_error *err) {
  hy__pb_field f;
  while (hy__pb_next(&in, &f)) {
    h->n_fields++;
    bool message = f.wire == HY__PB_BYTES;
    if (f.number == 1 && f.wire == HY__PB_VARINT) h->ir_version = (int64_t)f.value;
    HY_TRY(info_read(r, &f, &r->model->info, err));
    if (f.number == 14 && message) h->n_metadata++;
    if (f.number == 8 && message) HY_TRY(hy__onnx_opsets(r, f.bytes, &r->opsets, err));
    if (f.number == 25 && message) HY_TRY(function_read(r, f.bytes, err));
    if (f.number == 7 && message) {
      HY_FAIL_IF(h->has_graph, HY_BAD_FORMAT, err, "the file holds two graphs");
      h->has_graph = true;
      h->graph = f.bytes;
    }
  }
  return in.failed ? hy__pb_malformed(&in, "the model", err) : HY_OK;
}

static hy_status metadata_all(hy__onnx *r, hy__span in, size_t n, hy_error *err) {
  hy__pb_field f;
  void *memory;
  HY_TRY(hy__arena_array(r->arena, n, sizeof(hy__metadata), &memory, err));
  r->model->metadata = memory;
  while (hy__pb_next(&in, &f))
    if (f.number == 14 && f.wire == HY__PB_BYTES)
      HY_TRY(metadata_read(r, f.bytes, &r->model->metadata[r->model->info.n_metadata++], err));
  return HY_OK;
}

/* What else people hand to a model reader, by its first bytes. */
static hy_status other_format(hy__span in, hy_error *err) {
  size_t n = hy__span_left(&in);
  const char *text = (const char *)in.pos;
  HY_FAIL_IF(n == 0, HY_BAD_FORMAT, err, "the file is empty");
  HY_FAIL_IF(n >= 4 && memcmp(text, "PK\3\4", 4) == 0, HY_UNSUPPORTED, err,
             "a zip archive, perhaps a torch or npz file; export the model to ONNX");
  HY_FAIL_IF(n >= 8 && memcmp(text, "\x89HDF\r\n\x1a\n", 8) == 0, HY_UNSUPPORTED, err,
             "an HDF5 file, perhaps a Keras model; export the model to ONNX");
  return HY_OK;
}

static hy_status read_all(hy__onnx *r, hy__span file, hy_error *err) {
  header h = {0};
  hy_model *model = r->model;
  model->info = (hy_model_info){.producer_name = "",
                                .producer_version = "",
                                .domain = "",
                                .description = "",
                                .graph_description = "",
                                .model_version = INT64_MAX};
  HY_TRY(other_format(file, err));
  HY_TRY(header_read(r, file, &h, err));
  HY_FAIL_IF(!h.has_graph, HY_BAD_FORMAT, err, "not an ONNX model: no graph in it");
  HY_FAIL_IF(h.ir_version < IR_OLDEST || h.ir_version > IR_NEWEST, HY_UNSUPPORTED, err,
             "ONNX IR version %lld; %d to %d are read", (long long)h.ir_version, (int)IR_OLDEST,
             (int)IR_NEWEST);
  HY_FAIL_IF(!r->opsets.n, HY_BAD_FORMAT, err, "the model imports no opset");
  HY_TRY(metadata_all(r, file, HY_MAX(h.n_metadata, (size_t)1), err));
  hy__onnx_build build = {0};
  hy__onnx_frame frame = {.build = &build, .opsets = &r->opsets};
  hy__names_init(&frame.names, r->allocator);
  hy_status status = hy__onnx_graph(r, h.graph, &frame, &model->graph, err);
  hy__names_destroy(&frame.names);
  HY_TRY(status);
  HY_TRY(hy__onnx_align(r, &model->graph, err));
  model->info.ir_version = h.ir_version;
  HY_TRY(hy__onnx_ports(r, model->graph.inputs, model->graph.n_inputs, &model->inputs, err));
  return hy__onnx_ports(r, model->graph.outputs, model->graph.n_outputs, &model->outputs, err);
}

hy_status hy__onnx_read(hy_model *model, const hy__onnx_limits *limits, hy_error *err) {
  const hy_allocator *a = hy__runtime_allocator(model->runtime);
  hy__onnx reader = {.model = model, .allocator = a, .arena = model->arena, .limits = *limits};
  hy_status status = read_all(&reader, hy__span_make(model->map.data, model->map.bytes), err);
  hy__pb_list_free(&reader.ints, a, sizeof(int64_t));
  hy__pb_list_free(&reader.floats, a, sizeof(float));
  hy__pb_list_free(&reader.doubles, a, sizeof(double));
  hy__pb_list_free(&reader.strings, a, sizeof(hy_string));
  return status;
}
