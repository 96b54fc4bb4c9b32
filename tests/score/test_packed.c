/* SPDX-License-Identifier: Apache-2.0
 * Packed pipelines whose sections were changed with their checksums put right: pack.c, packed.c,
 * golden.c, verify.c, inspect.c. Values are checked in tests/cli/test_pack_pipeline.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/engine.h"
#include "score/pipeline.h"
#include "support/failing_allocator.h"

enum { SECTIONS = 32 };

typedef struct place {
  char folder[64], yaml[128], hyp[128], changed[128];
  hy_runtime *runtime;
  hy__arena *arena;
  hy__map map;
  hy__hyp file;
  hy__hyp_section sections[SECTIONS];
} place;

static hy_status nothing(void *ctx, const void *data, size_t bytes, hy_error *err) {
  (void)ctx, (void)data, (void)bytes, (void)err;
  return HY_OK;
}
static const hy_sink silent = {nothing, NULL};

static int make_place(void **state) {
  place *p = calloc(1, sizeof *p);
  char model[4096];
  (void)snprintf(p->folder, sizeof p->folder, "/tmp/hayate_packed_XXXXXX");
  if (!p || !mkdtemp(p->folder) || !realpath("tests/golden/score/linear.onnx", model)) return -1;
  (void)snprintf(p->yaml, sizeof p->yaml, "%s/p.yaml", p->folder);
  (void)snprintf(p->hyp, sizeof p->hyp, "%s/p.hyp", p->folder);
  (void)snprintf(p->changed, sizeof p->changed, "%s/changed.hyp", p->folder);
  FILE *f = fopen(p->yaml, "w");
  if (!f) return -1;
  fprintf(f,
          "pipeline: test\nfeatures: 'r1=logret(close,1); r5=logret(close,5); "
          "range=(high-low)/close'\nmodels: [{name: lin, file: %s, output: 'y[0]'}]\n",
          model);
  fclose(f);
  hy_runtime_options o = {.struct_size = sizeof o,
                          .n_threads = 1,
                          .no_pinning = true,
                          .isa = HY_ISA_SCALAR,
                          .log_level = HY_LOG_OFF};
  *state = p;
  return hy_runtime_create(&o, &p->runtime, NULL) != HY_OK ||
         hy__arena_create(&hy__allocator_libc, 0, 0, &p->arena, NULL) != HY_OK ||
         hy_pipeline_pack(p->runtime, p->yaml, p->hyp, NULL, NULL) != HY_OK ||
         hy__map_open(p->hyp, &p->map, NULL) != HY_OK ||
         hy__hyp_read(p->map.data, p->map.bytes, p->arena, &p->file, NULL) != HY_OK ||
         p->file.n > SECTIONS;
}

static int drop_place(void **state) {
  place *p = *state;
  hy__map_close(&p->map);
  hy__arena_destroy(p->arena);
  hy_runtime_destroy(p->runtime);
  const char *const names[] = {p->yaml, p->hyp, p->changed};
  for (size_t k = 0; k < HY_COUNT(names); k++) (void)unlink(names[k]);
  (void)rmdir(p->folder);
  free(p);
  return 0;
}

/* The file's sections, to be changed, in p->sections. */
static void begin(place *p) {
  memcpy(p->sections, p->file.sections, p->file.n * sizeof *p->sections);
}

static hy__hyp_section *section(place *p, uint32_t kind) {
  for (size_t k = 0; k < p->file.n; k++)
    if (p->sections[k].kind == kind) return &p->sections[k];
  fail();
  return NULL;
}

static void write_changed(place *p, size_t n) {
  assert_int_equal(
      hy__hyp_write(&hy__allocator_libc, p->changed, p->sections, n, p->file.revision, NULL),
      HY_OK);
}

static hy_status open_changed(place *p, hy_error *err) {
  hy_pipeline *pipeline;
  hy_status status = hy_pipeline_open(p->runtime, p->changed, &pipeline, err);
  if (status != HY_OK) return status;
  status = hy_pipeline_inspect(pipeline, false, &silent, err);
  hy_pipeline_destroy(pipeline);
  return status;
}

static hy_status verify_changed(place *p, bool *ok, hy_error *err) {
  return hy_pipeline_verify(p->runtime, p->changed, true, &silent, ok, err);
}

static uint8_t *copied(hy__hyp_section *s) {
  uint8_t *copy = test_malloc(s->bytes + 1);
  memcpy(copy, s->data, s->bytes);
  s->data = copy;
  return copy;
}

static void unchanged_it_is_verified(void **state) {
  place *p = *state;
  bool ok = false;
  begin(p);
  write_changed(p, p->file.n);
  assert_int_equal(open_changed(p, NULL), HY_OK);
  assert_int_equal(verify_changed(p, &ok, NULL), HY_OK);
  assert_true(ok);
}

