/* SPDX-License-Identifier: Apache-2.0
 * Universes in memory: blocks of eight lanes out of planes of tiles, without a copy where the tiles
 * already have that form. Sits between the files (hdf5.c), the caller's arrays, and the feature
 * programs. */
#include "market/universe.h"

#include <math.h>

#include "market/calendar.h"
#include "market/hdf5.h"
#include "market/time.h"

enum { MASK_ROWS = 512 }; /* rows of the mask looked at in one go, on the stack */

static const char *const canonical_fields[5] = {"open", "high", "low", "close", "volume"};

int hy__universe_field_rank(const char *name) {
  for (int k = 0; k < 5; k++)
    if (strcmp(name, canonical_fields[k]) == 0) return k;
  return 5;
}

int32_t hy__universe_find(const char *const *fields, size_t n_fields, const char *name) {
  static const char aliases[] = "ohlcv";
  const char *alias = name[0] && !name[1] ? strchr(aliases, name[0]) : NULL;
  for (size_t k = 0; k < n_fields; k++)
    if (strcmp(fields[k], name) == 0) return (int32_t)k;
  if (!alias) return -1;
  return hy__universe_find(fields, n_fields, canonical_fields[alias - aliases]);
}

int32_t hy__universe_field(const hy_universe *u, const char *name) {
  return hy__universe_find(u->info.fields, u->info.n_fields, name);
}

hy_status hy__universe_check_time(const int64_t *time_ns, size_t n_bars, hy_error *err) {
  for (size_t t = 1; t < n_bars; t++)
    HY_FAIL_IF(time_ns[t] <= time_ns[t - 1], HY_BAD_FORMAT, err,
               "time[%zu] = %lld is not after time[%zu] = %lld: times must be strictly increasing",
               t, (long long)time_ns[t], t - 1, (long long)time_ns[t - 1]);
  return HY_OK;
}

static bool name_is_plain(const char *name) {
  size_t n = 0;
  for (; name[n]; n++)
    if ((uint8_t)name[n] < 0x20 || name[n] == 0x7f || n >= HY_UNIVERSE_NAME_MAX) return false;
  return n > 0;
}

/* Open addressing over a power of two at least twice n; slots hold index + 1. */
static hy_status find_twin(const char *const *names, size_t n, uint32_t *slots, size_t n_slots,
                           size_t *twin) {
  for (size_t k = 0; k < n; k++) {
    size_t at = (size_t)hy__hash64(names[k], strlen(names[k]), 0) & (n_slots - 1);
    for (; slots[at]; at = (at + 1) & (n_slots - 1)) {
      if (strcmp(names[slots[at] - 1], names[k]) != 0) continue;
      *twin = k;
      return HY_BAD_FORMAT;
    }
    slots[at] = (uint32_t)(k + 1);
  }
  return HY_OK;
}

hy_status hy__universe_check_names(const hy_allocator *a, const char *what,
                                   const char *const *names, size_t n, hy_error *err) {
  size_t n_slots = 16;
  while (n_slots < 2 * n) n_slots *= 2;
  for (size_t k = 0; k < n; k++)
    HY_FAIL_IF(!names[k] || !name_is_plain(names[k]), HY_BAD_FORMAT, err,
               "%s %zu: expected a name of 1 to %d bytes without control characters", what, k,
               (int)HY_UNIVERSE_NAME_MAX);
  void *slots = NULL;
  HY_TRY(hy__alloc_zero(a, n_slots * sizeof(uint32_t), &slots, err));
  size_t twin = 0;
  hy_status status = find_twin(names, n, slots, n_slots, &twin);
  hy__free(a, slots, n_slots * sizeof(uint32_t));
  HY_FAIL_IF(status != HY_OK, HY_BAD_FORMAT, err, "%s %zu: the name \"%s\" stands there twice",
             what, twin, names[twin]);
  return HY_OK;
}

