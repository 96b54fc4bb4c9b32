/* SPDX-License-Identifier: Apache-2.0 */
/* Scan: the body planned once for one slice, run along the scanned axis of any input and output, in
 * either direction. Opset 8 has a batch in front of everything and may bound each row's length. */
#include "op/body.h"

/* A scanned operand as [outer, n, inner]; contiguous slices (outer 1) are used where they lie. */
typedef struct lane {
  size_t outer, inner_bytes, item_bytes; /* of one slice; of one row of the batch */
  bool reverse;
  size_t slice_at; /* in the scratch, where a slice is not contiguous */
} lane;

typedef struct scan {
  hy__op_host *host;
  hy__body *body;
  size_t n_state, n_in, n_out, first; /* first: index of the first state (1 in opset 8) */
  int64_t n_rounds, n_batch;
  hy__op_slots slots;
  size_t state_at;
  size_t *state_bytes; /* of one row of the batch */
  lane *in, *out;
} scan;

static hy_status list_of(const hy__op_plan *p, const char *name, size_t n, const int64_t **out,
                         hy_error *err) {
  const hy__attr *attr = hy__node_attr(p->node, name);
  *out = NULL;
  if (!attr) return HY_OK;
  HY_FAIL_IF(attr->kind != HY__ATTR_INTS || attr->n != n, HY_BAD_FORMAT, err,
             "%s must list %zu integers", name, n);
  *out = attr->as.ints;
  return HY_OK;
}

static bool batched(const hy__op_plan *p) { return p->node->version < 9; }

static hy_status counts(hy__op_plan *p, scan *s, const hy__graph **graph, hy_error *err) {
  int64_t n = hy__node_int(p->node, "num_scan_inputs", 0);
  *s = (scan){.host = p->host, .first = batched(p), .n_batch = 1};
  HY_FAIL_IF(n < 1 || p->n_in < s->first || (uint64_t)n > p->n_in - s->first, HY_BAD_FORMAT, err,
             "num_scan_inputs is %lld of %zu inputs", (long long)n, p->n_in);
  s->n_in = (size_t)n;
  s->n_state = p->n_in - s->first - s->n_in;
  HY_FAIL_IF(p->n_out < s->n_state, HY_BAD_FORMAT, err, "%zu outputs for %zu states", p->n_out,
             s->n_state);
  s->n_out = p->n_out - s->n_state;
  return hy__op_graph(p, "body", s->n_state + s->n_in, p->n_out, graph, err);
}

/* What the body gets of `t`: without the batch, and without the scanned axis. */
static hy_status slice_of(const hy__op_plan *p, const hy_tensor *t, int32_t axis, hy_tensor *out,
                          hy_error *err) {
  int32_t lead = batched(p);
  HY_FAIL_IF(t->rank < lead + (axis >= 0), HY_BAD_FORMAT, err, "an input has rank %d",
             (int)t->rank);
  *out = (hy_tensor){.dtype = t->dtype};
  for (int32_t d = lead; d < t->rank; d++)
    if (d != axis) out->dims[out->rank++] = t->dims[d];
  return HY_OK;
}

static hy_status lane_make(const hy_tensor *t, int32_t lead, int32_t axis, int64_t direction,
                           lane *out, hy_error *err) {
  HY_FAIL_IF(direction != 0 && direction != 1, HY_BAD_FORMAT, err, "a direction is %lld",
             (long long)direction);
  *out = (lane){.outer = 1, .inner_bytes = hy_dtype_bytes(t->dtype), .reverse = direction == 1};
  for (int32_t d = lead; d < axis; d++) out->outer *= (size_t)t->dims[d];
  for (int32_t d = axis + 1; d < t->rank; d++) out->inner_bytes *= (size_t)t->dims[d];
  out->item_bytes = out->outer * (size_t)t->dims[axis] * out->inner_bytes;
  return HY_OK;
}

