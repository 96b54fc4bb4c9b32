/* SPDX-License-Identifier: Apache-2.0
 * A spec's requirements against a universe; for run.c (batch) and stream.c. */
#ifndef HY_FEATURE_BIND_H
#define HY_FEATURE_BIND_H

#include "feature/program.h"

enum { HY__FIELD_N_SRC = -2 };
/* fields[node]: the universe's index of each field node, whatever its timeframe, or
 * HY__FIELD_N_SRC. NOT_FOUND and MISMATCH name what differs. */
HY_CHECKED hy_status hy__bind_fields(const hy_features *f, const hy_universe *universe,
                                     int32_t *fields, int32_t *close_field, hy_error *err);

/* [n_blocks * HY_LANES] the number of each symbol: NaN where the map does not name it. */
void hy__bind_symbols(const hy__symbols *map, const hy_universe_info *info, double *out);

/* The places of n symbols in the order of their names, of which all are different: that of a
 * cross-section's sums, whatever the universe's. */
HY_CHECKED hy_status hy__bind_order(hy__arena *arena, const char *const *symbols, size_t n,
                                    uint32_t **out, hy_error *err);

#endif
