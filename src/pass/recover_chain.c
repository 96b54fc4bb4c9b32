/* SPDX-License-Identifier: Apache-2.0 */
/* A loop over a recurrent cell that the exporter unrolled (PyTorch's loops over cells, Keras with
 * unroll) becomes one layer again. What multiplies the state is the same known matrix in every
 * step, so matrices that several nodes read say where to look: if what goes into each of these
 * products is a cell over what goes into the one before, with equal weights, that is a chain. A
 * first step from zeros has been folded to something else; it stays, and gives the states that the
 * layer begins with. */
#include "pass/recover.h"

enum { NONE = -1, STEPS_MIN = 4, PRODUCTS_MOST = 4096, TAIL_NODES = 48 };

typedef struct chain {
  hy__work *w;
  int32_t *products; /* nodes with known matrices, in order */
  size_t n_products;
  int32_t *states; /* what goes into the products of one matrix */
  size_t n_states;
  bool *shut;
  hy__recovery r;     /* of the layer; its forms are those of the first step */
  int32_t *h, *c, *x; /* per step */
  size_t n;
  bool written; /* nodes were added: what was found of the graph before does not hold any more */
} chain;

/* --- where to look --- */

static bool is_product(const hy__work *w, int32_t n) {
  const hy_tensor *m = hy__work_known_input(w, n, 1);
  return m && m->rank == 2 && m->dtype == HY_F32 && !hy__work_known_input(w, n, 0) &&
         (hy__work_is(w, n, "MatMul") || hy__work_is(w, n, "Gemm"));
}

static bool is_function(const hy__work *w, int32_t n) {
  static const char *const names[] = {"Tanh",      "Sigmoid", "Relu",     "HardSigmoid",
                                      "LeakyRelu", "Elu",     "Softsign", "Softplus"};
  for (size_t i = 0; i < HY_COUNT(names); i++)
    if (hy__work_is(w, n, names[i])) return true;
  return false;
}

static const void *matrix_of(const chain *k, size_t product) {
  return hy__work_known_input(k->w, k->products[product], 1)->data;
}

static hy_status products_find(chain *k, hy_error *err) {
  const hy__work *w = k->w;
  void *memory;
  HY_TRY(hy__arena_array(k->r.b.arena, 5 * (k->n_products + 1), sizeof(int32_t), &memory, err));
  k->products = memory;
  k->states = k->products + k->n_products + 1;
  k->h = k->states + k->n_products + 1;
  k->c = k->h + k->n_products + 1;
  k->x = k->c + k->n_products + 1;
  for (size_t i = 0, at = 0; i < w->n_nodes; i++)
    if (is_product(w, (int32_t)i)) k->products[at++] = (int32_t)i;
  return HY_OK;
}

/* Forms end at what goes into products (but for GRU's r h), and at values that a function and a
 * product both read: the cell states. */
static hy_status shut_make(chain *k, hy_error *err) {
  const hy__work *w = k->w;
  hy__form_part parts[HY__FORM_PARTS];
  void *memory;
  HY_TRY(hy__arena_array(k->r.b.arena, 3 * (w->n_values + 1), sizeof(bool), &memory, err));
  bool *multiplied = (bool *)memory + w->n_values, *called = multiplied + w->n_values;
  k->shut = memory;
  k->r.forms.shut = k->shut;
  for (size_t i = 0; i < w->n_nodes; i++) {
    const int32_t n = (int32_t)i, first = hy__work_input(w, n, 0);
    if (is_function(w, n)) called[hy__form_base(w, first)] = true;
    if (!hy__work_is(w, n, "Mul")) continue;
    multiplied[hy__form_base(w, first)] = true;
    multiplied[hy__form_base(w, hy__work_input(w, n, 1))] = true;
  }
  for (size_t v = 0; v < w->n_values; v++) k->shut[v] = multiplied[v] && called[v];
  for (size_t i = 0; i < k->n_products; i++) {
    const size_t n = hy__form_parts(w, hy__work_input(w, k->products[i], 0), parts);
    for (size_t p = 0; p < n; p++) k->shut[hy__form_base(w, parts[p].value)] = true;
  }
  for (size_t i = 0; i < w->n_nodes; i++) { /* r h, with h shut before it */
    const int32_t n = (int32_t)i, out = hy__work_is(w, n, "Mul") ? w->nodes[n].node.outputs[0] : -1;
    if (out < 0 || !k->shut[out]) continue;
    for (size_t j = 0; j < 2; j++) {
      const int32_t in = hy__form_base(w, hy__work_input(w, n, j));
      if (in >= 0 && k->shut[in] && !called[in]) k->shut[out] = false;
    }
  }
  return HY_OK;
}

