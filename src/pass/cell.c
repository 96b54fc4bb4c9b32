/* SPDX-License-Identifier: Apache-2.0 */
/* Is a form one step of an LSTM, a GRU or a simple RNN? What the state becomes is multiplied out
 * into terms over gates, so that z h + (1 - z) n, n + z (h - n) and their like are one; then the
 * weights are collected from the gates' linear parts. */
#include "pass/form.h"

enum { TERMS_MAX = 8, DEGREE_MAX = 2, NONE = -1 };

/* scale times its atoms. */
typedef struct term {
  double scale;
  size_t n;
  int32_t atom[DEGREE_MAX];
} term;

typedef struct terms {
  term list[TERMS_MAX];
  size_t n;
} terms;

/* --- multiplying out --- */

static bool has_product(const hy__form *form) {
  for (size_t i = 0; i < form->n_addends; i++)
    if (form->addends[i].matrix) return true;
  return false;
}

static bool uniform(const hy__form *form, double *out) {
  *out = form->bias ? (double)form->bias[0] : 0;
  for (int64_t i = 1; form->bias && i < form->width; i++)
    if (form->bias[i] != form->bias[0]) return false;
  return true;
}

static bool terms_add(terms *to, const term *t) {
  if (t->scale == 0) return true;
  if (to->n == TERMS_MAX) return false;
  to->list[to->n++] = *t;
  return true;
}

static bool expand(const hy__forms *f, int32_t id, double scale, terms *out);

static bool expand_sum(const hy__forms *f, const hy__form *form, double scale, terms *out) {
  double number;
  if (!uniform(form, &number) || !terms_add(out, &(term){.scale = scale * number})) return false;
  for (size_t i = 0; i < form->n_addends; i++)
    if (!expand(f, form->addends[i].form, scale * form->addends[i].scale, out)) return false;
  return true;
}

static bool expand_product(const hy__forms *f, const hy__form *form, double scale, terms *out) {
  terms l = {.n = 0}, r = {.n = 0};
  if (!expand(f, form->child[0], scale, &l) || !expand(f, form->child[1], 1.0, &r)) return false;
  for (size_t i = 0; i < l.n; i++)
    for (size_t k = 0; k < r.n; k++) {
      const term *a = &l.list[i], *b = &r.list[k];
      term t = {.scale = a->scale * b->scale, .n = a->n + b->n};
      if (t.n > DEGREE_MAX) return false;
      for (size_t j = 0; j < t.n; j++) t.atom[j] = j < a->n ? a->atom[j] : b->atom[j - a->n];
      if (!terms_add(out, &t)) return false;
    }
  return true;
}

static bool expand(const hy__forms *f, int32_t id, double scale, terms *out) {
  const hy__form *form = &f->list[id];
  if (scale == 0) return true;
  if (form->kind == HY__FORM_SUM && !has_product(form)) return expand_sum(f, form, scale, out);
  if (form->kind == HY__FORM_MUL) return expand_product(f, form, scale, out);
  return terms_add(out, &(term){.scale = scale, .n = 1, .atom = {id}});
}

/* --- gates --- */

static bool is_value(const hy__forms *f, int32_t id, int32_t value) {
  return f->list[id].kind == HY__FORM_VALUE && f->list[id].value == value;
}

static bool is_call(const hy__forms *f, int32_t id) { return f->list[id].kind == HY__FORM_CALL; }

/* function(linear), or the linear part itself. */
static bool gate_of(const hy__forms *f, int32_t id, hy__gate *gate) {
  const hy__form *form = &f->list[id];
  *gate = (hy__gate){.input = id, .state = id, .function = "Affine", .alpha = 1.0f, .sign = 1.0};
  if (form->kind == HY__FORM_SUM) return has_product(form);
  if (form->kind != HY__FORM_CALL) return false;
  gate->input = gate->state = form->child[0];
  gate->function = form->function;
  gate->alpha = form->alpha;
  gate->beta = form->beta;
  return true;
}

static bool same_function(const hy__gate *a, const hy__gate *b) {
  return strcmp(a->function, b->function) == 0 && a->alpha == b->alpha && a->beta == b->beta;
}

