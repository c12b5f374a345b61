/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file of declared engines: taken whole, or refused with a sentence. */
#include <stdlib.h>
#include <string.h>

#include "model/declared.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const struct declared *declared) {
    const struct placeholder values[] = {{"port", "1"}, {"name", "n"}, {NULL, NULL}};
    const struct declaration *it;
    for (size_t i = 0; (it = declared_at(declared, i)); i++) {
        struct buf text BUF_CLEANUP = BUF_INIT;
        if (declared_find(declared, it->name) != it || !it->patterns[0])
            abort();
        if (it->kind != DECLARED_COMMAND) {
            if (!it->url || strlen(it->url) >= DECLARED_URL_SIZE)
                abort();
            continue;
        }
        if (declaration_uses(it, "port") == declaration_uses(it, "socket"))
            abort();
        for (size_t word = 0; it->command[word]; word++)
            declared_expand(it->command[word], values, &text);
        (void)declaration_fits(it, buf_text(&text));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct reason reason = {""};
    struct declared *declared DECLARED_CLEANUP = NULL;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    if (declared_read("fuzz.json", text, size, false, &declared, &reason) == 0)
        look_at(declared);
    else if (!*reason.text)
        abort();
    free(text);
    return 0;
}
