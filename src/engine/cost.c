/* SPDX-License-Identifier: Apache-2.0 */
/* What each operator asks for: multiply-adds and bytes, from its operands' dims. A row per operator
 * that multiplies; every other one costs the bytes it reads and writes. */
#include <math.h>

#include "engine/limits.h"

typedef void (*cost_fn)(const hy__step *step, const hy__step_info *info, hy__cost *c);

static double elements(const hy_tensor *t) {
  double n = 1;
  for (int32_t d = 0; d < t->rank; d++) n *= (double)t->dims[d];
  return n;
}

static double dim(const hy_tensor *t, int32_t d) {
  return d >= 0 && d < t->rank ? (double)t->dims[d] : 1;
}

static bool has(const hy__step *s, size_t k) { return k < s->n_in && s->in[k].dtype; }

/* Y [.., N] of X [.., K]. */
static void product(const hy__step *s, const hy__step_info *info, hy__cost *c) {
  const hy_tensor *x = &s->in[0];
  bool turned = hy__node_int(&info->node, "transA", 0) != 0;
  c->macs = elements(&s->out[0]) * dim(x, turned ? 0 : x->rank - 1);
  if (info->halves && elements(&s->out[0]) == dim(&s->out[0], s->out[0].rank - 1))
    c->weight_bytes /= 2;
}

/* Y [N, M, ..] with W [M, C / group, kernel ..]. */
static void convolution(const hy__step *s, const hy__step_info *info, hy__cost *c) {
  (void)info;
  if (has(s, 1)) c->macs = elements(&s->out[0]) * elements(&s->in[1]) / fmax(dim(&s->in[1], 0), 1);
}

/* The same of bytes, which go into a lane together; QLinearConv's W stands at 3. */
static void product_of_bytes(const hy__step *s, const hy__step_info *info, hy__cost *c) {
  product(s, info, c);
  c->bytes = s->kernels->integer->group;
}

static void convolution_of_bytes(const hy__step *s, const hy__step_info *info, hy__cost *c) {
  const hy_tensor *w = &s->in[info->op->name[0] == 'Q' ? 3 : 1];
  c->macs = elements(&s->out[0]) * elements(w) / fmax(dim(w, 0), 1);
  c->bytes = s->kernels->integer->group;
}

/* W [directions, gates * H, I], R [directions, gates * H, H]: the input's product at once, then one
 * product a time step, one step after another. */
static void recurrent(const hy__step *s, const hy__step_info *info, hy__cost *c) {
  if (!has(s, 2)) return;
  bool batch_first = hy__node_int(&info->node, "layout", 0) != 0;
  const hy_tensor *x = &s->in[0], *w = &s->in[1], *r = &s->in[2];
  double steps = dim(x, batch_first ? 1 : 0), batch = dim(x, batch_first ? 0 : 1);
  c->macs = steps * batch * elements(w);
  c->repeats = steps;
  c->repeat_macs = batch * elements(r);
  c->repeat_bytes = elements(r) * (double)hy_dtype_bytes(r->dtype);
  c->weight_bytes = fmax(c->weight_bytes - c->repeat_bytes, 0);
  if (info->halves && batch == 1) c->repeat_bytes /= 2;
}

static void recurrent_of_bytes(const hy__step *s, const hy__step_info *info, hy__cost *c) {
  recurrent(s, info, c);
  c->bytes = s->kernels->integer->group;
}

/* X and W, R, B per layer: as `recurrent`, a layer after a layer; the repeated part of a step is
 * all layers' R. */
static void recurrent_stack(const hy__step *s, const hy__step_info *info, hy__cost *c) {
  const bool batch_first = hy__node_int(&info->node, "layout_x", 0) != 0;
  const hy_tensor *x = &s->in[0];
  const double steps = dim(x, batch_first ? 1 : 0), batch = dim(x, batch_first ? 0 : 1);
  c->repeats = steps;
  for (size_t k = 1; k + 2 < s->n_in + 1; k += 3) {
    const double r = elements(&s->in[k + 1]);
    c->macs += steps * batch * elements(&s->in[k]);
    c->repeat_macs += batch * r;
    c->repeat_bytes += r * (double)hy_dtype_bytes(HY_F32);
  }
  c->weight_bytes = fmax(c->weight_bytes - c->repeat_bytes, 0);
  if (info->halves && batch == 1) c->repeat_bytes /= 2;
}

