/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file of the registry: taken whole, or refused with a sentence. */
#include <stdlib.h>
#include <string.h>

#include "model/registry_inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const struct registry *registry) {
    const struct registry_entry *entry;
    for (size_t i = 0; (entry = registry_entry(registry, i)); i++) {
        if (registry_find(registry, entry->key) != entry)
            abort();
        for (size_t alias = 0; entry->aliases[alias]; alias++)
            if (registry_find(registry, entry->aliases[alias]) != entry)
                abort();
        for (const struct option_row *row = entry->settings; row->name; row++)
            if (!*row->name || !row->help)
                abort();
    }
    (void)registry_nearest(registry, "hf:acme/tiny");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct reason reason = {""};
    struct registry *registry REGISTRY_CLEANUP = NULL;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    (void)registry_line_of(text, size, "models", 3);
    if (registry_read("fuzz.json", text, size, &registry, &reason) == 0)
        look_at(registry);
    else if (!*reason.text)
        abort();
    free(text);
    return 0;
}
