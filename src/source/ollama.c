/* SPDX-License-Identifier: Apache-2.0 */
/* Models of a running Ollama: GET /api/tags lists them, POST /api/show tells about one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/card_inside.h"
#include "source/remote.h"

static bool is_name(const char *model) {
    char whole[NAME_MODEL_SIZE];
    return name_of_ollama(model, whole) == 0 && !strcmp(whole, model);
}

/* There is one server, and its place is the source itself. */
static bool place(const struct declared *declared, size_t index, struct source_place *ret_place) {
    const struct declaration *declaration = declared_ollama(declared);
    if (!declaration || index)
        return false;
    *ret_place = (struct source_place){"", declaration->url};
    return true;
}

static void *list_new(struct declared *declared, const char *name, const char *model) {
    return remote_talk_new(declared, declared_ollama(declared), name, model);
}

/* ---- what is told ---- */

/* "9.2B": rounded, as it is told. */
static uint64_t count_of(const char *text) {
    static const struct {
        char unit;
        double factor;
    } units[] = {
        {'K', 1e3},
        {'M', 1e6},
        {'B', 1e9},
        {'T', 1e12},
    };
    char *end;
    double number = text && *text >= '0' && *text <= '9' ? strtod(text, &end) : 0;
    for (size_t i = 0; number > 0 && number < 1e6 && i < sizeof units / sizeof units[0]; i++)
        if (end[0] == units[i].unit && !end[1])
            return (uint64_t)(number * units[i].factor);
    return 0;
}

static void read_details(const struct json *details, struct card *card) {
    CARD_SET(card, architecture, json_text(json_get(details, "family"), NULL));
    CARD_SET(card, quantisation, json_text(json_get(details, "quantization_level"), NULL));
    card_set_number(&card->parameters, count_of(json_text(json_get(details, "parameter_size"), NULL)));
    card_set_number(&card->context_length, remote_number(json_get(details, "context_length")));
    card_set_number(&card->embedding_length, remote_number(json_get(details, "embedding_length")));
}

static void read_capabilities(const struct json *capabilities, struct card *card) {
    static const struct { /* the first that it has counts */
        const char *capability, *category;
    } categories[] = {
        {"embedding", "embedding"},
        {"vision", "multimodal"},
        {"completion", "llm"},
    };
    bool has[sizeof categories / sizeof categories[0]] = {false};
    for (size_t i = 0; i < json_count(capabilities); i++) {
        const char *word = json_text(json_at(capabilities, i), NULL);
        if (!word)
            continue;
        card_add_text(card->capabilities, sizeof card->capabilities, word);
        for (size_t k = 0; k < sizeof has / sizeof has[0]; k++)
            has[k] = has[k] || !strcmp(word, categories[k].capability);
    }
    for (size_t k = 0; k < sizeof has / sizeof has[0]; k++)
        if (has[k])
            CARD_SET(card, category, categories[k].category);
}

static const struct json *of_architecture(const struct json *info, const char *architecture,
    const char *name) {
    char key[CARD_TEXT + 64];
    (void)snprintf(key, sizeof key, "%s.%s", architecture, name); /* fits */
    return json_get(info, key);
}

/* The head of the GGUF file, as `model_info`. */
static void read_info(const struct json *info, struct card *card) {
    const char *architecture = json_text(json_get(info, "general.architecture"), NULL);
    CARD_SET(card, architecture, architecture);
    card_set_number(&card->parameters, remote_number(json_get(info, "general.parameter_count")));
    if (!architecture || strlen(architecture) >= CARD_TEXT)
        return;
    card_set_number(&card->context_length,
        remote_number(of_architecture(info, architecture, "context_length")));
    card_set_number(&card->embedding_length,
        remote_number(of_architecture(info, architecture, "embedding_length")));
    card_set_number(&card->layers, remote_number(of_architecture(info, architecture, "block_count")));
}

/* ---- the two questions ---- */

