/* SPDX-License-Identifier: Apache-2.0 */
/* hy_machine_describe: what this machine offers, read from the processor, /proc and /sys, and what
 * is in the way. A line is sound, a hint (slower than it could be) or a fault. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <hayate/inspect.h>
#include <hayate/version.h>

#include "engine/report.h"

enum { LINES_MAX = 32, TEXT = 256, FILE_BYTES = 1024 };
static const double memory_least = 256e6;

typedef enum weight { SOUND, HINT, FAULT } weight;

typedef struct line {
  const char *name, *advice;
  weight grade;
  char value[TEXT];
} line;

typedef struct findings {
  line lines[LINES_MAX];
  size_t n;
} findings;

/* A line; advice is shown where the grade is not SOUND. */
static void HY_PRINTF(5, 6)
    add(findings *f, weight grade, const char *name, const char *advice, const char *format, ...) {
  if (f->n == LINES_MAX) return;
  line *l = &f->lines[f->n++];
  l->name = name;
  l->advice = grade == SOUND ? NULL : advice;
  l->grade = grade;
  va_list list;
  va_start(list, format);
  (void)vsnprintf(l->value, sizeof l->value, format, list);
  va_end(list);
}

/* The first line of a small file of the system; false where there is none. */
static bool read_line(const char *path, char text[FILE_BYTES]) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t n = read(fd, text, FILE_BYTES - 1);
  (void)close(fd);
  text[n > 0 ? n : 0] = 0;
  text[strcspn(text, "\n")] = 0;
  return n > 0;
}

static bool number_of(const char *text, double *out) {
  return hy__parse_f64(text, text + strlen(text), out) != text;
}

/* "MemAvailable:  123 kB" of /proc/meminfo, in bytes. */
static bool meminfo(const char *key, double *out) {
  char text[1 << 13];
  int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t n = read(fd, text, sizeof text - 1);
  (void)close(fd);
  text[n > 0 ? n : 0] = 0;
  const char *at = strstr(text, key);
  if (!at) return false;
  at += strlen(key);
  while (*at == ' ' || *at == ':') at++;
  if (!number_of(at, out)) return false;
  const char *end = at + strcspn(at, "\n");
  if (end - at > 2 && end[-1] == 'B') *out *= 1024;
  return true;
}

/* --- what is looked at --- */

static void processor(findings *f, const hy_runtime *runtime) {
  hy__cpu cpu;
  char l1[HY_NUMBER_TEXT], l2[HY_NUMBER_TEXT], l3[HY_NUMBER_TEXT];
  hy__cpu_detect(&cpu);
  hy_isa best = hy__cpu_best(cpu.mask), used = hy_runtime_isa(runtime);
  add(f, SOUND, "processor", NULL, "%s (%s), %u usable", cpu.model, cpu.vendor, cpu.n_usable);
  add(f, cpu.mask & HY_CPU_AVX2 ? SOUND : FAULT, "instruction sets",
      "without AVX2 and FMA every kernel is the slow baseline", "%s%s%s%s%s%s%s",
      cpu.mask & HY_CPU_AVX2 ? "avx2" : "none above the baseline",
      cpu.mask & HY_CPU_AVX512 ? " avx512" : "", cpu.mask & HY_CPU_AVX_VNNI ? " avx-vnni" : "",
      cpu.mask & HY_CPU_AVX512_VNNI ? " avx512-vnni" : "",
      cpu.mask & HY_CPU_AVX512_BF16 ? " avx512-bf16" : "",
      cpu.mask & HY_CPU_AVX512_FP16 ? " avx512-fp16" : "", cpu.mask & HY_CPU_AMX ? " amx" : "");
  add(f, used == best ? SOUND : HINT, "instruction set used",
      "HAYATE_ISA or --isa holds it below the machine's best", "%s", hy_isa_name(used));
  (void)hy__format_bytes((double)cpu.l1d_bytes, l1);
  (void)hy__format_bytes((double)cpu.l2_bytes, l2);
  (void)hy__format_bytes((double)cpu.l3_bytes, l3);
  add(f, SOUND, "caches", NULL, "L1 %s, L2 %s a core, L3 %s", l1, l2, l3);
}

/* The control group's own folder, or the root of the hierarchy. */
static void group_path(const char *file, char *path, size_t bytes) {
  char line_text[FILE_BYTES];
  const char *group = "";
  if (read_line("/proc/self/cgroup", line_text) && strncmp(line_text, "0::", 3) == 0)
    group = line_text + 3;
  (void)snprintf(path, bytes, "/sys/fs/cgroup%s/%s", strcmp(group, "/") == 0 ? "" : group, file);
  if (access(path, R_OK) != 0) (void)snprintf(path, bytes, "/sys/fs/cgroup/%s", file);
}

static void processor_limit(findings *f, const hy_runtime *runtime) {
  char path[2 * FILE_BYTES], text[FILE_BYTES];
  double quota, period = 1e5;
  group_path("cpu.max", path, sizeof path);
  if (!read_line(path, text) || !number_of(text, &quota)) {
    add(f, SOUND, "processor limit", NULL, "none");
    return;
  }
  const char *second = strchr(text, ' ');
  if (second) (void)number_of(second + 1, &period);
  double cpus = period > 0 ? quota / period : 0;
  uint32_t usable = hy__runtime_cpu(runtime)->n_usable;
  add(f,
      cpus < 1        ? FAULT
      : cpus < usable ? HINT
                      : SOUND,
      "processor limit",
      "threads beyond the quota are stopped in the middle of a run: --threads at most the quota",
      "%.2f CPUs of the control group, %u usable", cpus, usable);
}

