/* SPDX-License-Identifier: Apache-2.0
 * A stream as bytes. A head says what it is of and where its timeframes stand, then come the spec's
 * canonical form and the names, and the blocks of 8 symbols: their bars, the steps' states, what
 * slower timeframes last gave and their open bars, and of each ring the rows that later steps read,
 * oldest first; a checksum of all ends it. Little-endian, as every machine that hayate runs on. */
#include "feature/stream/stream.h"

#include <math.h>

enum {
  VERSION = 2, /* 1 had no canonical form, and its first heads no timeframes and no fit */
  CHECK_BYTES = 16,
  BAR_ROWS = 3,
  ROW_BYTES = HY_LANES * 8,
  NAMES_BYTES_MAX = 1 << 28
};

static const char magic[8] = {'H', 'Y', 'S', 'T', 'R', 'E', 'A', 'M'};

typedef struct head {
  char magic[8];
  uint32_t version, names_bytes;
  char spec_sha256[64], fit_sha256[64]; /* the fit's: zeros without one */
  uint64_t
      layout[2]; /* of the hash of what lies where: another where a definition's state changed */
  int64_t time_ns, closed_ns;
  uint64_t n_rows, n_symbols, block_bytes;
  int64_t open_ns[HY__TIMEFRAMES_MAX], last_ns[HY__TIMEFRAMES_MAX];
} head;

typedef struct writer {
  uint8_t *at;
  uint8_t begun; /* lanes of the block and domain */
} writer;

static size_t text_bytes(const char *text) { return strlen(text) + 1; }

static size_t names_bytes(const hy_feature_stream *s) {
  const hy_universe_info *info = &s->info;
  size_t bytes = text_bytes(s->f->canonical) + text_bytes(info->timeframe) +
                 text_bytes(info->zone) + text_bytes(info->calendar);
  for (size_t k = 0; k < info->n_symbols; k++) bytes += text_bytes(info->symbols[k]);
  return (bytes + 7) / 8 * 8;
}

static size_t block_bytes(const hy_feature_stream *s) {
  return s->n_domains * BAR_ROWS * HY_LANES * sizeof(uint64_t) + s->state_doubles * sizeof(double) +
         s->kept_rows * HY_LANES * sizeof(double);
}

static size_t all_bytes(const hy_feature_stream *s) {
  return sizeof(head) + names_bytes(s) + s->n_blocks * block_bytes(s) + CHECK_BYTES;
}

void hy_feature_stream_describe(const hy_feature_stream *s, hy_feature_stream_info *info) {
  const hy_feature_stream_info full = {.struct_size = info->struct_size,
                                       .n_symbols = s->info.n_symbols,
                                       .n_features = s->f->n_features,
                                       .symbols = s->info.symbols,
                                       .time_ns = s->time_ns,
                                       .n_rows = s->n_rows,
                                       .state_bytes = s->memory_bytes,
                                       .snapshot_bytes = all_bytes(s)};
  memcpy(info, &full, HY_MIN(info->struct_size, sizeof full));
}

/* ---- writing ---- */

static void put(writer *w, const void *data, size_t bytes) {
  memcpy(w->at, data, bytes);
  w->at += bytes;
}

/* One form of NaN: its sign and payload differ between instruction sets. */
static inline double kept(double v) { return v == v ? v : (double)NAN; }

/* Rows of a domain. Lanes whose series has not begun hold anything, and are written as `none`. */
static void put_rows(writer *w, const double *from, size_t n_rows, double none) {
  for (size_t i = 0; i < n_rows; i++, w->at += ROW_BYTES) {
    double row[HY_LANES];
    for (size_t k = 0; k < HY_LANES; k++) row[k] = kept(from[i * HY_LANES + k]);
    for (size_t k = 0; w->begun != 0xff && k < HY_LANES; k++)
      if (!(w->begun >> k & 1)) row[k] = none;
    memcpy(w->at, row, ROW_BYTES);
  }
}

static void put_names(writer *w, const hy_feature_stream *s) {
  const hy_universe_info *info = &s->info;
  uint8_t *begin = w->at;
  const char *const texts[4] = {s->f->canonical, info->timeframe, info->zone, info->calendar};
  memset(begin, 0, names_bytes(s));
  for (size_t i = 0; i < HY_COUNT(texts); i++) put(w, texts[i], text_bytes(texts[i]));
  for (size_t k = 0; k < info->n_symbols; k++)
    put(w, info->symbols[k], text_bytes(info->symbols[k]));
  w->at = begin + names_bytes(s);
}

