/* SPDX-License-Identifier: Apache-2.0
 * Loops and Scans over recurrent cells, as exporters write them: which become layers, with the
 * numbers that they had, and what only looks like a cell. */
#include "pass/both.h"

enum { T = 6, B = 3, F = 4, H = 5 };
static float data[T * B * F];
static const hy_tensor x = {.data = data, .dtype = HY_F32, .rank = 3, .dims = {T, B, F}};

/* A node with one integer attribute at most. */
typedef struct line {
  const char *op, *in, *out, *attr;
  int64_t value;
} line;

static void nodes_add(pb *g, const line *lines, size_t n) {
  for (size_t i = 0; i < n; i++) {
    pb node = node_make(lines[i].op, lines[i].in, lines[i].out);
    if (lines[i].attr) attr_int(&node, lines[i].attr, lines[i].value);
    pb_message(g, 1, &node);
  }
}
#define LINES(g, ...)                                                                              \
  do {                                                                                             \
    static const line lines[] = {__VA_ARGS__};                                                     \
    nodes_add(g, lines, HY_COUNT(lines));                                                          \
  } while (0)

static void number(pb *g, const char *name, float value) {
  initializer_add(g, name, HY_F32, NULL, 0, &value, 4);
}

static void weights(pb *g, const char *name, int64_t rows, int64_t columns) {
  const int64_t dims[2] = {rows, columns};
  both_weights(g, name, rows ? dims : dims + 1, rows ? 2 : 1);
}

/* What all graphs share: weights by their sizes, states, and the constants of loops. */
static pb graph(int64_t gates) {
  const int64_t parts[4] = {H, H, H, H};
  const uint8_t truth = 1;
  pb g = {0};
  both_fill(data, HY_COUNT(data), 5);
  both_ports(&g, &x);
  weights(&g, "W", F, gates * H);
  weights(&g, "R", H, gates * H);
  weights(&g, "b", 0, gates * H);
  weights(&g, "q", 0, gates * H);
  weights(&g, "h0", B, H);
  weights(&g, "c0", B, H);
  number(&g, "one", 1.0f);
  both_index(&g, "n", T);
  both_index(&g, "zero", 0);
  both_index(&g, "step", 1);
  both_ints(&g, "parts", parts, (int)gates);
  initializer_add(&g, "true", HY_BOOL, NULL, 0, &truth, 1);
  return g;
}

/* A body's ports; words: "i cond h .." */
static void ports(pb *body, uint32_t number_of_field, const char *words) {
  char name[32];
  while (*words) {
    const size_t n = strcspn(words, " ");
    assert_true(n < sizeof name);
    memcpy(name, words, n);
    name[n] = 0;
    const bool round = !strcmp(name, "i"), counter = !strcmp(name, "k") || !strcmp(name, "k1");
    const bool condition = !strncmp(name, "cond", 4);
    const int dtype = round || counter ? HY_I64 : condition ? HY_BOOL : HY_F32;
    port_add(body, number_of_field, name, dtype, NULL, dtype == HY_F32 ? -1 : 0);
    words += n + (words[n] == ' ');
  }
}

static void loop_add(pb *g, pb *body, const char *in, const char *out) {
  pb node = node_make("Loop", in, out);
  attr_message(&node, "body", 6, body);
  pb_message(g, 1, &node);
}

