/* SPDX-License-Identifier: Apache-2.0
 * One operator by itself: its row is looked up, its outputs inferred, its step made and run, with
 * every input in memory between guard pages. */
#ifndef TESTS_OP_ONE_OP_H
#define TESTS_OP_ONE_OP_H

#include "kernel/guard.h"
#include "op/op.h"

enum { ONE_OP_MAX = 10, ONE_OP_ATTRS = 24 };

typedef struct one_op {
  hy_runtime *runtime;
  hy__arena *arena;
  hy__kernels kernels;
  hy__packs packs;
  hy__node node;
  hy__attr attrs[ONE_OP_ATTRS];
  hy_tensor in[ONE_OP_MAX], known[ONE_OP_MAX], out[ONE_OP_MAX];
  bool present[ONE_OP_MAX], wanted[ONE_OP_MAX];
  guard guards[2 * ONE_OP_MAX + 1];
  size_t n_guards, n_in, n_out;
  hy_error err;
} one_op;

static inline void one_op_begin(one_op *o, const char *domain, const char *name, int32_t version) {
  memset(o, 0, sizeof *o);
  hy_runtime_options options = {.struct_size = sizeof options, .n_threads = 1};
  assert_int_equal(hy_runtime_create(&options, &o->runtime, NULL), HY_OK);
  assert_int_equal(hy__arena_create(hy__runtime_allocator(o->runtime), 0, 0, &o->arena, NULL),
                   HY_OK);
  hy__kernels_for(hy__runtime_cpu(o->runtime)->mask, &o->kernels);
  o->packs.arena = o->arena;
  o->node = (hy__node){
      .name = "n", .domain = domain, .op_type = name, .version = version, .attrs = o->attrs};
}

/* scalar, then the levels above it; false where the machine lacks the level. */
static inline bool one_op_level(one_op *o, int level) {
#if defined(__aarch64__)
  static const hy_isa isas[] = {HY_ISA_SCALAR, HY_ISA_NEON, HY_ISA_AMX};
#else
  static const hy_isa isas[] = {HY_ISA_SCALAR, HY_ISA_AVX2, HY_ISA_AVX512};
#endif
  hy__cpu cpu;
  hy__cpu_detect(&cpu);
  hy__kernels_for(hy__cpu_limit(cpu.mask, isas[level]) | HY_CPU_UNPROVEN, &o->kernels);
  return hy__cpu_has(cpu.mask, isas[level]);
}

static inline hy__attr *one_op_attr(one_op *o, const char *name, hy__attr_kind kind) {
  hy__attr *a = &o->attrs[o->node.n_attrs++];
  *a = (hy__attr){.name = name, .kind = kind};
  return a;
}

static inline void one_op_int(one_op *o, const char *name, int64_t v) {
  one_op_attr(o, name, HY__ATTR_INT)->as.i = v;
}
static inline void one_op_float(one_op *o, const char *name, float v) {
  one_op_attr(o, name, HY__ATTR_FLOAT)->as.f = v;
}
static inline hy_string one_op_text(const char *v) { return (hy_string){v, strlen(v)}; }
static inline void one_op_string(one_op *o, const char *name, const char *v) {
  one_op_attr(o, name, HY__ATTR_STRING)->as.s = one_op_text(v);
}
static inline void one_op_ints(one_op *o, const char *name, const int64_t *v, size_t n) {
  hy__attr *a = one_op_attr(o, name, HY__ATTR_INTS);
  a->as.ints = v;
  a->n = n;
}
static inline void one_op_floats(one_op *o, const char *name, const float *v, size_t n) {
  hy__attr *a = one_op_attr(o, name, HY__ATTR_FLOATS);
  a->as.floats = v;
  a->n = n;
}
static inline void one_op_strings(one_op *o, const char *name, const hy_string *v, size_t n) {
  hy__attr *a = one_op_attr(o, name, HY__ATTR_STRINGS);
  a->as.strings = v;
  a->n = n;
}

