/* SPDX-License-Identifier: Apache-2.0
 * A visit to the HDF5 library, which enters the product here alone: under its one lock, its own
 * printing silenced, its reasons in our errors. For hdf5.c, which reads, and hdf5_write.c. */
#ifndef HY_MARKET_HDF5_VISIT_H
#define HY_MARKET_HDF5_VISIT_H

#define H5_USE_110_API
#include <hdf5.h>

#include "base/base.h"

typedef struct hy__hdf5_visit {
  H5E_auto2_t report;
  void *report_ctx;
} hy__hdf5_visit;

/* Takes the lock and silences the library's own printing, for this visit alone. */
hy__hdf5_visit hy__hdf5_enter(void);
void hy__hdf5_leave(hy__hdf5_visit v);
/* Fails with the library's innermost reason behind `what`; to be called before anything else clears
 * the library's stack. */
HY_CHECKED hy_status hy__hdf5_refuse(hy_error *err, hy_status status, const char *what);

#endif
