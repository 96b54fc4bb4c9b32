/* SPDX-License-Identifier: Apache-2.0
 * The inside of hy_runtime that other rooms may read. */
#ifndef HY_BASE_RUNTIME_H
#define HY_BASE_RUNTIME_H

#include <hayate/runtime.h>

#include "base/cpu.h"
#include "base/pool.h"

const hy_allocator *hy__runtime_allocator(const hy_runtime *runtime);
hy__pool *hy__runtime_pool(const hy_runtime *runtime); /* workers start at its first use */
const hy__cpu *hy__runtime_cpu(
    const hy_runtime *runtime); /* mask already limited to the runtime's ISA */
/* A runtime of one thread with that instruction set, the same memory and the same log; quiet: no
 * log. */
HY_CHECKED hy_status hy__runtime_beside(const hy_runtime *runtime, hy_isa isa, bool quiet,
                                        hy_runtime **out, hy_error *err);

#endif