static hy_status rounds_set(scan *s, const hy_tensor *t, int32_t axis, bool first, hy_error *err) {
  HY_FAIL_IF(!first && t->dims[axis] != s->n_rounds, HY_BAD_FORMAT, err,
             "scanned inputs have %lld and %lld slices", (long long)s->n_rounds,
             (long long)t->dims[axis]);
  s->n_rounds = t->dims[axis];
  return HY_OK;
}

/* The states, then the scanned inputs, as the body sees them. */
static hy_status inputs_plan(hy__op_plan *p, scan *s, hy_tensor *types, hy_error *err) {
  const int64_t *axes, *directions;
  void *lanes;
  HY_TRY(list_of(p, "scan_input_axes", s->n_in, &axes, err));
  HY_TRY(
      list_of(p, batched(p) ? "directions" : "scan_input_directions", s->n_in, &directions, err));
  HY_TRY(hy__arena_array(p->arena, s->n_in + 1, sizeof(lane), &lanes, err));
  s->in = lanes;
  for (size_t k = 0; k < s->n_state + s->n_in; k++) {
    const hy_tensor *t = &p->in[s->first + k];
    size_t j = k - s->n_state;
    int32_t axis = -1;
    HY_FAIL_IF(!p->in_present[s->first + k], HY_BAD_FORMAT, err, "input %zu must not be left out",
               s->first + k);
    HY_FAIL_IF(batched(p) && (t->rank < 1 || (k > 0 && t->dims[0] != s->n_batch)), HY_BAD_FORMAT,
               err, "input %zu has another batch than the others", s->first + k);
    if (batched(p)) s->n_batch = t->dims[0];
    if (k >= s->n_state) {
      HY_TRY(hy__op_axis(axes ? axes[j] : batched(p), t->rank, &axis, err));
      HY_TRY(rounds_set(s, t, axis, j == 0, err));
      HY_TRY(lane_make(t, batched(p), axis, directions ? directions[j] : 0, &s->in[j], err));
    }
    HY_TRY(slice_of(p, t, axis, &types[k], err));
  }
  return HY_OK;
}

static hy_status scan_plan(hy__op_plan *p, scan *s, hy_error *err) {
  const hy__graph *graph;
  void *types, *wanted;
  HY_TRY(counts(p, s, &graph, err));
  HY_TRY(hy__arena_array(p->arena, p->n_in + 1, sizeof(hy_tensor), &types, err));
  HY_TRY(hy__arena_array(p->arena, p->n_out + 1, sizeof(bool), &wanted, err));
  HY_TRY(inputs_plan(p, s, types, err));
  for (size_t k = 0; k < p->n_out; k++) ((bool *)wanted)[k] = k < s->n_state || p->out_wanted[k];
  return hy__op_body(p, "body", types, wanted, &s->body, err);
}

/* The type of output k, of which `one` is a slice. */
static hy_status stacked(hy__op_plan *p, const scan *s, size_t k, const hy_tensor *one, lane *out,
                         hy_error *err) {
  const int64_t *axes, *directions;
  int64_t dims[HY_MAX_RANK + 2];
  int32_t lead = batched(p), rank = lead, axis;
  size_t j = k - s->n_state;
  HY_TRY(list_of(p, "scan_output_axes", s->n_out, &axes, err));
  HY_TRY(list_of(p, "scan_output_directions", s->n_out, &directions, err));
  HY_TRY(hy__op_axis(axes ? axes[j] : lead, one->rank + 1 + lead, &axis, err));
  if (lead) dims[0] = s->n_batch;
  for (int32_t d = 0; d < one->rank; d++) {
    if (rank == axis) dims[rank++] = s->n_rounds;
    dims[rank++] = one->dims[d];
  }
  if (rank == axis) dims[rank++] = s->n_rounds;
  HY_TRY(hy__op_out(p, k, one->dtype, rank, dims, err));
  return lane_make(&p->out[k], lead, axis, directions ? directions[j] : 0, out, err);
}

