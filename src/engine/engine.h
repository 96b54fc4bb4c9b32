/* SPDX-License-Identifier: Apache-2.0
 * The façade of the engine room for score and its like: sessions over the public interface; here only what those
 * need beyond it. */
#ifndef HY_ENGINE_ENGINE_H
#define HY_ENGINE_ENGINE_H

#include <hayate/session.h>

#include "base/base.h"

#endif
