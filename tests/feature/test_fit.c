/* SPDX-License-Identifier: Apache-2.0
 * Fits in a program: constants of symbols in batch and stream, snapshots of another fit refused,
 * fits that are not of the spec or not whole refused with their place, and what differs named. */
#include <unistd.h>

#include "feature/fit/fit_file.h"
#include "feature/panel.h"
#include "support/runtime.h"

enum { N_BARS = 40, N_SYMBOLS = 11 };

static const char *const spec = "features: [\"a = close\", \"b = open\"]\n"
                                "norm: [{in: a, fit_z: true}, {in: b, fit_minmax: {per: symbol}}]";

/* A fit by hand: close by (x - center) / 2, open of S001 and S004 alone. */
static hy_features *fitted(const char *yaml, double center, char text[4096]) {
  static const char *const symbols[] = {"S001", "S004"};
  static const hy__fit_constants each[] = {{3, 1, 4}, {5, -2, 0.5}};
  const hy__fit_constants all = {N_BARS, center, 2};
  const hy__fit_entry entries[] = {{.feature = "a", .step = "fit_z", .n = 1, .constants = &all},
                                   {.feature = "b",
                                    .step = "fit_minmax",
                                    .per_symbol = true,
                                    .n = 2,
                                    .symbols = symbols,
                                    .constants = each}};
  const hy__fit_source none = {.none = true};
  hy_features *f;
  hy_error err;
  char hex[65], path[] = "/tmp/hayate_fit_XXXXXX";
  if (features_parse(runtime, yaml, &none, &f, &err) != HY_OK) fail_msg("%s", err.message);
  hy_features_info info = {.struct_size = sizeof info};
  hy_features_describe(f, &info);
  assert_string_equal(info.fit_sha256, "");
  const hy__fit fit = {.spec_sha256 = info.spec_sha256,
                       .spec = info.canonical,
                       .from = "then",
                       .to = "later",
                       .n_bars = N_BARS,
                       .n_symbols = 2,
                       .entries = entries,
                       .n_entries = 2};
  const int file = mkstemp(path);
  assert_true(file >= 0);
  (void)close(file);
  if (hy__fit_write(&hy__allocator_libc, &fit, path, hex, &err) != HY_OK)
    fail_msg("%s", err.message);
  FILE *in = fopen(path, "r");
  const size_t bytes = fread(text, 1, 4095, in);
  (void)fclose(in);
  (void)unlink(path);
  text[bytes] = 0;
  hy_features_destroy(f);
  const hy__fit_source source = {.path = "a fit", .data = text, .bytes = bytes};
  if (features_parse(runtime, yaml, &source, &f, &err) != HY_OK) fail_msg("%s", err.message);
  hy_features_describe(f, &info);
  assert_string_equal(info.fit_sha256, hex);
  return f;
}

static void constants_reach_their_symbols(void **state) {
  (void)state;
  char text[4096];
  hy_features *f = fitted(spec, 1.5, text);
  panel p = panel_make(N_BARS, N_SYMBOLS, 100, true);
  hy_universe *u = panel_open(runtime, &p);
  answer a = compute_range(f, u, (hy__feature_range){0});
  hy_feature_stream *s = panel_stream(f, &p);
  for (size_t t = 0; t < N_BARS; t++) {
    double live[N_SYMBOLS * 2];
    const double *fields[PANEL_FIELDS];
    for (size_t k = 0; k < PANEL_FIELDS; k++) fields[k] = p.data[k] + t * N_SYMBOLS;
    const hy_bar_row row = {sizeof row, p.time_ns[t], fields, p.valid + t * N_SYMBOLS};
    assert_int_equal(hy_feature_stream_update(s, &row, live, NULL, NULL), HY_OK);
    for (size_t k = 0; k < N_SYMBOLS; k++) {
      const size_t cell = t * N_SYMBOLS + k;
      const double x = p.valid[cell] ? p.data[3][cell] : NAN;
      const double y = !p.valid[cell] ? NAN : p.data[0][cell];
      const double z = k == 1 ? (y - 1) / 4 : k == 4 ? (y + 2) / 0.5 : NAN;
      const double want[2] = {(x - 1.5) / 2, z};
      for (size_t i = 0; i < 2; i++) {
        const double have = *answer_at(&a, i, t, k);
        assert_true(isnan(want[i]) ? isnan(have) : have == want[i]);
        assert_memory_equal(&have, &live[k * 2 + i], sizeof have);
      }
    }
  }
  hy_feature_stream_destroy(s);
  free(a.values);
  hy_universe_destroy(u);
  panel_free(&p);
  hy_features_destroy(f);
}

