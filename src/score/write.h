/* SPDX-License-Identifier: Apache-2.0
 * The files of `score --out DIR`, each written to a sink; folder.c gives them names. */
#ifndef HY_SCORE_WRITE_H
#define HY_SCORE_WRITE_H

#include "score/result.h"

HY_CHECKED hy_status hy__write_scores(const hy_score_result *r, const hy_sink *sink, hy_error *err);
HY_CHECKED hy_status hy__write_daily(const hy_score_result *r, const hy_sink *sink, hy_error *err);
HY_CHECKED hy_status hy__write_evaluation(const hy_score_result *r, const hy_sink *sink,
                                          hy_error *err);
HY_CHECKED hy_status hy__write_run(const hy_score_result *r, const hy_sink *sink, hy_error *err);
HY_CHECKED hy_status hy__write_report(const hy_score_result *r, const hy_sink *sink, hy_error *err);
/* scores.npz: score and each model's panel [time, symbol] f8, rank i4, flag u1, time i8, symbol. */
HY_CHECKED hy_status hy__write_npz(const hy_score_result *r, const char *path, hy_error *err);

#endif
