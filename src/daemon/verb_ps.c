/* SPDX-License-Identifier: Apache-2.0 */
/* weightfs ps: which models are loaded, and which jobs are under way. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "daemon/jobs.h"
#include "daemon/json_list.h"
#include "daemon/say.h"
#include "daemon/subject.h"
#include "daemon/table.h"
#include "daemon/tree_file.h"
#include "daemon/verbs.h"
#include "outside/json.h"

static const char *const heads[] = {"LOADED", "STATE", "ENGINE", ">MEMORY", ">ANSWERING", ">WAITING",
    ">ANSWERED", ">TOKENS/S", NULL};

struct loaded {
    struct table table;
    struct json_list list;
    bool as_json;
};

/* ---- a row each */

static const char *number_of(const struct json *status, const char *name, char to[static 24]) {
    int64_t number;
    if (!json_number(json_get(status, name), &number))
        return NULL;
    (void)snprintf(to, 24, "%lld", (long long)number);
    return to;
}

static void add_row(struct table *table, const struct json *status) {
    char memory[HUMAN_SIZE], number[24];
    int64_t bytes;
    bool known = json_number(json_get(status, "memory_used"), &bytes) && bytes > 0;
    table_add(table, json_text(json_get(status, "model"), NULL));
    table_add(table, json_text(json_get(status, "state"), NULL));
    table_add(table, json_text(json_get(status, "engine"), NULL));
    table_add(table, known ? human_bytes(memory, (uint64_t)bytes) : NULL);
    table_add(table, number_of(status, "answering", number));
    table_add(table, number_of(status, "waiting", number));
    table_add(table, number_of(status, "answered", number));
    table_add(table, number_of(status, "tokens_per_second", number));
}

static int add_model(struct loaded *loaded, const char *folder, const char *link) {
    BUF_CLEANUP struct buf dir = BUF_INIT, text = BUF_INIT;
    JSON_CLEANUP struct json *status = NULL;
    (void)buf_format(&dir, "%s/%s/infer", folder, link);
    int error = tree_file_read(buf_text(&dir), "status.json", &text);
    if (error >= 0)
        error = json_parse(buf_text(&text), text.len, &status, NULL);
    if (error == -ENOENT || error == -ESTALE)
        return 0; /* it was unloaded while we looked */
    if (error >= 0 && loaded->as_json)
        json_list_add(&loaded->list, buf_text(&text));
    else if (error >= 0)
        add_row(&loaded->table, status);
    return error < 0 ? error : 0;
}

static int is_name(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static int add_all(struct loaded *loaded, const char *folder) {
    struct dirent **entries;
    int count = scandir(folder, &entries, is_name, alphasort), error = count < 0 ? -errno : 0;
    for (int i = 0; i < count; i++) {
        if (error >= 0)
            error = add_model(loaded, folder, entries[i]->d_name);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return error;
}

/* ---- the verb */

static int print_loaded(const char *mount, bool as_json) {
    BUF_CLEANUP struct buf folder = BUF_INIT;
    struct loaded loaded = {.as_json = as_json};
    struct reason reason = {""};
    (void)buf_format(&folder, "%s/by/loaded", mount);
    table_init(&loaded.table, heads);
    if (as_json)
        json_list_begin(&loaded.list);
    int error = add_all(&loaded, buf_text(&folder));
    if (as_json)
        json_list_end(&loaded.list); /* so that what was printed can be read, whatever happened */
    else if (error >= 0)
        table_print(&loaded.table, stdout);
    table_done(&loaded.table);
    if (error >= 0)
        return WEIGHTFS_EXIT_OK;
    subject_because(&reason, error, mount, buf_text(&folder));
    return say(WEIGHTFS_EXIT_FATAL, "%s", reason.text);
}

int verb_ps(int argc, char **argv) {
    const char *value, *named = NULL;
    struct subject subject;
    bool as_json = false;
    int flag;
    flags_begin();
    while ((flag = flags_next(jobs_flags, argc, argv, &value)) > 0) {
        if (flag == FLAG_JSON)
            as_json = true;
        else
            named = value;
    }
    if (flag < 0)
        return WEIGHTFS_EXIT_USAGE;
    if (optind != argc)
        return verb_usage(argv[0]);
    int code = subject_find(named, NULL, &subject);
    if (code)
        return code;
    if (as_json)
        fputs("{\"loaded\":", stdout);
    code = print_loaded(subject.mount, as_json);
    fputs(as_json ? ",\"jobs\":" : "\n", stdout);
    int jobs_code = jobs_print(subject.mount, true, as_json);
    if (as_json)
        fputs("}\n", stdout);
    return code ? code : jobs_code;
}
