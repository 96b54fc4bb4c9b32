/* SPDX-License-Identifier: Apache-2.0
 * Every folder of tests/golden/onnx and tests/golden/onnx_op: model.onnx on input.npz against
 * expect.npz, which ONNX Runtime made. float32 within 1e-5 of the output's largest magnitude plus
 * 1e-6 (or the folder's own atol, where ONNX Runtime is itself that far from the double answer),
 * float64 likewise with 1e-12, the half types to a unit in the last place; everything else equal.
 * Arguments choose folders by name: `test_engine_golden lstm` runs those whose path holds "lstm".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hayate/session.h>

#include "base/base.h"
#include "engine/session.h"
#include "support/golden_folders.h"
#include "support/runtime.h"

enum { PORTS_MAX = 192 };

static const char *chosen = "";
static double folder_atol;
static bool evaluated; /* no plan of the whole graph: each node by itself */

static bool is_half(hy_dtype d) { return d == HY_F16 || d == HY_BF16; }

static double half_at(hy_dtype dtype, uint16_t code) {
  const int bits = dtype == HY_F16 ? 10 : 7, bias = dtype == HY_F16 ? 15 : 127;
  const int exponent = (code & 0x7fff) >> bits, fraction = code & ((1 << bits) - 1);
  double v = ldexp((exponent ? 1 << bits : 0) + fraction, (exponent ? exponent : 1) - bias - bits);
  if (exponent == 2 * bias + 1) v = fraction ? (double)NAN : (double)INFINITY;
  return code & 0x8000 ? -v : v;
}

static double number_at(const hy_tensor *t, size_t i) {
  switch (t->dtype) {
  case HY_F32: return (double)((const float *)t->data)[i];
  case HY_F64: return ((const double *)t->data)[i];
  default: return half_at(t->dtype, ((const uint16_t *)t->data)[i]);
  }
}

static size_t count_of(const hy_tensor *t) {
  size_t n = 1;
  for (int32_t d = 0; d < t->rank; d++) n *= (size_t)t->dims[d];
  return n;
}

static bool numbers_agree(const hy_tensor *got, const hy_tensor *want, char *why, size_t bytes) {
  double largest = 0, unit = want->dtype == HY_F32 ? 1e-5 : 1e-12;
  size_t n = count_of(want);
  for (size_t i = 0; i < n; i++)
    if (isfinite(number_at(want, i))) largest = fmax(largest, fabs(number_at(want, i)));
  double limit = unit * largest + unit / 10;
  if (want->dtype == HY_F32) limit = fmax(limit, folder_atol);
  for (size_t i = 0; i < n; i++) {
    double a = number_at(got, i), b = number_at(want, i);
    if (want->dtype == HY_F16) limit = fmax(fabs(b) * 0x1p-10, fmax(0x1p-24, folder_atol));
    if (want->dtype == HY_BF16) limit = fabs(b) * 0x1p-7;
    if (a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= limit) continue;
    snprintf(why, bytes, "element %zu is %.9g, not %.9g (limit %.3g)", i, a, b, limit);
    return false;
  }
  return true;
}

static bool strings_agree(const hy_tensor *got, const hy_tensor *want, char *why, size_t bytes) {
  const hy_string *a = got->data, *b = want->data;
  for (size_t i = 0; i < count_of(want); i++)
    if (a[i].len_bytes != b[i].len_bytes || memcmp(a[i].data, b[i].data, a[i].len_bytes) != 0) {
      snprintf(why, bytes, "element %zu is '%.*s', not '%.*s'", i, (int)a[i].len_bytes, a[i].data,
               (int)b[i].len_bytes, b[i].data);
      return false;
    }
  return true;
}

static bool tensors_agree(const hy_tensor *got, const hy_tensor *want, char *why, size_t bytes) {
  bool same = got->dtype == want->dtype && got->rank == want->rank;
  for (int32_t d = 0; same && d < want->rank; d++) same = got->dims[d] == want->dims[d];
  if (!same) {
    snprintf(why, bytes, "type %s rank %d dims %lld %lld %lld, not %s rank %d dims %lld %lld %lld",
             hy_dtype_name(got->dtype), (int)got->rank, (long long)got->dims[0],
             (long long)got->dims[1], (long long)got->dims[2], hy_dtype_name(want->dtype),
             (int)want->rank, (long long)want->dims[0], (long long)want->dims[1],
             (long long)want->dims[2]);
    return false;
  }
  if (want->dtype == HY_F32 || want->dtype == HY_F64 || is_half(want->dtype))
    return numbers_agree(got, want, why, bytes);
  if (want->dtype == HY_STRING) return strings_agree(got, want, why, bytes);
  size_t n = count_of(want) * hy_dtype_bytes(want->dtype);
  if (n && memcmp(got->data, want->data, n) != 0) {
    snprintf(why, bytes, "elements differ");
    return false;
  }
  return true;
}

