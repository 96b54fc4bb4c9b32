/* SPDX-License-Identifier: Apache-2.0
 * Import's parts that tests/cli/test_import.py cannot see: the row store, the symbol table,
 * recognition, limits, cancelling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "market/import.h"

static void symbols_keep_their_numbers(void **state) {
  (void)state;
  hy__arena *arena;
  hy__symbols s;
  assert_int_equal(hy__arena_create(&hy__allocator_libc, 0, 0, &arena, NULL), HY_OK);
  hy__symbols_init(&s, &hy__allocator_libc, arena);
  char name[16];
  uint32_t k;
  for (int round = 0; round < 3; round++)
    for (uint32_t n = 0; n < 3000; n++) {
      const uint32_t which = round == 2 ? n * 7 % 3000 : n; /* in order, then not */
      const int len = snprintf(name, sizeof name, "N%u", which);
      assert_int_equal(hy__symbols_find(&s, name, (size_t)len, &k, NULL), HY_OK);
      assert_int_equal(k, which);
    }
  assert_int_equal(s.n, 3000);
  assert_int_equal(hy__symbols_find(&s, " N5 ", 4, &k, NULL), HY_OK);
  assert_int_equal(k, 5);
  assert_int_equal(hy__symbols_find(&s, "  ", 2, &k, NULL), HY_BAD_FORMAT);
  assert_int_equal(hy__symbols_find(&s, "a\tb", 3, &k, NULL), HY_BAD_FORMAT);
  char longest[HY_UNIVERSE_NAME_MAX + 1];
  memset(longest, 'x', sizeof longest);
  assert_int_equal(hy__symbols_find(&s, longest, HY_UNIVERSE_NAME_MAX, &k, NULL), HY_OK);
  assert_int_equal(hy__symbols_find(&s, longest, HY_UNIVERSE_NAME_MAX + 1, &k, NULL), HY_LIMIT);
  hy__symbols_destroy(&s);
  hy__arena_destroy(arena);
}

static void rows_do_not_move(void **state) {
  (void)state;
  hy__rows rows;
  hy__row *row = NULL, *kept = NULL;
  hy__rows_init(&rows, &hy__allocator_libc, 2);
  for (size_t k = 0; k < 3 * HY_ROWS_PER_SEGMENT + 5; k++) {
    assert_int_equal(hy__rows_add(&rows, &row, NULL), HY_OK);
    row->time_ns = (int64_t)k;
    row->value[1] = (double)k;
    if (k == 100) kept = row;
  }
  assert_ptr_equal(kept, hy__rows_at(&rows, 100));
  for (size_t k = 0; k < rows.n_rows; k += 997) {
    assert_int_equal(hy__rows_at(&rows, k)->time_ns, k);
    assert_true(hy__rows_at(&rows, k)->value[1] == (double)k);
  }
  hy__rows_destroy(&rows);
}

static const char *recognised(const char *text) {
  hy__arena *arena;
  hy__sample sample;
  const char *name = "none";
  const hy__source source = {.allocator = &hy__allocator_libc,
                             .path = "x",
                             .stem = "x",
                             .text = text,
                             .bytes = strlen(text)};
  assert_int_equal(hy__arena_create(&hy__allocator_libc, 0, 0, &arena, NULL), HY_OK);
  if (hy__sample_take(&source, arena, &sample, NULL) != HY_OK)
    name = "no sample";
  else
    for (size_t k = 0; k < hy__n_dialects; k++)
      if (hy__dialects[k].knows(&sample)) {
        name = hy__dialects[k].name;
        break;
      }
  hy__arena_destroy(arena);
  return name;
}

static void dialects_are_recognised(void **state) {
  (void)state;
  assert_string_equal(recognised("date,symbol,close\n2024-01-02,A,1\n"), "long");
  assert_string_equal(recognised("Ticker;Timestamp;Px_Last\nA;1704187800;1\n"), "long");
  assert_string_equal(recognised("time,open,high\n2024-01-02,1,2\n"), "single");
  assert_string_equal(recognised("\tClose\n2024-01-02\t1\n"), "single");
  assert_string_equal(recognised("Date,AAPL,MSFT\n1990-01-02,1,2\n"), "wide");
  assert_string_equal(recognised("x,y\n1,2\n"), "none");
  assert_string_equal(recognised("2024-01-02,1,2\n2024-01-03,1,2\n"), "none");
  assert_string_equal(recognised("words\n"), "no sample");
  assert_non_null(hy__dialect_find("mt5"));
  assert_null(hy__dialect_find("mt6"));
}

static void columns_have_many_names(void **state) {
  (void)state;
  static const struct {
    const char *name, *field;
    hy__role role;
  } rows[] = {{"Adj Close", "adj_close", HY_ROLE_FIELD},
              {"<TICKVOL>", "tick_volume", HY_ROLE_FIELD},
              {"Close/Last", "close", HY_ROLE_FIELD},
              {"V", "volume", HY_ROLE_FIELD},
              {"Date Time", NULL, HY_ROLE_STAMP},
              {"CODE", NULL, HY_ROLE_SYMBOL},
              {"beta", NULL, HY_ROLE_OTHER},
              {"", NULL, HY_ROLE_OTHER}};
  for (size_t k = 0; k < HY_COUNT(rows); k++) {
    const hy__csv_field f = {rows[k].name, (uint32_t)strlen(rows[k].name), 1};
    const char *field;
    assert_int_equal(hy__column_role(&f, &field), rows[k].role);
    if (rows[k].field)
      assert_string_equal(field, rows[k].field);
    else
      assert_null(field);
  }
  const hy__csv_field f = {"Short Interest (%)", 18, 1};
  char name[64];
  assert_true(hy__column_name(&f, name));
  assert_string_equal(name, "short_interest");
}

static bool stop(void *ctx, uint64_t done, uint64_t total, const char *unit) {
  (void)done, (void)total, (void)unit;
  ++*(int *)ctx;
  return false;
}

static void an_import_can_be_stopped(void **state) {
  (void)state;
  char path[64], output[80];
  (void)snprintf(path, sizeof path, "/tmp/hayate_%d_stop.csv", (int)getpid());
  (void)snprintf(output, sizeof output, "%s.h5", path);
  const char *text = "date,close\n2024-01-02,1\n2024-01-03,2\n";
  assert_int_equal(hy__file_write_all(path, text, strlen(text), NULL), HY_OK);
  hy_runtime *runtime;
  hy_import_report *report = NULL;
  int n_calls = 0;
  const char *const paths[] = {path};
  const hy_import_options options = {.struct_size = sizeof options,
                                     .paths = paths,
                                     .n_paths = 1,
                                     .output = output,
                                     .progress = stop,
                                     .progress_ctx = &n_calls};
  assert_int_equal(hy_runtime_create(NULL, &runtime, NULL), HY_OK);
  assert_int_equal(hy_universe_import(runtime, &options, &report, NULL), HY_CANCELLED);
  assert_int_equal(n_calls, 1);
  assert_null(report);
  assert_false(hy__path_exists(output));
  hy_runtime_destroy(runtime);
  unlink(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(symbols_keep_their_numbers), cmocka_unit_test(rows_do_not_move),
      cmocka_unit_test(dialects_are_recognised),    cmocka_unit_test(columns_have_many_names),
      cmocka_unit_test(an_import_can_be_stopped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
