/* SPDX-License-Identifier: Apache-2.0
 * Batches in blocks of rows give the bits of the batch run at once: over every golden model, whose
 * rows are repeated to batches of several sizes, with blocks of several sizes and with workers.
 * Which graphs they are: test_blocks_rules.c. */
#include "support/blocks.h"

#include <dirent.h>

/* --- golden models --- */

/* The tensor's places along the axis over again, n of them, floats a little apart. */
static void repeat_rows(const hy_tensor *from, int32_t axis, int64_t n, hy_tensor *to) {
  size_t parts = 1;
  for (int32_t d = 0; d < axis; d++) parts *= (size_t)from->dims[d];
  const size_t row = hy__work_bytes(from) / parts / (size_t)from->dims[axis];
  *to = *from;
  to->dims[axis] = n;
  to->data = test_malloc(hy__work_bytes(to) + 1);
  memset(to->strides_bytes, 0, sizeof to->strides_bytes);
  for (int64_t i = 0; i < (int64_t)parts * n; i++) {
    uint8_t *at = (uint8_t *)to->data + row * (size_t)i;
    const int64_t r = i % n, source = i / n * from->dims[axis] + r % from->dims[axis];
    memcpy(at, (const uint8_t *)from->data + row * (size_t)source, row);
    for (size_t k = 0; from->dtype == HY_F32 && k < row / sizeof(float); k++)
      ((float *)(void *)at)[k] *= 1.0f + (float)(r % 61) / 512.0f;
  }
}

/* Inputs of n rows, which the golden's ports name open at the axis; those of the same name in
 * others. False: none is, of axis 1. */
static bool inputs_make(const hy_model *model, const hy_arrays *arrays, int32_t axis, int64_t n,
                        hy_tensor *in) {
  const hy__graph *graph = hy__model_graph(model);
  const char *name = NULL;
  bool any = false;
  for (size_t k = 0; k < graph->n_inputs; k++) {
    const hy__value *v = &graph->values[graph->inputs[k]];
    const hy_tensor *t = hy_arrays_find(arrays, v->name);
    if (!t || t->rank < 1 || v->rank != t->rank || hy__work_bytes(t) == 0) return false;
    int32_t open = v->rank > axis && v->dims[axis] < 0 ? axis : -1;
    for (int32_t d = 0; name && d < v->rank; d++)
      if (v->dims[d] < 0 && v->dim_names[d] && strcmp(v->dim_names[d], name) == 0) open = d;
    if (open >= 0 && !name) name = v->dim_names[open];
    any = any || open >= 0;
    repeat_rows(t, open < 0 ? 0 : open, open < 0 ? t->dims[0] : n, &in[k]);
  }
  return any || axis == 0; /* as it is */
}

static bool folder_blocks(const char *folder, int32_t axis) {
  static const int64_t batches[] = {2, 7, 64, 513};
  char path[600];
  hy_model *model = NULL;
  hy_arrays *arrays = NULL;
  bool blocks = false;
  snprintf(path, sizeof path, "%s/model.onnx", folder);
  assert_int_equal(hy_model_open(runtime, path, NULL, &model, NULL), HY_OK);
  snprintf(path, sizeof path, "%s/input.npz", folder);
  assert_int_equal(hy_arrays_read(runtime, path, &arrays, NULL), HY_OK);
  assert_true(hy_model_n_inputs(model) <= PORTS_MAX);
  for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
    hy_tensor in[PORTS_MAX] = {{0}};
    if (inputs_make(model, arrays, axis, batches[b], in))
      blocks = every_way(model, in, folder) || blocks;
    for (size_t k = 0; k < hy_model_n_inputs(model); k++) test_free(in[k].data);
  }
  hy_arrays_destroy(arrays);
  hy_model_destroy(model);
  return blocks;
}

static void golden_models(const char *root, int32_t axis, size_t least) {
  char path[512];
  struct dirent *entry;
  size_t n = 0, n_blocks = 0;
  DIR *dir = opendir(root);
  assert_non_null(dir);
  while ((entry = readdir(dir))) {
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%.200s", root, entry->d_name);
    n++;
    n_blocks += folder_blocks(path, axis);
  }
  closedir(dir);
  print_message("%s, axis %d: %zu of %zu in blocks\n", root, (int)axis, n_blocks, n);
  assert_true(n_blocks >= least);
}

static void golden_models_agree(void **state) {
  (void)state;
  golden_models("tests/golden/onnx", 0, 80);
}

static void golden_models_with_time_first(void **state) {
  (void)state;
  golden_models("tests/golden/onnx", 1, 5);
}

static void golden_operators_agree(void **state) {
  (void)state;
  golden_models("tests/golden/onnx_op", 0, 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(golden_models_agree),
                                     cmocka_unit_test(golden_models_with_time_first),
                                     cmocka_unit_test(golden_operators_agree)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
