/* SPDX-License-Identifier: Apache-2.0 */
/* Which operators keep to the rows of a batch, and along which axis of their outputs: row r of the
 * output depends on row r of the inputs that carry rows, and on all of those that do not. That its
 * bits do not depend on the number of rows is the house's rule for every kernel. What has no rule
 * here is not run in blocks: whatever mixes rows, counts them, or numbers them. */
#include "engine/block.h"

typedef struct node_view {
  hy__tracks *t;
  const hy__node *node;
} node_view;

static int32_t id_in(const node_view *v, size_t k) {
  return k < v->node->n_inputs ? v->node->inputs[k] : HY__ABSENT;
}

static const hy_tensor *in(const node_view *v, size_t k) {
  const int32_t id = id_in(v, k);
  return id < 0 ? NULL : &v->t->w->values[id].t;
}

static const hy_tensor *out(const node_view *v, size_t k) {
  const int32_t id = k < v->node->n_outputs ? v->node->outputs[k] : HY__ABSENT;
  return id < 0 || v->t->w->values[id].uses == 0 ? NULL : &v->t->w->values[id].t;
}

static hy__rows rows_in(const node_view *v, size_t k) {
  const int32_t id = id_in(v, k);
  return id < 0 ? (hy__rows){-1, 0} : v->t->of[id];
}

/* Output k carries rows there, if its dims agree. Nobody wants it: nothing to say. */
static bool give(const node_view *v, size_t k, int32_t axis, int64_t each) {
  const hy_tensor *y = out(v, k);
  if (!y) return true;
  if (axis < 0 || axis >= y->rank || y->dims[axis] != each * v->t->n_rows) return false;
  v->t->of[v->node->outputs[k]] = (hy__rows){axis, each};
  return true;
}

static bool give_all(const node_view *v, int32_t axis, int64_t each) {
  for (size_t k = 0; k < v->node->n_outputs; k++)
    if (!give(v, k, axis, each)) return false;
  return true;
}

/* No input but the first carries rows. */
static bool first_alone(const node_view *v) {
  for (size_t k = 1; k < v->node->n_inputs; k++)
    if (rows_in(v, k).axis >= 0) return false;
  return rows_in(v, 0).axis >= 0;
}

static bool is(const node_view *v, const char *name) { return strcmp(v->node->op_type, name) == 0; }

/* The axis attribute as an axis of the first input; -1: none. */
static int32_t axis_of(const node_view *v, int64_t otherwise) {
  const int32_t rank = in(v, 0)->rank;
  const int64_t axis = hy__node_int(v->node, "axis", otherwise);
  return axis < -rank || axis >= rank ? -1 : (int32_t)(axis < 0 ? axis + rank : axis);
}

/* Input k's known integers, or the attribute's; -1: not known, or too many. */
static int32_t ints(const node_view *v, size_t k, const char *name, int64_t *to) {
  const hy_tensor *x = in(v, k);
  const hy__attr *a = name ? hy__node_attr(v->node, name) : NULL;
  if (!x && a && a->kind == HY__ATTR_INTS && a->n <= HY_MAX_RANK) {
    if (a->n) memcpy(to, a->as.ints, a->n * sizeof *to);
    return (int32_t)a->n;
  }
  if (!x || !x->data || (x->dtype != HY_I64 && x->dtype != HY_I32)) return -1;
  const size_t n = hy__work_bytes(x) / hy_dtype_bytes(x->dtype);
  if (n > HY_MAX_RANK) return -1;
  for (size_t i = 0; i < n; i++)
    to[i] = x->dtype == HY_I64 ? ((const int64_t *)x->data)[i] : ((const int32_t *)x->data)[i];
  return (int32_t)n;
}

/* A known value that is the same for every row though it has places for all: zeros of a state, a
 * column of ones. It carries rows from now on. */
