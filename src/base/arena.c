/* SPDX-License-Identifier: Apache-2.0
 * The runtime's allocator by hand, and arenas: blocks chained from a header, given back at once.
 * Under AddressSanitizer each allocation has a red zone behind it, and what was reset is poisoned.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "base/checked.h"
#include "base/error.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#endif
#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(ptr, bytes)   ASAN_POISON_MEMORY_REGION(ptr, bytes)
#define UNPOISON(ptr, bytes) ASAN_UNPOISON_MEMORY_REGION(ptr, bytes)
enum { RED_ZONE_BYTES = 16 };
#else
#define POISON(ptr, bytes)   ((void)(ptr), (void)(bytes))
#define UNPOISON(ptr, bytes) ((void)(ptr), (void)(bytes))
enum { RED_ZONE_BYTES = 0 };
#endif

enum { DEFAULT_BLOCK_BYTES = 65536, MAX_ALIGN = 4096 };

static void *libc_alloc(void *ctx, size_t bytes, size_t align) {
  (void)ctx;
  if (align <= _Alignof(max_align_t)) return malloc(bytes);
  void *ptr = NULL;
  return posix_memalign(&ptr, align, bytes) == 0 ? ptr : NULL;
}

static void libc_free(void *ctx, void *ptr, size_t bytes) {
  (void)ctx, (void)bytes;
  free(ptr);
}

const hy_allocator hy__allocator_libc = {libc_alloc, libc_free, NULL};

hy_status hy__alloc(const hy_allocator *a, size_t bytes, void **out, hy_error *err) {
  *out = NULL;
  if (bytes == 0) return HY_OK;
  HY_FAIL_IF(bytes > PTRDIFF_MAX, HY_OUT_OF_MEMORY, err, "no memory for %zu bytes", bytes);
  void *ptr = a->alloc(a->ctx, bytes, HY_ALIGN);
  HY_FAIL_IF(!ptr, HY_OUT_OF_MEMORY, err, "no memory for %zu bytes", bytes);
  *out = ptr;
  return HY_OK;
}

hy_status hy__alloc_zero(const hy_allocator *a, size_t bytes, void **out, hy_error *err) {
  HY_TRY(hy__alloc(a, bytes, out, err));
  if (bytes) memset(*out, 0, bytes);
  return HY_OK;
}

hy_status hy__alloc_array(const hy_allocator *a, size_t n, size_t each, void **out, hy_error *err) {
  size_t bytes;
  *out = NULL;
  HY_FAIL_IF(!hy__mul(n, each, &bytes), HY_OUT_OF_MEMORY, err,
             "no memory for %zu elements of %zu bytes", n, each);
  return hy__alloc(a, bytes, out, err);
}

hy_status hy__grow(const hy_allocator *a, void **ptr, size_t *capacity, size_t n, size_t each,
                   hy_error *err) {
  if (n <= *capacity) return HY_OK;
  size_t doubled, target = n < 8 ? 8 : n;
  if (hy__mul(*capacity, 2, &doubled) && doubled > target) target = doubled;
  void *grown;
  HY_TRY(hy__alloc_array(a, target, each, &grown, err));
  if (*capacity) memcpy(grown, *ptr, *capacity * each);
  hy__free(a, *ptr, *capacity * each);
  *ptr = grown;
  *capacity = target;
  return HY_OK;
}

void hy__free(const hy_allocator *a, void *ptr, size_t bytes) {
  if (ptr) a->free(a->ctx, ptr, bytes);
}

hy_status hy__alloc_brief(const hy_allocator *a, size_t *bytes, void **out, hy_error *err) {
  enum { LARGE_PAGE = 2 << 20 };
  size_t whole;
  *out = NULL;
  if (a->alloc != libc_alloc || *bytes < LARGE_PAGE / 2 ||
      !hy__round_up(*bytes, LARGE_PAGE, &whole) || whole > PTRDIFF_MAX)
    return hy__alloc(a, *bytes, out, err);
  *out = libc_alloc(NULL, whole, LARGE_PAGE);
  HY_FAIL_IF(!*out, HY_OUT_OF_MEMORY, err, "no memory for %zu bytes", whole);
  *bytes = whole;
#ifdef MADV_HUGEPAGE
  (void)madvise(*out, whole, MADV_HUGEPAGE); /* a wish: small pages do as well */
#endif
  return HY_OK;
}

typedef struct block {
  struct block *next; /* made before this one */
  size_t bytes;       /* of the whole block, this header included */
  size_t used;        /* likewise */
} block;

struct hy__arena {
  hy_allocator allocator;
  size_t block_bytes, limit_bytes, had_bytes;
  block *top;
  bool frozen;
};

hy_status hy__arena_create(const hy_allocator *a, size_t block_bytes, size_t limit_bytes,
                           hy__arena **out, hy_error *err) {
  void *ptr;
  *out = NULL;
  HY_TRY(hy__alloc_zero(a, sizeof(hy__arena), &ptr, err));
  hy__arena *arena = ptr;
  arena->allocator = *a;
  arena->block_bytes = block_bytes ? block_bytes : DEFAULT_BLOCK_BYTES;
  arena->limit_bytes = limit_bytes;
  arena->had_bytes = sizeof *arena;
  *out = arena;
  return HY_OK;
}

static void block_free(hy__arena *arena, block *b) {
  arena->had_bytes -= b->bytes;
  UNPOISON(b, b->bytes);
  hy__free(&arena->allocator, b, b->bytes);
}