hy_status hy__op_scan_infer(hy__op_plan *p, hy_error *err) {
  scan s;
  lane ignored;
  HY_TRY(scan_plan(p, &s, err));
  HY_FAIL_IF(hy__op_has(p, 0) && batched(p) &&
                 (p->in[0].dtype != HY_I64 || hy__op_count_of(&p->in[0]) != (size_t)s.n_batch),
             HY_BAD_FORMAT, err, "sequence_lens must be i64, one per row of the batch");
  for (size_t k = 0, at = 0; k < p->n_out; k++) {
    if (k >= s.n_state && !p->out_wanted[k]) continue;
    const hy_tensor *made = &s.body->out[at++];
    HY_FAIL_IF(made->dtype == HY_STRING, HY_UNSUPPORTED, err, "it carries texts");
    if (k >= s.n_state) {
      HY_TRY(stacked(p, &s, k, made, &ignored, err));
      continue;
    }
    hy_tensor first;
    HY_TRY(slice_of(p, &p->in[s.first + k], -1, &first, err));
    HY_FAIL_IF(made->dtype != first.dtype || !hy__op_same_dims(made, &first), HY_BAD_FORMAT, err,
               "its body changes the type or shape of state %zu", k);
    HY_TRY(hy__op_out_like(p, k, &p->in[s.first + k], err));
  }
  return HY_OK;
}

/* --- run --- */

/* A round of a row's n: a row is reversed from its own end. */
typedef struct turn {
  int64_t row, round, n;
} turn;

static size_t place_of(const lane *l, const turn *at) {
  return (size_t)(l->reverse ? at->n - 1 - at->round : at->round) * l->inner_bytes;
}

/* The slice of an input: where it lies, or copied together. */
static void *slice_read(const scan *s, const lane *l, const uint8_t *from, const turn *at,
                        uint8_t *scratch) {
  from += place_of(l, at);
  if (l->outer == 1) return (void *)(uintptr_t)from;
  for (size_t o = 0; o < l->outer; o++)
    memcpy(scratch + l->slice_at + o * l->inner_bytes,
           from + o * (size_t)s->n_rounds * l->inner_bytes, l->inner_bytes);
  return scratch + l->slice_at;
}

static void slice_write(const scan *s, const lane *l, uint8_t *to, const turn *at,
                        const uint8_t *scratch) {
  if (l->outer == 1) return;
  to += place_of(l, at);
  for (size_t o = 0; o < l->outer; o++)
    memcpy(to + o * (size_t)s->n_rounds * l->inner_bytes,
           scratch + l->slice_at + o * l->inner_bytes, l->inner_bytes);
}

static uint8_t *row_of(const hy_tensor *t, size_t item_bytes, int64_t row) {
  return (uint8_t *)t->data + item_bytes * (size_t)row;
}

static void round_bind(const scan *s, const hy__step *step, const turn *at) {
  void **in = hy__op_slots_in(&s->slots, step), **out = hy__op_slots_out(&s->slots, step);
  void **state = out + s->body->n_out;
  uint8_t *scratch = step->scratch, *place = scratch + s->state_at;
  for (size_t k = 0; k < s->n_state; k++) {
    size_t bytes = s->state_bytes[k], apart = (bytes + HY_ALIGN) / HY_ALIGN * HY_ALIGN;
    in[k] = state[k];
    *out++ = state[k] = at->round + 1 == at->n && step->out[k].data
                            ? row_of(&step->out[k], bytes, at->row)
                            : place + (size_t)(at->round & 1) * apart;
    place += 2 * apart;
  }
  for (size_t k = 0; k < s->n_in; k++) {
    const hy_tensor *t = &step->in[s->first + s->n_state + k];
    in[s->n_state + k] =
        slice_read(s, &s->in[k], row_of(t, s->in[k].item_bytes, at->row), at, scratch);
  }
  for (size_t k = 0; k < s->n_out; k++) {
    const hy_tensor *t = &step->out[s->n_state + k];
    const lane *l = &s->out[k];
    if (!t->data) continue;
    *out++ =
        l->outer == 1 ? row_of(t, l->item_bytes, at->row) + place_of(l, at) : scratch + l->slice_at;
  }
}

