/* SPDX-License-Identifier: Apache-2.0
 * Plots as SVG text that takes its colours from the page's CSS variables: lines, bars, horizontal
 * bars. */
#ifndef HY_SCORE_SVG_H
#define HY_SCORE_SVG_H

#include "base/base.h"

enum { HY__SVG_SERIES_MAX = 4, HY__SVG_POINTS_MAX = 600 };

typedef struct hy__svg_series {
  const char *label;
  const char *colour; /* a CSS variable's name: "accent" */
  const double *y;    /* n values, NaN leaves a hole */
} hy__svg_series;

typedef struct hy__svg_plot {
  const char *title, *unit; /* unit: "%" multiplies by 100 */
  hy__svg_series series[HY__SVG_SERIES_MAX];
  size_t n_series, n;
  const int64_t *time_ns;    /* labels of the x axis; NULL: none */
  const char *const *labels; /* of bars; NULL: numbers from 1 */
} hy__svg_plot;

/* Lines over n points; more than HY__SVG_POINTS_MAX are thinned by taking each bucket's last value.
 */
HY_CHECKED hy_status hy__svg_lines(const hy__svg_plot *plot, const hy_sink *sink, hy_error *err);
/* Bars from zero of the first series; a second series is drawn as a line over them. */
HY_CHECKED hy_status hy__svg_bars(const hy__svg_plot *plot, const hy_sink *sink, hy_error *err);
/* Horizontal bars of shares 0..1 with labels. */
HY_CHECKED hy_status hy__svg_shares(const hy__svg_plot *plot, const hy_sink *sink, hy_error *err);
/* Text with <, >, & and quotes made safe. */
HY_CHECKED hy_status hy__html_text(const char *text, const hy_sink *sink, hy_error *err);

#endif
