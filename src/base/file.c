/* SPDX-License-Identifier: Apache-2.0
 * Files: read-only mappings, outputs that appear whole or not at all, paths, and this process's
 * memory. A mapping reads what the file holds: who shortens a file under a running job gets a bus
 * error from the system, so writers here never change a file in place (they rename a new one over
 * it). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"

enum { TEMPORARY_TRIES = 64 };

/* The reason of an errno in the system's words, without a locale. */
static const char *reason(int code) {
  const char *text = strerrordesc_np(code);
  return text ? text : "unknown reason";
}

static hy_status fail_errno(hy_error *err, const char *path, int code, const char *what) {
  hy_status status = code == ENOENT || code == ENOTDIR ? HY_NOT_FOUND
                     : code == ENOMEM                  ? HY_OUT_OF_MEMORY
                                                       : HY_IO;
  hy__error_set(err, status, "%s: %s", what, reason(code));
  hy__error_subject(err, path);
  return status;
}

static hy_status fail_kind(hy_error *err, const char *path, mode_t mode) {
  const char *kind = S_ISDIR(mode)    ? "a directory"
                     : S_ISCHR(mode)  ? "a character device"
                     : S_ISBLK(mode)  ? "a block device"
                     : S_ISFIFO(mode) ? "a fifo"
                     : S_ISSOCK(mode) ? "a socket"
                                      : "not a file";
  hy__error_set(err, HY_BAD_FORMAT, "is %s, a regular file is expected", kind);
  hy__error_subject(err, path);
  return HY_BAD_FORMAT;
}

static hy_status map_fd(int fd, const char *path, hy__map *out, hy_error *err) {
  struct stat info;
  if (fstat(fd, &info) != 0) return fail_errno(err, path, errno, "cannot be examined");
  if (!S_ISREG(info.st_mode)) return fail_kind(err, path, info.st_mode);
  if (info.st_size == 0) return HY_OK;
  void *data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (data == MAP_FAILED) return fail_errno(err, path, errno, "cannot be mapped");
  *out = (hy__map){.data = data, .bytes = (size_t)info.st_size};
  return HY_OK;
}

hy_status hy__map_open(const char *path, hy__map *out, hy_error *err) {
  *out = (hy__map){0};
  /* O_NONBLOCK: a fifo without a writer must be refused, not waited for. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return fail_errno(err, path, errno, "cannot be opened");
  hy_status status = map_fd(fd, path, out, err);
  close(fd);
  return status;
}

void hy__map_close(hy__map *map) {
  if (map->data) munmap((void *)(uintptr_t)map->data, map->bytes);
  *map = (hy__map){0};
}

static hy_status copy_path(const char *path, char *out, size_t bytes, hy_error *err) {
  size_t n = strlen(path);
  HY_FAIL_IF(n == 0, HY_INVALID_ARGUMENT, err, "an empty file name");
  HY_FAIL_IF(n >= bytes, HY_LIMIT, err, "a path of %zu bytes is over the limit of %zu", n,
             bytes - 1);
  memcpy(out, path, n + 1);
  return HY_OK;
}

static hy_status open_temporary(hy__outfile *f, hy_error *err) {
  const char *slash = strrchr(f->path, '/');
  int folder = slash ? (int)(slash + 1 - f->path) : 0;
  for (int i = 0; i < TEMPORARY_TRIES; i++) {
    unsigned tag = (unsigned)hy__clock_monotonic_ns() + (unsigned)i;
    int n = snprintf(f->temporary, sizeof f->temporary, "%.*s.%s.%d-%08x.part", folder, f->path,
                     f->path + folder, (int)getpid(), tag);
    HY_FAIL_IF(n < 0 || (size_t)n >= sizeof f->temporary, HY_LIMIT, err,
               "the path is too long for a temporary name beside it");
    f->fd = open(f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (f->fd >= 0) return HY_OK;
    if (errno != EEXIST) return fail_errno(err, f->path, errno, "cannot be written");
  }
  return fail_errno(err, f->path, EEXIST, "cannot be written");
}

hy_status hy__outfile_open(const char *path, hy__outfile *out, hy_error *err) {
  struct stat info;
  out->fd = -1;
  out->temporary[0] = 0;
  HY_TRY(copy_path(path, out->path, sizeof out->path, err));
  if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
    /* A rename would replace a device; it is written through, and a folder is refused. */
    if (!S_ISCHR(info.st_mode) && !S_ISFIFO(info.st_mode))
      return fail_kind(err, path, info.st_mode);
    out->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return out->fd < 0 ? fail_errno(err, path, errno, "cannot be written") : HY_OK;
  }
  return open_temporary(out, err);
}

