/* SPDX-License-Identifier: Apache-2.0
 * The folders of golden ONNX models, one after the other. */
#ifndef TESTS_SUPPORT_GOLDEN_FOLDERS_H
#define TESTS_SUPPORT_GOLDEN_FOLDERS_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Runs those whose path holds `chosen`; n counts the answers, n[0] those that were 0. */
static inline void golden_folders(const char *chosen, int (*run)(const char *folder), int *n) {
  static const char *const roots[] = {"tests/golden/onnx", "tests/golden/onnx_op"};
  for (size_t r = 0; r < sizeof roots / sizeof *roots; r++) {
    struct dirent **entries;
    int n_entries = scandir(roots[r], &entries, NULL, alphasort);
    assert_true(n_entries > 0);
    for (int i = 0; i < n_entries; i++) {
      char folder[512];
      (void)snprintf(folder, sizeof folder, "%s/%s", roots[r], entries[i]->d_name);
      if (entries[i]->d_name[0] != '.' && strstr(folder, chosen)) n[run(folder)]++;
      free(entries[i]);
    }
    free(entries);
  }
}

#endif
