/* SPDX-License-Identifier: Apache-2.0
 * Import's files: from folders to sorted lists, from a file to text in memory. */
#include "market/source.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATH_BYTES = 4096, LOOK_BYTES = 4096 };
static const size_t unpacked_bytes_max = (size_t)8 << 30;

static bool ends_with(const char *name, const char *suffix) {
  const size_t n = strlen(name), m = strlen(suffix);
  if (n <= m) return false;
  for (size_t k = 0; k < m; k++) {
    const char c = name[n - m + k];
    if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != suffix[k]) return false;
  }
  return true;
}

static const char *const suffixes[] = {".csv.gz", ".txt.gz", ".tsv.gz", ".csv", ".txt",
                                       ".tsv",    ".prn",    ".hdf5",   ".h5"};

static bool is_table_name(const char *name) {
  if (name[0] == '.') return false;
  for (size_t k = 0; k < HY_COUNT(suffixes); k++)
    if (ends_with(name, suffixes[k])) return true;
  return false;
}

static hy_status add_path(const hy_allocator *a, hy__arena *arena, const char *path,
                          hy__source_list *list, hy_error *err) {
  void *paths = list->paths;
  HY_FAIL_IF(list->n == HY_SOURCES_MAX, HY_LIMIT, err, "more than %d files", (int)HY_SOURCES_MAX);
  HY_TRY(hy__grow(a, &paths, &list->capacity, list->n + 1, sizeof(char *), err));
  list->paths = paths;
  HY_TRY(hy__arena_text(arena, path, strlen(path), &list->paths[list->n], err));
  list->n++;
  return HY_OK;
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static hy_status add_folder(const hy_allocator *a, hy__arena *arena, const char *folder,
                            hy__source_list *list, hy_error *err) {
  const size_t first = list->n;
  hy_status status = HY_OK;
  DIR *dir = opendir(folder);
  if (!dir) {
    status = hy__error_set(err, HY_IO, "the folder cannot be read");
    hy__error_subject(err, folder);
    return status;
  }
  const struct dirent *entry = NULL;
  while (status == HY_OK && (entry = readdir(dir)) != NULL) {
    char path[PATH_BYTES];
    if (!is_table_name(entry->d_name)) continue;
    const int n = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    if (n < 0 || (size_t)n >= sizeof path)
      status = hy__error_set(err, HY_LIMIT, "a path is too long");
    else if (!hy__path_is_folder(path))
      status = add_path(a, arena, path, list, err);
  }
  closedir(dir);
  if (status != HY_OK) return status;
  if (list->n == first) {
    status =
        hy__error_set(err, HY_NOT_FOUND,
                      "the folder holds no table: expected files named .csv, .txt, .tsv or .h5");
    hy__error_subject(err, folder);
    return status;
  }
  qsort(list->paths + first, list->n - first, sizeof(char *), by_name);
  return HY_OK;
}

hy_status hy__source_collect(const hy_allocator *a, hy__arena *arena, const char *const *paths,
                             size_t n_paths, hy__source_list *out, hy_error *err) {
  for (size_t k = 0; k < n_paths; k++) {
    if (hy__path_is_folder(paths[k]))
      HY_TRY(add_folder(a, arena, paths[k], out, err));
    else
      HY_TRY(add_path(a, arena, paths[k], out, err));
  }
  HY_FAIL_IF(out->n == 0, HY_INVALID_ARGUMENT, err, "no file to import was given");
  return HY_OK;
}

void hy__source_list_destroy(hy__source_list *list, const hy_allocator *a) {
  hy__free(a, list->paths, list->capacity * sizeof(char *));
}

static void set_stem(hy__source *s) {
  const char *slash = strrchr(s->path, '/'), *name = slash ? slash + 1 : s->path;
  (void)snprintf(s->stem, sizeof s->stem, "%s", name);
  for (size_t k = 0; k < HY_COUNT(suffixes); k++) {
    if (!ends_with(s->stem, suffixes[k])) continue;
    s->stem[strlen(s->stem) - strlen(suffixes[k])] = '\0';
    return;
  }
}

/* Text has no zero bytes, and few control characters. */
static hy_status check_text(const hy__source *s, hy_error *err) {
  const uint8_t *text = (const uint8_t *)s->text;
  HY_FAIL_IF(s->bytes == 0, HY_BAD_FORMAT, err, "empty file; expected a table of bars");
  HY_FAIL_IF(s->bytes >= 2 &&
                 ((text[0] == 0xff && text[1] == 0xfe) || (text[0] == 0xfe && text[1] == 0xff)),
             HY_UNSUPPORTED, err,
             "text in UTF-16; expected UTF-8 (save it as UTF-8, or run iconv)");
  for (size_t k = 0; k < HY_MIN(s->bytes, (size_t)LOOK_BYTES); k++) {
    if ((text[k] >= 0x20 && text[k] != 0x7f) || text[k] == '\n' || text[k] == '\r' ||
        text[k] == '\t')
      continue;
    hy_status status = hy__error_set(
        err, HY_BAD_FORMAT, "not a text file: byte 0x%02x; expected delimited text", text[k]);
    hy__error_place(err, 0, 0, (int64_t)k);
    return status;
  }
  return HY_OK;
}

static hy_status open_text(hy__source *s, hy_error *err) {
  if (s->bytes >= 8 && memcmp(s->text, "\x89HDF\r\n\x1a\n", 8) == 0) {
    s->is_hdf5 = true;
    return HY_OK;
  }
  if (s->bytes >= 2 && memcmp(s->text, "\x1f\x8b", 2) == 0) {
    HY_TRY(hy__gunzip(s->allocator, s->text, s->bytes, unpacked_bytes_max, &s->unpacked, err));
    s->text = s->unpacked.data;
    s->bytes = s->unpacked.bytes;
  }
  return check_text(s, err);
}

hy_status hy__source_open(const hy_allocator *a, const char *path, hy__source *out, hy_error *err) {
  *out = (hy__source){.allocator = a, .path = path};
  set_stem(out);
  HY_TRY(hy__map_open(path, &out->map, err));
  out->text = (const char *)out->map.data;
  out->bytes = out->map.bytes;
  hy_status status = open_text(out, err);
  if (status == HY_OK) return HY_OK;
  hy__error_subject(err, path);
  hy__source_close(out);
  return status;
}

void hy__source_close(hy__source *s) {
  hy__free(s->allocator, s->unpacked.data, s->unpacked.capacity_bytes);
  s->unpacked = (hy__gunzipped){0};
  hy__map_close(&s->map);
}
