/* SPDX-License-Identifier: Apache-2.0 */
/* SVMRegressor and SVMClassifier (ai.onnx.ml): kernels of a row with the support vectors in
 * float32, and their weighted sums in double in the order of the file. Where the
 * specification is silent (votes, columns of one score, probabilities) the behaviour is ONNX
 * Runtime's, which is libsvm's. */
#include <math.h>
#include <string.h>

#include "op/ml_post.h"

enum { LANES = 16, CLASSES_MAX = 65535 };

typedef enum kernel { LINEAR, POLY, RBF, SIGMOID } kernel;

typedef struct params {
  kernel kernel;
  double gamma, coef0, degree;
  const float *coefficients, *rho, *vectors; /* vectors NULL: the coefficients are linear forms */
  const float *packed;                       /* the vectors, as the kernels want them */
  const hy__attr *list; /* NULL, or the vectors are still in the file, and `vectors` is a name */
  const hy_allocator *allocator;
  size_t n_vectors, n_blocks, n_forms, features;
  bool one_class;
  /* classifier: */
  bool classifier, all_positive;
  hy__ml_post post;
  hy__ml_labels labels;
  const int64_t *per_class;             /* support vectors of each class */
  const float *prob_a, *prob_b;         /* of each pair; NULL: votes */
  size_t n_pairs, n_columns;            /* columns of Z */
  size_t kernels_at, pairs_at, work_at; /* in scratch; the row's floats come first */
} params;

static bool is_classifier(const hy__node *node) { return !strcmp(node->op_type, "SVMClassifier"); }

/* --- kernels --- */

static double product(const float *a, const float *b, size_t n) {
  float lane[LANES] = {0}, sum = 0.0f;
  size_t j = 0;
  for (; j + LANES <= n; j += LANES)
    for (size_t k = 0; k < LANES; ++k) lane[k] += a[j + k] * b[j + k];
  for (; j < n; ++j) sum += a[j] * b[j];
  for (size_t k = 0; k < LANES; ++k) sum += lane[k];
  return (double)sum;
}

/* x to the degree, in double; small whole degrees by products. */
static void powers(float *x, size_t n, double degree) {
  enum { PRODUCTS_MAX = 16 };
  if (!(degree >= 1.0 && degree <= PRODUCTS_MAX && degree == floor(degree))) {
    for (size_t i = 0; i < n; ++i) x[i] = (float)pow((double)x[i], degree);
    return;
  }
  const int factors = (int)degree;
  for (size_t i = 0; i < n; ++i) {
    double y = (double)x[i];
    for (int k = 1; k < factors; ++k) y *= (double)x[i];
    x[i] = (float)y;
  }
}

/* The kernel of x with each support vector, in place of their products or distances. */
static const float *kernels_of(const hy__step *step, const params *q, const float *x) {
  float *k = (float *)(void *)((char *)step->scratch + q->kernels_at);
  const hy__vectors_f32 *rows = step->kernels->vectors_f32;
  const hy__unary_f32 *unary = step->kernels->unary_f32;
  const float gamma = (float)q->gamma, coef0 = (float)q->coef0;
  const size_t n = q->n_vectors;
  (q->kernel == RBF ? rows->distance : rows->product)(x, q->features, q->packed, q->n_blocks, k);
  if (q->kernel == LINEAR) return k;
  unary->fn[HY__UNARY_AFFINE](k, k, n, q->kernel == RBF ? -gamma : gamma,
                              q->kernel == RBF ? 0.0f : coef0);
  if (q->kernel == RBF) unary->fn[HY__UNARY_EXP](k, k, n, 0.0f, 0.0f);
  if (q->kernel == SIGMOID) unary->fn[HY__UNARY_TANH](k, k, n, 0.0f, 0.0f);
  if (q->kernel == POLY) powers(k, n, q->degree);
  return k;
}

/* --- regressor --- */

static hy_status run_regressor(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const size_t rows = (size_t)step->out[0].dims[0];
  float *y = step->out[0].data, *x = step->scratch;
  (void)err;
  for (size_t row = 0; row < rows; ++row) {
    hy__ml_floats(&step->in[0], row * q->features, q->features, x);
    double sum = (double)q->rho[0];
    if (!q->vectors) sum += product(x, q->coefficients, q->features);
    const float *kernels = q->vectors ? kernels_of(step, q, x) : NULL;
    for (size_t i = 0; i < q->n_vectors; ++i)
      sum += (double)q->coefficients[i] * (double)kernels[i];
    y[row] = (float)(!q->one_class ? sum : sum > 0.0 ? 1.0 : -1.0);
  }
  return HY_OK;
}

