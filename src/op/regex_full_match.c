/* SPDX-License-Identifier: Apache-2.0 */
/* RegexFullMatch: which texts a pattern matches from end to end. */
#include "op/regex.h"
#include "op/rule.h"

hy_status hy__op_regex_full_match_infer(hy__op_plan *p, hy_error *err) {
  HY_TRY(hy__op_out_like(p, 0, &p->in[0], err));
  return hy__op_out(p, 0, HY_BOOL, p->in[0].rank, p->in[0].dims, err);
}

static hy_status run(const hy__step *s, hy_error *err) {
  (void)err;
  const hy_string *texts = s->in[0].data;
  const size_t n = hy__op_count_of(&s->in[0]);
  for (size_t i = 0; i < n; i++)
    ((uint8_t *)s->out[0].data)[i] = hy__regex_matches(s->params, texts[i], s->scratch);
  return HY_OK;
}

hy_status hy__op_regex_full_match_lower(hy__op_plan *p, hy_error *err) {
  const hy__regex *regex;
  HY_FAIL_IF(!hy__node_attr(p->node, "pattern"), HY_BAD_FORMAT, err, "pattern is missing");
  HY_TRY(hy__regex_compile(p->arena, hy__node_string(p->node, "pattern", ""), &regex, err));
  p->params = (void *)(uintptr_t)regex;
  p->scratch_bytes = hy__regex_scratch_bytes(regex);
  p->run = run;
  return HY_OK;
}
