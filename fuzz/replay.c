/* SPDX-License-Identifier: Apache-2.0 */
/* The plain driver of every fuzz target: feeds each file of the folders named on the command line
 * to LLVMFuzzerTestOneInput, so that `make test` replays the corpora without libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path) {
  FILE *f = fopen(path, "rb");
  if (!f) {
    perror(path);
    return 1;
  }
  struct stat st;
  int failed = fstat(fileno(f), &st) != 0;
  size_t n = failed ? 0 : (size_t)st.st_size;
  /* The exact size, so that the sanitizer sees one byte too far. */
  uint8_t *bytes = malloc(n ? n : 1);
  if (!bytes || fread(bytes, 1, n, f) != n) failed = 1;
  if (!failed)
    (void)LLVMFuzzerTestOneInput(bytes, n);
  else
    fprintf(stderr, "%s: cannot be read\n", path);
  free(bytes);
  fclose(f);
  return failed;
}

static int replay_folder(const char *folder, size_t *n_files) {
  struct dirent **entries = NULL;
  int n = scandir(folder, &entries, NULL, alphasort);
  if (n < 0) {
    perror(folder);
    return 1;
  }
  int failed = 0;
  for (int i = 0; i < n; i++) {
    char path[4096];
    if (entries[i]->d_name[0] != '.') {
      snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
      failed |= replay_file(path);
      ++*n_files;
    }
    free(entries[i]);
  }
  free(entries);
  return failed;
}

int main(int argc, char **argv) {
  size_t n_files = 0;
  int failed = 0;
  for (int i = 1; i < argc; i++) failed |= replay_folder(argv[i], &n_files);
  printf("%zu inputs replayed\n", n_files);
  return failed || !n_files;
}