static void put_bars(const hy__stream_bar *bars, writer *w) {
  for (size_t k = 0; k < HY_LANES; k++) put(w, &bars[k].last_ns, 8);
  for (size_t k = 0; k < HY_LANES; k++) put(w, &bars[k].missing, 8);
  for (size_t k = 0; k < HY_LANES; k++) {
    const double close = kept(bars[k].last_close);
    put(w, &close, 8);
  }
}

static void put_block(const hy_feature_stream *s, size_t block, writer *w) {
  const double *base = hy__stream_block(s, block);
  for (uint32_t d = 0; d < s->n_domains; d++)
    put_bars(s->bars + (block * s->n_domains + d) * HY_LANES, w);
  for (size_t i = 0; i < s->n_legs; i++) {
    const hy__stream_leg *leg = &s->legs[i];
    w->begun = hy__stream_begun(s, block, leg->domain);
    put_rows(w, base + leg->state_begin, (leg->state_end - leg->state_begin) / HY_LANES, 0);
  }
  w->begun = 0xff;
  put_rows(w, base + s->leg_states, (s->state_doubles - s->leg_states) / HY_LANES, 0);
  for (size_t i = 0; i < s->f->n_nodes; i++) {
    const hy__ring *r = &s->rings[i];
    if (r->rows == 0 || r->keep == 0) continue;
    w->begun = hy__stream_begun(s, block, r->domain);
    const uint32_t count = s->count[block * s->n_domains + r->domain];
    const double *oldest =
        base + r->at + hy__ring_row(r->rows, count) - (r->keep - 1) * (size_t)HY_LANES;
    for (size_t c = 0; c < r->n_columns; c++)
      put_rows(w, oldest + c * hy__ring_stride(r), r->keep, (double)NAN);
  }
}

static void layout_of(const hy_feature_stream *s, uint64_t out[2]) {
  uint64_t sum[2] = {s->n_domains, s->leg_states * 65536 + s->state_doubles};
  for (size_t i = 0; i < s->f->n_nodes; i++) {
    const hy__ring *r = &s->rings[i];
    const uint64_t row[6] = {sum[0],       sum[1],    r->rows ? r->keep : UINT64_MAX,
                             r->n_columns, r->domain, s->f->nodes[i].state_bytes};
    const hy__hash128 h = hy__hash(row, sizeof row);
    sum[0] = h.low, sum[1] = h.high;
  }
  out[0] = sum[0], out[1] = sum[1];
}

static head head_of(const hy_feature_stream *s) {
  head h = {.version = VERSION,
            .names_bytes = (uint32_t)names_bytes(s),
            .time_ns = s->time_ns,
            .closed_ns = s->closed_ns,
            .n_rows = s->n_rows,
            .n_symbols = s->info.n_symbols,
            .block_bytes = block_bytes(s)};
  for (size_t tf = 0; tf < s->f->n_timeframes; tf++) {
    h.open_ns[tf] = s->frames[tf].open_ns;
    h.last_ns[tf] = s->frames[tf].last_ns;
  }
  memcpy(h.magic, magic, sizeof magic);
  memcpy(h.spec_sha256, s->f->spec_sha256, sizeof h.spec_sha256);
  memcpy(h.fit_sha256, s->f->fit_sha256, sizeof h.fit_sha256);
  layout_of(s, h.layout);
  return h;
}

hy_status hy_feature_stream_snapshot(hy_feature_stream *s, void *data, size_t bytes,
                                     hy_error *err) {
  HY_FAIL_IF(!s || !data, HY_INVALID_ARGUMENT, err, "a stream and room for it must be given");
  const size_t all = all_bytes(s);
  HY_FAIL_IF(bytes < all, HY_INVALID_ARGUMENT, err,
             "the snapshot takes %zu bytes, the room has %zu", all, bytes);
  HY_FAIL_IF(names_bytes(s) > NAMES_BYTES_MAX, HY_LIMIT, err, "the names are too long");
  writer w = {.at = data};
  const head h = head_of(s);
  hy__stream_settle(s);
  put(&w, &h, sizeof h);
  put_names(&w, s);
  for (size_t b = 0; b < s->n_blocks; b++) put_block(s, b, &w);
  const hy__hash128 check = hy__hash(data, all - CHECK_BYTES);
  put(&w, &check.low, 8);
  put(&w, &check.high, 8);
  return HY_OK;
}

