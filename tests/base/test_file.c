/* SPDX-License-Identifier: Apache-2.0
 * Files: what is no regular file is refused by name, outputs appear whole or not at all, paths,
 * memory. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"

typedef struct place {
  char folder[64];
  char path[400];
} place;

static const char *in(place *p, const char *name) {
  snprintf(p->path, sizeof p->path, "%s/%s", p->folder, name);
  return p->path;
}

static int make_place(void **state) {
  static place p;
  snprintf(p.folder, sizeof p.folder, "/tmp/hayate-file-XXXXXX");
  if (!mkdtemp(p.folder)) return 1;
  *state = &p;
  return 0;
}

static int count_files(const char *folder) {
  int n = 0;
  DIR *d = opendir(folder);
  for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
    n += e->d_name[0] != '.' || e->d_name[1] > '.';
  if (d) closedir(d);
  return n;
}

static int remove_place(void **state) {
  place *p = *state;
  DIR *d = opendir(p->folder);
  for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) remove(in(p, e->d_name));
  if (d) closedir(d);
  return rmdir(p->folder);
}

static void expect_content(const char *path, const char *text) {
  hy__map map;
  assert_int_equal(hy__map_open(path, &map, NULL), HY_OK);
  assert_int_equal(map.bytes, strlen(text));
  if (map.bytes) assert_memory_equal(map.data, text, map.bytes);
  hy__map_close(&map);
  assert_null(map.data);
  hy__map_close(&map);
}

static void outputs_appear_whole(void **state) {
  place *p = *state;
  hy_error err;
  hy__outfile f;
  char path[400];
  snprintf(path, sizeof path, "%s", in(p, "out.csv"));
  assert_int_equal(hy__file_write_all(path, "old", 3, &err), HY_OK);
  assert_int_equal(hy__outfile_open(path, &f, &err), HY_OK);
  assert_int_equal(hy__outfile_write(&f, "new ", 4, &err), HY_OK);
  expect_content(path, "old");
  assert_int_equal(count_files(p->folder), 2);
  assert_int_equal(hy__outfile_write(&f, "text", 4, &err), HY_OK);
  assert_int_equal(hy__outfile_commit(&f, &err), HY_OK);
  expect_content(path, "new text");
  hy__outfile_discard(&f);
  expect_content(path, "new text");
  assert_int_equal(hy__outfile_open(path, &f, &err), HY_OK);
  assert_int_equal(hy__outfile_write(&f, "lost", 4, &err), HY_OK);
  hy__outfile_discard(&f);
  expect_content(path, "new text");
  assert_int_equal(count_files(p->folder), 1);
  struct stat info;
  mode_t mask = umask(0);
  umask(mask);
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0666 & ~mask);
  assert_int_equal(hy__file_write_all(path, NULL, 0, &err), HY_OK);
  expect_content(path, "");
}

static void refusals(void **state) {
  place *p = *state;
  hy_error err;
  hy__map map;
  hy__outfile f;
  assert_int_equal(hy__map_open(in(p, "none"), &map, &err), HY_NOT_FOUND);
  assert_string_equal(err.subject, p->path);
  assert_int_equal(hy__map_open(p->folder, &map, &err), HY_BAD_FORMAT);
  assert_non_null(strstr(err.message, "directory"));
  assert_int_equal(hy__map_open("/dev/null", &map, &err), HY_BAD_FORMAT);
  assert_int_equal(mkfifo(in(p, "fifo"), 0600), 0);
  assert_int_equal(hy__map_open(p->path, &map, &err), HY_BAD_FORMAT); /* and does not wait */
  assert_non_null(strstr(err.message, "fifo"));
  assert_int_equal(hy__outfile_open(p->folder, &f, &err), HY_BAD_FORMAT);
  assert_int_equal(hy__outfile_open("", &f, &err), HY_INVALID_ARGUMENT);
  assert_int_equal(hy__outfile_open(in(p, "no/such"), &f, &err), HY_NOT_FOUND);
  char path[5000];
  memset(path, 'a', sizeof path - 1);
  path[sizeof path - 1] = 0;
  assert_int_equal(hy__outfile_open(path, &f, &err), HY_LIMIT);
}

static void devices_are_written_through(void **state) {
  (void)state;
  struct stat info;
  assert_int_equal(hy__file_write_all("/dev/null", "x", 1, NULL), HY_OK);
  assert_int_equal(stat("/dev/null", &info), 0);
  assert_true(S_ISCHR(info.st_mode));
  hy_error err;
  assert_int_equal(hy__file_write_all("/dev/full", "x", 1, &err), HY_IO);
  assert_string_equal(err.subject, "/dev/full");
}

static void folders(void **state) {
  place *p = *state;
  hy_error err;
  char deep[300];
  snprintf(deep, sizeof deep, "%s/a/b/c", p->folder);
  assert_int_equal(hy__folder_make(deep, &err), HY_OK);
  assert_int_equal(hy__folder_make(deep, &err), HY_OK);
  assert_true(hy__path_is_folder(deep) && hy__path_exists(deep));
  for (int i = 0; i < 3; i++) {
    assert_int_equal(rmdir(deep), 0);
    *strrchr(deep, '/') = 0;
  }
  assert_int_equal(hy__file_write_all(in(p, "file"), "x", 1, &err), HY_OK);
  assert_false(hy__path_is_folder(p->path));
  snprintf(deep, sizeof deep, "%s/file/sub", p->folder);
  assert_int_not_equal(hy__folder_make(deep, &err), HY_OK);
}

static void paths(void **state) {
  (void)state;
  char out[32];
  assert_int_equal(hy__path_beside("a/b/pipe.yaml", "m.onnx", out, sizeof out, NULL), HY_OK);
  assert_string_equal(out, "a/b/m.onnx");
  assert_int_equal(hy__path_beside("pipe.yaml", "m.onnx", out, sizeof out, NULL), HY_OK);
  assert_string_equal(out, "m.onnx");
  assert_int_equal(hy__path_beside("a/pipe.yaml", "/m.onnx", out, sizeof out, NULL), HY_OK);
  assert_string_equal(out, "/m.onnx");
  assert_int_equal(hy__path_beside("a/pipe.yaml", "12345", out, 8, NULL), HY_OK);
  assert_int_equal(hy__path_beside("a/pipe.yaml", "123456", out, 8, NULL), HY_LIMIT);
  assert_int_equal(hy__path_beside("aaaaaaaaaaaaaaa/x", "y", out, 8, NULL), HY_LIMIT);
}

static void memory_is_known(void **state) {
  (void)state;
  assert_true(hy__memory_anon_bytes() > 0);
  assert_true(hy__memory_peak_rss_bytes() >= hy__memory_anon_bytes() / 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(outputs_appear_whole, make_place, remove_place),
      cmocka_unit_test_setup_teardown(refusals, make_place, remove_place),
      cmocka_unit_test(devices_are_written_through),
      cmocka_unit_test_setup_teardown(folders, make_place, remove_place),
      cmocka_unit_test(paths),
      cmocka_unit_test(memory_is_known),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