/* --- classifier --- */

/* The decision value of each pair i < j, and the winners' votes. Coefficients: row j - 1 of class
 * i's vectors and row i of class j's. */
static void pair_scores(const params *q, const float *kernels, double *pairs, size_t *votes) {
  const size_t n = q->labels.n;
  size_t pair = 0, begin_i = 0;
  for (size_t i = 0; i < n; begin_i += (size_t)q->per_class[i++]) {
    size_t begin_j = begin_i + (size_t)q->per_class[i];
    for (size_t j = i + 1; j < n; begin_j += (size_t)q->per_class[j++]) {
      const float *a = q->coefficients + q->n_vectors * (j - 1);
      const float *b = q->coefficients + q->n_vectors * i;
      double sum = 0.0;
      for (size_t m = begin_i; m < begin_i + (size_t)q->per_class[i]; ++m)
        sum += (double)a[m] * (double)kernels[m];
      for (size_t m = begin_j; m < begin_j + (size_t)q->per_class[j]; ++m)
        sum += (double)b[m] * (double)kernels[m];
      sum += (double)q->rho[pair];
      pairs[pair++] = sum;
      votes[sum > 0.0 ? i : j]++;
    }
  }
}

/* Probabilities of classes from those of pairs (r[j][i]: j against i), by the second method of Wu,
 * Lin and Weng (2004). q and qp are work space of n * n and n. */
static void couple(size_t n, const double *r, double *p, double *q, double *qp) {
  const double stop = 0.005 / (double)n;
  for (size_t i = 0; i < n; ++i) {
    p[i] = 1.0 / (double)n;
    q[i * n + i] = 0.0;
    for (size_t j = 0; j < n; ++j) {
      if (j == i) continue;
      q[i * n + i] += r[j * n + i] * r[j * n + i];
      q[i * n + j] = -r[j * n + i] * r[i * n + j];
    }
  }
  for (int round = 0; round < 100; ++round) {
    double pqp = 0.0, worst = 0.0;
    for (size_t i = 0; i < n; ++i) {
      qp[i] = 0.0;
      for (size_t j = 0; j < n; ++j) qp[i] += q[i * n + j] * p[j];
      pqp += p[i] * qp[i];
    }
    for (size_t i = 0; i < n; ++i) worst = fmax(worst, fabs(qp[i] - pqp));
    if (worst < stop) return;
    for (size_t i = 0; i < n; ++i) {
      const double step = (pqp - qp[i]) / q[i * n + i];
      p[i] += step;
      pqp = (pqp + step * (step * q[i * n + i] + 2.0 * qp[i])) / (1.0 + step) / (1.0 + step);
      for (size_t j = 0; j < n; ++j) {
        qp[j] = (qp[j] + step * q[i * n + j]) / (1.0 + step);
        p[j] /= 1.0 + step;
      }
    }
  }
}

static void probabilities(const params *q, const double *pairs, double *work, double *scores) {
  const size_t n = q->labels.n;
  double *r = work, *matrix = work + n * n, *vector = matrix + n * n;
  size_t pair = 0;
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = i + 1; j < n; ++j, ++pair) {
      const double s = pairs[pair] * (double)q->prob_a[pair] + (double)q->prob_b[pair];
      const double clipped = fmin(fmax(hy__ml_logistic(-s), 1e-7), 1.0 - 1e-7);
      r[i * n + j] = clipped;
      r[j * n + i] = 1.0 - clipped;
    }
  }
  couple(n, r, scores, matrix, vector);
}

static size_t most(const size_t *votes, size_t n) {
  size_t best = 0;
  for (size_t i = 1; i < n; ++i)
    if (votes[i] > votes[best]) best = i;
  return best;
}

static size_t largest(const double *scores, size_t n) {
  size_t best = 0;
  for (size_t i = 1; i < n; ++i)
    if (scores[i] > scores[best]) best = i;
  return best;
}

/* Linear forms give the label by the largest; two classes by its sign, or by 0.5 where no
 * coefficient is negative. */
