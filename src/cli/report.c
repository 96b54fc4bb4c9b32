/* SPDX-License-Identifier: Apache-2.0 */
/* What a command says: errors for people and machines, notes, the runtime's making. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/frame.h"

int cli_fail(const cli_context *cli, const hy_error *err) {
  char text[1024];
  (void)hy_error_format(err, text, sizeof text);
  fflush(stdout);
  fprintf(stderr, "hayate: %s\n", text);
  hy_status status = (hy_status)err->status;
  if (cli->json) {
    cli_json j = cli_json_start(stdout);
    cli_json_object(&j, "error");
    cli_json_text(&j, "status", hy_status_name(status));
    cli_json_text(&j, "class", hy_status_class(status));
    cli_json_text(&j, "subject", err->subject[0] ? err->subject : NULL);
    if (err->line) cli_json_integer(&j, "line", err->line);
    if (err->column) cli_json_integer(&j, "column", err->column);
    if (err->offset_bytes >= 0) cli_json_integer(&j, "offset_bytes", err->offset_bytes);
    cli_json_text(&j, "message", err->message);
    cli_json_end(&j);
  }
  return hy_status_exit(status);
}

int cli_refuse(const cli_context *cli, const char *format, ...) {
  hy_error err;
  hy_error_clear(&err);
  err.status = HY_INVALID_ARGUMENT;
  va_list list;
  va_start(list, format);
  (void)vsnprintf(err.message, sizeof err.message, format, list);
  va_end(list);
  (void)cli_fail(cli, &err);
  fprintf(stderr, "Try 'hayate %s --help'.\n", cli->command);
  return CLI_USAGE;
}

void cli_note(const char *format, ...) {
  va_list list;
  va_start(list, format);
  fputs("hayate: ", stderr);
  (void)vfprintf(stderr, format, list);
  fputc('\n', stderr);
  va_end(list);
}

hy_precision cli_precision(int choice) { return (hy_precision)(choice ? choice - 1 : 0); }

hy_status cli_runtime(const cli_context *cli, hy_runtime **out, hy_error *err) {
  hy_runtime_options options = {
      .struct_size = sizeof options, .n_threads = cli->n_threads, .isa = cli->isa};
  return hy_runtime_create(&options, out, err);
}

hy_status cli_sink_write(void *ctx, const void *data, size_t bytes, hy_error *err) {
  if (fwrite(data, 1, bytes, ctx) == bytes) return HY_OK;
  return cli_set(err, HY_IO, "the output could not be written");
}

bool cli_is_pipeline(const char *path) {
  const char *dot = strrchr(path, '.');
  return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

bool cli_same_file(const char *a, const char *b) {
  struct stat first, second;
  if (!a || !b || stat(a, &first) != 0 || stat(b, &second) != 0) return false;
  return S_ISREG(first.st_mode) && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}
