/* SPDX-License-Identifier: Apache-2.0 */
/* The writer of --json: one object, streamed, with commas and escapes in one place. */
#include <math.h>
#include <stdio.h>

#include "cli/frame.h"

static void write_quoted(FILE *out, const char *text) {
  fputc('"', out);
  for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
    switch (*s) {
    case '"': fputs("\\\"", out); break;
    case '\\': fputs("\\\\", out); break;
    case '\n': fputs("\\n", out); break;
    case '\t': fputs("\\t", out); break;
    case '\r': fputs("\\r", out); break;
    default:
      if (*s < 0x20 || *s == 0x7f)
        fprintf(out, "\\u%04x", *s);
      else
        fputc(*s, out);
    }
  }
  fputc('"', out);
}

static void begin(cli_json *j, const char *key) {
  if (j->any[j->depth]) fputs(", ", j->out);
  j->any[j->depth] = true;
  if (!key) return;
  write_quoted(j->out, key);
  fputs(": ", j->out);
}

static void open_level(cli_json *j, char opener, char closer) {
  fputc(opener, j->out);
  /* Past the depth that any command writes, the levels are flattened rather than overrun. */
  if (j->depth + 1 < CLI_JSON_DEPTH) j->depth++;
  j->any[j->depth] = false;
  j->closer[j->depth] = closer;
}

cli_json cli_json_start(FILE *out) {
  cli_json j = {.out = out, .depth = -1};
  open_level(&j, '{', '}');
  return j;
}

void cli_json_text(cli_json *j, const char *key, const char *value) {
  begin(j, key);
  if (value)
    write_quoted(j->out, value);
  else
    fputs("null", j->out);
}

void cli_json_real(cli_json *j, const char *key, double value) {
  begin(j, key);
  if (!isfinite(value)) {
    fputs("null", j->out);
    return;
  }
  /* The fewest digits that read back as the same double. */
  char text[40];
  double back = 0;
  for (int digits = 15; digits <= 17; digits++) {
    (void)snprintf(text, sizeof text, "%.*g", digits, value);
    if (cli_read_real(text, &back) && back == value) break;
  }
  fputs(text, j->out);
}

void cli_json_count(cli_json *j, const char *key, uint64_t value) {
  begin(j, key);
  fprintf(j->out, "%llu", (unsigned long long)value);
}

void cli_json_integer(cli_json *j, const char *key, int64_t value) {
  begin(j, key);
  fprintf(j->out, "%lld", (long long)value);
}

void cli_json_bool(cli_json *j, const char *key, bool value) {
  begin(j, key);
  fputs(value ? "true" : "false", j->out);
}

void cli_json_object(cli_json *j, const char *key) {
  begin(j, key);
  open_level(j, '{', '}');
}

void cli_json_array(cli_json *j, const char *key) {
  begin(j, key);
  open_level(j, '[', ']');
}

void cli_json_close(cli_json *j) {
  if (j->depth < 0) return;
  fputc(j->closer[j->depth], j->out);
  j->depth--;
}

void cli_json_end(cli_json *j) {
  while (j->depth >= 0) cli_json_close(j);
  fputc('\n', j->out);
  fflush(j->out);
}
