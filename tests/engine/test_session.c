/* SPDX-License-Identifier: Apache-2.0
 * Sessions: what a run accepts and refuses, outputs by name, where results lie, shapes that change,
 * and that a planned run allocates nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <hayate/session.h>

#include "base/base.h"
#include "support/allocation_counter.h"
#include "support/onnx_writer.h"

static hy_runtime *runtime;
static size_t n_taken; /* allocations through the runtime */

static void *take(void *ctx, size_t bytes, size_t align) {
  (void)ctx;
  n_taken++;
  return hy__allocator_libc.alloc(NULL, bytes, align);
}

static void give(void *ctx, void *ptr, size_t bytes) {
  (void)ctx;
  hy__allocator_libc.free(NULL, ptr, bytes);
}

static int set_up(void **state) {
  (void)state;
  hy_allocator allocator = {take, give, NULL};
  hy_runtime_options options = {
      .struct_size = sizeof options, .n_threads = 1, .allocator = &allocator};
  return hy_runtime_create(&options, &runtime, NULL) != HY_OK;
}

static int tear_down(void **state) {
  (void)state;
  hy_runtime_destroy(runtime);
  return 0;
}

typedef struct fixture {
  pb bytes;
  hy_model *model;
  hy_session *session;
} fixture;

static fixture open_graph(pb *graph, const char *const *outputs, size_t n_outputs) {
  fixture f = {.bytes = model_make(graph, 17)};
  hy_error err;
  hy_session_options options = {
      .struct_size = sizeof options, .outputs = outputs, .n_outputs = n_outputs};
  if (hy_model_open_memory(runtime, f.bytes.data, f.bytes.n, NULL, &f.model, &err) != HY_OK ||
      hy_session_create(f.model, &options, &f.session, &err) != HY_OK)
    fail_msg("%s", err.message);
  return f;
}

static void close_fixture(fixture *f) {
  hy_session_destroy(f->session);
  hy_model_destroy(f->model);
  pb_free(&f->bytes);
}

static const int64_t open2[2] = {-1, 3};

/* x [N,3] -> a = x + x -> y = -a, z = a reshaped to [3N], c = a constant, x itself */
static pb branching(void) {
  pb g = {0};
  const int64_t flat[1] = {1}, minus_one = -1;
  const float seven = 7;
  port_add(&g, 11, "x", HY_F32, open2, 2);
  initializer_add(&g, "shape", HY_I64, flat, 1, &minus_one, 8);
  initializer_add(&g, "seven", HY_F32, flat, 1, &seven, 4);
  node_add(&g, "Add", "x x", "a");
  node_add(&g, "Neg", "a", "y");
  node_add(&g, "Reshape", "a shape", "z");
  node_add(&g, "Identity", "seven", "c");
  node_add(&g, "Identity", "x", "same");
  const int64_t open1[1] = {-1};
  port_add(&g, 12, "y", HY_F32, open2, 2);
  port_add(&g, 12, "z", HY_F32, open1, 1);
  port_add(&g, 12, "a", HY_F32, open2, 2);
  port_add(&g, 12, "c", HY_F32, flat, 1);
  port_add(&g, 12, "same", HY_F32, open2, 2);
  return g;
}

static hy_tensor matrix(float *data, int64_t rows) {
  return (hy_tensor){.data = data, .dtype = HY_F32, .rank = 2, .dims = {rows, 3}};
}

