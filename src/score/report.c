/* SPDX-License-Identifier: Apache-2.0
 * report.html: one file without network, readable on a phone, in light and dark. */
#include <hayate/version.h>

#include <math.h>
#include <stdio.h>

#include "score/svg.h"
#include "score/write.h"

enum { REPORT_ROWS = 60, LATENCY_BINS = 20, LATENCY_LABELS = 5 };

static const char page_head[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n";

static const char page_style[] =
    "<style>\n"
    ":root{--back:#fff;--ink:#1c2430;--soft:#5d6b7d;--rule:#dfe4ea;--accent:#0b6bcb;--second:#"
    "d9730d;"
    "--up:#1f8a5b;--down:#c4453c}\n"
    "@media(prefers-color-scheme:dark){:root{--back:#12161c;--ink:#e6ebf2;--soft:#93a1b3;--rule:#"
    "2a323d;"
    "--accent:#5aa9f5;--second:#f0a35a;--up:#4cc38a;--down:#ef7d74}}\n"
    "*{box-sizing:border-box}body{margin:0 "
    "auto;padding:16px;max-width:980px;background:var(--back);"
    "color:var(--ink);font:16px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.5rem;margin:.2em 0}h2{font-size:1.15rem;margin:1.6em 0 .4em}"
    "p.sub{color:var(--soft);margin:.2em 0 1em}\n"
    ".grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:8px "
    "24px}\n"
    "figure{margin:12px 0;min-width:0}figcaption{font-weight:600;margin-bottom:4px}"
    "svg{width:100%;height:auto;display:block}\n"
    "svg text{font:14px system-ui,sans-serif;fill:var(--soft)}svg .ylabel{text-anchor:end}"
    "svg .grid{stroke:var(--rule)}svg .zero{stroke:var(--soft)}\n"
    "svg .line{fill:none;stroke-width:2}svg .up{fill:var(--up)}svg .down{fill:var(--down)}\n"
    ".legend{margin:.2em 0;color:var(--soft);font-size:.85rem}.legend span{margin-right:1.2em}"
    ".legend "
    "i{display:inline-block;width:1.1em;height:.25em;margin-right:.4em;vertical-align:middle}\n"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:"
    "tabular-nums}"
    "th,td{padding:.25em .7em;text-align:right;border-bottom:1px solid "
    "var(--rule);white-space:nowrap}"
    "th{color:var(--soft);font-weight:600}th:first-child,td:first-child{text-align:left}\n"
    "footer{color:var(--soft);font-size:.85rem;margin-top:2em}\n"
    "</style>\n";

typedef struct page {
  const hy_score_result *r;
  const hy_sink *sink;
  double *scratch; /* two vectors of `n` */
  size_t n;
} page;

static hy_status head(const page *g, hy_error *err) {
  const hy_score_result *r = g->r;
  char from[40], to[40];
  hy__time_format(hy__result_time_ns(r, r->n_lead), from);
  hy__time_format(hy__result_time_ns(r, r->n_rows - 1), to);
  HY_TRY(hy__sink_text(g->sink, page_head, err));
  HY_TRY(hy__sink_text(g->sink, "<title>", err));
  HY_TRY(hy__html_text(r->pipeline->name, g->sink, err));
  HY_TRY(hy__sink_text(g->sink, "</title>\n", err));
  HY_TRY(hy__sink_text(g->sink, page_style, err));
  HY_TRY(hy__sink_text(g->sink, "</head><body>\n<h1>", err));
  HY_TRY(hy__html_text(r->pipeline->name, g->sink, err));
  HY_TRY(hy__sink_text(g->sink, "</h1>\n<p class=\"sub\">", err));
  if (r->is_range) {
    HY_TRY(hy__sink_printf(g->sink, err, "%s to %s, %zu bars", from, to, r->n_rows - r->n_lead));
  } else {
    HY_TRY(hy__sink_text(g->sink, to, err));
  }
  return hy__sink_printf(g->sink, err,
                         " &middot; %zu of %zu symbols scored &middot; %zu features</p>\n",
                         r->totals.scored, r->totals.symbols, r->totals.features);
}

static hy_status metric_cell(double v, char format, const hy_sink *sink, hy_error *err) {
  if (isnan(v)) return hy__sink_text(sink, "<td>&ndash;</td>", err);
  if (format == 'p') return hy__sink_printf(sink, err, "<td>%.3f&nbsp;%%</td>", v * 100);
  return hy__sink_printf(sink, err, "<td>%.4f</td>", v);
}

static hy_status metrics(const page *g, hy_error *err) {
  const hy_score_result *r = g->r;
  const hy__evaluation *e[] = {&r->evaluation, &r->baselines[HY__BASELINE_ZERO],
                               &r->baselines[HY__BASELINE_LAST_RETURN]};
  HY_TRY(hy__sink_printf(
      g->sink, err,
      "<h2>Evaluation</h2><p class=\"sub\">%zu labels, return from the next close over %zu "
      "bar%s; costs %.4g bps a side</p>\n<div class=\"scroll\"><table><tr><th></th>"
      "<th>model</th><th>zero</th><th>last return</th></tr>\n",
      r->evaluation.n_labels, r->pipeline->horizon, r->pipeline->horizon > 1 ? "s" : "",
      r->pipeline->decision.cost_bps));
#define HY_METRIC(field, label, format, doc)                                                       \
  HY_TRY(hy__sink_text(g->sink, "<tr><td title=\"" doc "\">" label "</td>", err));                 \
  for (int k = 0; k < 3; k++) HY_TRY(metric_cell(e[k]->field, #format[0], g->sink, err));          \
  HY_TRY(hy__sink_text(g->sink, "</tr>\n", err));
#include "score/metric.inc"
#undef HY_METRIC
  return hy__sink_text(g->sink, "</table></div>\n", err);
}

static void cumulate(const double *returns, size_t n, double *out) {
  double equity = 1;
  for (size_t k = 0; k < n; k++) {
    if (!isnan(returns[k])) equity *= 1 + returns[k];
    out[k] = equity - 1;
  }
}

static void running_mean(const double *x, size_t n, size_t window, double *out) {
  double sum = 0;
  size_t used = 0;
  for (size_t k = 0; k < n; k++) {
    if (!isnan(x[k])) sum += x[k], used++;
    if (k >= window && !isnan(x[k - window])) sum -= x[k - window], used--;
    out[k] = k + 1 >= window && used ? sum / (double)used : NAN;
  }
}

static hy_status plot_returns(const page *g, hy_error *err) {
  const hy_score_result *r = g->r;
  size_t n = r->n_rows - r->n_lead;
  cumulate(r->evaluation.row_return, n, g->scratch);
  cumulate(r->baselines[HY__BASELINE_LAST_RETURN].row_return, n, g->scratch + g->n);
  hy__svg_plot p = {
      .title = "Cumulative return after costs",
      .unit = "%",
      .series = {{"model", "accent", g->scratch}, {"last return", "second", g->scratch + g->n}},
      .n_series = 2,
      .n = n,
      .time_ns = r->info.time_ns + r->row_begin + r->n_lead};
  return hy__svg_lines(&p, g->sink, err);
}

static hy_status plot_ic(const page *g, hy_error *err) {
  const hy_score_result *r = g->r;
  if (r->evaluation.over_time) return HY_OK;
  size_t n = r->n_rows - r->n_lead, window = HY_MAX(n / 20, (size_t)5);
  running_mean(r->evaluation.row_ic, n, window, g->scratch);
  hy__svg_plot p = {
      .title = "Information coefficient over time",
      .unit = "",
      .series = {{"IC", "up", r->evaluation.row_ic}, {"running mean", "accent", g->scratch}},
      .n_series = 2,
      .n = n,
      .time_ns = r->info.time_ns + r->row_begin + r->n_lead};
  return hy__svg_bars(&p, g->sink, err);
}

static hy_status plot_buckets(const page *g, hy_error *err) {
  const hy__evaluation *e = &g->r->evaluation;
  hy__svg_plot p = {.title = e->n_buckets == 10 ? "Mean return by score decile, lowest first"
                                                : "Mean return by score quintile, lowest first",
                    .unit = "%",
                    .series = {{"label", "up", e->bucket_label}},
                    .n_series = 1,
                    .n = e->n_buckets};
  return hy__svg_bars(&p, g->sink, err);
}

static hy_status plot_coverage(const page *g, hy_error *err) {
  const hy_score_result *r = g->r;
  for (size_t f = 0; f < r->totals.features; f++) {
    g->scratch[f] = r->n_cells ? (double)r->covered[f] / (double)r->n_cells : 0;
  }
  hy__svg_plot p = {.title = "Feature coverage: share of bars where the feature is there",
                    .unit = "%",
                    .series = {{"coverage", "up", g->scratch}},
                    .n_series = 1,
                    .n = r->totals.features,
                    .labels = r->pipeline->spec.names};
  return hy__svg_shares(&p, g->sink, err);
}

static hy_status plot_latency(const page *g, hy_error *err) {
  const hy_score_result *r = g->r;
  float highest = 0;
  for (size_t k = 0; k < r->n_units; k++)
    if (r->unit_us[k] > highest) highest = r->unit_us[k];
  if (!(highest > 0)) return HY_OK;
  const double high = (double)highest;
  double count[LATENCY_BINS] = {0};
  for (size_t k = 0; k < r->n_units; k++) {
    size_t bin = (size_t)((double)r->unit_us[k] / high * (LATENCY_BINS - 1e-9));
    count[HY_MIN(bin, (size_t)LATENCY_BINS - 1)]++;
  }
  char title[160], text[LATENCY_BINS][HY_NUMBER_TEXT];
  const char *labels[LATENCY_BINS];
  for (size_t k = 0; k < LATENCY_BINS; k++) {
    double from_us = high * (double)k / LATENCY_BINS;
    text[k][0] = 0;
    if (k % LATENCY_LABELS == 0) snprintf(text[k], sizeof text[k], "%.3g", from_us);
    labels[k] = text[k];
  }
  snprintf(title, sizeof title, "Latency: units of work by microseconds per symbol");
  hy__svg_plot p = {.title = title,
                    .unit = "",
                    .series = {{"units", "accent", count}},
                    .n_series = 1,
                    .n = LATENCY_BINS,
                    .labels = labels};
  return hy__svg_bars(&p, g->sink, err);
}

static hy_status ranking_row(const page *g, size_t row, size_t s, hy_error *err) {
  const hy_score_result *r = g->r;
  size_t cell = hy__result_cell(r, row, s);
  HY_TRY(hy__sink_text(g->sink, "<tr><td>", err));
  HY_TRY(hy__html_text(r->info.symbols[s], g->sink, err));
  HY_TRY(hy__sink_text(g->sink, "</td>", err));
  if (r->rank[cell]) {
    HY_TRY(hy__sink_printf(g->sink, err, "<td>%u</td>", r->rank[cell]));
  } else {
    HY_TRY(hy__sink_text(g->sink, "<td>&ndash;</td>", err));
  }
  int32_t change = hy__result_rank_change(r, row, s);
  if (change == INT32_MIN) {
    HY_TRY(hy__sink_text(g->sink, "<td></td>", err));
  } else {
    HY_TRY(hy__sink_printf(g->sink, err, "<td>%+d</td>", change));
  }
  const double cells[] = {r->score[cell], r->close[cell]};
  for (size_t k = 0; k < HY_COUNT(cells); k++) {
    HY_TRY(isnan(cells[k]) ? hy__sink_text(g->sink, "<td>&ndash;</td>", err)
                           : hy__sink_printf(g->sink, err, "<td>%.5g</td>", cells[k]));
  }
  bool known = r->age_bars[cell] != UINT32_MAX;
  HY_TRY(known ? hy__sink_printf(g->sink, err, "<td>%u</td>", r->age_bars[cell])
               : hy__sink_text(g->sink, "<td>&ndash;</td>", err));
  return hy__sink_printf(g->sink, err, "<td>%s</td></tr>\n",
                         r->flag[cell] ? hy__flag_word(r->flag[cell]) : "");
}

static hy_status ranking_rows(const page *g, const uint32_t *order, hy_error *err) {
  size_t row = g->r->n_rows - 1, n = g->r->n_symbols;
  size_t head_n = n <= REPORT_ROWS ? n : REPORT_ROWS / 2;
  for (size_t k = 0; k < head_n; k++) HY_TRY(ranking_row(g, row, order[k], err));
  if (n <= REPORT_ROWS) return HY_OK;
  HY_TRY(hy__sink_printf(g->sink, err,
                         "<tr><td colspan=\"7\">&hellip; %d more in scores.csv</td></tr>\n",
                         (int)(n - REPORT_ROWS)));
  for (size_t k = n - REPORT_ROWS / 2; k < n; k++) HY_TRY(ranking_row(g, row, order[k], err));
  return HY_OK;
}

static hy_status ranking(const page *g, hy_error *err) {
  const hy_score_result *r = g->r;
  char time[40];
  hy__time_format(hy__result_time_ns(r, r->n_rows - 1), time);
  HY_TRY(hy__sink_printf(
      g->sink, err,
      "<h2>Ranking at %s</h2>\n<div class=\"scroll\"><table><tr><th>symbol</th><th>rank</th>"
      "<th>change</th><th>score</th><th>close</th><th>age, bars</th><th>flags</th></tr>\n",
      time));
  void *order = NULL;
  HY_TRY(hy__alloc_array(r->allocator, r->n_symbols, sizeof(uint32_t), &order, err));
  hy__result_order(r, r->n_rows - 1, order);
  hy_status status = ranking_rows(g, order, err);
  hy__free(r->allocator, order, r->n_symbols * sizeof(uint32_t));
  return status == HY_OK ? hy__sink_text(g->sink, "</table></div>\n", err) : status;
}

static hy_status foot(const page *g, hy_error *err) {
  const hy_score_result *r = g->r;
  const hy_score_totals *t = &r->totals;
  return hy__sink_printf(
      g->sink, err,
      "<footer>hayate %s (%s, %u threads): load %.1f ms, read %.1f ms, features %.1f ms, "
      "inference %.1f ms; spec %.12s</footer>\n</body></html>\n",
      hy_version(), hy_isa_name(hy_runtime_isa(r->pipeline->runtime)), r->n_workers,
      (double)r->load_ns * 1e-6, t->read_ms, t->features_ms, t->inference_ms,
      r->pipeline->spec.spec_sha256);
}

static hy_status body(const page *g, hy_error *err) {
  HY_TRY(head(g, err));
  if (g->r->evaluated) {
    HY_TRY(metrics(g, err));
    HY_TRY(hy__sink_text(g->sink, "<div class=\"grid\">\n", err));
    HY_TRY(plot_returns(g, err));
    HY_TRY(plot_ic(g, err));
    HY_TRY(plot_buckets(g, err));
    HY_TRY(hy__sink_text(g->sink, "</div>\n", err));
  }
  HY_TRY(ranking(g, err));
  HY_TRY(hy__sink_text(g->sink, "<h2>The run</h2><div class=\"grid\">\n", err));
  HY_TRY(plot_coverage(g, err));
  HY_TRY(plot_latency(g, err));
  HY_TRY(hy__sink_text(g->sink, "</div>\n", err));
  return foot(g, err);
}

hy_status hy__write_report(const hy_score_result *r, const hy_sink *sink, hy_error *err) {
  page g = {.r = r, .sink = sink, .n = HY_MAX(r->n_rows, r->totals.features)};
  void *memory = NULL;
  HY_TRY(hy__alloc_array(r->allocator, g.n, 2 * sizeof(double), &memory, err));
  g.scratch = memory;
  hy_status status = body(&g, err);
  hy__free(r->allocator, memory, g.n * 2 * sizeof(double));
  return status;
}
