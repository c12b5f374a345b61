/* SPDX-License-Identifier: Apache-2.0 */
/* A pickle, or what hides one. */
#include "format-fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_format(format_check_pickle, data, size);
}