static size_t linear_label(const params *q, const double *scores) {
  const size_t best = largest(scores, q->labels.n);
  if (q->labels.n != 2 || q->prob_a) return best;
  return (q->all_positive ? scores[best] >= 0.5 : scores[best] > 0.0) ? 1 : best;
}

static size_t classify(const hy__step *step, const params *q, double *scores) {
  char *scratch = step->scratch;
  const float *x = step->scratch;
  if (!q->vectors) {
    for (size_t i = 0; i < q->n_forms; ++i)
      scores[i] = product(x, q->coefficients + i * q->features, q->features) + (double)q->rho[0];
    return linear_label(q, scores);
  }
  double *pairs = (double *)(void *)(scratch + q->pairs_at);
  double *work = (double *)(void *)(scratch + q->work_at);
  size_t *votes = (size_t *)(void *)work;
  memset(votes, 0, q->labels.n * sizeof *votes);
  pair_scores(q, kernels_of(step, q, x), pairs, votes);
  const size_t label = most(votes, q->labels.n);
  if (q->prob_a)
    probabilities(q, pairs, work, scores);
  else
    memcpy(scores, pairs, q->n_pairs * sizeof *scores);
  return label;
}

/* One score of two classes becomes two columns; of the transforms LOGISTIC alone touches it. */
static void columns_of(const params *q, double *scores) {
  const double s = scores[0];
  if (!q->vectors || q->prob_a || q->n_pairs != 1) {
    hy__ml_post_row(q->post, scores, q->n_columns);
  } else if (q->post == HY__POST_LOGISTIC) {
    scores[0] = hy__ml_logistic(-s);
    scores[1] = hy__ml_logistic(s);
  } else {
    scores[0] = q->post == HY__POST_NONE ? -s : 1.0 - s;
    scores[1] = s;
  }
}

static hy_status run_classifier(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy_tensor *x = &step->in[0];
  const size_t rows = x->rank == 2 ? (size_t)x->dims[0] : 1;
  float *row_x = step->scratch, *z = step->n_out > 1 ? step->out[1].data : NULL;
  double *scores = (double *)(void *)((char *)step->scratch + q->pairs_at) + q->n_pairs;
  (void)err;
  for (size_t row = 0; row < rows; ++row) {
    hy__ml_floats(x, row * q->features, q->features, row_x);
    const size_t label = classify(step, q, scores);
    if (step->out[0].data) hy__ml_label_put(&q->labels, label, &step->out[0], row);
    if (!z) continue;
    columns_of(q, scores);
    for (size_t i = 0; i < q->n_columns; ++i) z[row * q->n_columns + i] = (float)scores[i];
  }
  return HY_OK;
}

/* --- attributes --- */

static bool floats_of(const hy__node *node, const char *name, const float **out, size_t *n) {
  const hy__attr *a = hy__node_attr(node, name);
  const bool given = a && a->kind == HY__ATTR_FLOATS && a->n > 0;
  *out = given ? a->as.floats : NULL;
  *n = given ? a->n : 0;
  return given;
}

static hy_status read_kernel(const hy__node *node, params *q, hy_error *err) {
  static const char *const names[] = {"LINEAR", "POLY", "RBF", "SIGMOID"};
  const hy_string s = hy__node_string(node, "kernel_type", "LINEAR");
  size_t i = 0, n;
  const float *list;
  while (i < 4 && (s.len_bytes != strlen(names[i]) || memcmp(s.data, names[i], s.len_bytes) != 0))
    ++i;
  HY_FAIL_IF(i == 4, HY_BAD_FORMAT, err, "kernel_type is '%.*s'",
             (int)HY_MIN(s.len_bytes, (size_t)40), s.data);
  q->kernel = (kernel)i;
  if (!floats_of(node, "kernel_params", &list, &n)) return HY_OK;
  HY_FAIL_IF(n != 3, HY_BAD_FORMAT, err, "kernel_params has %zu values, not 3", n);
  q->gamma = (double)list[0];
  q->coef0 = (double)list[1];
  q->degree = (double)list[2];
  return HY_OK;
}

