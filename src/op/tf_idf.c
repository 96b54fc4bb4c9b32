/* SPDX-License-Identifier: Apache-2.0 */
/* TfIdfVectorizer: how often each n-gram of a pool occurs in a row of numbers or texts, its items
 * next to each other or with equal gaps of up to max_skip_count. The pool is sorted once, and each
 * n-gram of the row looked up. */
#include <string.h>

#include "op/element.h"
#include "op/rule.h"

typedef enum mode { TF, IDF, TFIDF } mode;

/* The n-grams of one length: their items in the pool, and in which order they rise. */
typedef struct grams {
  size_t length, n, first; /* items of one, n-grams, the first one's number in the pool */
  size_t item;             /* the first one's first item */
  size_t *order;
} grams;

typedef struct params {
  mode mode;
  bool texts;
  const int64_t *whole; /* the pool, of either kind */
  const hy_string *strings;
  const int64_t *index; /* per n-gram: its column */
  const float *weights; /* per n-gram, or NULL */
  grams *of;            /* per length from 1 on */
  size_t n_lengths, least, most, skips;
  size_t columns;
} params;

static int compare_strings(const hy_string *a, const hy_string *b) {
  const size_t n = HY_MIN(a->len_bytes, b->len_bytes);
  const int c = n ? memcmp(a->data, b->data, n) : 0;
  return c ? c : (a->len_bytes > b->len_bytes) - (a->len_bytes < b->len_bytes);
}

/* A row's items `step` apart, from `at` on. */
typedef struct place {
  const hy_tensor *x;
  size_t at, step;
} place;

static int compare_item(const params *q, size_t pool, const place *w, size_t k) {
  const int64_t at = (int64_t)(w->at + k * w->step);
  if (q->texts) return compare_strings(&q->strings[pool], (const hy_string *)w->x->data + at);
  const int64_t a = q->whole[pool], b = hy__element_whole(w->x, at);
  return (a > b) - (a < b);
}

static int compare_pool(const params *q, const grams *g, size_t a, size_t b) {
  for (size_t k = 0; k < g->length; k++) {
    const size_t i = g->item + a * g->length + k, j = g->item + b * g->length + k;
    const int c = q->texts ? compare_strings(&q->strings[i], &q->strings[j])
                           : (q->whole[i] > q->whole[j]) - (q->whole[i] < q->whole[j]);
    if (c) return c;
  }
  return 0;
}

/* The n-gram's number in the pool, or -1. */
static int64_t find(const params *q, const grams *g, const place *w) {
  size_t low = 0, high = g->n;
  while (low < high) {
    const size_t mid = low + (high - low) / 2;
    int c = 0;
    for (size_t k = 0; k < g->length && !c; k++)
      c = compare_item(q, g->item + g->order[mid] * g->length + k, w, k);
    if (c == 0) return (int64_t)(g->first + g->order[mid]);
    if (c < 0)
      low = mid + 1;
    else
      high = mid;
  }
  return -1;
}

static void count_row(const params *q, place w, size_t from, size_t width, float *y) {
  for (size_t length = q->least; length <= q->most && length <= q->n_lengths; length++) {
    const grams *g = &q->of[length - 1];
    for (size_t skip = 0; skip <= (length > 1 ? q->skips : 0); skip++) {
      w.step = skip + 1;
      const size_t span = (length - 1) * w.step + 1;
      for (size_t at = 0; at + span <= width; at++) {
        w.at = from + at;
        const int64_t found = find(q, g, &w);
        if (found < 0) continue;
        float *to = &y[q->index[found]];
        const float weight = q->weights && q->mode != TF ? q->weights[found] : 1.0F;
        *to = q->mode == IDF ? weight : *to + weight;
      }
    }
  }
}

static hy_status run(const hy__step *s, hy_error *err) {
  (void)err;
  const params *q = s->params;
  const hy_tensor *x = &s->in[0];
  const size_t width = (size_t)x->dims[x->rank - 1], rows = x->rank == 2 ? (size_t)x->dims[0] : 1;
  float *y = s->out[0].data;
  memset(y, 0, rows * q->columns * sizeof *y);
  for (size_t r = 0; r < rows; r++)
    count_row(q, (place){.x = x}, r * width, width, y + r * q->columns);
  return HY_OK;
}

/* --- planning --- */

static hy_status list_of(const hy__op_plan *p, const char *name, const hy__attr **out,
                         hy_error *err) {
  *out = hy__node_attr(p->node, name);
  HY_FAIL_IF(!*out || (*out)->kind != HY__ATTR_INTS || !(*out)->n, HY_BAD_FORMAT, err,
             "%s is missing or empty", name);
  return HY_OK;
}

hy_status hy__op_tf_idf_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  const hy__attr *index;
  int64_t columns = 0;
  HY_FAIL_IF(x->rank < 1 || x->rank > 2, HY_BAD_FORMAT, err, "the input must be [C] or [N, C]");
  HY_TRY(list_of(p, "ngram_indexes", &index, err));
  for (size_t i = 0; i < index->n; i++) {
    HY_FAIL_IF(index->as.ints[i] < 0 || index->as.ints[i] == INT64_MAX, HY_BAD_FORMAT, err,
               "ngram_indexes holds %lld", (long long)index->as.ints[i]);
    columns = HY_MAX(columns, index->as.ints[i] + 1);
  }
  const int64_t dims[2] = {x->rank == 2 ? x->dims[0] : columns, columns};
  return hy__op_out(p, 0, HY_F32, x->rank, dims, err);
}

