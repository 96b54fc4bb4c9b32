/* SPDX-License-Identifier: Apache-2.0
 * The façade of the score room. Its work is behind the public interface; rooms above need nothing
 * more yet. */
#ifndef HY_SCORE_SCORE_H
#define HY_SCORE_SCORE_H

#include <hayate/score.h>

#include "base/base.h"

#endif