/* Input k with memory of its own; known: planning sees its elements. Returns the memory. */
static inline void *one_op_in(one_op *o, hy_dtype dtype, int32_t rank, const int64_t *dims,
                              bool known) {
  size_t k = o->n_in++, bytes;
  hy_tensor *t = &o->in[k];
  *t = (hy_tensor){.dtype = dtype, .rank = rank};
  for (int32_t i = 0; i < rank; ++i) t->dims[i] = dims[i];
  assert_true(hy__shape_bytes(t->dims, rank, hy_dtype_bytes(dtype), &bytes));
  guard g = guard_make(bytes, true);
  o->guards[o->n_guards++] = g;
  t->data = g.data;
  o->known[k] = *t;
  if (!known) o->known[k].data = NULL;
  o->present[k] = true;
  return g.data;
}

static inline void one_op_absent(one_op *o) { o->n_in++; }

/* Infers, lowers and runs n_out outputs, of which `wanted` has a bit each. */
static inline hy_status one_op_run(one_op *o, size_t n_out, unsigned wanted) {
  bool other;
  const hy__op *op = hy__op_find(o->node.domain, o->node.op_type, o->node.version, &other);
  assert_non_null(op);
  int32_t alias[ONE_OP_MAX];
  uint32_t inplace[ONE_OP_MAX] = {0};
  for (size_t i = 0; i < ONE_OP_MAX; ++i) {
    alias[i] = -1;
    o->wanted[i] = wanted >> i & 1;
    o->out[i] = (hy_tensor){0};
  }
  o->n_out = n_out;
  hy__op_plan plan = {.node = &o->node,
                      .in = o->known,
                      .in_present = o->present,
                      .n_in = o->n_in,
                      .n_out = n_out,
                      .out = o->out,
                      .out_alias = alias,
                      .out_inplace = inplace,
                      .out_wanted = o->wanted,
                      .arena = o->arena,
                      .packs = &o->packs,
                      .kernels = &o->kernels,
                      .runtime = o->runtime};
  HY_TRY(op->infer(&plan, &o->err));
  HY_TRY(op->lower(&plan, &o->err));
  for (size_t i = 0; i < n_out; ++i) {
    size_t bytes;
    if (!o->wanted[i]) continue;
    assert_true(
        hy__shape_bytes(o->out[i].dims, o->out[i].rank, hy_dtype_bytes(o->out[i].dtype), &bytes));
    guard g = guard_make(bytes, true);
    memset(g.data, 0xa5, bytes);
    o->guards[o->n_guards++] = g;
    o->out[i].data = g.data;
  }
  guard scratch = guard_make((plan.scratch_bytes + 63) / 64 * 64, true);
  memset(scratch.data, 0xff, scratch.bytes);
  o->guards[o->n_guards++] = scratch;
  hy__step step = {.run = plan.run,
                   .params = plan.params,
                   .in = o->in,
                   .out = o->out,
                   .n_in = o->n_in,
                   .n_out = n_out,
                   .scratch = scratch.data,
                   .kernels = &o->kernels};
  return plan.run(&step, &o->err);
}

/* Frees outputs and scratch alone, so that the operator can run once more. */
static inline void one_op_again(one_op *o) {
  while (o->n_guards > 0 && o->n_guards > 0) {
    guard *g = &o->guards[o->n_guards - 1];
    bool is_input = false;
    for (size_t k = 0; k < o->n_in; ++k) is_input |= o->in[k].data == g->data;
    if (is_input) break;
    guard_free(g);
    o->n_guards--;
  }
}

static inline void one_op_end(one_op *o) {
  for (size_t i = 0; i < o->n_guards; ++i) guard_free(&o->guards[i]);
  hy__arena_destroy(o->arena);
  hy_runtime_destroy(o->runtime);
}

#endif