static void add(const struct remote_talk *talk, struct roster *roster, const struct json *model) {
    const char *told = json_text(json_get(model, "name"), NULL);
    char name[NAME_MODEL_SIZE];
    struct card CARD_CLEANUP card = {.type_count = 0};
    if (!told || strlen(told) >= sizeof name || name_of_ollama(told, name) < 0) {
        roster->refused++;
        return;
    }
    read_details(json_get(model, "details"), &card);
    read_capabilities(json_get(model, "capabilities"), &card);
    CARD_SET(&card, owner, json_text(json_get(model, "remote_host"), NULL));
    card.weights_bytes = remote_number(json_get(model, "size"));
    remote_add(talk, roster, name, json_text(json_get(model, "digest"), NULL), &card, false);
}

static int read_list(const struct remote_talk *talk, const struct source_answer *answer,
    struct roster *roster, struct reason *reason) {
    JSON_CLEANUP struct json *document = NULL;
    int result = remote_parse(answer, &document, reason);
    if (result < 0)
        return result;
    const struct json *models = json_get(document, "models");
    if (json_type_of(models) != JSON_ARRAY && json_type_of(models) != JSON_NULL) /* Go's empty one */
        return err_because(reason, -ERR_ANSWER, "%s: there is no list `models` in its answer",
            talk->declaration->url);
    for (size_t i = 0; i < json_count(models); i++)
        add(talk, roster, json_at(models, i));
    roster->all = true;
    return 0;
}

static int read_one(const struct remote_talk *talk, const struct source_answer *answer, struct roster *roster,
    struct reason *reason) {
    JSON_CLEANUP struct json *document = NULL;
    struct card CARD_CLEANUP card = {.type_count = 0};
    int result = remote_parse(answer, &document, reason);
    if (result < 0)
        return result;
    read_info(json_get(document, "model_info"), &card); /* it is more exact than the details */
    read_details(json_get(document, "details"), &card);
    read_capabilities(json_get(document, "capabilities"), &card);
    CARD_SET(&card, owner, json_text(json_get(document, "remote_host"), NULL));
    CARD_SET(&card, licence, json_text(json_get(document, "license"), NULL));
    remote_add(talk, roster, talk->model, NULL, &card, true);
    return roster->count ? 0
                         : err_because(reason, -ERR_UNKNOWN_MODEL,
                               "it is none of the models that the declaration shows");
}

static int list_next(void *context, const struct source_answer *answer, struct source_ask *ret_ask,
    struct roster **ret_roster, struct reason *reason) {
    struct remote_talk *talk = context;
    if (!talk->declaration)
        return err_because(reason, -ERR_UNKNOWN_MODEL, "no Ollama server is declared; say ollama_url=URL");
    if (!talk->asked && !*talk->model)
        return remote_ask(talk, "/api/tags", NULL, ret_ask, reason);
    if (!talk->asked) {
        struct buf post = BUF_INIT;
        (void)buf_text_add(&post, "{\"model\":"); /* no limit: can't fail, nor can the next two */
        (void)buf_json_string(&post, talk->model);
        (void)buf_text_add(&post, "}");
        return remote_ask(talk, "/api/show", buf_take(&post), ret_ask, reason);
    }
    struct roster *roster = roster_new();
    int result = remote_judge(talk, answer, reason);
    if (result == -ERR_UNKNOWN_MODEL && !*talk->model)
        result = err_because(reason, -ERR_STATUS, "%s is no Ollama server: it has no /api/tags",
            talk->declaration->url);
    if (result == 0)
        result = (*talk->model ? read_one : read_list)(talk, answer, roster, reason);
    if (result < 0) {
        roster_free(roster);
        return result;
    }
    roster_finish(roster);
    *ret_roster = roster;
    return SOURCE_DONE;
}

const struct source source_ollama = {
    .name = "ollama",
    .help = "Models of a running Ollama, ollama/NAME:TAG and ollama/NAMESPACE/NAME:TAG; no weights are here",
    .is_remote = true,
    .is_name = is_name,
    .place = place,
    .list_new = list_new,
    .list_next = list_next,
    .list_free = remote_talk_free,
};