/* ---- reading ---- */

typedef struct reader {
  hy_feature_stream *s;
  head head;
  const uint8_t *names, *blocks;
} reader;

static hy_status read_head(reader *r, const uint8_t *data, size_t bytes, hy_error *err) {
  size_t names_end, blocks_bytes, all;
  memcpy(&r->head, data, HY_MIN(bytes, sizeof(head)));
  HY_FAIL_IF(bytes < sizeof magic || memcmp(r->head.magic, magic, sizeof magic) != 0, HY_BAD_FORMAT,
             err, "this is no snapshot of a stream");
  HY_FAIL_IF(bytes >= sizeof magic + 4 && r->head.version != VERSION, HY_BAD_FORMAT, err,
             "a snapshot of version %u; this hayate reads %d", r->head.version, VERSION);
  HY_FAIL_IF(bytes < sizeof(head) + CHECK_BYTES, HY_BAD_FORMAT, err,
             "the snapshot is cut short: at least %zu bytes are wanted, %zu are there",
             sizeof(head) + CHECK_BYTES, bytes);
  const size_t n_blocks = r->head.n_symbols / HY_LANES + (r->head.n_symbols % HY_LANES != 0);
  const bool fits = hy__add(sizeof(head), r->head.names_bytes, &names_end) &&
                    hy__mul(n_blocks, r->head.block_bytes, &blocks_bytes) &&
                    hy__add(names_end + CHECK_BYTES, blocks_bytes, &all);
  HY_FAIL_IF(!fits || all != bytes, HY_BAD_FORMAT, err,
             "the snapshot is cut short or has more than it says: %zu bytes", bytes);
  const hy__hash128 check = hy__hash(data, bytes - CHECK_BYTES);
  HY_FAIL_IF(memcmp(data + bytes - CHECK_BYTES, &check.low, 8) != 0 ||
                 memcmp(data + bytes - 8, &check.high, 8) != 0,
             HY_BAD_FORMAT, err, "the snapshot's checksum does not fit: its bytes have changed");
  r->names = data + sizeof(head);
  r->blocks = data + names_end;
  return HY_OK;
}

static hy_status same_text(const char *what, const char *ours, const char *theirs, hy_error *err) {
  HY_FAIL_IF(strcmp(ours, theirs) != 0, HY_MISMATCH, err,
             "the snapshot's %s is %.60s, the stream's %.60s", what, theirs[0] ? theirs : "none",
             ours[0] ? ours : "none");
  return HY_OK;
}

/* The text at *at, if it ends within the names. */
static hy_status next_name(const reader *r, const uint8_t **at, const char **out, hy_error *err) {
  const uint8_t *end = memchr(*at, 0, (size_t)(r->blocks - *at));
  HY_FAIL_IF(!end, HY_BAD_FORMAT, err, "the snapshot's names do not end");
  *out = (const char *)*at;
  *at = end + 1;
  return HY_OK;
}

static hy_status check_spec(const reader *r, const char *theirs, hy_error *err) {
  const hy_feature_stream *s = r->s;
  char difference[HY__DIFFERENCE_BYTES];
  if (memcmp(r->head.spec_sha256, s->f->spec_sha256, sizeof r->head.spec_sha256) == 0) return HY_OK;
  hy__canonical_difference(s->f->canonical, theirs, difference);
  HY_FAIL(HY_MISMATCH, err, "the snapshot is of the spec %.12s..., the stream of %.12s...: %s",
          r->head.spec_sha256, s->f->spec_sha256, difference);
}