static bool repeats(const node_view *v, size_t k, int32_t axis, int64_t each) {
  const hy_tensor *x = in(v, k);
  const int64_t n = v->t->n_rows;
  if (!x || !x->data || axis < 0 || axis >= x->rank || x->dims[axis] != n * each) return false;
  if (v->t->of[id_in(v, k)].axis != HY__ROWS_NONE) return false; /* somebody reads it whole */
  size_t outer = 1;
  for (int32_t d = 0; d < axis; d++) outer *= (size_t)x->dims[d];
  const size_t whole = outer ? hy__work_bytes(x) / outer : 0, row = whole / (size_t)n;
  for (size_t o = 0; o < outer; o++) {
    const uint8_t *first = (const uint8_t *)x->data + o * whole;
    if (whole > row && memcmp(first, first + row, whole - row) != 0) return false;
  }
  v->t->of[id_in(v, k)] = (hy__rows){axis, each};
  return true;
}

/* --- rules --- */

/* Operands from input `first` on, aligned at their last axes to dims of this rank and broadcast:
 * rows at one axis, where the others have one place. */
static bool aligned(const node_view *v, size_t first, int32_t rank, hy__rows *found) {
  for (size_t k = first; k < v->node->n_inputs; k++) {
    const hy__rows r = rows_in(v, k);
    if (r.axis < 0) continue;
    const hy__rows at = {r.axis + rank - in(v, k)->rank, r.each};
    if (found->axis >= 0 && (found->axis != at.axis || found->each != at.each)) return false;
    *found = at;
  }
  for (size_t k = first; k < v->node->n_inputs && found->axis >= 0; k++) {
    if (!in(v, k) || rows_in(v, k).axis >= 0) continue;
    const int32_t own = found->axis - (rank - in(v, k)->rank);
    if (own >= 0 && in(v, k)->dims[own] != 1 && !repeats(v, k, own, found->each)) return false;
  }
  return found->axis >= 0;
}

static bool pointwise(const node_view *v) {
  hy__rows at = {-1, 0};
  return out(v, 0) && aligned(v, 0, out(v, 0)->rank, &at) && give(v, 0, at.axis, at.each);
}

/* Each element of the first input alone; the second names a type. Texts that are made lie in the
 * step's scratch, which the next block writes over. */
static bool cast(const node_view *v) {
  const hy__rows r = rows_in(v, 0);
  if (out(v, 0) && out(v, 0)->dtype == HY_STRING) return false;
  return r.axis >= 0 && give(v, 0, r.axis, r.each);
}

/* The same, to whatever the model names. */
static bool encode(const node_view *v) {
  const hy__rows r = rows_in(v, 0);
  return first_alone(v) && give(v, 0, r.axis, r.each);
}

/* Along the first input's axis 0, whatever happens along the others. */
static bool outermost(const node_view *v) {
  const hy__rows r = rows_in(v, 0);
  return first_alone(v) && r.axis == 0 && give(v, 0, 0, r.each);
}

/* As many outputs as there are, of a matrix. */
static bool table(const node_view *v) {
  const hy__rows r = rows_in(v, 0);
  return first_alone(v) && r.axis == 0 && in(v, 0)->rank == 2 && give_all(v, 0, r.each);
}

/* Columns of a matrix; or of a known list, a number a row, as one row of all. */
static bool extractor(const node_view *v) {
  const hy__rows at = rows_in(v, 1);
  const hy_tensor *x = in(v, 0), *y = in(v, 1);
  if (at.axis < 0) return table(v);
  if (rows_in(v, 0).axis >= 0 || x->rank != 1) return false;
  for (int32_t d = 0; d < at.axis; d++)
    if (y->dims[d] != 1) return false;
  return give(v, 0, 1, hy__block_stride(v->t, id_in(v, 1)));
}

static bool vectorizer(const node_view *v) {
  for (size_t k = 0; k < v->node->n_inputs; k++) {
    const hy__rows r = rows_in(v, k);
    if (r.axis != 0 || r.each != rows_in(v, 0).each || in(v, k)->rank != 2) return false;
  }
  return give(v, 0, 0, rows_in(v, 0).each);
}

/* ConvLast's R is added to the output. */
static bool conv_last(const node_view *v) {
  const hy__rows r = rows_in(v, 0), more = rows_in(v, 3);
  if (r.axis != 0 || rows_in(v, 1).axis >= 0 || rows_in(v, 2).axis >= 0) return false;
  if (in(v, 3) && (more.axis != 0 || more.each != r.each)) return false;
  return give(v, 0, 0, r.each);
}

