/* SPDX-License-Identifier: Apache-2.0
 * The plots of report.html. Sizes are in the drawing's own units; the page scales it to its width.
 */
#include <math.h>
#include <stdio.h>

#include "market/market.h"
#include "score/svg.h"

enum {
  WIDTH = 460,
  HEIGHT = 240,
  LEFT = 56,
  RIGHT = 12,
  TOP = 12,
  BOTTOM = 28,
  ROW = 20,
  LABEL = 150
};

typedef struct axis {
  double low, high, step;
} axis;

hy_status hy__html_text(const char *text, const hy_sink *sink, hy_error *err) {
  for (; *text; text++) {
    const char *safe = *text == '<'   ? "&lt;"
                       : *text == '>' ? "&gt;"
                       : *text == '&' ? "&amp;"
                       : *text == '"' ? "&quot;"
                                      : NULL;
    HY_TRY(safe ? hy__sink_text(sink, safe, err) : hy__sink_write(sink, text, 1, err));
  }
  return HY_OK;
}

/* A step of 1, 2 or 5 times a power of ten, about n of them over the span. */
static double nice_step(double span, double n) {
  double raw = span / n, power = pow(10, floor(log10(raw)));
  double share = raw / power;
  return power * (share < 1.5 ? 1 : share < 3.5 ? 2 : share < 7.5 ? 5 : 10);
}

/* The smallest and largest finite value so far. */
typedef struct extent {
  double low, high;
} extent;

static void extend(extent *e, const double *y, size_t n) {
  for (size_t k = 0; k < n; k++) {
    if (!isfinite(y[k])) continue;
    e->low = fmin(e->low, y[k]);
    e->high = fmax(e->high, y[k]);
  }
}

static axis axis_over(extent e) {
  if (!(e.low <= e.high)) e = (extent){0, 1};
  if (e.high - e.low < 1e-12) e.high = e.low + (fabs(e.low) > 0 ? fabs(e.low) * 0.1 : 1);
  axis a = {.step = nice_step(e.high - e.low, 5)};
  a.low = floor(e.low / a.step) * a.step;
  a.high = ceil(e.high / a.step) * a.step;
  return a;
}

static double y_of(const axis *a, double v) {
  return TOP + (HEIGHT - TOP - BOTTOM) * (a->high - v) / (a->high - a->low);
}

static double x_of(size_t k, size_t n) {
  return LEFT + (WIDTH - LEFT - RIGHT) * (n > 1 ? (double)k / (double)(n - 1) : 0.5);
}

static hy_status open_svg(const char *title, int height, const hy_sink *sink, hy_error *err) {
  HY_TRY(hy__sink_printf(sink, err, "<figure><figcaption>"));
  HY_TRY(hy__html_text(title, sink, err));
  HY_TRY(hy__sink_printf(sink, err,
                         "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
                         WIDTH, height));
  HY_TRY(hy__html_text(title, sink, err));
  return hy__sink_text(sink, "\">", err);
}

static hy_status draw_grid(const hy__svg_plot *p, const axis *a, const hy_sink *sink,
                           hy_error *err) {
  bool percent = strcmp(p->unit, "%") == 0;
  double factor = percent ? 100 : 1;
  for (int k = 0; k <= 20; k++) {
    double v = a->low + k * a->step;
    if (v > a->high + a->step * 0.5) break;
    double y = y_of(a, v);
    bool zero = fabs(v) < a->step * 1e-6;
    HY_TRY(hy__sink_printf(sink, err,
                           "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>"
                           "<text x=\"%d\" y=\"%.1f\" class=\"ylabel\">%.4g%s</text>",
                           LEFT, WIDTH - RIGHT, y, y, zero ? "zero" : "grid", LEFT - 6, y + 4,
                           zero ? 0.0 : v * factor, p->unit));
  }
  return HY_OK;
}

static hy_status draw_times(const hy__svg_plot *p, const hy_sink *sink, hy_error *err) {
  if (!p->time_ns || p->n == 0) return HY_OK;
  const size_t ticks = 3;
  for (size_t k = 0; k < ticks; k++) {
    size_t at = (p->n - 1) * k / (ticks - 1);
    char text[40];
    hy__time_format(p->time_ns[at], text);
    /* Days where the axis spans days, else hours and minutes. */
    bool days = p->time_ns[p->n - 1] - p->time_ns[0] > (int64_t)2 * 86400 * 1000000000;
    const char *anchor = k == 0 ? "start" : k + 1 == ticks ? "end" : "middle";
    HY_TRY(hy__sink_printf(sink, err, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%.*s</text>",
                           x_of(at, p->n), HEIGHT - 8, anchor, days ? 10 : 5,
                           days ? text : text + 11));
  }
  return HY_OK;
}

static hy_status draw_line(const hy__svg_plot *p, const hy__svg_series *s, const axis *a,
                           const hy_sink *sink, hy_error *err) {
  HY_TRY(hy__sink_printf(sink, err, "<path style=\"stroke:var(--%s)\" class=\"line\" d=\"",
                         s->colour));
  size_t step = (p->n + HY__SVG_POINTS_MAX - 1) / HY__SVG_POINTS_MAX;
  bool pen_down = false;
  for (size_t k = 0; k < p->n; k += step) {
    size_t at = HY_MIN(k + step - 1, p->n - 1);
    if (!isfinite(s->y[at])) continue;
    HY_TRY(hy__sink_printf(sink, err, "%c%.1f %.1f", pen_down ? 'L' : 'M', x_of(at, p->n),
                           y_of(a, s->y[at])));
    pen_down = true;
  }
  return hy__sink_text(sink, "\"/>", err);
}

