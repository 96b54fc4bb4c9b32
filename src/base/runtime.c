/* SPDX-License-Identifier: Apache-2.0
 * The runtime: options, then the environment (HAYATE_ISA, HAYATE_THREADS, HAYATE_LOG), then what
 * the machine has, resolved once at creation. Everything else of hayate is made with one. */
#include <stdlib.h>
#include <string.h>

#include <hayate/version.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/number.h"
#include "base/runtime.h"
#include "base/runtime_types.h"

enum { MAX_THREADS = 1024 };

const char *hy_version(void) { return HY_VERSION; }

const char *hy_isa_name(hy_isa isa) {
  switch (isa) {
  case HY_ISA_SCALAR: return "scalar";
  case HY_ISA_AVX2: return "avx2";
  case HY_ISA_AVX512: return "avx512";
  case HY_ISA_AMX: return "amx";
  case HY_ISA_NEON: return "neon";
  case HY_ISA_DEFAULT: break;
  }
  return "default";
}

hy_status hy_isa_parse(const char *name, hy_isa *out, hy_error *err) {
  for (hy_isa isa = HY_ISA_SCALAR; isa <= HY_ISA_NEON; isa++)
    if (strcmp(name, hy_isa_name(isa)) == 0) {
      *out = isa;
      return HY_OK;
    }
  HY_FAIL(HY_INVALID_ARGUMENT, err,
          "'%.40s' is no instruction set; one of scalar, avx2, avx512, amx, neon is expected",
          name);
}

hy_isa hy_isa_detect(void) {
  hy__cpu cpu;
  hy__cpu_detect(&cpu);
  return hy__cpu_best(cpu.mask);
}

/* What the environment says where the options are silent; an empty variable says nothing. */
static const char *environment(const char *name) {
  const char *value = getenv(name);
  return value && *value ? value : NULL;
}

static hy_status resolve_isa(hy_isa wanted, hy__cpu *cpu, hy_isa *out, hy_error *err) {
  hy_isa best = hy__cpu_best(cpu->mask);
  const char *variable = environment("HAYATE_ISA");
  const char *source = "the caller";
  HY_FAIL_IF(wanted < HY_ISA_DEFAULT || wanted > HY_ISA_NEON, HY_INVALID_ARGUMENT, err,
             "%d is no instruction set", (int)wanted);
  if (wanted == HY_ISA_DEFAULT && variable) {
    hy_status status = hy_isa_parse(variable, &wanted, err);
    if (status != HY_OK) {
      hy__error_prefix(err, "HAYATE_ISA");
      return status;
    }
    source = "HAYATE_ISA";
  }
  HY_FAIL_IF(wanted && !hy__cpu_has(cpu->mask, wanted), HY_UNSUPPORTED, err,
             "%s asks for %s, this machine has %s at best", source, hy_isa_name(wanted),
             hy_isa_name(best));
  *out = wanted == HY_ISA_DEFAULT ? best : wanted;
  cpu->mask = hy__cpu_limit(cpu->mask, *out) | (wanted ? (uint32_t)HY_CPU_UNPROVEN : 0);
  return HY_OK;
}

static hy_status resolve_threads(uint32_t wanted, uint32_t n_usable, uint32_t *out, hy_error *err) {
  const char *variable = environment("HAYATE_THREADS");
  if (wanted == 0 && variable) {
    int64_t n;
    HY_FAIL_IF(!hy__text_i64(variable, &n) || n < 0 || n > MAX_THREADS, HY_INVALID_ARGUMENT, err,
               "HAYATE_THREADS is '%.40s', a number from 0 to %d is expected", variable,
               MAX_THREADS);
    wanted = (uint32_t)n;
  }
  HY_FAIL_IF(wanted > MAX_THREADS, HY_INVALID_ARGUMENT, err, "%u threads are over the limit of %d",
             wanted, MAX_THREADS);
  *out = wanted ? wanted : HY_MIN(n_usable, (uint32_t)MAX_THREADS);
  return HY_OK;
}

