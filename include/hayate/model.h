/* SPDX-License-Identifier: Apache-2.0 */
/* Models: a file read, checked and kept in place (mapped), to make sessions from. */
#ifndef HAYATE_MODEL_H
#define HAYATE_MODEL_H

#include <hayate/array.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Immutable; shared by threads and sessions. The file stays mapped while it lives. */
typedef struct hy_model hy_model;

typedef struct hy_model_options {
  size_t struct_size;
  size_t max_bytes; /* of the file and its external data; 0: no limit beyond the address space */
  /* What a file may ask for, LIMIT beyond; 0: the figure in brackets. */
  size_t max_nodes;             /* in all graphs, functions opened (1048576) */
  size_t max_depth;             /* of graphs and calls, one in the other (32) */
  size_t max_elements;          /* of one tensor, in the file or while planned (2^38) */
  size_t max_initializer_bytes; /* of all initializers (no limit beyond max_bytes) */
  size_t max_plan_bytes;        /* of a plan's own memory, weights apart (16 GiB) */
  uint32_t max_plan_ms;         /* to make one plan (120000) */
} hy_model_options;

/* Errors: NOT_FOUND, IO, BAD_FORMAT (byte offset), UNSUPPORTED, LIMIT. Operators are looked up when
 * a session is made. */
HY_API HY_CHECKED hy_status hy_model_open(hy_runtime *runtime, const char *path,
                                          const hy_model_options *options, hy_model **out,
                                          hy_error *err);
/* From memory, which must outlive the model; no external data. */
HY_API HY_CHECKED hy_status hy_model_open_memory(hy_runtime *runtime, const void *data,
                                                 size_t bytes, const hy_model_options *options,
                                                 hy_model **out, hy_error *err);
HY_API void hy_model_destroy(hy_model *model);

/* What a model takes or gives: dims[k] -1 where open. */
typedef struct hy_port {
  const char *name;
  hy_dtype dtype;
  int32_t rank; /* -1 unknown */
  int64_t dims[HY_MAX_RANK];
  const char *dim_names[HY_MAX_RANK]; /* of open dims; NULL where the file has none */
  const char *type; /* where it is no tensor: "seq(tensor(float))", "optional(tensor(int64))",
                       "seq(map(int64,tensor(float)))" (which comes as a tensor); else NULL */
  hy_tensor labels; /* of the columns of a ZipMap's output: [n] i64 or str; else its data is NULL */
} hy_port;
HY_API size_t hy_model_n_inputs(const hy_model *model);
HY_API size_t hy_model_n_outputs(const hy_model *model);
HY_API const hy_port *hy_model_input(const hy_model *model, size_t index);
HY_API const hy_port *hy_model_output(const hy_model *model, size_t index);
/* metadata_props by key; NULL if absent. */
HY_API const char *hy_model_metadata(const hy_model *model, const char *key);

/* What the file says about itself; texts are "" where it says nothing. */
typedef struct hy_model_info {
  size_t struct_size;
  const char *producer_name, *producer_version, *domain, *description;
  const char *graph_name, *graph_description;
  int64_t model_version; /* INT64_MAX: none */
  int64_t ir_version;
  size_t n_metadata;
} hy_model_info;
HY_API void hy_model_describe(const hy_model *model, hy_model_info *info);
/* The entries of metadata_props in the file's order; NULL past the end. */
HY_API const char *hy_model_metadata_key(const hy_model *model, size_t index);

#ifdef __cplusplus
}
#endif
#endif
