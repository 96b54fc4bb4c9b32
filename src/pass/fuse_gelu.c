/* SPDX-License-Identifier: Apache-2.0 */
/* Activations written out: x/2 (1 + erf(x/sqrt 2)), its erfc and its tanh form become Gelu, x
 * sigmoid(x) Swish, x tanh(softplus(x)) Mish. The last bits differ. */
#include <math.h>

#include "pass/rewrite.h"

enum { FACTORS_MAX = 6 };

/* A value as a product: one number times other values. */
typedef struct factors {
  double number;
  int32_t ids[FACTORS_MAX];
  int32_t n;
} factors;

/* Adds the factors of id; products that others read too are factors themselves, but for the first.
 */
static void split(const hy__work *w, int32_t id, int depth, factors *f) {
  const int32_t n = id < 0 ? -1 : w->values[id].producer;
  double number;
  if (hy__work_number(w, id, &number)) {
    f->number *= number;
    return;
  }
  if (n >= 0 && hy__work_is(w, n, "Neg") && (depth == 0 || w->values[id].uses == 1)) {
    f->number = -f->number;
    split(w, hy__work_input(w, n, 0), depth + 1, f);
    return;
  }
  const bool div =
      n >= 0 && hy__work_is(w, n, "Div") && hy__work_number(w, hy__work_input(w, n, 1), &number);
  const bool inside = depth == 0 || (id >= 0 && w->values[id].uses == 1);
  if (div && inside) {
    f->number /= number;
    split(w, hy__work_input(w, n, 0), depth + 1, f);
  } else if (n >= 0 && inside && depth < 4 && hy__work_is(w, n, "Mul")) {
    split(w, hy__work_input(w, n, 0), depth + 1, f);
    split(w, hy__work_input(w, n, 1), depth + 1, f);
  } else if (f->n < FACTORS_MAX) {
    f->ids[f->n++] = id;
  } else {
    f->number = (double)NAN;
  }
}

static factors factors_of(const hy__work *w, int32_t id) {
  factors f = {.number = 1.0};
  split(w, id, 0, &f);
  return f;
}

static bool near(double a, double b) { return fabs(a - b) <= 1e-5 * fabs(b); }

/* number + other: the other operand of an Add, else -1. */
static int32_t beside_number(const hy__work *w, int32_t id, double number) {
  const int32_t n = id < 0 ? -1 : w->values[id].producer;
  double c;
  if (n < 0 || !hy__work_is(w, n, "Add")) return -1;
  for (size_t k = 0; k < 2; k++)
    if (hy__work_number(w, hy__work_input(w, n, k), &c) && c == number)
      return hy__work_input(w, n, 1 - k);
  return -1;
}

static int32_t argument(const hy__work *w, int32_t id, const char *op_type) {
  const int32_t n = id < 0 ? -1 : w->values[id].producer;
  return n >= 0 && hy__work_is(w, n, op_type) ? hy__work_input(w, n, 0) : -1;
}

/* Is it `number` times x to the power? x may stand as a power of its own. */
static bool is_power(const hy__work *w, const factors *f, int32_t x, double number, int power) {
  double exponent;
  int seen = 0;
  for (int32_t i = 0; i < f->n; i++) {
    const int32_t base = argument(w, f->ids[i], "Pow");
    const int32_t n = f->ids[i] < 0 ? -1 : w->values[f->ids[i]].producer;
    if (f->ids[i] == x) {
      seen++;
    } else if (base == x && hy__work_number(w, hy__work_input(w, n, 1), &exponent)) {
      if (exponent != floor(exponent) || exponent < 1 || exponent > 3) return false;
      seen += (int)exponent;
    } else if (n >= 0 && hy__work_is(w, n, "Mul") && hy__work_input(w, n, 0) == x &&
               hy__work_input(w, n, 1) == x) {
      seen += 2;
    } else {
      return false;
    }
  }
  return seen == power && near(f->number, number);
}

