/* SPDX-License-Identifier: Apache-2.0
 * The façade of the engine room for score and its like: sessions over the public interface; here
 * only what those need beyond it. */
#ifndef HY_ENGINE_ENGINE_H
#define HY_ENGINE_ENGINE_H

#include <hayate/session.h>

#include "base/base.h"

/* True when the model's graph holds a tree ensemble (score's default for missing cells is then
 * nan). */
bool hy__model_has_trees(const hy_model *model);

#endif
