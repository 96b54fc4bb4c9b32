/* SPDX-License-Identifier: Apache-2.0 */
/* Einsum of any number of operands: repeated letters, an ellipsis that broadcasts, an output stated
 * or implied. Two operands of floats become a matrix product (einsum_product.c); the rest is a
 * plain sum of products over the letters that the output lacks, in double or wrapping 64-bit
 * integers. */
#include <string.h>

#include "op/einsum.h"
#include "op/element.h"

enum { OPERANDS = HY__EINSUM_OPERANDS, LABELS = HY__EINSUM_LABELS, DIMS = HY_MAX_RANK * OPERANDS };

typedef hy__einsum params;

/* One term of the equation: the label of each dim. */
typedef struct term {
  int32_t n, labels[DIMS];
} term;

typedef struct equation {
  size_t n_terms;
  term terms[OPERANDS], out;
  int64_t dims[LABELS]; /* by label, -1 where it does not occur */
} equation;

static int32_t label_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  return c >= 'a' && c <= 'z' ? 26 + c - 'a' : -1;
}

/* Reads up to a comma, an arrow or the end; `ellipsis`: how many dims it stands for here. */
static hy_status read_term(hy_string text, size_t *at, int32_t ellipsis, term *out, hy_error *err) {
  bool seen = false;
  out->n = 0;
  for (; *at < text.len_bytes && text.data[*at] != ',' && text.data[*at] != '-'; ++*at) {
    const char c = text.data[*at];
    const bool dots = *at + 2 < text.len_bytes && !memcmp(text.data + *at, "...", 3);
    if (c == ' ') continue;
    HY_FAIL_IF(label_of(c) < 0 && (!dots || seen), HY_BAD_FORMAT, err,
               "the equation has '%c' at %zu", c, *at);
    HY_FAIL_IF(out->n + (dots ? ellipsis : 1) > HY_MAX_RANK, HY_LIMIT, err,
               "a term of the equation has more than %d dims", (int)HY_MAX_RANK);
    if (dots) {
      for (int32_t d = ellipsis; d > 0; d--) out->labels[out->n++] = 52 + d - 1;
      seen = true;
      *at += 2;
    } else {
      out->labels[out->n++] = label_of(c);
    }
  }
  return HY_OK;
}

/* Letters of a term, without the ellipsis. */
static int32_t letters_of(hy_string text, size_t at) {
  int32_t n = 0;
  for (; at < text.len_bytes && text.data[at] != ',' && text.data[at] != '-'; at++)
    n += label_of(text.data[at]) >= 0;
  return n;
}

static hy_status take_dims(const hy_tensor *t, const term *of, equation *e, hy_error *err) {
  HY_FAIL_IF(of->n != t->rank, HY_BAD_FORMAT, err, "a term names %d dims, its operand has %d",
             (int)of->n, (int)t->rank);
  for (int32_t d = 0; d < of->n; d++) {
    int64_t *dim = &e->dims[of->labels[d]];
    const bool spreads = of->labels[d] >= 52;
    if (*dim < 0 || (*dim == 1 && spreads)) *dim = t->dims[d];
    HY_FAIL_IF(*dim != t->dims[d] && !(spreads && t->dims[d] == 1), HY_BAD_FORMAT, err,
               "a letter stands for dims of %lld and %lld", (long long)*dim, (long long)t->dims[d]);
  }
  return HY_OK;
}

/* Without an arrow: the ellipsis, then the letters that occur once, in order. */
static void imply_output(equation *e, int32_t ellipsis) {
  int32_t count[LABELS] = {0};
  for (size_t k = 0; k < e->n_terms; k++)
    for (int32_t d = 0; d < e->terms[k].n; d++) count[e->terms[k].labels[d]]++;
  for (int32_t d = ellipsis; d > 0; d--) e->out.labels[e->out.n++] = 52 + d - 1;
  for (int32_t label = 0; label < 52; label++)
    if (count[label] == 1) e->out.labels[e->out.n++] = label;
}

static hy_status read_operands(const hy__op_plan *p, hy_string text, size_t *at, equation *e,
                               int32_t *ellipsis, hy_error *err) {
  HY_FAIL_IF(p->n_in > OPERANDS, HY_LIMIT, err, "%zu operands; at most %d are supported", p->n_in,
             (int)OPERANDS);
  for (e->n_terms = 0; e->n_terms < p->n_in; e->n_terms++) {
    const hy_tensor *t = &p->in[e->n_terms];
    const int32_t rest = t->rank - letters_of(text, *at);
    HY_TRY(hy__op_same_type(p, 0, e->n_terms, err));
    HY_TRY(read_term(text, at, HY_MAX(rest, 0), &e->terms[e->n_terms], err));
    for (int32_t d = 0; d < e->terms[e->n_terms].n; d++)
      if (e->terms[e->n_terms].labels[d] >= 52) *ellipsis = HY_MAX(*ellipsis, rest);
    HY_TRY(take_dims(t, &e->terms[e->n_terms], e, err));
    const bool more = *at < text.len_bytes && text.data[*at] == ',';
    HY_FAIL_IF(more != (e->n_terms + 1 < p->n_in), HY_BAD_FORMAT, err,
               "the equation has not one term for each of %zu operands", p->n_in);
    *at += more;
  }
  return HY_OK;
}

