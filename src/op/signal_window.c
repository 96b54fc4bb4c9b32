/* SPDX-License-Identifier: Apache-2.0 */
/* HannWindow, HammingWindow and BlackmanWindow: sums of cosines over a length that is known at
 * planning. A symmetric window of one element is one. */
#include "op/element.h"
#include "op/rule.h"

typedef struct params {
  double terms[3]; /* of 1, cos and cos of twice the angle */
  double period;
} params;

hy_status hy__op_signal_window_infer(hy__op_plan *p, hy_error *err) {
  const int64_t dtype = hy__node_int(p->node, "output_datatype", HY_F32);
  int64_t size;
  HY_TRY(hy__op_int(p, 0, NULL, 0, &size, err));
  HY_FAIL_IF(size < 0, HY_BAD_FORMAT, err, "a window of %lld", (long long)size);
  HY_FAIL_IF(dtype < 1 || dtype > 31 || !(HY__OP_NUMBERS >> dtype & 1), HY_UNSUPPORTED, err,
             "output_datatype %lld", (long long)dtype);
  return hy__op_out(p, 0, (hy_dtype)dtype, 1, &size, err);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy_tensor *y = &step->out[0];
  (void)err;
  for (int64_t i = 0; i < y->dims[0]; i++) {
    const double angle = q->period > 0.0 ? 6.283185307179586 * (double)i / q->period : 0.0;
    const double v =
        q->terms[0] + q->terms[1] * hy__cos(angle) + q->terms[2] * hy__cos(2.0 * angle);
    hy__element_put_real(y, i, q->period > 0.0 ? v : 1.0);
  }
  return HY_OK;
}

hy_status hy__op_signal_window_lower(hy__op_plan *p, hy_error *err) {
  static const params hann = {{0.5, -0.5, 0.0}, 0.0},
                      hamming = {{25.0 / 46.0, -21.0 / 46.0, 0.0}, 0.0},
                      blackman = {{0.42, -0.5, 0.08}, 0.0};
  const char *name = p->node->op_type;
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  *q = name[0] == 'B' ? blackman : name[2] == 'n' ? hann : hamming;
  q->period = (double)p->out[0].dims[0] - (hy__node_int(p->node, "periodic", 1) ? 0.0 : 1.0);
  p->params = q;
  p->run = run;
  return HY_OK;
}
