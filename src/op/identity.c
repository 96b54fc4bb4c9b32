/* SPDX-License-Identifier: Apache-2.0 */
/* Identity: output 0 is input 0's bytes. Its step also serves those that only rename or reshape,
 * and Dropout at inference, whose mask is all true. */
#include "op/evaluate.h"
#include "op/rule.h"

hy_status hy__op_identity_infer(hy__op_plan *p, hy_error *err) {
  HY_TRY(hy__op_out_like(p, 0, &p->in[0], err));
  p->out_alias[0] = 0;
  return HY_OK;
}

static hy_status run(const hy__step *s, hy_error *err) {
  (void)err;
  if (s->out[0].data && s->out[0].data != s->in[0].data)
    memcpy(s->out[0].data, s->in[0].data, hy__op_bytes_of(&s->in[0]));
  if (s->n_out > 1 && s->out[1].data) memset(s->out[1].data, 1, hy__op_count_of(&s->out[1]));
  return HY_OK;
}

hy_status hy__op_identity_lower(hy__op_plan *p, hy_error *err) {
  (void)err;
  p->run = run;
  return HY_OK;
}

hy_status hy__op_identity_evaluate(hy__evaluation *e, hy_error *err) {
  HY_FAIL_IF(!hy__eval_has(e, 0), HY_BAD_FORMAT, err, "input 0 must not be left out");
  e->out[0] = hy__item_keep(e->in[0]);
  return HY_OK;
}
