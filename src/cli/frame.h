/* SPDX-License-Identifier: Apache-2.0 */
/* The frame's own parts, between main.c, parse.c, complete.c and the generated pages; commands
 * include cli.h alone. */
#ifndef HY_CLI_FRAME_H
#define HY_CLI_FRAME_H

#include "cli/cli.h"

/* A row of command.inc, with the page that the build made of docs/cli/<id>.md. */
typedef struct cli_row {
  const char *words;
  const char *summary;
  const cli_command *command;
  const char *page;
} cli_row;
extern const cli_row cli_rows[];
extern const size_t cli_n_rows;
extern const char
    cli_page_hayate[]; /* docs/cli/hayate.md: what stands around the list of commands */

/* Options and positionals of argv[0..argc) into args and cli. On HY_OK cli->help says that --help
 * was asked for, and then nothing else was checked. */
HY_CHECKED hy_status cli_parse(const cli_command *command, int argc, char **argv, cli_context *cli,
                               void *args, hy_error *err);

/* Sets err without a place; returns status. */
hy_status cli_set(hy_error *err, hy_status status, const char *format, ...) HY_PRINTF(3, 4);

/* Text to numbers, whole text or refused. */
bool cli_read_count(const char *text, uint64_t *out);
bool cli_read_real(const char *text, double *out);
bool cli_read_seconds(const char *text, double *out);

/* Of n names the nearest to `name`, NULL when none is near enough to be meant. */
const char *cli_nearest(const char *name, const char *const *names, size_t n);

/* The shell's completion script, from the same tables; false when the shell is not known. */
bool cli_complete(const char *shell, FILE *out);

/* The common options as rows, for parser and completion. */
extern const cli_option cli_common_rows[];
extern const unsigned cli_common_bits[];
enum { CLI_N_COMMON = 4 };

#endif
