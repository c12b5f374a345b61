/* SPDX-License-Identifier: Apache-2.0 */
/* Values of settings as people write them: sizes, stamps, and any option of the store. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct option_row *const tables[] = {store_options, NULL};
    TEXT_CLEANUP char *text = mem_new(size + 1);
    memcpy(text, data, size);
    uint64_t bytes;
    int64_t stamp;
    (void)bytes_parse(text, &bytes);
    (void)clock_parse(text, &stamp);
    struct options *options = options_new(tables);
    struct reason reason = {""};
    const struct option_row *row;
    for (size_t i = 0; (row = options_row(options, i)); i++) {
        char value[256], origin[64];
        if (options_set(options, row->name, text, "fuzz", &reason))
            continue;
        options_show(options, i, value, sizeof value, origin, sizeof origin);
        /* What is shown is accepted again. */
        if (*value && options_set(options, row->name, value, "fuzz", NULL))
            abort();
    }
    if (options_set(options, text, "1", "fuzz", &reason) == -ERR_UNKNOWN_OPTION && !*reason.text)
        abort();
    options_free(options);
    return 0;
}
