/* SPDX-License-Identifier: Apache-2.0 */
/* The command table of command.inc as data, each row with its page. */
#include "cli/frame.h"

#define CLI_COMMAND(id, words, summary)                                                            \
  extern const cli_command cmd_##id;                                                               \
  extern const char cli_page_##id[];
#include "cli/command.inc"
#undef CLI_COMMAND

const cli_row cli_rows[] = {
#define CLI_COMMAND(id, words, summary) {words, summary, &cmd_##id, cli_page_##id},
#include "cli/command.inc"
#undef CLI_COMMAND
    {NULL, NULL, NULL, NULL}, /* no command: a table is never empty */
};
const size_t cli_n_rows = sizeof cli_rows / sizeof cli_rows[0] - 1;
