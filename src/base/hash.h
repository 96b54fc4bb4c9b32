/* SPDX-License-Identifier: Apache-2.0
 * XXH3-128 for integrity and caches (xxhash, compiled in), SHA-256 (FIPS 180-4) for identity. */
#ifndef HY_BASE_HASH_H
#define HY_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct hy__hash128 {
  uint64_t low, high;
} hy__hash128;

hy__hash128 hy__hash(const void *data, size_t bytes);
uint64_t hy__hash64(const void *data, size_t bytes, uint64_t seed);

typedef struct hy__sha256 {
  uint32_t state[8];
  uint64_t n_bytes;
  uint8_t block[64];
} hy__sha256;

void hy__sha256_init(hy__sha256 *h);
void hy__sha256_update(hy__sha256 *h, const void *data, size_t bytes);
void hy__sha256_final(hy__sha256 *h, uint8_t digest[32]);
void hy__sha256_hex(const void *data, size_t bytes, char hex[65]);

#endif
