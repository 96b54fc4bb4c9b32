/* SPDX-License-Identifier: Apache-2.0
 * Arrays in files: every type there and back, strides, Fortran order, zip64, and what is refused.
 * NumPy's own reading and writing is in test_npz_numpy.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "codec/npy.h"
#include "codec/npz.h"
#include "codec/zip.h"

static hy_runtime *runtime_make(void) {
  hy_runtime *runtime;
  hy_runtime_options options = {.struct_size = sizeof options, .n_threads = 1};
  assert_int_equal(hy_runtime_create(&options, &runtime, NULL), HY_OK);
  return runtime;
}

static const char *path_of(const char *name) {
  static char path[256];
  snprintf(path, sizeof path, "/tmp/hayate-%d-%s", (int)getpid(), name);
  return path;
}

static const hy_dtype all_types[] = {HY_F32, HY_U8,  HY_I8,  HY_U16, HY_I16,  HY_I32, HY_I64,
                                     HY_F16, HY_F64, HY_U32, HY_U64, HY_BF16, HY_BOOL};

static void every_type_there_and_back(void **state) {
  (void)state;
  hy_runtime *runtime = runtime_make();
  uint8_t values[6 * 8];
  hy_tensor tensors[HY_COUNT(all_types)];
  const char *names[HY_COUNT(all_types)];
  for (size_t i = 0; i < sizeof values; i++) values[i] = (uint8_t)(i & 1);
  for (size_t i = 0; i < HY_COUNT(all_types); i++) {
    tensors[i] = (hy_tensor){.data = values, .dtype = all_types[i], .rank = 2, .dims = {2, 3}};
    names[i] = hy_dtype_name(all_types[i]);
  }
  const char *path = path_of("types.npz");
  hy_error err;
  assert_int_equal(hy_arrays_write(runtime, path, names, tensors, HY_COUNT(all_types), &err),
                   HY_OK);
  hy_arrays *arrays;
  assert_int_equal(hy_arrays_read(runtime, path, &arrays, &err), HY_OK);
  assert_int_equal(hy_arrays_n(arrays), HY_COUNT(all_types));
  for (size_t i = 0; i < HY_COUNT(all_types); i++) {
    const hy_tensor *t = hy_arrays_find(arrays, names[i]);
    assert_ptr_equal(t, hy_arrays_at(arrays, i));
    assert_int_equal(t->dtype, all_types[i]);
    assert_int_equal(t->rank, 2);
    assert_memory_equal(t->data, values, 6 * hy_dtype_bytes(all_types[i]));
    assert_int_equal((uintptr_t)t->data % 64, 0); /* in place, and aligned for every kernel */
  }
  assert_null(hy_arrays_find(arrays, "none"));
  assert_null(hy_arrays_at(arrays, 99));
  hy_arrays_destroy(arrays);
  unlink(path);
  hy_runtime_destroy(runtime);
}

static void texts_there_and_back(void **state) {
  (void)state;
  hy_runtime *runtime = runtime_make();
  hy_string values[3] = {{"AAPL", 4}, {"", 0}, {"疾風\xF0\x9F\x8C\xAA", 10}};
  hy_tensor t = {.data = values, .dtype = HY_STRING, .rank = 1, .dims = {3}};
  const char *path = path_of("texts.npy");
  hy_error err;
  assert_int_equal(hy_arrays_write(runtime, path, NULL, &t, 1, &err), HY_OK);
  hy_arrays *arrays;
  assert_int_equal(hy_arrays_read(runtime, path, &arrays, &err), HY_OK);
  const hy_string *back = hy_arrays_find(arrays, "")->data;
  for (int i = 0; i < 3; i++) {
    assert_int_equal(back[i].len_bytes, values[i].len_bytes);
    assert_memory_equal(back[i].data, values[i].data, values[i].len_bytes);
  }
  hy_arrays_destroy(arrays);
  values[0].data = "\xFF\xFE__";
  assert_int_equal(hy_arrays_write(runtime, path, NULL, &t, 1, &err), HY_INVALID_ARGUMENT);
  unlink(path);
  hy_runtime_destroy(runtime);
}