/* Indices number places of the whole batch. */
static bool pool(const node_view *v) { return !out(v, 1) && outermost(v); }

static bool linear(const node_view *v) {
  const hy__rows r = rows_in(v, 0);
  return first_alone(v) && r.axis < in(v, 0)->rank - 1 && give(v, 0, r.axis, r.each);
}

static bool gemm(const node_view *v) {
  const hy__rows r = rows_in(v, 0);
  hy__rows c = r;
  if (r.axis != 0 || hy__node_int(v->node, "transA", 0) != 0 || rows_in(v, 1).axis >= 0)
    return false;
  return aligned(v, 2, 2, &c) && give(v, 0, 0, r.each);
}

/* Rows of the left-hand side, or pairs of matrices. */
static bool matmul(const node_view *v) {
  const hy_tensor *a = in(v, 0), *b = in(v, 1), *y = out(v, 0);
  if (!y || a->rank < 2) return false;
  const hy__rows ra = rows_in(v, 0), rb = rows_in(v, 1);
  const bool vector = b->rank == 1; /* gives no columns */
  if (rb.axis < 0 && (vector ? ra.axis >= 0 && ra.axis < a->rank - 1 : ra.axis == a->rank - 2))
    return give(v, 0, vector ? ra.axis : y->rank - 2, ra.each);
  if (vector) return false;
  hy__rows at = {-1, 0};
  return aligned(v, 0, y->rank, &at) && at.axis < y->rank - 2 && give(v, 0, at.axis, at.each);
}

/* The left-hand side's zero point and scale are one each; the others belong to columns. */
static bool integer_matmul(const node_view *v) {
  static const struct {
    const char *name;
    size_t right, ones[2]; /* inputs; 0: none */
  } forms[] = {{"MatMulInteger", 1, {2, 0}},
               {"QLinearMatMul", 3, {1, 2}},
               {"QGemm", 3, {1, 2}},
               {"MatMulIntegerToFloat", 1, {2, 4}}};
  size_t f = 0;
  while (!is(v, forms[f].name)) f++;
  const hy__rows r = rows_in(v, 0);
  if (!first_alone(v) || r.axis >= in(v, 0)->rank - 1 || in(v, forms[f].right)->rank != 2)
    return false;
  if (hy__node_int(v->node, "transA", 0) || (f == 2 && in(v, 6) && in(v, 6)->rank > 1))
    return false;
  for (size_t i = 0; i < 2; i++) {
    const hy_tensor *one = forms[f].ones[i] ? in(v, forms[f].ones[i]) : NULL;
    if (one && hy__work_bytes(one) != hy_dtype_bytes(one->dtype)) return false;
  }
  return give(v, 0, r.axis, r.each);
}

/* One scale, or one for each place of an axis without rows. */
static bool quantise(const node_view *v) {
  const hy__rows r = rows_in(v, 0);
  if (!first_alone(v) || in(v, 1)->rank > 1) return false;
  const bool one = hy__work_bytes(in(v, 1)) == hy_dtype_bytes(in(v, 1)->dtype);
  return (one || axis_of(v, 1) != r.axis) && give(v, 0, r.axis, r.each);
}

static bool along_one(const node_view *v) {
  const bool flattens = v->node->version < 13 && !is(v, "LpNormalization");
  const int32_t axis = axis_of(v, flattens ? 1 : -1);
  const hy__rows r = rows_in(v, 0);
  if (!first_alone(v) || axis < 0 || (flattens ? r.axis >= axis : r.axis == axis)) return false;
  return give(v, 0, r.axis, r.each);
}

static bool along_last(const node_view *v) {
  const hy__rows r = rows_in(v, 0);
  return first_alone(v) && r.axis < axis_of(v, -1) && give_all(v, r.axis, r.each);
}

static bool batch_norm(const node_view *v) {
  if (v->node->version < 9 || hy__node_int(v->node, "training_mode", 0)) return false;
  for (size_t k = 1; k < v->node->n_outputs; k++)
    if (out(v, k)) return false;
  return outermost(v);
}

/* An axis of the input, with the reduced ones gone. */
static int32_t left_of(const bool *reduced, int32_t axis, bool keep) {
  int32_t gone = 0;
  for (int32_t d = 0; d < axis; d++) gone += reduced[d] && !keep;
  return reduced[axis] ? -1 : axis - gone;
}

