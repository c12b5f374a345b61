/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON file of a model, as a stranger may write it. */
#include "format-fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_format(format_check_json, data, size);
}
