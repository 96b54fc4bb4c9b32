/* SPDX-License-Identifier: Apache-2.0 */
/* Dropout: at inference output 0 is input 0's bytes. Where training_mode is on, or known only at
 * the run, the mask is drawn as ONNX's own tests draw it: NumPy's legacy generator (the Mersenne
 * Twister of Matsumoto and Nishimura, 53 bits a draw) seeded with `seed`, 0 where there is none. */
#include <string.h>

#include "op/element.h"
#include "op/rule.h"

enum { TWISTER_N = 624, TWISTER_M = 397 };

typedef struct twister {
  uint32_t words[TWISTER_N];
  size_t at;
} twister;

typedef struct params {
  uint32_t seed;
} params;

static void twister_seed(twister *t, uint32_t seed) {
  for (uint32_t i = 0; i < TWISTER_N; i++) {
    t->words[i] = seed;
    seed = 1812433253u * (seed ^ seed >> 30) + i + 1;
  }
  t->at = TWISTER_N;
}

static void twister_turn(twister *t) {
  for (size_t i = 0; i < TWISTER_N; i++) {
    const uint32_t next = t->words[(i + 1) % TWISTER_N];
    const uint32_t mixed = (t->words[i] & 0x80000000u) | (next & 0x7fffffffu);
    const uint32_t odd = next & 1 ? 0x9908b0dfu : 0;
    t->words[i] = t->words[(i + TWISTER_M) % TWISTER_N] ^ mixed >> 1 ^ odd;
  }
  t->at = 0;
}

static uint32_t twister_word(twister *t) {
  if (t->at == TWISTER_N) twister_turn(t);
  uint32_t y = t->words[t->at++];
  y ^= y >> 11;
  y ^= y << 7 & 0x9d2c5680u;
  y ^= y << 15 & 0xefc60000u;
  return y ^ y >> 18;
}

/* In [0, 1). */
static double twister_uniform(twister *t) {
  const uint32_t high = twister_word(t) >> 5, low = twister_word(t) >> 6;
  return ((double)high * 67108864.0 + (double)low) / 9007199254740992.0;
}

/* training_mode may be on. */
static bool may_train(const hy__op_plan *p) {
  if (!hy__op_has(p, 2)) return false;
  const hy_tensor *training = &p->in[2];
  return !training->data || hy__op_count_of(training) != 1 || *(const uint8_t *)training->data != 0;
}

hy_status hy__op_dropout_infer(hy__op_plan *p, hy_error *err) {
  HY_TRY(hy__op_out_like(p, 0, &p->in[0], err));
  HY_TRY(hy__op_out(p, 1, HY_BOOL, p->in[0].rank, p->in[0].dims, err));
  if (!may_train(p)) {
    p->out_alias[0] = 0;
    return HY_OK;
  }
  const hy_tensor *ratio = &p->in[1], *training = &p->in[2];
  HY_FAIL_IF(training->dtype != HY_BOOL || hy__op_count_of(training) != 1, HY_BAD_FORMAT, err,
             "training_mode is not one bool");
  HY_FAIL_IF(!hy__element_is_float(p->in[0].dtype), HY_UNSUPPORTED, err,
             "training_mode with elements of type %s", hy_dtype_name(p->in[0].dtype));
  HY_FAIL_IF(hy__op_has(p, 1) &&
                 (!hy__element_is_float(ratio->dtype) || hy__op_count_of(ratio) != 1),
             HY_BAD_FORMAT, err, "ratio is not one f32 or f64");
  return HY_OK;
}

static void draw(const hy__step *step, double ratio) {
  const hy_tensor *x = &step->in[0], *y = &step->out[0];
  uint8_t *mask = step->n_out > 1 ? step->out[1].data : NULL;
  twister *t = step->scratch;
  const double scale = 1.0 / (1.0 - ratio);
  const int64_t n = (int64_t)hy__op_count_of(x);
  twister_seed(t, ((const params *)step->params)->seed);
  for (int64_t i = 0; i < n; i++) {
    const bool keep = twister_uniform(t) >= ratio;
    if (mask) mask[i] = keep;
    if (y->data) hy__element_put_real(y, i, keep ? hy__element_real(x, i) * scale : 0.0);
  }
}

static hy_status run(const hy__step *step, hy_error *err) {
  const double ratio = step->n_in > 1 && step->in[1].data ? hy__element_real(&step->in[1], 0) : 0.5;
  const bool training = *(const uint8_t *)step->in[2].data != 0;
  HY_FAIL_IF(training && !(ratio >= 0.0 && ratio < 1.0), HY_INVALID_ARGUMENT, err,
             "ratio %g is outside [0, 1)", ratio);
  if (training && ratio > 0.0) {
    draw(step, ratio);
    return HY_OK;
  }
  if (step->out[0].data) memcpy(step->out[0].data, step->in[0].data, hy__op_bytes_of(&step->in[0]));
  if (step->n_out > 1 && step->out[1].data)
    memset(step->out[1].data, 1, hy__op_count_of(&step->out[1]));
  return HY_OK;
}

hy_status hy__op_dropout_lower(hy__op_plan *p, hy_error *err) {
  params *q;
  if (!may_train(p)) return hy__op_identity_lower(p, err);
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  q->seed = (uint32_t)(uint64_t)hy__node_int(p->node, "seed", 0);
  p->scratch_bytes = sizeof(twister);
  p->params = q;
  p->run = run;
  return HY_OK;
}
