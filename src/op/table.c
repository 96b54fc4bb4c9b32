/* SPDX-License-Identifier: Apache-2.0 */
/* The operator table of op.inc and the look-up by domain, name and opset version. */
#include "op/rule.h"

static const hy__op ops[] = {
#define HY_OP(domain, name, since, until, in_min, in_max, out_min, out_max, types, file, pure)     \
  {domain,                                                                                         \
   name,                                                                                           \
   since,                                                                                          \
   until,                                                                                          \
   in_min,                                                                                         \
   in_max,                                                                                         \
   out_min,                                                                                        \
   out_max,                                                                                        \
   types,                                                                                          \
   hy__op_##file##_infer,                                                                          \
   hy__op_##file##_lower,                                                                          \
   pure},
#include "op/op.inc"
#undef HY_OP
};

size_t hy__op_count(void) { return HY_COUNT(ops); }

const hy__op *hy__op_at(size_t index) { return &ops[index]; }

const hy__op *hy__op_find(const char *domain, const char *name, int32_t version,
                          bool *other_version) {
  bool other = false;
  const hy__op *found = NULL;
  for (size_t i = 0; i < HY_COUNT(ops) && !found; i++) {
    const hy__op *op = &ops[i];
    if (strcmp(op->name, name) != 0 || strcmp(op->domain, domain) != 0) continue;
    if (version >= op->since && (!op->until || version <= op->until))
      found = op;
    else
      other = true;
  }
  if (other_version) *other_version = other && !found;
  return found;
}
