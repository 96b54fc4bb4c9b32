/* SPDX-License-Identifier: Apache-2.0
 * The inside of the ONNX reader, between its files: ModelProto (onnx.c), graphs, scopes and
 * functions (onnx_graph.c), nodes (onnx_node.c), tensors (onnx_tensor.c), external data
 * (onnx_external.c). Field numbers are those of onnx.proto (onnx 1.23). */
#ifndef HY_MODEL_ONNX_H
#define HY_MODEL_ONNX_H

#include "codec/codec.h"
#include "model/model.h"
#include "model/names.h"

/* What a file may ask for. */
typedef struct hy__onnx_limits {
  size_t max_nodes; /* in all graphs together, calls of functions included */
  size_t max_name_bytes;
  size_t max_depth; /* of subgraphs and function calls, one in the other */
  size_t max_files; /* of external data */
  size_t max_bytes; /* of the file and its external data; 0: none */
  size_t max_elements, max_initializer_bytes; /* 0: none */
} hy__onnx_limits;
extern const hy__onnx_limits hy__onnx_limits_default;

typedef struct hy__external {
  hy__map map;
  const char *location; /* as the file names it */
  struct hy__external *next;
} hy__external;

typedef struct hy__metadata {
  const char *key, *value;
} hy__metadata;

/* Raw data that was not aligned in the file, copied or found aligned in a container. */
typedef struct hy__copied {
  const void *data;
  size_t bytes;
  struct hy__copied *next;
} hy__copied;

struct hy_model {
  hy_runtime *runtime;
  hy__arena *arena;
  const char *path; /* NULL: from memory */
  hy__map map;      /* of the file; closed with the model if path is there */
  hy__map whole;    /* the file around `map` where it is a container; closed in its place */
  const hy__hyp *container;
  const char *owner;                /* whose sections these are */
  hy__span aligned;                 /* entries of the container's aligned constants */
  hy__copied *copied, **copied_end; /* constants that did not lie aligned, as they were read */
  size_t n_copied;
  hy__external *externals;
  size_t n_externals, external_bytes;
  hy__graph graph;
  hy_port *inputs, *outputs;
  hy__metadata *metadata;
  hy_model_info info; /* n_metadata: as read so far */
  hy__model_shared shared;
  hy__model_limits limits;
};

typedef struct hy__opset {
  const char *domain;
  int64_t version;
} hy__opset;

/* opset_import of a model or function. */
enum { HY__ONNX_OPSETS = 64 };
typedef struct hy__opsets {
  hy__opset items[HY__ONNX_OPSETS];
  size_t n;
} hy__opsets;

typedef struct hy__onnx_function {
  const char *domain, *name, *overload;
  hy__span body;
  struct hy__onnx_function *next;
} hy__onnx_function;

typedef struct hy__onnx {
  hy_model *model;
  const hy_allocator *allocator;
  hy__arena *arena;
  hy__onnx_limits limits;
  hy__opsets opsets;
  hy__onnx_function *functions;
  size_t n_nodes, initializer_bytes; /* read so far */
  bool lists_wait;                   /* of the node at hand, a tree ensemble */
  bool loose;                        /* constants may wait for hy__onnx_align where they are */
  hy__pb_list ints, floats, doubles, strings; /* scratch, of int64_t, float, 8 bytes, hy_string */
} hy__onnx;

/* A graph being built, and the names that are seen from where it is being read. A function call
 * reads its body with a frame of its own into the caller's graph. */
typedef struct hy__onnx_build {
  hy__value *values;
  size_t n_values, values_capacity;
  hy__node *nodes;
  size_t n_nodes, nodes_capacity;
} hy__onnx_build;

typedef struct hy__onnx_frame {
  struct hy__onnx_frame
      *outer; /* of the graph around a subgraph; NULL in the main graph and functions */
  hy__onnx_build *build;
  hy__names names;
  const hy__opsets *opsets;
  const hy__node *call;     /* inside a function: the node that called it, for ref_attr_name */
  const hy__attr *defaults; /* inside a function: its attribute_proto */
  size_t n_defaults;
  size_t depth;
} hy__onnx_frame;

/* Where the bytes are a container, the model becomes its section of that owner. */
HY_CHECKED hy_status hy__model_enter(hy_model *model, const char *owner, hy_error *err);
/* The container's aligned copy of the constant that is read next and is not aligned; NULL: none. */
const void *hy__model_aligned(const hy_model *model, size_t bytes);
/* Notes where it lies now. */
HY_CHECKED hy_status hy__model_copied(hy_model *model, const void *data, size_t bytes,
                                      hy_error *err);