typedef struct golden {
  hy_model *model;
  hy_session *session;
  hy_arrays *input, *expect;
} golden;

static bool golden_open(const char *folder, golden *g, char *why, size_t bytes) {
  char path[600];
  hy_error err;
  snprintf(path, sizeof path, "%s/model.onnx", folder);
  hy_status status = hy_model_open(runtime, path, NULL, &g->model, &err);
  if (status == HY_OK) status = hy_session_create(g->model, NULL, &g->session, &err);
  snprintf(path, sizeof path, "%s/input.npz", folder);
  if (status == HY_OK) status = hy_arrays_read(runtime, path, &g->input, &err);
  snprintf(path, sizeof path, "%s/expect.npz", folder);
  if (status == HY_OK) status = hy_arrays_read(runtime, path, &g->expect, &err);
  if (status != HY_OK) hy_error_format(&err, why, bytes);
  return status == HY_OK;
}

static void golden_close(golden *g) {
  hy_session_destroy(g->session);
  hy_model_destroy(g->model);
  hy_arrays_destroy(g->input);
  hy_arrays_destroy(g->expect);
}

static bool golden_run(golden *g, char *why, size_t bytes) {
  hy_tensor in[PORTS_MAX], out[PORTS_MAX] = {{0}};
  hy_error err;
  size_t n_in = hy_model_n_inputs(g->model), n_out = hy_session_n_outputs(g->session);
  assert_true(n_in <= PORTS_MAX && n_out <= PORTS_MAX);
  for (size_t k = 0; k < n_in; k++) {
    const hy_tensor *t = hy_arrays_find(g->input, hy_model_input(g->model, k)->name);
    if (!t) {
      snprintf(why, bytes, "input.npz lacks '%s'", hy_model_input(g->model, k)->name);
      return false;
    }
    in[k] = *t;
  }
  g->session->evaluates = evaluated;
  if (hy_session_run(g->session, in, n_in, out, n_out, &err) != HY_OK) {
    hy_error_format(&err, why, bytes);
    return false;
  }
  for (size_t k = 0; k < n_out; k++) {
    const hy_port *port = hy_session_output(g->session, k);
    const hy_tensor *want = hy_arrays_find(g->expect, port->name);
    char detail[300];
    if (!want) {
      snprintf(why, bytes, "expect.npz lacks '%s'", port->name);
      return false;
    }
    if (tensors_agree(&out[k], want, detail, sizeof detail)) continue;
    snprintf(why, bytes, "output '%s': %s", port->name, detail);
    return false;
  }
  return true;
}

/* The number after "atol: " in .origin. */
static double read_atol(const char *folder) {
  char path[600];
  hy__map map;
  double atol = 0;
  snprintf(path, sizeof path, "%s/.origin", folder);
  assert_int_equal(hy__map_open(path, &map, NULL), HY_OK);
  const char *text = (const char *)map.data, *end = text + map.bytes;
  const char *at = memmem(text, map.bytes, "atol: ", 6);
  if (at) (void)hy__parse_f64(at + 6, end, &atol);
  hy__map_close(&map);
  return atol;
}

static int folder_run(const char *folder) {
  char why[700] = "";
  folder_atol = read_atol(folder);
  golden g = {0};
  bool good = golden_open(folder, &g, why, sizeof why) && golden_run(&g, why, sizeof why);
  golden_close(&g);
  if (!good) print_error("%s: %s\n", folder, why);
  return !good;
}

static void every_folder(void **state) {
  evaluated = *state != NULL;
  int n[2] = {0}; /* good, bad */
  golden_folders(chosen, folder_run, n);
  print_message("%d of %d folders agree\n", n[0], n[0] + n[1]);
  assert_int_equal(n[1], 0);
  assert_true(n[0] > 0);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_folder),
      {.name = "every_folder_node_by_node", .test_func = every_folder, .initial_state = &evaluated},
  };
  if (argc > 1) chosen = argv[1];
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