/* Where rows [t_begin, t_end) of a lane block lie in one piece already; NULL if they do not. */
static const uint8_t *plane_piece(const hy__plane *p, size_t block, size_t t_begin, size_t t_end) {
  const size_t cell_bytes = p->cell == HY_CELL_U8 ? 1 : 8;
  if (!p->base || p->cell == HY_CELL_F32 || p->tile_symbols != HY_LANES) return NULL;
  const size_t row_bytes = HY_LANES * cell_bytes, tile_bytes = p->tile_bars * row_bytes;
  const size_t first = t_begin / p->tile_bars, last = t_end ? (t_end - 1) / p->tile_bars : first;
  const size_t at = p->offset[first * p->n_tile_columns + block];
  for (size_t k = first + 1; k <= last; k++)
    if (p->offset[k * p->n_tile_columns + block] != at + (k - first) * tile_bytes) return NULL;
  const uint8_t *piece = p->base + at + (t_begin - first * p->tile_bars) * row_bytes;
  return (uintptr_t)piece % cell_bytes ? NULL : piece;
}

/* n cells of one row to float64 or, for masks, bytes. */
static void copy_run(const hy__plane *p, const uint8_t *from, size_t n, size_t rows, double *out) {
  const size_t cell_bytes = p->cell == HY_CELL_F64 ? 8 : 4;
  for (size_t t = 0; t < rows; t++, from += p->tile_symbols * cell_bytes, out += HY_LANES) {
    if (p->cell == HY_CELL_F64) {
      memcpy(out, from, n * 8);
    } else {
      float narrow[HY_LANES];
      memcpy(narrow, from, n * 4);
      for (size_t k = 0; k < n; k++) out[k] = (double)narrow[k];
    }
  }
}

static void copy_mask_run(const hy__plane *p, const uint8_t *from, size_t n, size_t rows,
                          uint8_t *out) {
  for (size_t t = 0; t < rows; t++, from += p->tile_symbols, out += HY_LANES) memcpy(out, from, n);
}

/* Gathers a block out of tiles of any shape: by tile rows, then by runs of lanes within one tile.
 */
static void gather(const hy__plane *p, const hy__hdf5_window *w, void *out) {
  const size_t cell_bytes = p->cell == HY_CELL_F64 ? 8 : p->cell == HY_CELL_F32 ? 4 : 1;
  for (size_t t = w->t_begin; t < w->t_end;) {
    const size_t tile_row = t / p->tile_bars, in_tile = t % p->tile_bars;
    const size_t rows = HY_MIN(p->tile_bars - in_tile, w->t_end - t);
    for (size_t lane = 0; lane < w->n_symbols;) {
      const size_t column = w->symbol_begin + lane, in_column = column % p->tile_symbols;
      const size_t n = HY_MIN(p->tile_symbols - in_column, w->n_symbols - lane);
      const uint8_t *from = p->base +
                            p->offset[tile_row * p->n_tile_columns + column / p->tile_symbols] +
                            (in_tile * p->tile_symbols + in_column) * cell_bytes;
      const size_t to = (t - w->t_begin) * HY_LANES + lane;
      if (p->cell == HY_CELL_U8)
        copy_mask_run(p, from, n, rows, (uint8_t *)out + to);
      else
        copy_run(p, from, n, rows, (double *)out + to);
      lane += n;
    }
    t += rows;
  }
}

static hy__hdf5_window block_window(const hy_universe *u, size_t block, size_t t_begin,
                                    size_t t_end) {
  const size_t begin = block * HY_LANES;
  return (hy__hdf5_window){.t_begin = t_begin,
                           .t_end = t_end,
                           .symbol_begin = begin,
                           .n_symbols = HY_MIN((size_t)HY_LANES, u->info.n_symbols - begin)};
}

/* Mask bytes of a window of at most MASK_ROWS rows, [row][8]: in place where possible, else in
 * buffer. */
static hy_status mask_rows(const hy_universe *u, const hy__hdf5_window *w, uint8_t *buffer,
                           const uint8_t **out, hy_error *err) {
  const size_t n_rows = w->t_end - w->t_begin;
  const uint8_t *piece = NULL;
  if (w->n_symbols == HY_LANES)
    piece = plane_piece(&u->valid, w->symbol_begin / HY_LANES, w->t_begin, w->t_end);
  *out = piece ? piece : buffer;
  if (piece) return HY_OK;
  memset(buffer, 0, n_rows * HY_LANES);
  if (u->valid.base) {
    gather(&u->valid, w, buffer);
    return HY_OK;
  }
  double wide[64 * HY_LANES];
  for (size_t t = 0; t < n_rows; t += 64) {
    const size_t n = HY_MIN((size_t)64, n_rows - t);
    const hy__hdf5_window part = {w->t_begin + t, w->t_begin + t + n, w->symbol_begin,
                                  w->n_symbols};
    HY_TRY(hy__hdf5_read(&u->valid, &part, wide, err));
    for (size_t k = 0; k < n * HY_LANES; k++)
      buffer[t * HY_LANES + k] = k % HY_LANES < w->n_symbols && wide[k] != 0;
  }
  return HY_OK;
}

