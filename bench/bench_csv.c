/* SPDX-License-Identifier: Apache-2.0
 * How fast a long CSV of bars becomes rows of time, symbol number and float64, on one core.
 *
 *     bench_csv [FILE]      one JSON object; without FILE a seeded one of 500 symbols in memory
 *
 * Best of seven; wall time and the thread's own CPU time, which differ where the machine is shared.
 * The floor: the text read once and the rows written once, at the rates measured in this run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "market/import.h"

enum { PASSES = 7, SYMBOLS = 500, TIMES = 2000 };

static double now_s(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* time,symbol,open,high,low,close,volume: minutes of one day after the other. */
static size_t make_text(char *text, size_t room) {
  hy__random r;
  size_t n = (size_t)snprintf(text, room, "time,symbol,open,high,low,close,volume\n");
  hy__random_init(&r, 7, 0);
  for (int t = 0; t < TIMES; t++) {
    char stamp[40];
    hy__time_format(INT64_C(1704186600) * HY_NS_PER_S + (int64_t)t * 60 * HY_NS_PER_S, stamp);
    for (int s = 0; s < SYMBOLS; s++) {
      const double open = 20 + s + 10 * hy__random_uniform(&r), close = open * 1.0004;
      n += (size_t)snprintf(text + n, room - n, "%s,S%04d,%.4f,%.4f,%.4f,%.4f,%d\n", stamp, s, open,
                            close * 1.0003, open * 0.9997, close,
                            (int)hy__random_below(&r, 1000000));
    }
  }
  return n;
}

typedef struct rate {
  double wall_s, cpu_s;
} rate;

static hy_status parse_once(const hy_allocator *a, const hy__source *source, rate *best,
                            size_t *n_rows, hy_error *err) {
  const hy_import_options options = {.struct_size = sizeof options};
  hy_import_report report = {0};
  hy__import im;
  hy__import_file file = {0};
  HY_TRY(hy__import_begin(&im, a, &options, &report, err));
  const double wall = now_s(CLOCK_MONOTONIC), cpu = now_s(CLOCK_THREAD_CPUTIME_ID);
  HY_TRY(hy__import_plan(&im, source, &file, err));
  HY_TRY(hy__import_planned(&im, err));
  HY_TRY(hy__import_map(&im, &file, err));
  HY_TRY(hy__import_read(&im, &file, source, err));
  best->wall_s = HY_MIN(best->wall_s, now_s(CLOCK_MONOTONIC) - wall);
  best->cpu_s = HY_MIN(best->cpu_s, now_s(CLOCK_THREAD_CPUTIME_ID) - cpu);
  *n_rows = im.rows.n_rows;
  hy__import_end(&im);
  return HY_OK;
}

/* Seconds to read the text once and to write as many bytes as the rows take into fresh memory. */
static double floor_s(const hy__source *source, size_t row_bytes, double *read_s) {
  volatile uint64_t sum = 0;
  *read_s = 1e9;
  double write_s = 1e9;
  for (int pass = 0; pass < PASSES; pass++) {
    double start = now_s(CLOCK_THREAD_CPUTIME_ID);
    uint64_t s = 0;
    for (size_t k = 0; k + 8 <= source->bytes; k += 8) {
      uint64_t word;
      memcpy(&word, source->text + k, 8);
      s += word;
    }
    sum = sum + s;
    *read_s = HY_MIN(*read_s, now_s(CLOCK_THREAD_CPUTIME_ID) - start);
    start = now_s(CLOCK_THREAD_CPUTIME_ID);
    char *fresh = malloc(row_bytes);
    if (fresh) memset(fresh, pass + 1, row_bytes);
    sum = sum + (fresh ? (uint64_t)fresh[row_bytes / 2] : 0);
    free(fresh);
    write_s = HY_MIN(write_s, now_s(CLOCK_THREAD_CPUTIME_ID) - start);
  }
  return *read_s + write_s;
}

int main(int argc, char **argv) {
  const hy_allocator *a = &hy__allocator_libc;
  hy__source source = {.allocator = a, .path = "generated", .stem = "generated"};
  hy_error err;
  char *text = NULL;
  if (argc > 1) {
    if (hy__source_open(a, argv[1], &source, &err) != HY_OK)
      return fprintf(stderr, "%s\n", err.message), 2;
  } else {
    const size_t room = (size_t)100 * SYMBOLS * TIMES;
    text = malloc(room);
    if (!text) return 3;
    source.text = text;
    source.bytes = make_text(text, room);
  }
  rate best = {1e9, 1e9};
  size_t n_rows = 0;
  for (int pass = 0; pass < PASSES; pass++)
    if (parse_once(a, &source, &best, &n_rows, &err) != HY_OK)
      return fprintf(stderr, "%s\n", err.message), 2;
  double read_s;
  const double mb = (double)source.bytes / 1e6, least_s = floor_s(&source, n_rows * 56, &read_s);
  printf("{\"file_bytes\": %zu, \"rows\": %zu, \"mb_per_s\": %.1f, \"cpu_mb_per_s\": %.1f, "
         "\"rows_per_s\": %.0f, \"floor_mb_per_s\": %.1f, \"of_floor\": %.3f}\n",
         source.bytes, n_rows, mb / best.wall_s, mb / best.cpu_s, (double)n_rows / best.cpu_s,
         mb / least_s, least_s / best.cpu_s);
  hy__source_close(&source);
  free(text);
  return 0;
}
