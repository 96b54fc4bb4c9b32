/* SPDX-License-Identifier: Apache-2.0 */
/* ZipMap, FeatureVectorizer and ArrayFeatureExtractor (ai.onnx.ml): columns chosen or put together.
 * ZipMap's sequence of maps is given as its [rows, classes] tensor, in the order of the labels. */
#include <string.h>

#include "op/ml_post.h"

typedef enum kind { ZIP_MAP, VECTORIZER, EXTRACTOR } kind;

static kind kind_of(const hy__node *node) {
  return node->op_type[0] == 'Z' ? ZIP_MAP : node->op_type[0] == 'F' ? VECTORIZER : EXTRACTOR;
}

static int64_t width_of(const hy_tensor *x) { return x->rank == 2 ? x->dims[1] : x->dims[0]; }

/* The columns that input k gets: what inputdimensions says (cut, or zeros after it, as ONNX Runtime
 * does), else its own. */
static int64_t columns_of(const hy__node *node, const hy_tensor *x, size_t k, size_t n_in) {
  const hy__attr *dims = hy__node_attr(node, "inputdimensions");
  return dims && dims->kind == HY__ATTR_INTS && dims->n == n_in ? dims->as.ints[k] : width_of(x);
}

static hy_status infer_vectorizer(hy__op_plan *p, hy_error *err) {
  int64_t rows = 1, total = 0;
  for (size_t k = 0; k < p->n_in; ++k) {
    const hy_tensor *x = &p->in[k];
    HY_FAIL_IF(!hy__op_has(p, k) || x->rank < 1 || x->rank > 2, HY_BAD_FORMAT, err,
               "input %zu is no matrix", k);
    const int64_t own = x->rank == 2 ? x->dims[0] : 1;
    const int64_t columns = columns_of(p->node, x, k, p->n_in);
    HY_FAIL_IF(k > 0 && own != rows, HY_BAD_FORMAT, err, "the inputs differ in rows");
    HY_FAIL_IF(!(HY__OP_NUMBERS >> x->dtype & 1), HY_UNSUPPORTED, err, "input %zu is of type %s", k,
               hy_dtype_name(x->dtype));
    rows = own;
    HY_FAIL_IF(columns < 0 || !hy__add_i64(total, columns, &total), HY_LIMIT, err,
               "input %zu has %lld features", k, (long long)columns);
  }
  return hy__op_out(p, 0, HY_F32, 2, (const int64_t[2]){rows, total}, err);
}

static hy_status infer_extractor(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0], *y = &p->in[1];
  HY_FAIL_IF(x->rank < 1 || y->dtype != HY_I64, HY_BAD_FORMAT, err,
             "Y must be int64 indices into X's last dim");
  int64_t dims[HY_MAX_RANK];
  int32_t rank = x->rank == 1 ? 2 : x->rank; /* a vector is one row */
  memcpy(dims, x->dims, sizeof dims);
  if (x->rank == 1) dims[0] = 1;
  dims[rank - 1] = (int64_t)hy__op_count_of(y);
  return hy__op_out(p, 0, x->dtype, rank, dims, err);
}

hy_status hy__op_zip_map_infer(hy__op_plan *p, hy_error *err) {
  const kind how = kind_of(p->node);
  if (how == VECTORIZER) return infer_vectorizer(p, err);
  if (how == EXTRACTOR) return infer_extractor(p, err);
  hy__ml_labels labels;
  int64_t rows, columns;
  HY_TRY(hy__ml_labels_of(p->node, "classlabels_int64s", "classlabels_strings", &labels, err));
  HY_TRY(hy__ml_matrix(&p->in[0], &rows, &columns, err));
  HY_FAIL_IF((int64_t)labels.n != columns, HY_BAD_FORMAT, err, "%zu labels for %lld columns",
             labels.n, (long long)columns);
  p->out_alias[0] = 0;
  return hy__op_out(p, 0, HY_F32, 2, (const int64_t[2]){rows, columns}, err);
}

static hy_status run_copy(const hy__step *step, hy_error *err) {
  (void)err;
  if (step->out[0].data != step->in[0].data)
    memmove(step->out[0].data, step->in[0].data, hy__op_bytes_of(&step->out[0]));
  return HY_OK;
}

static hy_status run_vectorizer(const hy__step *step, hy_error *err) {
  const size_t rows = (size_t)step->out[0].dims[0], total = (size_t)step->out[0].dims[1];
  const int64_t *columns = step->params;
  size_t at = 0;
  (void)err;
  for (size_t k = 0; k < step->n_in; ++k) {
    const hy_tensor *x = &step->in[k];
    const size_t width = (size_t)width_of(x), n = (size_t)columns[k], kept = HY_MIN(width, n);
    for (size_t row = 0; row < rows; ++row) {
      float *to = (float *)step->out[0].data + row * total + at;
      hy__ml_floats(x, row * width, kept, to);
      memset(to + kept, 0, (n - kept) * sizeof *to);
    }
    at += n;
  }
  return HY_OK;
}

static hy_status run_extractor(const hy__step *step, hy_error *err) {
  const hy_tensor *x = &step->in[0];
  const int64_t *index = step->in[1].data, width = x->dims[x->rank - 1];
  const size_t n = hy__op_count_of(&step->in[1]), each = hy_dtype_bytes(x->dtype);
  const size_t rows = width ? hy__op_count_of(x) / (size_t)width : 0;
  char *to = step->out[0].data;
  for (size_t j = 0; j < n; ++j)
    HY_FAIL_IF(index[j] < 0 || index[j] >= width, HY_INVALID_ARGUMENT, err,
               "index %lld of %lld columns", (long long)index[j], (long long)width);
  for (size_t row = 0; row < rows; ++row)
    for (size_t j = 0; j < n; ++j, to += each)
      memcpy(to, (const char *)x->data + (row * (size_t)width + (size_t)index[j]) * each, each);
  return HY_OK;
}

hy_status hy__op_zip_map_lower(hy__op_plan *p, hy_error *err) {
  static const hy__step_fn runs[] = {
      [ZIP_MAP] = run_copy, [VECTORIZER] = run_vectorizer, [EXTRACTOR] = run_extractor};
  int64_t *columns;
  HY_TRY(hy__arena_array(p->arena, p->n_in, sizeof *columns, (void **)&columns, err));
  for (size_t k = 0; k < p->n_in; ++k) columns[k] = columns_of(p->node, &p->in[k], k, p->n_in);
  p->params = columns;
  p->run = runs[kind_of(p->node)];
  return HY_OK;
}
