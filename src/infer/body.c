/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/body.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "infer/params.h"
#include "outside/json.h"

static void add_message(struct buf *to, const char *role, const char *content) {
    (void)buf_format(to, "{\"role\":\"%s\",\"content\":", role); /* no limit: none of these can fail */
    (void)buf_json_string(to, content);
    (void)buf_text_add(to, "},");
}

void body_chat(const char *model, const char *system, const struct template_turn *turns, size_t count,
    const char *params, struct buf *to) {
    static const char *const roles[] = {[TEMPLATE_USER] = "user", [TEMPLATE_ANSWER] = "assistant"};
    (void)buf_text_add(to, "{\"model\":");
    (void)buf_json_string(to, model);
    (void)buf_text_add(to, ",\"messages\":[");
    if (*system)
        add_message(to, "system", system);
    for (size_t i = 0; i < count; i++)
        add_message(to, roles[turns[i].role], turns[i].text);
    to->len -= count > 0; /* the last comma */
    (void)buf_text_add(to, "],\"stream\":true,\"stream_options\":{\"include_usage\":true}");
    params_print(params, to);
    (void)buf_text_add(to, "}");
}

/* The user's own are the ones that are sent: OpenAI takes four, and ours are watched for here as well. */
static bool has_stop(const char *params) {
    return strncmp(params, "stop ", 5) == 0 || strstr(params, "\nstop ");
}

void body_completion(const char *model, const struct template_family *family, const char *system,
    const struct template_turn *turns, size_t count, const char *params, struct buf *to) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    template_print(family, system, turns, count, &text);
    (void)buf_text_add(to, "{\"model\":");
    (void)buf_json_string(to, model);
    (void)buf_text_add(to, ",\"prompt\":");
    (void)buf_json_string(to, buf_text(&text));
    (void)buf_text_add(to, ",\"stream\":true,\"stream_options\":{\"include_usage\":true}");
    params_print(params, to);
    for (size_t i = 0; family && family->stops[i] && !has_stop(params); i++) {
        (void)buf_text_add(to, i ? "," : ",\"stop\":[");
        (void)buf_json_string(to, family->stops[i]);
        (void)buf_text_add(to, family->stops[i + 1] ? "" : "]");
    }
    (void)buf_text_add(to, "}");
}

void body_embed(const char *model, const char *text, struct buf *to) {
    (void)buf_text_add(to, "{\"model\":");
    (void)buf_json_string(to, model);
    (void)buf_text_add(to, ",\"input\":");
    (void)buf_json_string(to, text);
    (void)buf_text_add(to, "}");
}

/* The text is kept byte for byte, but for a new first member: engines take the last of two equal ones or the
 * first, so the user's own must go. It is found by walking the text, which jansson has judged before. */
static size_t skip_string(const char *text, size_t at) {
    for (at++; text[at] != '"'; at++)
        at += text[at] == '\\';
    return at + 1;
}

static size_t skip_value(const char *text, size_t at) {
    int depth = 0;
    for (;; at++) {
        if (text[at] == '"')
            at = skip_string(text, at) - 1;
        else if (text[at] == '{' || text[at] == '[')
            depth++;
        else if (text[at] == '}' || text[at] == ']') {
            if (!depth--)
                return at; /* of the object around it */
        } else if (text[at] == ',' && !depth)
            return at;
    }
}

static size_t skip_blank(const char *text, size_t at) {
    return at + strspn(text + at, " \t\r\n");
}

/* Is that member's name "model" to anybody who reads it? It may be written with escapes, and some readers
 * (those in Go) take no notice of case. */
static bool is_model(const char *name, size_t len) {
    JSON_CLEANUP struct json *document = NULL;
    struct buf array BUF_CLEANUP = BUF_INIT;
    (void)buf_format(&array, "[%.*s]", (int)len, name); /* a request's size fits an int */
    if (json_parse(buf_text(&array), array.len, &document, NULL) < 0)
        return false;
    const char *text = json_text(json_at(document, 0), NULL);
    return text && strcasecmp(text, "model") == 0;
}

/* Copies the members of the object at `text` but `model`, each with a comma before it. */
static void copy_members(const char *text, struct buf *to) {
    size_t at = skip_blank(text, 0) + 1;
    while (text[at = skip_blank(text, at)] != '}') {
        size_t name = at, end = skip_string(text, at);
        bool ours = is_model(text + name, end - name);
        at = skip_value(text, end);
        if (!ours) {
            (void)buf_text_add(to, ",");
            (void)buf_add(to, text + name, at - name);
        }
        at += text[at] == ',';
    }
}

int body_raw(const char *model, const char *text, size_t len, struct buf *to, bool *ret_stream,
    struct reason *reason) {
    JSON_CLEANUP struct json *document = NULL;
    struct reason why;
    if (json_parse(text, len, &document, &why) < 0)
        return err_because(reason, -EINVAL, "the request is no JSON: %s", why.text);
    if (json_type_of(document) != JSON_OBJECT)
        return err_because(reason, -EINVAL, "the request is no JSON object: {\"messages\": […]} is one");
    (void)buf_text_add(to, "{\"model\":");
    (void)buf_json_string(to, model);
    copy_members(text, to);
    (void)buf_text_add(to, "}");
    *ret_stream = json_bool(json_get(document, "stream"), false);
    return 0;
}

int body_check(const char *text, size_t len, struct reason *reason) {
    for (size_t at = 0; at < len;) {
        size_t step = utf8_char(text + at, len - at);
        if (!step || !text[at])
            return err_because(reason, -EINVAL, "it is no text: the byte at offset %zu is %s", at,
                step ? "a NUL" : "no UTF-8");
        at += step;
    }
    return 0;
}