static void memory(findings *f) {
  char path[2 * FILE_BYTES], text[FILE_BYTES], shown[HY_NUMBER_TEXT];
  double available = 0, limit;
  if (meminfo("MemAvailable", &available)) {
    (void)hy__format_bytes(available, shown);
    add(f, available < memory_least ? FAULT : SOUND, "memory available",
        "less than 256 MB is left: large universes and models will not fit", "%s", shown);
  }
  group_path("memory.max", path, sizeof path);
  if (!read_line(path, text) || !number_of(text, &limit)) {
    add(f, SOUND, "memory limit", NULL, "none");
    return;
  }
  (void)hy__format_bytes(limit, shown);
  add(f, limit < memory_least ? FAULT : SOUND, "memory limit",
      "the control group allows less than 256 MB", "%s of the control group", shown);
}

static void pages(findings *f) {
  char text[FILE_BYTES];
  double total = 0;
  if (read_line("/sys/kernel/mm/transparent_hugepage/enabled", text))
    add(f, strstr(text, "[never]") ? HINT : SOUND, "transparent huge pages",
        "madvise spares large models misses of the address cache", "%s", text);
  if (meminfo("HugePages_Total", &total))
    add(f, SOUND, "huge pages set aside", NULL, "%.0f", total);
}

static void clocks(findings *f) {
  char text[FILE_BYTES];
  if (read_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", text))
    add(f, strcmp(text, "performance") == 0 ? SOUND : HINT, "frequency governor",
        "latencies are steadier with `performance`", "%s", text);
  if (read_line("/sys/devices/system/cpu/smt/active", text))
    add(f, text[0] == '1' ? HINT : SOUND, "simultaneous threads",
        "two hardware threads share a core: pin to one of each pair, --threads at most the cores",
        "%s", text[0] == '1' ? "active" : "off");
  if (read_line("/sys/devices/system/clocksource/clocksource0/current_clocksource", text))
    add(f, strcmp(text, "tsc") == 0 || strcmp(text, "kvm-clock") == 0 ? SOUND : HINT, "clock",
        "asking this clock is a system call; measured latencies contain it", "%s", text);
  if (read_line("/sys/devices/system/cpu/isolated", text))
    add(f, SOUND, "isolated CPUs", NULL, "%s", *text ? text : "none");
}

static void zones(findings *f) {
  bool found = access("/usr/share/zoneinfo/America/New_York", R_OK) == 0;
  add(f, found ? SOUND : FAULT, "time zone data",
      "install tzdata: imports with zones other than UTC are refused", "%s",
      found ? "/usr/share/zoneinfo" : "missing");
}

/* --- rendering --- */

static const char *const grades[] = {"ok", "hint", "fault"};

static hy_status render_text(const findings *f, const hy_sink *sink, hy_error *err) {
  for (size_t i = 0; i < f->n; i++) {
    const line *l = &f->lines[i];
    HY_TRY(hy__report_say(sink, err, "%-6s %-24s %s\n", grades[l->grade], l->name, l->value));
    if (l->advice) HY_TRY(hy__report_say(sink, err, "%-31s %s\n", "", l->advice));
  }
  return HY_OK;
}

static hy_status render_json(const findings *f, bool sound, const hy_sink *sink, hy_error *err) {
  hy__json_writer w;
  hy__json_begin(&w, *sink, 0);
  hy__json_object_begin(&w);
  hy__json_member_bool(&w, "ok", sound);
  hy__json_member_text(&w, "version", hy_version());
  hy__json_key(&w, "findings");
  hy__json_array_begin(&w);
  for (size_t i = 0; i < f->n; i++) {
    hy__json_object_begin(&w);
    hy__json_member_text(&w, "name", f->lines[i].name);
    hy__json_member_text(&w, "grade", grades[f->lines[i].grade]);
    hy__json_member_text(&w, "value", f->lines[i].value);
    if (f->lines[i].advice) hy__json_member_text(&w, "advice", f->lines[i].advice);
    hy__json_object_end(&w);
  }
  hy__json_array_end(&w);
  hy__json_object_end(&w);
  return hy__json_end(&w, err);
}

hy_status hy_machine_describe(const hy_runtime *runtime, bool json, const hy_sink *sink,
                              bool *sound, hy_error *err) {
  hy_error_clear(err);
  HY_FAIL_IF(!runtime || !sink || !sound, HY_INVALID_ARGUMENT, err,
             "runtime, sink and sound must not be NULL");
  findings f = {.n = 0};
  processor(&f, runtime);
  processor_limit(&f, runtime);
  memory(&f);
  pages(&f);
  clocks(&f);
  zones(&f);
  *sound = true;
  for (size_t i = 0; i < f.n; i++) *sound = *sound && f.lines[i].grade != FAULT;
  return json ? render_json(&f, *sound, sink, err) : render_text(&f, sink, err);
}
