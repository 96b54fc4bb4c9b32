/* SPDX-License-Identifier: Apache-2.0 */
/* The command's entry. The command table and the option parser come with the first commands. */
#include <stdio.h>

#include "components.h"

int main(int argc, char **argv) {
  (void)argc, (void)argv;
  printf("hayate %s\n", HY_GEN_VERSION);
  return 0;
}
