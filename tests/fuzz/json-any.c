/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as JSON, and every getter on whatever comes of them. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "outside/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visit(const struct json *value, int depth) {
    int64_t number;
    size_t len;
    const char *text = json_text(value, &len);
    if (text && strlen(text) != len)
        abort();
    (void)json_number(value, &number);
    (void)json_bool(value, false);
    (void)json_type_of(value);
    if (depth > 16)
        return;
    for (size_t i = 0; i < json_count(value); i++)
        visit(json_at(value, i), depth + 1);
    void *iterator = NULL;
    const char *key;
    const struct json *member;
    while (json_next(value, &iterator, &key, &member)) {
        if (json_get(value, key) != member)
            abort();
        visit(member, depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct reason reason = {""};
    JSON_CLEANUP struct json *document = NULL;
    if (!json_parse((const char *)data, size, &document, &reason))
        visit(document, 0);
    else if (!*reason.text)
        abort();
    return 0;
}
