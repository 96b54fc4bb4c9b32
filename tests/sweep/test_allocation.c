/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that cannot be had: every path that makes an object is run again and again, each time with
 * the next allocation failing. It must answer OUT_OF_MEMORY and give back all that it took; the
 * run in which nothing fails any more ends the sweep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <hayate/hayate.h>

#include "engine/session.h"
#include "support/failing_allocator.h"

typedef hy_status (*path_fn)(hy_runtime *runtime, hy_error *err);

/* One run with one thread; what the runtime itself takes is swept too. */
static hy_status run_once(path_fn path, failing_allocator *fa, hy_error *err) {
  hy_runtime_options options = {.struct_size = sizeof options,
                                .allocator = &fa->allocator,
                                .n_threads = 1,
                                .log_level = HY_LOG_OFF};
  hy_runtime *runtime = NULL;
  hy_error_clear(err);
  hy_status status = hy_runtime_create(&options, &runtime, err);
  if (status == HY_OK) status = path(runtime, err);
  hy_runtime_destroy(runtime);
  return status;
}

static void sweep(const char *what, path_fn path) {
  for (size_t k = 1;; k++) {
    failing_allocator fa;
    hy_error err;
    failing_allocator_init(&fa);
    failing_allocator_arm(&fa, k);
    hy_status status = run_once(path, &fa, &err);
    if (fa.n_live || fa.live_bytes)
      fail_msg("%s: allocation %zu failed: %zu blocks, %zu bytes not given back (%s)", what, k,
               (size_t)fa.n_live, (size_t)fa.live_bytes, hy_status_name(status));
    if (fa.n_calls < k) {
      if (status != HY_OK) fail_msg("%s: %s", what, err.message);
      print_message("%s: %zu allocations\n", what, (size_t)fa.n_calls);
      return;
    }
    if (status != HY_OUT_OF_MEMORY)
      fail_msg("%s: allocation %zu failed, the answer was %s (%s)", what, k, hy_status_name(status),
               err.message);
    assert_int_equal(err.status, HY_OUT_OF_MEMORY);
  }
}

static hy_status runtime_alone(hy_runtime *runtime, hy_error *err) {
  (void)runtime, (void)err;
  return HY_OK;
}

static hy_status arrays_read(hy_runtime *runtime, hy_error *err) {
  hy_arrays *arrays = NULL;
  hy_status status = hy_arrays_read(runtime, "tests/golden/onnx/lgbm_reg/input.npz", &arrays, err);
  hy_arrays_destroy(arrays);
  return status;
}

/* A model of the goldens on its golden input: open, plan, run twice. */
static hy_status model_run(hy_runtime *runtime, const char *folder, bool evaluated, hy_error *err) {
  char path[256];
  hy_model *model = NULL;
  hy_arrays *arrays = NULL;
  hy_session *session = NULL;
  (void)snprintf(path, sizeof path, "tests/golden/%s/model.onnx", folder);
  hy_status status = hy_model_open(runtime, path, NULL, &model, err);
  (void)snprintf(path, sizeof path, "tests/golden/%s/input.npz", folder);
  if (status == HY_OK) status = hy_arrays_read(runtime, path, &arrays, err);
  if (status == HY_OK) status = hy_session_create(model, NULL, &session, err);
  for (int k = 0; status == HY_OK && k < 2; k++) {
    hy_tensor in[16], out[16] = {{.data = NULL}};
    size_t n_in = hy_model_n_inputs(model), n_out = hy_session_n_outputs(session);
    assert_true(n_in <= 16 && n_out <= 16);
    for (size_t i = 0; i < n_in; i++) {
      const hy_tensor *found = hy_arrays_find(arrays, hy_model_input(model, i)->name);
      assert_non_null(found);
      in[i] = *found;
    }
    if (evaluated) session->evaluates = true;
    status = hy_session_run(session, in, n_in, out, n_out, err);
  }
  hy_session_destroy(session);
  hy_arrays_destroy(arrays);
  hy_model_destroy(model);
  return status;
}

static hy_status model_trees(hy_runtime *runtime, hy_error *err) {
  return model_run(runtime, "onnx/lgbm_reg", false, err);
}

static hy_status model_lstm(hy_runtime *runtime, hy_error *err) {
  return model_run(runtime, "onnx/torch_lstm_last_dynamo", false, err);
}

static hy_status model_loop(hy_runtime *runtime, hy_error *err) {
  return model_run(runtime, "onnx_op/Loop_13", false, err);
}

static hy_status model_scan(hy_runtime *runtime, hy_error *err) {
  return model_run(runtime, "onnx_op/Scan_11", false, err);
}

static hy_status model_sequences(hy_runtime *runtime, hy_error *err) {
  return model_run(runtime, "onnx_op/Sequences_17", false, err);
}

static hy_status model_evaluated(hy_runtime *runtime, hy_error *err) {
  return model_run(runtime, "onnx_op/Loop_13", true, err);
}