HY_CHECKED hy_status hy__onnx_read(hy_model *model, const hy__onnx_limits *limits, hy_error *err);
HY_CHECKED hy_status hy__onnx_opsets(hy__onnx *r, hy__span in, hy__opsets *opsets, hy_error *err);

/* Text fields become terminated copies in the arena; a zero byte inside or overlength is refused.
 */
HY_CHECKED hy_status hy__onnx_text(hy__onnx *r, const hy__pb_field *f, const char *what,
                                   const char **out, hy_error *err);

HY_CHECKED hy_status hy__onnx_graph(hy__onnx *r, hy__span in, hy__onnx_frame *frame, hy__graph *out,
                                    hy_error *err);
/* Adds a node's values and the node, or the body of the function it calls. */
HY_CHECKED hy_status hy__onnx_node(hy__onnx *r, hy__span in, hy__onnx_frame *frame, hy_error *err);
HY_CHECKED hy_status hy__onnx_attr(hy__onnx *r, hy__span in, hy__onnx_frame *frame, hy__attr *out,
                                   hy_error *err);
/* Whether an attribute of a tree ensemble or an SVM stays in the file, as a LIST. */
bool hy__onnx_list_waits(hy__span in);
/* The body of `f` in place of `call`. */
HY_CHECKED hy_status hy__onnx_inline(hy__onnx *r, const hy__onnx_function *f, const hy__node *call,
                                     hy__onnx_frame *caller, hy_error *err);

/* Scope: values by name. `place` is where the name stands, for messages. */
HY_CHECKED hy_status hy__onnx_value_new(hy__onnx *r, hy__onnx_build *b, const char *name,
                                        int32_t *id, hy_error *err);
HY_CHECKED hy_status hy__onnx_define(hy__onnx *r, hy__onnx_frame *frame, const hy__pb_field *f,
                                     int32_t *id, hy_error *err);
HY_CHECKED hy_status hy__onnx_resolve(hy__onnx *r, hy__onnx_frame *frame, const hy__pb_field *f,
                                      int32_t *id, hy_error *err);
/* Registers every output of the nodes (field `number` of in), so that order does not matter. */
HY_CHECKED hy_status hy__onnx_define_outputs(hy__onnx *r, hy__span in, uint32_t number,
                                             hy__onnx_frame *frame, hy_error *err);
HY_CHECKED hy_status hy__onnx_node_add(hy__onnx *r, hy__onnx_build *b, const hy__node *node,
                                       hy_error *err);

/* A TensorProto: a dense view in the file where it is aligned or may wait there, else a copy in the
 * arena. name may be NULL. */
HY_CHECKED hy_status hy__onnx_tensor(hy__onnx *r, hy__span in, hy_tensor *out, const char **name,
                                     hy_error *err);
/* Where a tensor's raw bytes, whole in number, shall be read. */
HY_CHECKED hy_status hy__onnx_place(hy__onnx *r, const hy__span *raw, hy_dtype dtype, void **out,
                                    hy_error *err);
/* Copies the constants that wait unaligned in the main graph, but for those that are only packed.
 */
HY_CHECKED hy_status hy__onnx_align(hy__onnx *r, const hy__graph *graph, hy_error *err);
/* The bytes that external_data names: a file in the model's folder or below it. */
typedef struct hy__onnx_location {
  hy__span path;
  int64_t offset, length; /* length -1: to the end */
} hy__onnx_location;
HY_CHECKED hy_status hy__onnx_external(hy__onnx *r, const hy__onnx_location *at, hy__span *out,
                                       hy_error *err);

/* A TypeProto as text where it is no plain tensor, else NULL. */
HY_CHECKED hy_status hy__onnx_type_text(hy__onnx *r, hy__span in, const char **out, hy_error *err);
/* The model's inputs and outputs as the caller sees them. */
HY_CHECKED hy_status hy__onnx_ports(hy__onnx *r, const int32_t *ids, size_t n, hy_port **out,
                                    hy_error *err);

/* Topological order in place; a cycle is refused with the names of its nodes. */
HY_CHECKED hy_status hy__graph_sort(hy__graph *graph, hy__arena *arena, const hy_allocator *a,
                                    hy_error *err);

#endif