/* The part of a window that starts at row t, at most MASK_ROWS long. */
static hy__hdf5_window part_of(const hy__hdf5_window *w, size_t t) {
  return (hy__hdf5_window){t, HY_MIN(t + MASK_ROWS, w->t_end), w->symbol_begin, w->n_symbols};
}

static bool any_zero_byte(uint64_t word) {
  return ((word - 0x0101010101010101u) & ~word & 0x8080808080808080u) != 0;
}

/* Bit k for byte k not zero. */
static uint8_t row_bits(uint64_t word) {
  const uint64_t low = word & 0x7f7f7f7f7f7f7f7fu;
  const uint64_t set = ((low + 0x7f7f7f7f7f7f7f7fu) | word) & 0x8080808080808080u;
  return (uint8_t)((set >> 7) * 0x0102040810204080u >> 56);
}

static bool has_infinity(const double *cells, size_t n) {
  const uint64_t exponent = 0x7ff0000000000000u;
  uint64_t any = 0;
  for (size_t k = 0; k < n; k++) {
    uint64_t bits;
    memcpy(&bits, cells + k, 8);
    any |= (uint64_t)((bits & 0x7fffffffffffffffu) == exponent);
  }
  return any != 0;
}

/* Whether the cells may be handed out as they lie: masked cells and absent lanes NaN, no infinity.
 */
static hy_status is_clean(const hy_universe *u, const hy__hdf5_window *w, const double *cells,
                          bool *clean, hy_error *err) {
  uint8_t buffer[MASK_ROWS * HY_LANES];
  *clean = !has_infinity(cells, (w->t_end - w->t_begin) * HY_LANES);
  for (size_t t = w->t_begin; *clean && w->n_symbols < HY_LANES && t < w->t_end; t++)
    for (size_t lane = w->n_symbols; lane < HY_LANES; lane++)
      *clean = *clean && isnan(cells[(t - w->t_begin) * HY_LANES + lane]);
  for (size_t t = w->t_begin; *clean && u->has_valid && t < w->t_end; t += MASK_ROWS) {
    const hy__hdf5_window part = part_of(w, t);
    const uint8_t *mask;
    HY_TRY(mask_rows(u, &part, buffer, &mask, err));
    for (size_t r = 0; r < part.t_end - t; r++) {
      uint64_t word;
      memcpy(&word, mask + r * HY_LANES, 8);
      if (!any_zero_byte(word)) continue;
      const double *row = cells + (t - w->t_begin + r) * HY_LANES;
      for (size_t lane = 0; lane < w->n_symbols; lane++)
        if (!mask[r * HY_LANES + lane] && !isnan(row[lane])) *clean = false;
    }
  }
  return HY_OK;
}

/* Makes the promise of hy__universe_block true in scratch. */
static hy_status clean_up(const hy_universe *u, const hy__hdf5_window *w, double *cells,
                          hy_error *err) {
  uint8_t buffer[MASK_ROWS * HY_LANES];
  const double missing = (double)NAN;
  const size_t n = (w->t_end - w->t_begin) * HY_LANES;
  double absent[HY_LANES];
  for (size_t lane = 0; lane < HY_LANES; lane++) absent[lane] = lane >= w->n_symbols;
  for (size_t k = 0; k < n; k += HY_LANES)
    for (size_t lane = 0; lane < HY_LANES; lane++) { /* without branches: this is every cell read */
      const double v = cells[k + lane];
      cells[k + lane] = ((absent[lane] > 0) | (v - v != 0.0)) ? missing : v;
    }
  for (size_t t = w->t_begin; u->has_valid && t < w->t_end; t += MASK_ROWS) {
    const hy__hdf5_window part = part_of(w, t);
    const uint8_t *mask;
    HY_TRY(mask_rows(u, &part, buffer, &mask, err));
    for (size_t k = 0; k < (part.t_end - t) * HY_LANES; k++)
      if (!mask[k]) cells[(t - w->t_begin) * HY_LANES + k] = missing;
  }
  return HY_OK;
}

