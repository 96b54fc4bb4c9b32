/* SPDX-License-Identifier: Apache-2.0
 * hayate infer: a model on arrays, and how far its outputs are from expected ones. */
#include <math.h>
#include <string.h>

#include <hayate/session.h>

#include "cli/cli.h"

enum { PORTS_MAX = 256, SHOWN = 6 };

struct args {
  const char *model, *input, *output, *expect;
  double rtol;
  bool rtol_given;
  double atol;
  bool atol_given;
  int precision;
};

static const cli_option options[] = {
    {"MODEL", CLI_ARG_PATH, offsetof(struct args, model), CLI_REQUIRED, NULL, 0},
    {"input", CLI_PATH, offsetof(struct args, input), 0, NULL, 'i'},
    {"output", CLI_PATH, offsetof(struct args, output), 0, NULL, 'o'},
    {"expect", CLI_PATH, offsetof(struct args, expect), 0, NULL, 0},
    {"rtol", CLI_REAL, offsetof(struct args, rtol), CLI_GIVEN, NULL, 0},
    {"atol", CLI_REAL, offsetof(struct args, atol), CLI_GIVEN, NULL, 0},
    {"precision", CLI_CHOICE, offsetof(struct args, precision), 0, CLI_PRECISIONS, 0},
};

/* How one output compares with what was expected. */
typedef struct difference {
  bool compared, same_type;
  double max_abs, max_rel;
  uint64_t mismatched;
} difference;

typedef struct job {
  const struct args *args;
  hy_runtime *runtime;
  hy_model *model;
  hy_session *session;
  hy_arrays *input, *expect;
  hy_tensor in[PORTS_MAX], out[PORTS_MAX];
  const char *names[PORTS_MAX];
  difference differences[PORTS_MAX];
  size_t n_in, n_out;
  bool ok;
} job;

static hy_status refuse(hy_error *err, const char *subject, const char *format, const char *name) {
  hy_error_clear(err);
  err->status = HY_INVALID_ARGUMENT;
  snprintf(err->subject, sizeof err->subject, "%s", subject);
  snprintf(err->message, sizeof err->message, format, name);
  return HY_INVALID_ARGUMENT;
}

/* By name; a lone array without a name serves a model with one input. */
static const hy_tensor *find(const hy_arrays *arrays, const char *name, size_t n_ports) {
  const hy_tensor *t = hy_arrays_find(arrays, name);
  bool lone = n_ports == 1 && hy_arrays_n(arrays) == 1 && !*hy_arrays_name(arrays, 0);
  return !t && lone ? hy_arrays_at(arrays, 0) : t;
}

/* A file of features says which spec and fit made it (hayate features compute), and so may a model:
 * they must be the same. */
static hy_status check_origin(const job *j, const char *key, const char *what, hy_error *err) {
  const hy_tensor *t = hy_arrays_find(j->input, key);
  const char *wanted = hy_model_metadata(j->model, key);
  if (!t || !wanted || t->dtype != HY_STRING || t->rank != 0) return HY_OK;
  const hy_string *made = t->data;
  if (made->len_bytes == strlen(wanted) && !memcmp(made->data, wanted, made->len_bytes))
    return HY_OK;
  (void)refuse(err, j->args->input, "%s", "");
  snprintf(err->message, sizeof err->message,
           "the arrays were made with %s %.*s..., the model with %.12s...", what,
           made->len_bytes < 12 ? (int)made->len_bytes : 12, made->data, wanted);
  err->status = HY_MISMATCH;
  return HY_MISMATCH;
}

static hy_status bind_inputs(job *j, hy_error *err) {
  j->n_in = hy_model_n_inputs(j->model);
  if (j->n_in > PORTS_MAX) return refuse(err, j->args->model, "too many inputs%s", "");
  if (!j->args->input)
    return j->n_in ? refuse(err, j->args->model, "input '%s' is needed: give --input",
                            hy_model_input(j->model, 0)->name)
                   : HY_OK;
  hy_status status = hy_arrays_read(j->runtime, j->args->input, &j->input, err);
  for (size_t k = 0; status == HY_OK && k < j->n_in; k++) {
    const char *name = hy_model_input(j->model, k)->name;
    const hy_tensor *t = find(j->input, name, j->n_in);
    if (!t) return refuse(err, j->args->input, "the model's input '%s' is not in the file", name);
    j->in[k] = *t;
  }
  if (status == HY_OK) status = check_origin(j, "hayate.spec_sha256", "spec", err);
  if (status == HY_OK) status = check_origin(j, "hayate.fit_sha256", "fit", err);
  return status;
}

