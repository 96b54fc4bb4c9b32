/* SPDX-License-Identifier: Apache-2.0
 * The .hyp container: named sections in one file, to be mapped. A header of 64 bytes, a table of
 * entries of 160 bytes, then the sections at multiples of 64; offsets and lengths alone, no
 * pointers. Every section has its XXH3-128, the header has that of the table. Nothing that is read
 * from it is trusted beyond these checks: what a section means is checked by who reads it. */
#ifndef HY_CODEC_HYP_H
#define HY_CODEC_HYP_H

#include "base/base.h"

enum { HY__HYP_SECTIONS_MAX = 4096, HY__HYP_OWNER = 56, HY__HYP_NAME = 64 };

typedef enum hy__hyp_kind {
  HY__HYP_MODEL = 1,      /* a model file as it was */
  HY__HYP_PACKS = 2,      /* its packed weights for one instruction set */
  HY__HYP_EXTERNAL = 3,   /* a file of external data; name: its location */
  HY__HYP_GOLDEN_IN = 4,  /* arrays by name */
  HY__HYP_GOLDEN_OUT = 5, /* what they gave with one instruction set */
  HY__HYP_PIPELINE = 6,   /* a pipeline file as it was */
  HY__HYP_FILE = 7,       /* another file that the pipeline names */
  /* 8 was of a build that took other constants for copied */
  HY__HYP_CONSTANTS = 9, /* the model's constants that do not lie aligned in it, aligned */
  HY__HYP_SPEC = 10, /* a pipeline's feature spec: its SHA-256, a line feed, its canonical form */
  HY__HYP_FIT = 11   /* the file of its fit */
} hy__hyp_kind;

typedef struct hy__hyp_section {
  uint32_t kind, isa; /* isa: an hy_isa, 0 where it does not matter */
  const char *owner;  /* the model of a pipeline; "" for a model alone */
  const char *name;
  const uint8_t *data;
  size_t bytes;
  hy__hash128 hash;
} hy__hyp_section;

typedef struct hy__hyp {
  hy__hyp_section *sections;
  size_t n;
  uint64_t revision;   /* of the packed forms: others are not used */
  const char *version; /* of the library that wrote it */
} hy__hyp;

bool hy__hyp_is(const void *data, size_t bytes); /* by its first bytes */
/* The table, in `arena`; sections stay where they are. data must outlive it and be aligned to 64.
 * Errors: BAD_FORMAT with the byte offset, UNSUPPORTED (a later format), LIMIT. */
HY_CHECKED hy_status hy__hyp_read(const void *data, size_t bytes, hy__arena *arena, hy__hyp *out,
                                  hy_error *err);
/* BAD_FORMAT where the section's bytes are not what was written. */
HY_CHECKED hy_status hy__hyp_check(const hy__hyp_section *section, hy_error *err);
/* The first of that kind, instruction set and owner; NULL if there is none. */
const hy__hyp_section *hy__hyp_find(const hy__hyp *hyp, uint32_t kind, uint32_t isa,
                                    const char *owner);
/* Writes the sections (their hashes are worked out) by a temporary name and a rename. */
HY_CHECKED hy_status hy__hyp_write(const hy_allocator *a, const char *path,
                                   const hy__hyp_section *sections, size_t n, uint64_t revision,
                                   hy_error *err);

#endif