/* sqrt(2/pi) (x + 0.044715 x^3), also with x in front of the bracket. */
static bool is_tanh_inner(const hy__work *w, int32_t id, int32_t x) {
  const double root = 0.7978845608028654, cubic = 0.044715;
  factors f = factors_of(w, id);
  if (!near(f.number, root)) return false;
  if (f.n == 1) {
    const int32_t add = w->values[f.ids[0]].producer;
    if (add < 0 || !hy__work_is(w, add, "Add")) return false;
    for (size_t k = 0; k < 2; k++) {
      if (hy__work_input(w, add, k) != x) continue;
      const factors g = factors_of(w, hy__work_input(w, add, 1 - k));
      if (is_power(w, &g, x, cubic, 3)) return true;
    }
    return false;
  }
  if (f.n != 2 || (f.ids[0] != x && f.ids[1] != x)) return false;
  const factors g = factors_of(w, beside_number(w, f.ids[f.ids[0] == x], 1.0));
  return is_power(w, &g, x, cubic, 2);
}

/* What node n is of *x: an operator and, for Gelu, its form; NULL if nothing that is known. */
static const char *recognise(const hy__work *w, int32_t n, int32_t *x, bool *tanh_form) {
  const factors f = factors_of(w, w->nodes[n].node.outputs[0]);
  *tanh_form = false;
  for (int32_t i = 0; f.n == 2 && i < 2; i++) {
    const int32_t e = f.ids[1 - i], sum = beside_number(w, e, 1.0);
    *x = f.ids[i];
    if (f.number == 1.0 && argument(w, e, "Sigmoid") == *x) return "Swish";
    if (f.number == 1.0 && argument(w, argument(w, e, "Tanh"), "Softplus") == *x) return "Mish";
    if (!near(f.number, 0.5)) continue;
    const int32_t erfc = argument(w, e, "Erfc");
    if (erfc >= 0) {
      const factors g = factors_of(w, erfc);
      if (is_power(w, &g, *x, -0.7071067811865476, 1)) return "Gelu";
    }
    if (sum < 0) continue;
    const int32_t erf = argument(w, sum, "Erf"), tanh = argument(w, sum, "Tanh");
    if (erf >= 0) {
      const factors g = factors_of(w, erf);
      if (is_power(w, &g, *x, 0.7071067811865476, 1)) return "Gelu";
    }
    *tanh_form = true;
    if (tanh >= 0 && is_tanh_inner(w, tanh, *x)) return "Gelu";
  }
  return NULL;
}

static hy_status fuse(hy__work *w, int32_t n, bool *done, hy_error *err) {
  int32_t x;
  bool tanh_form;
  const char *op = recognise(w, n, &x, &tanh_form);
  if (!op || x < 0 || hy__work_tensor(w, x)->dtype != HY_F32) return HY_OK;
  const hy__attr form = {.name = "approximate", .kind = HY__ATTR_STRING, .as.s = {"tanh", 4}};
  hy__work_rewrite to = {.domain = "",
                         .op_type = op,
                         .version = op[0] == 'G'   ? 20
                                    : op[0] == 'S' ? 24
                                                   : 18,
                         .inputs = &x,
                         .n_inputs = 1};
  HY_TRY(hy__work_attrs(w, NULL, &form, op[0] == 'G' && tanh_form, &to, err));
  return hy__work_replace(w, n, &to, done, err);
}

hy_status hy__pass_fuse_gelu(hy__work *w, size_t *n_rewrites, hy_error *err) {
  for (size_t i = 0; i < w->n_nodes; i++) {
    bool done = false;
    if (hy__work_is(w, (int32_t)i, "Mul") || hy__work_is(w, (int32_t)i, "Div"))
      HY_TRY(fuse(w, (int32_t)i, &done, err));
    *n_rewrites += done;
  }
  return HY_OK;
}
