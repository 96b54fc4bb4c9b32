/* SPDX-License-Identifier: Apache-2.0
 * Universe files: opening, blocks and masks of whatever opens. The bytes reach the HDF5 library
 * through a file in memory; what goes wrong inside that library is its own. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "market/market.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS = 64 };

static void look(const hy_universe *u) {
  hy_universe_info info = {.struct_size = sizeof info};
  double scratch[ROWS * HY_LANES], sum = 0;
  uint8_t mask[ROWS];
  hy_error err;
  hy_universe_describe(u, &info);
  const size_t n = HY_MIN(info.n_bars, (size_t)ROWS), first = info.n_bars - n;
  const size_t n_blocks = HY_MIN(hy__universe_n_blocks(info.n_symbols), (size_t)4);
  for (size_t block = 0; block < n_blocks; block++) {
    const double *cells;
    bool all;
    for (int32_t f = 0; f < (int32_t)HY_MIN(info.n_fields, (size_t)8); f++)
      if (hy__universe_block(u, f, block, first, first + n, scratch, &cells, &err) == HY_OK)
        for (size_t k = 0; k < n * HY_LANES; k++) sum += cells[k] > 0;
    if (hy__universe_present(u, block, first, first + n, mask, &all, &err) == HY_OK) sum += mask[0];
  }
  HY_ASSERT(sum >= 0);
  (void)sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  hy_runtime *runtime;
  hy_universe *u;
  hy_error err;
  char path[64];
  const hy_runtime_options options = {
      .struct_size = sizeof options, .n_threads = 1, .no_pinning = true};
  (void)snprintf(path, sizeof path, "%s/hayate_fuzz_%d.h5",
                 hy__path_is_folder("/dev/shm") ? "/dev/shm" : "/tmp", (int)getpid());
  const int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) return 0;
  const bool written = write(fd, data, size) == (ssize_t)size;
  close(fd);
  if (written && hy_runtime_create(&options, &runtime, &err) == HY_OK) {
    if (hy_universe_open(runtime, path, &u, &err) == HY_OK) {
      look(u);
      hy_universe_destroy(u);
    }
    hy_runtime_destroy(runtime);
  }
  unlink(path);
  return 0;
}
