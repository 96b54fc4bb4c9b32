/* SPDX-License-Identifier: Apache-2.0
 * Any bytes as a packed pipeline: opened, shown, its golden bars scored. Memory has a ceiling, so
 * that a small file that asks for much is refused; what is not given back is a leak. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <hayate/score.h>

#include "../container.h"

enum { SIZE_MOST = 1 << 20, MEMORY = 1 << 26 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t had;
static void *take(void *ctx, size_t bytes, size_t align) {
  void *p = NULL;
  (void)ctx;
  if (bytes > MEMORY - had || posix_memalign(&p, align < 16 ? 16 : align, bytes)) return NULL;
  had += bytes;
  return p;
}
static void give(void *ctx, void *p, size_t bytes) {
  (void)ctx;
  had -= bytes;
  free(p);
}

static hy_status nothing(void *ctx, const void *bytes, size_t n, hy_error *err) {
  (void)ctx, (void)bytes, (void)n, (void)err;
  return HY_OK;
}

static void open_and_verify(hy_runtime *runtime, const char *path) {
  const hy_sink silent = {nothing, NULL};
  hy_pipeline *pipeline;
  bool ok;
  if (hy_pipeline_open(runtime, path, &pipeline, NULL) != HY_OK) return;
  (void)!hy_pipeline_inspect(pipeline, true, &silent, NULL);
  hy_pipeline_destroy(pipeline);
  (void)!hy_pipeline_verify(runtime, path, true, &silent, &ok, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  hy_runtime *runtime;
  char path[64];
  if (size > SIZE_MOST || !size) return 0;
  int fd = memfd_create("fuzz", 0);
  if (fd < 0 || ftruncate(fd, (off_t)size) != 0) return 0;
  uint8_t *file = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (file == MAP_FAILED) return 0;
  memcpy(file, data, size);
  fuzz_revise(file, size);
  fuzz_mend(file, size);
  munmap(file, size);
  (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  had = 0;
  hy_allocator allocator = {take, give, NULL};
  hy_runtime_options options = {.struct_size = sizeof options,
                                .allocator = &allocator,
                                .n_threads = 1,
                                .isa = HY_ISA_SCALAR,
                                .log_level = HY_LOG_OFF};
  if (hy_runtime_create(&options, &runtime, NULL) == HY_OK) {
    open_and_verify(runtime, path);
    hy_runtime_destroy(runtime);
  }
  close(fd);
  if (had) abort(); /* a leak */
  return 0;
}