static void check_branches(fixture *f, int64_t rows, bool own_memory) {
  float x[30], own[5][30];
  hy_tensor in = matrix(x, rows), out[5] = {{0}};
  hy_error err;
  for (int64_t i = 0; i < 3 * rows; i++) x[i] = (float)i + 0.5f;
  if (own_memory) {
    for (int k = 0; k < 5; k++) out[k] = matrix(own[k], rows);
    out[1] = (hy_tensor){.data = own[1], .dtype = HY_F32, .rank = 1, .dims = {3 * rows}};
    out[3] = (hy_tensor){.data = own[3], .dtype = HY_F32, .rank = 1, .dims = {1}};
  }
  if (hy_session_run(f->session, &in, 1, out, 5, &err) != HY_OK) fail_msg("%s", err.message);
  if (own_memory)
    for (int k = 0; k < 5; k++) assert_ptr_equal(out[k].data, own[k]);
  assert_int_equal(out[1].rank, 1);
  assert_int_equal(out[1].dims[0], 3 * rows);
  assert_true(((float *)out[3].data)[0] == 7);
  for (int64_t i = 0; i < 3 * rows; i++) {
    assert_true(((float *)out[0].data)[i] == -2 * x[i]);
    assert_true(((float *)out[1].data)[i] == 2 * x[i]);
    assert_true(((float *)out[2].data)[i] == 2 * x[i]);
    assert_true(((float *)out[4].data)[i] == x[i]);
  }
}

/* Outputs that share a value, are an input or a constant, in the session's memory and the caller's.
 */
static void outputs_of_all_kinds(void **state) {
  (void)state;
  pb g = branching();
  fixture f = open_graph(&g, NULL, 0);
  assert_int_equal(hy_session_n_outputs(f.session), 5);
  assert_string_equal(hy_session_output(f.session, 1)->name, "z");
  assert_null(hy_session_output(f.session, 5));
  for (int64_t rows = 1; rows <= 10; rows += 3) {
    check_branches(&f, rows, false);
    check_branches(&f, rows, true);
  }
  for (int64_t rows = 10; rows >= 1; rows--)
    check_branches(&f, rows, rows & 1); /* beyond the cache */
  check_branches(&f, 10, false);
  close_fixture(&f);
}

static void outputs_by_name(void **state) {
  (void)state;
  pb g = branching();
  node_add(&g, "NoSuchOperator", "a", "far");
  static const char *const names[] = {"a", "z"};
  fixture f = open_graph(&g, names, 2); /* what is not needed is not looked at */
  float x[6] = {1, 2, 3, 4, 5, 6};
  hy_tensor in = matrix(x, 2), out[2] = {{0}};
  assert_int_equal(hy_session_run(f.session, &in, 1, out, 2, NULL), HY_OK);
  assert_true(((float *)out[0].data)[5] == 12 && ((float *)out[1].data)[5] == 12);
  hy_session_info info = {.struct_size = sizeof info};
  hy_session_describe(f.session, &info);
  assert_int_equal(info.n_steps, 2); /* the sum, and the copy for the second output */
  static const char *const wrong[] = {"nosuch"};
  hy_session_options options = {.struct_size = sizeof options, .outputs = wrong, .n_outputs = 1};
  hy_session *s;
  hy_error err;
  assert_int_equal(hy_session_create(f.model, &options, &s, &err), HY_NOT_FOUND);
  assert_non_null(strstr(err.message, "'nosuch'"));
  static const char *const far[] = {"far"};
  options.outputs = far;
  assert_int_equal(hy_session_create(f.model, &options, &s, &err), HY_UNSUPPORTED);
  assert_string_equal(err.message, "operator NoSuchOperator of domain ai.onnx (opset 17) is not "
                                   "supported: node 5 ''");
  assert_true(err.offset_bytes > 0);
  close_fixture(&f);
}

static void unknown_versions(void **state) {
  (void)state;
  pb g = branching(), model;
  node_add(&g, "HardSwish", "a", "b");
  port_add(&g, 12, "b", HY_F32, open2, 2);
  model = model_make(&g, 5); /* there was none before opset 14 */
  hy_model *m;
  hy_session *s;
  hy_error err;
  assert_int_equal(hy_model_open_memory(runtime, model.data, model.n, NULL, &m, NULL), HY_OK);
  assert_int_equal(hy_session_create(m, NULL, &s, &err), HY_UNSUPPORTED);
  assert_non_null(
      strstr(err.message, "operator HardSwish of domain ai.onnx is not supported at opset 5"));
  hy_model_destroy(m);
  pb_free(&model);
}

