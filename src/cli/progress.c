/* SPDX-License-Identifier: Apache-2.0 */
/* The progress bar and Ctrl-C: the library's progress callback draws the one and carries the other.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"

enum { BAR_WIDTH = 24 };
static const int64_t second_ns = 1000000000;

/* A signal handler can reach nothing but a static flag. */
static volatile int interrupted; /* sig_atomic_t is int here */
_Static_assert(sizeof(sig_atomic_t) == sizeof(int), "an int is what a handler may write");

static void on_interrupt(int signal_number) {
  if (interrupted) {
    static const char text[] = "\nhayate: stopped\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    _exit(CLI_INTERRUPTED);
  }
  interrupted = signal_number;
}

void cli_interrupt_install(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  (void)sigaction(SIGINT, &action, NULL);
  (void)sigaction(SIGTERM, &action, NULL);
}

bool cli_interrupted(void) { return interrupted != 0; }

const volatile int *cli_cancel(void) { return &interrupted; }

int64_t cli_now_ns(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * second_ns + t.tv_nsec;
}

cli_progress cli_progress_start(const char *what) {
  return (cli_progress){
      .what = what, .start_ns = cli_now_ns(), .terminal = isatty(STDERR_FILENO) == 1};
}

static void draw(cli_progress *bar, uint64_t done, uint64_t total, const char *unit, int64_t now) {
  double elapsed = (double)(now - bar->start_ns) / (double)second_ns;
  double rate = (double)done / elapsed;
  if (!total || done > total) {
    fprintf(stderr, "\r\033[K%s  %llu %s  %.0f/s", bar->what, (unsigned long long)done, unit, rate);
  } else {
    char cells[BAR_WIDTH + 1];
    size_t full = (size_t)((double)done / (double)total * BAR_WIDTH);
    memset(cells, '-', BAR_WIDTH);
    memset(cells, '#', full);
    cells[BAR_WIDTH] = 0;
    double left = rate > 0 ? (double)(total - done) / rate : 0;
    fprintf(stderr, "\r\033[K%s [%s] %llu/%llu %s  %.0f/s  %d:%02d left", bar->what, cells,
            (unsigned long long)done, (unsigned long long)total, unit, rate, (int)left / 60,
            (int)left % 60);
  }
  fflush(stderr);
  bar->drawn = true;
  bar->shown_ns = now;
}

bool cli_progress_update(void *ctx, uint64_t done, uint64_t total, const char *unit) {
  cli_progress *bar = ctx;
  if (bar->terminal) {
    int64_t now = cli_now_ns();
    bool due = now - bar->start_ns >= second_ns && now - bar->shown_ns >= second_ns / 10;
    if (due) draw(bar, done, total, unit, now);
  }
  return !cli_interrupted();
}

void cli_progress_end(cli_progress *bar) {
  if (bar->drawn) fputs("\r\033[K", stderr);
  bar->drawn = false;
}
