/* SPDX-License-Identifier: Apache-2.0 */
/* What a bench says: one JSON object, or a table with a histogram for people. */
#include <math.h>

#include "engine/bench.h"
#include "engine/report.h"

enum { BINS = 16, BAR = 40 };

/* --- JSON --- */

static void json_side(hy__json_writer *w, const hy_bench_figures *f) {
  hy__json_member_text(w, "model", f->model);
  hy__json_member_text(w, "backend", f->backend);
  hy__json_member_text(w, "isa", f->isa);
  hy__json_member_text(w, "precision", f->precision);
  hy__json_member_text(w, "mode", f->mode);
  hy__json_member_i64(w, "batch", (int64_t)f->batch);
  hy__json_member_i64(w, "threads", (int64_t)f->threads);
  hy__json_member_i64(w, "runs", (int64_t)f->runs);
  hy__json_member_f64(w, "p50_us", f->p50_us);
  hy__json_member_f64(w, "p99_us", f->p99_us);
  hy__json_member_f64(w, "p999_us", f->p999_us);
  hy__json_member_f64(w, "mean_us", f->mean_us);
  hy__json_member_f64(w, "min_us", f->min_us);
  hy__json_member_f64(w, "rows_per_s", f->rows_per_s);
  hy__json_member_f64(w, "load_ms", f->load_ms);
  hy__json_member_f64(w, "answer_ms", f->answer_ms);
  hy__json_member_f64(w, "floor_us", f->floor_us);
  hy__json_member_f64(w, "multiply_adds", f->multiply_adds);
  hy__json_member_f64(w, "peak_share", f->peak_share);
  hy__json_member_i64(w, "arena_bytes", (int64_t)f->arena_bytes);
  hy__json_member_i64(w, "weight_bytes", (int64_t)f->weight_bytes);
  hy__json_member_i64(w, "anon_bytes", (int64_t)f->anon_bytes);
}

static double ratio(double peer, double ours) { return ours > 0 ? peer / ours : 0; }

hy_status hy_bench_write_json(const hy_bench *b, const hy_sink *sink, hy_error *err) {
  hy__json_writer w;
  hy__json_begin(&w, *sink, 0);
  hy__json_object_begin(&w);
  json_side(&w, &b->ours);
  hy__json_member_i64(&w, "rows", (int64_t)b->rows);
  hy__json_member_f64(&w, "spin_p50_us", b->spin_p50_us);
  hy__json_member_f64(&w, "spin_p99_us", b->spin_p99_us);
  if (b->has_peer) {
    hy__json_key(&w, "peer");
    hy__json_object_begin(&w);
    json_side(&w, &b->peer);
    hy__json_object_end(&w);
    hy__json_member_f64(&w, "speedup", ratio(b->peer.p50_us, b->ours.p50_us));
    hy__json_member_f64(&w, "load_speedup", ratio(b->peer.load_ms, b->ours.load_ms));
    hy__json_member_bool(&w, "agrees", b->agreement.agrees);
    hy__json_member_f64(&w, "max_abs", b->agreement.max_abs);
    hy__json_member_i64(&w, "mismatched", (int64_t)b->agreement.mismatched);
  }
  hy__json_object_end(&w);
  return hy__json_end(&w, err);
}

/* --- text --- */

static hy_status side(const hy_bench_figures *f, const hy_sink *sink, hy_error *err) {
  char rows[HY_NUMBER_TEXT], anon[HY_NUMBER_TEXT];
  (void)hy__format_count(f->rows_per_s, rows);
  (void)hy__format_bytes((double)f->anon_bytes, anon);
  return hy__report_say(sink, err, "  %-20s %10.2f %10.2f %10.2f %10s %9.2f %10s %9llu\n",
                        f->backend, f->p50_us, f->p99_us, f->p999_us, rows, f->load_ms, anon,
                        (unsigned long long)f->runs);
}

/* Counts per bin of a logarithmic axis from low to high. */
static void bins_fill(const hy__bench_times *t, double low, double high, size_t *bins) {
  memset(bins, 0, BINS * sizeof *bins);
  double scale = BINS / log(high / low);
  for (size_t i = 0; i < t->n; i++) {
    double at = floor(log((double)t->us[i] / low) * scale);
    bins[at < 0 ? 0 : at >= BINS ? BINS - 1 : (size_t)at]++;
  }
}

