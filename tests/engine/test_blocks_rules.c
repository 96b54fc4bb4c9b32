/* SPDX-License-Identifier: Apache-2.0
 * Which graphs are run in blocks of rows: small ones of one operator each, along the axis of the
 * rows and along another; and chains drawn at random, whose bits are those of the batch run at once
 * wherever they are run in blocks. */
#include "support/blocks.h"

enum { ROWS = 12, WIDTH = 4, DEPTH = 6, CHAINS = 600, LINKS_MAX = 5 };

static float numbers[ROWS * WIDTH * DEPTH];

static void ints_add(pb *g, const char *name, const int64_t *values, int64_t n) {
  initializer_add(g, name, HY_I64, &n, 1, values, (size_t)n * 8);
}

static pb graph_begin(void) {
  static const int64_t dims[] = {-1, WIDTH, DEPTH}, each[] = {ROWS, 1, 1};
  static const int64_t column[] = {ROWS, WIDTH, 1}, weights[] = {DEPTH, 3};
  float ones[ROWS * WIDTH];
  pb g = {0};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    numbers[i] = (float)((i * 7919 + 13) % 1009) / 500 - 1;
  for (size_t i = 0; i < ROWS * WIDTH; i++) ones[i] = (float)(i % WIDTH);
  port_add(&g, 11, "x", HY_F32, dims, 3);
  initializer_add(&g, "each", HY_F32, each, 3, numbers, ROWS * 4);
  initializer_add(&g, "alike", HY_F32, column, 3, ones, sizeof ones);
  initializer_add(&g, "w", HY_F32, weights, 2, numbers, DEPTH * 3 * 4);
  initializer_add(&g, "scale", HY_F32, &(int64_t){WIDTH}, 1, numbers, WIDTH * 4);
  initializer_add(&g, "bias", HY_F32, &(int64_t){DEPTH}, 1, numbers, DEPTH * 4);
  ints_add(&g, "i0", &(int64_t){0}, 1);
  ints_add(&g, "i1", &(int64_t){1}, 1);
  ints_add(&g, "i2", &(int64_t){2}, 1);
  ints_add(&g, "two", (int64_t[]){1, 0}, 2);
  ints_add(&g, "order", (int64_t[]){11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}, ROWS);
  ints_add(&g, "halves", (int64_t[]){ROWS / 2, 2 * WIDTH, DEPTH}, 3);
  ints_add(&g, "flat", (int64_t[]){-1, DEPTH}, 2);
  ints_add(&g, "lead0", (int64_t[]){1, 0, 0, 0, 0, 0}, 6);
  ints_add(&g, "lead1", (int64_t[]){0, 1, 0, 0, 0, 0}, 6);
  return g;
}

/* Takes the graph, whose output is "y". */
static bool blocks_of(pb *g, const char *name) {
  hy_model *model;
  hy_error err;
  const hy_tensor x = {.data = numbers, .dtype = HY_F32, .rank = 3, .dims = {ROWS, WIDTH, DEPTH}};
  port_add(g, 12, "y", HY_F32, NULL, -1);
  pb bytes = model_make(g, 17);
  if (hy_model_open_memory(runtime, bytes.data, bytes.n, NULL, &model, &err) != HY_OK)
    fail_msg("%s: %s", name, err.message);
  const bool blocks = every_way(model, &x, name);
  hy_model_destroy(model);
  pb_free(&bytes);
  return blocks;
}

typedef struct single {
  const char *op,
      *in;          /* several nodes: "Op in;in Op in", outputs of all but the last are a, b .. */
  const char *attr; /* of the last node; NULL: none */
  int64_t value;
  bool blocks;
} single;

