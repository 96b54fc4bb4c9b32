/* SPDX-License-Identifier: Apache-2.0 */
/* Where the library of ONNX Runtime lies, for the commands that measure beside it. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* Where PyPI's package lies, as the Python of the path knows it; nothing of it is imported. */
static const char *ask_python(char *line, size_t bytes) {
  static const char command[] =
      "python3 -c 'import glob, importlib.util as u, os\n"
      "s = u.find_spec(\"onnxruntime\")\n"
      "f = s and glob.glob(os.path.join(os.path.dirname(s.origin), \"capi\","
      " \"libonnxruntime.so*\"))\n"
      "print(f[0] if f else \"\")' 2>/dev/null";
  FILE *pipe = popen(command, "r");
  if (!pipe) return NULL;
  bool read = fgets(line, (int)bytes, pipe) != NULL;
  (void)pclose(pipe);
  if (!read) return NULL;
  line[strcspn(line, "\n")] = 0;
  return *line ? line : NULL;
}

const char *cli_peer_find(const char *given, char *path, size_t bytes) {
  if (given) return given;
  const char *variable = getenv("HAYATE_ONNXRUNTIME");
  return variable && *variable ? variable : ask_python(path, bytes);
}
