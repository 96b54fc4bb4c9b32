/* SPDX-License-Identifier: Apache-2.0
 * Files: read-only mappings (file-backed, so not anonymous memory), and outputs that appear whole
 * or not at all (a temporary name beside the target, then a rename). */
#ifndef HY_BASE_FILE_H
#define HY_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hayate/runtime.h>

typedef struct hy__map {
  const uint8_t *data; /* NULL for an empty file */
  size_t bytes;
} hy__map;

/* Refuses directories, devices and fifos by name. Errors: NOT_FOUND, IO, BAD_FORMAT (not a regular
 * file). */
HY_CHECKED hy_status hy__map_open(const char *path, hy__map *out, hy_error *err);
void hy__map_close(hy__map *map);

typedef struct hy__outfile {
  int fd;
  char path[4096], temporary[4096];
} hy__outfile;

/* The temporary file is made in path's folder. */
HY_CHECKED hy_status hy__outfile_open(const char *path, hy__outfile *out, hy_error *err);
HY_CHECKED hy_status hy__outfile_write(hy__outfile *f, const void *data, size_t bytes,
                                       hy_error *err);
/* fsync is left to the caller's system; the rename is the commit. */
HY_CHECKED hy_status hy__outfile_commit(hy__outfile *f, hy_error *err);
void hy__outfile_discard(
    hy__outfile *f); /* after a failed or unwanted write; harmless after commit */
HY_CHECKED hy_status hy__file_write_all(const char *path, const void *data, size_t bytes,
                                        hy_error *err);
/* A file that is not there is fine. */
HY_CHECKED hy_status hy__file_remove(const char *path, hy_error *err);
HY_CHECKED hy_status hy__folder_make(const char *path,
                                     hy_error *err); /* parents too; existing is fine */
bool hy__path_exists(const char *path);
bool hy__path_is_folder(const char *path);
/* Both exist and are one file, by whatever names or links. */
bool hy__path_same(const char *a, const char *b);
/* folder of `base` joined with `name` (absolute names stay); LIMIT past bytes. */
HY_CHECKED hy_status hy__path_beside(const char *base, const char *name, char *out, size_t bytes,
                                     hy_error *err);

/* Memory of this process now, from /proc/self: RssAnon and VmHWM. 0 where unknown. */
size_t hy__memory_anon_bytes(void);
size_t hy__memory_peak_rss_bytes(void);

#endif
