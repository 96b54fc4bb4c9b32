/* SPDX-License-Identifier: Apache-2.0 */
/* hy_model_inspect: what a model was, what the passes made of it, the steps of its plan and what
 * each of them costs. Everything is gathered first, then rendered as text or JSON. */
#include <stdio.h>
#include <stdlib.h>

#include <hayate/inspect.h>

#include "engine/bench.h"
#include "engine/limits.h"
#include "engine/report.h"
#include "model/model.h"

enum { ARENA_BLOCK = 1 << 14, TIMED_RUNS = 101, OPS_MAX = 512, SHAPES_SHOWN = 3 };

typedef struct op_count {
  const char *name;
  size_t n;
} op_count;

typedef struct inspection {
  hy_model *model;
  const hy_runtime *runtime;
  const hy_inspect_options *options;
  hy__arena *arena;
  const hy__graph *graph;
  op_count *ops; /* of the source graph */
  size_t n_ops;
  size_t constant_bytes;
  hy_session *session;
  const hy__plan *plan; /* NULL: `why` says so */
  hy_error why;
  hy__bench_case made;
  hy__limits limits;
  double *step_us; /* NULL: not timed */
} inspection;

/* --- gathering --- */

static int by_count(const void *a, const void *b) {
  const op_count *x = a, *y = b;
  if (x->n != y->n) return x->n < y->n ? 1 : -1;
  return strcmp(x->name, y->name);
}

static void ops_count(inspection *in) {
  for (size_t k = 0; k < in->graph->n_nodes; k++) {
    const char *name = in->graph->nodes[k].op_type;
    size_t i = 0;
    while (i < in->n_ops && strcmp(in->ops[i].name, name) != 0) i++;
    if (i == in->n_ops && i < OPS_MAX) in->ops[in->n_ops++] = (op_count){name, 0};
    if (i < in->n_ops) in->ops[i].n++;
  }
  qsort(in->ops, in->n_ops, sizeof *in->ops, by_count);
  for (size_t v = 0; v < in->graph->n_values; v++) {
    const hy_tensor *t = in->graph->values[v].constant;
    size_t bytes;
    if (t && hy__shape_bytes(t->dims, t->rank, hy_dtype_bytes(t->dtype), &bytes))
      in->constant_bytes += bytes;
  }
}

static hy_status run_once(inspection *in, hy_tensor *out, hy_error *err) {
  memset(out, 0, in->made.n_out * sizeof *out);
  return hy_session_run(in->session, in->made.in, in->made.n_in, out, in->made.n_out, err);
}

static hy_status plan_get(inspection *in, hy_error *err) {
  const hy_bench_options shapes = {.struct_size = sizeof shapes,
                                   .batch = in->options->batch,
                                   .shapes = in->options->shapes,
                                   .n_shapes = in->options->n_shapes,
                                   .rows = 1};
  hy_session_options options = {.struct_size = sizeof options,
                                .n_threads = in->options->n_threads,
                                .precision = in->options->precision};
  void *out;
  HY_TRY(hy__bench_case_make(in->model, &shapes, &in->made, err));
  HY_TRY(hy_session_create(in->model, &options, &in->session, err));
  HY_TRY(hy__arena_array(in->arena, in->made.n_out + 1, sizeof(hy_tensor), &out, err));
  HY_TRY(run_once(in, out, err));
  in->plan = hy__session_plan(in->session);
  HY_FAIL_IF(!in->plan, HY_UNSUPPORTED, err,
             "shapes depend on data: the graph is evaluated node by node, and a run allocates");
  return HY_OK;
}

