/* SPDX-License-Identifier: Apache-2.0 */
/* The text of one file of declarations. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/declared_inside.h"
#include "model/registry_inside.h" /* registry_line_of() */

#define VERSION_KNOWN 1

int declaring_refuse(const struct declaring *file, const char *member, const char *format, ...) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    size_t line =
        file->index == SIZE_MAX ? 0 : registry_line_of(file->text, file->len, "engines", file->index);
    if (line)
        (void)buf_format(&text, "line %zu: ", line); /* no limit: none of these can fail */
    (void)buf_format(&text, "%s%s%s%s", file->where, *file->where && *member ? "." : "", member,
        *file->where || *member ? ": " : "");
    va_list args;
    va_start(args, format);
    (void)buf_vformat(&text, format, args);
    va_end(args);
    return err_because(file->reason, -ERR_CONFIG, "%s", buf_text(&text));
}

static int refuse_unknown(const struct declaring *file, const struct json *object,
    const char *(*name_at)(size_t index)) {
    void *iterator = NULL;
    const char *member, *name;
    const struct json *value;
    while (json_next(object, &iterator, &member, &value)) {
        const char *nearest = "";
        bool known = false;
        for (size_t i = 0; (name = name_at(i)) && !known; i++) {
            known = !strcmp(member, name);
            if (!*nearest || text_distance(member, name) < text_distance(member, nearest))
                nearest = name;
        }
        if (!known)
            return declaring_refuse(file, "", "it has no member \"%.64s\"; the nearest is \"%s\"", member,
                nearest);
    }
    return 0;
}

/* What only the whole of it tells. */
static int check_whole(const struct declaring *file, const struct declaration *it) {
    bool socket, port;
    if (it->kind != DECLARED_COMMAND)
        return 0;
    socket = declaration_uses(it, "socket");
    port = declaration_uses(it, "port");
    if (socket == port)
        return declaring_refuse(file, "command",
            "it says %s: {socket} (a Unix socket's path) or {port} (on 127.0.0.1)",
            socket ? "both, one is wanted" : "not where the server has to listen");
    if (!it->patterns)
        return declaring_refuse(file, "models",
            "it has to say for which models: keys or patterns of them, as \"hf:acme/*\"");
    return 0;
}

static int read_declaration(struct declaring *file, const struct json *value) {
    static const char *const none[] = {NULL}, *const any[] = {"*", NULL};
    struct declaration it = {.environment = none, .health = "/health", .api = "/v1", .model = "{name}"};
    struct reason why = {""};
    if (json_type_of(value) != JSON_OBJECT)
        return declaring_refuse(file, "",
            "wanted is an object: {\"name\": …, \"url\": …} or {\"name\": …, "
            "\"command\": …}");
    if (!json_get(value, "name"))
        return declaring_refuse(file, "", "it has no \"name\"");
    int result = declaring_members(file, value, &it);
    if (result == 0)
        result = refuse_unknown(file, value, declaring_member);
    if (result == 0 && it.kind != DECLARED_COMMAND && !it.url)
        return declaring_refuse(file, "", "it has neither \"url\" nor \"command\"");
    if (result == 0)
        result = check_whole(file, &it);
    if (result < 0)
        return result;
    it.patterns = it.patterns ? it.patterns : any;
    return declared_add(file->declared, &it, &why) < 0 ? declaring_refuse(file, "", "%s", why.text) : 0;
}

static const char *document_member_at(size_t index) {
    static const char *const names[] = {"version", "comment", "engines"};
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}

static int read_document(struct declaring *file, const struct json *document) {
    const struct json *given = json_get(document, "version"), *list = json_get(document, "engines");
    int64_t version = VERSION_KNOWN;
    if (json_type_of(document) != JSON_OBJECT)
        return declaring_refuse(file, "", "line 1: wanted is an object: {\"engines\": […]}");
    if (given && (!json_number(given, &version) || version != VERSION_KNOWN))
        return declaring_refuse(file, "version", "this weightfs understands version %d", VERSION_KNOWN);
    int result = refuse_unknown(file, document, document_member_at);
    if (result == 0 && json_type_of(list) != JSON_ARRAY)
        return declaring_refuse(file, "engines", "wanted is an array of objects");
    if (result == 0 && json_count(list) > DECLARED_MOST)
        return declaring_refuse(file, "engines", "there are more than %d", DECLARED_MOST);
    for (size_t i = 0; i < json_count(list) && result == 0; i++) {
        file->index = i;
        (void)snprintf(file->where, sizeof file->where, "engines[%zu]", i);
        result = read_declaration(file, json_at(list, i));
    }
    return result;
}

int declared_take(struct declared *declared, const char *origin, const char *text, size_t len,
    bool allow_http, struct reason *reason) {
    struct declaring file = {.declared = declared,
        .text = text,
        .len = len,
        .index = SIZE_MAX,
        .allow_http = allow_http,
        .reason = reason};
    JSON_CLEANUP struct json *document = NULL;
    size_t before = declared->count;
    int result = json_parse(text, len, &document, reason) < 0 ? -ERR_CONFIG : read_document(&file, document);
    if (result < 0) {
        declared->count = before; /* all of a file, or nothing; what was kept for it goes with the rest */
        return result;
    }
    const char *kept = declared_keep_text(declared, origin);
    for (size_t i = before; i < declared->count; i++)
        declared->list[i].origin = kept;
    return 0;
}