/* Whether a block's rows are eight cells of each row of one matrix, as in a caller's panel. */
static bool is_matrix(const hy__plane *p, const hy__hdf5_window *w) {
  return p->base && p->cell == HY_CELL_F64 && p->n_tile_columns == 1 && w->n_symbols == HY_LANES &&
         w->t_end <= p->tile_bars;
}

/* The rows of such a block, what is not finite as missing. They lie a page or so apart, where the
 * machine does not look ahead by itself. */
static void copy_matrix(const hy__plane *p, const hy__hdf5_window *w, double *out) {
  enum { AHEAD = 16 };
  const size_t stride = p->tile_symbols * sizeof(double);
  const uint8_t *from =
      p->base + p->offset[0] + w->t_begin * stride + w->symbol_begin * sizeof(double);
  for (size_t t = w->t_begin; t < w->t_end; t++, from += stride, out += HY_LANES) {
    double row[HY_LANES];
    if (t + AHEAD < w->t_end) __builtin_prefetch(from + AHEAD * stride);
    memcpy(row, from, sizeof row);
    for (size_t k = 0; k < HY_LANES; k++) out[k] = row[k] - row[k] == 0.0 ? row[k] : (double)NAN;
  }
}

hy_status hy__universe_block(const hy_universe *u, int32_t field, size_t block, size_t t_begin,
                             size_t t_end, double *scratch, const double **out, hy_error *err) {
  HY_ASSERT(field >= 0 && (size_t)field < u->info.n_fields && t_begin <= t_end);
  HY_ASSERT(t_end <= u->info.n_bars && block < hy__universe_n_blocks(u->info.n_symbols));
  const hy__plane *p = &u->fields[field];
  const hy__hdf5_window w = block_window(u, block, t_begin, t_end);
  *out = scratch;
  if (t_begin == t_end) return HY_OK;
  const double *piece = (const double *)(const void *)plane_piece(p, block, t_begin, t_end);
  if (piece) {
    bool clean;
    HY_TRY(is_clean(u, &w, piece, &clean, err));
    if (clean) {
      *out = piece;
      return HY_OK;
    }
    memcpy(scratch, piece, (t_end - t_begin) * HY_LANES * sizeof(double));
  } else if (is_matrix(p, &w)) {
    copy_matrix(p, &w, scratch);
    if (!u->has_valid) return HY_OK;
  } else if (p->base) {
    gather(p, &w, scratch);
  } else {
    HY_TRY(hy__hdf5_read(p, &w, scratch, err));
  }
  return clean_up(u, &w, scratch, err);
}

const double *hy__universe_raw(const hy_universe *u, int32_t field, size_t block, size_t t_begin,
                               size_t t_end) {
  const hy__plane *p = &u->fields[field];
  if (p->cell != HY_CELL_F64 || t_begin >= t_end) return NULL;
  return (const double *)(const void *)plane_piece(p, block, t_begin, t_end);
}

const double *hy__universe_strided(const hy_universe *u, int32_t field, size_t block,
                                   size_t t_begin, size_t *stride) {
  const hy__plane *p = &u->fields[field];
  if (p->cell != HY_CELL_F64 || !p->base || p->tile_symbols != u->info.n_symbols ||
      p->tile_bars != u->info.n_bars || (uintptr_t)(p->base + p->offset[0]) % sizeof(double))
    return NULL;
  *stride = p->tile_symbols;
  const double *cells = (const double *)(const void *)(p->base + p->offset[0]);
  return cells + t_begin * p->tile_symbols + block * HY_LANES;
}

