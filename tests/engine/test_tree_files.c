/* SPDX-License-Identifier: Apache-2.0
 * Every folder of tests/golden/trees: a LightGBM or XGBoost file on input.npz against what its own
 * library predicts: raw scores to the bit, predictions within 1 ULP; on all rows together, row by
 * row, and from memory. And files that are cut or changed in any byte: refused or answered, never
 * more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hayate/session.h>

#include "base/base.h"

static const char root[] = "tests/golden/trees";
static hy_runtime *runtime;

static hy_model *open_model(const char *folder, hy__map *map) {
  static const char *const endings[] = {"txt", "json", "ubj"};
  hy_model *model = NULL;
  hy_error err;
  for (size_t k = 0; k < HY_COUNT(endings); k++) {
    char path[600];
    snprintf(path, sizeof path, "%s/%s/model.%s", root, folder, endings[k]);
    if (hy__map_open(path, map, NULL) != HY_OK) continue;
    if (hy_model_open(runtime, path, NULL, &model, &err) != HY_OK) fail_msg("%s", err.message);
    return model;
  }
  fail_msg("%s has no model", folder);
  return NULL;
}

/* In units of the last place: 0 where both are NaN. */
static double distance(const hy_tensor *a, const hy_tensor *b, size_t i) {
  if (a->dtype == HY_F32) {
    int32_t x, y;
    memcpy(&x, (const float *)a->data + i, sizeof x);
    memcpy(&y, (const float *)b->data + i, sizeof y);
    return fabs((double)x - (double)y);
  }
  int64_t x, y;
  memcpy(&x, (const double *)a->data + i, sizeof x);
  memcpy(&y, (const double *)b->data + i, sizeof y);
  return fabs((double)x - (double)y);
}

static void agree(const char *folder, const hy_tensor *got, const hy_tensor *want, size_t begin,
                  double limit) {
  size_t n = (size_t)got->dims[0] * (size_t)got->dims[1];
  hy_tensor part = *want;
  assert_int_equal(got->dtype, want->dtype);
  assert_int_equal(got->dims[1], want->dims[1]);
  part.data = (char *)want->data + begin * (size_t)want->dims[1] * hy_dtype_bytes(want->dtype);
  for (size_t i = 0; i < n; i++)
    if (distance(got, &part, i) > limit)
      fail_msg("%s: element %zu of rows from %zu is %g ULP away", folder, i, begin,
               distance(got, &part, i));
}

static void run_rows(const char *folder, hy_session *session, const hy_arrays *arrays[2],
                     size_t rows) {
  hy_tensor x = *hy_arrays_find(arrays[0], "X"), out[2] = {{0}};
  const size_t n = (size_t)x.dims[0], each = (size_t)x.dims[1] * hy_dtype_bytes(x.dtype);
  char *data = x.data;
  hy_error err;
  assert_string_equal(hy_session_output(session, 0)->name, "prediction");
  for (size_t begin = 0; begin < n; begin += rows) {
    x.data = data + begin * each;
    x.dims[0] = (int64_t)HY_MIN(rows, n - begin);
    memset(out, 0, sizeof out);
    if (hy_session_run(session, &x, 1, out, 2, &err) != HY_OK) fail_msg("%s", err.message);
    agree(folder, &out[0], hy_arrays_find(arrays[1], "prediction"), begin, 1);
    agree(folder, &out[1], hy_arrays_find(arrays[1], "raw"), begin, 0);
  }
}

static void check_folder(const char *folder) {
  hy_arrays *input, *expect;
  hy_session *session;
  hy_model *models[2];
  hy__map map;
  char path[600];
  models[0] = open_model(folder, &map);
  assert_int_equal(hy_model_open_memory(runtime, map.data, map.bytes, NULL, &models[1], NULL),
                   HY_OK);
  snprintf(path, sizeof path, "%s/%s/input.npz", root, folder);
  assert_int_equal(hy_arrays_read(runtime, path, &input, NULL), HY_OK);
  snprintf(path, sizeof path, "%s/%s/expect.npz", root, folder);
  assert_int_equal(hy_arrays_read(runtime, path, &expect, NULL), HY_OK);
  for (int m = 0; m < 2; m++) {
    assert_int_equal(hy_session_create(models[m], NULL, &session, NULL), HY_OK);
    run_rows(folder, session, (const hy_arrays *[2]){input, expect}, 1000);
    run_rows(folder, session, (const hy_arrays *[2]){input, expect}, 1);
    run_rows(folder, session, (const hy_arrays *[2]){input, expect}, 7);
    hy_session_destroy(session);
    hy_model_destroy(models[m]);
  }
  hy_arrays_destroy(input);
  hy_arrays_destroy(expect);
  hy__map_close(&map);
}

/* One run of whatever the bytes say, if they say anything. */
static void try_bytes(const void *data, size_t bytes) {
  hy_model *model;
  hy_session *session;
  hy_error err;
  if (hy_model_open_memory(runtime, data, bytes, NULL, &model, &err) != HY_OK) {
    assert_true(err.message[0] != 0);
    return;
  }
  if (hy_session_create(model, NULL, &session, NULL) == HY_OK) {
    const hy_port *port = hy_model_input(model, 0);
    hy_tensor x = {.dtype = port->dtype, .rank = 2, .dims = {3, port->dims[1]}}, out[2] = {{0}};
    if (port->dims[1] < 1000) {
      x.data = calloc(3000, 8);
      (void)!hy_session_run(session, &x, 1, out, hy_session_n_outputs(session), NULL);
      free(x.data);
    }
    hy_session_destroy(session);
  }
  hy_model_destroy(model);
}

