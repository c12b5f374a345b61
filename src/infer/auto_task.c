/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of task a prompt is. */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "infer/auto_choice.h"
#include "outside/json.h"

#define LOOK_BYTES 65536 /* of a prompt: what it is about stands at its beginning */
#define ENOUGH     2     /* points that make it a task for a model of code */

static const char *const names[AUTO_TASK_COUNT] = {
    [AUTO_CHAT] = "chat",
    [AUTO_CODE] = "code",
    [AUTO_VISION] = "vision",
    [AUTO_EMBED] = "embedding",
};

const char *auto_task_name(enum auto_task task) {
    return (unsigned)task < AUTO_TASK_COUNT ? names[task] : "unknown";
}

/* ---- code: each of these counts once */

struct sign {
    const char *text;
    int points;
    bool is_word; /* letters and digits must not touch it */
};

static const struct sign signs[] = {
    {"```", 2, false},
    {"#include", 2, false},
    {"#!/bin/", 2, false},
    {"code", 2, true},
    {"refactor", 2, true},
    {"compile", 2, true},
    {"compiler", 2, true},
    {"debug", 2, true},
    {"traceback", 2, true},
    {"stack trace", 2, true},
    {"segfault", 2, true},
    {"segmentation fault", 2, true},
    {"regex", 2, true},
    {"regular expression", 2, true},
    {"unit test", 2, true},
    {"unit tests", 2, true},
    {"pull request", 2, true},
    {"python", 2, true},
    {"javascript", 2, true},
    {"typescript", 2, true},
    {"golang", 2, true},
    {"c++", 2, true},
    {"c#", 2, true},
    {"kotlin", 2, true},
    {"sql", 2, true},
    {"bash", 2, true},
    {"shell script", 2, true},
    {"dockerfile", 2, true},
    {"makefile", 2, true},
    {"html", 2, true},
    {"css", 2, true},
    {"def ", 1, true},
    {"import ", 1, true},
    {"function", 1, true},
    {"functions", 1, true},
    {"method", 1, true},
    {"class", 1, true},
    {"bug", 1, true},
    {"script", 1, true},
    {"java", 1, true},
    {"rust", 1, true},
    {"ruby", 1, true},
    {"php", 2, true},
    {"swift", 1, true},
    {"algorithm", 1, true},
    {"variable", 1, true},
    {"loop", 1, true},
    {"array", 1, true},
    {"parser", 1, true},
    {"implement", 1, true},
    {"program", 1, true},
    {"select * from", 2, true},
    {"();", 1, false},
    {");\n", 1, false},
    {"{\n", 1, false},
    {"=>", 1, false},
    {"->", 1, false},
    {"::", 1, false},
    {"==", 1, false},
    {"!=", 1, false},
    {"</", 1, false},
};
#define SIGN_COUNT (sizeof signs / sizeof signs[0])

/* Codes that are no programs. */
static const char *const other_codes[] = {"zip ", "postal ", "area ", "dress ", "country ", "penal ",
    "civil ", "morse ", "qr ", "promo ", "discount ", "access ", "genetic ", "building ", "tax "};

static bool is_letter(char byte) {
    return isalnum((unsigned char)byte) || byte == '_' || (byte & 0x80);
}

static bool is_other_code(const char *text, size_t at) {
    for (size_t i = 0; i < sizeof other_codes / sizeof other_codes[0]; i++) {
        size_t len = strlen(other_codes[i]);
        if (at >= len && memcmp(text + at - len, other_codes[i], len) == 0)
            return true;
    }
    return strncmp(text + at, "code of ", 8) == 0; /* conduct, law, silence */
}

static bool is_sign_at(const struct sign *sign, const char *text, size_t at) {
    size_t end = at + strlen(sign->text);
    if (!sign->is_word)
        return true;
    if ((at && is_letter(text[at - 1])) || (is_letter(text[end - 1]) && is_letter(text[end])))
        return false;
    return strcmp(sign->text, "code") != 0 || !is_other_code(text, at);
}

static bool has_sign(const char *text, const struct sign *sign) {
    for (const char *at = text; (at = strstr(at, sign->text)); at++)
        if (is_sign_at(sign, text, (size_t)(at - text)))
            return true;
    return false;
}