/* The part `at` of what each product of that matrix reads. */
static void states_of(chain *k, const void *matrix, size_t at) {
  hy__form_part parts[HY__FORM_PARTS];
  k->n_states = 0;
  for (size_t i = 0; i < k->n_products; i++) {
    if (matrix_of(k, i) != matrix) continue;
    const size_t n = hy__form_parts(k->w, hy__work_input(k->w, k->products[i], 0), parts);
    if (at < n) k->states[k->n_states++] = hy__form_base(k->w, parts[at].value);
  }
}

/* --- steps --- */

/* c' of h' = o function(c'), if forms are shut there. */
static int32_t state_inside(const chain *k, int32_t h) {
  const hy__work *w = k->w;
  const int32_t mul = w->values[h].producer;
  for (size_t j = 0; mul >= 0 && hy__work_is(w, mul, "Mul") && j < 2; j++) {
    const int32_t id = hy__form_base(w, hy__work_input(w, mul, j));
    const int32_t n = id < 0 ? NONE : w->values[id].producer;
    const int32_t c =
        n >= 0 && is_function(w, n) ? hy__form_base(w, hy__work_input(w, n, 0)) : NONE;
    if (c >= 0 && k->shut[c]) return c;
  }
  return NONE;
}

static hy_status step_match(chain *k, hy__forms *f, int32_t h_new, int32_t h, hy__cell *cell,
                            bool *found, hy_error *err) {
  const hy_tensor *t = hy__work_tensor(k->w, h_new), *from = hy__work_tensor(k->w, h);
  const int64_t width = hy__form_width(t);
  const bool shut = k->shut[h_new];
  int32_t form;
  *found = false;
  f->rows = hy__form_rows(t);
  f->open = state_inside(k, h_new);
  if (t->dtype != HY_F32 || from->dtype != HY_F32 || t->rank < 2 || width < 1 || h == h_new ||
      hy__form_width(from) != width || hy__form_rows(from) != f->rows || from->data)
    return HY_OK;
  k->shut[h_new] = false;
  const hy_status status = hy__form_of(f, h_new, 0, width, &form, err);
  k->shut[h_new] = shut;
  HY_TRY(status);
  return hy__cell_match(f, form, h, cell, found, err);
}

static bool same_sum(const hy__forms *f, int32_t a, const hy__forms *g, int32_t b) {
  const hy__form *s = &f->list[a], *t = &g->list[b];
  if (s->kind != t->kind || s->n_addends != t->n_addends || !s->bias != !t->bias) return false;
  if (s->bias && memcmp(s->bias, t->bias, (size_t)s->width * sizeof(float)) != 0) return false;
  for (size_t i = 0; i < s->n_addends; i++) {
    const hy__addend *p = &s->addends[i], *q = &t->addends[i];
    const hy__form *from = &f->list[p->form], *to = &g->list[q->form];
    if (p->scale != q->scale || p->turned != q->turned || p->row != q->row ||
        p->column != q->column || !p->matrix != !q->matrix ||
        (p->matrix && p->matrix->data != q->matrix->data) || from->first != to->first ||
        from->width != to->width)
      return false;
  }
  return true;
}

/* The same cell over other values. */
static bool same_cell(const hy__forms *f, const hy__cell *a, const hy__forms *g,
                      const hy__cell *b) {
  if (a->kind != b->kind || a->reset_after != b->reset_after || a->features != b->features ||
      a->hidden != b->hidden || a->n_functions != b->n_functions)
    return false;
  for (size_t i = 0; i < a->n_functions; i++)
    if (strcmp(a->functions[i], b->functions[i]) != 0 || a->alphas[i] != b->alphas[i] ||
        a->betas[i] != b->betas[i])
      return false;
  for (size_t i = 0; i < a->n_gates; i++)
    if (a->gates[i].sign != b->gates[i].sign ||
        !same_sum(f, a->gates[i].input, g, b->gates[i].input) ||
        !same_sum(f, a->gates[i].state, g, b->gates[i].state))
      return false;
  return true;
}

/* Is h_new the chain's next step? The first one's forms are kept. */
static hy_status step_add(chain *k, int32_t h_new, int32_t h, bool *found, hy_error *err) {
  hy__recovered *first = &k->r.cells[0];
  hy__forms own = {.w = k->w, .arena = k->r.b.arena, .shut = k->shut};
  hy__forms *f = k->n ? &own : &k->r.forms;
  hy__cell cell;
  if (!k->n) f->n = f->n_keys = 0;
  hy_status status = step_match(k, f, h_new, h, &cell, found, err);
  if (status == HY_OK && *found) {
    const int32_t c_new = cell.c < 0 ? HY__ABSENT : f->list[cell.c_new].value;
    if (!k->n)
      first->cell = cell;
    else
      *found = same_cell(&k->r.forms, &first->cell, f, &cell) &&
               cell.c == (cell.c < 0 ? HY__ABSENT : k->c[k->n - 1]);
    if (*found && !k->n) {
      first->h_first = h;
      first->c_first = cell.c;
    }
    k->h[k->n] = h_new;
    k->c[k->n] = c_new;
    k->x[k->n] = cell.x;
    k->n += *found;
  }
  hy__forms_drop(&own);
  return status;
}

