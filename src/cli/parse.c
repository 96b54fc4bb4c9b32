/* SPDX-License-Identifier: Apache-2.0 */
/* Options by table: the arguments of a command into its struct, with each refusal naming what was
 * given, what was expected and, for a name nobody knows, the nearest one. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/frame.h"

const cli_option cli_common_rows[CLI_N_COMMON] = {
    {.name = "json", .kind = CLI_FLAG, .offset = offsetof(cli_context, json)},
    {.name = "threads", .kind = CLI_COUNT, .flags = CLI_ENV},
    {.name = "isa", .kind = CLI_CHOICE, .choices = "scalar|avx2|avx512|amx|neon"},
    {.name = "seed", .kind = CLI_COUNT, .flags = CLI_ENV},
};
const unsigned cli_common_bits[CLI_N_COMMON] = {CLI_JSON, CLI_THREADS, CLI_ISA, CLI_SEED};

enum { OPTIONS_MAX = 96, THREADS_MAX = 1024 };

/* One parse under way. */
typedef struct parse {
  const cli_command *command;
  cli_context *cli;
  char *args;
  hy_error *err;
  bool given[OPTIONS_MAX];
  bool common_given[CLI_N_COMMON];
} parse;

hy_status cli_set(hy_error *err, hy_status status, const char *format, ...) {
  if (!err) return status;
  hy_error_clear(err);
  err->status = (int32_t)status;
  va_list list;
  va_start(list, format);
  (void)vsnprintf(err->message, sizeof err->message, format, list);
  va_end(list);
  return status;
}

static bool is_positional(const cli_option *o) {
  return o->kind == CLI_ARG || o->kind == CLI_ARG_PATH || o->kind == CLI_ARG_REST;
}

static bool takes_value(const cli_option *o) { return o->kind != CLI_FLAG; }

/* 1 for the first of "a|b|c", 0 for none of them. */
static int choice_index(const char *choices, const char *text) {
  size_t len = strlen(text);
  int index = 1;
  for (const char *at = choices; *at; index++) {
    size_t span = strcspn(at, "|");
    if (span == len && memcmp(at, text, len) == 0) return index;
    at += span + (at[span] == '|');
  }
  return 0;
}

static hy_status bad_choice(const parse *p, const cli_option *o, const char *text) {
  return cli_set(p->err, HY_INVALID_ARGUMENT, "--%s: '%s' is not one of %s", o->name, text,
                 o->choices);
}

static hy_status bad_value(const parse *p, const cli_option *o, const char *text,
                           const char *expected) {
  return cli_set(p->err, HY_INVALID_ARGUMENT, "%s%s: '%s' is not %s", is_positional(o) ? "" : "--",
                 o->name, text, expected);
}

static hy_status list_add(const parse *p, const cli_option *o, cli_list *list, const char *text) {
  if (list->n == CLI_LIST_MAX)
    return cli_set(p->err, HY_LIMIT, "%s%s may be given at most %d times",
                   is_positional(o) ? "" : "--", o->name, (int)CLI_LIST_MAX);
  list->items[list->n++] = text;
  return HY_OK;
}

static void mark_given(const cli_option *o, char *at, size_t value_bytes) {
  if (o->flags & CLI_GIVEN) *(bool *)(at + value_bytes) = true;
}

/* Stores text as o's kind at `at`. */
static hy_status store(const parse *p, const cli_option *o, char *at, const char *text) {
  switch (o->kind) {
  case CLI_FLAG: *(bool *)at = true; return HY_OK;
  case CLI_TEXT:
  case CLI_PATH:
  case CLI_ARG:
  case CLI_ARG_PATH:
    if (!*text) return bad_value(p, o, text, "a value (it is empty)");
    *(const char **)at = text;
    return HY_OK;
  case CLI_COUNT:
    if (!cli_read_count(text, (uint64_t *)at))
      return bad_value(p, o, text, "a whole number (such as 500, 10k or 2M)");
    mark_given(o, at, sizeof(uint64_t));
    return HY_OK;
  case CLI_REAL:
    if (!cli_read_real(text, (double *)at)) return bad_value(p, o, text, "a number");
    mark_given(o, at, sizeof(double));
    return HY_OK;
  case CLI_SECONDS:
    if (!cli_read_seconds(text, (double *)at))
      return bad_value(p, o, text, "a duration (such as 500ms, 2s or 1.5m)");
    return HY_OK;
  case CLI_CHOICE:
    *(int *)at = choice_index(o->choices, text);
    return *(int *)at ? HY_OK : bad_choice(p, o, text);
  case CLI_LIST:
  case CLI_ARG_REST: return list_add(p, o, (cli_list *)at, text);
  }
  return HY_OK;
}

