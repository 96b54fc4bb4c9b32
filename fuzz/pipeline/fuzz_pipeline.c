/* SPDX-License-Identifier: Apache-2.0
 * Any bytes as a packed pipeline: opened, shown, its golden bars scored. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <hayate/score.h>

#include "../ceiling.h"
#include "../container.h"

enum { SIZE_MOST = 1 << 20, MEMORY = 1 << 26 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
  hy_runtime *runtime = fuzz_runtime(MEMORY, HY_ISA_SCALAR);
  if (runtime) open_and_verify(runtime, path);
  fuzz_runtime_end(runtime);
  close(fd);
  return 0;
}