static void sizes_are_known_before(void **state) {
  (void)state;
  float values[6] = {0};
  size_t bytes = 0;
  hy__buffer b;
  hy_tensor t = {
      .data = values, .dtype = HY_F32, .rank = 2, .dims = {2, 3}, .strides_bytes = {4, 8}};
  hy__buffer_init(&b, &hy__allocator_libc, 1000);
  assert_int_equal(hy__npy_write(&t, hy__buffer_sink(&b), NULL), HY_OK);
  assert_int_equal(hy__npy_bytes(&t, &bytes, NULL), HY_OK);
  assert_int_equal(bytes, b.len_bytes);
  assert_int_equal(bytes, 128 + 24);
  hy__buffer_destroy(&b);
  t.rank = HY_MAX_RANK + 1;
  assert_int_equal(hy__npy_bytes(&t, &bytes, NULL), HY_INVALID_ARGUMENT);
}

static void strides_and_empty(void **state) {
  (void)state;
  hy_runtime *runtime = runtime_make();
  int32_t grid[3][4];
  for (int i = 0; i < 12; i++) grid[i / 4][i % 4] = i;
  hy_tensor tensors[3] = {
      {.data = grid, .dtype = HY_I32, .rank = 2, .dims = {4, 3}, .strides_bytes = {4, 16}},
      {.data = &grid[2][3], .dtype = HY_I32, .rank = 1, .dims = {12}, .strides_bytes = {-4}},
      {.data = NULL, .dtype = HY_F64, .rank = 2, .dims = {0, 5}}};
  const char *names[3] = {"turned", "backwards", "none/empty"};
  const char *path = path_of("strides.npz");
  hy_error err;
  assert_int_equal(hy_arrays_write(runtime, path, names, tensors, 3, &err), HY_OK);
  hy_arrays *arrays;
  assert_int_equal(hy_arrays_read(runtime, path, &arrays, &err), HY_OK);
  const int32_t *turned = hy_arrays_find(arrays, "turned")->data;
  const int32_t *backwards = hy_arrays_find(arrays, "backwards")->data;
  for (int i = 0; i < 12; i++) {
    assert_int_equal(turned[i], grid[i % 3][i / 3]);
    assert_int_equal(backwards[i], 11 - i);
  }
  assert_int_equal(hy_arrays_find(arrays, "none/empty")->dims[1], 5);
  hy_arrays_destroy(arrays);
  unlink(path);
  hy_runtime_destroy(runtime);
}

/* An .npy of version 1 with this header and data. */
static size_t npy(char *to, const char *header, const void *data, size_t bytes) {
  size_t n = strlen(header);
  memcpy(to, "\x93NUMPY\1\0", 8);
  to[8] = (char)(n & 0xFF);
  to[9] = (char)(n >> 8);
  memcpy(to + 10, header, n);
  memcpy(to + 10 + n, data, bytes);
  return 10 + n + bytes;
}

static hy_status parse(const char *header, const void *data, size_t bytes, hy_error *err) {
  char text[1024];
  hy_arrays *arrays;
  size_t n = npy(text, header, data, bytes);
  hy_status status = hy__arrays_parse(&hy__allocator_libc, text, n, &arrays, err);
  hy_arrays_destroy(arrays);
  return status;
}

static void fortran_order_is_turned(void **state) {
  (void)state;
  char text[1024];
  int16_t data[24], *back;
  for (int i = 0; i < 24; i++) data[i] = (int16_t)i;
  size_t n = npy(text, "{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3, 4), }\n", data, 48);
  hy_arrays *arrays;
  assert_int_equal(hy__arrays_parse(&hy__allocator_libc, text, n, &arrays, NULL), HY_OK);
  back = hy_arrays_at(arrays, 0)->data;
  for (int a = 0; a < 2; a++)
    for (int b = 0; b < 3; b++)
      for (int c = 0; c < 4; c++)
        assert_int_equal(back[a * 12 + b * 4 + c], data[a + 2 * b + 6 * c]);
  hy_arrays_destroy(arrays);
}