static hy_status store_common(parse *p, size_t index, const char *text) {
  const cli_option *o = &cli_common_rows[index];
  uint64_t count = 0;
  int choice = 0;
  p->common_given[index] = true;
  switch (cli_common_bits[index]) {
  case CLI_JSON: p->cli->json = true; return HY_OK;
  case CLI_THREADS:
    if (!cli_read_count(text, &count) || !count || count > THREADS_MAX)
      return bad_value(p, o, text, "a number of threads from 1 to 1024");
    p->cli->n_threads = (uint32_t)count;
    return HY_OK;
  case CLI_ISA:
    choice = choice_index(o->choices, text);
    if (!choice) return bad_choice(p, o, text);
    p->cli->isa = (hy_isa)choice; /* the enum's order is the list's */
    return HY_OK;
  default:
    if (!cli_read_count(text, &p->cli->seed)) return bad_value(p, o, text, "a whole number");
    p->cli->seed_given = true;
    return HY_OK;
  }
}

static hy_status unknown_option(const parse *p, const char *name, size_t len) {
  const char *names[OPTIONS_MAX + CLI_N_COMMON + 1] = {"help"};
  size_t n = 1;
  for (size_t i = 0; i < p->command->n_options && n < OPTIONS_MAX; i++)
    if (!is_positional(&p->command->options[i])) names[n++] = p->command->options[i].name;
  for (size_t i = 0; i < CLI_N_COMMON; i++)
    if (p->command->common & cli_common_bits[i]) names[n++] = cli_common_rows[i].name;
  char given[64];
  (void)snprintf(given, sizeof given, "%.*s", (int)(len < 60 ? len : 60), name);
  const char *near = cli_nearest(given, names, n);
  return cli_set(p->err, HY_INVALID_ARGUMENT, "unknown option --%s%s%s%s", given,
                 near ? "; did you mean --" : "", near ? near : "", near ? "?" : "");
}

/* An option by long name (len bytes) or by letter; in either table. */
static bool find_option(const parse *p, const char *name, size_t len, char letter, size_t *index,
                        bool *common) {
  for (size_t i = 0; i < p->command->n_options; i++) {
    const cli_option *o = &p->command->options[i];
    if (is_positional(o)) continue;
    bool hit = letter ? o->letter == letter : strlen(o->name) == len && !memcmp(o->name, name, len);
    if (hit) return *index = i, *common = false, true;
  }
  for (size_t i = 0; i < CLI_N_COMMON && !letter; i++) {
    const char *known = cli_common_rows[i].name;
    if ((p->command->common & cli_common_bits[i]) && strlen(known) == len &&
        !memcmp(known, name, len))
      return *index = i, *common = true, true;
  }
  return false;
}

/* argv[*at] is an option; moves *at to its last word. */
static hy_status one_option(parse *p, int argc, char **argv, int *at) {
  const char *word = argv[*at];
  bool is_long = word[1] == '-';
  const char *name = word + (is_long ? 2 : 1);
  size_t len = is_long ? strcspn(name, "=") : 1;
  size_t index = 0;
  bool common = false;
  if (!find_option(p, name, len, is_long ? 0 : *name, &index, &common)) {
    if (is_long) return unknown_option(p, name, len);
    return cli_set(p->err, HY_INVALID_ARGUMENT, "unknown option -%c", *name);
  }
  const cli_option *o = common ? &cli_common_rows[index] : &p->command->options[index];
  const char *value = name[len] == '=' && is_long ? name + len + 1 : NULL;
  if (!is_long && name[1]) value = name + 1; /* -oFILE */
  if (!takes_value(o) && value)
    return cli_set(p->err, HY_INVALID_ARGUMENT, "%s%s takes no value", is_long ? "--" : "-",
                   is_long ? o->name : name);
  if (takes_value(o) && !value) {
    if (*at + 1 == argc) return cli_set(p->err, HY_INVALID_ARGUMENT, "--%s needs a value", o->name);
    value = argv[++*at];
  }
  if (common) return store_common(p, index, value);
  if (p->given[index] && o->kind != CLI_LIST && o->kind != CLI_FLAG)
    return cli_set(p->err, HY_INVALID_ARGUMENT, "--%s is given twice", o->name);
  p->given[index] = true;
  return store(p, o, p->args + o->offset, value);
}