static void operators(const hy_model *model, const hy_tensor *in, char *text, size_t n) {
  const hy__graph *of = hy__model_graph(model);
  const hy_allocator *a = hy__runtime_allocator(runtime);
  hy__shared shared = {.allocator = a};
  hy_tensor type = *in;
  hy__budget budget = {.rounds = 1 << 20};
  hy__plan *plan;
  hy_error err;
  size_t used = 0;
  type.data = NULL;
  assert_int_equal(hy__pack_store_create(a, 0, &shared.packs, NULL), HY_OK);
  assert_int_equal(hy__fold_cache_create(a, of->n_values, 0, &shared.folds, NULL), HY_OK);
  const hy__plan_request request = {.runtime = runtime,
                                    .graph = of,
                                    .shared = &shared,
                                    .kernels = &kernels,
                                    .inputs = &type,
                                    .outputs = of->outputs,
                                    .n_outputs = of->n_outputs,
                                    .budget = &budget};
  if (hy__plan_create(&request, &plan, &err) != HY_OK) fail_msg("%s", err.message);
  text[0] = 0;
  for (size_t i = 0; i < plan->n_steps; i++)
    if (plan->infos[i].op)
      used +=
          (size_t)snprintf(text + used, n - used, "%s%s", used ? " " : "", plan->infos[i].op->name);
  hy__plan_destroy(plan);
  hy__pack_store_destroy(shared.packs);
  hy__fold_cache_destroy(shared.folds);
}

/* Takes the graph: the plan's operators are `after` ("no X": X is not among them), and the numbers
 * those without passes. */
static void agree(pb *g, const char *after) {
  char text[1024];
  hy_model *m;
  hy_error err;
  pb bytes = model_make(g, 17);
  size_t n = 0, n_plain = 0;
  double largest = 0;
  if (hy_model_open_memory(runtime, bytes.data, bytes.n, NULL, &m, &err) != HY_OK)
    fail_msg("%s", err.message);
  operators(m, &x, text, sizeof text);
  if (!strncmp(after, "no ", 3)) {
    if (strstr(text, after + 3)) fail_msg("%s", text);
  } else {
    assert_string_equal(text, after);
  }
  float *made = both_run(m, &x, false, &n), *plain = both_run(m, &x, true, &n_plain);
  assert_int_equal(n, n_plain);
  for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)plain[i]));
  assert_true(largest > 0);
  for (size_t i = 0; i < n; i++)
    if (!(fabs((double)made[i] - (double)plain[i]) <= 1e-6 * largest))
      fail_msg("element %zu is %g, without passes %g", i, (double)made[i], (double)plain[i]);
  test_free(made);
  test_free(plain);
  hy_model_destroy(m);
  pb_free(&bytes);
}

/* --- LSTM --- */

enum lstm_form {
  LSTM_PLAIN,
  LSTM_OTHER_GATE,    /* one gate has another function */
  LSTM_EARLY_END,     /* the condition looks at h */
  LSTM_STATE_IN_GATE, /* c in a gate's sum */
  LSTM_MOVING_WEIGHTS,
  LSTM_STACKS_C,
  LSTM_STACKS_PART
};