static hy_status model_if_evaluated(hy_runtime *runtime, hy_error *err) {
  return model_run(runtime, "onnx_op/If_16", true, err);
}

enum { BARS = 40, SYMBOLS = 9 };

static hy_status panel_opened(hy_runtime *runtime, hy_universe **out, hy_error *err) {
  static int64_t time_ns[BARS];
  static double close[BARS * SYMBOLS];
  static const char *const symbols[SYMBOLS] = {"A", "B", "C", "D", "E", "F", "G", "H", "I"};
  static const char *const fields[1] = {"close"};
  const double *data[1] = {close};
  for (int t = 0; t < BARS; t++) {
    time_ns[t] = (int64_t)(t + 1) * 86400 * 1000000000;
    for (int s = 0; s < SYMBOLS; s++) close[t * SYMBOLS + s] = 100 + (t * 7 + s * 3) % 11;
  }
  hy_panel panel = {.struct_size = sizeof panel,
                    .n_bars = BARS,
                    .n_symbols = SYMBOLS,
                    .n_fields = 1,
                    .time_ns = time_ns,
                    .symbols = symbols,
                    .fields = fields,
                    .data = data,
                    .timeframe = "1d"};
  return hy_universe_from_panel(runtime, &panel, out, err);
}

/* The features of `spec` over the panel. */
static hy_status features_of(hy_runtime *runtime, const char *spec, hy_error *err) {
  enum { MOST = 8 };
  static double values[MOST][BARS * SYMBOLS];
  double *out[MOST];
  hy_universe *universe = NULL;
  hy_features *features = NULL;
  hy_features_info info = {.struct_size = sizeof info};
  hy_status status = panel_opened(runtime, &universe, err);
  if (status == HY_OK) status = hy_features_create(runtime, spec, &features, err);
  if (status == HY_OK) {
    hy_features_describe(features, &info);
    assert_true(info.n_features <= MOST);
    for (size_t f = 0; f < info.n_features; f++) out[f] = values[f];
    status = hy_features_compute(features, universe, 0, BARS, out, NULL, err);
  }
  hy_features_destroy(features);
  hy_universe_destroy(universe);
  return status;
}

static hy_status features_inline(hy_runtime *runtime, hy_error *err) {
  return features_of(runtime,
                     "ma=sma(close,5); rsi(close,7); macd(close,3,6,4).signal; cs.rank(ma)", err);
}

/* One series, in one piece and in eight; the plan is made at the first call. */
static hy_status features_call(hy_runtime *runtime, hy_error *err) {
  enum { ROWS = 600 };
  static double close[ROWS], values[2][ROWS];
  static int32_t places[ROWS];
  static const char *const specs[] = {"rsi(close, 5); sma(close, 3); argmax(close, 7)",
                                      "sma(close, 9); sma(close, 3); argmax(close, 7)"};
  static const hy_answer answers[] = {HY_ANSWER_ZERO, HY_ANSWER_F64, HY_ANSWER_ROW};
  const hy_feature_call_options options = {.struct_size = sizeof options,
                                           .fields = (const char *const[]){"close"},
                                           .n_fields = 1,
                                           .answers = answers,
                                           .window_bars = 7};
  hy_status status = HY_OK;
  for (int t = 0; t < ROWS; t++) close[t] = 100 + t * 7 % 11;
  for (int k = 0; k < 2 && status == HY_OK; k++) {
    hy_features *features = NULL;
    hy_feature_call *call = NULL;
    status = hy_features_create(runtime, specs[k], &features, err);
    if (status == HY_OK) status = hy_feature_call_create(features, &options, &call, err);
    if (status == HY_OK)
      status = hy_feature_call_run(call, ROWS, err, close, values[0], values[1], places);
    hy_feature_call_destroy(call);
    hy_features_destroy(features);
  }
  return status;
}

static hy_status features_series(hy_runtime *runtime, hy_error *err) {
  static double close[BARS], values[BARS];
  const hy_series series = {.struct_size = sizeof series,
                            .n_bars = BARS,
                            .n_fields = 1,
                            .fields = (const char *const[]){"close"},
                            .data = (const double *const[]){close}};
  hy_features *features = NULL;
  hy_status status = hy_features_create(runtime, "ema(close, 5)", &features, err);
  if (status == HY_OK)
    status = hy_features_compute_series(features, &series, (double *const[]){values}, err);
  hy_features_destroy(features);
  return status;
}

static hy_status features_file(hy_runtime *runtime, hy_error *err) {
  hy_features *features = NULL;
  hy_status status =
      hy_features_create(runtime, "examples/us20-daily/features.yaml", &features, err);
  hy_features_destroy(features);
  return status;
}