/* Without a mask a bar exists where its close (or the only price) is a number. */
static hy_status present_from_field(const hy_universe *u, const hy__hdf5_window *w, uint8_t *mask,
                                    hy_error *err) {
  double scratch[64 * HY_LANES];
  for (size_t t = w->t_begin; t < w->t_end; t += 64) {
    const size_t end = HY_MIN(t + 64, w->t_end);
    const double *cells;
    HY_TRY(hy__universe_block(u, u->presence_field, w->symbol_begin / HY_LANES, t, end, scratch,
                              &cells, err));
    for (size_t r = 0; r < end - t; r++) {
      uint32_t bits = 0;
      for (uint32_t lane = 0; lane < HY_LANES; lane++)
        bits |= (uint32_t)!isnan(cells[r * HY_LANES + lane]) << lane;
      mask[t - w->t_begin + r] = (uint8_t)bits;
    }
  }
  return HY_OK;
}

static hy_status present_from_mask(const hy_universe *u, const hy__hdf5_window *w, uint8_t *mask,
                                   hy_error *err) {
  uint8_t buffer[MASK_ROWS * HY_LANES];
  for (size_t t = w->t_begin; t < w->t_end; t += MASK_ROWS) {
    const hy__hdf5_window part = part_of(w, t);
    const uint8_t *rows;
    HY_TRY(mask_rows(u, &part, buffer, &rows, err));
    for (size_t r = 0; r < part.t_end - t; r++) {
      uint64_t word;
      memcpy(&word, rows + r * HY_LANES, 8);
      mask[t - w->t_begin + r] = row_bits(word);
    }
  }
  return HY_OK;
}

hy_status hy__universe_present(const hy_universe *u, size_t block, size_t t_begin, size_t t_end,
                               uint8_t *mask, bool *all, hy_error *err) {
  const hy__hdf5_window w = block_window(u, block, t_begin, t_end);
  const uint8_t full = (uint8_t)((1u << w.n_symbols) - 1);
  if (u->has_valid)
    HY_TRY(present_from_mask(u, &w, mask, err));
  else if (u->always_present)
    memset(mask, full, t_end - t_begin);
  else
    HY_TRY(present_from_field(u, &w, mask, err));
  uint8_t common = full;
  for (size_t r = 0; r < t_end - t_begin; r++) common &= mask[r];
  *all = common == full;
  return HY_OK;
}

hy_status hy__universe_alloc(hy_runtime *runtime, hy_universe **out, hy_error *err) {
  const hy_allocator *a = hy__runtime_allocator(runtime);
  void *memory;
  HY_TRY(hy__alloc_zero(a, sizeof(hy_universe), &memory, err));
  hy_universe *u = memory;
  u->allocator = a;
  u->info.struct_size = sizeof u->info;
  hy_status status = hy__arena_create(a, 16384, 0, &u->arena, err);
  if (status == HY_OK)
    *out = u;
  else
    hy__free(a, u, sizeof *u);
  return status;
}

hy_status hy__universe_plane(hy_universe *u, hy__cell cell, hy__plane *out, hy_error *err) {
  const size_t n_rows = u->info.n_bars, n_blocks = hy__universe_n_blocks(u->info.n_symbols);
  const size_t cell_bytes = cell == HY_CELL_U8 ? 1 : sizeof(double);
  size_t block_bytes, bytes;
  void *memory;
  HY_FAIL_IF(!hy__mul(n_rows, HY_LANES * cell_bytes, &block_bytes) ||
                 !hy__round_up(block_bytes, HY_ALIGN, &block_bytes) ||
                 !hy__mul(block_bytes, n_blocks, &bytes),
             HY_LIMIT, err, "%zu bars of %zu symbols are too many", n_rows, u->info.n_symbols);
  HY_TRY(hy__arena_array(u->arena, n_blocks, sizeof(size_t), &memory, err));
  size_t *offset = memory;
  for (size_t b = 0; b < n_blocks; b++) offset[b] = b * block_bytes;
  HY_TRY(hy__arena_alloc_raw(u->arena, HY_MAX(bytes, 1), HY_ALIGN, &memory, err));
  *out = (hy__plane){.base = memory,
                     .offset = offset,
                     .tile_bars = HY_MAX(n_rows, 1),
                     .tile_symbols = HY_LANES,
                     .n_tile_columns = n_blocks,
                     .cell = cell};
  return HY_OK;
}

void hy_universe_destroy(hy_universe *u) {
  if (!u) return;
  hy__hdf5_close(u->file);
  hy__map_close(&u->map);
  hy__arena_destroy(u->arena);
  hy__free(u->allocator, u, sizeof *u);
}

