/* SPDX-License-Identifier: Apache-2.0
 * Runs that are evaluated node by node: sequences and optionals in and out, Loops without end, what
 * a run may take, and shapes that change from run to run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <hayate/session.h>

#include "base/base.h"
#include "support/onnx_writer.h"
#include "support/runtime.h"

typedef struct fixture {
  pb bytes;
  hy_model *model;
  hy_session *session;
} fixture;

static fixture open_graph(pb *graph, hy_session_options options) {
  fixture f = {.bytes = model_make(graph, 17)};
  hy_error err;
  options.struct_size = sizeof options;
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

/* A graph's input or output that is seq(tensor(float)), or an optional of it. */
static void sequence_port(pb *graph, uint32_t number, const char *name, bool optional) {
  pb tensor = {0}, element = {0}, sequence = {0}, type = {0}, info = {0};
  pb_int(&tensor, 1, HY_F32);
  pb_message(&element, 1, &tensor);
  pb_message(&sequence, 1, &element);
  pb_message(&type, 4, &sequence);
  if (optional) {
    pb outer = {0}, inner = {0};
    pb_message(&inner, 1, &type);
    pb_message(&outer, 9, &inner);
    type = outer;
  }
  pb_text(&info, 1, name);
  pb_message(&info, 2, &type);
  pb_message(graph, number, &info);
}

static hy_tensor vector(float *data, int64_t n) {
  return (hy_tensor){.data = data, .dtype = HY_F32, .rank = 1, .dims = {n}};
}

static hy_value tensor_value(hy_tensor t) {
  return (hy_value){.kind = HY_VALUE_TENSOR, .tensor = t};
}

static const int64_t open1[1] = {-1};

/* list + x at the end -> grown; its first -> first; whether opt holds something -> has */
static pb sequences(void) {
  pb g = {0};
  const int64_t zero = 0;
  sequence_port(&g, 11, "list", false);
  sequence_port(&g, 11, "opt", true);
  port_add(&g, 11, "x", HY_F32, open1, 1);
  initializer_add(&g, "zero", HY_I64, NULL, 0, &zero, 8);
  node_add(&g, "SequenceInsert", "list x", "grown");
  node_add(&g, "SequenceAt", "grown zero", "first");
  node_add(&g, "OptionalHasElement", "opt", "has");
  sequence_port(&g, 12, "grown", false);
  port_add(&g, 12, "first", HY_F32, open1, 1);
  port_add(&g, 12, "has", HY_BOOL, NULL, 0);
  return g;
}

static void sequences_in_and_out(void **state) {
  (void)state;
  pb g = sequences();
  fixture f = open_graph(&g, (hy_session_options){0});
  float a[4] = {1, 2, 3, 4}, x[3] = {7, 8, 9};
  hy_value items[2] = {tensor_value(vector(a, 2)), tensor_value(vector(a, 2))};
  items[1].tensor.strides_bytes[0] = 8; /* 1, 3 */
  hy_value in[3] = {{.kind = HY_VALUE_SEQUENCE, .items = items, .n_items = 2},
                    {.kind = HY_VALUE_NONE},
                    tensor_value(vector(x, 3))};
  hy_value out[3];
  hy_error err;
  assert_string_equal(hy_model_input(f.model, 0)->type, "seq(tensor(float))");
  assert_string_equal(hy_model_input(f.model, 1)->type, "optional(seq(tensor(float)))");
  assert_null(hy_model_input(f.model, 2)->type);
  for (int again = 0; again < 3; again++) {
    if (hy_session_run_values(f.session, in, 3, out, 3, &err) != HY_OK) fail_msg("%s", err.message);
    assert_true(out[0].kind == HY_VALUE_SEQUENCE && out[0].n_items == 3);
    assert_true(out[0].tensor.dtype == HY_F32);
    const float strided[2] = {1, 3};
    assert_memory_equal(out[0].items[1].tensor.data, strided, sizeof strided);
    assert_memory_equal(out[0].items[2].tensor.data, x, sizeof x);
    assert_ptr_not_equal(out[0].items[2].tensor.data, x); /* the session's own memory */
    assert_true(out[1].kind == HY_VALUE_TENSOR && out[1].tensor.dims[0] == 2);
    assert_int_equal(*(uint8_t *)out[2].tensor.data, again > 0);
    in[1] = in[0];
  }
  close_fixture(&f);
}