static void headers_are_strict(void **state) {
  (void)state;
  static const struct {
    const char *header;
    hy_status status;
  } rows[] = {
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", HY_OK},
      {"{\"shape\":(2L,),'fortran_order':False,'descr':'<f4'}   \n", HY_OK},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)}", HY_OK},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", HY_BAD_FORMAT},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", HY_BAD_FORMAT},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2 2,)}", HY_BAD_FORMAT},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296,4294967296,16)}",
       HY_BAD_FORMAT},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (0,4294967296,4294967296,16)}",
       HY_BAD_FORMAT},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,2)}", HY_OK},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,2)}", HY_LIMIT},
      {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", HY_BAD_FORMAT},
      {"{'descr': '<f4', 'fortran_order': False}", HY_BAD_FORMAT},
      {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", HY_BAD_FORMAT},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}", HY_BAD_FORMAT},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)", HY_BAD_FORMAT},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x", HY_BAD_FORMAT},
      {"{'descr': '>f4', 'fortran_order': False, 'shape': (2,)}", HY_UNSUPPORTED},
      {"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", HY_UNSUPPORTED},
      {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", HY_UNSUPPORTED},
      {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", HY_UNSUPPORTED},
      {"{'descr': '|b1', 'fortran_order': False, 'shape': (8,)}", HY_BAD_FORMAT},
      {"{'descr': '<U1', 'fortran_order': False, 'shape': (2,)}", HY_BAD_FORMAT},
      {"{'descr': '|S4', 'fortran_order': False, 'shape': (2,)}", HY_OK},
      {"{'descr': '|S99999999999', 'fortran_order': False, 'shape': (2,)}", HY_UNSUPPORTED},
      {"{'descr': '|S0', 'fortran_order': False, 'shape': (4000000000,)}", HY_BAD_FORMAT},
      {"", HY_BAD_FORMAT},
  };
  static const float data[2] = {1.5f, -2.25f};
  for (size_t i = 0; i < HY_COUNT(rows); i++) {
    hy_error err;
    hy_error_clear(&err);
    hy_status status = parse(rows[i].header, data, sizeof data, &err);
    if (status != rows[i].status) print_error("%s: %s\n", rows[i].header, err.message);
    assert_int_equal(status, rows[i].status);
  }
  hy_error err;
  assert_int_equal(
      parse("{'descr': '|S0', 'fortran_order': False, 'shape': (4000000000,)}", data, 0, &err),
      HY_LIMIT);
}

static void cut_anywhere_is_refused(void **state) {
  (void)state;
  hy_runtime *runtime = runtime_make();
  double values[5] = {1, 2, 3, 4, 5};
  hy_tensor tensors[2] = {{.data = values, .dtype = HY_F64, .rank = 1, .dims = {5}},
                          {.data = values, .dtype = HY_F64, .rank = 0}};
  const char *names[2] = {"x", "y"}, *path = path_of("cut.npz");
  assert_int_equal(hy_arrays_write(runtime, path, names, tensors, 2, NULL), HY_OK);
  hy__map map;
  assert_int_equal(hy__map_open(path, &map, NULL), HY_OK);
  hy_arrays *arrays;
  for (size_t n = 0; n < map.bytes; n++) {
    hy_error err;
    assert_int_equal(hy__arrays_parse(&hy__allocator_libc, map.data, n, &arrays, &err),
                     HY_BAD_FORMAT);
    assert_null(arrays);
  }
  assert_int_equal(hy__arrays_parse(&hy__allocator_libc, map.data, map.bytes, &arrays, NULL),
                   HY_OK);
  hy_arrays_destroy(arrays);
  /* One flipped bit of data is found by the check sum. */
  uint8_t bytes[2048];
  assert_true(map.bytes <= sizeof bytes);
  memcpy(bytes, map.data, map.bytes);
  uint8_t *at = memmem(bytes, map.bytes, &values[2], sizeof values[2]);
  assert_non_null(at);
  at[6] ^= 1;
  hy_error err;
  assert_int_equal(hy__arrays_parse(&hy__allocator_libc, bytes, map.bytes, &arrays, &err),
                   HY_BAD_FORMAT);
  assert_non_null(strstr(err.message, "x.npy: the check sum"));
  hy__map_close(&map);
  unlink(path);
  hy_runtime_destroy(runtime);
}