static void functions_set(hy__cell *cell, size_t n, const hy__gate *const *from) {
  cell->n_functions = n;
  for (size_t i = 0; i < n; i++) {
    cell->functions[i] = from[i]->function;
    cell->alphas[i] = from[i]->alpha;
    cell->betas[i] = from[i]->beta;
  }
}

/* The term with this atom and one other: the other, else NONE. */
static int32_t partner(const term *t, int32_t atom) {
  if (t->n != 2) return NONE;
  return t->atom[0] == atom ? t->atom[1] : t->atom[1] == atom ? t->atom[0] : NONE;
}

/* --- LSTM: c' = f c + i g, h' = o tanh(c') --- */

/* Which of the two terms holds a state alone: f c. */
static bool forget_of(const hy__forms *f, const terms *t, size_t *at, int32_t *state,
                      int32_t *gate) {
  for (size_t i = 0; i < 2; i++)
    for (size_t k = 0; k < 2; k++) {
      if (f->list[t->list[i].atom[k]].kind != HY__FORM_VALUE) continue;
      *at = i;
      *state = t->list[i].atom[k];
      *gate = t->list[i].atom[1 - k];
      return true;
    }
  return false;
}

static bool lstm_state(const hy__forms *f, int32_t c_new, hy__cell *cell) {
  terms t = {.n = 0};
  size_t at;
  int32_t state, gate;
  if (!expand(f, c_new, 1.0, &t) || t.n != 2) return false;
  for (size_t i = 0; i < 2; i++)
    if (t.list[i].scale != 1.0 || t.list[i].n != 2) return false;
  if (!forget_of(f, &t, &at, &state, &gate)) return false;
  const term *other = &t.list[1 - at];
  hy__gate *i = &cell->gates[0], *o = &cell->gates[1], *forget = &cell->gates[2],
           *c = &cell->gates[3];
  if (!gate_of(f, gate, forget) || !same_function(forget, o)) return false;
  for (size_t k = 0; k < 2; k++) {
    if (!gate_of(f, other->atom[k], i) || !same_function(i, o)) continue;
    if (!gate_of(f, other->atom[1 - k], c)) continue;
    cell->c = f->list[state].value;
    return f->list[state].first == 0;
  }
  return false;
}

static bool lstm(const hy__forms *f, hy__cell *cell) {
  terms t = {.n = 0};
  if (!expand(f, cell->h_new, 1.0, &t) || t.n != 1 || t.list[0].scale != 1.0 || t.list[0].n != 2)
    return false;
  for (size_t k = 0; k < 2; k++) {
    const int32_t out = t.list[0].atom[k];
    hy__gate outer;
    if (!is_call(f, out) || !gate_of(f, t.list[0].atom[1 - k], &cell->gates[1])) continue;
    (void)gate_of(f, out, &outer);
    cell->c_new = outer.input;
    if (!lstm_state(f, cell->c_new, cell)) continue;
    cell->kind = 'L';
    cell->n_gates = 4;
    functions_set(cell, 3, (const hy__gate *[]){&cell->gates[1], &cell->gates[3], &outer});
    return true;
  }
  return false;
}

/* --- GRU: h' = z h + (1 - z) n --- */

/* n's linear part: x W + bias + r (h R + bias'), or x W + (r h) R + bias. */
static bool candidate(const hy__forms *f, hy__cell *cell) {
  hy__gate *n = &cell->gates[2], *r = &cell->gates[1];
  const hy__form *sum = &f->list[n->input];
  if (sum->kind != HY__FORM_SUM) return false;
  for (size_t i = 0; i < sum->n_addends; i++) {
    const hy__addend *a = &sum->addends[i];
    const hy__form *mul = &f->list[a->form];
    if (mul->kind != HY__FORM_MUL) continue;
    cell->reset_after = !a->matrix;
    cell->reset = a->form;
    for (size_t k = 0; k < 2; k++) {
      const int32_t other = mul->child[1 - k];
      if (!is_call(f, mul->child[k]) || !gate_of(f, mul->child[k], r)) continue;
      if (cell->reset_after ? a->scale != 1.0 || f->list[other].kind != HY__FORM_SUM
                            : !is_value(f, other, cell->h) || f->list[other].first != 0)
        continue;
      n->state = cell->reset_after ? other : n->input;
      return true;
    }
  }
  return false;
}