hy_status hy__outfile_write(hy__outfile *f, const void *data, size_t bytes, hy_error *err) {
  const char *p = data;
  while (bytes > 0) {
    ssize_t n = write(f->fd, p, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(err, f->path, errno, "cannot be written");
    p += n;
    bytes -= (size_t)n;
  }
  return HY_OK;
}

hy_status hy__outfile_commit(hy__outfile *f, hy_error *err) {
  int fd = f->fd;
  f->fd = -1;
  if (close(fd) != 0 && errno != EINTR) {
    int code = errno;
    hy__outfile_discard(f);
    return fail_errno(err, f->path, code, "cannot be written");
  }
  if (!f->temporary[0]) return HY_OK;
  if (rename(f->temporary, f->path) != 0) {
    int code = errno;
    hy__outfile_discard(f);
    return fail_errno(err, f->path, code, "cannot be put in place");
  }
  f->temporary[0] = 0;
  return HY_OK;
}

void hy__outfile_discard(hy__outfile *f) {
  if (f->fd >= 0) close(f->fd);
  f->fd = -1;
  if (f->temporary[0]) unlink(f->temporary);
  f->temporary[0] = 0;
}

hy_status hy__file_write_all(const char *path, const void *data, size_t bytes, hy_error *err) {
  hy__outfile f;
  HY_TRY(hy__outfile_open(path, &f, err));
  hy_status status = hy__outfile_write(&f, data, bytes, err);
  if (status == HY_OK) return hy__outfile_commit(&f, err);
  hy__outfile_discard(&f);
  return status;
}

hy_status hy__file_remove(const char *path, hy_error *err) {
  if (unlink(path) == 0 || errno == ENOENT) return HY_OK;
  return fail_errno(err, path, errno, "cannot be removed");
}

static hy_status folder_one(const char *path, hy_error *err) {
  if (mkdir(path, 0777) == 0 || hy__path_is_folder(path)) return HY_OK;
  int code = errno;
  if (code != EEXIST) return fail_errno(err, path, code, "cannot be made as a folder");
  hy__error_set(err, HY_INVALID_ARGUMENT, "is a file, a folder is expected");
  hy__error_subject(err, path);
  return HY_INVALID_ARGUMENT;
}

hy_status hy__folder_make(const char *path, hy_error *err) {
  char prefix[4096];
  HY_TRY(copy_path(path, prefix, sizeof prefix, err));
  if (hy__path_is_folder(path)) return HY_OK;
  for (char *p = prefix + 1; *p; p++) {
    if (*p != '/') continue;
    *p = 0;
    HY_TRY(folder_one(prefix, err));
    *p = '/';
  }
  return folder_one(prefix, err);
}

bool hy__path_exists(const char *path) { return access(path, F_OK) == 0; }

bool hy__path_is_folder(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool hy__path_same(const char *a, const char *b) {
  struct stat x, y;
  return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

hy_status hy__path_beside(const char *base, const char *name, char *out, size_t bytes,
                          hy_error *err) {
  const char *slash = strrchr(base, '/');
  size_t folder = name[0] == '/' || !slash ? 0 : (size_t)(slash + 1 - base), n = strlen(name);
  HY_FAIL_IF(folder >= bytes || n >= bytes - folder, HY_LIMIT, err,
             "a path of %zu bytes is over the limit of %zu", folder + n, bytes - 1);
  memcpy(out, base, folder);
  memcpy(out + folder, name, n + 1);
  return HY_OK;
}

/* A line "Key:   123 kB" of /proc/self/status in bytes. */
static size_t status_bytes(const char *key) {
  char text[4096];
  int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  text[n > 0 ? n : 0] = 0;
  const char *at = strstr(text, key);
  if (!at) return 0;
  size_t kib = 0;
  for (at += strlen(key); *at == ' ' || *at == '\t'; at++) {
  }
  for (; *at >= '0' && *at <= '9'; at++) kib = kib * 10 + (size_t)(*at - '0');
  return kib * 1024;
}

size_t hy__memory_anon_bytes(void) { return status_bytes("RssAnon:"); }
size_t hy__memory_peak_rss_bytes(void) { return status_bytes("VmHWM:"); }
