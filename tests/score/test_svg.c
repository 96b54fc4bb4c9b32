/* SPDX-License-Identifier: Apache-2.0
 * The report's plots: what they do with holes, with nothing, and with names that hold markup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "score/svg.h"

typedef hy_status (*draw_fn)(const hy__svg_plot *, const hy_sink *, hy_error *);

static hy__buffer drawn(draw_fn draw, const hy__svg_plot *plot) {
  hy__buffer text;
  hy__buffer_init(&text, &hy__allocator_libc, 1 << 20);
  hy_sink sink = hy__buffer_sink(&text);
  assert_int_equal(draw(plot, &sink, NULL), HY_OK);
  return text;
}

static size_t count(const char *text, const char *word) {
  size_t n = 0;
  for (const char *at = text; (at = strstr(at, word)) != NULL; at += strlen(word)) n++;
  return n;
}

static void nothing_to_draw_is_still_a_plot(void **state) {
  (void)state;
  const double holes[3] = {NAN, INFINITY, NAN};
  hy__svg_plot plot = {
      .title = "t", .unit = "%", .series = {{"a", "accent", holes}}, .n_series = 1, .n = 3};
  const draw_fn draws[] = {hy__svg_lines, hy__svg_bars};
  for (size_t k = 0; k < HY_COUNT(draws); k++) {
    hy__buffer text = drawn(draws[k], &plot);
    assert_null(strstr(text.data, "nan"));
    assert_null(strstr(text.data, "inf"));
    assert_int_equal(count(text.data, "<svg"), 1);
    assert_int_equal(count(text.data, "</svg>"), 1);
    hy__buffer_destroy(&text);
  }
}

static void names_with_markup_are_text(void **state) {
  (void)state;
  const double half[1] = {0.5};
  const char *const labels[1] = {"<b>&\"x"};
  hy__svg_plot plot = {.title = "<t>",
                       .unit = "%",
                       .series = {{"a", "up", half}},
                       .n_series = 1,
                       .n = 1,
                       .labels = labels};
  hy__buffer text = drawn(hy__svg_shares, &plot);
  assert_non_null(strstr(text.data, "&lt;b&gt;&amp;&quot;x"));
  assert_null(strstr(text.data, "<b>"));
  assert_null(strstr(text.data, "<t>"));
  assert_non_null(strstr(text.data, "50.0%"));
  hy__buffer_destroy(&text);
}

static void long_lines_are_thinned(void **state) {
  (void)state;
  enum { N = 5000 };
  static double y[N];
  for (int k = 0; k < N; k++) y[k] = k;
  hy__svg_plot plot = {
      .title = "t", .unit = "", .series = {{"a", "accent", y}}, .n_series = 1, .n = N};
  hy__buffer text = drawn(hy__svg_lines, &plot);
  size_t points = count(text.data, "L") + count(text.data, "M");
  assert_in_range(points, 300, HY__SVG_POINTS_MAX);
  hy__buffer_destroy(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_to_draw_is_still_a_plot),
      cmocka_unit_test(names_with_markup_are_text),
      cmocka_unit_test(long_lines_are_thinned),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
