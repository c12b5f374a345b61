/* SPDX-License-Identifier: Apache-2.0 */
/* Models behind servers that speak OpenAI's interface: GET /models of each declared endpoint. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "model/card_inside.h"
#include "source/remote.h"

static bool is_name(const char *model) {
    char place[DECLARED_NAME_SIZE];
    const char *slash = strchr(model, '/');
    if (!slash || (size_t)(slash - model) >= sizeof place)
        return false;
    return name_is_served(model) && name_is_served(slash + 1);
}

static bool place(const struct declared *declared, size_t index, struct source_place *ret_place) {
    const struct declaration *declaration;
    for (size_t at = 0; (declaration = declared_at(declared, at)); at++) {
        if (declaration->kind != DECLARED_OPENAI || index--)
            continue;
        *ret_place = (struct source_place){declaration->name, declaration->url};
        return true;
    }
    return false;
}

static void *list_new(struct declared *declared, const char *name, const char *model) {
    const struct declaration *declaration = declared_find(declared, name);
    bool is_ours = declaration && declaration->kind == DECLARED_OPENAI;
    return remote_talk_new(declared, is_ours ? declaration : NULL, name, model);
}

/* As servers call it that tell: vLLM, OpenRouter and others, Groq. */
static uint64_t context_of(const struct json *model) {
    static const char *const names[] = {"max_model_len", "context_length", "context_window"};
    uint64_t number = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !number; i++)
        number = remote_number(json_get(model, names[i]));
    return number;
}

static void describe(struct card *card, const char *name) {
    /* The interface tells of no capabilities; names do, by custom. */
    CARD_SET(card, category, strcasestr(name, "embed") ? "embedding" : "llm");
}

static void add(const struct remote_talk *talk, struct roster *roster, const struct json *model) {
    const char *name = json_text(json_get(model, "id"), NULL);
    struct card CARD_CLEANUP card = {.type_count = 0};
    if (!name) {
        roster->refused++;
        return;
    }
    CARD_SET(&card, owner, json_text(json_get(model, "owned_by"), NULL));
    card.context_length = context_of(model);
    describe(&card, name);
    remote_add(talk, roster, name, NULL, &card, true);
}

/* A server without a list has what the operator says that it has: his patterns that are names. */
static void add_declared(const struct remote_talk *talk, struct roster *roster) {
    for (size_t i = 0; talk->declaration->patterns[i]; i++) {
        struct card CARD_CLEANUP card = {.type_count = 0};
        if (strpbrk(talk->declaration->patterns[i], "*?[\\"))
            continue;
        describe(&card, talk->declaration->patterns[i]);
        remote_add(talk, roster, talk->declaration->patterns[i], NULL, &card, true);
    }
}

static int read_list(const struct remote_talk *talk, const struct source_answer *answer,
    struct roster *roster, struct reason *reason) {
    JSON_CLEANUP struct json *document = NULL;
    int result = remote_parse(answer, &document, reason);
    if (result < 0)
        return result;
    const struct json *models = json_get(document, "data");
    if (json_type_of(models) != JSON_ARRAY)
        return err_because(reason, -ERR_ANSWER, "%s: there is no list `data` in its answer",
            talk->declaration->url);
    for (size_t i = 0; i < json_count(models); i++)
        add(talk, roster, json_at(models, i));
    return 0;
}

static int list_next(void *context, const struct source_answer *answer, struct source_ask *ret_ask,
    struct roster **ret_roster, struct reason *reason) {
    struct remote_talk *talk = context;
    if (!talk->declaration)
        return err_because(reason, -ERR_UNKNOWN_MODEL, "no endpoint \"%s\" is declared", talk->place);
    if (!talk->asked)
        return remote_ask(talk, "/models", NULL, ret_ask, reason);
    struct roster *roster = roster_new();
    int result = remote_judge(talk, answer, reason);
    if (result == -ERR_UNKNOWN_MODEL) {
        add_declared(talk, roster);
        if (!roster->count)
            result = err_because(reason, -ERR_STATUS,
                "%s has no list of models; name them in the endpoint's `models`", talk->declaration->url);
        else
            result = 0;
    } else if (result == 0) {
        result = read_list(talk, answer, roster, reason);
    }
    if (result == 0 && *talk->model && !roster->count)
        result = err_because(reason, -ERR_UNKNOWN_MODEL, "%s does not list it", talk->declaration->url);
    if (result < 0) {
        roster_free(roster);
        return result;
    }
    roster->all = !*talk->model;
    roster_finish(roster);
    *ret_roster = roster;
    return SOURCE_DONE;
}

const struct source source_openai = {
    .name = "openai",
    .help = "Models behind servers that speak OpenAI's interface, openai/ENDPOINT/NAME; no weights are here",
    .parts = 2,
    .is_remote = true,
    .is_name = is_name,
    .place = place,
    .list_new = list_new,
    .list_next = list_next,
    .list_free = remote_talk_free,
};
