/* SPDX-License-Identifier: Apache-2.0
 * The universe file: what is written is what is read, in place, compressed, and at the tiles'
 * edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "market/hdf5.h"

static double cell(size_t t, size_t s, size_t f) {
  return (t + s) % 11 == 0 ? (double)NAN : (double)(t * 1000 + s * 10 + f);
}

static void write_universe(const char *path, size_t n_bars, size_t n_symbols, bool compress) {
  static const char *const fields[] = {"close", "extra"};
  int64_t *time_ns = calloc(n_bars, sizeof *time_ns);
  const char **symbols = calloc(n_symbols, sizeof *symbols);
  char(*names)[24] = calloc(n_symbols, 24);
  double *cells = calloc(n_bars * HY_LANES, sizeof *cells);
  uint8_t *mask = calloc(n_bars * HY_LANES, 1);
  for (size_t t = 0; t < n_bars; t++) time_ns[t] = 100 + (int64_t)t;
  for (size_t s = 0; s < n_symbols; s++) {
    (void)snprintf(names[s], 24, "S%zu", s);
    symbols[s] = names[s];
  }
  const hy__hdf5_head head = {n_bars, n_symbols, 2,      time_ns, symbols, fields,
                              "1h",   "UTC",     "24x7", "test",  compress};
  hy__hdf5_writer *w;
  hy_error err;
  if (hy__hdf5_create(&hy__allocator_libc, path, &head, &w, &err) != HY_OK)
    fail_msg("%s", err.message);
  for (size_t block = 0; block < hy__universe_n_blocks(n_symbols); block++) {
    for (size_t f = 0; f < 2; f++) {
      for (size_t k = 0; k < n_bars * HY_LANES; k++) {
        const size_t t = k / HY_LANES, s = block * HY_LANES + k % HY_LANES;
        cells[k] = s < n_symbols ? cell(t, s, f) : (double)NAN;
        mask[k] = (uint8_t)!isnan(cells[k]);
      }
      assert_int_equal(hy__hdf5_put(w, (int32_t)f, block, cells, NULL), HY_OK);
    }
    assert_int_equal(hy__hdf5_put_valid(w, block, mask, NULL), HY_OK);
  }
  assert_int_equal(hy__hdf5_commit(w, &err), HY_OK);
  free(time_ns), free(symbols), free(names), free(cells), free(mask);
}

static hy_universe *open_universe(hy_runtime *runtime, const char *path) {
  hy_universe *u;
  hy_error err;
  if (hy_universe_open(runtime, path, &u, &err) != HY_OK) fail_msg("%s", err.message);
  return u;
}

/* Every row count from one to past a tile's edge at a time. */
static void check_window(const hy_universe *u, size_t block, size_t begin, size_t end,
                         bool in_place) {
  double *scratch = calloc((end - begin) * HY_LANES + 1, sizeof *scratch);
  uint8_t *mask = calloc(end - begin + 1, 1);
  const double *cells;
  bool all;
  for (size_t f = 0; f < 2; f++) {
    assert_int_equal(hy__universe_block(u, (int32_t)f, block, begin, end, scratch, &cells, NULL),
                     HY_OK);
    if (end > begin) assert_int_equal(cells != scratch, in_place);
    for (size_t k = 0; k < (end - begin) * HY_LANES; k++) {
      const size_t t = begin + k / HY_LANES, s = block * HY_LANES + k % HY_LANES;
      const double expect = s < u->info.n_symbols ? cell(t, s, f) : (double)NAN;
      assert_true(isnan(expect) ? isnan(cells[k]) : cells[k] == expect);
    }
  }
  assert_int_equal(hy__universe_present(u, block, begin, end, mask, &all, NULL), HY_OK);
  for (size_t k = 0; k < (end - begin) * HY_LANES; k++) {
    const size_t t = begin + k / HY_LANES, s = block * HY_LANES + k % HY_LANES;
    assert_int_equal(mask[k / HY_LANES] >> (k % HY_LANES) & 1,
                     s < u->info.n_symbols && !isnan(cell(t, s, 0)));
  }
  free(scratch), free(mask);
}

