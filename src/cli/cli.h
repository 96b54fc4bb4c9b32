/* SPDX-License-Identifier: Apache-2.0 */
/* The frame that every command of `hayate` stands on: options by table, the runtime they describe,
 * errors and exit statuses, progress, Ctrl-C, JSON. A command is one file (cmd_NAME.c) that defines
 *
 *     const cli_command cmd_NAME = {.options = ..., .common = CLI_JSON | ..., .run = run};
 *
 * one row in command.inc, and one page docs/cli/NAME.md, which is its --help and its manual page.
 */
#ifndef HY_CLI_CLI_H
#define HY_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <hayate/runtime.h>
#include <hayate/session.h>
#include <hayate/status.h>

/* Exit statuses; other failures take theirs from hy_status_exit(). */
enum {
  CLI_DONE = 0,         /* done */
  CLI_NO = 1,           /* the answer is no: a check failed, nothing could be scored */
  CLI_USAGE = 2,        /* bad usage or input */
  CLI_SYSTEM = 3,       /* the system failed */
  CLI_RESUMABLE = 75,   /* interrupted, can be resumed */
  CLI_INTERRUPTED = 130 /* Ctrl-C */
};

/* What an option stores at its offset in the command's struct of arguments, which starts zeroed:
 * a zero there means "not given". */
typedef enum cli_kind {
  CLI_FLAG,    /* bool            --evaluate */
  CLI_TEXT,    /* const char *    --name TEXT */
  CLI_PATH,    /* const char *    --output FILE (completed as a file name) */
  CLI_COUNT,   /* uint64_t        --bars 2000, 10k, 2M, 1_000_000 */
  CLI_REAL,    /* double          --rtol 1e-5 */
  CLI_SECONDS, /* double          --time-limit 500ms, 2s, 2.5m, 1h; a bare number is seconds */
  CLI_CHOICE,  /* int             --dtype f4: 1 for the first of .choices "f4|f8", 2 for the next */
  CLI_LIST,    /* cli_list        --shape a=1 --shape b=2: may be given again and again */
  CLI_ARG,     /* const char *    positional, in the order of the rows */
  CLI_ARG_PATH, /* const char *    the same, a file or folder */
  CLI_ARG_REST  /* cli_list        all further positionals (last row) */
} cli_kind;

enum { CLI_LIST_MAX = 64 };
typedef struct cli_list {
  const char *items[CLI_LIST_MAX];
  size_t n;
} cli_list;

/* Flags of an option row. */
enum {
  CLI_REQUIRED = 1, /* refused by name when it is missing */
  CLI_ENV = 2,      /* HAYATE_NAME of the environment stands in when the option is not given */
  CLI_GIVEN = 4     /* an option whose zero is a real value: a bool `NAME_given` follows the value
                       directly in the struct (CLI_COUNT and CLI_REAL alone) */
};

typedef struct cli_option {
  const char *name; /* "output" for --output; for positionals the word in messages: "PIPELINE" */
  cli_kind kind;
  size_t offset; /* offsetof(struct args, field) */
  unsigned flags;
  const char *choices; /* CLI_CHOICE: "f4|f8" */
  char letter;         /* 'o' for -o; 0 for none */
} cli_option;

/* The options that many commands share, parsed into cli_context. --help is everyone's. */
enum {
  CLI_JSON = 1,    /* --json */
  CLI_THREADS = 2, /* --threads N   HAYATE_THREADS */
  CLI_ISA = 4,     /* --isa NAME    HAYATE_ISA */
  CLI_SEED = 8     /* --seed N      HAYATE_SEED */
};

typedef struct cli_context {
  const char *command; /* "features compute", for messages */
  bool json;
  bool help;          /* the frame's: the page is printed in place of the run */
  uint32_t n_threads; /* 0: one per usable CPU */
  hy_isa isa;         /* HY_ISA_DEFAULT: the environment's, else the best */
  uint64_t seed;
  bool seed_given;
} cli_context;

typedef struct cli_command {
  const cli_option *options;
  size_t n_options;
  unsigned common;   /* CLI_JSON | CLI_THREADS | ... */
  size_t args_bytes; /* sizeof(struct args), at most CLI_ARGS_MAX */
  /* The arguments are parsed and checked before; returns an exit status. */
  int (*run)(cli_context *cli, const void *args);
} cli_command;