/* What both ways of making a universe end with. */
static void settle(hy_universe *u) {
  u->presence_field = hy__universe_field(u, "close");
  if (u->presence_field < 0) u->presence_field = 0;
  u->info.timeframe_ns = 0;
  if (u->info.timeframe[0] &&
      hy__timeframe_parse(u->info.timeframe, &u->info.timeframe_ns, NULL) != HY_OK)
    u->info.timeframe_ns = 0;
}

hy_status hy_universe_open(hy_runtime *runtime, const char *path, hy_universe **out,
                           hy_error *err) {
  HY_FAIL_IF(!runtime || !path || !out, HY_INVALID_ARGUMENT, err,
             "hy_universe_open: runtime, path and out must be given");
  hy_universe *u;
  HY_TRY(hy__universe_alloc(runtime, &u, err));
  hy_status status = hy__hdf5_open(u, path, err);
  if (status != HY_OK) {
    hy__error_subject(err, path);
    hy_universe_destroy(u);
    return status;
  }
  settle(u);
  hy__arena_freeze(u->arena);
  *out = u;
  return HY_OK;
}

static hy_status copy_names(hy__arena *arena, const char *const *names, size_t n,
                            const char *const **out, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(arena, n, sizeof(char *), &memory, err));
  const char **copies = memory;
  for (size_t k = 0; k < n; k++)
    HY_TRY(hy__arena_text(arena, names[k], strlen(names[k]), &copies[k], err));
  *out = copies;
  return HY_OK;
}

/* Also where nothing asks for them yet: a name that says nothing would be found out later,
 * elsewhere.
 */
static hy_status panel_check_names(const hy_panel *p, hy_error *err) {
  const hy__calendar *calendar;
  int64_t timeframe_ns;
  if (p->timeframe && p->timeframe[0])
    HY_TRY(hy__timeframe_parse(p->timeframe, &timeframe_ns, err));
  if (p->zone && p->zone[0]) HY_TRY(hy__zone_check(p->zone, err));
  return p->calendar && p->calendar[0] ? hy__calendar_require(p->calendar, &calendar, err) : HY_OK;
}

static hy_status panel_check(const hy_allocator *a, const hy_panel *p, hy_error *err) {
  size_t n_cells;
  HY_FAIL_IF(
      p->n_bars > HY_UNIVERSE_BARS_MAX || p->n_symbols > HY_UNIVERSE_SYMBOLS_MAX ||
          p->n_fields > HY_UNIVERSE_FIELDS_MAX || !hy__mul(p->n_bars, p->n_symbols, &n_cells),
      HY_LIMIT, err, "a panel of %zu bars, %zu symbols, %zu fields is past the limits (%d, %d, %d)",
      p->n_bars, p->n_symbols, p->n_fields, (int)HY_UNIVERSE_BARS_MAX, (int)HY_UNIVERSE_SYMBOLS_MAX,
      (int)HY_UNIVERSE_FIELDS_MAX);
  HY_FAIL_IF(p->n_bars == 0 || p->n_symbols == 0 || p->n_fields == 0, HY_INVALID_ARGUMENT, err,
             "a panel needs at least one bar, one symbol and one field");
  HY_FAIL_IF(!p->time_ns || !p->symbols || !p->fields || !p->data, HY_INVALID_ARGUMENT, err,
             "a panel needs time_ns, symbols, fields and data");
  for (size_t k = 0; k < p->n_fields; k++)
    HY_FAIL_IF(!p->data[k], HY_INVALID_ARGUMENT, err, "field %zu of the panel has no data", k);
  HY_TRY(hy__universe_check_names(a, "symbol", p->symbols, p->n_symbols, err));
  HY_TRY(hy__universe_check_names(a, "field", p->fields, p->n_fields, err));
  HY_TRY(panel_check_names(p, err));
  return hy__universe_check_time(p->time_ns, p->n_bars, err);
}

static hy__plane whole_plane(const void *data, hy__cell cell, const hy_panel *p) {
  static const size_t zero = 0;
  return (hy__plane){.base = data,
                     .offset = &zero,
                     .tile_bars = p->n_bars,
                     .tile_symbols = p->n_symbols,
                     .n_tile_columns = 1,
                     .cell = cell};
}

