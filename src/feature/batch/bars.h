/* SPDX-License-Identifier: Apache-2.0
 * Features at slower timeframes for score: the last bars of a symbol before a row of the universe.
 */
#ifndef HY_FEATURE_BARS_H
#define HY_FEATURE_BARS_H

#include "feature/feature.h"

/* The features that a spec computes at a timeframe, as hy_features_at lists them. */
size_t hy__features_list(const hy_features *f, uint32_t timeframe, uint32_t *indices);

#endif
