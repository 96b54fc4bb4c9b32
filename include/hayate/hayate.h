/* SPDX-License-Identifier: Apache-2.0 */
/* All of hayate's stable public interface. */
#ifndef HAYATE_H
#define HAYATE_H

#include <hayate/adjust.h>
#include <hayate/array.h>
#include <hayate/bench.h>
#include <hayate/feature.h>
#include <hayate/feature_call.h>
#include <hayate/feature_check.h>
#include <hayate/feature_gate.h>
#include <hayate/feature_stream.h>
#include <hayate/feature_window.h>
#include <hayate/inspect.h>
#include <hayate/market.h>
#include <hayate/model.h>
#include <hayate/pack.h>
#include <hayate/runtime.h>
#include <hayate/score.h>
#include <hayate/session.h>
#include <hayate/status.h>
#include <hayate/tick.h>
#include <hayate/version.h>

#endif
