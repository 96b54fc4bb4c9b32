/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX Runtime's C interface by slot number, from a library that is opened at run time: nothing of
 * it is needed to build. Slots up to 317 are fixed since its version 22, which is what is asked
 * for. Settings are those for latency: as many threads as ours, sequential, all optimisations, no
 * spinning unless wanted, denormals as zero. */
#include <dlfcn.h>
#include <stdio.h>

#include "engine/backend.h"

enum { API_VERSION = 22, LOG_ERROR = 3, OPTIMISE_ALL = 99, TYPE_TENSOR = 1 };

typedef enum slot {
  GET_ERROR_MESSAGE = 2,
  CREATE_ENV = 3,
  DISABLE_TELEMETRY = 6,
  CREATE_SESSION = 7,
  RUN = 9,
  CREATE_OPTIONS = 10,
  SET_EXECUTION_MODE = 13,
  SET_OPTIMISATION = 23,
  SET_INTRA_THREADS = 24,
  SET_INTER_THREADS = 25,
  OUTPUT_COUNT = 31,
  OUTPUT_TYPE_INFO = 34,
  CREATE_TENSOR = 49,
  TYPE_FROM_INFO = 56,
  CREATE_MEMORY_INFO = 69,
  RELEASE_ENV = 92,
  RELEASE_STATUS = 93,
  RELEASE_MEMORY_INFO = 94,
  RELEASE_SESSION = 95,
  RELEASE_VALUE = 96,
  RELEASE_TYPE_INFO = 98,
  RELEASE_OPTIONS = 100,
  ADD_CONFIG = 130
} slot;

typedef struct api_base {
  const void *const *(*get_api)(uint32_t version);
  const char *(*version)(void);
} api_base;

/* The forms of the calls: each answers NULL or a status that has to be released. */
typedef void *(*call_env)(int level, const char *id, void **out);
typedef void *(*call_1)(void *a);
typedef void *(*call_out)(void **out);
typedef void *(*call_int)(void *a, int value);
typedef void *(*call_config)(void *a, const char *key, const char *value);
typedef void *(*call_session)(void *env, const char *path, void *options, void **out);
typedef void *(*call_count)(void *session, size_t *out);
typedef void *(*call_info)(void *session, size_t index, void **out);
typedef void *(*call_type)(void *info, int *out);
typedef void *(*call_memory)(int kind, int type, void **out);
typedef void *(*call_tensor)(void *memory, void *data, size_t bytes, const int64_t *dims,
                             size_t rank, int type, void **out);
typedef void *(*call_run)(void *session, void *options, const char *const *in_names,
                          void *const *in, size_t n_in, const char *const *out_names, size_t n_out,
                          void **out);
typedef const char *(*call_message)(void *status);
typedef void (*call_release)(void *object);

struct hy__ort {
  hy__ort_options options;
  void *library;
  const char *version;
  const void *const *api;
  void *env, *memory, *session;
  hy__ort_binding binding;
  void **values; /* [n_sets][n_in], then [n_out] kept and [n_out] for a run */
  size_t n_values;
  call_run run;
};

/* A slot as a function of the wanted form; the standard has no cast from one to the other. */
#define SLOT(ort, form, number) (*(const form *)(const void *)&(ort)->api[number])

static void release(hy__ort *ort, slot number, void **object) {
  if (*object) SLOT(ort, call_release, number)(*object);
  *object = NULL;
}

static hy_status check(hy__ort *ort, void *status, hy_error *err) {
  if (!status) return HY_OK;
  hy__error_set(err, HY_UNSUPPORTED, "ONNX Runtime: %.300s",
                SLOT(ort, call_message, GET_ERROR_MESSAGE)(status));
  release(ort, RELEASE_STATUS, &status);
  return HY_UNSUPPORTED;
}

static hy_status library_open(hy__ort *ort, hy_error *err) {
  ort->library = dlopen(ort->options.library, RTLD_NOW | RTLD_LOCAL);
  HY_FAIL_IF(!ort->library, HY_NOT_FOUND, err, "the library of ONNX Runtime did not load: %s",
             dlerror());
  union {
    void *address;
    const api_base *(*call)(void);
  } entry = {dlsym(ort->library, "OrtGetApiBase")};
  HY_FAIL_IF(!entry.address, HY_NOT_FOUND, err, "'%s' is not the library of ONNX Runtime",
             ort->options.library);
  const api_base *base = entry.call();
  ort->version = base->version();
  ort->api = base->get_api(API_VERSION);
  HY_FAIL_IF(!ort->api, HY_UNSUPPORTED, err, "ONNX Runtime %s is too old; 1.22 is needed",
             ort->version);
  ort->run = SLOT(ort, call_run, RUN);
  HY_TRY(check(ort, SLOT(ort, call_env, CREATE_ENV)(LOG_ERROR, "hayate", &ort->env), err));
  HY_TRY(check(ort, SLOT(ort, call_1, DISABLE_TELEMETRY)(ort->env), err));
  return check(ort, SLOT(ort, call_memory, CREATE_MEMORY_INFO)(0, 0, &ort->memory), err);
}

hy_status hy__ort_open(const hy__ort_options *options, hy__ort **out, hy_error *err) {
  void *memory;
  HY_TRY(hy__alloc_zero(options->allocator, sizeof(hy__ort), &memory, err));
  hy__ort *ort = memory;
  ort->options = *options;
  hy_status status = library_open(ort, err);
  if (status != HY_OK) {
    hy__ort_close(ort);
    return status;
  }
  *out = ort;
  return HY_OK;
}

