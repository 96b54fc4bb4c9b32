/* SPDX-License-Identifier: Apache-2.0
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", 2011):
 * the key is the seed, the counter is (draw, stream). The synthetic universe and all sampling stand
 * on it. */
#include <math.h>

#include "base/random.h"
#include "base/real.h"

enum { PHILOX_ROUNDS = 10 };

static void philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  uint32_t k0 = key[0], k1 = key[1];
  for (int i = 0; i < PHILOX_ROUNDS; i++) {
    uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
    uint32_t n0 = (uint32_t)(b >> 32) ^ c1 ^ k0, n2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
    c1 = (uint32_t)b;
    c3 = (uint32_t)a;
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

void hy__random_init(hy__random *r, uint64_t seed, uint64_t stream) {
  *r = (hy__random){.seed = seed, .stream = stream};
}

uint32_t hy__random_u32(hy__random *r) {
  if (r->n_left == 0) {
    uint32_t counter[4] = {(uint32_t)r->counter, (uint32_t)(r->counter >> 32), (uint32_t)r->stream,
                           (uint32_t)(r->stream >> 32)};
    uint32_t key[2] = {(uint32_t)r->seed, (uint32_t)(r->seed >> 32)};
    philox(counter, key, r->block);
    r->counter++;
    r->n_left = 4;
  }
  return r->block[4 - r->n_left--];
}

uint64_t hy__random_u64(hy__random *r) {
  uint64_t low = hy__random_u32(r);
  return low | (uint64_t)hy__random_u32(r) << 32;
}

double hy__random_uniform(hy__random *r) { return (double)(hy__random_u64(r) >> 11) * 0x1p-53; }

double hy__random_normal(hy__random *r) {
  const double two_pi = 6.28318530717958647692;
  double u = 1.0 - hy__random_uniform(r); /* (0, 1] */
  double v = hy__random_uniform(r);
  return sqrt(-2.0 * hy__ln(u)) * hy__cos(two_pi * v);
}

uint64_t hy__random_below(hy__random *r, uint64_t n) {
  if (n < 2) return 0;
  uint64_t reject = (0 - n) % n; /* 2^64 mod n: values under it would favour the low remainders */
  for (;;) {
    uint64_t x = hy__random_u64(r);
    if (x >= reject) return x % n;
  }
}
