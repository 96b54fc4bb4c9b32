/* SPDX-License-Identifier: Apache-2.0
 * A planned run makes no system call and allocates nothing: every golden model is planned, then run
 * in a child in which the kernel ends the process at any system call but exit, while every
 * allocation of the process is counted. One thread. Arguments choose folders by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <hayate/session.h>

#include "base/base.h"
#include "support/allocation_counter.h"
#include "support/golden_folders.h"
#include "support/runtime.h"

enum { PORTS_MAX = 128, RUNS = 40, MANY_RUNS = 20000, ALLOCATES = 3, FAILS = 4, NO_SECCOMP = 5 };

static const char *const often[] = {"onnx_op/Loop_13", "onnx_op/Scan_11", "onnx_op/If_16",
                                    "onnx/sk_logreg"};
static const char *chosen = "";

static bool only_exit(void) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = HY_COUNT(code), .filter = code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

typedef struct golden {
  hy_model *model;
  hy_session *session;
  hy_arrays *input;
  hy_tensor in[PORTS_MAX];
  size_t n_in, n_out;
} golden;

static hy_status run(golden *g, hy_error *err) {
  hy_tensor out[PORTS_MAX];
  memset(out, 0, sizeof out);
  return hy_session_run(g->session, g->in, g->n_in, out, g->n_out, err);
}

/* The child's exit status. */
static int quiet_runs(golden *g, int n_runs) {
  hy_error err;
  if (!only_exit()) return NO_SECCOMP;
  size_t before = allocation_count();
  for (int k = 0; k < n_runs; k++)
    if (run(g, &err) != HY_OK) return FAILS;
  return allocation_count() == before ? 0 : ALLOCATES;
}

static void golden_open(const char *folder, golden *g) {
  char path[600];
  hy_error err;
  snprintf(path, sizeof path, "%s/model.onnx", folder);
  hy_status status = hy_model_open(runtime, path, NULL, &g->model, &err);
  if (status == HY_OK) status = hy_session_create(g->model, NULL, &g->session, &err);
  snprintf(path, sizeof path, "%s/input.npz", folder);
  if (status == HY_OK) status = hy_arrays_read(runtime, path, &g->input, &err);
  if (status != HY_OK) fail_msg("%s: %s", folder, err.message);
  g->n_in = hy_model_n_inputs(g->model);
  g->n_out = hy_session_n_outputs(g->session);
  assert_true(g->n_in <= PORTS_MAX && g->n_out <= PORTS_MAX);
  for (size_t k = 0; k < g->n_in; k++) {
    const hy_tensor *t = hy_arrays_find(g->input, hy_model_input(g->model, k)->name);
    assert_non_null(t);
    g->in[k] = *t;
  }
  for (int twice = 0; twice < 2; twice++)
    if (run(g, &err) != HY_OK) fail_msg("%s: %s", folder, err.message);
}

static bool evaluated(const golden *g) {
  hy_session_info info = {.struct_size = sizeof info};
  hy_session_describe(g->session, &info);
  return info.evaluated;
}

static int runs_of(const char *folder) {
  for (size_t k = 0; k < HY_COUNT(often); k++)
    if (strstr(folder, often[k])) return MANY_RUNS;
  return RUNS;
}

enum { NOT_QUIET, QUIET, EXEMPT, NO_FILTER }; /* exempt: evaluated */

static int folder_run(const char *folder) {
  golden g = {0};
  int state = 0, found = EXEMPT;
  golden_open(folder, &g);
  if (!evaluated(&g)) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) (void)syscall(SYS_exit_group, quiet_runs(&g, runs_of(folder)));
    assert_int_equal(waitpid(child, &state, 0), child);
    found = WIFEXITED(state) && WEXITSTATUS(state) == 0 ? QUIET : NOT_QUIET;
    if (WIFEXITED(state) && WEXITSTATUS(state) == NO_SECCOMP) found = NO_FILTER;
    if (found == NOT_QUIET)
      print_error("%s: a run %s\n", folder,
                  WIFSIGNALED(state)                ? "makes a system call"
                  : WEXITSTATUS(state) == ALLOCATES ? "allocates"
                                                    : "fails");
  }
  hy_session_destroy(g.session);
  hy_model_destroy(g.model);
  hy_arrays_destroy(g.input);
  return found;
}

static void every_folder(void **state) {
  (void)state;
  int n[4] = {0};
  if (!allocation_counter_works) skip();
  golden_folders(chosen, folder_run, n);
  print_message("%d folders quiet, %d not, %d evaluated\n", n[QUIET], n[NOT_QUIET], n[EXEMPT]);
  if (n[NO_FILTER]) skip();
  assert_int_equal(n[NOT_QUIET], 0);
  assert_true(n[QUIET] > 0);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_folder)};
  if (argc > 1) chosen = argv[1];
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