static int compare_floats(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* The plan's steps one by one, the clock asked between them; medians. A block's stand for all. */
static hy_status steps_time(inspection *in, hy_error *err) {
  const hy__plan *plan = in->plan;
  void *memory, *times;
  HY_TRY(hy__arena_array(in->arena, plan->n_steps + 1, sizeof(double), &memory, err));
  HY_TRY(hy__arena_array(in->arena, plan->n_steps + 1, TIMED_RUNS * sizeof(float), &times, err));
  float *us = times;
  for (size_t run = 0; run < TIMED_RUNS; run++) {
    int64_t before = hy__clock_monotonic_ns();
    for (size_t i = 0; i < plan->n_steps; i++) {
      HY_TRY(plan->steps[i].run(&plan->steps[i], err));
      int64_t now = hy__clock_monotonic_ns();
      us[i * TIMED_RUNS + run] = (float)(now - before) * 1e-3f;
      before = now;
    }
  }
  in->step_us = memory;
  const double shares = hy__plan_times(plan) / (plan->blocks ? (double)plan->blocks->n_lanes : 1);
  for (size_t i = 0; i < plan->n_steps; i++) {
    qsort(us + i * TIMED_RUNS, TIMED_RUNS, sizeof *us, compare_floats);
    in->step_us[i] = (double)us[i * TIMED_RUNS + TIMED_RUNS / 2] * shares;
  }
  return HY_OK;
}

static hy_status gather(inspection *in, hy_error *err) {
  void *ops;
  HY_TRY(hy__arena_array(in->arena, OPS_MAX, sizeof(op_count), &ops, err));
  in->ops = ops;
  ops_count(in);
  in->made.allocator = hy__runtime_allocator(in->runtime);
  in->made.arena = in->arena;
  hy_status status = plan_get(in, &in->why);
  bool told = status == HY_INVALID_ARGUMENT || status == HY_UNSUPPORTED;
  if (status != HY_OK && (!told || in->options->n_shapes)) {
    if (err) *err = in->why;
    return status;
  }
  if (!in->plan) return HY_OK;
  HY_TRY(hy__limits_measure(in->runtime, in->plan->arena_bytes + in->plan->weight_bytes,
                            &in->limits, err));
  return in->options->time_steps ? steps_time(in, err) : HY_OK;
}

/* --- one step's words --- */

typedef struct step_words {
  hy__cost cost;
  const char *op, *name, *family, *isa;
  double floor_us, times;
} step_words;

static void step_describe(const inspection *in, size_t i, step_words *s) {
  const hy__plan *plan = in->plan;
  const hy__step_info *info = &plan->infos[i];
  hy__cost_of(&plan->steps[i], info, &s->cost);
  s->op = info->op ? info->op->name : "(copy)";
  s->name = info->op ? info->node.name : "";
  s->times = hy__plan_times(plan);
  s->floor_us = hy__plan_step_floor_us(plan, i, &in->limits, in->options->n_threads);
  const hy__kernel_row *row =
      s->cost.family ? hy__report_kernel(s->cost.family, hy__runtime_cpu(in->runtime)->mask) : NULL;
  s->family = row ? row->family : NULL;
  s->isa = row ? row->isa : NULL;
}

static double macs(const hy__cost *c) { return c->macs + c->repeats * c->repeat_macs; }

static double bytes_moved(const hy__cost *c) {
  return c->activation_bytes + c->weight_bytes + c->repeats * c->repeat_bytes;
}

/* --- JSON --- */

static void json_ports(hy__json_writer *w, const char *key, const inspection *in,
                       const int32_t *ids, size_t n) {
  hy__json_key(w, key);
  hy__json_array_begin(w);
  for (size_t k = 0; k < n; k++) {
    const hy__value *v = &in->graph->values[ids[k]];
    hy__json_object_begin(w);
    hy__json_member_text(w, "name", v->name);
    hy__json_member_text(w, "dtype", hy_dtype_name(v->dtype));
    hy__json_key(w, "shape");
    hy__json_array_begin(w);
    for (int32_t d = 0; d < v->rank; d++) {
      if (v->dims[d] >= 0)
        hy__json_i64(w, v->dims[d]);
      else
        hy__json_text(w, v->dim_names[d]);
    }
    hy__json_array_end(w);
    hy__json_object_end(w);
  }
  hy__json_array_end(w);
}

static void json_shapes(hy__json_writer *w, const char *key, const hy_tensor *t, size_t n) {
  char text[HY__REPORT_SHAPE];
  hy__json_key(w, key);
  hy__json_array_begin(w);
  for (size_t k = 0; k < n; k++) {
    hy__report_shape(&t[k], NULL, text);
    hy__json_text(w, t[k].dtype ? text : NULL);
  }
  hy__json_array_end(w);
}

static void json_step(hy__json_writer *w, const inspection *in, size_t i) {
  step_words s;
  step_describe(in, i, &s);
  hy__json_object_begin(w);
  hy__json_member_text(w, "op", s.op);
  hy__json_member_text(w, "name", s.name);
  json_shapes(w, "in", in->plan->steps[i].in, in->plan->steps[i].n_in);
  json_shapes(w, "out", in->plan->steps[i].out, in->plan->steps[i].n_out);
  hy__json_member_text(w, "kernel", s.family);
  hy__json_member_text(w, "isa", s.isa);
  hy__json_member_i64(w, "weight_bytes", (int64_t)in->plan->infos[i].weight_bytes);
  hy__json_member_i64(w, "scratch_bytes", (int64_t)in->plan->infos[i].scratch_bytes);
  hy__json_member_f64(w, "multiply_adds", macs(&s.cost) * s.times);
  hy__json_member_f64(w, "bytes", bytes_moved(&s.cost) * s.times);
  hy__json_member_f64(w, "floor_us", s.floor_us);
  if (in->plan->infos[i].beside)
    hy__json_member_i64(w, "thread", (int64_t)in->plan->infos[i].beside);
  if (in->step_us) hy__json_member_f64(w, "time_us", in->step_us[i]);
  hy__json_object_end(w);
}

static void json_limits(hy__json_writer *w, const hy__limits *l) {
  static const char *const names[] = {"l1", "l2", "l3", "memory"};
  hy__json_key(w, "limits");
  hy__json_object_begin(w);
  hy__json_member_text(w, "how", "measured on this machine just now");
  hy__json_member_f64(w, "multiply_adds_per_s", l->fma_per_s);
  for (size_t k = 0; k < HY__LEVELS; k++) hy__json_member_f64(w, names[k], l->bytes_per_s[k]);
  hy__json_object_end(w);
}

static void json_plan(hy__json_writer *w, const inspection *in) {
  const hy__plan *plan = in->plan;
  hy__json_key(w, "passes");
  hy__json_object_begin(w);
  for (size_t i = 0; i < hy__pass_count(); i++)
    hy__json_member_i64(w, hy__pass_at(i)->name, (int64_t)plan->rewrites[i]);
  hy__json_object_end(w);
  hy__json_member_i64(w, "nodes_folded", (int64_t)plan->n_built);
  hy__json_member_text(w, "instruction_set", hy_isa_name(hy_runtime_isa(in->runtime)));
  hy__json_member_i64(w, "arena_bytes", (int64_t)plan->arena_bytes);
  hy__json_member_i64(w, "live_bytes", (int64_t)plan->live_bytes);
  if (plan->blocks) {
    hy__json_member_i64(w, "blocks", (int64_t)plan->blocks->n);
    hy__json_member_i64(w, "block_rows", (int64_t)plan->blocks->rows);
    hy__json_member_i64(w, "block_threads", (int64_t)plan->blocks->n_lanes);
  }
  hy__json_member_i64(w, "weight_bytes", (int64_t)plan->weight_bytes);
  hy__json_member_f64(w, "multiply_adds", hy__plan_macs(plan));
  hy__json_member_f64(w, "floor_us", hy__plan_floor_us(plan, &in->limits, in->options->n_threads));
  json_limits(w, &in->limits);
  hy__json_key(w, "steps");
  hy__json_array_begin(w);
  for (size_t i = 0; i < plan->n_steps; i++) json_step(w, in, i);
  hy__json_array_end(w);
}

static hy_status render_json(const inspection *in, const hy_sink *sink, hy_error *err) {
  hy__json_writer w;
  hy__json_begin(&w, *sink, 0);
  hy__json_object_begin(&w);
  json_ports(&w, "inputs", in, in->graph->inputs, in->graph->n_inputs);
  json_ports(&w, "outputs", in, in->graph->outputs, in->graph->n_outputs);
  hy__json_member_i64(&w, "nodes", (int64_t)in->graph->n_nodes);
  hy__json_member_i64(&w, "constant_bytes", (int64_t)in->constant_bytes);
  hy__json_key(&w, "operators");
  hy__json_object_begin(&w);
  for (size_t i = 0; i < in->n_ops; i++)
    hy__json_member_i64(&w, in->ops[i].name, (int64_t)in->ops[i].n);
  hy__json_object_end(&w);
  hy__json_member_bool(&w, "planned", in->plan != NULL);
  if (in->plan)
    json_plan(&w, in);
  else
    hy__json_member_text(&w, "why_not_planned", in->why.message);
  hy__json_object_end(&w);
  return hy__json_end(&w, err);
}

/* --- text --- */

static hy_status text_ports(const inspection *in, const char *what, const int32_t *ids, size_t n,
                            const hy_sink *sink, hy_error *err) {
  char shape[HY__REPORT_SHAPE];
  for (size_t k = 0; k < n; k++) {
    const hy__value *v = &in->graph->values[ids[k]];
    hy_tensor t = {.dtype = v->dtype, .rank = HY_MAX(v->rank, 0)};
    for (int32_t d = 0; d < t.rank; d++) t.dims[d] = v->dims[d];
    hy__report_shape(&t, v->dim_names, shape);
    HY_TRY(hy__report_say(sink, err, "  %-7s %-32s %s\n", what, v->name,
                          v->rank < 0 ? "any shape" : shape));
  }
  return HY_OK;
}

static hy_status text_graph(const inspection *in, const hy_sink *sink, hy_error *err) {
  char bytes[HY_NUMBER_TEXT];
  (void)hy__format_bytes((double)in->constant_bytes, bytes);
  HY_TRY(text_ports(in, "input", in->graph->inputs, in->graph->n_inputs, sink, err));
  HY_TRY(text_ports(in, "output", in->graph->outputs, in->graph->n_outputs, sink, err));
  HY_TRY(hy__report_say(sink, err, "\n%zu nodes, %s of constants:", in->graph->n_nodes, bytes));
  for (size_t i = 0; i < in->n_ops; i++)
    HY_TRY(hy__report_say(sink, err, "%s %s %zu", i ? "," : "", in->ops[i].name, in->ops[i].n));
  return hy__report_say(sink, err, "\n");
}

static hy_status text_step(const inspection *in, size_t i, const hy_sink *sink, hy_error *err) {
  const hy__step *step = &in->plan->steps[i];
  char shapes[(SHAPES_SHOWN + 1) * HY__REPORT_SHAPE], kernel[40], time[24] = "";
  char count[HY_NUMBER_TEXT];
  size_t used = 0;
  step_words s;
  step_describe(in, i, &s);
  for (size_t k = 0; k < step->n_in && k < SHAPES_SHOWN; k++) {
    if (!step->in[k].dtype) continue;
    hy__report_shape(&step->in[k], NULL, shapes + used);
    used += strlen(shapes + used);
    shapes[used++] = ' ';
  }
  memcpy(shapes + used, "-> ", 4);
  if (step->n_out) hy__report_shape(&step->out[0], NULL, shapes + used + 3);
  (void)hy__format_count(macs(&s.cost) * s.times, count);
  (void)snprintf(kernel, sizeof kernel, "%s %s", s.family ? s.family : "-", s.isa ? s.isa : "");
  if (in->step_us) (void)snprintf(time, sizeof time, " %9.2f", in->step_us[i]);
  return hy__report_say(sink, err, "  %3zu %-22.22s %-18s %8s %9.2f%s  %s\n", i, s.op, kernel,
                        count, s.floor_us, time, shapes);
}

/* Groups of steps that run at the same time. */
static hy_status text_beside(const hy__plan *plan, const hy_sink *sink, hy_error *err) {
  for (size_t i = 0; i < plan->n_steps; i++) {
    const size_t end = plan->infos[i].group_end;
    uint32_t n_workers = 0;
    if (plan->blocks || !plan->infos[i].beside) continue;
    for (size_t k = i; k < end; k++) n_workers = HY_MAX(n_workers, plan->infos[k].beside);
    HY_TRY(hy__report_say(sink, err, "\nsteps %zu to %zu side by side on %u threads", i, end - 1,
                          n_workers));
    i = end - 1;
  }
  return HY_OK;
}

static hy_status text_plan(const inspection *in, const hy_sink *sink, hy_error *err) {
  const hy__plan *plan = in->plan;
  char arena[HY_NUMBER_TEXT], live[HY_NUMBER_TEXT], weights[HY_NUMBER_TEXT], n[HY_NUMBER_TEXT];
  (void)hy__format_bytes((double)plan->arena_bytes, arena);
  (void)hy__format_bytes((double)plan->live_bytes, live);
  (void)hy__format_bytes((double)plan->weight_bytes, weights);
  (void)hy__format_count(hy__plan_macs(plan), n);
  HY_TRY(hy__report_say(sink, err, "folded to %zu nodes; rewrites:", plan->n_built));
  for (size_t i = 0; i < hy__pass_count(); i++)
    HY_TRY(hy__report_say(sink, err, "%s %s %zu", i ? "," : "", hy__pass_at(i)->name,
                          plan->rewrites[i]));
  HY_TRY(hy__report_say(sink, err, "\n\n  %3s %-22s %-18s %8s %9s%s  shapes\n", "", "step",
                        "kernel", "mul-adds", "floor us", in->step_us ? "   time us" : ""));
  for (size_t i = 0; i < plan->n_steps; i++) HY_TRY(text_step(in, i, sink, err));
  HY_TRY(text_beside(plan, sink, err));
  if (plan->blocks)
    HY_TRY(hy__report_say(sink, err,
                          "\n%zu rows in %zu blocks of %zu, on %zu thread%s; shapes are a block's",
                          plan->blocks->n_rows, plan->blocks->n, plan->blocks->rows,
                          plan->blocks->n_lanes, plan->blocks->n_lanes > 1 ? "s" : ""));
  HY_TRY(hy__report_say(sink, err, "\narena %s (at one time %s live%s), weights %s\n", arena, live,
                        plan->blocks ? " in a block" : "", weights));
  return hy__report_say(sink, err,
                        "%s multiply-adds; floor %.2f us with %s: %.3g multiply-adds/s, L1 %.3g "
                        "bytes/s, measured just now\n",
                        n, hy__plan_floor_us(plan, &in->limits, in->options->n_threads),
                        hy_isa_name(hy_runtime_isa(in->runtime)), in->limits.fma_per_s,
                        in->limits.bytes_per_s[0]);
}

static hy_status render_text(const inspection *in, const hy_sink *sink, hy_error *err) {
  HY_TRY(text_graph(in, sink, err));
  if (in->plan) return text_plan(in, sink, err);
  return hy__report_say(sink, err, "not planned: %s\n", in->why.message);
}

hy_status hy_model_inspect(hy_model *model, const hy_inspect_options *options, bool json,
                           const hy_sink *sink, hy_error *err) {
  hy_error_clear(err);
  HY_FAIL_IF(!model || !sink, HY_INVALID_ARGUMENT, err, "model and sink must not be NULL");
  const hy_inspect_options none = {.struct_size = sizeof none};
  if (!options) options = &none;
  HY_FAIL_IF(options->struct_size != sizeof *options, HY_INVALID_ARGUMENT, err,
             "hy_inspect_options has an unknown struct_size of %zu", options->struct_size);
  inspection in = {.model = model,
                   .runtime = hy__model_runtime(model),
                   .options = options,
                   .graph = hy__model_graph(model)};
  HY_TRY(hy__arena_create(hy__runtime_allocator(in.runtime), ARENA_BLOCK, 0, &in.arena, err));
  hy_status status = gather(&in, err);
  if (status == HY_OK) status = json ? render_json(&in, sink, err) : render_text(&in, sink, err);
  hy_session_destroy(in.session);
  hy__bench_case_destroy(&in.made);
  hy__arena_destroy(in.arena);
  return status;
}
