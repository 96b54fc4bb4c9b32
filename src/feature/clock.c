/* SPDX-License-Identifier: Apache-2.0
 * The values of clocks. */
#include "feature/clock.h"

#include <math.h>

static const int64_t ns_per_s = 1000000000;

static const char *const names[HY__CLOCKS] = {"@time",  "@local",   "@bar", "@open",
                                              "@close", "@session", "@next"};

hy__bar_clock hy__bar_clock_of(const char *name) {
  size_t which = 0;
  while (which < HY__CLOCKS && strcmp(names[which], name)) which++;
  return (hy__bar_clock)which;
}

/* The session of a close, the same for every close from there up to the session's own. */
typedef struct held {
  bool found, has_next;
  int64_t from_s, next;
  hy__session session;
} held;

struct hy__clocks {
  const hy_allocator *allocator;
  hy__zone *zone;
  hy__sessions *sessions;
  held held;
};

static bool needs_sessions(hy__bar_clock which) { return which >= HY__CLOCK_OPEN; }

static hy_status open_for(const hy__node *n, const char *zone, const char *calendar, hy__clocks *c,
                          hy_error *err) {
  const hy__bar_clock which = hy__bar_clock_of(n->name);
  HY_FAIL_IF(which == HY__CLOCKS, HY_INTERNAL, err, "no clock %s", n->name);
  if (which == HY__CLOCK_LOCAL && !c->zone) return hy__zone_open(c->allocator, zone, &c->zone, err);
  if (!needs_sessions(which) || c->sessions) return HY_OK;
  if (!calendar || !calendar[0])
    return hy__place_fail(n->place, HY_MISMATCH, err,
                          "sessions are those of the universe's calendar, and it has none");
  return hy__sessions_open(c->allocator, calendar, &c->sessions, err);
}

hy_status hy__clocks_open(const hy_features *f, const char *zone, const char *calendar,
                          hy__clocks **out, hy_error *err) {
  void *memory;
  HY_TRY(hy__alloc_zero(f->allocator, sizeof(hy__clocks), &memory, err));
  hy__clocks *c = memory;
  hy_status status = HY_OK;
  c->allocator = f->allocator;
  for (size_t i = 0; i < f->n_nodes && status == HY_OK; i++)
    if (f->nodes[i].kind == HY__NODE_CLOCK) status = open_for(&f->nodes[i], zone, calendar, c, err);
  if (status == HY_OK)
    *out = c;
  else
    hy__clocks_close(c);
  return status;
}

void hy__clocks_close(hy__clocks *c) {
  if (!c) return;
  hy__zone_close(c->zone);
  hy__sessions_close(c->sessions);
  hy__free(c->allocator, c, sizeof *c);
}

static double seconds(int64_t whole_s, int64_t ns) {
  return (double)whole_s + (double)(ns % ns_per_s) / 1e9;
}

static void find_session(hy__clocks *c, int64_t utc_s) {
  held *h = &c->held;
  if (h->found && utc_s >= h->from_s && utc_s <= h->session.close_s) return;
  *h = (held){.from_s = utc_s};
  h->found = hy__sessions_at(c->sessions, utc_s, &h->session);
}

static double next_session(hy__clocks *c) {
  held *h = &c->held;
  hy__session next = {0};
  if (!h->has_next && !hy__sessions_at(c->sessions, h->session.close_s + 1, &next))
    return (double)NAN;
  if (!h->has_next) h->next = next.days;
  h->has_next = true;
  return (double)h->next;
}

static double session_value(hy__clocks *c, hy__bar_clock which, int64_t utc_s) {
  const held *h = &c->held;
  find_session(c, utc_s);
  if (!h->found) return (double)NAN;
  switch (which) {
  case HY__CLOCK_OPEN: return (double)h->session.open_s;
  case HY__CLOCK_CLOSE: return (double)h->session.close_s;
  case HY__CLOCK_SESSION: return (double)h->session.days;
  default: return next_session(c);
  }
}

void hy__bar_clock_rows(hy__clocks *c, hy__bar_clock which, const int64_t *close_ns, size_t n,
                        double *out) {
  for (size_t i = 0; i < n; i++) {
    const int64_t ns = close_ns[i], whole_s = ns / ns_per_s;
    switch (which) {
    case HY__CLOCK_TIME: out[i] = seconds(whole_s, ns); break;
    case HY__CLOCK_LOCAL:
      out[i] = seconds(whole_s + hy__zone_offset_s(c->zone, whole_s), ns);
      break;
    case HY__CLOCK_BAR: out[i] = 1; break;
    default: out[i] = session_value(c, which, whole_s + (ns % ns_per_s > 0)); break;
    }
  }
}