/* Scores and their sum: Q [.., L, D] with S keys. */
static void attention(const hy__step *s, const hy__step_info *info, hy__cost *c) {
  (void)info;
  if (!has(s, 1)) return;
  c->macs = (elements(&s->in[0]) + elements(&s->out[0])) * dim(&s->in[1], s->in[1].rank - 2);
}

/* The same over views: sizes are batch, heads, queries, keys, and the depths of q and v; seen, how
 * many keys the first query sees and how many more each next one. */
static void attention_view(const hy__step *s, const hy__step_info *info, hy__cost *c) {
  (void)s;
  const hy__attr *sizes = hy__node_attr(&info->node, "sizes");
  const hy__attr *seen = hy__node_attr(&info->node, "seen");
  if (!sizes || sizes->kind != HY__ATTR_INTS || sizes->n != 6) return;
  if (!seen || seen->kind != HY__ATTR_INTS || seen->n != 2) return;
  const int64_t *n = sizes->as.ints;
  double pairs = 0;
  for (int64_t row = 0; row < n[2]; row++)
    pairs += fmin((double)n[3], (double)seen->as.ints[0] + (double)row * (double)seen->as.ints[1]);
  c->macs = (double)n[0] * (double)n[1] * pairs * ((double)n[4] + (double)n[5]);
}

/* A comparison a level, in trees as flat as their leaves allow. */
static void trees(const hy__step *s, const hy__step_info *info, hy__cost *c) {
  const hy__attr *ids = hy__node_attr(&info->node, "nodes_treeids");
  const hy__attr *modes = hy__node_attr(&info->node, "nodes_modes");
  double n_trees = 0, leaves = 0;
  if (!ids || !modes || ids->kind != HY__ATTR_INTS || modes->kind != HY__ATTR_STRINGS) {
    c->known = false;
    return;
  }
  for (size_t i = 0; i < ids->n; i++) n_trees += i == 0 || ids->as.ints[i] != ids->as.ints[i - 1];
  for (size_t i = 0; i < modes->n; i++) leaves += modes->as.strings[i].len_bytes == 4;
  if (n_trees < 1 || leaves < n_trees) return;
  c->macs = dim(&s->in[0], 0) * n_trees * log2(fmax(leaves / n_trees, 1));
}

/* A row against every support vector. */
static void vectors(const hy__step *s, const hy__step_info *info, hy__cost *c) {
  const hy__attr *all = hy__node_attr(&info->node, "support_vectors");
  if (all && all->kind == HY__ATTR_FLOATS) c->macs = dim(&s->in[0], 0) * (double)all->n;
}

static void coefficients(const hy__step *s, const hy__step_info *info, hy__cost *c) {
  const hy__attr *all = hy__node_attr(&info->node, "coefficients");
  if (all && all->kind == HY__ATTR_FLOATS) c->macs = dim(&s->in[0], 0) * (double)all->n;
}

static void not_counted(const hy__step *s, const hy__step_info *info, hy__cost *c) {
  (void)s;
  (void)info;
  c->known = false;
}

static const struct {
  const char *name;
  cost_fn fill;
  const char *family, *wide_family; /* of kernels, for float32 and float64 */
} rows[] = {
    {"MatMul", product, "gemm_f32", "gemm_f64"},
    {"Gemm", product, "gemm_f32", "gemm_f64"},
    {"Linear", product, "gemm_f32", "gemm_f64"},
    {"Conv", convolution, NULL, NULL},
    {"ConvLast", convolution, "conv_f32", NULL},
    {"CausalConvWithState", convolution, NULL, NULL},
    {"ConvIntegerToFloat", convolution_of_bytes, "integer", NULL},
    {"ConvInteger", convolution_of_bytes, "integer", NULL},
    {"QLinearConv", convolution_of_bytes, "integer", NULL},
    {"MatMulInteger", product_of_bytes, "integer", NULL},
    {"QLinearMatMul", product_of_bytes, "integer", NULL},
    {"QGemm", product_of_bytes, "integer", NULL},
    {"MatMulIntegerToFloat", product_of_bytes, "integer", NULL},
    {"DynamicQuantizeMatMul", product_of_bytes, "integer", NULL},
    {"DynamicQuantizeLSTM", recurrent_of_bytes, "integer", NULL},
    {"LSTM", recurrent, "recurrent", NULL},
    {"GRU", recurrent, "recurrent", NULL},
    {"RNN", recurrent, "recurrent", NULL},
    {"RecurrentStack", recurrent_stack, "recurrent", NULL},
    {"Attention", attention, "gemm_f32", "gemm_f64"},
    {"AttentionView", attention_view, "attention_f32", NULL},
    {"TreeEnsembleRegressor", trees, "tree", "tree"},
    {"TreeEnsembleClassifier", trees, "tree", "tree"},
    {"TreeEnsemble", not_counted, "tree", "tree"},
    {"SVMRegressor", vectors, NULL, NULL},
    {"SVMClassifier", vectors, NULL, NULL},
    {"LinearRegressor", coefficients, NULL, NULL},
    {"LinearClassifier", coefficients, NULL, NULL},
    {"Einsum", not_counted, NULL, NULL},
    {"ConvTranspose", not_counted, NULL, NULL},
    {"Loop", not_counted, NULL, NULL},
    {"Scan", not_counted, NULL, NULL},
    {"If", not_counted, NULL, NULL},
};

