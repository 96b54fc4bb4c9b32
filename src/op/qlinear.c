/* SPDX-License-Identifier: Apache-2.0 */
/* com.microsoft's QLinearAdd, QLinearSigmoid and their like, which ONNX Runtime's quantiser writes.
 * The builder of the working graph brings them to DequantizeLinear, the operator on floats and
 * QuantizeLinear (pass/qlinear.c), so that no plan holds one. */
#include "op/rule.h"

hy_status hy__op_qlinear_infer(hy__op_plan *p, hy_error *err) {
  HY_FAIL(HY_INTERNAL, err, "%s was not brought to floats", p->node->op_type);
}

hy_status hy__op_qlinear_lower(hy__op_plan *p, hy_error *err) {
  return hy__op_qlinear_infer(p, err);
}
