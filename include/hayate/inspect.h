/* SPDX-License-Identifier: Apache-2.0 */
/* Looking inside: what a model is planned into, which kernels this machine gets, what it offers. */
#ifndef HAYATE_INSPECT_H
#define HAYATE_INSPECT_H

#include <hayate/session.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hy_inspect_options {
  size_t struct_size;
  uint64_t batch;            /* what open batch dims become; 0: 1 */
  const char *const *shapes; /* "name=1x60x40" for inputs whose other dims are open */
  size_t n_shapes;
  uint32_t n_threads; /* of the floor; 0: 1 */
  hy_precision precision;
  bool time_steps; /* runs the plan some hundred times and says what each step takes */
} hy_inspect_options;

/* A report on a model: its graph before and after the passes, the plan's steps with shapes and
 * kernels, memory against its bound, multiply-adds, bytes, and the floor on this machine. Where an
 * open dim has no shape the plan is left out and the report says which. Text, or one JSON object.
 * Errors: those of planning, of the sink. */
HY_API HY_CHECKED hy_status hy_model_inspect(hy_model *model, const hy_inspect_options *options,
                                             bool json, const hy_sink *sink, hy_error *err);

/* Every row of the kernel table: family, instruction set, whether the runtime chooses it and why
 * not, its tolerance. */
HY_API HY_CHECKED hy_status hy_kernels_list(const hy_runtime *runtime, bool json,
                                            const hy_sink *sink, hy_error *err);

/* What this machine offers and what is in the way: processor, caches, memory, limits of the
 * control group, huge pages, time zone data. *sound is false where something makes hayate slow or
 * unable. */
HY_API HY_CHECKED hy_status hy_machine_describe(const hy_runtime *runtime, bool json,
                                                const hy_sink *sink, bool *sound, hy_error *err);

#ifdef __cplusplus
}
#endif
#endif
