/* SPDX-License-Identifier: Apache-2.0
 * Packing a node's trees into the model's store: first what packing found out, which says how large
 * the forest is, then the forest. Both are there already for a second session or shape. */
#include "op/tree_forest.h"

typedef struct facts {
  hy__forest_size size;
  bool one_target;
  size_t target, n_features;
} facts;

typedef struct packing {
  hy__tree_read read;
  const hy__tree_want *want;
  void *work; /* NULL: not measured here */
  size_t work_bytes;
  const facts *facts;
} packing;

hy_status hy__tree_read_more(hy__tree_read *read, size_t bytes, hy_error *err) {
  const size_t k = read->n_blocks;
  HY_ASSERT(k < HY__TREE_BLOCKS);
  read->bytes[k] = bytes;
  HY_TRY(hy__alloc_brief(read->allocator, &read->bytes[k], &read->memory[k], err));
  read->n_blocks++;
  return HY_OK;
}

void hy__tree_read_free(hy__tree_read *read) {
  while (read->n_blocks) {
    const size_t k = --read->n_blocks;
    hy__free(read->allocator, read->memory[k], read->bytes[k]);
  }
}

static void join_targets(packing *p, facts *f) {
  hy__tree_source *s = &p->read.source;
  f->target = s->n_weights ? s->target[0] : 0;
  f->one_target = p->want->may_join && s->n_targets == 2;
  for (size_t i = 0; i < s->n_weights && f->one_target; ++i)
    f->one_target = s->target[i] == f->target;
  if (!f->one_target) return;
  memset((void *)(uintptr_t)s->target, 0, s->n_weights * sizeof *s->target); /* of this reading */
  s->n_targets = 1;
}

static hy_status measure(packing *p, facts *f, hy_error *err) {
  if (!p->read.n_blocks && !p->read.source.n_nodes) HY_TRY(p->want->reader(&p->read, err));
  join_targets(p, f);
  HY_FAIL_IF(!hy__forest_work_bytes(&p->read.source, &p->work_bytes), HY_LIMIT, err,
             "the forest is too large");
  HY_TRY(hy__alloc_brief(p->read.allocator, &p->work_bytes, &p->work, err));
  f->n_features = p->read.source.n_features;
  return hy__forest_measure(&p->read.source, p->work, &f->size, err);
}

static hy_status fill_facts(void *ctx, void *packed, hy_error *err) {
  return measure(ctx, packed, err);
}

static hy_status fill_forest(void *ctx, void *packed, hy_error *err) {
  packing *p = ctx;
  facts again;
  if (!p->work) HY_TRY(measure(p, &again, err));
  hy__forest_pack(&p->read.source, p->work, &p->facts->size, packed);
  return HY_OK;
}

static hy_status get(hy__op_plan *p, packing *ctx, const void **packed, hy_error *err) {
  const hy__tree_want *want = ctx->want;
  const void *found;
  HY_TRY(hy__pack_get(p->packs, want->key, HY__PACK('t', 'i', want->f64), sizeof(facts), fill_facts,
                      ctx, &found, err));
  ctx->facts = found;
  HY_FAIL_IF(ctx->facts->n_features != want->n_features, HY_MISMATCH, err,
             "the forest was planned for %zu features, and X has %zu", ctx->facts->n_features,
             want->n_features);
  return hy__pack_get(p->packs, want->key, HY__PACK('t', 'e', want->f64), ctx->facts->size.bytes,
                      fill_forest, ctx, packed, err);
}

hy_status hy__tree_forest_get(hy__op_plan *p, const hy__tree_want *want, hy__tree_forest *out,
                              hy_error *err) {
  packing ctx = {.read = {.allocator = hy__runtime_allocator(p->runtime),
                          .node = p->node,
                          .source = {.n_features = want->n_features,
                                     .n_targets = want->n_targets,
                                     .f64 = want->f64}},
                 .want = want};
  const void *packed = NULL;
  hy_status status = get(p, &ctx, &packed, err);
  hy__free(ctx.read.allocator, ctx.work, ctx.work_bytes);
  hy__tree_read_free(&ctx.read);
  HY_TRY(status);
  *out = (hy__tree_forest){packed, ctx.facts->one_target, ctx.facts->target};
  return HY_OK;
}