/* Coefficients and vectors: n_vectors and n_forms (rows of coefficients) are set before. */
static hy_status read_vectors(const hy__node *node, params *q, size_t n_rho, hy_error *err) {
  size_t n, n_given, want;
  bool given = floats_of(node, "rho", &q->rho, &n_given);
  HY_FAIL_IF(!given || n_given < n_rho, HY_BAD_FORMAT, err, "rho has %zu values, not %zu", n_given,
             n_rho);
  const size_t width = q->n_vectors ? q->n_vectors : q->features;
  given = floats_of(node, "coefficients", &q->coefficients, &n);
  HY_FAIL_IF(!given || !hy__mul(q->n_forms, width, &want) || n != want, HY_BAD_FORMAT, err,
             "there are %zu coefficients for %zu rows of %zu", n, q->n_forms, width);
  q->all_positive = true;
  for (size_t i = 0; i < n; ++i) q->all_positive &= q->coefficients[i] >= 0.0f;
  if (q->n_vectors == 0) {
    q->kernel = LINEAR;
    return HY_OK;
  }
  const hy__attr *list = hy__node_attr(node, "support_vectors");
  given = floats_of(node, "support_vectors", &q->vectors, &n);
  if (list && list->kind == HY__ATTR_LIST) {
    q->list = list; /* its length is checked as it is read */
    q->vectors = (const float *)(const void *)list->as.bytes;
    given = hy__mul(q->n_vectors, q->features, &n) && n <= list->n / sizeof(float);
  }
  HY_FAIL_IF(!given || !hy__mul(q->n_vectors, q->features, &want) || n != want, HY_BAD_FORMAT, err,
             "there are %zu numbers for %zu support vectors of %zu", n, q->n_vectors, q->features);
  return HY_OK;
}

static hy_status read_regressor(const hy__node *node, params *q, hy_error *err) {
  const int64_t n = hy__node_int(node, "n_supports", 0);
  HY_FAIL_IF(n < 0, HY_BAD_FORMAT, err, "n_supports is %lld", (long long)n);
  HY_FAIL_IF(q->post != HY__POST_NONE, HY_UNSUPPORTED, err, "post_transform of an SVMRegressor");
  q->n_vectors = (size_t)n;
  q->n_forms = 1;
  q->one_class = hy__node_int(node, "one_class", 0) != 0;
  return read_vectors(node, q, 1, err);
}

static hy_status read_classes(const hy__node *node, params *q, hy_error *err) {
  HY_TRY(hy__ml_labels_of(node, "classlabels_ints", "classlabels_strings", &q->labels, err));
  const size_t n = q->labels.n;
  HY_FAIL_IF(n < 2 || n > CLASSES_MAX, HY_UNSUPPORTED, err, "%zu classes; 2 to %d are supported", n,
             (int)CLASSES_MAX);
  const hy__attr *per = hy__node_attr(node, "vectors_per_class");
  q->n_pairs = n * (n - 1) / 2;
  q->n_columns = n;
  if (!per || per->kind != HY__ATTR_INTS || per->n == 0) return HY_OK;
  HY_FAIL_IF(per->n != n, HY_BAD_FORMAT, err, "vectors_per_class has %zu values for %zu classes",
             per->n, n);
  for (size_t i = 0; i < n; ++i) {
    HY_FAIL_IF(per->as.ints[i] < 0 || per->as.ints[i] > INT32_MAX, HY_BAD_FORMAT, err,
               "vectors_per_class holds %lld", (long long)per->as.ints[i]);
    q->n_vectors += (size_t)per->as.ints[i];
  }
  q->per_class = per->as.ints;
  return HY_OK;
}

static hy_status read_classifier(const hy__node *node, params *q, hy_error *err) {
  size_t n_a, n_b;
  HY_TRY(read_classes(node, q, err));
  const bool votes = q->n_vectors > 0;
  q->n_forms = votes ? q->labels.n - 1 : q->labels.n;
  HY_TRY(read_vectors(node, q, votes ? q->n_pairs : 1, err));
  if (!votes) return HY_OK;
  (void)floats_of(node, "prob_a", &q->prob_a, &n_a);
  (void)floats_of(node, "prob_b", &q->prob_b, &n_b);
  HY_FAIL_IF(n_a != n_b || (n_a && n_a < q->n_pairs), HY_BAD_FORMAT, err,
             "prob_a has %zu and prob_b %zu values for %zu pairs", n_a, n_b, q->n_pairs);
  if (!q->prob_a && q->labels.n > 2) q->n_columns = q->n_pairs;
  HY_FAIL_IF(q->post == HY__POST_PROBIT && !q->prob_a && q->n_pairs == 1, HY_UNSUPPORTED, err,
             "post_transform PROBIT of the one score of two classes");
  return HY_OK;
}

