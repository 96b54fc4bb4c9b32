/* SPDX-License-Identifier: Apache-2.0 */
/* MelWeightMatrix: triangles over the bins of a spectrum, evenly spaced on the mel scale. The
 * number of triangles and the transform's length must be known at planning. */
#include <math.h>
#include <string.h>

#include "op/element.h"
#include "op/rule.h"

enum { BINS, LENGTH, RATE, LOW, HIGH };

hy_status hy__op_mel_weight_matrix_infer(hy__op_plan *p, hy_error *err) {
  const int64_t dtype = hy__node_int(p->node, "output_datatype", HY_F32);
  int64_t bins, length;
  HY_TRY(hy__op_int(p, BINS, NULL, 0, &bins, err));
  HY_TRY(hy__op_int(p, LENGTH, NULL, 0, &length, err));
  HY_FAIL_IF(bins < 0 || length < 0, HY_BAD_FORMAT, err, "%lld bins of a transform of %lld",
             (long long)bins, (long long)length);
  HY_FAIL_IF(dtype < 1 || dtype > 31 || !(HY__OP_NUMBERS >> dtype & 1), HY_UNSUPPORTED, err,
             "output_datatype %lld", (long long)dtype);
  for (size_t k = RATE; k <= HIGH; k++)
    HY_FAIL_IF(!(HY__OP_NUMBERS >> p->in[k].dtype & 1) || hy__op_count_of(&p->in[k]) != 1,
               HY_UNSUPPORTED, err, "input %zu is not one number", k);
  const int64_t dims[2] = {length / 2 + 1, bins};
  return hy__op_out(p, 0, (hy_dtype)dtype, 2, dims, err);
}

static double mel_of(double hertz) { return 2595.0 * log1p(hertz / 700.0) / log(10.0); }

/* The spectrum's bin in which point i of the mel scale lies. */
static int64_t bin_of(const hy__step *step, int64_t i) {
  const double low = mel_of(hy__element_real(&step->in[LOW], 0));
  const double high = mel_of(hy__element_real(&step->in[HIGH], 0));
  const double pace = (high - low) / (double)(step->out[0].dims[1] + 2);
  const double mel = (double)i * pace + low, hertz = 700.0 * expm1(mel / 2595.0 * log(10.0));
  const double length = hy__element_real(&step->in[LENGTH], 0) + 1.0;
  const double bin = floor(length * hertz / hy__element_real(&step->in[RATE], 0));
  return bin > -1.0 && bin < 0x1p31 ? (int64_t)bin : -1;
}

static void put(const hy_tensor *y, int64_t row, int64_t column, double v) {
  if (row >= 0 && row < y->dims[0]) hy__element_put_real(y, row * y->dims[1] + column, v);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const hy_tensor *y = &step->out[0];
  memset(y->data, 0, hy__op_bytes_of(y));
  for (int64_t i = 0; i < y->dims[1]; i++) {
    const int64_t left = bin_of(step, i), center = bin_of(step, i + 1), right = bin_of(step, i + 2);
    HY_FAIL_IF(left < 0 || center < left || right < center || right > y->dims[0],
               HY_INVALID_ARGUMENT, err, "the mel bins' edges do not lie in the spectrum");
    if (center == left) put(y, center, i, 1.0);
    for (int64_t j = left; j <= center && center > left; j++)
      put(y, j, i, (double)(j - left) / (double)(center - left));
    for (int64_t j = center; j < right; j++)
      put(y, j, i, (double)(right - j) / (double)(right - center));
  }
  return HY_OK;
}

hy_status hy__op_mel_weight_matrix_lower(hy__op_plan *p, hy_error *err) {
  (void)err;
  p->run = run;
  return HY_OK;
}