static void expect_refusal(fixture *f, const hy_tensor *in, size_t n_in, hy_tensor *out,
                           size_t n_out, const char *said) {
  hy_error err;
  assert_int_equal(hy_session_run(f->session, in, n_in, out, n_out, &err), HY_INVALID_ARGUMENT);
  if (!strstr(err.message, said)) print_error("'%s', not '%s'\n", err.message, said);
  assert_non_null(strstr(err.message, said));
}

static void refusals(void **state) {
  (void)state;
  pb g = branching();
  static const char *const names[] = {"y"};
  fixture f = open_graph(&g, names, 1);
  float x[12] = {0};
  double wide[3] = {0};
  hy_tensor in = matrix(x, 1), out = {0}, bad;
  expect_refusal(&f, &in, 0, &out, 1, "0 inputs given, the model takes 1");
  expect_refusal(&f, &in, 1, &out, 2, "2 outputs given, the session has 1");
  bad = in;
  bad.dtype = HY_F64;
  bad.data = wide;
  expect_refusal(&f, &bad, 1, &out, 1, "input 'x' has type f64, the model expects f32");
  bad = in;
  bad.dims[1] = 4;
  expect_refusal(&f, &bad, 1, &out, 1, "input 'x' has shape [1,4], the model expects [?,3]");
  bad = in;
  bad.rank = 1;
  expect_refusal(&f, &bad, 1, &out, 1, "input 'x' has shape [1], the model expects [?,3]");
  bad = in;
  bad.rank = 99;
  expect_refusal(&f, &bad, 1, &out, 1, "input 'x' has rank 99");
  bad = in;
  bad.dims[0] = -1;
  expect_refusal(&f, &bad, 1, &out, 1, "negative or overflow");
  bad.dims[0] = INT64_MAX / 2;
  expect_refusal(&f, &bad, 1, &out, 1, "negative or overflow");
  bad = in;
  bad.data = NULL;
  expect_refusal(&f, &bad, 1, &out, 1, "input 'x' has no data");
  out = matrix(x + 3, 2);
  expect_refusal(&f, &in, 1, &out, 1, "output 'y' is f32 [1,3], the buffer given is f32 [2,3]");
  out = matrix(x + 3, 1);
  out.strides_bytes[0] = 12;
  out.strides_bytes[1] = 8;
  expect_refusal(&f, &in, 1, &out, 1, "must be dense and aligned");
  out = (hy_tensor){0};
  assert_int_equal(hy_session_run(f.session, &in, 1, &out, 1, NULL), HY_OK);
  close_fixture(&f);
}

static void strided_and_misaligned_inputs(void **state) {
  (void)state;
  pb g = branching();
  static const char *const names[] = {"y"};
  fixture f = open_graph(&g, names, 1);
  float x[24];
  uint8_t odd[4 * 6 + 1];
  for (int i = 0; i < 24; i++) x[i] = (float)i;
  hy_tensor in = matrix(x, 2), out = {0};
  in.strides_bytes[0] = 4; /* Fortran order: element (r, c) at r + 2c */
  in.strides_bytes[1] = 8;
  assert_int_equal(hy_session_run(f.session, &in, 1, &out, 1, NULL), HY_OK);
  for (int r = 0; r < 2; r++)
    for (int c = 0; c < 3; c++)
      assert_true(((float *)out.data)[3 * r + c] == -2.0f * (float)(r + 2 * c));
  in.data = x + 5;
  in.strides_bytes[0] = 0; /* one row broadcast, backwards */
  in.strides_bytes[1] = -8;
  out = (hy_tensor){0};
  assert_int_equal(hy_session_run(f.session, &in, 1, &out, 1, NULL), HY_OK);
  assert_true(((float *)out.data)[0] == -10 && ((float *)out.data)[5] == -2);
  memcpy(odd + 1, x, 24);
  in = matrix((float *)(void *)(odd + 1), 2);
  out = (hy_tensor){0};
  assert_int_equal(hy_session_run(f.session, &in, 1, &out, 1, NULL), HY_OK);
  assert_true(((float *)out.data)[5] == -10);
  close_fixture(&f);
}