static void a_snapshot_of_another_fit_is_refused(void **state) {
  (void)state;
  char text[4096];
  hy_features *f = fitted(spec, 1.5, text), *other = fitted(spec, 1.6, text);
  panel p = panel_make(2, N_SYMBOLS, 0, false);
  hy_universe *u = panel_open(runtime, &p);
  hy_feature_stream *s = panel_stream(f, &p), *same = panel_stream(f, &p),
                    *wrong = panel_stream(other, &p);
  hy_feature_stream_info info = {.struct_size = sizeof info};
  hy_error err = {0};
  hy_feature_stream_describe(s, &info);
  void *shot = panel_alloc(info.snapshot_bytes, 1);
  assert_int_equal(hy_feature_stream_snapshot(s, shot, info.snapshot_bytes, NULL), HY_OK);
  assert_int_equal(hy_feature_stream_restore(same, shot, info.snapshot_bytes, &err), HY_OK);
  assert_int_equal(hy_feature_stream_restore(wrong, shot, info.snapshot_bytes, &err), HY_MISMATCH);
  assert_non_null(strstr(err.message, "the snapshot is of the fit "));
  free(shot);
  hy_feature_stream_destroy(s);
  hy_feature_stream_destroy(same);
  hy_feature_stream_destroy(wrong);
  hy_universe_destroy(u);
  panel_free(&p);
  hy_features_destroy(f);
  hy_features_destroy(other);
}

/* `from` in the text becomes `to`. */
static void check_refused(const char *whole, const char *from, const char *to,
                          const char *message) {
  char text[4096];
  const char *at = strstr(whole, from);
  hy_features *f = NULL;
  hy_error err = {0};
  assert_non_null(at);
  (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from));
  const hy__fit_source source = {.path = "a fit", .data = text, .bytes = strlen(text)};
  assert_int_not_equal(features_parse(runtime, spec, &source, &f, &err), HY_OK);
  if (strncmp(err.message, message, strlen(message)) || strcmp(err.subject, "a fit"))
    fail_msg("%s: %s", err.subject, err.message);
}

static void what_is_not_whole_is_refused(void **state) {
  (void)state;
  char text[4096];
  hy_features_destroy(fitted(spec, 1.5, text));
  static const char *const changed = "the fit's contents have changed: their SHA-256 is ";
  check_refused(text, "40 1.5 2", "40 1.5 2.0000000000000004", changed);
  check_refused(text, "S004", "S005", changed);
  check_refused(text, "\"from\": \"then\"", "\"from\": \"now\"", changed);
  check_refused(text, "40 1.5 2", "40 1.5", "a count, a center and a scale were expected");
  check_refused(text, "40 1.5 2", "40 1.5 2 ", "a count, a center and a scale were expected");
  check_refused(text, "40 1.5 2", "-1 1.5 2", "a count, a center and a scale were expected");
  check_refused(text, "40 1.5 2", "40 nan 2", "a count, a center and a scale were expected");
  check_refused(text, "40 1.5 2", "40 1.5 inf", "a count, a center and a scale were expected");
  check_refused(text, "S004", "S000", "symbols: S000 does not come after S001");
  check_refused(text, "\"per\": \"symbol\"", "\"per\": \"pooled\"", "per: pooled goes with");
  check_refused(text, "\"sha256\"", "\"sha\"", "unknown key");
  check_refused(text, "\"hayate_fit\": 1", "\"hayate_fit\": 2", "hayate_fit: version 1 was");
  /* spaces and comments are nobody's contents */
  char loose[4200];
  hy_features *f;
  (void)snprintf(loose, sizeof loose, "# made in spring\n%s\n\n", text);
  const hy__fit_source source = {.path = "a fit", .data = loose, .bytes = strlen(loose)};
  assert_int_equal(features_parse(runtime, spec, &source, &f, NULL), HY_OK);
  hy_features_destroy(f);
}

static void the_first_difference_is_named(void **state) {
  (void)state;
  static const struct {
    const char *a, *b, *want;
  } cases[] = {
      {"{\"a\":1,\"b\":[{\"c\":\"x\"},{\"c\":\"y\",\"d\":2}]}",
       "{\"a\":1,\"b\":[{\"c\":\"x\"},{\"c\":\"z\",\"d\":2}]}",
       "b[1].c is \"y\" here, \"z\" there"},
      {"{\"a\":{\"n\":20},\"b\":1}", "{\"a\":{\"n\":21},\"b\":1}", "a.n is 20 here, 21 there"},
      {"{\"a\":[1,2]}", "{\"a\":[1,2,3]}", "a[1] is 2 here, 2 there"},
      {"{\"a\":\"x\\\"y\"}", "{\"a\":\"x\\\"z\"}", "a is \"x\\\"y\" here, \"x\\\"z\" there"},
      {"{\"a\":1}", "", " is "},
      {"", "{", " is "},
      {"same", "same", "the forms are equal, their hashes were made otherwise"},
  };
  for (size_t i = 0; i < HY_COUNT(cases); i++) {
    char text[HY__DIFFERENCE_BYTES];
    hy__canonical_difference(cases[i].a, cases[i].b, text);
    if (strncmp(text, cases[i].want, strlen(cases[i].want))) fail_msg("%s", text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(constants_reach_their_symbols),
      cmocka_unit_test(a_snapshot_of_another_fit_is_refused),
      cmocka_unit_test(what_is_not_whole_is_refused),
      cmocka_unit_test(the_first_difference_is_named),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