static const single singles[] = {
    {"Relu", "x", NULL, 0, true},
    {"Softmax", "x", "axis", 0, false},
    {"Softmax", "x", "axis", 1, true},
    {"LayerNormalization", "x bias", "axis", -1, true},
    {"LayerNormalization", "x x", "axis", 0, false},
    {"TopK", "x i1", "axis", 0, false},
    {"TopK", "x i1", "axis", 2, true},
    {"CumSum", "x i0", NULL, 0, false},
    {"CumSum", "x i1", NULL, 0, true},
    {"ReduceSum", "x i0", NULL, 0, false},
    {"ReduceSum", "x i2", NULL, 0, true},
    {"ReduceSum", "x i1", "keepdims", 0, true},
    {"ReduceMean", "x", NULL, 0, false},
    {"Concat", "x x", "axis", 0, false},
    {"Concat", "x x", "axis", 2, true},
    {"Concat", "alike x", "axis", 2, true},
    {"Concat", "each each", "axis", 2, false},
    {"Gather", "x two", "axis", 0, false},
    {"Gather", "x order", "axis", 0, false},
    {"Gather", "x two", "axis", 1, true},
    {"Slice", "x i0 i1 i0", NULL, 0, false},
    {"Slice", "x i0 i1 i1", NULL, 0, true},
    {"Pad", "x lead0", NULL, 0, false},
    {"Pad", "x lead1", NULL, 0, true},
    {"Add", "x each", NULL, 0, false},
    {"Add", "x alike", NULL, 0, true},
    {"Add", "x bias", NULL, 0, true},
    {"MatMul", "x w", NULL, 0, true},
    {"Reshape", "x halves", NULL, 0, false},
    {"Reshape", "x flat", NULL, 0, true},
    {"MaxPool", "x", NULL, 0, true},
    {"BatchNormalization", "x scale scale scale scale", "training_mode", 0, true},
    {"BatchNormalization", "x scale scale scale scale", "training_mode", 1, false},
};

static void operators_by_their_axis(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof singles / sizeof *singles; i++) {
    const single *s = &singles[i];
    char name[64];
    pb g = graph_begin(), node = node_make(s->op, s->in, strcmp(s->op, "TopK") ? "y" : "y at");
    if (s->attr) attr_int(&node, s->attr, s->value);
    if (strcmp(s->op, "MaxPool") == 0) attr_ints(&node, "kernel_shape", &(int64_t){2}, 1);
    pb_message(&g, 1, &node);
    snprintf(name, sizeof name, "%s of %s, %d", s->op, s->in, (int)s->value);
    const bool blocks = blocks_of(&g, name);
    if (blocks != s->blocks) fail_msg("%s is %srun in blocks", name, blocks ? "" : "not ");
  }
}

/* What is known of the batch stays the batch's: a mean written with Shape. */
static void numbers_of_the_batch(void **state) {
  (void)state;
  pb g = graph_begin();
  node_add(&g, "Shape", "x", "shape");
  node_add(&g, "Gather", "shape i0", "n");
  pb node = node_make("Cast", "n", "count");
  attr_int(&node, "to", HY_F32);
  pb_message(&g, 1, &node);
  node_add(&g, "Div", "x count", "y");
  assert_true(blocks_of(&g, "x / n"));
  g = graph_begin();
  node_add(&g, "Shape", "x", "shape");
  node_add(&g, "Relu", "x", "a");
  node_add(&g, "Reshape", "a shape", "y");
  assert_true(blocks_of(&g, "reshape to the batch"));
}

/* Rows that are alike may be left out, but not of a table that is looked up too. */
static void a_table_stays_whole(void **state) {
  static const int64_t dims[] = {ROWS, 1, 1}, at[] = {ROWS - 1};
  (void)state;
  for (int first = 0; first < 2; first++) {
    pb g = graph_begin();
    float alike[ROWS];
    for (size_t i = 0; i < ROWS; i++) alike[i] = 2.5f;
    initializer_add(&g, "table", HY_F32, dims, 3, alike, sizeof alike);
    ints_add(&g, "last", at, 1);
    node_add(&g, first ? "Add" : "Relu", first ? "x table" : "x", "a");
    pb node = node_make("ReduceMax", "a", "b");
    attr_ints(&node, "axes", (int64_t[]){1, 2}, 2);
    pb_message(&g, 1, &node);
    node = node_make("ArgMax", "b", "index");
    attr_int(&node, "axis", 1);
    attr_int(&node, "keepdims", 0);
    pb_message(&g, 1, &node);
    ints_add(&g, "list", (int64_t[]){-1}, 1);
    node_add(&g, "Reshape", "index list", "indices");
    node_add(&g, "Add", "indices last", "place");
    node_add(&g, "Gather", "table place", "found");
    node_add(&g, first ? "Identity" : "Add", first ? "found" : "found table", "y");
    assert_int_equal(blocks_of(&g, "a table"), false);
  }
}

