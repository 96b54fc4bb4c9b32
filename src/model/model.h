/* SPDX-License-Identifier: Apache-2.0
 * The façade of the model room: the graph as it was read, verified and in topological order.
 * Readers fill it, operators and passes look at it. Everything lives in the model's arena or in the
 * mapped file. */
#ifndef HY_MODEL_MODEL_H
#define HY_MODEL_MODEL_H

#include <hayate/model.h>

#include "base/base.h"
#include "codec/codec.h"

struct hy__graph;

typedef enum hy__attr_kind {
  HY__ATTR_NONE,
  HY__ATTR_INT,
  HY__ATTR_FLOAT,
  HY__ATTR_STRING,
  HY__ATTR_TENSOR,
  HY__ATTR_GRAPH,
  HY__ATTR_INTS,
  HY__ATTR_FLOATS,
  HY__ATTR_STRINGS,
  HY__ATTR_LIST /* a long list of trees, still in the file: hy__attr_ints_read and its like */
} hy__attr_kind;

typedef struct hy__attr {
  const char *name;
  hy__attr_kind kind;
  size_t n; /* elements of the list kinds; bytes of LIST */
  union {
    int64_t i;
    float f;
    hy_string s;
    const hy_tensor *tensor;
    struct hy__graph *graph;
    const int64_t *ints;
    const float *floats;
    const hy_string *strings;
    const uint8_t *bytes; /* LIST: an AttributeProto */
  } as;
} hy__attr;

/* A value: graph input, initializer or node output. dims -1 and rank -1 are open. */
typedef struct hy__value {
  const char *name; /* "" for an absent optional */
  hy_dtype dtype;   /* NONE until known */
  int32_t rank;
  const char *type; /* declared as no plain tensor: "seq(tensor(float))"; else NULL */
  int64_t dims[HY_MAX_RANK];
  const char *dim_names[HY_MAX_RANK]; /* of open dims, NULL if none */
  const hy_tensor *constant; /* initializers: dense view, in place in the file where aligned, or
                                only packed (floats of any alignment) */
  int32_t producer;          /* node index, -1 for inputs and initializers */
  int32_t outer;             /* in a subgraph: value id of the enclosing graph, else -1 */
} hy__value;

enum { HY__ABSENT = -1 };

typedef struct hy__node {
  const char *name, *domain, *op_type; /* domain "" is ai.onnx */
  int32_t version;                     /* the opset in force for the domain */
  const int32_t *inputs;               /* value ids, HY__ABSENT for omitted optionals */
  const int32_t *outputs;
  size_t n_inputs, n_outputs;
  const hy__attr *attrs;
  size_t n_attrs;
  int64_t offset_bytes; /* where it stands in the file, for messages */
} hy__node;

typedef struct hy__graph {
  const char *name;
  hy__value *values;
  size_t n_values;
  hy__node *nodes; /* topological order */
  size_t n_nodes;
  const int32_t *inputs; /* without initializers */
  size_t n_inputs;
  const int32_t *outputs;
  size_t n_outputs;
} hy__graph;

const hy__graph *hy__model_graph(const hy_model *model);
/* A model of a container in memory, which must outlive it; owner "": a model alone. */
HY_CHECKED hy_status hy__model_open_owner(hy_runtime *runtime, hy__map container, const char *owner,
                                          hy_model **out, hy_error *err);
/* The model file's own bytes, inside a container where there is one. */
void hy__model_bytes(const hy_model *model, const void **data, size_t *bytes);
/* The container it came from, and its owner there; NULL: a plain file. */
const hy__hyp *hy__model_container(const hy_model *model, const char **owner);
/* The constants that were copied, as they do not lie aligned, in the order of it, as one section of
 * aligned copies: a count, per constant (bytes, offset in the section), the elements at multiples
 * of 64. */
HY_CHECKED hy_status hy__model_constants(const hy_model *model, hy__arena *arena,
                                         hy__hyp_section *out, hy_error *err);
/* Its files of external data as sections; NULL out: how many. */
size_t hy__model_externals(const hy_model *model, hy__hyp_section *out);
/* A value of the graph as a port. */
hy_port hy__port_of(const hy__graph *graph, int32_t value);
/* What planning may take. */
typedef struct hy__model_limits {
  size_t max_elements, max_plan_bytes;
  int64_t max_plan_ns;
} hy__model_limits;
hy__model_limits hy__model_limits_of(const hy_model *model);
const hy_runtime *hy__model_runtime(const hy_model *model);
/* What the engine shares between a model's sessions (packed weights); set once by the engine,
 * destroyed with the model. */
typedef struct hy__model_shared {
  void *ptr;
  void (*destroy)(void *ptr);
} hy__model_shared;
hy__model_shared *hy__model_shared_slot(hy_model *model);

/* The values around a graph that it reads, in the order of its values, constants left out; and
 * those of a node's subgraphs, one after the other. ids may be NULL. Returns how many. */
size_t hy__graph_captures(const hy__graph *graph, int32_t *ids);
size_t hy__node_captures(const hy__node *node, int32_t *ids);

/* Lists of INTS, FLOATS or STRINGS, or of LIST, into memory of the caller's: exactly n elements,
 * else BAD_FORMAT. Integers that 32 bits do not hold become INT32_MIN. */
typedef struct hy__choices {
  const char *const *texts; /* of up to 16 bytes */
  const uint8_t *values;
  size_t n;
} hy__choices;
HY_CHECKED hy_status hy__attr_ints_count(const hy__attr *a, size_t *out, hy_error *err); /* or 0 */
HY_CHECKED hy_status hy__attr_ints_read(const hy__attr *a, size_t n, int32_t *out, hy_error *err);
HY_CHECKED hy_status hy__attr_floats_read(const hy__attr *a, size_t n, float *out, hy_error *err);
HY_CHECKED hy_status hy__attr_choices_read(const hy__attr *a, const hy__choices *from, size_t n,
                                           uint8_t *out, hy_error *err);
/* Attribute lookups; the typed forms give the default when absent. */
const hy__attr *hy__node_attr(const hy__node *node, const char *name);
int64_t hy__node_int(const hy__node *node, const char *name, int64_t otherwise);
float hy__node_float(const hy__node *node, const char *name, float otherwise);
hy_string hy__node_string(const hy__node *node, const char *name, const char *otherwise);

#endif