static hy_status run_row(const scan *s, const hy__step *step, int64_t row, int64_t n,
                         hy_error *err) {
  void **state = hy__op_slots_out(&s->slots, step) + s->body->n_out;
  for (size_t k = 0; k < s->n_state; k++)
    state[k] = row_of(&step->in[s->first + k], s->state_bytes[k], row);
  for (int64_t round = 0; round < n; round++) {
    const turn at = {row, round, n};
    round_bind(s, step, &at);
    HY_TRY(hy__op_slots_run(&s->slots, s->host, s->body, step, err));
    for (size_t k = 0; k < s->n_out; k++) {
      const hy_tensor *t = &step->out[s->n_state + k];
      if (t->data)
        slice_write(s, &s->out[k], row_of(t, s->out[k].item_bytes, row), &at, step->scratch);
    }
  }
  for (size_t k = 0; k < s->n_state && n == 0; k++)
    if (step->out[k].data)
      memcpy(row_of(&step->out[k], s->state_bytes[k], row), state[k], s->state_bytes[k]);
  return HY_OK;
}

static hy_status run(const hy__step *step, hy_error *err) {
  const scan *s = step->params;
  const int64_t *lens = s->first ? step->in[0].data : NULL;
  hy__op_slots_capture(&s->slots, s->body, step);
  for (size_t k = 0; k < s->n_out && lens; k++) {
    const hy_tensor *t = &step->out[s->n_state + k];
    if (t->data) memset(t->data, 0, hy__op_bytes_of(t));
  }
  for (int64_t row = 0; row < s->n_batch; row++) {
    int64_t n = lens ? lens[row] : s->n_rounds;
    HY_FAIL_IF(n < 0 || n > s->n_rounds, HY_INVALID_ARGUMENT, err,
               "sequence_lens has %lld for a sequence of %lld", (long long)n,
               (long long)s->n_rounds);
    HY_TRY(run_row(s, step, row, n, err));
  }
  return HY_OK;
}

static hy_status memory_plan(hy__op_plan *p, scan *s, hy_error *err) {
  size_t total = 0, at, n_made = s->n_state;
  void *bytes, *lanes;
  HY_TRY(hy__arena_array(p->arena, s->n_state + 1, sizeof(size_t), &bytes, err));
  HY_TRY(hy__arena_array(p->arena, s->n_out + 1, sizeof(lane), &lanes, err));
  s->state_bytes = bytes;
  s->out = lanes;
  HY_TRY(hy__op_slots_make(&total, s->body, &s->slots, err));
  s->state_at = total;
  for (size_t k = 0; k < s->n_state; k++) {
    s->state_bytes[k] = hy__op_bytes_of(&s->body->out[k]);
    for (int twice = 0; twice < 2; twice++)
      HY_TRY(hy__op_room(&total, s->state_bytes[k] + 1, &at, err));
  }
  for (size_t k = 0; k < s->n_in; k++) {
    lane *l = &s->in[k];
    if (l->outer != 1) HY_TRY(hy__op_room(&total, l->outer * l->inner_bytes, &l->slice_at, err));
  }
  for (size_t k = 0; k < s->n_out; k++) {
    lane *l = &s->out[k];
    if (!p->out_wanted[s->n_state + k]) continue;
    HY_TRY(stacked(p, s, s->n_state + k, &s->body->out[n_made++], l, err));
    if (l->outer != 1) HY_TRY(hy__op_room(&total, l->outer * l->inner_bytes, &l->slice_at, err));
  }
  p->scratch_bytes = total;
  return HY_OK;
}

hy_status hy__op_scan_lower(hy__op_plan *p, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(scan), _Alignof(scan), &memory, err));
  scan *s = memory;
  HY_TRY(scan_plan(p, s, err));
  HY_TRY(memory_plan(p, s, err));
  p->params = s;
  p->run = run;
  return HY_OK;
}