/* As tf2onnx writes Keras' cell: a counter of its own, gates i f c o by Split. */
static pb lstm_body(enum lstm_form form) {
  static const int64_t parts[4] = {H, H, H, H}, first[1] = {0}, end[1] = {2}, axes[1] = {1};
  pb body = {0};
  both_ints(&body, "sizes", parts, 4);
  number(&body, "half", 0.999f);
  number(&body, "limit", -3.0f);
  both_ints(&body, "first", first, 1);
  both_ints(&body, "end", end, 1);
  both_ints(&body, "axes", axes, 1);
  LINES(&body, {"Add", "k step", "k1", NULL, 0}, {"Gather", "x k", "xt", NULL, 0},
        {"MatMul", "xt W", "xw", NULL, 0});
  nodes_add(&body, &(line){"MatMul", form == LSTM_MOVING_WEIGHTS ? "h V" : "h R", "hr", NULL, 0},
            1);
  LINES(&body, {"Add", "xw hr", "s", NULL, 0}, {"Add", "s b", "sum", NULL, 0},
        {"Split", "sum sizes", "gi gf gc go", "axis", 1}, {"Sigmoid", "gf", "f", NULL, 0});
  if (form == LSTM_STATE_IN_GATE)
    LINES(&body, {"Add", "gi c", "gic", NULL, 0}, {"Sigmoid", "gic", "in", NULL, 0});
  else
    nodes_add(&body, &(line){form == LSTM_OTHER_GATE ? "Softsign" : "Sigmoid", "gi", "in", NULL, 0},
              1);
  LINES(&body, {"Sigmoid", "go", "o", NULL, 0}, {"Tanh", "gc", "u", NULL, 0},
        {"Mul", "f c", "fc", NULL, 0}, {"Mul", "in u", "iu", NULL, 0},
        {"Add", "fc iu", "c1", NULL, 0}, {"Tanh", "c1", "t", NULL, 0},
        {"Mul", "o t", "h1", NULL, 0});
  if (form == LSTM_STACKS_PART)
    LINES(&body, {"Slice", "h1 first end axes", "part", NULL, 0});
  else
    nodes_add(&body, &(line){"Identity", form == LSTM_STACKS_C ? "c1" : "h1", "part", NULL, 0}, 1);
  if (form == LSTM_EARLY_END)
    LINES(&body, {"ReduceSum", "h1", "all", "keepdims", 0},
          {"Greater", "all limit", "cond1", NULL, 0});
  else
    LINES(&body, {"Less", "k1 n", "cond1", NULL, 0});
  if (form == LSTM_MOVING_WEIGHTS) LINES(&body, {"Mul", "V half", "V1", NULL, 0});
  ports(&body, 11, form == LSTM_MOVING_WEIGHTS ? "i cond k h c V" : "i cond k h c");
  ports(&body, 12,
        form == LSTM_MOVING_WEIGHTS ? "cond1 k1 h1 c1 V1 part"
        : form == LSTM_EARLY_END    ? "cond1 k1 h1 c1"
                                    : "cond1 k1 h1 c1 part");
  return body;
}

static void lstm_loop(enum lstm_form form, const char *after) {
  pb g = graph(4), body = lstm_body(form);
  if (form == LSTM_MOVING_WEIGHTS)
    loop_add(&g, &body, "n true zero h0 c0 R", "kn hn cn vn all");
  else
    loop_add(&g, &body, "n true zero h0 c0", form == LSTM_EARLY_END ? "kn hn cn" : "kn hn cn all");
  if (form == LSTM_EARLY_END)
    LINES(&g, {"Add", "hn cn", "y", NULL, 0});
  else if (form == LSTM_STACKS_PART)
    LINES(&g, {"ReduceMax", "all", "most", "keepdims", 0}, {"Add", "most hn", "z", NULL, 0},
          {"Add", "z cn", "y", NULL, 0});
  else
    LINES(&g, {"Add", "all hn", "z", NULL, 0}, {"Add", "z cn", "y", NULL, 0});
  agree(&g, after);
}

static void lstm_of_a_loop(void **state) {
  (void)state;
  lstm_loop(LSTM_PLAIN, "LSTM Add Add");
}

static void what_is_no_lstm(void **state) {
  (void)state;
  lstm_loop(LSTM_OTHER_GATE, "Loop Add Add");
  lstm_loop(LSTM_STATE_IN_GATE, "Loop Add Add");
  lstm_loop(LSTM_MOVING_WEIGHTS, "Loop Add Add");
  lstm_loop(LSTM_STACKS_C, "Loop Add Add");
  lstm_loop(LSTM_STACKS_PART, "Loop ReduceMax Add Add");
  lstm_loop(LSTM_EARLY_END, "Loop Add");
}

/* As PyTorch writes a cell over [x, h]: one Gemm with the weights turned, columns by Slice; time is
 * the second axis, the round counts it. */