static hy_status check_head(const reader *r, const uint8_t **symbols, hy_error *err) {
  const hy_feature_stream *s = r->s;
  uint64_t layout[2];
  const char *texts[4];
  *symbols = r->names;
  for (size_t i = 0; i < HY_COUNT(texts); i++) HY_TRY(next_name(r, symbols, &texts[i], err));
  HY_TRY(check_spec(r, texts[0], err));
  HY_FAIL_IF(memcmp(r->head.fit_sha256, s->f->fit_sha256, sizeof r->head.fit_sha256) != 0,
             HY_MISMATCH, err, "the snapshot is of the fit %.12s..., the stream of %.12s...",
             r->head.fit_sha256, s->f->fit_sha256);
  layout_of(s, layout);
  HY_FAIL_IF(memcmp(layout, r->head.layout, sizeof layout) != 0 ||
                 r->head.block_bytes != block_bytes(s),
             HY_MISMATCH, err,
             "the snapshot's definitions keep another state: it is of another version of hayate");
  HY_TRY(same_text("timeframe", s->info.timeframe, texts[1], err));
  HY_TRY(same_text("zone", s->info.zone, texts[2], err));
  return same_text("calendar", s->info.calendar, texts[3], err);
}

/* ---- putting back ---- */

/* From a lane of the snapshot's block to one of the stream's, or all lanes at once. */
typedef struct route {
  const uint8_t *at; /* the next row of the snapshot */
  size_t from, to;   /* lanes; ALL: every lane to its own */
} route;

enum { ALL = HY_LANES };

static void take_row(const route *way, const uint8_t *from, void *row) {
  uint8_t *to = row;
  if (way->to == ALL)
    memcpy(to, from, ROW_BYTES);
  else
    memcpy(to + way->to * 8, from + way->from * 8, 8);
}

static void take_bars(route *way, hy__stream_bar *bars) {
  const size_t begin = way->to == ALL ? 0 : way->to, end = way->to == ALL ? HY_LANES : begin + 1;
  for (size_t k = begin; k < end; k++) {
    const uint8_t *from = way->at + (way->to == ALL ? k : way->from) * 8;
    memcpy(&bars[k].last_ns, from, 8);
    memcpy(&bars[k].missing, from + ROW_BYTES, 8);
    memcpy(&bars[k].last_close, from + 2 * ROW_BYTES, 8);
  }
  way->at += BAR_ROWS * ROW_BYTES;
}

/* The rows of one column, oldest first, into a ring that has counted 0 rows. */
static void take_column(route *way, double *column, const hy__ring *r) {
  for (uint32_t ago = r->keep; ago-- > 0; way->at += ROW_BYTES) {
    double *row = column + ((0u - ago) & (r->rows - 1)) * (size_t)HY_LANES;
    take_row(way, way->at, row);
    take_row(way, way->at, row + r->rows * (size_t)HY_LANES);
  }
}

static void take_block(hy_feature_stream *s, size_t block, route way) {
  double *base = hy__stream_block(s, block);
  for (uint32_t d = 0; d < s->n_domains; d++)
    take_bars(&way, s->bars + (block * s->n_domains + d) * HY_LANES);
  for (size_t i = 0; i < s->state_doubles; i += HY_LANES, way.at += ROW_BYTES)
    take_row(&way, way.at, base + i);
  for (size_t i = 0; i < s->f->n_nodes; i++) {
    const hy__ring *r = &s->rings[i];
    for (size_t c = 0; r->rows && r->keep && c < r->n_columns; c++)
      take_column(&way, base + r->at + c * hy__ring_stride(r), r);
  }
}

/* ---- whose state is whose ---- */

static bool same_order(const reader *r, const uint8_t *at) {
  if (r->head.n_symbols != r->s->info.n_symbols) return false;
  for (size_t k = 0; k < r->s->info.n_symbols; k++) {
    const size_t bytes = text_bytes(r->s->info.symbols[k]);
    if ((size_t)(r->blocks - at) < bytes || memcmp(at, r->s->info.symbols[k], bytes) != 0)
      return false;
    at += bytes;
  }
  return true;
}

/* The stream's symbols by name: open addressing, index + 1. */
typedef struct names {
  uint32_t *slots;
  size_t n_slots;
} names;

static void add_name(const hy_feature_stream *s, const names *n, size_t symbol) {
  const char *text = s->info.symbols[symbol];
  size_t at = hy__hash64(text, strlen(text), 0) & (n->n_slots - 1);
  while (n->slots[at]) at = (at + 1) & (n->n_slots - 1);
  n->slots[at] = (uint32_t)symbol + 1;
}