void hy__arena_destroy(hy__arena *arena) {
  if (!arena) return;
  while (arena->top) {
    block *next = arena->top->next;
    block_free(arena, arena->top);
    arena->top = next;
  }
  hy_allocator allocator = arena->allocator;
  hy__free(&allocator, arena, sizeof *arena);
}

/* A block with room for `bytes` at any of the allowed places of `align`. */
static hy_status block_add(hy__arena *arena, size_t bytes, size_t align, hy_error *err) {
  size_t need, total;
  bool fits = hy__add(bytes, align + RED_ZONE_BYTES + sizeof(block), &need);
  HY_FAIL_IF(!fits, HY_OUT_OF_MEMORY, err, "no memory for %zu bytes", bytes);
  need = HY_MAX(need, arena->block_bytes);
  fits = hy__add(arena->had_bytes, need, &total);
  if (fits && arena->limit_bytes && total > arena->limit_bytes) {
    need = bytes + align + RED_ZONE_BYTES + sizeof(block); /* the last block may be a small one */
    total = arena->had_bytes + need;
  }
  HY_FAIL_IF(!fits || (arena->limit_bytes && total > arena->limit_bytes), HY_LIMIT, err,
             "needs %zu bytes more than the limit of %zu bytes leaves", bytes, arena->limit_bytes);
  void *ptr;
  HY_TRY(hy__alloc(&arena->allocator, need, &ptr, err));
  block *b = ptr;
  *b = (block){.next = arena->top, .bytes = need, .used = sizeof(block)};
  POISON((char *)ptr + sizeof(block), need - sizeof(block));
  arena->top = b;
  arena->had_bytes = total;
  return HY_OK;
}

/* The offset in the block where bytes would begin, or 0 when they do not fit. */
static size_t block_place(const block *b, size_t bytes, size_t align) {
  uintptr_t at = ((uintptr_t)b + b->used + align - 1) & ~(uintptr_t)(align - 1);
  size_t offset = (size_t)(at - (uintptr_t)b);
  size_t need;
  if (offset > b->bytes || !hy__add(bytes, RED_ZONE_BYTES, &need)) return 0;
  return need <= b->bytes - offset ? offset : 0;
}

hy_status hy__arena_alloc_raw(hy__arena *arena, size_t bytes, size_t align, void **out,
                              hy_error *err) {
  HY_ASSERT(!arena->frozen);
  HY_ASSERT(align && align <= MAX_ALIGN && (align & (align - 1)) == 0);
  *out = NULL;
  size_t offset = arena->top ? block_place(arena->top, bytes, align) : 0;
  if (!offset) {
    HY_TRY(block_add(arena, bytes, align, err));
    offset = block_place(arena->top, bytes, align);
  }
  char *ptr = (char *)arena->top + offset;
  arena->top->used = offset + bytes + RED_ZONE_BYTES;
  UNPOISON(ptr, bytes);
  *out = ptr;
  return HY_OK;
}

hy_status hy__arena_alloc(hy__arena *arena, size_t bytes, size_t align, void **out, hy_error *err) {
  HY_TRY(hy__arena_alloc_raw(arena, bytes, align, out, err));
  memset(*out, 0, bytes);
  return HY_OK;
}

hy_status hy__arena_array(hy__arena *arena, size_t n, size_t each, void **out, hy_error *err) {
  size_t bytes;
  *out = NULL;
  HY_FAIL_IF(!hy__mul(n, each, &bytes), HY_OUT_OF_MEMORY, err,
             "no memory for %zu elements of %zu bytes", n, each);
  return hy__arena_alloc(arena, bytes, bytes >= HY_ALIGN ? HY_ALIGN : _Alignof(max_align_t), out,
                         err);
}

hy_status hy__arena_text(hy__arena *arena, const char *text, size_t len_bytes, const char **out,
                         hy_error *err) {
  void *ptr;
  size_t bytes;
  *out = NULL;
  HY_FAIL_IF(!hy__add(len_bytes, 1, &bytes), HY_OUT_OF_MEMORY, err, "text too long");
  HY_TRY(hy__arena_alloc(arena, bytes, 1, &ptr, err));
  if (len_bytes) memcpy(ptr, text, len_bytes);
  *out = ptr;
  return HY_OK;
}

hy_status hy__arena_printf(hy__arena *arena, const char **out, hy_error *err, const char *format,
                           ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int n = vsnprintf(NULL, 0, format, args);
  void *ptr = NULL;
  hy_status status = n < 0 ? hy__error_set(err, HY_INTERNAL, "cannot format a text")
                           : hy__arena_alloc(arena, (size_t)n + 1, 1, &ptr, err);
  if (status == HY_OK) vsnprintf(ptr, (size_t)n + 1, format, again);
  va_end(again);
  va_end(args);
  *out = ptr;
  return status;
}

void hy__arena_freeze(hy__arena *arena) { arena->frozen = true; }

void hy__arena_reset(hy__arena *arena) {
  arena->frozen = false;
  while (arena->top && arena->top->next) {
    block *next = arena->top->next;
    block_free(arena, arena->top);
    arena->top = next;
  }
  if (!arena->top) return;
  arena->top->used = sizeof(block);
  POISON((char *)arena->top + sizeof(block), arena->top->bytes - sizeof(block));
}

size_t hy__arena_bytes(const hy__arena *arena) { return arena->had_bytes; }
