/* SPDX-License-Identifier: Apache-2.0 */
/* External data of ONNX tensors: files in the model's folder or below, mapped once each. A name
 * that leaves the folder (absolute, "..", or a symlink that points out) is refused. */
#include <limits.h>
#include <stdlib.h>

#include "model/onnx.h"

static bool has_parent(const char *path) {
  for (const char *p = path; *p; p++)
    if ((p == path || p[-1] == '/') && p[0] == '.' && p[1] == '.' && (p[2] == '/' || !p[2]))
      return true;
  return false;
}

/* The real path of `name`, which must lie below the real folder of the model. */
static hy_status resolve(hy__onnx *r, const char *name, char out[PATH_MAX], hy_error *err) {
  char joined[PATH_MAX], folder[PATH_MAX];
  HY_FAIL_IF(!r->model->path, HY_UNSUPPORTED, err,
             "external data '%s': a model from memory has no folder to look in", name);
  HY_FAIL_IF(!*name, HY_BAD_FORMAT, err, "external data without a location");
  HY_FAIL_IF(name[0] == '/' || has_parent(name), HY_BAD_FORMAT, err,
             "external data '%s' lies outside the model's folder", name);
  HY_TRY(hy__path_beside(r->model->path, ".", joined, sizeof joined, err));
  HY_FAIL_IF(!realpath(joined, folder), HY_IO, err, "the model's folder cannot be resolved");
  HY_TRY(hy__path_beside(r->model->path, name, joined, sizeof joined, err));
  HY_FAIL_IF(!realpath(joined, out), HY_NOT_FOUND, err, "external data '%s' is not there", name);
  size_t n = strlen(folder);
  bool inside = strncmp(out, folder, n) == 0 && (out[n] == '/' || (n == 1 && folder[0] == '/'));
  HY_FAIL_IF(!inside, HY_BAD_FORMAT, err,
             "external data '%s' is a link that leaves the model's folder", name);
  return HY_OK;
}

/* In a container the file is a section beside the model's. */
static hy_status open_section(hy__onnx *r, const char *name, hy__map *out, hy_error *err) {
  const hy__hyp *c = r->model->container;
  for (size_t i = 0; i < c->n; i++) {
    const hy__hyp_section *s = &c->sections[i];
    if (s->kind != HY__HYP_EXTERNAL || strcmp(s->owner, r->model->owner) != 0 ||
        strcmp(s->name, name) != 0)
      continue;
    *out = (hy__map){s->data, s->bytes};
    return hy__hyp_check(s, err);
  }
  HY_FAIL(HY_NOT_FOUND, err, "external data '%s' is not in the container", name);
}

static hy_status open_one(hy__onnx *r, const char *name, hy__external **out, hy_error *err) {
  char path[PATH_MAX];
  void *memory;
  HY_FAIL_IF(r->model->n_externals >= r->limits.max_files, HY_LIMIT, err,
             "external data in more than %zu files", r->limits.max_files);
  if (!r->model->container) HY_TRY(resolve(r, name, path, err));
  HY_TRY(hy__arena_alloc(r->arena, sizeof(hy__external), _Alignof(hy__external), &memory, err));
  hy__external *external = memory;
  external->location = name;
  HY_TRY(r->model->container ? open_section(r, name, &external->map, err)
                             : hy__map_open(path, &external->map, err));
  external->next = r->model->externals;
  r->model->externals = external;
  r->model->n_externals++;
  r->model->external_bytes += external->map.bytes;
  HY_FAIL_IF(r->limits.max_bytes &&
                 r->model->external_bytes + r->model->map.bytes > r->limits.max_bytes,
             HY_LIMIT, err, "the model and its external data have more than %zu bytes",
             r->limits.max_bytes);
  *out = external;
  return HY_OK;
}

hy_status hy__onnx_external(hy__onnx *r, const hy__onnx_location *at, hy__span *out,
                            hy_error *err) {
  const char *name;
  hy__pb_field f = {.wire = HY__PB_BYTES, .bytes = at->path};
  HY_TRY(hy__onnx_text(r, &f, "external data's location", &name, err));
  hy__external *found = r->model->externals;
  while (found && strcmp(found->location, name) != 0) found = found->next;
  if (!found) HY_TRY(open_one(r, name, &found, err));
  hy__span file = hy__span_make(found->map.data, found->map.bytes);
  HY_FAIL_IF((uint64_t)at->offset > found->map.bytes ||
                 (uint64_t)at->length > found->map.bytes - (uint64_t)at->offset,
             HY_BAD_FORMAT, err,
             "%lld bytes from %lld on in external data '%s' are past its end at %zu",
             (long long)at->length, (long long)at->offset, name, found->map.bytes);
  (void)hy__span_take(&file, (size_t)at->offset);
  *out = hy__span_sub(&file, (size_t)at->length);
  return HY_OK;
}
