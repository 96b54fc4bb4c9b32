/* SPDX-License-Identifier: Apache-2.0
 * Hashes: XXH3 compiled in from its header for integrity, SHA-256 (FIPS 180-4) for identity. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <string.h>

#include "base/hash.h"

hy__hash128 hy__hash(const void *data, size_t bytes) {
  XXH128_hash_t h = XXH3_128bits(data, bytes);
  return (hy__hash128){.low = h.low64, .high = h.high64};
}

uint64_t hy__hash64(const void *data, size_t bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(data, bytes, seed);
}

/* FIPS 180-4, 4.2.2: the first 32 bits of the fractional parts of the first 64 primes' cube roots.
 */
static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate_right(uint32_t x, unsigned n) { return x >> n | x << (32 - n); }

static void schedule(const uint8_t block[64], uint32_t w[64]) {
  for (int i = 0; i < 16; i++)
    w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
           (uint32_t)block[4 * i + 2] << 8 | (uint32_t)block[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    uint32_t a = w[i - 15], b = w[i - 2];
    uint32_t s0 = rotate_right(a, 7) ^ rotate_right(a, 18) ^ a >> 3;
    uint32_t s1 = rotate_right(b, 17) ^ rotate_right(b, 19) ^ b >> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
}

/* One round; the caller renames the eight words in place of moving them. */
static inline __attribute__((always_inline)) void round_step(uint32_t *v, int i, uint32_t input) {
  uint32_t *a = &v[-i & 7], *b = &v[(1 - i) & 7], *c = &v[(2 - i) & 7], *d = &v[(3 - i) & 7];
  uint32_t *e = &v[(4 - i) & 7], *f = &v[(5 - i) & 7], *g = &v[(6 - i) & 7], *h = &v[(7 - i) & 7];
  uint32_t s1 = rotate_right(*e, 6) ^ rotate_right(*e, 11) ^ rotate_right(*e, 25);
  uint32_t t1 = *h + s1 + ((*e & *f) ^ (~*e & *g)) + input;
  uint32_t s0 = rotate_right(*a, 2) ^ rotate_right(*a, 13) ^ rotate_right(*a, 22);
  *d += t1;
  *h = t1 + s0 + ((*a & *b) ^ (*a & *c) ^ (*b & *c));
}

static void compress(uint32_t state[8], const uint8_t block[64]) {
  uint32_t w[64], v[8];
  schedule(block, w);
  memcpy(v, state, sizeof v);
  for (int i = 0; i < 64; i += 8) {
    round_step(v, 0, round_constants[i] + w[i]);
    round_step(v, 1, round_constants[i + 1] + w[i + 1]);
    round_step(v, 2, round_constants[i + 2] + w[i + 2]);
    round_step(v, 3, round_constants[i + 3] + w[i + 3]);
    round_step(v, 4, round_constants[i + 4] + w[i + 4]);
    round_step(v, 5, round_constants[i + 5] + w[i + 5]);
    round_step(v, 6, round_constants[i + 6] + w[i + 6]);
    round_step(v, 7, round_constants[i + 7] + w[i + 7]);
  }
  for (int i = 0; i < 8; i++) state[i] += v[i];
}

void hy__sha256_init(hy__sha256 *h) {
  /* FIPS 180-4, 5.3.3: fractional parts of the first 8 primes' square roots. */
  static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  memset(h, 0, sizeof *h);
  memcpy(h->state, initial, sizeof initial);
}

void hy__sha256_update(hy__sha256 *h, const void *data, size_t bytes) {
  const uint8_t *p = data;
  size_t held = (size_t)(h->n_bytes % 64);
  h->n_bytes += bytes;
  if (held) {
    size_t take = 64 - held < bytes ? 64 - held : bytes;
    memcpy(h->block + held, p, take);
    if (held + take < 64) return;
    compress(h->state, h->block);
    p += take;
    bytes -= take;
  }
  for (; bytes >= 64; p += 64, bytes -= 64) compress(h->state, p);
  if (bytes) memcpy(h->block, p, bytes);
}

void hy__sha256_final(hy__sha256 *h, uint8_t digest[32]) {
  uint8_t tail[72] = {0x80};
  uint64_t n_bits = h->n_bytes * 8;
  size_t held = (size_t)(h->n_bytes % 64);
  size_t pad = held < 56 ? 56 - held : 120 - held;
  for (size_t i = 0; i < 8; i++) tail[pad + i] = (uint8_t)(n_bits >> (56 - 8 * i));
  hy__sha256_update(h, tail, pad + 8);
  for (size_t i = 0; i < 32; i++) digest[i] = (uint8_t)(h->state[i / 4] >> (24 - 8 * (i % 4)));
}

void hy__sha256_hex(const void *data, size_t bytes, char hex[65]) {
  static const char digits[] = "0123456789abcdef";
  hy__sha256 h;
  uint8_t digest[32];
  hy__sha256_init(&h);
  hy__sha256_update(&h, data, bytes);
  hy__sha256_final(&h, digest);
  for (size_t i = 0; i < 32; i++) {
    hex[2 * i] = digits[digest[i] >> 4];
    hex[2 * i + 1] = digits[digest[i] & 15];
  }
  hex[64] = 0;
}