static void lstm_over_joined(void **state) {
  (void)state;
  static const int64_t perm[3] = {1, 0, 2}, at[5] = {0, H, 2 * H, 3 * H, 4 * H}, last[1] = {-1};
  pb g = graph(4), body = {0}, gemm = node_make("Gemm", "xh D b", "sum");
  weights(&g, "D", 4 * H, F + H);
  both_node_ints(&g, "Transpose", "x", "xb", "perm", perm, 3);
  both_ints(&body, "a0", at, 1);
  both_ints(&body, "a1", at + 1, 1);
  both_ints(&body, "a2", at + 2, 1);
  both_ints(&body, "a3", at + 3, 1);
  both_ints(&body, "a4", at + 4, 1);
  both_ints(&body, "last", last, 1);
  LINES(&body, {"Gather", "xb i", "xt", "axis", 1}, {"Concat", "xt h", "xh", "axis", -1});
  attr_int(&gemm, "transB", 1);
  pb_message(&body, 1, &gemm);
  LINES(&body, {"Slice", "sum a0 a1 last", "gf", NULL, 0},
        {"Slice", "sum a1 a2 last", "gi", NULL, 0}, {"Slice", "sum a2 a3 last", "go", NULL, 0},
        {"Slice", "sum a3 a4 last", "gc", NULL, 0}, {"Sigmoid", "gf", "f", NULL, 0},
        {"Sigmoid", "gi", "in", NULL, 0}, {"Sigmoid", "go", "o", NULL, 0},
        {"Tanh", "gc", "u", NULL, 0}, {"Mul", "c f", "fc", NULL, 0}, {"Mul", "u in", "iu", NULL, 0},
        {"Add", "iu fc", "c1", NULL, 0}, {"Tanh", "c1", "t", NULL, 0},
        {"Mul", "t o", "h1", NULL, 0}, {"Identity", "cond", "cond1", NULL, 0});
  ports(&body, 11, "i cond h c");
  ports(&body, 12, "cond1 h1 c1");
  loop_add(&g, &body, "n true h0 c0", "hn cn");
  LINES(&g, {"Add", "hn cn", "y", NULL, 0});
  agree(&g, "LSTM Add");
}

/* Two cells upon each other in one body. */
static void cells_upon_each_other(void **state) {
  (void)state;
  static const int64_t parts[4] = {H, H, H, H};
  pb g = graph(4), body = {0};
  weights(&g, "U", H, 4 * H);
  weights(&g, "V", H, 4 * H);
  both_ints(&body, "sizes", parts, 4);
  for (int layer = 0; layer < 2; layer++) {
    pb part = {0};
    if (layer == 0)
      LINES(&part, {"Gather", "x i", "xt", NULL, 0}, {"MatMul", "xt W", "xw", NULL, 0},
            {"MatMul", "h R", "hr", NULL, 0}, {"Add", "xw hr", "s", NULL, 0},
            {"Add", "s b", "sum", NULL, 0}, {"Split", "sum sizes", "gi gf gc go", "axis", 1},
            {"Sigmoid", "gf", "f", NULL, 0}, {"Sigmoid", "gi", "in", NULL, 0},
            {"Sigmoid", "go", "o", NULL, 0}, {"Tanh", "gc", "u", NULL, 0},
            {"Mul", "f c", "fc", NULL, 0}, {"Mul", "in u", "iu", NULL, 0},
            {"Add", "fc iu", "c1", NULL, 0}, {"Tanh", "c1", "t", NULL, 0},
            {"Mul", "o t", "h1", NULL, 0});
    else
      LINES(&part, {"MatMul", "h1 U", "xw2", NULL, 0}, {"MatMul", "e V", "hr2", NULL, 0},
            {"Add", "xw2 hr2", "s2", NULL, 0}, {"Split", "s2 sizes", "ai af ac ao", "axis", 1},
            {"Sigmoid", "af", "f2", NULL, 0}, {"Sigmoid", "ai", "in2", NULL, 0},
            {"Sigmoid", "ao", "o2", NULL, 0}, {"Tanh", "ac", "u2", NULL, 0},
            {"Mul", "f2 d", "fc2", NULL, 0}, {"Mul", "in2 u2", "iu2", NULL, 0},
            {"Add", "fc2 iu2", "d1", NULL, 0}, {"Tanh", "d1", "t2", NULL, 0},
            {"Mul", "o2 t2", "e1", NULL, 0}, {"Identity", "e1", "stack", NULL, 0},
            {"Identity", "cond", "cond1", NULL, 0});
    pb_raw(&body, part.data, part.n);
    pb_free(&part);
  }
  ports(&body, 11, "i cond h c e d");
  ports(&body, 12, "cond1 h1 c1 e1 d1 stack");
  loop_add(&g, &body, "n true h0 c0 h0 c0", "hn cn en dn all");
  LINES(&g, {"Add", "all en", "y", NULL, 0});
  agree(&g, "LSTM LSTM Add");
}