static void empty_batch(void **state) {
  (void)state;
  pb g = branching();
  fixture f = open_graph(&g, NULL, 0);
  hy_tensor in = matrix(NULL, 0), out[5] = {{0}};
  hy_error err;
  if (hy_session_run(f.session, &in, 1, out, 5, &err) != HY_OK) fail_msg("%s", err.message);
  assert_int_equal(out[0].dims[0], 0);
  assert_int_equal(out[1].dims[0], 0);
  close_fixture(&f);
}

/* A shape that is fed as an input is planned for its value. */
static void fed_shapes(void **state) {
  (void)state;
  const int64_t open1[1] = {-1}, rank2[1] = {2};
  pb g = {0};
  port_add(&g, 11, "x", HY_F32, open1, 1);
  port_add(&g, 11, "shape", HY_I64, rank2, 1);
  port_add(&g, 12, "y", HY_F32, open2, -1);
  node_add(&g, "Reshape", "x shape", "y");
  fixture f = open_graph(&g, NULL, 0);
  float x[6] = {0};
  for (int64_t rows = 1; rows <= 6; rows++) {
    int64_t shape[2] = {rows, 6 / rows};
    hy_tensor in[2] = {{.data = x, .dtype = HY_F32, .rank = 1, .dims = {6}},
                       {.data = shape, .dtype = HY_I64, .rank = 1, .dims = {2}}};
    hy_tensor out = {0};
    hy_error err;
    hy_status status = hy_session_run(f.session, in, 2, &out, 1, &err);
    if (6 % rows) {
      assert_int_equal(status, HY_BAD_FORMAT);
      continue;
    }
    assert_int_equal(status, HY_OK);
    assert_true(out.rank == 2 && out.dims[0] == rows && out.dims[1] == 6 / rows);
  }
  close_fixture(&f);
}

static void a_shape_that_depends_on_data(void **state) {
  (void)state;
  const int64_t open1[1] = {-1};
  pb g = {0}, node = node_make("NonZero", "x", "y");
  pb_text(&node, 3, "where");
  port_add(&g, 11, "x", HY_F32, open1, 1);
  port_add(&g, 12, "y", HY_I64, open2, -1);
  pb_message(&g, 1, &node);
  fixture f = open_graph(&g, NULL, 0);
  float x[6] = {0, 5, 0, 0, 1, 2};
  hy_tensor in = {.data = x, .dtype = HY_F32, .rank = 1, .dims = {6}}, out = {0};
  hy_error err;
  hy_session_info info = {.struct_size = sizeof info};
  for (int64_t n = 3; n >= 0; n--) {
    if (hy_session_run(f.session, &in, 1, &out, 1, &err) != HY_OK) fail_msg("%s", err.message);
    assert_true(out.dtype == HY_I64 && out.rank == 2 && out.dims[0] == 1 && out.dims[1] == n);
    const int64_t where[3] = {1, 4, 5};
    assert_memory_equal(out.data, where, (size_t)n * sizeof where[0]);
    out = (hy_tensor){0};
    if (n) x[where[n - 1]] = 0;
  }
  hy_session_describe(f.session, &info);
  assert_true(info.evaluated && info.n_steps == 0);
  int64_t place[1];
  out = (hy_tensor){.data = place, .dtype = HY_I64, .rank = 2, .dims = {1, 1}};
  assert_int_equal(hy_session_run(f.session, &in, 1, &out, 1, &err), HY_INVALID_ARGUMENT);
  close_fixture(&f);
}

static pb branch_of(const char *op_type, const char *input, const char *output) {
  pb g = {0};
  node_add(&g, op_type, input, output);
  port_add(&g, 12, output, HY_F32, open2, 2);
  return g;
}

