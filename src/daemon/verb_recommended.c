/* SPDX-License-Identifier: Apache-2.0 */
/* weightfs recommended: models that the registry knows and recommends. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "daemon/json_list.h"
#include "daemon/say.h"
#include "daemon/subject.h"
#include "daemon/table.h"
#include "daemon/tree_file.h"
#include "daemon/verbs.h"
#include "outside/json.h"

enum { FLAG_CATEGORY = FLAG_LONG_ONLY + 1 };

const struct flag recommended_flags[] = {
    FLAG_MOUNT,
    {'a', "all", NULL, "all that the registry knows"},
    {FLAG_CATEGORY, "category", "NAME", "those of a category only: llm, vision, speech …"},
    FLAG_AS_JSON,
    {0, NULL, NULL, NULL},
};

struct request {
    const char *named, *category;
    bool all, as_json;
};

static bool is_wanted(const struct request *request, const struct json *entry) {
    const char *category = json_text(json_get(entry, "category"), NULL);
    if (request->category && (!category || strcmp(category, request->category) != 0))
        return false;
    return request->all || json_bool(json_get(entry, "recommended"), false) ||
           json_bool(json_get(entry, "required"), false);
}

static const char *word_of(const struct json *entry) {
    bool required = json_bool(json_get(entry, "required"), false);
    return required ? "required" : json_bool(json_get(entry, "recommended"), false) ? "recommended" : NULL;
}

static void add_row(struct table *table, const struct json *entry) {
    char size[HUMAN_SIZE];
    int64_t bytes;
    if (!json_number(json_get(entry, "size_bytes"), &bytes) && !json_number(json_get(entry, "size"), &bytes))
        bytes = 0;
    table_add(table, json_text(json_get(entry, "key"), NULL));
    table_add(table, json_text(json_get(entry, "category"), NULL));
    table_add(table, bytes > 0 ? human_bytes(size, (uint64_t)bytes) : NULL);
    table_add(table, word_of(entry));
    table_add(table, json_text(json_get(entry, "description"), NULL));
}

static void add_member(struct buf *to, const struct json *entry, const char *name) {
    const char *text = json_text(json_get(entry, name), NULL);
    if (!text)
        return;
    (void)buf_format(to, "%s\"%s\":", to->len > 1 ? "," : "", name); /* no limit */
    (void)buf_json_string(to, text);
}

static void print_object(struct json_list *list, const struct json *entry) {
    BUF_CLEANUP struct buf object = BUF_INIT;
    int64_t bytes;
    (void)buf_text_add(&object, "{");
    add_member(&object, entry, "key");
    add_member(&object, entry, "category");
    add_member(&object, entry, "description");
    if (json_number(json_get(entry, "size"), &bytes))
        (void)buf_format(&object, ",\"size\":%lld", (long long)bytes);
    (void)buf_format(&object, ",\"recommended\":%s,\"required\":%s}",
        json_bool(json_get(entry, "recommended"), false) ? "true" : "false",
        json_bool(json_get(entry, "required"), false) ? "true" : "false");
    json_list_add(list, buf_text(&object));
}

/* That nothing is in a category may be a slip of the pen: then the nearest that there is. */
static const char *nearest_category(const char *wanted, const struct json *models, bool *ret_known) {
    const char *nearest = NULL;
    unsigned least = UINT_MAX;
    *ret_known = false;
    for (size_t i = 0; i < json_count(models); i++) {
        const char *category = json_text(json_get(json_at(models, i), "category"), NULL);
        unsigned distance = category ? text_distance(category, wanted) : UINT_MAX;
        *ret_known |= distance == 0;
        if (distance < least) {
            least = distance;
            nearest = category;
        }
    }
    return nearest;
}

static void print(const struct request *request, const struct json *models) {
    static const char *const heads[] = {"KEY", "CATEGORY", ">SIZE", "NOTE", "DESCRIPTION", NULL};
    struct table table;
    struct json_list list;
    table_init(&table, heads);
    if (request->as_json)
        json_list_begin(&list);
    for (size_t i = 0; i < json_count(models); i++) {
        const struct json *entry = json_at(models, i);
        if (!is_wanted(request, entry))
            continue;
        if (request->as_json)
            print_object(&list, entry);
        else
            add_row(&table, entry);
    }
    if (request->as_json)
        json_list_end(&list);
    else
        table_print(&table, stdout);
    table_done(&table);
}

static int read_registry(const struct request *request, const char *mount) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    JSON_CLEANUP struct json *document = NULL;
    struct reason reason = {""};
    int error = tree_file_read(mount, "catalogue.json", &text);
    if (error == -ENOENT)
        return say(WEIGHTFS_EXIT_FAILURE,
            "there is no %s/catalogue.json: the daemon that is mounted there has no registry of models",
            mount);
    if (error < 0) {
        subject_because(&reason, error, mount, mount);
        return say(WEIGHTFS_EXIT_FATAL, "%s", reason.text);
    }
    error = json_parse(buf_text(&text), text.len, &document, &reason);
    if (error < 0)
        return say(WEIGHTFS_EXIT_FATAL, "%s/catalogue.json: %s", mount, err_text(&reason, error));
    const struct json *models =
        json_type_of(document) == JSON_ARRAY ? document : json_get(document, "models");
    bool known = true;
    const char *nearest = request->category ? nearest_category(request->category, models, &known) : NULL;
    if (!known)
        return say(WEIGHTFS_EXIT_FAILURE, "there is no category '%s'%s%s", request->category,
            nearest ? "; the nearest is " : "", nearest ? nearest : "");
    print(request, models);
    return WEIGHTFS_EXIT_OK;
}

int verb_recommended(int argc, char **argv) {
    struct request request = {.all = false};
    struct subject subject;
    const char *value;
    int flag;
    flags_begin();
    while ((flag = flags_next(recommended_flags, argc, argv, &value)) > 0) {
        switch (flag) {
        case 'm': request.named = value; break;
        case 'a': request.all = true; break;
        case FLAG_CATEGORY: request.category = value; break;
        case FLAG_JSON: request.as_json = true; break;
        }
    }
    if (flag < 0)
        return WEIGHTFS_EXIT_USAGE;
    if (optind != argc)
        return verb_usage(argv[0]);
    int code = subject_find(request.named, NULL, &subject);
    return code ? code : read_registry(&request, subject.mount);
}