/* The step behind the last product: what it makes goes elsewhere. */
static hy_status last_step(chain *k, int32_t h, hy_error *err) {
  const hy_tensor *t = hy__work_tensor(k->w, h);
  size_t from = k->w->values[h].producer < 0 ? 0 : (size_t)k->w->values[h].producer + 1, tried = 0;
  bool found = false;
  for (size_t i = from; i < k->w->n_nodes && !found; i++) {
    const int32_t n = (int32_t)i, out = k->w->nodes[i].dead ? NONE : k->w->nodes[i].node.outputs[0];
    if (out < 0 ||
        (!hy__work_is(k->w, n, "Mul") && !hy__work_is(k->w, n, "Add") && !is_function(k->w, n)))
      continue;
    const hy_tensor *y = hy__work_tensor(k->w, out);
    if (y->rank != t->rank || memcmp(y->dims, t->dims, (size_t)t->rank * sizeof *t->dims) != 0)
      continue;
    if (tried++ == TAIL_NODES) return HY_OK;
    HY_TRY(step_add(k, out, h, &found, err));
  }
  return HY_OK;
}

/* --- the sequence --- */

/* Do these dims and strides stand for the same walk, dims of one apart? axis: left out of b. */
static bool same_walk(const hy__strided *a, const hy_tensor *b, int32_t axis) {
  int64_t stride = 1;
  int32_t d = a->rank - 1;
  for (int32_t j = b->rank - 1; j >= 0; j--) {
    if (j != axis && b->dims[j] != 1) {
      while (d >= 0 && a->dims[d] == 1) d--;
      if (d < 0 || a->dims[d] != b->dims[j] || a->strides[d] != stride) return false;
      d--;
    }
    stride *= b->dims[j];
  }
  while (d >= 0 && a->dims[d] == 1) d--;
  return d < 0;
}

/* The inputs of all steps as places of one axis of one value. */
static bool sequence_find(chain *k, hy__rounds *out) {
  const hy__work *w = k->w;
  hy__strided first, second, at;
  hy__work_strided(w, k->x[0], &first);
  hy__work_strided(w, k->x[1], &second);
  const int64_t apart = second.offset - first.offset, size = apart < 0 ? -apart : apart;
  const hy_tensor *base = hy__work_tensor(w, first.base);
  int64_t stride = 1;
  for (size_t i = 1; i < k->n; i++) {
    hy__work_strided(w, k->x[i], &at);
    if (at.base != first.base || at.scale != 1.0 || at.rank != first.rank ||
        at.offset != first.offset + (int64_t)i * apart ||
        memcmp(at.dims, first.dims, (size_t)at.rank * sizeof *at.dims) != 0 ||
        memcmp(at.strides, first.strides, (size_t)at.rank * sizeof *at.strides) != 0)
      return false;
  }
  if (first.scale != 1.0 || !size || base->dtype != HY_F32) return false;
  for (int32_t d = base->rank - 1; d >= 0; d--) {
    if (stride == size && base->dims[d] > 1 && first.offset % stride == 0 &&
        first.offset / stride < base->dims[d] && same_walk(&first, base, d)) {
      *out = (hy__rounds){first.base, d, first.offset / stride, apart < 0 ? -1 : 1};
      return true;
    }
    stride *= base->dims[d];
  }
  return false;
}

/* --- writing --- */

/* Cell states that something else reads would keep the old steps alive. */
static bool states_apart(const chain *k) {
  for (size_t i = 0; i + 1 < k->n; i++)
    if (k->c[i] >= 0 && k->w->values[k->c[i]].uses != 2) return false;
  return true;
}

/* What stands for the state after step i: a place of Y. */
static hy_status place_write(chain *k, size_t i, int32_t *out, hy_error *err) {
  const hy_tensor t = *hy__work_tensor(k->w, k->h[i]);
  const hy__attr axis = {.name = "axis", .kind = HY__ATTR_INT};
  int32_t inputs[2] = {k->r.cells[0].y, HY__ABSENT};
  void *memory;
  HY_TRY(hy__arena_array(k->w->arena, 1, sizeof(int64_t), &memory, err));
  *(int64_t *)memory = (int64_t)i;
  const hy_tensor index = {.data = memory, .dtype = HY_I64};
  HY_TRY(hy__work_value_new(k->w, &index, "", &inputs[1], err));
  hy__work_rewrite to = {
      .domain = "", .op_type = "Gather", .version = 13, .inputs = inputs, .n_inputs = 2};
  HY_TRY(hy__work_attrs(k->w, NULL, &axis, 1, &to, err));
  HY_TRY(hy__work_add(k->w, k->r.node, &to, out, err));
  return *out < 0 ? HY_OK : hy__recover_shape(&k->r, *out, t.rank, t.dims, out, err);
}