static hy_status histogram_of(const hy__bench_times *t, const char *name, double low, double high,
                              const hy_sink *sink, hy_error *err) {
  size_t bins[BINS], most = 1;
  bins_fill(t, low, high, bins);
  for (size_t i = 0; i < BINS; i++) most = HY_MAX(most, bins[i]);
  HY_TRY(hy__report_say(sink, err, "\n  %s\n", name));
  for (size_t i = 0; i < BINS; i++) {
    double from = low * pow(high / low, (double)i / BINS);
    double height = (double)bins[i] * BAR / (double)most;
    int length = bins[i] ? (int)fmax(1, round(height)) : 0;
    HY_TRY(hy__report_say(sink, err, "  %10.2f us  %8zu  %.*s\n", from, bins[i], length,
                          "########################################"));
  }
  return HY_OK;
}

static hy_status histograms(const hy_bench *b, const hy_sink *sink, hy_error *err) {
  double low = b->ours.min_us, high = b->ours.p999_us;
  if (b->has_peer) {
    low = fmin(low, b->peer.min_us);
    high = fmax(high, b->peer.p999_us);
  }
  low = fmax(low, 1e-3);
  high = fmax(high, low * 1.05);
  HY_TRY(histogram_of(&b->our_times, b->ours.backend, low, high, sink, err));
  return b->has_peer ? histogram_of(&b->peer_times, b->peer.backend, low, high, sink, err) : HY_OK;
}

static hy_status beside(const hy_bench *b, const hy_sink *sink, hy_error *err) {
  HY_TRY(hy__report_say(sink, err, "  speedup %.2fx, loading %.2fx\n",
                        ratio(b->peer.p50_us, b->ours.p50_us),
                        ratio(b->peer.load_ms, b->ours.load_ms)));
  if (b->agreement.agrees)
    return hy__report_say(sink, err,
                          "  the outputs agree: the largest difference is %.3g (outputs to %.3g)\n",
                          b->agreement.max_abs, b->agreement.scale);
  return hy__report_say(
      sink, err,
      "  the outputs DIFFER: %llu elements of %zu sets, by %.3g at most (outputs to %.3g)\n",
      (unsigned long long)b->agreement.mismatched, b->agreement.sets, b->agreement.max_abs,
      b->agreement.scale);
}

hy_status hy_bench_write_text(const hy_bench *b, bool histogram, const hy_sink *sink,
                              hy_error *err) {
  char arena[HY_NUMBER_TEXT], weights[HY_NUMBER_TEXT];
  const hy_bench_figures *f = &b->ours;
  (void)hy__format_bytes((double)f->arena_bytes, arena);
  (void)hy__format_bytes((double)f->weight_bytes, weights);
  HY_TRY(hy__report_say(sink, err, "%s: batch %llu, %llu thread%s, %s, %s on %s\n", f->model,
                        (unsigned long long)f->batch, (unsigned long long)f->threads,
                        f->threads == 1 ? "" : "s", f->precision, f->isa, b->cpu));
  HY_TRY(hy__report_say(sink, err, "  %-20s %10s %10s %10s %10s %9s %10s %9s\n", "microseconds",
                        "p50", "p99", "p99.9", "rows/s", "load ms", "memory", "runs"));
  HY_TRY(side(f, sink, err));
  if (b->has_peer) HY_TRY(side(&b->peer, sink, err));
  HY_TRY(hy__report_say(sink, err, "  %-20s %10.2f %10.2f   (a spin loop of the same length)\n",
                        "the machine", b->spin_p50_us, b->spin_p99_us));
  if (f->floor_us > 0)
    HY_TRY(hy__report_say(
        sink, err,
        "  floor %.2f us: the median is %.2f times it; %.3g multiply-adds, %.0f %% of "
        "the peak rate\n",
        f->floor_us, f->p50_us / f->floor_us, f->multiply_adds, f->peak_share * 100));
  HY_TRY(hy__report_say(sink, err, "  arena %s, weights %s; %llu rows in rotation\n", arena,
                        weights, (unsigned long long)b->rows));
  if (b->has_peer) HY_TRY(beside(b, sink, err));
  return histogram ? histograms(b, sink, err) : HY_OK;
}