/* The text in lower case, without its NULs. */
static char *lower(const char *text, size_t len) {
    len = len < LOOK_BYTES ? len : LOOK_BYTES;
    char *copy = mem_array(len + 1, 1);
    for (size_t i = 0; i < len; i++)
        copy[i] = text[i] ? (char)tolower((unsigned char)text[i]) : ' ';
    return copy;
}

/* The sign as it is told: without line ends and blanks behind it. */
static void name_sign(const struct sign *sign, char ret_why[static AUTO_WHY_SIZE]) {
    int len = (int)strcspn(sign->text, "\n");
    while (len && sign->text[len - 1] == ' ')
        len--;
    snprintf(ret_why, AUTO_WHY_SIZE, "%s \"%.*s\"", sign->is_word ? "the word" : "the sign", len, sign->text);
}

static enum auto_task task_of_text(const char *text, size_t len, char ret_why[static AUTO_WHY_SIZE]) {
    char *words TEXT_CLEANUP = lower(text, len);
    const struct sign *best = NULL;
    int points = 0;
    for (size_t i = 0; i < SIGN_COUNT; i++)
        if (has_sign(words, &signs[i])) {
            points += signs[i].points;
            best = !best || signs[i].points > best->points ? &signs[i] : best;
        }
    if (points < ENOUGH) {
        snprintf(ret_why, AUTO_WHY_SIZE, "plain words");
        return AUTO_CHAT;
    }
    name_sign(best, ret_why);
    return AUTO_CODE;
}

/* ---- requests in JSON */

static bool has_image(const struct json *content) {
    for (size_t i = 0; i < json_count(content); i++) {
        const char *type = json_text(json_get(json_at(content, i), "type"), NULL);
        if (type && (!strcmp(type, "image_url") || !strcmp(type, "input_image") || !strcmp(type, "image")))
            return true;
    }
    return false;
}

/* A message's text: a string, or the parts that are texts. */
static void add_text(const struct json *content, struct buf *to) {
    const char *text = json_text(content, NULL);
    (void)buf_text_add(to, text ? text : ""); /* no limit, as below */
    for (size_t i = 0; i < json_count(content); i++) {
        text = json_text(json_get(json_at(content, i), "text"), NULL);
        (void)buf_text_add(to, text ? text : "");
        (void)buf_text_add(to, "\n");
    }
}

/* Any picture of the talk is looked at again at each turn; what it is about the last turn tells. */
static enum auto_task task_of_request(const char *text, size_t len, char ret_why[static AUTO_WHY_SIZE]) {
    JSON_CLEANUP struct json *document = NULL;
    struct buf words BUF_CLEANUP = BUF_INIT;
    struct reason never;
    if (json_parse(text, len, &document, &never) < 0)
        return AUTO_CHAT; /* refused before */
    const struct json *messages = json_get(document, "messages");
    for (size_t i = 0; i < json_count(messages); i++) {
        const struct json *message = json_at(messages, i);
        const char *role = json_text(json_get(message, "role"), NULL);
        if (has_image(json_get(message, "content"))) {
            snprintf(ret_why, AUTO_WHY_SIZE, "an image in it");
            return AUTO_VISION;
        }
        if (!role || strcmp(role, "user") != 0)
            continue;
        buf_clear(&words);
        add_text(json_get(message, "content"), &words);
    }
    add_text(json_get(document, "prompt"), &words);
    return task_of_text(buf_text(&words), words.len, ret_why);
}

enum auto_task auto_task_of(enum infer_shape shape, const char *text, size_t len,
    char ret_why[static AUTO_WHY_SIZE]) {
    snprintf(ret_why, AUTO_WHY_SIZE, "plain words");
    switch (shape) {
    case INFER_EMBED:
    case INFER_EMBEDDING: snprintf(ret_why, AUTO_WHY_SIZE, "a vector is wanted"); return AUTO_EMBED;
    case INFER_REQUEST:
    case INFER_COMPLETION: return task_of_request(text, len, ret_why);
    default: return task_of_text(text, len, ret_why);
    }
}
