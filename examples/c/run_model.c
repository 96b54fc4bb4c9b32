/* SPDX-License-Identifier: Apache-2.0 */
/* Runs an ONNX model on the arrays of an .npz file and prints what comes out.
 *
 *     cc run_model.c $(pkg-config --cflags --libs hayate) -o run_model
 *     ./run_model trees.onnx input.npz
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <hayate/hayate.h>

static int refuse(const hy_error *err) {
  char text[600];
  hy_error_format(err, text, sizeof text);
  fprintf(stderr, "run_model: %s\n", text);
  return hy_status_exit((hy_status)err->status);
}

/* The model's inputs in its own order, found by name in the file. */
static hy_status collect(const hy_model *model, const hy_arrays *arrays, hy_tensor *in,
                         hy_error *err) {
  for (size_t i = 0; i < hy_model_n_inputs(model); i++) {
    const char *name = hy_model_input(model, i)->name;
    const hy_tensor *found = hy_arrays_find(arrays, name);
    if (!found) {
      hy_error_clear(err);
      err->status = HY_NOT_FOUND;
      snprintf(err->message, sizeof err->message, "the file has no array '%s'", name);
      return HY_NOT_FOUND;
    }
    in[i] = *found;
  }
  return HY_OK;
}

static void print_tensor(const char *name, const hy_tensor *t) {
  int64_t n = 1;
  printf("%s: %s [", name, hy_dtype_name(t->dtype));
  for (int32_t k = 0; k < t->rank; k++) {
    printf("%s%" PRId64, k ? ", " : "", t->dims[k]);
    n *= t->dims[k];
  }
  printf("]");
  for (int64_t i = 0; i < n && i < 4; i++) {
    if (t->dtype == HY_F32) printf(" %.7g", (double)((const float *)t->data)[i]);
    if (t->dtype == HY_I64) printf(" %" PRId64, ((const int64_t *)t->data)[i]);
  }
  printf("%s\n", n > 4 ? " ..." : "");
}

int main(int argc, char **argv) {
  enum { MOST = 16 };
  hy_runtime *runtime = NULL;
  hy_arrays *arrays = NULL;
  hy_model *model = NULL;
  hy_session *session = NULL;
  hy_tensor in[MOST], out[MOST] = {{.data = NULL}};
  hy_error err;
  int leave = 0;

  if (argc != 3) {
    fprintf(stderr, "usage: run_model MODEL.onnx INPUT.npz\n");
    return 2;
  }
  if (hy_runtime_create(NULL, &runtime, &err) || hy_arrays_read(runtime, argv[2], &arrays, &err) ||
      hy_model_open(runtime, argv[1], NULL, &model, &err) ||
      hy_session_create(model, NULL, &session, &err)) {
    leave = refuse(&err);
    goto cleanup;
  }
  size_t n_in = hy_model_n_inputs(model), n_out = hy_session_n_outputs(session);
  if (n_in > MOST || n_out > MOST) {
    fprintf(stderr, "run_model: more than %d inputs or outputs\n", (int)MOST);
    leave = 2;
    goto cleanup;
  }
  /* An output given without data comes back as a view into the session. */
  if (collect(model, arrays, in, &err) || hy_session_run(session, in, n_in, out, n_out, &err)) {
    leave = refuse(&err);
    goto cleanup;
  }
  for (size_t i = 0; i < n_out; i++) print_tensor(hy_session_output(session, i)->name, &out[i]);

cleanup: /* destroying NULL is fine */
  hy_session_destroy(session);
  hy_model_destroy(model);
  hy_arrays_destroy(arrays);
  hy_runtime_destroy(runtime);
  return leave;
}
