/* SPDX-License-Identifier: Apache-2.0
 * Batches in blocks of rows give the bits of the batch run at once: over every golden model, whose
 * rows are repeated to batches of several sizes, with blocks of several sizes and with workers.
 * Which graphs they are: test_blocks_rules.c. */
#include "support/blocks.h"

#include <dirent.h>

/* --- golden models --- */

/* The tensor's rows over again, floats a little apart. */
static void repeat_rows(const hy_tensor *from, int64_t n, hy_tensor *to) {
  const size_t row = hy__work_bytes(from) / (size_t)from->dims[0];
  *to = *from;
  to->dims[0] = n;
  to->data = test_malloc(row * (size_t)n + 1);
  memset(to->strides_bytes, 0, sizeof to->strides_bytes);
  for (int64_t r = 0; r < n; r++) {
    uint8_t *at = (uint8_t *)to->data + row * (size_t)r;
    memcpy(at, (const uint8_t *)from->data + row * (size_t)(r % from->dims[0]), row);
    for (size_t i = 0; from->dtype == HY_F32 && i < row / sizeof(float); i++)
      ((float *)(void *)at)[i] *= 1.0f + (float)(r % 61) / 512.0f;
  }
}

/* Which of the model's inputs have an open first dim is told by its ports. */
static bool inputs_make(const hy_model *model, const hy_arrays *arrays, int64_t n, hy_tensor *in) {
  for (size_t k = 0; k < hy_model_n_inputs(model); k++) {
    const hy_port *port = hy_model_input(model, k);
    const hy_tensor *t = hy_arrays_find(arrays, port->name);
    in[k] = (hy_tensor){0};
    if (!t || t->rank < 1 || t->dims[0] < 1 || port->rank < 1) return false;
    repeat_rows(t, port->dims[0] < 0 ? n : t->dims[0], &in[k]);
  }
  return true;
}

static bool folder_blocks(const char *folder) {
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
    if (inputs_make(model, arrays, batches[b], in)) blocks = every_way(model, in, folder) || blocks;
    for (size_t k = 0; k < hy_model_n_inputs(model); k++) test_free(in[k].data);
  }
  hy_arrays_destroy(arrays);
  hy_model_destroy(model);
  return blocks;
}

static void golden_models(const char *root, size_t least) {
  char path[512];
  struct dirent *entry;
  size_t n = 0, n_blocks = 0;
  DIR *dir = opendir(root);
  assert_non_null(dir);
  while ((entry = readdir(dir))) {
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%.200s", root, entry->d_name);
    n++;
    n_blocks += folder_blocks(path);
  }
  closedir(dir);
  print_message("%s: %zu of %zu in blocks\n", root, n_blocks, n);
  assert_true(n_blocks >= least);
}

static void golden_models_agree(void **state) {
  (void)state;
  golden_models("tests/golden/onnx", 80);
}

static void golden_operators_agree(void **state) {
  (void)state;
  golden_models("tests/golden/onnx_op", 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(golden_models_agree),
                                     cmocka_unit_test(golden_operators_agree)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