static bool find_name(const hy_feature_stream *s, const names *n, const char *text, size_t *out) {
  size_t at = hy__hash64(text, strlen(text), 0) & (n->n_slots - 1);
  for (; n->slots[at]; at = (at + 1) & (n->n_slots - 1)) {
    *out = n->slots[at] - 1;
    if (!strcmp(s->info.symbols[*out], text)) return true;
  }
  return false;
}

static route way_of(const reader *r, size_t index, size_t from, size_t to) {
  return (route){r->blocks + index / HY_LANES * r->head.block_bytes, from, to};
}

/* [symbol of the snapshot]: the stream's + 1, or 0. Read whole before anything is changed. */
static hy_status find_symbols(const reader *r, const uint8_t *at, const names *n, uint32_t *to,
                              hy_error *err) {
  for (size_t k = 0; k < r->s->info.n_symbols; k++) add_name(r->s, n, k);
  for (size_t k = 0; k < r->head.n_symbols; k++) {
    const char *text;
    size_t symbol = 0;
    HY_TRY(next_name(r, &at, &text, err));
    to[k] = find_name(r->s, n, text, &symbol) ? (uint32_t)symbol + 1 : 0;
  }
  return HY_OK;
}

static hy_status restore_by_name(const reader *r, const uint8_t *symbols, hy_error *err) {
  hy_feature_stream *s = r->s;
  names n = {.n_slots = 16};
  void *memory[2] = {NULL};
  const size_t n_theirs = r->head.n_symbols;
  while (n.n_slots < 2 * s->info.n_symbols) n.n_slots *= 2;
  HY_TRY(hy__alloc_zero(s->allocator, n.n_slots * sizeof(uint32_t), &memory[0], err));
  n.slots = memory[0];
  hy_status status = hy__alloc_array(s->allocator, n_theirs, sizeof(uint32_t), &memory[1], err);
  uint32_t *to = memory[1];
  if (status == HY_OK) status = find_symbols(r, symbols, &n, to, err);
  if (status == HY_OK) hy__stream_begin(s);
  for (size_t k = 0; status == HY_OK && k < n_theirs; k++)
    if (to[k])
      take_block(s, (to[k] - 1) / HY_LANES, way_of(r, k, k % HY_LANES, (to[k] - 1) % HY_LANES));
  hy__free(s->allocator, memory[1], n_theirs * sizeof(uint32_t));
  hy__free(s->allocator, memory[0], n.n_slots * sizeof(uint32_t));
  return status;
}

hy_status hy_feature_stream_restore(hy_feature_stream *s, const void *data, size_t bytes,
                                    hy_error *err) {
  HY_FAIL_IF(!s || !data, HY_INVALID_ARGUMENT, err, "a stream and a snapshot must be given");
  reader r = {.s = s};
  const uint8_t *symbols;
  HY_TRY(read_head(&r, data, bytes, err));
  HY_TRY(check_head(&r, &symbols, err));
  if (same_order(&r, symbols)) {
    hy__stream_begin(s);
    for (size_t b = 0; b < s->n_blocks; b++) take_block(s, b, way_of(&r, b * HY_LANES, ALL, ALL));
  } else {
    HY_TRY(restore_by_name(&r, symbols, err));
  }
  for (size_t tf = 0; tf < s->f->n_timeframes; tf++) {
    s->frames[tf].open_ns = r.head.open_ns[tf];
    s->frames[tf].last_ns = r.head.last_ns[tf];
  }
  s->time_ns = r.head.time_ns;
  s->closed_ns = r.head.closed_ns;
  s->n_rows = r.head.n_rows;
  return HY_OK;
}

hy_status hy__stream_merge(hy_feature_stream *s, const void *all, const void *some,
                           const uint8_t *which, hy_error *err) {
  reader r = {.s = s};
  const size_t bytes = all_bytes(s);
  HY_TRY(read_head(&r, some, bytes, err));
  HY_TRY(hy_feature_stream_restore(s, all, bytes, err));
  for (size_t k = 0; k < s->info.n_symbols; k++)
    if (which[k]) take_block(s, k / HY_LANES, way_of(&r, k, k % HY_LANES, k % HY_LANES));
  return HY_OK;
}