static hy_status resolve_log(hy_log_level wanted, hy_log_level *out, hy_error *err) {
  static const char *const names[] = {"error", "warn", "info", "debug", "off"};
  const char *variable = environment("HAYATE_LOG");
  HY_FAIL_IF(wanted < HY_LOG_DEFAULT || wanted > HY_LOG_OFF, HY_INVALID_ARGUMENT, err,
             "%d is no log level", (int)wanted);
  *out = wanted == HY_LOG_DEFAULT ? HY_LOG_WARN : wanted;
  if (wanted != HY_LOG_DEFAULT || !variable) return HY_OK;
  for (size_t i = 0; i < HY_COUNT(names); i++)
    if (strcmp(variable, names[i]) == 0) {
      *out = (hy_log_level)(i + 1);
      return HY_OK;
    }
  HY_FAIL(HY_INVALID_ARGUMENT, err,
          "HAYATE_LOG is '%.40s', one of error, warn, info, debug, off is expected", variable);
}

/* Fills what the caller's (perhaps older, shorter) struct has; the rest keeps its zeros. */
static hy_status read_options(const hy_runtime_options *options, hy_runtime_options *out,
                              hy_error *err) {
  *out = (hy_runtime_options){.struct_size = sizeof *out};
  if (!options) return HY_OK;
  HY_FAIL_IF(options->struct_size < sizeof(size_t) || options->struct_size > sizeof *out,
             HY_INVALID_ARGUMENT, err, "struct_size of hy_runtime_options is %zu, %zu is expected",
             options->struct_size, sizeof *out);
  memcpy(out, options, options->struct_size);
  const hy_allocator *a = out->allocator;
  HY_FAIL_IF(a && (!a->alloc || !a->free), HY_INVALID_ARGUMENT, err,
             "the allocator lacks alloc or free");
  return HY_OK;
}

hy_status hy_runtime_create(const hy_runtime_options *options, hy_runtime **out, hy_error *err) {
  hy_runtime_options o;
  hy_runtime resolved = {0};
  uint32_t n_threads;
  void *ptr;
  hy_error_clear(err);
  HY_FAIL_IF(!out, HY_INVALID_ARGUMENT, err, "out is NULL");
  *out = NULL;
  HY_TRY(read_options(options, &o, err));
  hy__cpu_detect(&resolved.cpu);
  HY_TRY(resolve_isa(o.isa, &resolved.cpu, &resolved.isa, err));
  HY_TRY(resolve_threads(o.n_threads, resolved.cpu.n_usable, &n_threads, err));
  HY_TRY(resolve_log(o.log_level, &resolved.log_level, err));
  resolved.allocator = o.allocator ? *o.allocator : hy__allocator_libc;
  resolved.log = o.log;
  resolved.log_ctx = o.log_ctx;
  HY_TRY(hy__alloc(&resolved.allocator, sizeof resolved, &ptr, err));
  hy_status status = hy__pool_create(&resolved.allocator, n_threads, resolved.cpu.n_usable,
                                     !o.no_pinning, &resolved.pool, err);
  if (status != HY_OK) {
    hy__free(&resolved.allocator, ptr, sizeof resolved);
    return status;
  }
  memcpy(ptr, &resolved, sizeof resolved);
  *out = ptr;
  return HY_OK;
}

void hy_runtime_destroy(hy_runtime *runtime) {
  if (!runtime) return;
  hy_allocator allocator = runtime->allocator;
  hy__pool_destroy(runtime->pool);
  hy__free(&allocator, runtime, sizeof *runtime);
}

uint32_t hy_runtime_n_threads(const hy_runtime *runtime) {
  return hy__pool_n_workers(runtime->pool);
}

hy_isa hy_runtime_isa(const hy_runtime *runtime) { return runtime->isa; }

const hy_allocator *hy__runtime_allocator(const hy_runtime *runtime) { return &runtime->allocator; }
hy__pool *hy__runtime_pool(const hy_runtime *runtime) { return runtime->pool; }
const hy__cpu *hy__runtime_cpu(const hy_runtime *runtime) { return &runtime->cpu; }

hy_status hy__runtime_beside(const hy_runtime *runtime, hy_isa isa, bool quiet, hy_runtime **out,
                             hy_error *err) {
  hy_runtime_options options = {.struct_size = sizeof options,
                                .allocator = &runtime->allocator,
                                .n_threads = 1,
                                .isa = isa,
                                .log_level = quiet ? HY_LOG_OFF : runtime->log_level,
                                .log = runtime->log,
                                .log_ctx = runtime->log_ctx};
  return hy_runtime_create(&options, out, err);
}
