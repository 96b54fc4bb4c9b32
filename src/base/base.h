/* SPDX-License-Identifier: Apache-2.0
 * The façade of the base room: what every other room stands on. Nothing here knows markets or
 * models. */
#ifndef HY_BASE_BASE_H
#define HY_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <hayate/runtime.h>
#include <hayate/status.h>

#include "base/arena.h"
#include "base/bfloat16.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/number.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/real.h"
#include "base/runtime.h"

#endif