static bool reduce(const node_view *v) {
  int64_t axes[HY_MAX_RANK];
  bool reduced[HY_MAX_RANK] = {false};
  const hy__rows r = rows_in(v, 0);
  const int32_t rank = in(v, 0)->rank, n = ints(v, 1, "axes", axes);
  if (n < 1 || !first_alone(v)) return false;
  for (int32_t i = 0; i < n; i++) reduced[axes[i] < 0 ? axes[i] + rank : axes[i]] = true;
  return give(v, 0, left_of(reduced, r.axis, hy__node_int(v->node, "keepdims", 1)), r.each);
}

static bool arg(const node_view *v) {
  bool reduced[HY_MAX_RANK] = {false};
  const int32_t axis = axis_of(v, 0);
  const hy__rows r = rows_in(v, 0);
  if (!first_alone(v) || axis < 0) return false;
  reduced[axis] = true;
  return give(v, 0, left_of(reduced, r.axis, hy__node_int(v->node, "keepdims", 1)), r.each);
}

static bool top_k(const node_view *v) {
  const hy__rows r = rows_in(v, 0);
  return first_alone(v) && axis_of(v, -1) != r.axis && give_all(v, r.axis, r.each);
}

static bool cumulative(const node_view *v) {
  int64_t axis[HY_MAX_RANK];
  const hy__rows r = rows_in(v, 0);
  if (!first_alone(v) || ints(v, 1, NULL, axis) != 1) return false;
  return (axis[0] < 0 ? axis[0] + in(v, 0)->rank : axis[0]) != r.axis && give(v, 0, r.axis, r.each);
}

static bool transpose(const node_view *v) {
  const hy__attr *perm = hy__node_attr(v->node, "perm");
  const hy__rows r = rows_in(v, 0);
  const int32_t rank = in(v, 0)->rank;
  if (!perm) return give(v, 0, rank - 1 - r.axis, r.each);
  if (perm->kind != HY__ATTR_INTS || (int32_t)perm->n != rank) return false;
  for (int32_t d = 0; d < rank; d++)
    if (perm->as.ints[d] == r.axis) return give(v, 0, d, r.each);
  return false;
}

/* An axis with as many elements before it that still has the rows as its outer factor. */
static bool reshape(const node_view *v) {
  const hy_tensor *x = in(v, 0), *y = out(v, 0);
  const hy__rows r = rows_in(v, 0);
  int64_t before = 1, own = 1;
  if (!y || r.axis < 0) return false;
  for (int32_t d = 0; d < r.axis; d++) before *= x->dims[d];
  for (int32_t d = 0; d < y->rank && own <= before; d++) {
    if (own == before && y->dims[d] > 0 && y->dims[d] % v->t->n_rows == 0)
      return give(v, 0, d, y->dims[d] / v->t->n_rows);
    own *= y->dims[d];
  }
  return false;
}

/* Every part carries rows. */
static bool concat(const node_view *v) {
  hy__rows r = {-1, 0};
  const int32_t axis = axis_of(v, 0);
  for (size_t k = 0; k < v->node->n_inputs && r.axis < 0; k++) r = rows_in(v, k);
  for (size_t k = 0; k < v->node->n_inputs; k++) {
    const hy__rows own = rows_in(v, k);
    if (own.axis < 0 && !repeats(v, k, r.axis, r.each)) return false;
    if (own.axis >= 0 && (own.axis != r.axis || own.each != r.each)) return false;
  }
  return axis >= 0 && axis != r.axis && give(v, 0, r.axis, r.each);
}

static bool split(const node_view *v) {
  const hy__rows r = rows_in(v, 0);
  const int32_t axis = axis_of(v, 0);
  return first_alone(v) && axis >= 0 && axis != r.axis && give_all(v, r.axis, r.each);
}

