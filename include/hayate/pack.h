/* SPDX-License-Identifier: Apache-2.0 */
/* Packed models: a model with its weights packed per instruction set and a golden input and output
 * in one checksummed .hyp file, which hy_model_open maps. */
#ifndef HAYATE_PACK_H
#define HAYATE_PACK_H

#include <hayate/session.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hy_pack_options {
  size_t struct_size;
  const hy_isa *isas; /* instruction sets to pack for; NULL: the runtime's alone */
  size_t n_isas;
  uint64_t batch;            /* of the golden input, where the batch is open; 0: 1 */
  const char *const *shapes; /* "name=1x60x40" for inputs whose other dims are open */
  size_t n_shapes;
  const char *const *input_names; /* the golden input; NULL: random */
  const hy_tensor *inputs;
  size_t n_inputs;
  uint64_t seed; /* of the random one; 0: 7 */
} hy_pack_options;

/* Reads the model at `path` and writes it packed to `output`, whole or not at all. Errors: those of
 * opening and running it; INVALID_ARGUMENT (an open dim without a shape), IO. */
HY_API HY_CHECKED hy_status hy_pack_write(hy_runtime *runtime, const char *path, const char *output,
                                          const hy_pack_options *options, hy_error *err);

/* Checks every section's checksum and replays the golden input with each instruction set that the
 * file and the machine have: the output must be the same bits (within 1e-5 of the largest magnitude
 * + 1e-6 where another version of the library wrote the file, or packed for none of these). A
 * report goes to the sink; *ok is the answer. Errors: those of opening and running it. */
HY_API HY_CHECKED hy_status hy_pack_verify(hy_runtime *runtime, const char *path, bool json,
                                           const hy_sink *sink, bool *ok, hy_error *err);

/* What a file holds, by its first bytes and its table of sections. */
typedef enum hy_pack_kind {
  HY_PACK_NONE = 0, /* no container */
  HY_PACK_MODEL = 1,
  HY_PACK_PIPELINE = 2 /* <hayate/score.h> */
} hy_pack_kind;
/* Errors: NOT_FOUND, IO, BAD_FORMAT (a container that is cut short or damaged), UNSUPPORTED (a
 * later format). */
HY_API HY_CHECKED hy_status hy_pack_kind_of(hy_runtime *runtime, const char *path,
                                            hy_pack_kind *out, hy_error *err);

#ifdef __cplusplus
}
#endif
#endif