static void round_trip(bool compress) {
  static const struct {
    size_t n_bars, n_symbols;
  } shapes[] = {{1, 1}, {7, 8}, {100, 9}, {8192, 3}, {8193, 17}, {20001, 8}};
  char path[64];
  (void)snprintf(path, sizeof path, "/tmp/hayate_%d_hdf5.h5", (int)getpid());
  hy_runtime *runtime;
  assert_int_equal(hy_runtime_create(NULL, &runtime, NULL), HY_OK);
  for (size_t k = 0; k < HY_COUNT(shapes); k++) {
    const size_t n = shapes[k].n_bars;
    write_universe(path, n, shapes[k].n_symbols, compress);
    hy_universe *u = open_universe(runtime, path);
    assert_int_equal(u->info.n_bars, n);
    assert_string_equal(u->info.symbols[0], "S0");
    assert_string_equal(u->info.calendar, "24x7");
    assert_int_equal(u->info.timeframe_ns, INT64_C(3600000000000));
    for (size_t block = 0; block < hy__universe_n_blocks(shapes[k].n_symbols); block++) {
      check_window(u, block, 0, n, !compress);
      check_window(u, block, n / 2, n, !compress);
      check_window(u, block, n / 3, n / 3, !compress);
      check_window(u, block, n - 1, n, !compress);
    }
    hy_universe_destroy(u);
  }
  hy_runtime_destroy(runtime);
  unlink(path);
}

static void plain_files_are_read_in_place(void **state) {
  (void)state;
  round_trip(false);
}

static void compressed_files_are_read_too(void **state) {
  (void)state;
  round_trip(true);
}

typedef struct job {
  const hy_universe *u;
  size_t block;
} job;

static void *read_many(void *arg) {
  const job *j = arg;
  for (size_t k = 0; k < 20; k++) check_window(j->u, (j->block + k) % 3, k * 10, 3000, false);
  return NULL;
}

/* The library is not made for threads; its lock is. */
static void compressed_files_are_read_by_many_threads(void **state) {
  (void)state;
  char path[64];
  (void)snprintf(path, sizeof path, "/tmp/hayate_%d_threads.h5", (int)getpid());
  hy_runtime *runtime;
  assert_int_equal(hy_runtime_create(NULL, &runtime, NULL), HY_OK);
  write_universe(path, 3000, 24, true);
  hy_universe *u = open_universe(runtime, path);
  pthread_t threads[3];
  job jobs[3];
  for (size_t k = 0; k < 3; k++) {
    jobs[k] = (job){u, k};
    assert_int_equal(pthread_create(&threads[k], NULL, read_many, &jobs[k]), 0);
  }
  for (size_t k = 0; k < 3; k++) pthread_join(threads[k], NULL);
  hy_universe_destroy(u);
  hy_runtime_destroy(runtime);
  unlink(path);
}

static void heads_are_checked(void **state) {
  (void)state;
  static const char *const symbols[] = {"A", "B"}, *const twice[] = {"A", "A"};
  static const char *const fields[] = {"close"}, *const bad_fields[] = {"time"},
                           *const deep[] = {"a/b"};
  static const int64_t time_ns[] = {1, 2}, back[] = {2, 1};
  const hy__hdf5_head good = {2, 2, 1, time_ns, symbols, fields, "", "UTC", "", "", false};
  hy__hdf5_head heads[6] = {good, good, good, good, good, good};
  heads[0].symbols = twice;
  heads[1].fields = bad_fields;
  heads[2].fields = deep;
  heads[3].time_ns = back;
  heads[4].n_bars = 0;
  heads[5].n_fields = HY_UNIVERSE_FIELDS_MAX + 1;
  hy__hdf5_writer *w;
  for (size_t k = 0; k < HY_COUNT(heads); k++)
    assert_int_not_equal(
        hy__hdf5_create(&hy__allocator_libc, "/tmp/hayate_never.h5", &heads[k], &w, NULL), HY_OK);
  assert_int_equal(hy__hdf5_create(&hy__allocator_libc, "/tmp/hayate_never.h5", &good, &w, NULL),
                   HY_OK);
  hy__hdf5_discard(w);
  assert_int_not_equal(access("/tmp/hayate_never.h5", F_OK), 0);
}

static void tiles_are_nearly_full(void **state) {
  (void)state;
  for (size_t n = 1; n < 100000; n += 77) {
    const size_t tile = hy__hdf5_tile_bars(n, true), n_tiles = (n + tile - 1) / tile;
    assert_true(tile >= 1 && tile <= n && tile <= 8192);
    assert_true(n_tiles * tile - n < 8 * n_tiles);
    assert_int_equal(hy__hdf5_tile_bars(n, false), n);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(plain_files_are_read_in_place),
      cmocka_unit_test(compressed_files_are_read_too),
      cmocka_unit_test(compressed_files_are_read_by_many_threads),
      cmocka_unit_test(heads_are_checked),
      cmocka_unit_test(tiles_are_nearly_full),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
