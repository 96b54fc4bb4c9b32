/* SPDX-License-Identifier: Apache-2.0
 * What this room puts into .hyp containers and takes out: packed weights, golden arrays. */
#ifndef HY_ENGINE_PACKED_H
#define HY_ENGINE_PACKED_H

#include <stdlib.h>

#include "codec/codec.h"
#include "engine/engine.h"
#include "engine/plan.h"

enum { HY__PACKED_ENTRY = 32 };

/* The session's packed weights as a section's bytes, in `arena`; the caller sets isa and names. */
HY_CHECKED hy_status hy__packed_section(const hy_session *session, hy__arena *arena,
                                        hy__hyp_section *out, hy_error *err);

#endif