static void break_folder(const char *folder) {
  hy__map map;
  hy__random r;
  hy_model_destroy(open_model(folder, &map));
  hy__random_init(&r, map.bytes, 5);
  for (int k = 0; k < 60; k++) {
    const size_t n = (size_t)hy__random_below(&r, map.bytes);
    char *copy = malloc(n + 1);
    memcpy(copy, map.data, n);
    try_bytes(copy, n); /* cut */
    free(copy);
    copy = malloc(map.bytes);
    memcpy(copy, map.data, map.bytes);
    for (int changes = 0; changes < 3; changes++)
      copy[hy__random_below(&r, map.bytes)] = "0123456789-,.[]{ \n\377"[hy__random_below(&r, 20)];
    try_bytes(copy, map.bytes);
    free(copy);
  }
  hy__map_close(&map);
}

static void each_folder(void (*check)(const char *folder)) {
  struct dirent **entries;
  const int n = scandir(root, &entries, NULL, alphasort);
  int seen = 0;
  assert_true(n > 0);
  assert_int_equal(hy_runtime_create(NULL, &runtime, NULL), HY_OK);
  for (int i = 0; i < n; i++) {
    if (entries[i]->d_name[0] != '.') {
      check(entries[i]->d_name);
      seen++;
    }
    free(entries[i]);
  }
  free(entries);
  hy_runtime_destroy(runtime);
  assert_true(seen > 20);
}

static void test_libraries(void **state) {
  (void)state;
  each_folder(check_folder);
}

static void test_broken_files(void **state) {
  (void)state;
  each_folder(break_folder);
}

/* What is refused, and by which words. */
static void test_refusals(void **state) {
  (void)state;
#define HEAD "tree\nnum_tree_per_iteration=1\nmax_feature_idx=1\n"
#define TREE                                                                                       \
  "Tree=0\nnum_leaves=3\nsplit_feature=0 1\nthreshold=0.5 1\ndecision_type=2 2\n"                  \
  "left_child=1 -1\nright_child=-2 -3\nleaf_value=1 2 3\n"
  static const struct {
    const char *text, *said;
    hy_status status;
  } cases[] = {
      {HEAD TREE "end of trees\n", "", HY_OK},
      {HEAD "objective=nosuch\n" TREE "end of trees\n", "objective 'nosuch'", HY_UNSUPPORTED},
      {HEAD TREE "is_linear=1\nend of trees\n", "linear trees", HY_UNSUPPORTED},
      {HEAD TREE, "ends before its trees", HY_BAD_FORMAT},
      {HEAD "end of trees\n", "no tree", HY_BAD_FORMAT},
      {HEAD TREE "leaf_value=1 2\nend of trees\n", "a number is expected", HY_BAD_FORMAT},
      {HEAD TREE "leaf_value=1 2 3 4\nend of trees\n", "more numbers", HY_BAD_FORMAT},
      {HEAD TREE "left_child=1 0\nend of trees\n", "", HY_BAD_FORMAT},
      {HEAD TREE "left_child=2 -1\nend of trees\n", "integer from -3 to 1", HY_BAD_FORMAT},
      {HEAD TREE "split_feature=0 2\nend of trees\n", "integer from 0 to 1", HY_BAD_FORMAT},
      {HEAD TREE "decision_type=1 2\nend of trees\n", "names set", HY_BAD_FORMAT},
      {HEAD TREE "num_leaves=99999999\nend of trees\n", "more than the file", HY_BAD_FORMAT},
      {"{\"learner\":{}}", "lacks 'objective'", HY_BAD_FORMAT},
      {"{\"learner\":{\"objective\":{\"name\":\"a\"}}}", "objective 'a'", HY_UNSUPPORTED},
      {"{L\1", "the file ends", HY_BAD_FORMAT},
  };
  assert_int_equal(hy_runtime_create(NULL, &runtime, NULL), HY_OK);
  for (size_t i = 0; i < HY_COUNT(cases); i++) {
    hy_model *model;
    hy_session *session;
    hy_error err = {0};
    hy_status status =
        hy_model_open_memory(runtime, cases[i].text, strlen(cases[i].text), NULL, &model, &err);
    if (status == HY_OK) { /* the shape of trees is seen when they are packed */
      hy_tensor x = {.data = (double[2]){0}, .dtype = HY_F64, .rank = 2, .dims = {1, 2}},
                y[2] = {{0}};
      status = hy_session_create(model, NULL, &session, &err);
      if (status == HY_OK) {
        status = hy_session_run(session, &x, 1, y, 2, &err);
        hy_session_destroy(session);
      }
      hy_model_destroy(model);
    }
    if (status != cases[i].status || !strstr(err.message, cases[i].said))
      fail_msg("case %zu: %s: %s", i, hy_status_name(status), err.message);
  }
  hy_runtime_destroy(runtime);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_libraries),
      cmocka_unit_test(test_broken_files),
      cmocka_unit_test(test_refusals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