static hy_status read(const hy__op_plan *p, equation *e, hy_error *err) {
  const hy_string text = hy__node_string(p->node, "equation", "");
  int32_t ellipsis = 0;
  size_t at = 0;
  *e = (equation){0};
  for (int32_t l = 0; l < LABELS; l++) e->dims[l] = -1;
  HY_TRY(read_operands(p, text, &at, e, &ellipsis, err));
  if (at == text.len_bytes) {
    imply_output(e, ellipsis);
  } else {
    HY_FAIL_IF(at + 1 >= text.len_bytes || text.data[at + 1] != '>', HY_BAD_FORMAT, err,
               "the equation has '-' without '>'");
    at += 2;
    HY_TRY(read_term(text, &at, ellipsis, &e->out, err));
    HY_FAIL_IF(at != text.len_bytes, HY_BAD_FORMAT, err, "the equation goes on after its output");
  }
  return HY_OK;
}

hy_status hy__op_einsum_infer(hy__op_plan *p, hy_error *err) {
  equation e;
  int64_t dims[DIMS];
  bool named[LABELS] = {false};
  HY_TRY(read(p, &e, err));
  for (int32_t d = 0; d < e.out.n; d++) {
    const int32_t label = e.out.labels[d];
    HY_FAIL_IF(e.dims[label] < 0 || named[label], HY_BAD_FORMAT, err,
               "the output names a letter that no operand has, or names one twice");
    named[label] = true;
    dims[d] = e.dims[label];
  }
  return hy__op_out(p, 0, p->in[0].dtype, e.out.n, dims, err);
}

/* The offsets after one more step of an odometer over labels [first, last); false past the end. */
static bool next(const params *q, int32_t first, int32_t last, int64_t *index, int64_t *offsets) {
  for (int32_t l = last - 1; l >= first; l--) {
    for (size_t k = 0; k < q->n_operands; k++) offsets[k] += q->strides[k][l];
    if (++index[l] < q->dims[l]) return true;
    for (size_t k = 0; k < q->n_operands; k++) offsets[k] -= q->strides[k][l] * q->dims[l];
    index[l] = 0;
  }
  return false;
}

static double sum_real(const hy__step *step, const params *q, int64_t *index, int64_t *offsets) {
  double sum = 0.0;
  do {
    double product = 1.0;
    for (size_t k = 0; k < q->n_operands; k++)
      product *= hy__element_real(&step->in[k], offsets[k]);
    sum += product;
  } while (next(q, q->n_out, q->n_all, index, offsets));
  return sum;
}

/* Two operands of float32: the innermost letter without the switch over types. */
static double sum_pair(const hy__step *step, const params *q, int64_t *index, int64_t *offsets) {
  const int32_t inner = q->n_all - 1;
  const int64_t n = q->dims[inner], da = q->strides[0][inner], db = q->strides[1][inner];
  double sum = 0.0;
  do {
    const float *a = (const float *)step->in[0].data + offsets[0];
    const float *b = (const float *)step->in[1].data + offsets[1];
    for (int64_t i = 0; i < n; i++) sum += (double)a[i * da] * (double)b[i * db];
  } while (next(q, q->n_out, inner, index, offsets));
  return sum;
}

static int64_t sum_whole(const hy__step *step, const params *q, int64_t *index, int64_t *offsets) {
  uint64_t sum = 0;
  do {
    uint64_t product = 1;
    for (size_t k = 0; k < q->n_operands; k++)
      product *= (uint64_t)hy__element_whole(&step->in[k], offsets[k]);
    sum += product;
  } while (next(q, q->n_out, q->n_all, index, offsets));
  return (int64_t)sum;
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy_tensor *y = &step->out[0];
  const bool pair = y->dtype == HY_F32 && q->n_operands == 2 && q->n_all > q->n_out;
  int64_t index[LABELS] = {0}, offsets[OPERANDS] = {0};
  size_t empty = 1;
  (void)err;
  for (int32_t l = q->n_out; l < q->n_all; l++) empty *= (size_t)q->dims[l];
  if (empty == 0) memset(y->data, 0, hy__op_bytes_of(y));
  if (empty == 0 || hy__op_count_of(y) == 0) return HY_OK;
  int64_t at = 0;
  do {
    if (q->whole)
      hy__element_put_whole(y, at++, sum_whole(step, q, index, offsets));
    else
      hy__element_put_real(
          y, at++, pair ? sum_pair(step, q, index, offsets) : sum_real(step, q, index, offsets));
  } while (next(q, 0, q->n_out, index, offsets));
  return HY_OK;
}

/* A label's place in the odometer, entered when it is new. */
static int32_t enter(params *q, const equation *e, int32_t *places, int32_t label) {
  if (places[label] < 0) {
    places[label] = q->n_all;
    q->dims[q->n_all++] = e->dims[label];
  }
  return places[label];
}

hy_status hy__op_einsum_lower(hy__op_plan *p, hy_error *err) {
  equation e;
  params *q;
  int32_t places[LABELS];
  HY_TRY(read(p, &e, err));
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  *q = (params){.n_operands = p->n_in, .whole = !hy__element_is_float(p->in[0].dtype)};
  for (int32_t l = 0; l < LABELS; l++) places[l] = -1;
  for (int32_t d = 0; d < e.out.n; d++) (void)enter(q, &e, places, e.out.labels[d]);
  q->n_out = q->n_all;
  for (size_t k = 0; k < e.n_terms; k++) {
    int64_t strides[HY_MAX_RANK];
    hy__op_strides(&p->in[k], strides);
    for (int32_t d = 0; d < e.terms[k].n; d++) {
      const int32_t at = enter(q, &e, places, e.terms[k].labels[d]);
      if (p->in[k].dims[d] != 1) q->strides[k][at] += strides[d];
    }
  }
  bool done;
  HY_TRY(hy__einsum_product_lower(p, q, &done, err));
  if (done) return HY_OK;
  p->params = q;
  p->run = run;
  return HY_OK;
}