/* --- comparison --- */

static double half(uint16_t h) {
  int exponent = h >> 10 & 31, fraction = h & 1023;
  double v = exponent == 31 ? (fraction ? (double)NAN : (double)INFINITY)
             : exponent     ? ldexp(1024 + fraction, exponent - 25)
                            : ldexp(fraction, -24);
  return h & 0x8000 ? -v : v;
}

static double bfloat(uint16_t b) {
  uint32_t bits = (uint32_t)b << 16;
  float v;
  memcpy(&v, &bits, sizeof v);
  return (double)v;
}

static double number(const hy_tensor *t, size_t i) {
  const void *p = t->data;
  switch (t->dtype) {
  case HY_F32: return (double)((const float *)p)[i];
  case HY_F64: return ((const double *)p)[i];
  case HY_F16: return half(((const uint16_t *)p)[i]);
  case HY_BF16: return bfloat(((const uint16_t *)p)[i]);
  case HY_I8: return ((const int8_t *)p)[i];
  case HY_I16: return ((const int16_t *)p)[i];
  case HY_I32: return ((const int32_t *)p)[i];
  case HY_I64: return (double)((const int64_t *)p)[i];
  case HY_U16: return ((const uint16_t *)p)[i];
  case HY_U32: return ((const uint32_t *)p)[i];
  case HY_U64: return (double)((const uint64_t *)p)[i];
  default: return ((const uint8_t *)p)[i]; /* u8, bool */
  }
}

static size_t count(const hy_tensor *t) {
  size_t n = 1;
  for (int32_t d = 0; d < t->rank; d++) n *= (size_t)t->dims[d];
  return n;
}

static void compare_strings(const hy_tensor *got, const hy_tensor *want, difference *d) {
  const hy_string *a = got->data, *b = want->data;
  for (size_t i = 0; i < count(want); i++)
    d->mismatched +=
        a[i].len_bytes != b[i].len_bytes || memcmp(a[i].data, b[i].data, b[i].len_bytes) != 0;
}

static void compare(const hy_tensor *got, const hy_tensor *want, double rtol, double atol,
                    difference *d) {
  *d = (difference){.compared = true};
  d->same_type = got->dtype == want->dtype && got->rank == want->rank;
  for (int32_t k = 0; d->same_type && k < want->rank; k++)
    d->same_type = got->dims[k] == want->dims[k];
  if (!d->same_type) {
    d->mismatched = count(got);
    return;
  }
  if (want->dtype == HY_STRING) {
    compare_strings(got, want, d);
    return;
  }
  for (size_t i = 0; i < count(want); i++) {
    double a = number(got, i), b = number(want, i), gap = fabs(a - b);
    if (a == b || (isnan(a) && isnan(b))) continue;
    if (gap > d->max_abs) d->max_abs = gap;
    if (gap / fabs(b) > d->max_rel) d->max_rel = gap / fabs(b);
    d->mismatched += !(gap <= atol + rtol * fabs(b));
  }
}

static bool is_output(const job *j, const char *name) {
  for (size_t k = 0; k < j->n_out; k++)
    if (strcmp(j->names[k], name) == 0) return true;
  return !*name && j->n_out == 1;
}

static hy_status compare_all(job *j, hy_error *err) {
  const struct args *args = j->args;
  hy_status status = hy_arrays_read(j->runtime, args->expect, &j->expect, err);
  if (status != HY_OK) return status;
  for (size_t i = 0; i < hy_arrays_n(j->expect); i++)
    if (!is_output(j, hy_arrays_name(j->expect, i)))
      return refuse(err, args->expect, "'%s' is not an output of the model",
                    hy_arrays_name(j->expect, i));
  for (size_t k = 0; k < j->n_out; k++) {
    const hy_tensor *want = find(j->expect, j->names[k], j->n_out);
    if (!want) continue;
    compare(&j->out[k], want, args->rtol_given ? args->rtol : 1e-5,
            args->atol_given ? args->atol : 1e-6, &j->differences[k]);
    j->ok = j->ok && !j->differences[k].mismatched && j->differences[k].same_type;
  }
  return HY_OK;
}

/* --- report --- */

