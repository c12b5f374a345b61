/* SPDX-License-Identifier: Apache-2.0 */
/* weightfs jobs: the jobs that there are; ps shows those that are open. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "daemon/json_list.h"
#include "daemon/jobs.h"
#include "daemon/say.h"
#include "daemon/subject.h"
#include "daemon/table.h"
#include "daemon/tree_file.h"
#include "daemon/verbs.h"
#include "outside/json.h"

const struct flag jobs_flags[] = {FLAG_MOUNT, FLAG_AS_JSON, {0, NULL, NULL, NULL}};

static const char *const heads[] = {"JOB", "KIND", "MODEL", "STATE", ">DONE", ">TOTAL", ">LEFT", "REASON",
    NULL};

struct jobs {
    struct table table;
    struct json_list list;
    bool as_json, open_only;
};

static bool is_open(const char *state) {
    static const char *const words[] = {"queued", "running", "paused"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (state && strcmp(state, words[i]) == 0)
            return true;
    return false;
}

static const char *bytes_of(const struct json *status, const char *name, char to[static HUMAN_SIZE]) {
    int64_t bytes;
    return json_number(json_get(status, name), &bytes) && bytes > 0 ? human_bytes(to, (uint64_t)bytes) : NULL;
}

static void add_row(struct table *table, const char *id, const struct json *status) {
    char done[HUMAN_SIZE], total[HUMAN_SIZE], left[HUMAN_SIZE];
    int64_t seconds;
    bool known = json_number(json_get(status, "eta_s"), &seconds) && seconds >= 0;
    table_add(table, id);
    table_add(table, json_text(json_get(status, "kind"), NULL));
    table_add(table, json_text(json_get(status, "model"), NULL));
    table_add(table, json_text(json_get(status, "state"), NULL));
    table_add(table, bytes_of(status, "bytes_done", done));
    table_add(table, bytes_of(status, "bytes_total", total));
    table_add(table, known ? human_seconds(left, (uint64_t)seconds) : NULL);
    table_add(table, json_text(json_get(status, "reason"), NULL));
}

static int add_job(struct jobs *jobs, const char *folder, const char *id) {
    BUF_CLEANUP struct buf dir = BUF_INIT, text = BUF_INIT;
    JSON_CLEANUP struct json *status = NULL;
    (void)buf_format(&dir, "%s/%s", folder, id);
    int error = tree_file_read(buf_text(&dir), "status.json", &text);
    if (error >= 0)
        error = json_parse(buf_text(&text), text.len, &status, NULL);
    if (error == -ENOENT || error == -ESTALE)
        return 0; /* it left the history while we looked */
    if (error < 0)
        return error;
    if (jobs->open_only && !is_open(json_text(json_get(status, "state"), NULL)))
        return 0;
    if (jobs->as_json)
        json_list_add(&jobs->list, buf_text(&text));
    else
        add_row(&jobs->table, id, status);
    return 0;
}

static int by_number(const struct dirent **a, const struct dirent **b) {
    size_t left = strlen((*a)->d_name), right = strlen((*b)->d_name);
    return left != right ? (left > right) - (left < right) : strcmp((*a)->d_name, (*b)->d_name);
}

static int is_number(const struct dirent *entry) {
    return entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
}

static int add_all(struct jobs *jobs, const char *folder) {
    struct dirent **entries;
    int count = scandir(folder, &entries, is_number, by_number), error = count < 0 ? -errno : 0;
    for (int i = 0; i < count; i++) {
        if (error >= 0)
            error = add_job(jobs, folder, entries[i]->d_name);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return error;
}

static int list(struct jobs *jobs, const char *mount) {
    BUF_CLEANUP struct buf folder = BUF_INIT;
    struct reason reason = {""};
    (void)buf_format(&folder, "%s/jobs", mount);
    table_init(&jobs->table, heads);
    if (jobs->as_json)
        json_list_begin(&jobs->list);
    int error = add_all(jobs, buf_text(&folder));
    if (jobs->as_json)
        json_list_end(&jobs->list); /* so that what was printed can be read, whatever happened */
    else if (error >= 0)
        table_print(&jobs->table, stdout);
    table_done(&jobs->table);
    if (error >= 0)
        return WEIGHTFS_EXIT_OK;
    subject_because(&reason, error, mount, buf_text(&folder));
    return say(WEIGHTFS_EXIT_FATAL, "%s", reason.text);
}

int jobs_print(const char *mount, bool open_only, bool as_json) {
    struct jobs jobs = {.open_only = open_only, .as_json = as_json};
    return list(&jobs, mount);
}

int verb_jobs(int argc, char **argv) {
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
    return code ? code : jobs_print(subject.mount, false, as_json);
}