static hy_status chain_write(chain *k, bool *done, hy_error *err) {
  hy__recovered *cell = &k->r.cells[0];
  int32_t made[HY__RECOVER_OUTPUTS], *stands;
  void *memory;
  bool written;
  k->r.n_rounds = (int64_t)k->n;
  k->r.node = k->w->values[k->h[0]].producer;
  cell->one = cell->below = NONE;
  cell->y_wanted = cell->h_wanted = true;
  cell->c_wanted = cell->cell.c >= 0;
  if (k->r.node < 0 || !states_apart(k) || !sequence_find(k, &cell->rounds)) return HY_OK;
  k->written = true;
  HY_TRY(hy__recover_layer(&k->r, cell, made, &written, err));
  if (!written) return HY_OK;
  HY_TRY(hy__arena_array(k->r.b.arena, k->n + 1, sizeof(int32_t), &memory, err));
  stands = memory;
  const size_t last = k->n - 1;
  for (size_t i = 0; i < last; i++) {
    HY_TRY(place_write(k, i, &stands[i], err));
    if (stands[i] < 0) return HY_OK;
  }
  const hy_tensor h = *hy__work_tensor(k->w, k->h[last]);
  HY_TRY(hy__recover_shape(&k->r, made[HY__RECOVER_H], h.rank, h.dims, &stands[last], err));
  if (cell->c_wanted) {
    const hy_tensor c = *hy__work_tensor(k->w, k->c[last]);
    HY_TRY(hy__recover_shape(&k->r, made[HY__RECOVER_C], c.rank, c.dims, &made[0], err));
    if (made[0] < 0) return HY_OK;
  }
  if (stands[last] < 0) return HY_OK;
  for (size_t i = 0; i < k->n; i++) hy__work_forward(k->w, k->h[i], stands[i]);
  if (cell->c_wanted) hy__work_forward(k->w, k->c[last], made[0]);
  *done = true;
  return HY_OK;
}

/* The first chain among the states of one matrix. */
static hy_status states_walk(chain *k, bool *done, hy_error *err) {
  for (size_t i = 1; i <= k->n_states && !k->written; i++) {
    bool found = false;
    if (i < k->n_states) HY_TRY(step_add(k, k->states[i], k->states[i - 1], &found, err));
    if (found) continue;
    if (k->n) HY_TRY(last_step(k, k->states[i - 1], err));
    if (k->n >= STEPS_MIN) HY_TRY(chain_write(k, done, err));
    k->n = 0;
  }
  return HY_OK;
}

static hy_status chains_walk(chain *k, bool *done, hy_error *err) {
  HY_TRY(products_find(k, err));
  for (size_t i = 0; i < k->n_products && !k->written; i++) {
    const void *matrix = matrix_of(k, i);
    size_t same = 0, before = 0;
    for (size_t j = 0; j < k->n_products; j++) {
      same += matrix_of(k, j) == matrix;
      before += j < i && matrix_of(k, j) == matrix;
    }
    if (before || same + 1 < STEPS_MIN) continue;
    if (!k->shut) HY_TRY(shut_make(k, err));
    for (size_t part = 0; part < 2 && !k->written; part++) {
      states_of(k, matrix, part);
      k->n = 0;
      if (k->n_states + 1 >= STEPS_MIN) HY_TRY(states_walk(k, done, err));
    }
  }
  return HY_OK;
}

hy_status hy__recover_chain(hy__work *w, bool *done, hy_error *err) {
  chain k = {.w = w};
  hy_error why;
  *done = false;
  for (size_t i = 0; i < w->n_nodes; i++) k.n_products += is_product(w, (int32_t)i);
  if (k.n_products < STEPS_MIN || k.n_products > PRODUCTS_MOST) return HY_OK;
  HY_TRY(hy__arena_create(w->allocator, 0, 0, &k.r.b.arena, err));
  k.r.w = w;
  k.r.forms = (hy__forms){.w = w, .arena = k.r.b.arena};
  const hy_status status = chains_walk(&k, done, &why);
  hy__forms_drop(&k.r.forms);
  hy__arena_destroy(k.r.b.arena);
  HY_FAIL_IF(status == HY_OUT_OF_MEMORY, status, err, "%s", why.message);
  return HY_OK;
}