/* If over a condition that the shape decides: one branch is taken, the other not even looked at. */
static void a_known_condition(void **state) {
  (void)state;
  const int64_t one[1] = {1}, two = 2, zero = 0;
  pb g = {0}, node, branch;
  port_add(&g, 11, "x", HY_F32, open2, 2);
  initializer_add(&g, "two", HY_I64, one, 1, &two, 8);
  initializer_add(&g, "zero", HY_I64, one, 1, &zero, 8);
  node_add(&g, "Shape", "x", "dims");
  node_add(&g, "Gather", "dims zero", "rows");
  node_add(&g, "Equal", "rows two", "is_two");
  node = node_make("If", "is_two", "y");
  branch = branch_of("Neg", "x", "inner");
  attr_message(&node, "then_branch", 6, &branch);
  branch = branch_of("Abs", "x", "inner");
  attr_message(&node, "else_branch", 6, &branch);
  pb_message(&g, 1, &node);
  port_add(&g, 12, "y", HY_F32, open2, 2);
  fixture f = open_graph(&g, NULL, 0);
  float x[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  for (int64_t rows = 1; rows <= 3; rows++) {
    hy_tensor in = matrix(x, rows), out = {0};
    assert_int_equal(hy_session_run(f.session, &in, 1, &out, 1, NULL), HY_OK);
    assert_true(((float *)out.data)[0] == (rows == 2 ? -1.0f : 1.0f));
  }
  close_fixture(&f);
}

/* A result must not take the memory of an input that the step reads again by another port. */
static void a_value_that_is_read_twice(void **state) {
  (void)state;
  pb g = {0};
  port_add(&g, 11, "x", HY_F32, open2, 2);
  node_add(&g, "Neg", "x", "r");
  node_add(&g, "Sum", "r x r", "s");
  node_add(&g, "Abs", "s", "y");
  port_add(&g, 12, "y", HY_F32, open2, 2);
  fixture f = open_graph(&g, NULL, 0);
  float x[6] = {1, -2, 3, -4, 5, -6};
  hy_tensor in = matrix(x, 2), out = {0};
  assert_int_equal(hy_session_run(f.session, &in, 1, &out, 1, NULL), HY_OK);
  for (int i = 0; i < 6; i++) assert_true(((float *)out.data)[i] == (float)(1 + i));
  close_fixture(&f);
}

/* After the first run at each of its shapes a session allocates nothing, neither through the
 * runtime nor behind its back. */
static void no_allocation(void **state) {
  (void)state;
  pb g = branching();
  fixture f = open_graph(&g, NULL, 0);
  float x[30] = {0};
  hy_tensor out[5] = {{0}};
  for (int pass = 0; pass < 2; pass++) {
    size_t before = allocation_count(), through = n_taken;
    for (int i = 0; i < (pass ? 100000 : 8); i++) {
      hy_tensor in = matrix(x, 1 + i % 8);
      if (i % 16 >= 8) {
        in.strides_bytes[0] = 4;
        in.strides_bytes[1] = 8;
      } else if (!pass) { /* the staging of strided inputs, once */
        in.strides_bytes[1] = 4 * in.dims[0];
        in.strides_bytes[0] = 4;
      }
      for (int k = 0; k < 5; k++) out[k].data = NULL;
      if (hy_session_run(f.session, &in, 1, out, 5, NULL) != HY_OK) fail();
    }
    if (!pass) continue;
    assert_int_equal(n_taken, through);
    if (allocation_counter_works) assert_int_equal(allocation_count(), before);
  }
  close_fixture(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(outputs_of_all_kinds),
                                     cmocka_unit_test(outputs_by_name),
                                     cmocka_unit_test(unknown_versions),
                                     cmocka_unit_test(refusals),
                                     cmocka_unit_test(strided_and_misaligned_inputs),
                                     cmocka_unit_test(empty_batch),
                                     cmocka_unit_test(fed_shapes),
                                     cmocka_unit_test(a_shape_that_depends_on_data),
                                     cmocka_unit_test(a_known_condition),
                                     cmocka_unit_test(a_value_that_is_read_twice),
                                     cmocka_unit_test(no_allocation)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
