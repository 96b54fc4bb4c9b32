/* SPDX-License-Identifier: Apache-2.0
 * The members of hy_runtime, for the files of this room alone. */
#ifndef HY_BASE_RUNTIME_TYPES_H
#define HY_BASE_RUNTIME_TYPES_H

#include "base/cpu.h"
#include "base/pool.h"

struct hy_runtime {
  hy_allocator allocator;
  hy__cpu cpu; /* mask limited to isa */
  hy_isa isa;
  hy_log_level log_level;
  hy_log_fn log; /* NULL: stderr */
  void *log_ctx;
  hy__pool *pool;
};

#endif
