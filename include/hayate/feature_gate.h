/* SPDX-License-Identifier: Apache-2.0 */
/* Bars of many symbols, each when it comes, made into the rows that a feature stream takes. */
#ifndef HAYATE_FEATURE_GATE_H
#define HAYATE_FEATURE_GATE_H

#include <stdbool.h>

#include <hayate/adjust.h>
#include <hayate/feature_stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Single-writer: one thread at a time. All memory is taken when it is made; push, advance, close
 * and next allocate nothing. Time is the caller's: the gate reads no clock. */
typedef struct hy_feature_gate hy_feature_gate;

/* When a row of bars goes to the stream. A symbol has reported for a row when it has a bar in it or
 * in a later one. A row that goes takes the earlier ones along, oldest first. */
typedef enum hy_barrier {
  HY_BARRIER_ALL = 0,      /* all expected symbols have reported */
  HY_BARRIER_DEADLINE = 1, /* the same, or the deadline has passed */
  HY_BARRIER_QUORUM = 2 /* a share of the expected symbols has reported; or the deadline, if any */
} hy_barrier;

/* What becomes of a bar of a row that has gone. */
typedef enum hy_late_policy {
  HY_LATE_REJECT = 0, /* refused: LATE */
  HY_LATE_REPLAY = 1  /* taken: the rows from there on are computed and given again */
} hy_late_policy;

typedef struct hy_feature_gate_options {
  size_t struct_size;
  hy_barrier barrier;
  hy_late_policy late;
  int64_t deadline_ns;      /* after the bars' close; 0 with QUORUM: none */
  bool deadline_from_first; /* after the row's first bar came, by advance's clock */
  double quorum;            /* (0, 1], QUORUM only */
  const uint8_t *expected;  /* [n_symbols], 0: not waited for; NULL: all are */
  size_t n_waiting;         /* rows that may wait; 0: 64, at most 65536 */
  /* Neither changes a value, but n_kept where there are actions (below). Rows that have gone are
   * kept: repeated bars are known by them, and REPLAY goes back as far. Every checkpoint_rows a
   * snapshot is taken, so that a correction computes at most so many rows before its own again. */
  size_t n_kept;          /* 0: 256, at most 1048576 */
  size_t checkpoint_rows; /* 0: 64 */
  /* Corporate actions; the table must outlive the gate. With the first row behind an action its
   * symbol begins anew from the n_kept rows before it, adjusted as hy_universe_adjust does at that
   * time, so that n_kept is how much history its next values have; the other symbols go on. Bars
   * come as they were traded. NULL: none. */
  const hy_actions *actions;
} hy_feature_gate_options;

/* The stream must outlive the gate; while the gate lives, others may only peek at it and describe
 * it. Errors: INVALID_ARGUMENT, NOT_FOUND (a dividend, and the stream has no field close), LIMIT,
 * OUT_OF_MEMORY. */
HY_API HY_CHECKED hy_status hy_feature_gate_create(hy_feature_stream *stream,
                                                   const hy_feature_gate_options *options,
                                                   hy_feature_gate **out, hy_error *err);
HY_API void hy_feature_gate_destroy(hy_feature_gate *gate);

/* A closed bar: fields in the stream's order, [n_fields]. Then ask for rows by
 * hy_feature_gate_next. The same bar again is dropped and counted. Another bar of the same symbol
 * and time is a correction: it takes the other's place, in a row that has gone by REPLAY alone. A
 * refused bar is counted and changes nothing. Errors: INVALID_ARGUMENT (no such symbol); BAD_FORMAT
 * (open, high, low or close not finite, another field infinite, high < low); LATE (its row has
 * gone, and REJECT or not kept any more); LIMIT (too many rows wait). They name the symbol. */
HY_API HY_CHECKED hy_status hy_feature_gate_push(hy_feature_gate *gate, size_t symbol,
                                                 int64_t time_ns, const double *fields,
                                                 hy_error *err);
/* The caller's clock, which deadlines are held against. Errors: LATE (before the last one). */
HY_API HY_CHECKED hy_status hy_feature_gate_advance(hy_feature_gate *gate, int64_t now_ns,
                                                    hy_error *err);
/* No bar that closes by time_ns comes any more: rows until then go whatever they lack. */
HY_API HY_CHECKED hy_status hy_feature_gate_close(hy_feature_gate *gate, int64_t time_ns,
                                                  hy_error *err);
/* Which symbols are waited for from now on, [n_symbols]; NULL: all. */
HY_API HY_CHECKED hy_status hy_feature_gate_expect(hy_feature_gate *gate, const uint8_t *expected,
                                                   hy_error *err);

/* A row that has gone through. Pointers live until the gate's next call. */
typedef struct hy_gate_row {
  size_t struct_size;
  int64_t time_ns;
  uint32_t revision;     /* 0 for a row in its turn; 1, 2 ... each time that a correction or a
                          * late bar gives it again, or for the first time behind later rows */
  size_t n_bars;         /* symbols with a bar */
  size_t n_missing;      /* expected symbols without one */
  const size_t *missing; /* [n_missing], ascending */
  const double *values;  /* [n_symbols, n_features], as hy_feature_stream_update gives them */
  const uint8_t *valid;  /* the same shape */
} hy_gate_row;

/* The next row that may go, oldest first; *has is false where none may. Call it until then after
 * each push, advance and close. After a correction the rows from its own on come again, with the
 * next revision, before any new one. Errors: BAD_FORMAT (a dividend that is not below the close
 * before it: the row does not go). */
HY_API HY_CHECKED hy_status hy_feature_gate_next(hy_feature_gate *gate, hy_gate_row *row, bool *has,
                                                 hy_error *err);

typedef struct hy_feature_gate_info {
  size_t struct_size;
  int64_t time_ns;        /* of the last row that has gone, or what the stream had closed before */
  size_t n_waiting;       /* rows */
  size_t n_kept;          /* rows */
  size_t memory_bytes;    /* without the stream's */
  uint64_t n_bars;        /* taken */
  uint64_t n_corrections; /* of them, in the place of another */
  uint64_t n_replayed;    /* of them, of rows that had gone */
  uint64_t n_duplicates;  /* dropped */
  uint64_t n_late, n_bad; /* refused */
  uint64_t n_rows;        /* given the first time */
  uint64_t n_revisions;   /* rows given again */
} hy_feature_gate_info;
HY_API void hy_feature_gate_describe(const hy_feature_gate *gate, hy_feature_gate_info *info);

#ifdef __cplusplus
}
#endif
#endif