/* The next positional row takes the word. */
static hy_status one_positional(parse *p, const char *word) {
  for (size_t i = 0; i < p->command->n_options; i++) {
    const cli_option *o = &p->command->options[i];
    if (!is_positional(o) || (p->given[i] && o->kind != CLI_ARG_REST)) continue;
    p->given[i] = true;
    return store(p, o, p->args + o->offset, word);
  }
  return cli_set(p->err, HY_INVALID_ARGUMENT, "'%s' is one argument too many", word);
}

static const char *environment_of(const char *name) {
  char variable[80] = "HAYATE_";
  size_t n = strlen(variable);
  for (; *name && n + 1 < sizeof variable; name++)
    variable[n++] = *name == '-' ? '_' : (char)(*name >= 'a' && *name <= 'z' ? *name - 32 : *name);
  variable[n] = 0;
  const char *value = getenv(variable);
  return value && *value ? value : NULL;
}

/* Nobody finds an option among the arguments that stands in the environment. */
static hy_status blame_environment(parse *p, hy_status status) {
  char text[sizeof p->err->message];
  if (status == HY_OK) return HY_OK;
  (void)snprintf(text, sizeof text, "%s", p->err->message);
  return cli_set(p->err, status, "in the environment (HAYATE_*): %.300s", text);
}

/* What was not given comes from the environment, or is missed by name. */
static hy_status fill_in(parse *p) {
  for (size_t i = 0; i < CLI_N_COMMON; i++) {
    const cli_option *o = &cli_common_rows[i];
    if (!(p->command->common & cli_common_bits[i]) || p->common_given[i]) continue;
    const char *value = o->flags & CLI_ENV ? environment_of(o->name) : NULL;
    hy_status status = value ? store_common(p, i, value) : HY_OK;
    if (status != HY_OK) return blame_environment(p, status);
  }
  for (size_t i = 0; i < p->command->n_options; i++) {
    const cli_option *o = &p->command->options[i];
    if (p->given[i]) continue;
    const char *value = o->flags & CLI_ENV ? environment_of(o->name) : NULL;
    if (value) {
      hy_status status = store(p, o, p->args + o->offset, value);
      if (status != HY_OK) return blame_environment(p, status);
    } else if (o->flags & CLI_REQUIRED) {
      return cli_set(p->err, HY_INVALID_ARGUMENT, "%s%s is missing", is_positional(o) ? "" : "--",
                     o->name);
    }
  }
  return HY_OK;
}

static bool wants_help(int argc, char **argv) {
  for (int i = 0; i < argc && strcmp(argv[i], "--"); i++)
    if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) return true;
  return false;
}

/* --json decides the form of every later refusal, so it is looked for before anything can fail. */
static bool wants_json(const cli_command *command, int argc, char **argv) {
  for (int i = 0; i < argc && strcmp(argv[i], "--"); i++)
    if ((command->common & CLI_JSON) && !strcmp(argv[i], "--json")) return true;
  return false;
}

hy_status cli_parse(const cli_command *command, int argc, char **argv, cli_context *cli, void *args,
                    hy_error *err) {
  cli->help = wants_help(argc, argv);
  if (cli->help) return HY_OK;
  if (command->args_bytes > CLI_ARGS_MAX || command->n_options > OPTIONS_MAX)
    return cli_set(err, HY_INTERNAL, "the option table of '%s' is too large", cli->command);
  cli->json = wants_json(command, argc, argv);
  memset(args, 0, command->args_bytes);
  parse p = {.command = command, .cli = cli, .args = args, .err = err};
  bool only_positionals = false;
  for (int i = 0; i < argc; i++) {
    hy_status status = HY_OK;
    if (!only_positionals && !strcmp(argv[i], "--"))
      only_positionals = true;
    else if (only_positionals || argv[i][0] != '-' || !argv[i][1])
      status = one_positional(&p, argv[i]);
    else
      status = one_option(&p, argc, argv, &i);
    if (status != HY_OK) return status;
  }
  return fill_in(&p);
}