/* A layer of one step in a body, as PyTorch's cells leave the older exporter. */
static void layer_of_one_step(void **state) {
  (void)state;
  static const int64_t front[1] = {0};
  const int64_t w[3] = {1, 4 * H, F}, r[3] = {1, 4 * H, H};
  pb g = graph(4), body = {0}, node = node_make("LSTM", "x3 K M - - h3 c3", "- H C");
  both_weights(&g, "K", w, 3);
  both_weights(&g, "M", r, 3);
  both_ints(&body, "front", front, 1);
  attr_int(&node, "hidden_size", H);
  LINES(&body, {"Gather", "x i", "xt", NULL, 0}, {"Unsqueeze", "xt front", "x3", NULL, 0},
        {"Unsqueeze", "h front", "h3", NULL, 0}, {"Unsqueeze", "c front", "c3", NULL, 0});
  pb_message(&body, 1, &node);
  LINES(&body, {"Squeeze", "H front", "h1", NULL, 0}, {"Squeeze", "C front", "c1", NULL, 0},
        {"Identity", "cond", "cond1", NULL, 0});
  ports(&body, 11, "i cond h c");
  ports(&body, 12, "cond1 h1 c1");
  loop_add(&g, &body, "n true h0 c0", "hn cn");
  LINES(&g, {"Add", "hn cn", "y", NULL, 0});
  agree(&g, "LSTM Add");
}

/* --- GRU --- */

enum gru_form {
  GRU_KEEPS,     /* (1 - z) n + z h */
  GRU_MOVES,     /* n + z (h - n) */
  GRU_SWAPPED,   /* (1 - z) h + z n */
  GRU_BEFORE,    /* the reset gate before the product */
  GRU_TWO_GATES, /* the two z are not one */
  GRU_PAST_RESET /* h reaches n around the reset gate too */
};

static void gru_candidate(pb *body, enum gru_form form) {
  if (form == GRU_BEFORE)
    LINES(body, {"Mul", "r h", "rh", NULL, 0}, {"MatMul", "rh Rn", "m", NULL, 0});
  else
    LINES(body, {"MatMul", "h Rn", "hn", NULL, 0}, {"Add", "hn qn", "hq", NULL, 0},
          {"Mul", "hq r", "m", NULL, 0});
  LINES(body, {"MatMul", "xt Wn", "xn", NULL, 0}, {"Add", "xn m", "sn", NULL, 0});
  if (form == GRU_PAST_RESET)
    LINES(body, {"Add", "sn hz", "sn2", NULL, 0}, {"Tanh", "sn2", "n_", NULL, 0});
  else
    LINES(body, {"Tanh", "sn", "n_", NULL, 0});
}