static void values_are_checked(void **state) {
  (void)state;
  pb g = sequences();
  fixture f = open_graph(&g, (hy_session_options){0});
  float x[3] = {7, 8, 9};
  int64_t whole[1] = {1};
  hy_value mixed[2] = {tensor_value(vector(x, 3)),
                       tensor_value((hy_tensor){.data = whole, .dtype = HY_I64})};
  hy_value in[3] = {
      {.kind = HY_VALUE_SEQUENCE}, {.kind = HY_VALUE_NONE}, {.kind = HY_VALUE_SEQUENCE}};
  hy_value out[3];
  hy_error err;
  assert_int_equal(hy_session_run_values(f.session, in, 3, out, 3, &err), HY_INVALID_ARGUMENT);
  assert_string_equal(err.message, "input 'x' is a tensor");
  in[2] = tensor_value(vector(x, 3));
  in[0] = (hy_value){.kind = HY_VALUE_SEQUENCE, .items = mixed, .n_items = 2};
  assert_int_equal(hy_session_run_values(f.session, in, 3, out, 3, &err), HY_INVALID_ARGUMENT);
  assert_non_null(strstr(err.message, "different types"));
  in[0] = (hy_value){.kind = HY_VALUE_NONE};
  assert_int_equal(hy_session_run_values(f.session, in, 3, out, 3, &err), HY_BAD_FORMAT);
  assert_non_null(strstr(err.message, "(SequenceInsert): input 0 is no sequence"));
  hy_tensor tensors[3] = {vector(x, 3), vector(x, 3), vector(x, 3)}, answers[3] = {{0}};
  assert_int_equal(hy_session_run(f.session, tensors, 3, answers, 3, &err), HY_UNSUPPORTED);
  close_fixture(&f);
}

/* A body that says "go on" for ever; grows: its state doubles each round. */
static pb endless(bool grows) {
  pb g = {0}, body = {0}, loop = node_make("Loop", "- - x", "y");
  port_add(&body, 11, "i", HY_I64, NULL, 0);
  port_add(&body, 11, "c", HY_BOOL, NULL, 0);
  port_add(&body, 11, "s", HY_F32, NULL, -1);
  node_add(&body, "Identity", "c", "c1");
  if (grows) {
    pb node = node_make("Concat", "s s", "s1");
    attr_int(&node, "axis", 0);
    pb_message(&body, 1, &node);
  } else {
    node_add(&body, "Neg", "s", "s1");
  }
  port_add(&body, 12, "c1", HY_BOOL, NULL, 0);
  port_add(&body, 12, "s1", HY_F32, NULL, -1);
  attr_message(&loop, "body", 6, &body);
  port_add(&g, 11, "x", HY_F32, open1, 1);
  pb_message(&g, 1, &loop);
  port_add(&g, 12, "y", HY_F32, NULL, -1);
  return g;
}

static void refused(pb graph, hy_session_options options, const char *why) {
  fixture f = open_graph(&graph, options);
  float x[2] = {1, 2};
  hy_tensor in = vector(x, 2), out = {0};
  hy_error err;
  for (int again = 0; again < 2; again++) {
    assert_int_equal(hy_session_run(f.session, &in, 1, &out, 1, &err), HY_LIMIT);
    if (!strstr(err.message, why)) fail_msg("%s", err.message);
  }
  close_fixture(&f);
}

static void loops_without_end(void **state) {
  (void)state;
  refused(endless(false), (hy_session_options){.max_rounds = 1000}, "max_rounds");
  refused(endless(true), (hy_session_options){.max_rounds = 10}, "max_rounds");
  refused(endless(true), (hy_session_options){.max_bytes = 1 << 20}, "max_bytes");
  refused(endless(false), (hy_session_options){.max_rounds = UINT64_MAX, .max_run_ms = 20},
          "max_run_ms");
}

