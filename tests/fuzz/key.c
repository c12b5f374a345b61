/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, as users write them, in a line: what is parsed can be written, and is parsed again to the same. */
#include "hf-fuzz.h"
#include "model/variant.h"

static void check_key(const struct name_key *key) {
    char text[NAME_KEY_SIZE + 8];
    struct name_key again;
    struct buf BUF_CLEANUP whole = BUF_INIT;
    name_format(key->source, key->model, text);
    (void)buf_text_add(&whole, text);
    if (*key->variant)
        (void)buf_format(&whole, ":%s", key->variant);
    if (*key->revision)
        (void)buf_format(&whole, "@%s", key->revision);
    must(name_parse(buf_text(&whole), &again, NULL) == 0);
    must(!strcmp(again.source, key->source) && !strcmp(again.model, key->model) &&
         !strcmp(again.variant, key->variant) && !strcmp(again.revision, key->revision));
    must(strcmp(key->source, "hf") || source_hf.is_name(key->model));
    must((strcmp(key->source, "hf") || !strstr(key->model, "..")) && *key->model && *key->model != '.' &&
         *key->model != '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct name_key key;
    struct reason reason;
    char variant[NAME_VARIANT_SIZE];
    size -= size && data[size - 1] == '\n';
    char *text = mem_new(size + 1);
    memcpy(text, data, size);
    if (name_parse(text, &key, &reason) == 0)
        check_key(&key);
    if (variant_of(text, variant))
        must(*variant && strlen(variant) < sizeof variant);
    must(!name_is_revision(text) || (*text != '/' && !strstr(text, "..")));
    free(text);
    return 0;
}