/* Gates with weights of their own. */
static pb gru_body(enum gru_form form) {
  pb body = {0};
  LINES(&body, {"Gather", "x i", "xt", NULL, 0}, {"MatMul", "xt Wz", "xz", NULL, 0},
        {"MatMul", "h Rz", "hz", NULL, 0}, {"Add", "hz xz", "sz", NULL, 0},
        {"Sigmoid", "sz", "z", NULL, 0}, {"MatMul", "xt Wr", "xr", NULL, 0},
        {"MatMul", "h Rr", "hr", NULL, 0}, {"Add", "xr hr", "sr", NULL, 0},
        {"Add", "sr br", "sb", NULL, 0}, {"Sigmoid", "sb", "r", NULL, 0});
  gru_candidate(&body, form);
  if (form == GRU_MOVES)
    LINES(&body, {"Sub", "h n_", "d", NULL, 0}, {"Mul", "d z", "zd", NULL, 0},
          {"Add", "zd n_", "h1", NULL, 0});
  else if (form == GRU_SWAPPED)
    LINES(&body, {"Neg", "z", "nz", NULL, 0}, {"Add", "nz one", "o", NULL, 0},
          {"Mul", "o h", "oh", NULL, 0}, {"Mul", "z n_", "zn", NULL, 0},
          {"Add", "oh zn", "h1", NULL, 0});
  else if (form == GRU_TWO_GATES)
    LINES(&body, {"Sub", "one r", "o", NULL, 0}, {"Mul", "o n_", "on", NULL, 0},
          {"Mul", "z h", "zh", NULL, 0}, {"Add", "on zh", "h1", NULL, 0});
  else
    LINES(&body, {"Sub", "one z", "o", NULL, 0}, {"Mul", "o n_", "on", NULL, 0},
          {"Mul", "z h", "zh", NULL, 0}, {"Add", "on zh", "h1", NULL, 0});
  LINES(&body, {"Identity", "h1", "stack", NULL, 0}, {"Identity", "cond", "cond1", NULL, 0});
  ports(&body, 11, "i cond h");
  ports(&body, 12, "cond1 h1 stack");
  return body;
}

static void gru_loop(enum gru_form form, const char *after) {
  pb g = graph(3), body = gru_body(form);
  static const char *const names[] = {"Wz", "Wr", "Wn", "Rz", "Rr", "Rn", "br", "qn"};
  for (size_t i = 0; i < HY_COUNT(names); i++) {
    const int64_t rows = i < 3 ? F : i < 6 ? H : 0;
    float values[H * H];
    const int64_t dims[2] = {rows, H};
    both_fill(values, HY_COUNT(values), (uint32_t)(77 * i + 1));
    initializer_add(&g, names[i], HY_F32, rows ? dims : dims + 1, rows ? 2 : 1, values,
                    (size_t)(rows ? rows * H : H) * 4);
  }
  loop_add(&g, &body, "n true h0", "hn all");
  LINES(&g, {"Add", "all hn", "y", NULL, 0});
  agree(&g, after);
}

static void gru_of_a_loop(void **state) {
  (void)state;
  gru_loop(GRU_KEEPS, "GRU Add");
  gru_loop(GRU_MOVES, "GRU Add");
  gru_loop(GRU_SWAPPED, "GRU Add");
  gru_loop(GRU_BEFORE, "GRU Add");
}

static void what_is_no_gru(void **state) {
  (void)state;
  gru_loop(GRU_TWO_GATES, "Loop Add");
  gru_loop(GRU_PAST_RESET, "Loop Add");
}

/* --- RNN by Scan --- */

enum rnn_form {
  RNN_PLAIN,
  RNN_PROJECTED,   /* x W + b lies outside */
  RNN_READS_OTHER, /* a second state in the sum */
  RNN_MIXED_ROWS   /* a bias that differs from row to row */
};

