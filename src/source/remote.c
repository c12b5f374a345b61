/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a declared endpoint, and what its refusals mean. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/card_inside.h"
#include "source/remote.h"

#define LIST_LIMIT ((size_t)8 << 20)
#define SHOWN      160

struct remote_talk *remote_talk_new(struct declared *declared, const struct declaration *declaration,
    const char *place, const char *model) {
    struct remote_talk *talk = mem_new(sizeof *talk);
    size_t len = strlen(place);
    talk->declared = declared_ref(declared);
    talk->declaration = declaration;
    if (len && !strncmp(model, place, len) && model[len] == '/')
        model += len + 1;
    /* What does not fit is no name: nothing of it is found. */
    (void)text_copy(talk->place, sizeof talk->place, place);
    (void)text_copy(talk->model, sizeof talk->model, model);
    return talk;
}

void remote_talk_free(void *context) {
    struct remote_talk *talk = context;
    if (!talk)
        return;
    declared_unref(talk->declared);
    free(talk);
}

int remote_ask(struct remote_talk *talk, const char *path, char *post, struct source_ask *ret_ask,
    struct reason *reason) {
    TEXT_CLEANUP char *body = post;
    char key[DECLARED_KEY_SIZE];
    struct buf url = BUF_INIT;
    int result = declaration_authorization(talk->declaration, key, reason);
    if (result < 0)
        return result;
    (void)buf_format(&url, "%s%s", talk->declaration->url, path); /* no limit: can't fail */
    struct source_ask ask = {.url = buf_take(&url),
        .accept = "application/json",
        .body_limit = LIST_LIMIT,
        .authorization = *key ? mem_text(key) : NULL,
        .post = body};
    body = NULL;
    explicit_bzero(key, sizeof key);
    talk->with_key = ask.authorization != NULL;
    talk->asked = true;
    *ret_ask = ask;
    return SOURCE_ASK;
}

/* ---- answers ---- */

static const struct {
    int status, error, error_without_key;
    const char *sentence;
} meanings[] = {
    {401, -ERR_TOKEN, -EACCES, "the key is wanted or not accepted"},
    {403, -ERR_TOKEN, -EACCES, "the key is wanted or may not do this"},
    {404, -ERR_UNKNOWN_MODEL, -ERR_UNKNOWN_MODEL, "there is no such model or interface"},
    {408, -ERR_SERVER, -ERR_SERVER, "the server took too long"},
    {429, -ERR_RATE_LIMITED, -ERR_RATE_LIMITED, "too many questions"},
};

/* The server's own words: {"error": "…"} or {"error": {"message": "…"}}; "". */
static void words_of(const struct source_answer *answer, char to[static SHOWN]) {
    JSON_CLEANUP struct json *document = NULL;
    to[0] = '\0';
    if (json_parse(answer->body, answer->body_len, &document, NULL) < 0)
        return;
    const struct json *error = json_get(document, "error");
    const char *words =
        json_text(json_type_of(error) == JSON_OBJECT ? json_get(error, "message") : error, NULL);
    struct card line = {.type_count = 0};
    CARD_SET(&line, fault, words); /* made fit for a line */
    (void)snprintf(to, SHOWN, ": %.150s", line.fault);
    if (!*line.fault)
        to[0] = '\0';
}

int remote_judge(const struct remote_talk *talk, const struct source_answer *answer, struct reason *reason) {
    char shown[SHOWN], words[SHOWN];
    unsigned wait_s;
    if (answer->result < 0)
        return err_because(reason, answer->result, "%s", err_text(answer->reason, answer->result));
    if (answer->status == 200)
        return 0;
    http_url_for_people(answer->url, shown, sizeof shown);
    words_of(answer, words);
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        if (meanings[i].status != answer->status)
            continue;
        int error = talk->with_key ? meanings[i].error : meanings[i].error_without_key;
        if (error == -ERR_RATE_LIMITED && http_head_retry_after(answer->head, &wait_s))
            return err_because(reason, error, "%s at %s, it may be asked again in %u s", meanings[i].sentence,
                shown, wait_s);
        return err_because(reason, error, "%s (%s answered %d%s)", meanings[i].sentence, shown,
            answer->status, words);
    }
    return err_because(reason, answer->status / 100 == 5 ? -ERR_SERVER : -ERR_STATUS, "%s answered %d%s",
        shown, answer->status, words);
}

int remote_parse(const struct source_answer *answer, struct json **ret_document, struct reason *reason) {
    char shown[SHOWN];
    struct reason why = {""};
    struct json *document = NULL;
    http_url_for_people(answer->url, shown, sizeof shown);
    int result = json_parse(answer->body, answer->body_len, &document, &why);
    if (result < 0)
        return err_because(reason, result, "%s: %s", shown, err_text(&why, result));
    if (json_type_of(document) != JSON_OBJECT) {
        json_free(document);
        return err_because(reason, -ERR_ANSWER, "%s: its answer is no object", shown);
    }
    *ret_document = document;
    return 0;
}

/* ---- what is listed ---- */

uint64_t remote_number(const struct json *value) {
    int64_t number;
    return json_number(value, &number) && number > 0 ? (uint64_t)number : 0;
}

void remote_add(const struct remote_talk *talk, struct roster *roster, const char *name, const char *digest,
    struct card *card, bool whole) {
    struct buf BUF_CLEANUP full = BUF_INIT;
    if (!declaration_fits(talk->declaration, name) || (*talk->model && strcmp(talk->model, name) != 0))
        return;
    (void)buf_format(&full, "%s%s%s", talk->place, *talk->place ? "/" : "", name); /* no limit: can't fail */
    card->whole = whole;
    if (!name_is_served(name)) {
        roster->refused++;
        return;
    }
    roster_add(roster, buf_text(&full), digest, card, whole);
}
