/* SPDX-License-Identifier: Apache-2.0
 * What kind of model a graph is, as far as score's defaults depend on it. */
#include "engine/engine.h"
#include "model/model.h"

/* TreeEnsemble and its classifier and regressor; TreeScore, which the libraries' own files become.
 */
bool hy__model_has_trees(const hy_model *model) {
  static const char prefix[] = "Tree";
  const hy__graph *graph = hy__model_graph(model);
  for (size_t k = 0; k < graph->n_nodes; k++) {
    if (strncmp(graph->nodes[k].op_type, prefix, sizeof prefix - 1) == 0) return true;
  }
  return false;
}
