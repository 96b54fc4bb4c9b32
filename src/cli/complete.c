/* SPDX-License-Identifier: Apache-2.0 */
/* Shell completion from the command and option tables: `hayate --completion bash|zsh|fish`. */
#include <string.h>

#include "cli/frame.h"

static bool is_positional(const cli_option *o) {
  return o->kind == CLI_ARG || o->kind == CLI_ARG_PATH || o->kind == CLI_ARG_REST;
}

/* Calls visit for each option that a command takes. */
static void each_option(const cli_command *command, FILE *out,
                        void (*visit)(FILE *out, const cli_option *o, void *ctx), void *ctx) {
  for (size_t i = 0; i < command->n_options; i++)
    if (!is_positional(&command->options[i])) visit(out, &command->options[i], ctx);
  for (size_t i = 0; i < CLI_N_COMMON; i++)
    if (command->common & cli_common_bits[i]) visit(out, &cli_common_rows[i], ctx);
}

static void print_name(FILE *out, const cli_option *o, void *ctx) {
  (void)ctx;
  fprintf(out, " --%s", o->name);
}

static void print_choices(FILE *out, const cli_option *o, void *ctx) {
  if (o->kind != CLI_CHOICE) return;
  fprintf(out, "    '%s --%s') words='", (const char *)ctx, o->name);
  for (const char *s = o->choices; *s; s++) fputc(*s == '|' ? ' ' : *s, out);
  fputs("' ;;\n", out);
}

/* The words that may stand first (prefix NULL) or after `prefix`, each once. */
static void print_words(FILE *out, const char *prefix) {
  size_t skip = prefix ? strlen(prefix) + 1 : 0;
  const char *last = "";
  size_t last_len = 0;
  for (size_t i = 0; i < cli_n_rows; i++) {
    const char *words = cli_rows[i].words;
    if (prefix && (strncmp(words, prefix, skip - 1) || words[skip - 1] != ' ')) continue;
    const char *word = words + skip;
    size_t len = strcspn(word, " ");
    if (len == last_len && !memcmp(word, last, len)) continue;
    fprintf(out, " %.*s", (int)len, word);
    last = word;
    last_len = len;
  }
}

static void print_bash(FILE *out) {
  fputs("# bash completion of hayate, written by `hayate --completion bash`\n"
        "_hayate() {\n"
        "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=''\n"
        "  local command=${COMP_WORDS[1]}\n"
        "  case \"$command\" in\n",
        out);
  const char *last = "";
  for (size_t i = 0; i < cli_n_rows; i++) {
    const char *space = strchr(cli_rows[i].words, ' ');
    size_t len = space ? (size_t)(space - cli_rows[i].words) : 0;
    if (!space || (strlen(last) >= len && !strncmp(last, cli_rows[i].words, len))) continue;
    fprintf(out, "    %.*s) [ $COMP_CWORD -gt 2 ] && command=\"$command ${COMP_WORDS[2]}\" ;;\n",
            (int)len, cli_rows[i].words);
    last = cli_rows[i].words;
  }
  fputs("  esac\n  case \"$command $prev\" in\n", out);
  for (size_t i = 0; i < cli_n_rows; i++)
    each_option(cli_rows[i].command, out, print_choices, (void *)(uintptr_t)cli_rows[i].words);
  fputs("    *)\n    case \"$command\" in\n", out);
  for (size_t i = 0; i < cli_n_rows; i++) {
    fprintf(out, "      '%s') words='--help", cli_rows[i].words);
    each_option(cli_rows[i].command, out, print_name, NULL);
    fputs("' ;;\n", out);
  }
  last = "";
  for (size_t i = 0; i < cli_n_rows; i++) {
    const char *space = strchr(cli_rows[i].words, ' ');
    char prefix[32];
    if (!space) continue;
    (void)snprintf(prefix, sizeof prefix, "%.*s", (int)(space - cli_rows[i].words),
                   cli_rows[i].words);
    if (!strncmp(last, prefix, strlen(prefix))) continue;
    fprintf(out, "      '%s') words='--help", prefix);
    print_words(out, prefix);
    fputs("' ;;\n", out);
    last = cli_rows[i].words;
  }
  fputs("    esac ;;\n  esac\n"
        "  [ $COMP_CWORD -eq 1 ] && words='--help --version --completion",
        out);
  print_words(out, NULL);
  fputs("'\n  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
        "  case \"$cur\" in -*) ;; *)\n"
        "    [ $COMP_CWORD -gt 1 ] && COMPREPLY+=($(compgen -f -- \"$cur\")) ;;\n  esac\n"
        "}\ncomplete -o filenames -F _hayate hayate\n",
        out);
}

static void print_fish_option(FILE *out, const cli_option *o, void *ctx) {
  const char *words = ctx, *space = strchr(words, ' ');
  fprintf(out, "complete -c hayate -n '__fish_seen_subcommand_from %s' -l %s",
          space ? space + 1 : words, o->name);
  if (o->kind == CLI_CHOICE) {
    fputs(" -x -a '", out);
    for (const char *s = o->choices; *s; s++) fputc(*s == '|' ? ' ' : *s, out);
    fputs("'", out);
  } else if (o->kind != CLI_FLAG) {
    fputs(" -r", out);
  }
  fputc('\n', out);
}

static void print_fish(FILE *out) {
  fputs("# fish completion of hayate, written by `hayate --completion fish`\n", out);
  for (size_t i = 0; i < cli_n_rows; i++) {
    const char *words = cli_rows[i].words, *space = strchr(words, ' ');
    if (space) {
      fprintf(out, "complete -c hayate -n __fish_use_subcommand -a '%.*s'\n", (int)(space - words),
              words);
      fprintf(out, "complete -c hayate -n '__fish_seen_subcommand_from %.*s' -a '%s' -d '%s'\n",
              (int)(space - words), words, space + 1, cli_rows[i].summary);
    } else {
      fprintf(out, "complete -c hayate -n __fish_use_subcommand -a '%s' -d '%s'\n", words,
              cli_rows[i].summary);
    }
    each_option(cli_rows[i].command, out, print_fish_option, (void *)(uintptr_t)words);
  }
}

bool cli_complete(const char *shell, FILE *out) {
  if (!strcmp(shell, "bash")) return print_bash(out), true;
  if (!strcmp(shell, "fish")) return print_fish(out), true;
  if (!strcmp(shell, "zsh")) {
    /* zsh reads bash's form; the first line is what its own loader looks for. */
    fputs("#compdef hayate\nautoload -U +X bashcompinit && bashcompinit\n", out);
    return print_bash(out), true;
  }
  return false;
}
