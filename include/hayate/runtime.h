/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime: allocator, worker threads, log and instruction set, handed to every create call.
 * Nothing in hayate is process-wide; two runtimes live side by side without knowing each other. */
#ifndef HAYATE_RUNTIME_H
#define HAYATE_RUNTIME_H

#include <stdbool.h>

#include <hayate/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hy_runtime hy_runtime;

/* Instruction sets, lowest first (NEON apart); a runtime uses the highest that both the machine and
 * the caller allow. */
typedef enum hy_isa {
  HY_ISA_DEFAULT = 0, /* HAYATE_ISA of the environment, else the best the machine has */
  HY_ISA_SCALAR = 1,
  HY_ISA_AVX2 = 2,   /* AVX2 + FMA + F16C + BMI2 */
  HY_ISA_AVX512 = 3, /* F, BW, DQ, VL and VNNI where a row asks for it */
  HY_ISA_AMX = 4,
  HY_ISA_NEON = 5 /* AArch64's; its kernels are unproven on hardware and chosen by name alone */
} hy_isa;

typedef enum hy_log_level {
  HY_LOG_DEFAULT = 0, /* warnings and errors */
  HY_LOG_ERROR = 1,
  HY_LOG_WARN = 2,
  HY_LOG_INFO = 3,
  HY_LOG_DEBUG = 4,
  HY_LOG_OFF = 5
} hy_log_level;

/* Memory from the caller. alloc returns `bytes` aligned to `align` (a power of two) or NULL. */
typedef struct hy_allocator {
  void *(*alloc)(void *ctx, size_t bytes, size_t align);
  void (*free)(void *ctx, void *ptr, size_t bytes);
  void *ctx;
} hy_allocator;

/* One formatted line without newline, level first. Called from any thread that logs. */
typedef void (*hy_log_fn)(void *ctx, hy_log_level level, const char *line);

typedef struct hy_runtime_options {
  size_t struct_size;            /* sizeof(hy_runtime_options) */
  const hy_allocator *allocator; /* NULL: the C library's */
  uint32_t n_threads;            /* workers, the caller's thread included; 0: one per usable CPU */
  bool no_pinning; /* false: worker k runs on the k-th usable CPU; the caller's thread stays free */
  hy_isa isa;
  hy_log_level log_level;
  hy_log_fn log; /* NULL: stderr, text on a terminal, JSON lines otherwise */
  void *log_ctx;
} hy_runtime_options;

/* Where text or bytes of a report go. Returns HY_OK or the reason to stop. */
typedef struct hy_sink {
  hy_status (*write)(void *ctx, const void *data, size_t bytes, hy_error *err);
  void *ctx;
} hy_sink;

/* Called now and then from one thread: done of total units (total 0: unknown), unit such as
 * "symbols". Returning false asks the job to stop with HY_CANCELLED. */
typedef bool (*hy_progress_fn)(void *ctx, uint64_t done, uint64_t total, const char *unit);

/* options may be NULL. Errors: INVALID_ARGUMENT, UNSUPPORTED (an ISA this machine lacks),
 * OUT_OF_MEMORY, SYSTEM. */
HY_API HY_CHECKED hy_status hy_runtime_create(const hy_runtime_options *options, hy_runtime **out,
                                              hy_error *err);
/* NULL is fine. Destroy all objects made with it before. */
HY_API void hy_runtime_destroy(hy_runtime *runtime);

HY_API uint32_t hy_runtime_n_threads(const hy_runtime *runtime);
HY_API hy_isa hy_runtime_isa(const hy_runtime *runtime);
HY_API const char *hy_isa_name(hy_isa isa); /* "avx2" */
/* "scalar", "avx2", "avx512", "amx", "neon" to the enum; INVALID_ARGUMENT otherwise. */
HY_API HY_CHECKED hy_status hy_isa_parse(const char *name, hy_isa *out, hy_error *err);
/* The best ISA of this machine, whatever the environment says. */
HY_API hy_isa hy_isa_detect(void);

#ifdef __cplusplus
}
#endif
#endif
