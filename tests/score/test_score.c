/* SPDX-License-Identifier: Apache-2.0
 * The score room through its interface and its writers: pipeline_models.c, border.c, job.c,
 * combine.c, result.c, assess.c, write_csv.c, write_json.c, report.c, table.c, folder.c. Values are
 * checked in tests/cli/test_score.py; here are the calls' contracts: refusals, ownership, memory
 * that cannot be had, threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "score/job.h"
#include "score/write.h"
#include "support/failing_allocator.h"

typedef struct place {
  char folder[64], universe[128], pipeline[128], linear[4096];
} place;

static void write_pipeline(const place *p, const char *rest) {
  FILE *f = fopen(p->pipeline, "w");
  assert_non_null(f);
  fprintf(
      f,
      "pipeline: test\nfeatures: 'r1=logret(close,1); r5=logret(close,5); range=(high-low)/close'\n"
      "models:\n  - {name: lin, file: %s, output: 'y[0]'}\n%s",
      p->linear, rest);
  fclose(f);
}

static hy_runtime *runtime_with(const hy_allocator *allocator, uint32_t n_threads) {
  hy_runtime *runtime = NULL;
  hy_runtime_options o = {.struct_size = sizeof o,
                          .allocator = allocator,
                          .n_threads = n_threads,
                          .no_pinning = true,
                          .log_level = HY_LOG_OFF};
  assert_int_equal(hy_runtime_create(&o, &runtime, NULL), HY_OK);
  return runtime;
}

static int make_place(void **state) {
  place *p = calloc(1, sizeof *p);
  (void)snprintf(p->folder, sizeof p->folder, "/tmp/hayate_score_XXXXXX");
  if (!p || !mkdtemp(p->folder)) return -1;
  (void)snprintf(p->universe, sizeof p->universe, "%s/u.h5", p->folder);
  (void)snprintf(p->pipeline, sizeof p->pipeline, "%s/p.yaml", p->folder);
  if (!realpath("tests/golden/score/linear.onnx", p->linear)) return -1;
  hy_runtime *runtime = runtime_with(NULL, 1);
  hy_generate_options o = {.struct_size = sizeof o,
                           .n_symbols = 21,
                           .n_bars = 120,
                           .timeframe = "1d",
                           .seed = 5,
                           .output = p->universe};
  hy_status status = hy_universe_generate(runtime, &o, NULL);
  hy_runtime_destroy(runtime);
  write_pipeline(p, "");
  *state = p;
  return status == HY_OK ? 0 : -1;
}

static int drop_place(void **state) {
  place *p = *state;
  char command[128];
  (void)snprintf(command, sizeof command, "rm -rf '%s'", p->folder);
  int status = system(command);
  free(p);
  return status;
}

static hy_status score(hy_runtime *runtime, const place *p, const hy_score_options *o,
                       hy_pipeline **pipeline, hy_score_result **result, hy_error *err) {
  hy_status status = hy_pipeline_open(runtime, p->pipeline, pipeline, err);
  if (status == HY_OK) status = hy_score_run(*pipeline, p->universe, o, result, err);
  return status;
}

static const hy_score_options everything = {.struct_size = sizeof everything, .evaluate = true};

static void writers_speak_of_the_same_run(void **state) {
  const place *p = *state;
  hy_runtime *runtime = runtime_with(NULL, 2);
  hy_pipeline *pipeline = NULL;
  hy_score_result *r = NULL;
  assert_int_equal(score(runtime, p, &everything, &pipeline, &r, NULL), HY_OK);
  assert_string_equal(hy_pipeline_name(pipeline), "test");
  hy__buffer text;
  hy__buffer_init(&text, &hy__allocator_libc, 16 << 20);
  hy_sink sink = hy__buffer_sink(&text);
  hy_error err;
  assert_int_equal(hy_score_write_table(r, 0, &sink, &err), HY_OK);
  assert_non_null(strstr(text.data, "21 of 21 symbols scored"));
  text.len_bytes = 0;
  assert_int_equal(hy_score_write_json(r, &sink, &err), HY_OK);
  assert_non_null(strstr(text.data, "\"symbols\":21"));
  text.len_bytes = 0;
  assert_int_equal(hy__write_scores(r, &sink, &err), HY_OK);
  size_t lines = 0;
  for (size_t k = 0; k < text.len_bytes; k++) lines += text.data[k] == '\n';
  assert_int_equal(lines, 1 + 120 * 21);
  text.len_bytes = 0;
  assert_int_equal(hy__write_report(r, &sink, &err), HY_OK);
  assert_non_null(strstr(text.data, "</html>"));
  hy__buffer_destroy(&text);
  hy_score_result_destroy(r);
  hy_pipeline_destroy(pipeline);
  hy_runtime_destroy(runtime);
}

static bool never(void *ctx, uint64_t done, uint64_t total, const char *unit) {
  (void)ctx, (void)done, (void)total, (void)unit;
  return false;
}

static void a_run_stops_when_it_is_asked(void **state) {
  const place *p = *state;
  hy_runtime *runtime = runtime_with(NULL, 1);
  const volatile int now = 1;
  hy_score_options by_flag = {.struct_size = sizeof by_flag, .cancel = &now};
  hy_score_options by_answer = {.struct_size = sizeof by_answer, .progress = never};
  const hy_score_options *all[] = {&by_flag, &by_answer};
  for (size_t k = 0; k < HY_COUNT(all); k++) {
    hy_pipeline *pipeline = NULL;
    hy_score_result *r = NULL;
    assert_int_equal(score(runtime, p, all[k], &pipeline, &r, NULL), HY_CANCELLED);
    assert_null(r);
    hy_pipeline_destroy(pipeline);
  }
  hy_runtime_destroy(runtime);
}

/* A sink that has room for so many bytes. */
static hy_status narrow(void *ctx, const void *data, size_t bytes, hy_error *err) {
  size_t *left = ctx;
  (void)data;
  if (bytes > *left) return hy__error_set(err, HY_IO, "full");
  *left -= bytes;
  return HY_OK;
}

