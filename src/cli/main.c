/* SPDX-License-Identifier: Apache-2.0 */
/* The command's entry: finds the row, parses its options, runs it. */
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include <hayate/version.h>

#include "cli/frame.h"
#include "components.h"

static const struct { const char *name, *state, *reason; } components[] = {HY_GEN_COMPONENTS};

/* The row whose words are argv[1] or argv[1] argv[2]; *used is how many. */
static const cli_row *find_row(int argc, char **argv, int *used) {
  for (size_t i = 0; i < cli_n_rows; i++) {
    const char *words = cli_rows[i].words, *space = strchr(words, ' ');
    size_t len = space ? (size_t)(space - words) : strlen(words);
    if (strlen(argv[1]) != len || memcmp(argv[1], words, len)) continue;
    if (space && (argc < 3 || strcmp(argv[2], space + 1))) continue;
    *used = space ? 2 : 1;
    return &cli_rows[i];
  }
  return NULL;
}

/* "    words     summary" for each row that begins with `group` (NULL: all); how many there were.
 */
static size_t list_rows(FILE *out, const char *group) {
  size_t n = 0, len = group ? strlen(group) : 0;
  for (size_t i = 0; i < cli_n_rows; i++) {
    const char *words = cli_rows[i].words;
    if (group && (strncmp(words, group, len) || words[len] != ' ')) continue;
    if (out) fprintf(out, "  %-18s %s\n", words, cli_rows[i].summary);
    n++;
  }
  return n;
}

static void print_main_page(FILE *out) {
  static const char mark[] = "@commands@\n";
  const char *at = strstr(cli_page_hayate, mark);
  if (!at) return;
  fprintf(out, "%.*s", (int)(at - cli_page_hayate), cli_page_hayate);
  list_rows(out, NULL);
  fputs(at + strlen(mark), out);
}

static int print_version(bool json) {
  const char *isa = hy_isa_name(hy_isa_detect());
  size_t n = sizeof components / sizeof components[0];
  if (json) {
    cli_json j = cli_json_start(stdout);
    cli_json_text(&j, "version", hy_version());
    cli_json_text(&j, "isa", isa);
    cli_json_text(&j, "compiler", HY_GEN_COMPILER);
    cli_json_text(&j, "build", HY_GEN_BUILD);
    cli_json_object(&j, "components");
    for (size_t i = 0; i < n; i++) {
      cli_json_object(&j, components[i].name);
      cli_json_bool(&j, "on", !strcmp(components[i].state, "on"));
      cli_json_text(&j, "reason", components[i].reason);
      cli_json_close(&j);
    }
    cli_json_end(&j);
    return CLI_DONE;
  }
  printf("hayate %s (%s, %s, %s)\n", hy_version(), isa, HY_GEN_COMPILER, HY_GEN_BUILD);
  for (size_t i = 0; i < n; i++)
    printf("  %-12s %-4s %s\n", components[i].name, components[i].state, components[i].reason);
  return CLI_DONE;
}

static int unknown_command(int argc, char **argv) {
  const char *names[128];
  size_t n = 0;
  for (; n < cli_n_rows && n < 128; n++) names[n] = cli_rows[n].words;
  char given[160];
  bool group = list_rows(NULL, argv[1]) > 0;
  (void)snprintf(given, sizeof given, "%s%s%s", argv[1], group && argc > 2 ? " " : "",
                 group && argc > 2 ? argv[2] : "");
  if (group && argc == 2) {
    fprintf(stderr, "hayate: '%s' is followed by one of:\n", given);
    list_rows(stderr, argv[1]);
    return CLI_USAGE;
  }
  const char *near = cli_nearest(given, names, n);
  fprintf(stderr, "hayate: unknown command '%s'%s%s%s\nTry 'hayate --help'.\n", given,
          near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
  return CLI_USAGE;
}

/* `hayate --help` and its like; -1 when argv[1] is not one of them. */
static int run_global(int argc, char **argv) {
  const char *word = argv[1];
  if (!strcmp(word, "--help") || !strcmp(word, "-h") || (!strcmp(word, "help") && argc == 2))
    return print_main_page(stdout), CLI_DONE;
  if (!strcmp(word, "--version")) return print_version(argc > 2 && !strcmp(argv[2], "--json"));
  if (!strcmp(word, "--completion")) {
    if (argc > 2 && cli_complete(argv[2], stdout)) return CLI_DONE;
    fputs("hayate: --completion is followed by bash, zsh or fish\n", stderr);
    return CLI_USAGE;
  }
  return -1;
}

static int run_row(const cli_row *row, int argc, char **argv) {
  cli_context cli = {.command = row->words};
  alignas(max_align_t) char args[CLI_ARGS_MAX];
  hy_error err;
  hy_error_clear(&err);
  if (cli_parse(row->command, argc, argv, &cli, args, &err) != HY_OK)
    return cli_refuse(&cli, "%s", err.message);
  if (cli.help) return fputs(row->page, stdout), CLI_DONE;
  cli_interrupt_install();
  int status = row->command->run(&cli, args);
  if ((fflush(stdout) != 0 || ferror(stdout)) && status == CLI_DONE) {
    cli_note("standard output could not be written");
    return CLI_SYSTEM;
  }
  return status;
}

int main(int argc, char **argv) {
  if (argc < 2) return print_main_page(stderr), CLI_USAGE;
  if (argc > 2 && !strcmp(argv[1], "help")) { /* hayate help score */
    argv[1] = argv[0], argv++, argc--;
    int used = 0;
    const cli_row *row = find_row(argc, argv, &used);
    if (row) return fputs(row->page, stdout), CLI_DONE;
    return unknown_command(argc, argv);
  }
  int status = run_global(argc, argv);
  if (status >= 0) return status;
  int used = 0;
  const cli_row *row = find_row(argc, argv, &used);
  if (row) return run_row(row, argc - 1 - used, argv + 1 + used);
  if (argc == 3 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h")) &&
      list_rows(NULL, argv[1]))
    return list_rows(stdout, argv[1]), CLI_DONE;
  return unknown_command(argc, argv);
}
