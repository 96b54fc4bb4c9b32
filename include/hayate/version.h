/* SPDX-License-Identifier: Apache-2.0 */
/* The version of these headers and of the library that is loaded. */
#ifndef HAYATE_VERSION_H
#define HAYATE_VERSION_H

#include <hayate/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HY_VERSION_MAJOR 0
#define HY_VERSION_MINOR 1
#define HY_VERSION_PATCH 0
#define HY_VERSION       "0.1.0"

HY_API const char *hy_version(void);

#ifdef __cplusplus
}
#endif
#endif