static void zip64_there_and_back(void **state) {
  (void)state;
  hy__buffer buffer;
  hy__zip_writer w;
  hy__arena *arena;
  hy__zip_member *members;
  size_t n;
  hy__buffer_init(&buffer, &hy__allocator_libc, 1 << 20);
  hy__zip_begin(&w, hy__buffer_sink(&buffer), &hy__allocator_libc);
  w.zip64_from = 1; /* everything takes the long form */
  for (int i = 0; i < 3; i++) {
    char name[16];
    snprintf(name, sizeof name, "m%d", i);
    assert_int_equal(hy__zip_member_begin(&w, name, 7u, 5, NULL), HY_OK);
    assert_int_equal(w.offset % 64, 0);
    assert_int_equal(hy__zip_write(&w, "hello", 5, NULL), HY_OK);
  }
  assert_int_equal(hy__zip_end(&w, NULL), HY_OK);
  assert_int_equal(hy__arena_create(&hy__allocator_libc, 0, 0, &arena, NULL), HY_OK);
  assert_int_equal(
      hy__zip_read((const uint8_t *)buffer.data, buffer.len_bytes, arena, &members, &n, NULL),
      HY_OK);
  assert_int_equal(n, 3);
  assert_string_equal(members[2].name, "m2");
  assert_int_equal(members[2].bytes, 5);
  assert_memory_equal(members[2].data, "hello", 5);
  hy__arena_destroy(arena);
  hy__zip_destroy(&w);
  hy__buffer_destroy(&buffer);
}

static void files_are_refused_by_name(void **state) {
  (void)state;
  hy_runtime *runtime = runtime_make();
  hy_arrays *arrays;
  hy_error err;
  assert_int_equal(hy_arrays_read(runtime, "/tmp", &arrays, &err), HY_BAD_FORMAT);
  assert_string_equal(err.subject, "/tmp");
  assert_int_equal(hy_arrays_read(runtime, "/tmp/hayate-none.npz", &arrays, &err), HY_NOT_FOUND);
  const char *path = path_of("other.npz");
  assert_int_equal(hy__file_write_all(path, "time,close\n", 11, NULL), HY_OK);
  assert_int_equal(hy_arrays_read(runtime, path, &arrays, &err), HY_BAD_FORMAT);
  assert_int_equal(hy__file_write_all(path, "", 0, NULL), HY_OK);
  assert_int_equal(hy_arrays_read(runtime, path, &arrays, &err), HY_BAD_FORMAT);
  assert_non_null(strstr(err.message, "empty"));
  unlink(path);
  int32_t one = 1;
  hy_tensor t[2] = {{.data = &one, .dtype = HY_I32}, {.data = &one, .dtype = HY_I32}};
  const char *same[2] = {"a", "a"};
  assert_int_equal(hy_arrays_write(runtime, path, same, t, 2, &err), HY_INVALID_ARGUMENT);
  assert_int_equal(hy_arrays_write(runtime, "/tmp/x.npy", same, t, 2, &err), HY_INVALID_ARGUMENT);
  assert_int_equal(hy_arrays_write(runtime, "/tmp/no/such/x.npz", same, t, 1, &err), HY_NOT_FOUND);
  t[0].dims[0] = -1;
  t[0].rank = 1;
  assert_int_equal(hy_arrays_write(runtime, path, same, t, 1, &err), HY_INVALID_ARGUMENT);
  assert_false(hy__path_exists(path));
  hy_runtime_destroy(runtime);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type_there_and_back), cmocka_unit_test(texts_there_and_back),
      cmocka_unit_test(sizes_are_known_before),    cmocka_unit_test(strides_and_empty),
      cmocka_unit_test(fortran_order_is_turned),   cmocka_unit_test(headers_are_strict),
      cmocka_unit_test(cut_anywhere_is_refused),   cmocka_unit_test(zip64_there_and_back),
      cmocka_unit_test(files_are_refused_by_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
