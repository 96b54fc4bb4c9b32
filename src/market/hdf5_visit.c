/* SPDX-License-Identifier: Apache-2.0
 * The HDF5 library's lock, silence and reasons. */
#include <pthread.h>

#include "market/hdf5_visit.h"

/* The library's state is one per process (it has no contexts), so its lock is too. */
static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;

hy__hdf5_visit hy__hdf5_enter(void) {
  hy__hdf5_visit v = {NULL, NULL};
  pthread_mutex_lock(&library_lock);
  /* At exit the library would close again what it failed to close on a full disk, and crash. Files
   * are closed here; once the library is in use, by us or another, this does nothing. */
  (void)H5dont_atexit();
  H5Eget_auto2(H5E_DEFAULT, &v.report, &v.report_ctx);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  return v;
}

void hy__hdf5_leave(hy__hdf5_visit v) {
  H5Eset_auto2(H5E_DEFAULT, v.report, v.report_ctx);
  pthread_mutex_unlock(&library_lock);
}

static herr_t innermost(unsigned n, const H5E_error2_t *e, void *ctx) {
  const char **text = ctx;
  if (n == 0 && e->desc) *text = e->desc;
  return 0;
}

/* Where the system failed, its own words stand in the reason among times and addresses. */
hy_status hy__hdf5_refuse(hy_error *err, hy_status status, const char *what) {
  static const char quote[] = "error message = '";
  const char *reason = "no reason given";
  (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, &reason);
  const char *system = strstr(reason, quote);
  if (system) reason = system + sizeof quote - 1;
  HY_FAIL(status, err, "%s: %.*s", what, (int)strcspn(reason, system ? "'" : "\r\n"), reason);
}
