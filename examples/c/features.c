/* SPDX-License-Identifier: Apache-2.0 */
/* Computes features over the caller's own arrays: two symbols, 250 bars, a spec in one line.
 *
 *     cc features.c $(pkg-config --cflags --libs hayate) -lm -o features
 *     ./features 'ma=sma(close,20); rsi(close,14)'
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <hayate/hayate.h>

enum { BARS = 250, SYMBOLS = 2, MOST = 32 };

static int refuse(const hy_error *err) {
  char text[600];
  hy_error_format(err, text, sizeof text);
  fprintf(stderr, "features: %s\n", text);
  return hy_status_exit((hy_status)err->status);
}

int main(int argc, char **argv) {
  static int64_t time_ns[BARS];
  static double close[BARS * SYMBOLS], values[MOST][SYMBOLS];
  static const char *const symbols[SYMBOLS] = {"CALM", "WILD"};
  static const char *const fields[1] = {"close"};
  const double *data[1] = {close};
  double *out[MOST];
  const char *spec = argc > 1 ? argv[1] : "ma=sma(close,20); rsi(close,14)";
  hy_runtime *runtime = NULL;
  hy_universe *universe = NULL;
  hy_features *features = NULL;
  hy_features_info info = {.struct_size = sizeof info};
  hy_error err;
  int leave = 0;

  for (int t = 0; t < BARS; t++) {
    time_ns[t] = (int64_t)(t + 1) * 60 * 1000000000;
    close[t * SYMBOLS] = 100 + sin(t * 0.1);
    close[t * SYMBOLS + 1] = 100 + 10 * sin(t * 0.7) + 0.05 * t;
  }
  hy_panel panel = {.struct_size = sizeof panel,
                    .n_bars = BARS,
                    .n_symbols = SYMBOLS,
                    .n_fields = 1,
                    .time_ns = time_ns,
                    .symbols = symbols,
                    .fields = fields,
                    .data = data,
                    .timeframe = "1m"};
  if (hy_runtime_create(NULL, &runtime, &err) ||
      hy_universe_from_panel(runtime, &panel, &universe, &err) ||
      hy_features_create(runtime, spec, &features, &err)) {
    leave = refuse(&err);
    goto cleanup;
  }
  hy_features_describe(features, &info);
  if (info.n_features > MOST) {
    fprintf(stderr, "features: more than %d features\n", (int)MOST);
    leave = 2;
    goto cleanup;
  }
  for (size_t f = 0; f < info.n_features; f++) out[f] = values[f];
  /* The last bar alone; the history before it is used all the same. */
  if (hy_features_compute(features, universe, BARS - 1, BARS, out, NULL, &err)) {
    leave = refuse(&err);
    goto cleanup;
  }
  for (size_t f = 0; f < info.n_features; f++)
    printf("%-16s %s %.6f  %s %.6f\n", info.names[f], symbols[0], values[f][0], symbols[1],
           values[f][1]);

cleanup: /* destroying NULL is fine */
  hy_features_destroy(features);
  hy_universe_destroy(universe);
  hy_runtime_destroy(runtime);
  return leave;
}