void hy__cost_of(const hy__step *s, const hy__step_info *info, hy__cost *c) {
  *c = (hy__cost){.known = true};
  for (size_t k = 0; k < s->n_in; k++) {
    if (!has(s, k)) continue;
    double bytes = elements(&s->in[k]) * (double)hy_dtype_bytes(s->in[k].dtype);
    if (k < 64 && info->known >> k & 1)
      c->weight_bytes += bytes;
    else
      c->activation_bytes += bytes;
    c->wide = c->wide || s->in[k].dtype == HY_F64;
  }
  for (size_t k = 0; k < s->n_out; k++)
    if (s->out[k].dtype && (k == 0 || info->wanted >> k & 1))
      c->activation_bytes += elements(&s->out[k]) * (double)hy_dtype_bytes(s->out[k].dtype);
  const char *name = info->op ? info->op->name : "";
  for (size_t i = 0; i < HY_COUNT(rows); i++)
    if (strcmp(rows[i].name, name) == 0) {
      rows[i].fill(s, info, c);
      c->family = c->wide ? rows[i].wide_family : rows[i].family;
    }
}

/* Bytes of a working set that is gone through again and again: each level of cache can hold its
 * part of it, whatever it replaces. */
static double transfer_s(const hy__limits *l, double bytes, double resident) {
  double below = 0, s = 0;
  for (size_t k = 0; k < HY__LEVELS && resident > below; k++) {
    double here = fmin(resident, (double)l->level_bytes[k]) - below;
    if (here <= 0) continue;
    s += bytes * here / resident / l->bytes_per_s[k];
    below += here;
  }
  return s;
}

double hy__cost_floor_us(const hy__cost *c, const hy__limits *l, size_t arena_bytes,
                         size_t weight_bytes, uint32_t n_threads) {
  double threads = HY_MAX(n_threads, 1u), peak = l->fma_per_s * threads / (c->wide ? 2 : 1);
  if (c->bytes) peak *= c->bytes; /* as many instructions as of floats */
  double moved = transfer_s(l, c->activation_bytes, (double)arena_bytes) +
                 transfer_s(l, c->weight_bytes, (double)arena_bytes + (double)weight_bytes);
  double s = fmax(c->macs / peak, moved / threads);
  double again = transfer_s(l, c->repeat_bytes, c->repeat_bytes) / threads;
  s += c->repeats * fmax(c->repeat_macs / peak, again);
  return s * 1e6;
}

double hy__plan_times(const hy__plan *plan) {
  return plan->blocks ? (double)plan->blocks->n_rows / (double)plan->blocks->rows : 1;
}

double hy__plan_macs(const hy__plan *plan) {
  double macs = 0;
  for (size_t i = 0; i < plan->n_steps; i++) {
    hy__cost c;
    hy__cost_of(&plan->steps[i], &plan->infos[i], &c);
    macs += c.macs + c.repeats * c.repeat_macs;
  }
  return macs * hy__plan_times(plan);
}

double hy__plan_step_floor_us(const hy__plan *plan, size_t step, const hy__limits *limits,
                              uint32_t n_threads) {
  const size_t arena_bytes = plan->blocks ? plan->blocks->lane_bytes : plan->arena_bytes;
  hy__cost c;
  hy__cost_of(&plan->steps[step], &plan->infos[step], &c);
  return hy__cost_floor_us(&c, limits, arena_bytes, plan->weight_bytes, n_threads) *
         hy__plan_times(plan);
}

double hy__plan_floor_us(const hy__plan *plan, const hy__limits *limits, uint32_t n_threads) {
  double us = 0;
  for (size_t i = 0; i < plan->n_steps; i++)
    us += hy__plan_step_floor_us(plan, i, limits, n_threads);
  return us;
}