/* 1 - function(x) as function(-x). */
static bool turn(hy__gate *z) {
  z->sign = -1.0;
  return strcmp(z->function, "Sigmoid") == 0;
}

/* The gate z and the candidate n of the three terms; keeps: z h is one of them. */
static bool gru_parts(const terms *t, int32_t h, int32_t *z, int32_t *n, bool *keeps) {
  int32_t alone = NONE, plus = NONE, minus = NONE;
  for (size_t i = 0; i < 3; i++) {
    const term *at = &t->list[i];
    if (at->n == 1 && at->scale == 1.0) alone = (int32_t)i;
    if (at->n == 2 && at->scale == 1.0) plus = (int32_t)i;
    if (at->n == 2 && at->scale == -1.0) minus = (int32_t)i;
  }
  if (alone == NONE || plus == NONE || minus == NONE) return false;
  const int32_t single = t->list[alone].atom[0];
  *keeps = single != h;
  /* z h + n - z n, or h + z n - z h */
  *z = partner(&t->list[*keeps ? plus : minus], h);
  *n = *keeps ? single : *z == NONE ? NONE : partner(&t->list[plus], *z);
  return *z != NONE && *n != NONE && partner(&t->list[*keeps ? minus : plus], *z) == *n;
}

static bool gru(const hy__forms *f, int32_t h, hy__cell *cell) {
  terms t = {.n = 0};
  int32_t z, n;
  bool keeps;
  if (!expand(f, cell->h_new, 1.0, &t) || t.n != 3 || !gru_parts(&t, h, &z, &n, &keeps))
    return false;
  if (!is_call(f, z) || !gate_of(f, z, &cell->gates[0]) || !gate_of(f, n, &cell->gates[2]))
    return false;
  if (!candidate(f, cell) || !same_function(&cell->gates[0], &cell->gates[1])) return false;
  functions_set(cell, 2, (const hy__gate *[]){&cell->gates[1], &cell->gates[2]});
  cell->kind = 'G';
  cell->n_gates = 3;
  return keeps || turn(&cell->gates[0]);
}

static bool rnn(const hy__forms *f, hy__cell *cell) {
  if (!gate_of(f, cell->h_new, &cell->gates[0])) return false;
  functions_set(cell, 1, (const hy__gate *[]){&cell->gates[0]});
  cell->kind = 'R';
  cell->n_gates = 1;
  return true;
}

/* --- what the gates read --- */

/* The state itself, or GRU's reset one. */
static bool of_state(const hy__forms *f, const hy__cell *cell, size_t gate, const hy__addend *a) {
  if (is_value(f, a->form, cell->h)) return true;
  return cell->kind == 'G' && gate == 2 && !cell->reset_after && a->matrix &&
         a->form == cell->reset;
}

/* r (h R + bias) among the candidate's addends. */
static bool is_reset(const hy__cell *cell, size_t gate, const hy__addend *a) {
  return cell->kind == 'G' && gate == 2 && cell->reset_after && !a->matrix &&
         a->form == cell->reset;
}

/* What is no state must be columns of one and the same value. */
static bool input_seen(const hy__forms *f, hy__cell *cell, const hy__addend *a) {
  const hy__form *form = &f->list[a->form];
  const hy_tensor *t = hy__work_tensor(f->w, form->value);
  if (form->value == cell->c || (cell->x != HY__ABSENT && cell->x != form->value)) return false;
  if (form->kind != HY__FORM_VALUE && (form->first || form->width != hy__form_width(t)))
    return false;
  cell->x = form->value;
  cell->features = hy__form_width(t);
  return true;
}