static hy_status draw_legend(const hy__svg_plot *p, const hy_sink *sink, hy_error *err) {
  HY_TRY(hy__sink_text(sink, "</svg>", err));
  if (p->n_series > 1) {
    HY_TRY(hy__sink_text(sink, "<p class=\"legend\">", err));
    for (size_t s = 0; s < p->n_series; s++) {
      HY_TRY(hy__sink_printf(sink, err, "<span><i style=\"background:var(--%s)\"></i>",
                             p->series[s].colour));
      HY_TRY(hy__html_text(p->series[s].label, sink, err));
      HY_TRY(hy__sink_text(sink, "</span>", err));
    }
    HY_TRY(hy__sink_text(sink, "</p>", err));
  }
  return hy__sink_text(sink, "</figure>\n", err);
}

hy_status hy__svg_lines(const hy__svg_plot *p, const hy_sink *sink, hy_error *err) {
  extent e = {INFINITY, -INFINITY};
  for (size_t s = 0; s < p->n_series; s++) extend(&e, p->series[s].y, p->n);
  axis a = axis_over(e);
  HY_TRY(open_svg(p->title, HEIGHT, sink, err));
  HY_TRY(draw_grid(p, &a, sink, err));
  HY_TRY(draw_times(p, sink, err));
  for (size_t s = 0; s < p->n_series; s++) HY_TRY(draw_line(p, &p->series[s], &a, sink, err));
  return draw_legend(p, sink, err);
}

/* Long series become bars of means, so that each is wide enough to be seen. */
enum { BARS_MAX = HY__SVG_POINTS_MAX / 4, LABELLED_BARS_MAX = 24 };

static size_t bar_means(const double *y, size_t n, double *mean) {
  size_t step = HY_MAX((n + BARS_MAX - 1) / BARS_MAX, (size_t)1), n_bars = 0;
  for (size_t begin = 0; begin < n; begin += step, n_bars++) {
    double sum = 0;
    size_t used = 0;
    for (size_t k = begin; k < HY_MIN(n, begin + step); k++)
      if (isfinite(y[k])) sum += y[k], used++;
    mean[n_bars] = used ? sum / (double)used : NAN;
  }
  return n_bars;
}

static hy_status label_bar(const hy__svg_plot *p, size_t bar, double x, const hy_sink *sink,
                           hy_error *err) {
  HY_TRY(hy__sink_printf(sink, err, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", x,
                         HEIGHT - 8));
  if (p->labels)
    HY_TRY(hy__html_text(p->labels[bar], sink, err));
  else
    HY_TRY(hy__sink_printf(sink, err, "%zu", bar + 1));
  return hy__sink_text(sink, "</text>", err);
}

static hy_status draw_bars(const hy__svg_plot *p, const axis *a, const double *mean, size_t n_bars,
                           const hy_sink *sink, hy_error *err) {
  double pitch = (double)(WIDTH - LEFT - RIGHT) / (double)HY_MAX(n_bars, (size_t)1);
  double zero = y_of(a, 0);
  for (size_t b = 0; b < n_bars; b++) {
    double y = y_of(a, mean[b]), x = LEFT + pitch * ((double)b + 0.1);
    if (!isfinite(mean[b])) continue;
    HY_TRY(hy__sink_printf(
        sink, err, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\"/>", x,
        fmin(y, zero), pitch * 0.8, fmax(fabs(y - zero), 0.5), mean[b] < 0 ? "down" : "up"));
    if (n_bars <= LABELLED_BARS_MAX && !p->time_ns)
      HY_TRY(label_bar(p, b, x + pitch * 0.4, sink, err));
  }
  return HY_OK;
}

hy_status hy__svg_bars(const hy__svg_plot *p, const hy_sink *sink, hy_error *err) {
  double mean[BARS_MAX];
  size_t n_bars = bar_means(p->series[0].y, p->n, mean);
  extent e = {0, 0}; /* bars stand on zero */
  extend(&e, mean, n_bars);
  for (size_t s = 1; s < p->n_series; s++) extend(&e, p->series[s].y, p->n);
  axis a = axis_over(e);
  HY_TRY(open_svg(p->title, HEIGHT, sink, err));
  HY_TRY(draw_grid(p, &a, sink, err));
  HY_TRY(draw_times(p, sink, err));
  HY_TRY(draw_bars(p, &a, mean, n_bars, sink, err));
  for (size_t s = 1; s < p->n_series; s++) HY_TRY(draw_line(p, &p->series[s], &a, sink, err));
  return draw_legend(p, sink, err);
}

hy_status hy__svg_shares(const hy__svg_plot *p, const hy_sink *sink, hy_error *err) {
  int height = (int)HY_MIN(p->n, (size_t)1000) * ROW + TOP;
  HY_TRY(open_svg(p->title, height, sink, err));
  const double span = WIDTH - LABEL - 64;
  for (size_t k = 0; k < HY_MIN(p->n, (size_t)1000); k++) {
    double v = p->series[0].y[k], y = TOP * 0.5 + (double)k * ROW;
    HY_TRY(hy__sink_printf(sink, err, "<text x=\"%d\" y=\"%.1f\" class=\"ylabel\">", LABEL - 8,
                           y + 14));
    char label[24];
    snprintf(label, sizeof label, "%.20s", p->labels[k]);
    HY_TRY(hy__html_text(label, sink, err));
    HY_TRY(hy__sink_printf(
        sink, err,
        "</text><rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"12\" class=\"up\"/>"
        "<text x=\"%.1f\" y=\"%.1f\">%.1f%%</text>",
        LABEL, y + 4, span * v, LABEL + span * v + 6, y + 14, 100 * v));
  }
  return hy__sink_text(sink, "</svg></figure>\n", err);
}