/* Rows against rows. */
static void products_of_rows(void **state) {
  (void)state;
  pb g = graph_begin(), node;
  node_add(&g, "Flatten", "x", "a");
  node_add(&g, "Transpose", "a", "b");
  node_add(&g, "MatMul", "a b", "y");
  assert_false(blocks_of(&g, "all pairs"));
  g = graph_begin();
  node = node_make("Transpose", "x", "a");
  attr_ints(&node, "perm", (int64_t[]){0, 2, 1}, 3);
  pb_message(&g, 1, &node);
  node_add(&g, "MatMul", "x a", "y");
  assert_true(blocks_of(&g, "pairs within a row"));
  g = graph_begin();
  node = node_make("Transpose", "x", "a");
  attr_ints(&node, "perm", (int64_t[]){1, 0, 2}, 3);
  pb_message(&g, 1, &node);
  node_add(&g, "Reshape", "a halves", "y");
  assert_false(blocks_of(&g, "rows within another axis"));
}

static void permuted(pb *g, const char *from, const char *to, const int64_t *perm, size_t n) {
  pb node = node_make("Transpose", from, to);
  attr_ints(&node, "perm", perm, n);
  pb_message(g, 1, &node);
}

/* Softmax(q k') v of two heads of x, its halves; the rows within the second axis as torch has them,
 * or the first. */
static bool attention_blocks(bool rows_second) {
  static const int64_t split[2][4] = {{-1, WIDTH, 2, DEPTH / 2}, {WIDTH, 2 * ROWS, DEPTH / 2}};
  static const int64_t join[2][3] = {{-1, WIDTH, DEPTH}, {WIDTH, ROWS, DEPTH}};
  static const int64_t swap[] = {1, 0, 2}, heads[2][4] = {{0, 2, 1, 3}, {1, 0, 2}};
  static const int64_t keys[2][4] = {{0, 1, 3, 2}, {0, 2, 1}};
  const size_t n = rows_second ? 3 : 4;
  const hy_tensor x = {.data = numbers, .dtype = HY_F32, .rank = 3, .dims = {ROWS, WIDTH, DEPTH}};
  bool found = false;
  pb g = graph_begin();
  hy_model *model;
  ints_add(&g, "split", split[rows_second], (int64_t)n);
  ints_add(&g, "join", join[rows_second], 3);
  permuted(&g, "x", "t", rows_second ? swap : (int64_t[]){0, 1, 2}, 3);
  node_add(&g, "Reshape", "t split", "s");
  permuted(&g, "s", "q", heads[rows_second], n);
  permuted(&g, "q", "k", keys[rows_second], n);
  node_add(&g, "MatMul", "q k", "scores");
  node_add(&g, "Softmax", "scores", "p");
  node_add(&g, "MatMul", "p q", "o");
  permuted(&g, "o", "a", heads[rows_second], n);
  node_add(&g, "Reshape", "a join", "b");
  permuted(&g, "b", "c", rows_second ? swap : (int64_t[]){0, 1, 2}, 3);
  node_add(&g, "MatMul", "c w", "y");
  port_add(&g, 12, "y", HY_F32, NULL, -1);
  pb bytes = model_make(&g, 17);
  assert_int_equal(hy_model_open_memory(runtime, bytes.data, bytes.n, NULL, &model, NULL), HY_OK);
  const bool blocks = every_way(model, &x, "attention");
  ran r = plan_run(model, &x, 3, NULL);
  for (size_t i = 0; i < r.plan->n_steps; i++)
    found = found || (r.plan->infos[i].op && !strcmp(r.plan->infos[i].op->name, "AttentionView"));
  assert_true(found);
  ran_close(&r);
  hy_model_destroy(model);
  pb_free(&bytes);
  return blocks;
}

static void attention_keeps_to_its_row(void **state) {
  (void)state;
  assert_true(attention_blocks(false));
  assert_true(attention_blocks(true));
}

/* --- chains --- */

typedef struct chain {
  pb g;
  int64_t dims[3];
  uint32_t seed;
  char text[400];
  int n; /* values so far: v0 is x */
} chain;

static uint32_t draw(chain *c, uint32_t below) {
  c->seed = c->seed * 1664525u + 1013904223u;
  return (c->seed >> 10) % below;
}

static const char *value(int n) {
  static char names[4][16];
  char *at = names[n % 4];
  snprintf(at, sizeof names[0], n ? "v%d" : "x", n);
  return at;
}