static bool sum_fits(const hy__forms *f, hy__cell *cell, size_t gate, bool state_part) {
  const hy__gate *g = &cell->gates[gate];
  const bool apart = g->input != g->state;
  const int32_t id = state_part ? g->state : g->input;
  const hy__form *sum = &f->list[id];
  size_t n_reset = 0;
  if (sum->kind != HY__FORM_SUM) return false;
  for (size_t i = 0; i < sum->n_addends; i++) {
    const hy__addend *a = &sum->addends[i];
    const bool state = of_state(f, cell, gate, a);
    if (apart && !state_part && is_reset(cell, gate, a)) {
      if (n_reset++) return false;
      continue;
    }
    if (apart && state != state_part) return false;
    if (cell->kind == 'G' && gate == 2 && !apart && state && is_value(f, a->form, cell->h))
      return false; /* past the reset gate */
    if (!state && !input_seen(f, cell, a)) return false;
  }
  return true;
}

static bool reads_only_these(const hy__forms *f, hy__cell *cell) {
  for (size_t g = 0; g < cell->n_gates; g++) {
    if (!sum_fits(f, cell, g, false)) return false;
    if (cell->gates[g].input != cell->gates[g].state && !sum_fits(f, cell, g, true)) return false;
  }
  return cell->x != HY__ABSENT;
}

hy_status hy__cell_match(hy__forms *f, int32_t h_new, int32_t h, hy__cell *cell, bool *found,
                         hy_error *err) {
  const hy__cell start = {.h = h,
                          .c = HY__ABSENT,
                          .x = HY__ABSENT,
                          .h_new = h_new,
                          .c_new = NONE,
                          .hidden = f->list[h_new].width};
  int32_t state;
  HY_TRY(hy__form_of(f, h, 0, start.hidden, &state, err));
  for (int form = 0; form < 3; form++) {
    *cell = start;
    *found = form == 0 ? lstm(f, cell) : form == 1 ? gru(f, state, cell) : rnn(f, cell);
    *found = *found && reads_only_these(f, cell);
    if (*found) return HY_OK;
  }
  return HY_OK;
}

/* --- weights --- */

static void matrix_write(const hy__addend *a, const hy__form *source, double sign, int64_t hidden,
                         float *to, int64_t columns) {
  const float *m = a->matrix ? a->matrix->data : NULL;
  const int64_t down = !m ? 0 : a->turned ? 1 : a->matrix->dims[1];
  const int64_t along = !m ? 0 : a->turned ? a->matrix->dims[1] : 1;
  for (int64_t j = 0; j < hidden; j++) {
    float *row = to + j * columns + source->first;
    if (!m) {
      row[j] += (float)(sign * a->scale);
      continue;
    }
    for (int64_t k = 0; k < source->width; k++)
      row[k] += (float)(sign * a->scale * (double)m[(a->row + k) * down + (a->column + j) * along]);
  }
}

static void gate_write(const hy__forms *f, const hy__cell *cell, size_t gate, int32_t id,
                       const hy__cell_weights *to) {
  const hy__gate *g = &cell->gates[gate];
  const hy__form *sum = &f->list[id];
  const int64_t h = cell->hidden, rows = (int64_t)gate * h;
  const bool second = g->input != g->state && id == g->state;
  float *bias = to->b + rows + (second ? (int64_t)cell->n_gates * h : 0);
  for (int64_t j = 0; sum->bias && j < h; j++) bias[j] = (float)g->sign * sum->bias[j];
  for (size_t i = 0; i < sum->n_addends; i++) {
    const hy__addend *a = &sum->addends[i];
    const hy__form *source = &f->list[a->form];
    if (!second && is_reset(cell, gate, a)) continue;
    if (of_state(f, cell, gate, a))
      matrix_write(a, source, g->sign, h, to->r + rows * h, h);
    else
      matrix_write(a, source, g->sign, h, to->w + rows * cell->features, cell->features);
  }
}

void hy__cell_write(const hy__forms *f, const hy__cell *cell, const hy__cell_weights *to) {
  for (size_t g = 0; g < cell->n_gates; g++) {
    gate_write(f, cell, g, cell->gates[g].input, to);
    if (cell->gates[g].input != cell->gates[g].state)
      gate_write(f, cell, g, cell->gates[g].state, to);
  }
}