static void another_answer_is_no(void **state) {
  place *p = *state;
  bool ok = true;
  hy_error err;
  begin(p);
  uint8_t *data = copied(section(p, HY__HYP_GOLDEN_OUT));
  size_t last = section(p, HY__HYP_GOLDEN_OUT)->bytes - sizeof(double);
  data[last] ^= 1; /* the last bit of the last score */
  write_changed(p, p->file.n);
  assert_int_equal(verify_changed(p, &ok, &err), HY_OK);
  assert_false(ok);
  test_free(data);
}

static void other_hashes_are_refused(void **state) {
  place *p = *state;
  bool ok;
  hy_error err;
  begin(p);
  hy__hyp_section *spec = section(p, HY__HYP_SPEC);
  char *data = (char *)copied(spec);
  data[3] = data[3] == '0' ? '1' : '0'; /* of the SHA-256 that it says */
  write_changed(p, p->file.n);
  assert_int_equal(open_changed(p, &err), HY_MISMATCH);
  assert_non_null(strstr(err.message, "is said to have"));
  assert_int_equal(verify_changed(p, &ok, &err), HY_MISMATCH);
  /* Another spec, and its right hash: not what the pipeline's features are. */
  data[spec->bytes - 2] = '0';
  char hex[65];
  hy__sha256_hex(data + 65, spec->bytes - 65, hex);
  memcpy(data, hex, 64);
  write_changed(p, p->file.n);
  assert_int_equal(open_changed(p, &err), HY_MISMATCH);
  assert_non_null(strstr(err.message, "pack it again"));
  for (size_t n = 0; n < 66; n++) { /* cut anywhere */
    spec->bytes = n;
    write_changed(p, p->file.n);
    assert_true(open_changed(p, NULL) != HY_OK);
  }
  test_free(data);
}

static void each_section_is_missed(void **state) {
  place *p = *state;
  for (size_t out = 0; out < p->file.n; out++) {
    bool ok = false;
    begin(p);
    uint32_t kind = p->sections[out].kind;
    p->sections[out] = p->sections[p->file.n - 1];
    write_changed(p, p->file.n - 1);
    hy_status status = verify_changed(p, &ok, NULL);
    bool spare = kind == HY__HYP_PACKS || kind == HY__HYP_CONSTANTS; /* made anew */
    assert_int_equal(status, spare ? HY_OK : HY_BAD_FORMAT);
    assert_int_equal(ok && status == HY_OK, spare);
  }
}

/* Each byte of the golden input's first part (counts, names, types, dims) another one. */
static void golden_arrays_are_trusted_in_nothing(void **state) {
  place *p = *state;
  begin(p);
  uint8_t *data = copied(section(p, HY__HYP_GOLDEN_IN));
  for (size_t k = 0; k < 320; k++) {
    bool ok;
    uint8_t was = data[k];
    data[k] = (uint8_t)(was ^ (k % 2 ? 0x81 : 0x02));
    write_changed(p, p->file.n);
    hy_status status = verify_changed(p, &ok, NULL);
    assert_true(status == HY_OK || status == HY_BAD_FORMAT || status == HY_LIMIT ||
                status == HY_NOT_FOUND || status == HY_NEED_MORE_DATA || status == HY_MISMATCH ||
                status == HY_INVALID_ARGUMENT);
    data[k] = was;
  }
  test_free(data);
}

/* Memory that cannot be had, at each place in turn, on both ways. */
static void memory_runs_out(void **state) {
  place *p = *state;
  failing_allocator fa;
  failing_allocator_init(&fa);
  hy_runtime *runtime = failing_runtime(&fa, 1);
  assert_non_null(runtime);
  size_t before = fa.n_live;
  for (size_t k = 1;; k++) {
    bool ok = false;
    failing_allocator_arm(&fa, k);
    hy_status status = hy_pipeline_pack(runtime, p->yaml, p->changed, NULL, NULL);
    if (status == HY_OK) status = hy_pipeline_verify(runtime, p->changed, true, &silent, &ok, NULL);
    failing_allocator_arm(&fa, 0);
    assert_int_equal(fa.n_live, before);
    if (status == HY_OK) break;
    assert_int_equal(status, HY_OUT_OF_MEMORY);
  }
  hy_runtime_destroy(runtime);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(unchanged_it_is_verified),
                                     cmocka_unit_test(another_answer_is_no),
                                     cmocka_unit_test(other_hashes_are_refused),
                                     cmocka_unit_test(each_section_is_missed),
                                     cmocka_unit_test(golden_arrays_are_trusted_in_nothing),
                                     cmocka_unit_test(memory_runs_out)};
  return cmocka_run_group_tests(tests, make_place, drop_place);
}
