/* SPDX-License-Identifier: Apache-2.0
 * `--out DIR`: every file is written under a temporary name and renamed when all of them are whole,
 * so that an interrupted run leaves the folder as it was. */
#include <stdio.h>

#include "score/write.h"

typedef hy_status (*write_fn)(const hy_score_result *r, const hy_sink *sink, hy_error *err);

typedef struct part {
  const char *name;
  write_fn write;
  bool evaluation_only;
} part;

static const part parts[] = {
    {"scores.csv", hy__write_scores, false}, {"evaluation.json", hy__write_evaluation, true},
    {"daily.csv", hy__write_daily, true},    {"report.html", hy__write_report, false},
    {"run.json", hy__write_run, false},
};

static hy_status file_write(void *ctx, const void *data, size_t bytes, hy_error *err) {
  return hy__outfile_write(ctx, data, bytes, err);
}

static hy_status write_part(const hy_score_result *r, const char *folder, const part *p,
                            hy__outfile *file, hy_error *err) {
  char path[4096];
  int n = snprintf(path, sizeof path, "%s/%s", folder, p->name);
  HY_FAIL_IF(n < 0 || (size_t)n >= sizeof path, HY_LIMIT, err,
             "the name of the folder is too long");
  HY_TRY(hy__outfile_open(path, file, err));
  hy_sink sink = {file_write, file};
  return p->write(r, &sink, err);
}

static hy_status write_all(hy_score_result *r, const char *folder, hy__outfile *files,
                           size_t *n_open, hy_error *err) {
  for (size_t k = 0; k < HY_COUNT(parts); k++) {
    if (parts[k].evaluation_only && !r->evaluated) continue;
    files[*n_open].fd = -1;
    hy_status status = write_part(r, folder, &parts[k], &files[*n_open], err);
    if (files[*n_open].fd >= 0) ++*n_open;
    HY_TRY(status);
  }
  return HY_OK;
}

static hy_status remove_one(const char *folder, const char *name, hy_error *err) {
  char path[4096];
  int n = snprintf(path, sizeof path, "%s/%s", folder, name);
  HY_FAIL_IF(n < 0 || (size_t)n >= sizeof path, HY_LIMIT, err, "the folder's name is too long");
  return hy__file_remove(path, err);
}

/* Files of an earlier run that this one has no part in would speak of other scores. */
static hy_status remove_others(const hy_score_result *r, const char *folder, bool npz,
                               hy_error *err) {
  for (size_t k = 0; k < HY_COUNT(parts); k++)
    if (parts[k].evaluation_only && !r->evaluated) HY_TRY(remove_one(folder, parts[k].name, err));
  return npz ? HY_OK : remove_one(folder, "scores.npz", err);
}

hy_status hy_score_write_folder(hy_score_result *r, const char *folder, bool npz, hy_error *err) {
  HY_FAIL_IF(!r || !folder, HY_INVALID_ARGUMENT, err, "result and folder are required");
  int64_t start_ns = hy__clock_monotonic_ns();
  HY_TRY(hy__folder_make(folder, err));
  void *memory = NULL;
  size_t bytes = HY_COUNT(parts) * sizeof(hy__outfile);
  HY_TRY(hy__alloc_zero(r->allocator, bytes, &memory, err));
  hy__outfile *files = memory;
  size_t n_open = 0;
  hy_status status = write_all(r, folder, files, &n_open, err);
  if (status == HY_OK && npz) {
    char path[4096];
    snprintf(path, sizeof path, "%s/scores.npz", folder);
    status = hy__write_npz(r, path, err);
  }
  for (size_t k = 0; k < n_open; k++) {
    if (status == HY_OK) {
      status = hy__outfile_commit(&files[k], err);
    } else {
      hy__outfile_discard(&files[k]);
    }
  }
  if (status == HY_OK) status = remove_others(r, folder, npz, err);
  hy__free(r->allocator, memory, bytes);
  double write_ms = (double)(hy__clock_monotonic_ns() - start_ns) * 1e-6;
  r->totals.write_ms += write_ms;
  r->totals.elapsed_ms += write_ms;
  return status;
}