static hy_status read_all(const hy__op_plan *p, params *q, hy_error *err) {
  int64_t rows, features;
  HY_TRY(hy__ml_matrix(&p->in[0], &rows, &features, err));
  HY_TRY(hy__ml_post_of(p->node, &q->post, err));
  q->features = (size_t)features;
  q->classifier = is_classifier(p->node);
  HY_TRY(read_kernel(p->node, q, err));
  return q->classifier ? read_classifier(p->node, q, err) : read_regressor(p->node, q, err);
}

hy_status hy__op_svm_infer(hy__op_plan *p, hy_error *err) {
  params q = {0};
  HY_TRY(read_all(p, &q, err));
  const int64_t rows = p->in[0].rank == 2 ? p->in[0].dims[0] : 1;
  if (!q.classifier) return hy__op_out(p, 0, HY_F32, 2, (const int64_t[2]){rows, 1}, err);
  HY_TRY(hy__op_out(p, 0, hy__ml_label_type(&q.labels), 1, &rows, err));
  const int64_t dims[2] = {rows, (int64_t)q.n_columns};
  return p->n_out > 1 ? hy__op_out(p, 1, HY_F32, 2, dims, err) : HY_OK;
}

static bool reserve(size_t *total, size_t n, size_t each) {
  size_t bytes;
  return hy__mul(n, each, &bytes) && hy__add(*total, bytes, total) &&
         hy__round_up(*total, HY_ALIGN, total);
}

static hy_status fill(void *ctx, void *packed, hy_error *err) {
  const params *q = ctx;
  const size_t n = q->n_vectors * q->features;
  void *read;
  if (!q->list) {
    hy__vectors_pack(q->vectors, q->n_vectors, q->features, packed);
    return HY_OK;
  }
  HY_TRY(hy__alloc_array(q->allocator, n, sizeof(float), &read, err));
  const hy_status status = hy__attr_floats_read(q->list, n, read, err);
  if (status == HY_OK) hy__vectors_pack(read, q->n_vectors, q->features, packed);
  hy__free(q->allocator, read, n * sizeof(float));
  return status;
}

static hy_status pack(const hy__op_plan *p, params *q, hy_error *err) {
  size_t bytes;
  const void *packed;
  q->n_blocks = (q->n_vectors + HY__VECTORS_BLOCK - 1) / HY__VECTORS_BLOCK;
  HY_FAIL_IF(!hy__mul(q->n_blocks * HY__VECTORS_BLOCK, q->features * sizeof(float), &bytes),
             HY_LIMIT, err, "too many vectors");
  if (!bytes) return HY_OK;
  HY_TRY(hy__pack_get(p->packs, q->vectors, HY__PACK('s', 'v', 0), bytes, fill, q, &packed, err));
  q->packed = packed;
  return HY_OK;
}

/* The row, the kernels, the pairs and scores after them, and what the votes or the probabilities
 * need. */
static bool lower_scratch(params *q, size_t *total) {
  const size_t n = q->labels.n, work = q->vectors ? n * (q->prob_a ? 2 * n + 1 : 1) : 0;
  bool good = reserve(total, q->features, sizeof(float));
  q->kernels_at = *total;
  good = good && reserve(total, q->n_blocks * HY__VECTORS_BLOCK, sizeof(float));
  q->pairs_at = *total;
  good = good && reserve(total, q->n_pairs + HY_MAX(q->n_pairs, n) + 2, sizeof(double));
  q->work_at = *total;
  return good && reserve(total, work, sizeof(double));
}

hy_status hy__op_svm_lower(hy__op_plan *p, hy_error *err) {
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  q->allocator = hy__runtime_allocator(p->runtime);
  HY_TRY(read_all(p, q, err));
  HY_TRY(pack(p, q, err));
  HY_FAIL_IF(!lower_scratch(q, &p->scratch_bytes), HY_LIMIT, err, "too many classes or vectors");
  p->params = q;
  p->run = q->classifier ? run_classifier : run_regressor;
  return HY_OK;
}
