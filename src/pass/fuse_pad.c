/* SPDX-License-Identifier: Apache-2.0 */
/* Pad with zeros of the spatial dims moves into the Convs and ConvLasts that read it. */
#include "pass/rewrite.h"

static bool text_is(hy_string s, const char *text) {
  return s.len_bytes == strlen(text) && memcmp(s.data, text, s.len_bytes) == 0;
}

static bool pads_zeros(const hy__work *w, int32_t pad) {
  const hy__node *node = &w->nodes[pad].node;
  const hy_tensor *value = hy__work_known_input(w, pad, 2);
  if (!text_is(hy__node_string(node, "mode", "constant"), "constant")) return false;
  if (hy__work_input(w, pad, 2) < 0) return hy__node_float(node, "value", 0.0f) == 0.0f;
  const uint8_t *bytes = value ? value->data : NULL;
  for (size_t i = 0; value && i < hy__work_bytes(value); i++)
    if (bytes[i]) return false;
  return value != NULL;
}

/* The padding per axis; negative, or off the spatial dims, which begin at `first`: false. */
static bool read_pads(const hy__work *w, int32_t pad, int32_t first, int64_t before[],
                      int64_t after[]) {
  int64_t pads[HY_MAX_RANK], axes[HY_MAX_RANK];
  int32_t n, n_axes;
  const int32_t rank = hy__work_tensor(w, hy__work_input(w, pad, 0))->rank;
  if (2 * rank > HY_MAX_RANK && hy__work_input(w, pad, 1) >= 0 && !hy__work_known_input(w, pad, 1))
    return false;
  if (!hy__work_known_ints(w, pad, 1, "pads", pads, &n)) return false;
  if (hy__work_input(w, pad, 3) >= 0) {
    if (!hy__work_known_ints(w, pad, 3, NULL, axes, &n_axes)) return false;
  } else {
    for (n_axes = 0; n_axes < rank; n_axes++) axes[n_axes] = n_axes;
  }
  if (n != 2 * n_axes) return false;
  for (int32_t d = 0; d < rank; d++) before[d] = after[d] = 0;
  for (int32_t i = 0; i < n_axes; i++) {
    const int64_t d = axes[i] < 0 ? axes[i] + rank : axes[i];
    before[d] = pads[i];
    after[d] = pads[i + n_axes];
    const bool spatial = d >= first && d < first + rank - 2;
    if (before[d] < 0 || after[d] < 0 || (!spatial && (before[d] || after[d]))) return false;
  }
  return true;
}

static hy_status fuse(hy__work *w, int32_t n, bool *done, hy_error *err) {
  const hy__node node = w->nodes[n].node;
  const int32_t pad = w->values[node.inputs[0]].producer;
  int64_t before[HY_MAX_RANK], after[HY_MAX_RANK], pads[2 * HY_MAX_RANK] = {0};
  int32_t inputs[3] = {HY__ABSENT, HY__ABSENT, HY__ABSENT};
  const hy_string how = hy__node_string(&node, "auto_pad", "NOTSET");
  const bool given = text_is(how, "NOTSET");
  const int32_t first = hy__work_is(w, n, "ConvLast") ? 1 : 2;
  if (pad < 0 || !hy__work_is(w, pad, "Pad") || node.n_inputs > 3 ||
      (!given && !text_is(how, "VALID")))
    return HY_OK;
  if (!pads_zeros(w, pad) || !read_pads(w, pad, first, before, after)) return HY_OK;
  const int32_t n_dims = hy__work_tensor(w, node.inputs[0])->rank - 2;
  const hy__attr *own = given ? hy__node_attr(&node, "pads") : NULL;
  if (own && own->n != 2 * (size_t)n_dims) return HY_OK;
  for (int32_t d = 0; d < n_dims; d++) {
    pads[d] = before[d + first] + (own ? own->as.ints[d] : 0);
    pads[d + n_dims] = after[d + first] + (own ? own->as.ints[d + n_dims] : 0);
  }
  const hy__attr attrs[2] = {
      {.name = "pads", .kind = HY__ATTR_INTS, .n = 2 * (size_t)n_dims, .as.ints = pads},
      {.name = "auto_pad", .kind = HY__ATTR_STRING, .as.s = {"NOTSET", 6}}};
  for (size_t k = 1; k < node.n_inputs; k++) inputs[k] = node.inputs[k];
  inputs[0] = hy__work_input(w, pad, 0);
  hy__work_rewrite to = {.domain = node.domain,
                         .op_type = node.op_type,
                         .version = node.version,
                         .inputs = inputs,
                         .n_inputs = node.n_inputs};
  HY_TRY(hy__work_attrs(w, &node, attrs, 2, &to, err));
  return hy__work_replace(w, n, &to, done, err);
}

hy_status hy__pass_fuse_pad(hy__work *w, size_t *n_rewrites, hy_error *err) {
  for (size_t i = 0; i < w->n_nodes; i++) {
    bool done = false;
    if (hy__work_is(w, (int32_t)i, "Conv") || hy__work_is(w, (int32_t)i, "ConvLast"))
      HY_TRY(fuse(w, (int32_t)i, &done, err));
    *n_rewrites += done;
  }
  return HY_OK;
}