static void a_sink_that_fails_is_heard(void **state) {
  const place *p = *state;
  hy_runtime *runtime = runtime_with(NULL, 1);
  hy_pipeline *pipeline = NULL;
  hy_score_result *r = NULL;
  assert_int_equal(score(runtime, p, &everything, &pipeline, &r, NULL), HY_OK);
  hy_status (*const writers[])(const hy_score_result *, const hy_sink *, hy_error *) = {
      hy_score_write_json, hy__write_scores,     hy__write_daily,
      hy__write_run,       hy__write_evaluation, hy__write_report};
  for (size_t k = 0; k < HY_COUNT(writers); k++) {
    for (size_t room = 0; room < 200; room += 50) {
      size_t left = room;
      hy_sink sink = {narrow, &left};
      assert_int_equal(writers[k](r, &sink, NULL), HY_IO);
    }
  }
  hy_score_result_destroy(r);
  hy_pipeline_destroy(pipeline);
  hy_runtime_destroy(runtime);
}

static void a_folder_is_written_whole_or_not_at_all(void **state) {
  const place *p = *state;
  failing_allocator fa;
  failing_allocator_init(&fa);
  hy_runtime *runtime = runtime_with(&fa.allocator, 1);
  hy_pipeline *pipeline = NULL;
  hy_score_result *r = NULL;
  assert_int_equal(score(runtime, p, &everything, &pipeline, &r, NULL), HY_OK);
  char out[128], command[192];
  (void)snprintf(out, sizeof out, "%s/out", p->folder);
  (void)snprintf(command, sizeof command, "test -z \"$(ls -A '%s')\"", out);
  hy_error err;
  size_t k = 1;
  for (;; k++) { /* each memory that writing asks for cannot be had in turn */
    failing_allocator_arm(&fa, k);
    hy_status status = hy_score_write_folder(r, out, true, &err);
    failing_allocator_arm(&fa, 0);
    if (status == HY_OK) break;
    assert_int_equal(status, HY_OUT_OF_MEMORY);
    assert_int_equal(system(command), 0);
  }
  assert_true(k > 3);
  (void)snprintf(command, sizeof command, "test $(ls -A '%s' | wc -l) = 6", out);
  assert_int_equal(system(command), 0);
  hy_score_result_destroy(r);
  hy_pipeline_destroy(pipeline);
  hy_runtime_destroy(runtime);
}

/* Opens, scores and evaluates with the k-th allocation failing, until none fails. */
static void no_memory_is_an_answer(void **state) {
  const place *p = *state;
  failing_allocator fa;
  failing_allocator_init(&fa);
  hy_runtime *runtime = runtime_with(&fa.allocator, 1);
  size_t before = fa.n_live, k = 1;
  for (;; k++) {
    hy_pipeline *pipeline = NULL;
    hy_score_result *r = NULL;
    hy_error err;
    fa.n_calls = 0;
    fa.fail_at = k;
    hy_status status = score(runtime, p, &everything, &pipeline, &r, &err);
    bool reached = fa.n_calls >= k;
    fa.fail_at = 0;
    hy_score_result_destroy(r);
    hy_pipeline_destroy(pipeline);
    if (k == 1) before = fa.n_live; /* what the runtime keeps from its first use */
    if (fa.n_live != before) fail_msg("allocation %zu: %zu blocks kept", k, fa.n_live - before);
    if (!reached) {
      assert_int_equal(status, HY_OK);
      break;
    }
    if (status != HY_OUT_OF_MEMORY) fail_msg("allocation %zu: %s", k, hy_status_name(status));
  }
  assert_true(k > 20);
  hy_runtime_destroy(runtime);
}

static void words_of_flags(void **state) {
  (void)state;
  assert_string_equal(hy__flag_word(HY__FLAG_SHORT_HISTORY), "short_history");
  assert_string_equal(hy__flag_word(250), "unknown");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(writers_speak_of_the_same_run),
      cmocka_unit_test(a_run_stops_when_it_is_asked),
      cmocka_unit_test(a_sink_that_fails_is_heard),
      cmocka_unit_test(a_folder_is_written_whole_or_not_at_all),
      cmocka_unit_test(no_memory_is_an_answer),
      cmocka_unit_test(words_of_flags),
  };
  return cmocka_run_group_tests(tests, make_place, drop_place);
}