/* The rows' axis is not cut. */
static bool slice(const node_view *v) {
  int64_t axes[HY_MAX_RANK], starts[HY_MAX_RANK];
  const hy__rows r = rows_in(v, 0);
  const int32_t rank = in(v, 0)->rank, n = ints(v, 1, "starts", starts);
  if (!first_alone(v) || n < 0) return false;
  const int32_t n_axes = ints(v, 3, "axes", axes);
  if (n_axes < 0 && in(v, 3)) return false;
  for (int32_t i = 0; i < n; i++) {
    const int64_t axis = n_axes < 0 ? i : axes[i];
    if ((axis < 0 ? axis + rank : axis) == r.axis) return false;
  }
  return give(v, 0, r.axis, r.each);
}

/* Places of each row, or rows of places in a table. */
static bool gather(const node_view *v) {
  const hy__rows r = rows_in(v, 0), at = rows_in(v, 1);
  const int32_t axis = axis_of(v, 0);
  if (axis < 0 || (r.axis >= 0 && at.axis >= 0)) return false;
  if (r.axis < 0) return give(v, 0, axis + at.axis, at.each);
  return axis != r.axis && give(v, 0, r.axis < axis ? r.axis : r.axis + in(v, 1)->rank - 1, r.each);
}

static bool pad(const node_view *v) {
  int64_t pads[2 * HY_MAX_RANK];
  const hy__rows r = rows_in(v, 0);
  const int32_t rank = in(v, 0)->rank;
  if (!first_alone(v) || in(v, 3)) return false;
  if (!in(v, 1) && !hy__node_attr(v->node, "pads")) return false;
  if (2 * rank > HY_MAX_RANK || ints(v, 1, "pads", pads) != 2 * rank) return false;
  return !pads[r.axis] && !pads[r.axis + rank] && give(v, 0, r.axis, r.each);
}

static bool expand(const node_view *v) {
  const hy__rows r = rows_in(v, 0);
  if (!first_alone(v) || !out(v, 0)) return false;
  return give(v, 0, r.axis + out(v, 0)->rank - in(v, 0)->rank, r.each);
}

static bool tile(const node_view *v) {
  int64_t repeats[HY_MAX_RANK];
  const hy__rows r = rows_in(v, 0);
  if (!first_alone(v) || ints(v, 1, NULL, repeats) != in(v, 0)->rank) return false;
  return repeats[r.axis] == 1 && give(v, 0, r.axis, r.each);
}

/* X, lengths and states have their rows; weights none. */
static bool recurrent(const node_view *v) {
  enum { X = 0, LENS = 4, H0 = 5, C0 = 6 };
  const bool first = hy__node_int(v->node, "layout", 0) != 0;
  const int32_t axis[] = {first ? 0 : 1, -1, -1, -1, 0, first ? 0 : 1, first ? 0 : 1, -1};
  for (size_t k = 0; k < v->node->n_inputs; k++) {
    const hy__rows r = rows_in(v, k);
    if (!in(v, k)) continue;
    if (r.axis != axis[k] || (r.axis >= 0 && r.each != 1)) return false;
  }
  return give(v, 0, first ? 0 : 2, 1) && give(v, 1, first ? 0 : 1, 1) &&
         give(v, 2, first ? 0 : 1, 1);
}

static bool recurrent_stack(const node_view *v) {
  const bool first = hy__node_int(v->node, "layout", 0) != 0;
  const bool first_x = hy__node_int(v->node, "layout_x", 0) != 0;
  const hy__rows r = rows_in(v, 0);
  if (!first_alone(v) || r.axis != (first_x ? 0 : 1) || r.each != 1) return false;
  return give(v, 0, first ? 0 : 2, 1) && give(v, 1, first ? 0 : 1, 1);
}

static bool attention_view(const node_view *v) { return hy__block_attention(v->t, v->node); }

typedef struct rule {
  const char *names; /* between blanks */
  bool (*fn)(const node_view *);
} rule;

