/* SPDX-License-Identifier: Apache-2.0
 * TZif files, and the POSIX rules inside them. */
#include "market/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(hy__zone *zone) {
  static const int64_t times[] = {INT64_C(-9000000000), -1, 0, 1700000000, INT64_C(9000000000)};
  int64_t utc_s, later_s, sum = 0;
  for (size_t k = 0; k < HY_COUNT(times); k++) {
    sum += hy__zone_offset_s(zone, times[k]);
    sum += (int64_t)hy__zone_to_utc(zone, times[k], &utc_s, &later_s);
  }
  HY_ASSERT(sum != INT64_MIN);
  (void)sum;
  hy__zone_close(zone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  hy__zone *zone;
  hy_error err;
  char rule[64];
  if (hy__zone_read(&hy__allocator_libc, data, size, &zone, &err) == HY_OK) ask(zone);
  const size_t n = HY_MIN(size, sizeof rule - 1);
  memcpy(rule, data, n);
  rule[n] = '\0';
  if (hy__zone_from_rule(&hy__allocator_libc, rule, &zone, &err) == HY_OK) ask(zone);
  return 0;
}
