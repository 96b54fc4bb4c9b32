/* SPDX-License-Identifier: Apache-2.0
 * The façade of the engine room for score and its like: sessions over the public interface; here
 * only what those need beyond it. */
#ifndef HY_ENGINE_ENGINE_H
#define HY_ENGINE_ENGINE_H

#include <hayate/session.h>

#include "base/base.h"
#include "codec/codec.h"

/* True when the model's graph holds a tree ensemble (score's default for missing cells is then
 * nan). */
bool hy__model_has_trees(const hy_model *model);

/* --- models in the container of a pipeline --- */

/* The container's model of that owner; the mapped bytes must outlive it. */
HY_CHECKED hy_status hy__part_open(hy_runtime *runtime, hy__map container, const char *owner,
                                   hy_model **out, hy_error *err);
/* The bytes of the model's file, wherever it lies. */
void hy__part_bytes(const hy_model *model, const void **data, size_t *bytes);
/* Of packed forms: a container of another revision is planned anew. */
uint64_t hy__part_revision(void);
/* Packed forms that the model's sessions took from their container. */
size_t hy__part_n_taken(const hy_session *session);

/* --- writing a container --- */

/* Sections in the making, all of it in `arena`; empty but for that at first. */
typedef struct hy__pack_list {
  hy__arena *arena;
  hy__hyp_section *sections;
  size_t n, capacity;
} hy__pack_list;
/* One more: names are copied, with "/ISA" behind where the section has one; data must live. */
HY_CHECKED hy_status hy__pack_add(hy__pack_list *list, const hy__hyp_section *section,
                                  hy_error *err);
/* The model's file, its constants and its external data, copied. */
HY_CHECKED hy_status hy__pack_add_model(hy__pack_list *list, const hy_model *model,
                                        const char *owner, hy_error *err);
/* What the session's model has packed so far, copied. */
HY_CHECKED hy_status hy__pack_add_weights(hy__pack_list *list, const hy_session *session,
                                          const char *owner, hy_error *err);
HY_CHECKED hy_status hy__pack_list_write(const hy__pack_list *list, const hy_allocator *a,
                                         const char *path, hy_error *err);

/* Named dense arrays, as a section's bytes and back: views into the section. Strings too. */
typedef struct hy__golden {
  const char **names;
  hy_tensor *tensors;
  size_t n;
} hy__golden;
HY_CHECKED hy_status hy__golden_write(const char *const *names, const hy_tensor *tensors, size_t n,
                                      hy__arena *arena, hy__hyp_section *out, hy_error *err);
HY_CHECKED hy_status hy__golden_read(const hy__hyp_section *section, hy__arena *arena,
                                     hy__golden *out, hy_error *err);
/* A section of arrays of kind GOLDEN_IN or GOLDEN_OUT. */
HY_CHECKED hy_status hy__pack_add_golden(hy__pack_list *list, hy__hyp_kind kind, hy_isa isa,
                                         const hy__golden *golden, hy_error *err);

/* --- verifying a container --- */

/* The golden input again with one instruction set. */
typedef struct hy__replay {
  hy_isa isa;
  bool packed; /* the file has packed weights for it */
  bool must_be_bits;
  bool bit_equal, ok;
  size_t n_taken; /* packed forms used from the file */
  double max_abs;
} hy__replay;

enum { HY__REPLAYS_MAX = 16 };
typedef struct hy__verifying hy__verifying;
struct hy__verifying {
  hy_runtime *runtime;
  const char *path;
  /* Once, when all checksums hold; may be NULL. */
  hy_status (*begin)(hy__verifying *v, hy_error *err);
  /* With each instruction set, in a runtime of its own: fills r's bit_equal, ok, n_taken and
   * max_abs. */
  hy_status (*replay)(hy__verifying *v, hy_runtime *runtime, const hy__hyp_section *wanted,
                      hy__replay *r, hy_error *err);
  void *ctx;                /* of the two */
  size_t n_bars, n_symbols; /* of the golden bars, which `begin` may state */
  /* what hy__verify keeps */
  hy__arena *arena;
  hy__map map;
  hy__hyp file;
  hy__golden input;
  hy__replay replays[HY__REPLAYS_MAX];
  size_t n;
};
HY_CHECKED hy_status hy__verify(hy__verifying *v, bool json, const hy_sink *sink, bool *ok,
                                hy_error *err);

#endif
