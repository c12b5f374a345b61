/* SPDX-License-Identifier: Apache-2.0 */
/* A page of a model's tree, as a stranger may write it. */
#include "hf-fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char info[] = "{\"id\":\"org/m\",\"sha\":\"" COMMIT "\",\"gated\":\"auto\"}";
    discover(info, sizeof info - 1, (const char *)data, size);
    return 0;
}