static void unbind(hy__ort *ort) {
  for (size_t i = 0; i < ort->n_values; i++) release(ort, RELEASE_VALUE, &ort->values[i]);
  hy__free(ort->options.allocator, ort->values, ort->n_values * sizeof(void *));
  ort->values = NULL;
  ort->n_values = 0;
}

void hy__ort_close(hy__ort *ort) {
  if (!ort) return;
  if (ort->api) {
    unbind(ort);
    release(ort, RELEASE_SESSION, &ort->session);
    release(ort, RELEASE_MEMORY_INFO, &ort->memory);
    release(ort, RELEASE_ENV, &ort->env);
  }
  /* The library stays loaded: its threads and exit handlers do not bear being unmapped. */
  hy__free(ort->options.allocator, ort, sizeof *ort);
}

const char *hy__ort_version(const hy__ort *ort) { return ort->version; }

static hy_status options_fill(hy__ort *ort, void *o, hy_error *err) {
  static const char spin[] = "session.intra_op.allow_spinning";
  int n = (int)ort->options.n_threads;
  call_config config = SLOT(ort, call_config, ADD_CONFIG);
  HY_TRY(check(ort, SLOT(ort, call_int, SET_EXECUTION_MODE)(o, 0), err));
  HY_TRY(check(ort, SLOT(ort, call_int, SET_OPTIMISATION)(o, OPTIMISE_ALL), err));
  HY_TRY(check(ort, SLOT(ort, call_int, SET_INTRA_THREADS)(o, n), err));
  HY_TRY(check(ort, SLOT(ort, call_int, SET_INTER_THREADS)(o, n), err));
  HY_TRY(check(ort, config(o, spin, ort->options.spins ? "1" : "0"), err));
  return check(ort, config(o, "session.set_denormal_as_zero", "1"), err);
}

hy_status hy__ort_load(hy__ort *ort, hy_error *err) {
  void *o = NULL;
  unbind(ort);
  release(ort, RELEASE_SESSION, &ort->session);
  HY_TRY(check(ort, SLOT(ort, call_out, CREATE_OPTIONS)(&o), err));
  hy_status status = options_fill(ort, o, err);
  if (status == HY_OK)
    status = check(
        ort,
        SLOT(ort, call_session, CREATE_SESSION)(ort->env, ort->options.model, o, &ort->session),
        err);
  release(ort, RELEASE_OPTIONS, &o);
  return status;
}

static hy_status tensor_make(hy__ort *ort, const hy_tensor *t, void **out, hy_error *err) {
  size_t bytes;
  HY_FAIL_IF(t->dtype == HY_STRING, HY_UNSUPPORTED, err, "string inputs are not given to the peer");
  HY_FAIL_IF(!hy__shape_bytes(t->dims, t->rank, hy_dtype_bytes(t->dtype), &bytes), HY_LIMIT, err,
             "a tensor's size overflows");
  return check(ort,
               SLOT(ort, call_tensor, CREATE_TENSOR)(ort->memory, t->data, bytes, t->dims,
                                                     (size_t)t->rank, (int)t->dtype, out),
               err);
}

static hy_status is_tensor(hy__ort *ort, size_t output, bool *out, hy_error *err) {
  size_t n;
  void *info = NULL;
  int type = 0;
  HY_TRY(check(ort, SLOT(ort, call_count, OUTPUT_COUNT)(ort->session, &n), err));
  HY_FAIL_IF(output >= n, HY_UNSUPPORTED, err, "ONNX Runtime sees %zu outputs", n);
  HY_TRY(check(ort, SLOT(ort, call_info, OUTPUT_TYPE_INFO)(ort->session, output, &info), err));
  hy_status status = check(ort, SLOT(ort, call_type, TYPE_FROM_INFO)(info, &type), err);
  release(ort, RELEASE_TYPE_INFO, &info);
  *out = type == TYPE_TENSOR;
  return status;
}

hy_status hy__ort_bind(hy__ort *ort, const hy__ort_binding *b, hy_error *err) {
  void *memory;
  unbind(ort);
  size_t n_in = b->n_sets * b->n_in, n = n_in + 2 * b->n_out;
  HY_TRY(hy__alloc_zero(ort->options.allocator, n * sizeof(void *), &memory, err));
  ort->binding = *b;
  ort->values = memory;
  ort->n_values = n;
  for (size_t i = 0; i < n_in; i++) HY_TRY(tensor_make(ort, &b->in[i], &ort->values[i], err));
  for (size_t k = 0; k < b->n_out; k++) {
    bool preset;
    HY_TRY(is_tensor(ort, k, &preset, err));
    if (!preset || b->out[k].dtype == HY_STRING) b->out[k].data = NULL;
    if (b->out[k].data) HY_TRY(tensor_make(ort, &b->out[k], &ort->values[n_in + k], err));
  }
  return HY_OK;
}

hy_status hy__ort_run(hy__ort *ort, size_t set, hy_error *err) {
  const hy__ort_binding *b = &ort->binding;
  void **kept = ort->values + b->n_sets * b->n_in, **out = kept + b->n_out;
  for (size_t k = 0; k < b->n_out; k++) out[k] = kept[k];
  void *status = ort->run(ort->session, NULL, b->in_names, ort->values + set * b->n_in, b->n_in,
                          b->out_names, b->n_out, out);
  for (size_t k = 0; k < b->n_out; k++) {
    if (!kept[k]) release(ort, RELEASE_VALUE, &out[k]);
    out[k] = NULL;
  }
  return check(ort, status, err);
}