enum { CLI_ARGS_MAX = 8192 };
#define CLI_ROWS(rows) .options = (rows), .n_options = sizeof(rows) / sizeof((rows)[0])

/* The runtime that --threads, --isa and the environment describe. */
HY_CHECKED hy_status cli_runtime(const cli_context *cli, hy_runtime **out, hy_error *err);

/* A CLI_CHOICE of CLI_PRECISIONS: the enum's order is the list's, float32 if not given. */
#define CLI_PRECISIONS "float32|bfloat16"
hy_precision cli_precision(int choice);

/* Prints "hayate: FILE:LINE:COL: message" on stderr, with --json also {"error": {...}} on stdout;
 * returns the exit status of err->status. */
int cli_fail(const cli_context *cli, const hy_error *err);
/* The same for a mistake in usage that only the command can see; returns CLI_USAGE. */
int cli_refuse(const cli_context *cli, const char *format, ...) HY_PRINTF(2, 3);
/* People's text: on stderr, "hayate: " before it. */
void cli_note(const char *format, ...) HY_PRINTF(1, 2);

/* Whether both name one file that is there: an output must not replace what is being read. */
bool cli_same_file(const char *a, const char *b);

/* Whether a file's name says that it is a pipeline: .yaml, .yml. */
bool cli_is_pipeline(const char *path);

/* Ctrl-C. The first one sets a flag, at which the progress callback answers false and the library
 * stops with HY_CANCELLED (exit 130); the second one ends the process at once. */
void cli_interrupt_install(void);
bool cli_interrupted(void);
const volatile int *cli_cancel(void); /* the same flag, for options that take a pointer */

/* A bar with rate and remaining time on stderr: on a terminal alone, and only after a second.
 *     cli_progress bar = cli_progress_start("score");
 *     options.progress = cli_progress_update; options.progress_ctx = &bar;
 *     ...
 *     cli_progress_end(&bar);
 * Pass it also without a terminal: it carries Ctrl-C. */
typedef struct cli_progress {
  const char *what;
  int64_t start_ns;
  int64_t shown_ns;
  bool terminal;
  bool drawn;
} cli_progress;
cli_progress cli_progress_start(const char *what);
bool cli_progress_update(void *ctx, uint64_t done, uint64_t total,
                         const char *unit); /* hy_progress_fn */
void cli_progress_end(cli_progress *bar);   /* wipes the bar */

/* One JSON object on stdout, written as it goes; commas and escapes are its business. NaN and the
 * infinities become null. key is NULL inside an array.
 *     cli_json j = cli_json_start(stdout);
 *     cli_json_text(&j, "model", path); cli_json_array(&j, "outputs"); ... cli_json_close(&j);
 *     cli_json_end(&j); */
enum { CLI_JSON_DEPTH = 16 };
typedef struct cli_json {
  FILE *out;
  int depth;
  bool any[CLI_JSON_DEPTH];
  char closer[CLI_JSON_DEPTH];
} cli_json;
cli_json cli_json_start(FILE *out);                                  /* opens the outer object */
void cli_json_text(cli_json *j, const char *key, const char *value); /* NULL becomes null */
void cli_json_real(cli_json *j, const char *key, double value);
void cli_json_count(cli_json *j, const char *key, uint64_t value);
void cli_json_integer(cli_json *j, const char *key, int64_t value);
void cli_json_bool(cli_json *j, const char *key, bool value);
void cli_json_object(cli_json *j, const char *key);
void cli_json_array(cli_json *j, const char *key);
void cli_json_close(cli_json *j); /* the innermost object or array */
void cli_json_end(cli_json *j);   /* closes all that is open, and the line */
/* A hy_sink for reports that the library renders: ctx is a FILE *. */
hy_status cli_sink_write(void *ctx, const void *data, size_t bytes, hy_error *err);

/* The library of ONNX Runtime: the path given, else HAYATE_ONNXRUNTIME, else where the Python of
 * the path has the package (written into `path`); NULL when it is nowhere. */
enum { CLI_PEER_BYTES = 4096 };
const char *cli_peer_find(const char *given, char *path, size_t bytes);

/* Elapsed time for closing lines. */
int64_t cli_now_ns(void);

#endif