/* n rounds of s <- concat(s, x): the shape depends on n, a float so that it is no trip count. */
static void a_state_that_grows(void **state) {
  (void)state;
  pb g = {0}, body = {0}, loop = node_make("Loop", "n - x", "y all");
  port_add(&body, 11, "i", HY_I64, NULL, 0);
  port_add(&body, 11, "c", HY_BOOL, NULL, 0);
  port_add(&body, 11, "s", HY_F32, NULL, -1);
  node_add(&body, "Identity", "c", "c1");
  pb node = node_make("Concat", "s x", "s1");
  attr_int(&node, "axis", 0);
  pb_message(&body, 1, &node);
  node_add(&body, "ReduceSum", "s", "sum");
  port_add(&body, 12, "c1", HY_BOOL, NULL, 0);
  port_add(&body, 12, "s1", HY_F32, NULL, -1);
  port_add(&body, 12, "sum", HY_F32, NULL, -1);
  attr_message(&loop, "body", 6, &body);
  port_add(&g, 11, "x", HY_F32, open1, 1);
  port_add(&g, 11, "n", HY_I64, NULL, 0);
  pb_message(&g, 1, &loop);
  port_add(&g, 12, "y", HY_F32, NULL, -1);
  port_add(&g, 12, "all", HY_F32, NULL, -1);
  fixture f = open_graph(&g, (hy_session_options){0});
  float x[2] = {1, 2};
  hy_error err;
  for (int64_t n = 5; n >= 0; n--) {
    hy_tensor in[2] = {vector(x, 2), {.data = &n, .dtype = HY_I64}}, out[2] = {{0}};
    if (hy_session_run(f.session, in, 2, out, 2, &err) != HY_OK) fail_msg("%s", err.message);
    assert_int_equal(out[0].dims[0], 2 * (n + 1));
    assert_true(out[1].rank >= 1 && out[1].dims[0] == n);
    for (int64_t k = 0; k < n; k++) assert_true(((float *)out[1].data)[k] == (float)(3 * (k + 1)));
  }
  close_fixture(&f);
}

/* If whose branches differ in shape, over what a graph around it made. */
static void branches_that_differ(void **state) {
  (void)state;
  pb g = {0}, yes = {0}, no = {0}, node = node_make("If", "flag", "y");
  node_add(&g, "Neg", "x", "a");
  node_add(&yes, "Identity", "a", "y1");
  port_add(&yes, 12, "y1", HY_F32, NULL, -1);
  pb concat = node_make("Concat", "a x", "y2");
  attr_int(&concat, "axis", 0);
  pb_message(&no, 1, &concat);
  port_add(&no, 12, "y2", HY_F32, NULL, -1);
  attr_message(&node, "then_branch", 6, &yes);
  attr_message(&node, "else_branch", 6, &no);
  port_add(&g, 11, "x", HY_F32, open1, 1);
  port_add(&g, 11, "flags", HY_BOOL, open1, 1);
  const int64_t zero = 0;
  initializer_add(&g, "zero", HY_I64, NULL, 0, &zero, 8);
  node_add(&g, "Gather", "flags zero", "flag");
  pb_message(&g, 1, &node);
  port_add(&g, 12, "y", HY_F32, NULL, -1);
  fixture f = open_graph(&g, (hy_session_options){0});
  float x[2] = {1, 2};
  uint8_t flags[2] = {0, 1};
  hy_error err;
  for (int again = 0; again < 4; again++) {
    hy_tensor in[2] = {vector(x, 2), {.data = flags, .dtype = HY_BOOL, .rank = 1, .dims = {2}}};
    hy_tensor out = {0};
    flags[0] = again & 1;
    if (hy_session_run(f.session, in, 2, &out, 1, &err) != HY_OK) fail_msg("%s", err.message);
    assert_int_equal(out.dims[0], again & 1 ? 2 : 4);
    assert_true(((float *)out.data)[0] == -1);
  }
  close_fixture(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sequences_in_and_out), cmocka_unit_test(values_are_checked),
      cmocka_unit_test(loops_without_end),    cmocka_unit_test(a_state_that_grows),
      cmocka_unit_test(branches_that_differ),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