static void rnn_scan(enum rnn_form form, bool back, const char *after) {
  const int64_t one[1] = {1}, axis[1] = {back ? 1 : 0}, turn[1] = {back}, perm[3] = {1, 0, 2};
  pb g = graph(1), body = {0};
  weights(&g, "m", B, H);
  if (form == RNN_PROJECTED)
    LINES(&body, {"Identity", "xt", "xw", NULL, 0});
  else
    LINES(&body, {"MatMul", "xt W", "xw", NULL, 0});
  LINES(&body, {"MatMul", "h R", "hr", NULL, 0}, {"Add", "xw hr", "s", NULL, 0});
  if (form == RNN_READS_OTHER)
    LINES(&body, {"Add", "s c", "sum", NULL, 0}, {"Mul", "c hr", "c1", NULL, 0});
  else
    nodes_add(&body, &(line){"Add", form == RNN_MIXED_ROWS ? "s m" : "s q", "sum", NULL, 0}, 1);
  LINES(&body, {"Tanh", "sum", "h1", NULL, 0}, {"Identity", "h1", "stack", NULL, 0});
  const bool two = form == RNN_READS_OTHER;
  ports(&body, 11, two ? "h c xt" : "h xt");
  ports(&body, 12, two ? "h1 c1 stack" : "h1 stack");
  both_node_ints(&g, "Transpose", "x", "xb", "perm", perm, 3);
  if (form == RNN_PROJECTED)
    LINES(&g, {"MatMul", "x W", "xp", NULL, 0}, {"Add", "xp b", "seq", NULL, 0});
  else
    nodes_add(&g, &(line){"Identity", back ? "xb" : "x", "seq", NULL, 0}, 1);
  pb node = node_make("Scan", two ? "h0 c0 seq" : "h0 seq", two ? "hn cn all" : "hn all");
  attr_message(&node, "body", 6, &body);
  attr_int(&node, "num_scan_inputs", 1);
  attr_ints(&node, "scan_input_axes", axis, 1);
  attr_ints(&node, "scan_input_directions", turn, 1);
  attr_ints(&node, "scan_output_directions", turn, 1);
  attr_ints(&node, "scan_output_axes", axis, 1);
  pb_message(&g, 1, &node);
  if (back) {
    both_ints(&g, "mid", one, 1);
    LINES(&g, {"Unsqueeze", "hn mid", "h3", NULL, 0}, {"Add", "all h3", "y", NULL, 0});
  } else {
    LINES(&g, {"Add", "all hn", "y", NULL, 0});
  }
  agree(&g, after);
}

static void rnn_of_a_scan(void **state) {
  (void)state;
  rnn_scan(RNN_PLAIN, false, "RNN Add");
  rnn_scan(RNN_PLAIN, true, "Transpose Slice Transpose RNN Slice Transpose Add");
  rnn_scan(RNN_PROJECTED, false, "Linear RNN Add");
}

static void what_is_no_rnn(void **state) {
  (void)state;
  rnn_scan(RNN_READS_OTHER, false, "Scan Add");
  rnn_scan(RNN_MIXED_ROWS, false, "Scan Add");
}

/* --- unrolled --- */

enum chain_form {
  CHAIN_LSTM,
  CHAIN_ALL,  /* every h is read */
  CHAIN_BACK, /* the last place first */
  CHAIN_RNN,
  CHAIN_OTHER_STEP, /* a step in the middle has weights of its own */
  CHAIN_READS_C,    /* a cell state in the middle is read */
  CHAIN_SHUFFLED    /* two places are exchanged */
};

/* A node whose names end in the step's number: "%d" stands for it, "%p" for that before. */
static void step_node(pb *g, const char *op, const char *in, const char *out, int step) {
  char names[2][64];
  const char *from[2] = {in, out};
  for (int k = 0; k < 2; k++) {
    size_t used = 0;
    for (const char *c = from[k]; *c; c++) {
      const bool here = c[0] == '%' && c[1] == 'd', before = c[0] == '%' && c[1] == 'p';
      names[k][used] = here ? (char)('1' + step) : before ? (char)('0' + step) : *c;
      used++;
      c += here || before;
    }
    names[k][used] = 0;
  }
  pb node = node_make(op, names[0], names[1]);
  if (!strcmp(op, "Split")) attr_int(&node, "axis", 1);
  pb_message(g, 1, &node);
}