static hy_status pool_of(const hy__op_plan *p, params *q, size_t *n, hy_error *err) {
  const hy__attr *whole = hy__node_attr(p->node, "pool_int64s");
  const hy__attr *strings = hy__node_attr(p->node, "pool_strings");
  q->texts = p->in[0].dtype == HY_STRING;
  const hy__attr *pool = q->texts ? strings : whole;
  HY_FAIL_IF(!pool || pool->kind != (q->texts ? HY__ATTR_STRINGS : HY__ATTR_INTS), HY_BAD_FORMAT,
             err, "%s is missing", q->texts ? "pool_strings" : "pool_int64s");
  *n = pool->n;
  if (q->texts)
    q->strings = pool->as.strings;
  else
    q->whole = pool->as.ints;
  return HY_OK;
}

static void sort(const params *q, const grams *g, size_t *spare) {
  size_t *from = g->order, *to = spare;
  for (size_t width = 1; width < g->n; width *= 2) {
    for (size_t low = 0; low < g->n; low += 2 * width) {
      const size_t mid = HY_MIN(low + width, g->n), high = HY_MIN(low + 2 * width, g->n);
      size_t a = low, b = mid;
      for (size_t k = low; k < high; k++) {
        const bool left = b >= high || (a < mid && compare_pool(q, g, from[a], from[b]) <= 0);
        to[k] = from[left ? a++ : b++];
      }
    }
    size_t *swap = from;
    from = to;
    to = swap;
  }
  if (from != g->order) memcpy(g->order, from, g->n * sizeof *from);
}

/* Cuts the pool into lengths where ngram_counts says they begin. */
static hy_status cut(hy__op_plan *p, params *q, size_t n_pool, size_t *n_grams, hy_error *err) {
  const hy__attr *begins;
  void *memory, *order, *spare;
  HY_TRY(list_of(p, "ngram_counts", &begins, err));
  q->n_lengths = begins->n;
  HY_TRY(hy__arena_array(p->arena, begins->n, sizeof(grams), &memory, err));
  HY_TRY(hy__arena_array(p->arena, n_pool + 1, sizeof(size_t), &order, err));
  HY_TRY(hy__arena_array(p->arena, n_pool + 1, sizeof(size_t), &spare, err));
  q->of = memory;
  *n_grams = 0;
  for (size_t k = 0; k < begins->n; k++) {
    const int64_t from = begins->as.ints[k];
    const int64_t to = k + 1 < begins->n ? begins->as.ints[k + 1] : (int64_t)n_pool;
    HY_FAIL_IF(from < 0 || to < from || (uint64_t)to > n_pool || (size_t)(to - from) % (k + 1),
               HY_BAD_FORMAT, err, "ngram_counts does not cut a pool of %zu items", n_pool);
    grams *g = &q->of[k];
    *g = (grams){.length = k + 1,
                 .n = (size_t)(to - from) / (k + 1),
                 .first = *n_grams,
                 .item = (size_t)from,
                 .order = (size_t *)order + *n_grams};
    for (size_t i = 0; i < g->n; i++) g->order[i] = i;
    sort(q, g, spare);
    *n_grams += g->n;
  }
  return HY_OK;
}

/* A count that an attribute must have, from `least` on. */
static hy_status count_of(const hy__op_plan *p, const char *name, int64_t least, size_t *out,
                          hy_error *err) {
  const int64_t value = hy__node_int(p->node, name, -1);
  HY_FAIL_IF(value < least || value > INT32_MAX, HY_BAD_FORMAT, err,
             "%s is missing or out of range", name);
  *out = (size_t)value;
  return HY_OK;
}

hy_status hy__op_tf_idf_lower(hy__op_plan *p, hy_error *err) {
  static const char *const modes[] = {"TF", "IDF", "TFIDF", NULL};
  const hy__attr *weights = hy__node_attr(p->node, "weights"), *index;
  size_t n_pool, n_grams;
  int32_t how;
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), _Alignof(params), &memory, err));
  params *q = memory;
  HY_TRY(hy__op_choice(p, "mode", modes, &how, err));
  HY_TRY(count_of(p, "min_gram_length", 1, &q->least, err));
  HY_TRY(count_of(p, "max_gram_length", 1, &q->most, err));
  HY_TRY(count_of(p, "max_skip_count", 0, &q->skips, err));
  HY_TRY(list_of(p, "ngram_indexes", &index, err));
  HY_TRY(pool_of(p, q, &n_pool, err));
  HY_TRY(cut(p, q, n_pool, &n_grams, err));
  HY_FAIL_IF(index->n != n_grams, HY_BAD_FORMAT, err, "%zu ngram_indexes for %zu n-grams", index->n,
             n_grams);
  if (weights && weights->kind == HY__ATTR_FLOATS && weights->n) {
    HY_FAIL_IF(weights->n != n_grams, HY_BAD_FORMAT, err, "%zu weights for %zu n-grams", weights->n,
               n_grams);
    q->weights = weights->as.floats;
  }
  q->mode = (mode)how;
  q->index = index->as.ints;
  q->columns = (size_t)p->out[0].dims[p->out[0].rank - 1];
  p->params = q;
  p->run = run;
  return HY_OK;
}
