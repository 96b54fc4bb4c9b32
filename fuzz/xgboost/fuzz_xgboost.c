/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a XGBoost JSON or UBJSON model: see fuzz/model.h. */
#include "../model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_model(data, size);
  return 0;
}