/* The node from the newest value (and `more`) to a new one. */
static pb link_make(chain *c, const char *op, const char *more) {
  char in[48];
  snprintf(in, sizeof in, "%s%s%s", value(c->n), *more ? " " : "", more);
  snprintf(c->text + strlen(c->text), sizeof c->text - strlen(c->text), " %s", op);
  c->n++;
  return node_make(op, in, value(c->n));
}

static void link_axis(chain *c, const char *op, const char *more, const char *attr, int64_t axis) {
  pb node = link_make(c, op, more);
  attr_int(&node, attr, axis);
  snprintf(c->text + strlen(c->text), sizeof c->text - strlen(c->text), "(%d)", (int)axis);
  pb_message(&c->g, 1, &node);
}

static void link_transpose(chain *c) {
  static const int64_t perms[][3] = {{0, 2, 1}, {1, 0, 2}, {2, 0, 1}, {2, 1, 0}};
  const int64_t *perm = perms[draw(c, 4)], was[3] = {c->dims[0], c->dims[1], c->dims[2]};
  pb node = link_make(c, "Transpose", "");
  attr_ints(&node, "perm", perm, 3);
  pb_message(&c->g, 1, &node);
  for (int d = 0; d < 3; d++) c->dims[d] = was[perm[d]];
}

/* Two axes into one, or one into two. */
static void link_reshape(chain *c) {
  char name[24];
  int64_t *d = c->dims, to[3] = {d[0] * d[1], d[2], 1};
  const uint32_t how = draw(c, 4);
  if (how == 1) to[0] = d[0], to[1] = d[1] * d[2];
  if (how == 2 && d[0] % 2 == 0) to[0] = 2, to[1] = d[0] / 2 * d[1], to[2] = d[2];
  if (how == 3) to[0] = 1, to[1] = d[0], to[2] = d[1] * d[2];
  snprintf(name, sizeof name, "shape%d", c->n);
  ints_add(&c->g, name, to, 3);
  pb node = link_make(c, "Reshape", name);
  pb_message(&c->g, 1, &node);
  memcpy(d, to, sizeof to);
}

static void link_add(chain *c) {
  const uint32_t axis = draw(c, 3), op = draw(c, 9);
  char index[4], more[40];
  snprintf(index, sizeof index, "i%u", axis);
  if (op == 0) link_axis(c, "Softmax", "", "axis", axis);
  if (op == 1) link_transpose(c);
  if (op == 2) link_reshape(c);
  if (op == 3) link_axis(c, "CumSum", index, "reverse", draw(c, 2));
  if (op == 4) link_axis(c, "ReduceSum", index, "keepdims", 1), c->dims[axis] = 1;
  if (op == 5 && c->dims[axis] < 64) {
    snprintf(more, sizeof more, "%s", value(c->n));
    link_axis(c, "Concat", more, "axis", axis), c->dims[axis] *= 2;
  }
  if (op == 6 && c->dims[axis] > 1) link_axis(c, "Gather", "two", "axis", axis), c->dims[axis] = 2;
  if (op == 7) { /* a value and its sums */
    snprintf(more, sizeof more, "%s", value(c->n));
    link_axis(c, "ReduceSum", index, "keepdims", 1);
    pb node = link_make(c, "Sub", more);
    pb_message(&c->g, 1, &node);
  }
  if (op == 8) {
    pb node = link_make(c, "Sigmoid", "");
    pb_message(&c->g, 1, &node);
  }
}

static void chains_at_random(void **state) {
  size_t n = 0;
  (void)state;
  for (uint32_t seed = 0; seed < CHAINS; seed++) {
    chain c = {.g = graph_begin(), .dims = {ROWS, WIDTH, DEPTH}, .seed = seed * 2654435761u};
    const uint32_t links = 1 + draw(&c, LINKS_MAX);
    for (uint32_t i = 0; i < links; i++) link_add(&c);
    node_add(&c.g, "Identity", value(c.n), "y");
    n += blocks_of(&c.g, c.text);
  }
  print_message("%zu of %d in blocks\n", n, (int)CHAINS);
  assert_true(n > CHAINS / 8 && n < CHAINS * 7 / 8);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(operators_by_their_axis),    cmocka_unit_test(numbers_of_the_batch),
      cmocka_unit_test(products_of_rows),           cmocka_unit_test(a_table_stays_whole),
      cmocka_unit_test(attention_keeps_to_its_row), cmocka_unit_test(chains_at_random)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