static void chain_step(pb *g, enum chain_form form, int step) {
  const bool shuffled = form == CHAIN_SHUFFLED;
  const int places[T] = {0, 1, 2, shuffled ? 4 : 3, shuffled ? 3 : 4, 5};
  const int place = form == CHAIN_BACK ? T - 1 - step : places[step];
  char name[8] = "at0";
  name[2] = (char)('0' + step);
  both_index(g, name, place);
  name[2] = 0;
  step_node(g, "Gather", step == 0 ? "x at0" : "x at%p", "x%d", step);
  step_node(g, "MatMul", form == CHAIN_OTHER_STEP && step == 3 ? "x%d W2" : "x%d W", "xw%d", step);
  step_node(g, "MatMul", step == 0 ? "h0 R" : "h%p R", "hr%d", step);
  step_node(g, "Add", "xw%d hr%d", "s%d", step);
  step_node(g, "Add", "s%d b", form == CHAIN_RNN ? "t%d" : "sum%d", step);
  if (form == CHAIN_RNN) {
    step_node(g, "Tanh", "t%d", "h%d", step);
    return;
  }
  step_node(g, "Split", "sum%d parts", "gi%d gf%d gc%d go%d", step);
  step_node(g, "Sigmoid", "gi%d", "i%d", step);
  step_node(g, "Sigmoid", "gf%d", "f%d", step);
  step_node(g, "Sigmoid", "go%d", "o%d", step);
  step_node(g, "Tanh", "gc%d", "u%d", step);
  step_node(g, "Mul", step == 0 ? "f%d c0" : "f%d c%p", "fc%d", step);
  step_node(g, "Mul", "i%d u%d", "iu%d", step);
  step_node(g, "Add", "fc%d iu%d", "c%d", step);
  step_node(g, "Tanh", "c%d", "tc%d", step);
  step_node(g, "Mul", "o%d tc%d", "h%d", step);
}

static void chain(enum chain_form form, const char *after) {
  pb g = graph(form == CHAIN_RNN ? 1 : 4);
  weights(&g, "W2", F, 4 * H);
  for (int step = 0; step < T; step++) chain_step(&g, form, step);
  if (form == CHAIN_ALL) {
    pb node = node_make("Concat", "h2 h4 h6", "y");
    attr_int(&node, "axis", 0);
    pb_message(&g, 1, &node);
  } else if (form == CHAIN_READS_C) {
    node_add(&g, "Add", "h6 c3", "y");
  } else {
    node_add(&g, "Add", form == CHAIN_RNN ? "h6 h6" : "h6 c6", "y");
  }
  agree(&g, after);
}

/* What is left of the first step from states that are known. */
#define FIRST "Gather Linear Add Add Split Sigmoid Sigmoid Sigmoid Tanh Mul Mul Add Tanh Mul "

static void unrolled(void **state) {
  (void)state;
  chain(CHAIN_LSTM, FIRST "Slice LSTM Add");
  chain(CHAIN_ALL, FIRST "Slice LSTM Slice Slice Slice Concat");
  chain(CHAIN_BACK, FIRST "Slice LSTM Add");
  chain(CHAIN_RNN, "Gather Linear Add Add Tanh Slice RNN Add");
}

static void what_is_no_chain(void **state) {
  (void)state;
  chain(CHAIN_OTHER_STEP, "no LSTM");
  chain(CHAIN_READS_C, "no LSTM");
  chain(CHAIN_SHUFFLED, "no LSTM");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lstm_of_a_loop),    cmocka_unit_test(what_is_no_lstm),
      cmocka_unit_test(lstm_over_joined),  cmocka_unit_test(cells_upon_each_other),
      cmocka_unit_test(layer_of_one_step), cmocka_unit_test(gru_of_a_loop),
      cmocka_unit_test(what_is_no_gru),    cmocka_unit_test(rnn_of_a_scan),
      cmocka_unit_test(what_is_no_rnn),    cmocka_unit_test(unrolled),
      cmocka_unit_test(what_is_no_chain)};
  return cmocka_run_group_tests(tests, both_set_up, both_tear_down);
}
