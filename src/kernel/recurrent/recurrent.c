/* SPDX-License-Identifier: Apache-2.0
 * Packing of recurrent matrices: gates of a block of units side by side, units past the last as
 * zeros. */
#include "kernel/recurrent/recurrent.h"

void hy__recurrent_pack(uint32_t lanes, size_t hidden, const float *const *source, size_t gates,
                        float *out) {
  for (size_t block = 0; block * lanes < hidden; ++block) {
    for (size_t k = 0; k < hidden; ++k) {
      for (size_t g = 0; g < gates; ++g) {
        for (size_t lane = 0; lane < lanes; ++lane) {
          const size_t unit = block * lanes + lane;
          *out++ = unit < hidden ? source[g][unit * hidden + k] : 0.0f;
        }
      }
    }
  }
}
