/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of models and what is told of one, as a stranger's server may write them. The first byte chooses. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "weightfs/source.h"

static void must(bool held) {
    if (!held)
        abort();
}

static struct declared *declare(void) {
    static const char text[] = "{\"engines\":[{\"name\":\"work\",\"url\":\"http://127.0.0.1/v1\"},"
                               "{\"name\":\"box\",\"kind\":\"ollama\",\"url\":\"http://127.0.0.1\"}]}";
    struct declared *declared = NULL;
    must(declared_read("fuzz", text, sizeof text - 1, false, &declared, NULL) == 0);
    return declared;
}

static void check(const struct source *source, const struct roster *roster) {
    must(roster->count <= ROSTER_MOST);
    for (size_t i = 0; i < roster->count; i++) {
        const struct roster_model *model = &roster->models[i];
        char key[NAME_KEY_SIZE], folder[NAME_FOLDER_SIZE], back[NAME_MODEL_SIZE];
        struct name_key parsed;
        struct card CARD_CLEANUP card = {.type_count = 0};
        must(source->is_name(model->name));
        name_format(source->name, model->name, key);
        must(name_parse(key, &parsed, NULL) == 0 && !strcmp(parsed.model, model->name));
        must(name_to_folder(model->name, folder) == 0 &&
             name_from_folder(folder, strlen(folder), back) == 0 && !strcmp(back, model->name));
        must(card_parse_json(model->card, strlen(model->card), &card) == 0);
        must(i == 0 || strcmp(roster->models[i - 1].name, model->name) < 0);
        must(roster_find(roster, model->name) == model);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct {
        const struct source *source;
        const char *place, *model;
    } talks[] = {
        {&source_openai, "work", ""},
        {&source_ollama, "", ""},
        {&source_ollama, "", "gemma2:9b"},
    };
    if (!size)
        return 0;
    const struct source *source = talks[data[0] % 3].source;
    struct declared *declared = declare();
    void *talk = source->list_new(declared, talks[data[0] % 3].place, talks[data[0] % 3].model);
    struct source_ask ask = {0}, next = {0};
    struct roster *roster = NULL;
    struct reason reason = {""};
    struct buf BUF_CLEANUP fields = BUF_INIT;
    must(source->list_next(talk, NULL, &ask, &roster, NULL) == SOURCE_ASK);
    struct http_head head = {.status = 200, .url = ask.url, .is_last = true, .fields = &fields};
    struct source_answer answer = {.status = data[0] & 0x80 ? 404 : 200,
        .url = ask.url,
        .body = (const char *)data + 1,
        .body_len = size - 1,
        .head = &head};
    int result = source->list_next(talk, &answer, &next, &roster, &reason);
    must(result != SOURCE_ASK && (result == SOURCE_DONE) == (roster != NULL));
    must(result >= 0 || reason.text[0]);
    if (roster)
        check(source, roster);
    roster_free(roster);
    source_ask_done(&ask);
    source->list_free(talk);
    declared_unref(declared);
    return 0;
}