static void report_json(const job *j) {
  cli_json out = cli_json_start(stdout);
  cli_json_bool(&out, "ok", j->ok);
  cli_json_array(&out, "outputs");
  for (size_t k = 0; k < j->n_out; k++) {
    const difference *d = &j->differences[k];
    cli_json_object(&out, NULL);
    cli_json_text(&out, "name", j->names[k]);
    cli_json_text(&out, "dtype", hy_dtype_name(j->out[k].dtype));
    cli_json_array(&out, "shape");
    for (int32_t a = 0; a < j->out[k].rank; a++) cli_json_integer(&out, NULL, j->out[k].dims[a]);
    cli_json_close(&out);
    if (d->compared) {
      cli_json_real(&out, "max_abs", d->max_abs);
      cli_json_real(&out, "max_rel", d->max_rel);
      cli_json_count(&out, "mismatched", d->mismatched);
    }
    cli_json_close(&out);
  }
  cli_json_end(&out);
}

static void print_values(const hy_tensor *t) {
  size_t n = count(t);
  for (size_t i = 0; i < n && i < SHOWN; i++) {
    if (t->dtype == HY_STRING) {
      hy_string s = ((const hy_string *)t->data)[i];
      printf(" '%.*s'", (int)s.len_bytes, s.len_bytes ? s.data : "");
    } else {
      printf(" %.9g", number(t, i));
    }
  }
  printf("%s\n", n > SHOWN ? " ..." : "");
}

static void report_text(const job *j) {
  for (size_t k = 0; k < j->n_out; k++) {
    const difference *d = &j->differences[k];
    printf("%s %s [", j->names[k], hy_dtype_name(j->out[k].dtype));
    for (int32_t a = 0; a < j->out[k].rank; a++)
      printf("%s%lld", a ? "," : "", (long long)j->out[k].dims[a]);
    printf("]");
    if (!j->args->expect)
      print_values(&j->out[k]);
    else if (!d->compared)
      printf(" not compared\n");
    else if (!d->same_type)
      printf(" differs in type or shape from what is expected\n");
    else
      printf(" %s: max_abs %.3g, max_rel %.3g, mismatched %llu\n",
             d->mismatched ? "DIFFERS" : "agrees", d->max_abs, d->max_rel,
             (unsigned long long)d->mismatched);
  }
}

static hy_status infer(job *j, hy_error *err) {
  const hy_session_options session = {.struct_size = sizeof session,
                                      .precision = cli_precision(j->args->precision)};
  hy_status status = hy_model_open(j->runtime, j->args->model, NULL, &j->model, err);
  if (status == HY_OK) status = hy_session_create(j->model, &session, &j->session, err);
  if (status != HY_OK) {
    if (!*err->subject) snprintf(err->subject, sizeof err->subject, "%s", j->args->model);
    return status;
  }
  status = bind_inputs(j, err);
  j->n_out = hy_session_n_outputs(j->session);
  if (status == HY_OK && j->n_out > PORTS_MAX)
    return refuse(err, j->args->model, "too many outputs%s", "");
  if (status == HY_OK) status = hy_session_run(j->session, j->in, j->n_in, j->out, j->n_out, err);
  if (status != HY_OK) return status;
  for (size_t k = 0; k < j->n_out; k++) j->names[k] = hy_session_output(j->session, k)->name;
  j->ok = true;
  if (j->args->output)
    status = hy_arrays_write(j->runtime, j->args->output, j->names, j->out, j->n_out, err);
  if (status == HY_OK && j->args->expect) status = compare_all(j, err);
  return status;
}

static int run(cli_context *cli, const void *args) {
  hy_error err;
  job j = {.args = args};
  const struct args *a = args;
  const char *const read[] = {a->model, a->input, a->expect};
  for (size_t k = 0; k < sizeof read / sizeof read[0]; k++)
    if (cli_same_file(read[k], a->output))
      return cli_refuse(cli, "--output %s is a file that is read", a->output);
  if (cli_runtime(cli, &j.runtime, &err) != HY_OK) return cli_fail(cli, &err);
  hy_status status = infer(&j, &err);
  if (status == HY_OK && cli->json) report_json(&j);
  if (status == HY_OK && !cli->json) report_text(&j);
  hy_session_destroy(j.session);
  hy_model_destroy(j.model);
  hy_arrays_destroy(j.input);
  hy_arrays_destroy(j.expect);
  hy_runtime_destroy(j.runtime);
  if (status != HY_OK) return cli_fail(cli, &err);
  return j.ok ? CLI_DONE : CLI_NO;
}

const cli_command cmd_infer = {CLI_ROWS(options), .common = CLI_JSON | CLI_THREADS | CLI_ISA,
                               .args_bytes = sizeof(struct args), .run = run};