static hy_status panel_fill(hy_universe *u, const hy_panel *p, hy_error *err) {
  hy_universe_info *i = &u->info;
  i->n_bars = p->n_bars, i->n_symbols = p->n_symbols, i->n_fields = p->n_fields;
  i->time_ns = p->time_ns;
  i->source = "arrays";
  HY_TRY(copy_names(u->arena, p->symbols, p->n_symbols, &i->symbols, err));
  HY_TRY(copy_names(u->arena, p->fields, p->n_fields, &i->fields, err));
  const char *const texts[3] = {p->timeframe ? p->timeframe : "", p->zone ? p->zone : "UTC",
                                p->calendar ? p->calendar : ""};
  const char *const *copies;
  HY_TRY(copy_names(u->arena, texts, 3, &copies, err));
  i->timeframe = copies[0], i->zone = copies[1], i->calendar = copies[2];
  void *memory;
  HY_TRY(hy__arena_array(u->arena, p->n_fields, sizeof(hy__plane), &memory, err));
  u->fields = memory;
  for (size_t k = 0; k < p->n_fields; k++) u->fields[k] = whole_plane(p->data[k], HY_CELL_F64, p);
  u->has_valid = p->valid != NULL;
  u->always_present = !p->valid;
  if (p->valid) u->valid = whole_plane(p->valid, HY_CELL_U8, p);
  return HY_OK;
}

hy_status hy_universe_from_panel(hy_runtime *runtime, const hy_panel *panel, hy_universe **out,
                                 hy_error *err) {
  HY_FAIL_IF(
      !runtime || !panel || !out || panel->struct_size < sizeof(hy_panel), HY_INVALID_ARGUMENT, err,
      "hy_universe_from_panel: runtime, a panel with its struct_size, and out must be given");
  HY_TRY(panel_check(hy__runtime_allocator(runtime), panel, err));
  hy_universe *u;
  HY_TRY(hy__universe_alloc(runtime, &u, err));
  hy_status status = panel_fill(u, panel, err);
  if (status != HY_OK) {
    hy_universe_destroy(u);
    return status;
  }
  settle(u);
  hy__arena_freeze(u->arena);
  *out = u;
  return HY_OK;
}

void hy_universe_describe(const hy_universe *u, hy_universe_info *info) {
  const size_t caller_bytes = info->struct_size;
  memcpy(info, &u->info, HY_MIN(caller_bytes, sizeof u->info));
  info->struct_size = caller_bytes;
}

/* At most 64 rows of one field to a row-major output. */
static hy_status read_rows(const hy_universe *u, int32_t field, size_t t_begin, size_t t_end,
                           double *out, hy_error *err) {
  double scratch[64 * HY_LANES];
  const size_t n_symbols = u->info.n_symbols;
  for (size_t block = 0; block < hy__universe_n_blocks(n_symbols); block++) {
    const size_t column = block * HY_LANES, n = HY_MIN((size_t)HY_LANES, n_symbols - column);
    const double *cells;
    HY_TRY(hy__universe_block(u, field, block, t_begin, t_end, scratch, &cells, err));
    for (size_t r = 0; r < t_end - t_begin; r++)
      memcpy(out + r * n_symbols + column, cells + r * HY_LANES, n * sizeof(double));
  }
  return HY_OK;
}

hy_status hy_universe_read(const hy_universe *u, const char *field, size_t t_begin, size_t t_end,
                           double *out, hy_error *err) {
  HY_FAIL_IF(!u || !field || !out, HY_INVALID_ARGUMENT, err,
             "hy_universe_read: universe, field and out must be given");
  const int32_t index = hy__universe_field(u, field);
  HY_FAIL_IF(index < 0, HY_NOT_FOUND, err, "the universe has no field \"%s\"", field);
  HY_FAIL_IF(t_begin > t_end || t_end > u->info.n_bars, HY_INVALID_ARGUMENT, err,
             "rows [%zu, %zu) asked of a universe of %zu bars", t_begin, t_end, u->info.n_bars);
  for (size_t t = t_begin; t < t_end; t += 64)
    HY_TRY(read_rows(u, index, t, HY_MIN(t + 64, t_end), out + (t - t_begin) * u->info.n_symbols,
                     err));
  return HY_OK;
}