static const rule onnx_rules[] = {
    {" Abs Acos Acosh Add And Asin Asinh Atan Atanh BitShift BitwiseAnd BitwiseNot BitwiseOr "
     "BitwiseXor Ceil Celu Clip Cos Cosh Div Elu Equal Erf Erfc Exp Floor Gelu Greater "
     "GreaterOrEqual HardSigmoid HardSwish Identity IsInf IsNaN LeakyRelu Less LessOrEqual Log Max "
     "Mean Min Mish Mod Mul Neg Not Or PRelu Pow Reciprocal Relu Round Selu Shrink Sigmoid Sign "
     "Sin Sinh Softplus Softsign Sqrt Sub Sum Swish Tan Tanh ThresholdedRelu Where Xor ",
     pointwise},
    {" Cast CastLike ", cast},
    {" Conv ConvTranspose GlobalAveragePool GlobalLpPool GlobalMaxPool GroupNormalization "
     "InstanceNormalization LRN DepthToSpace SpaceToDepth ",
     outermost},
    {" AveragePool LpPool MaxPool ", pool},
    {" MatMul ", matmul},
    {" Gemm ", gemm},
    {" MatMulInteger QLinearMatMul ", integer_matmul},
    {" ConvInteger QLinearConv ", outermost},
    {" QuantizeLinear DequantizeLinear ", quantise},
    {" Softmax LogSoftmax Hardmax LpNormalization ", along_one},
    {" LayerNormalization RMSNormalization ", along_last},
    {" BatchNormalization ", batch_norm},
    {" ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd "
     "ReduceSum ReduceSumSquare ",
     reduce},
    {" ArgMax ArgMin ", arg},
    {" TopK ", top_k},
    {" CumSum CumProd ", cumulative},
    {" Transpose ", transpose},
    {" Reshape Squeeze Unsqueeze Flatten ", reshape},
    {" Concat ", concat},
    {" Split ", split},
    {" Slice ", slice},
    {" Gather ", gather},
    {" Pad ", pad},
    {" Expand ", expand},
    {" Tile ", tile},
    {" LSTM GRU RNN ", recurrent},
};

static const rule ml_rules[] = {
    {" CategoryMapper LabelEncoder ", encode},
    {" Binarizer Imputer LinearClassifier LinearRegressor "
     "Normalizer OneHotEncoder SVMClassifier SVMRegressor Scaler TreeEnsemble "
     "TreeEnsembleClassifier TreeEnsembleRegressor ZipMap ",
     table},
    {" ArrayFeatureExtractor ", extractor},
    {" FeatureVectorizer ", vectorizer},
};

static const rule own_rules[] = {
    {" AttentionView ", attention_view},
    {" ConvIntegerToFloat ", outermost},
    {" ConvLast ", conv_last},
    {" Linear ", linear},
    {" PoolLast ", outermost},
    {" RecurrentStack ", recurrent_stack},
    {" TreeScore ", table},
};

static const rule microsoft_rules[] = {{" MatMulIntegerToFloat QGemm ", integer_matmul}};

static bool named(const char *names, const char *name) {
  const size_t n = strlen(name);
  for (const char *at = strstr(names, name); at; at = strstr(at + 1, name))
    if (at[-1] == ' ' && at[n] == ' ') return true;
  return false;
}

static bool apply(const rule *rules, size_t n, const node_view *v) {
  for (size_t i = 0; i < n; i++)
    if (named(rules[i].names, v->node->op_type)) return rules[i].fn(v);
  return false;
}

static bool keeps_rows(const node_view *v, const char *domain) {
  if (!*domain) return apply(onnx_rules, HY_COUNT(onnx_rules), v);
  if (strcmp(domain, "ai.onnx.ml") == 0) return apply(ml_rules, HY_COUNT(ml_rules), v);
  if (strcmp(domain, "com.microsoft") == 0)
    return apply(microsoft_rules, HY_COUNT(microsoft_rules), v);
  if (strcmp(domain, "hayate") == 0) return apply(own_rules, HY_COUNT(own_rules), v);
  return false;
}

bool hy__block_rule(hy__tracks *t, const hy__work_node *node) {
  const node_view v = {t, &node->node};
  if (!node->op->pure || !keeps_rows(&v, node->op->domain)) return false;
  for (size_t k = 0; k < node->node.n_inputs; k++)
    if (rows_in(&v, k).axis < 0 && in(&v, k)) t->of[id_in(&v, k)].axis = HY__ROWS_WHOLE;
  return true;
}

int64_t hy__block_stride(const hy__tracks *t, int32_t value) {
  const hy_tensor *x = &t->w->values[value].t;
  int64_t n = t->of[value].each;
  for (int32_t d = t->of[value].axis + 1; d < x->rank; d++) n *= x->dims[d];
  return n;
}