static hy_status universe_file(hy_runtime *runtime, hy_error *err) {
  char path[1024];
  const char *build = getenv("HAYATE_BUILD");
  (void)snprintf(path, sizeof path, "%s/sweep-XXXXXX.h5", build ? build : "build/release");
  int fd = mkstemps(path, 3);
  if (fd >= 0) (void)close(fd);
  hy_generate_options options = {
      .struct_size = sizeof options, .n_symbols = 9, .n_bars = 30, .output = path};
  hy_universe *universe = NULL;
  double row[9];
  hy_status status = hy_universe_generate(runtime, &options, err);
  if (status == HY_OK) status = hy_universe_open(runtime, path, &universe, err);
  if (status == HY_OK) status = hy_universe_read(universe, "close", 0, 1, row, err);
  hy_universe_destroy(universe);
  (void)unlink(path);
  return status;
}

static char score_universe[1024];

static hy_status to_nowhere(void *ctx, const void *data, size_t bytes, hy_error *err) {
  (void)ctx, (void)data, (void)bytes, (void)err;
  return HY_OK;
}

/* A model packed, and the file verified. */
static hy_status pack_and_verify(hy_runtime *runtime, hy_error *err) {
  char path[sizeof score_universe + 4];
  bool ok = false;
  const hy_sink sink = {to_nowhere, NULL};
  (void)snprintf(path, sizeof path, "%s.hyp", score_universe);
  hy_status status =
      hy_pack_write(runtime, "tests/golden/onnx/torch_mlp_legacy/model.onnx", path, NULL, err);
  if (status == HY_OK) status = hy_pack_verify(runtime, path, true, &sink, &ok, err);
  if (status == HY_OK) assert_true(ok);
  (void)unlink(path);
  return status;
}

static hy_status inspected(hy_runtime *runtime, hy_error *err) {
  hy_model *model = NULL;
  const hy_sink sink = {to_nowhere, NULL};
  hy_status status =
      hy_model_open(runtime, "tests/golden/onnx/torch_mlp_legacy/model.onnx", NULL, &model, err);
  if (status == HY_OK) status = hy_model_inspect(model, NULL, true, &sink, err);
  hy_model_destroy(model);
  return status;
}

/* The whole job on a small universe, evaluated; what fails inside is the run's failure, never a
 * symbol's line. */
static hy_status score_run(hy_runtime *runtime, hy_error *err) {
  hy_pipeline *pipeline = NULL;
  hy_score_result *result = NULL;
  hy_score_options options = {
      .struct_size = sizeof options, .from = "2000-01-01", .evaluate = true};
  hy_status status = hy_pipeline_open(runtime, "examples/us20-daily/pipeline.yaml", &pipeline, err);
  if (status == HY_OK) status = hy_score_run(pipeline, score_universe, &options, &result, err);
  hy_score_result_destroy(result);
  hy_pipeline_destroy(pipeline);
  return status;
}

static int make_universe(void **state) {
  (void)state;
  const char *build = getenv("HAYATE_BUILD");
  (void)snprintf(score_universe, sizeof score_universe, "%s/sweep-XXXXXX.h5",
                 build ? build : "build/release");
  int fd = mkstemps(score_universe, 3);
  if (fd < 0) return -1;
  (void)close(fd);
  hy_runtime *runtime = NULL;
  hy_generate_options options = {.struct_size = sizeof options,
                                 .n_symbols = 11,
                                 .n_bars = 60,
                                 .timeframe = "1d",
                                 .output = score_universe};
  hy_status status = hy_runtime_create(NULL, &runtime, NULL);
  if (status == HY_OK) status = hy_universe_generate(runtime, &options, NULL);
  hy_runtime_destroy(runtime);
  return status == HY_OK ? 0 : -1;
}

static int drop_universe(void **state) {
  (void)state;
  return unlink(score_universe);
}

#define TEST(name)                                                                                 \
  static void test_##name(void **state) { (void)state, sweep(#name, name); }
TEST(runtime_alone)
TEST(arrays_read)
TEST(model_trees)
TEST(model_lstm)
TEST(model_loop)
TEST(model_scan)
TEST(model_sequences)
TEST(model_evaluated)
TEST(model_if_evaluated)
TEST(features_inline)
TEST(features_call)
TEST(features_series)
TEST(features_file)
TEST(universe_file)
TEST(pack_and_verify)
TEST(inspected)
TEST(score_run)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_runtime_alone),      cmocka_unit_test(test_arrays_read),
      cmocka_unit_test(test_model_trees),        cmocka_unit_test(test_model_lstm),
      cmocka_unit_test(test_model_loop),         cmocka_unit_test(test_model_scan),
      cmocka_unit_test(test_model_sequences),    cmocka_unit_test(test_model_evaluated),
      cmocka_unit_test(test_model_if_evaluated), cmocka_unit_test(test_features_inline),
      cmocka_unit_test(test_features_call),      cmocka_unit_test(test_features_series),
      cmocka_unit_test(test_features_file),      cmocka_unit_test(test_universe_file),
      cmocka_unit_test(test_pack_and_verify),    cmocka_unit_test(test_inspected),
      cmocka_unit_test(test_score_run),
  };
  return cmocka_run_group_tests(tests, make_universe, drop_universe);
}
