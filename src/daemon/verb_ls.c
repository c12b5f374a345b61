/* SPDX-License-Identifier: Apache-2.0 */
/* weightfs ls: the models that are known, or the files of one. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "daemon/json_list.h"
#include "daemon/say.h"
#include "daemon/subject.h"
#include "daemon/table.h"
#include "daemon/tree_file.h"
#include "daemon/verbs.h"
#include "model/name.h"
#include "outside/json.h"
#include "weightfs/source.h"

#define FOLDERS_DEEP 32 /* model/name.h allows 16 in a path */

const struct flag ls_flags[] = {
    FLAG_MOUNT,
    {'l', "long", NULL, "more columns: variant, commit and pin of models; digests of files"},
    FLAG_AS_JSON,
    {0, NULL, NULL, NULL},
};

/* ---- walking */

struct listing {
    struct table table;
    struct json_list list;
    bool is_long, as_json;
    size_t root_len; /* how much of a path is not shown */
};

typedef int visit_function(struct listing *listing, const char *path);

/* Calls `visit` for each name in `dir`, in order of names. */
static int each_name(struct listing *listing, const char *dir, visit_function *visit) {
    struct dirent **entries;
    int count = scandir(dir, &entries, NULL, alphasort), error = count < 0 ? -errno : 0;
    for (int i = 0; i < count; i++) {
        BUF_CLEANUP struct buf path = BUF_INIT;
        bool is_link_of_folder =
            strcmp(entries[i]->d_name, ".") == 0 || strcmp(entries[i]->d_name, "..") == 0;
        buf_format(&path, "%s/%s", dir, entries[i]->d_name);
        if (error >= 0 && !is_link_of_folder)
            error = visit(listing, buf_text(&path));
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return error;
}

/* ---- models */

static const char *bytes_of(const struct json *status, const char *name, char to[static HUMAN_SIZE]) {
    int64_t bytes;
    return json_number(json_get(status, name), &bytes) && bytes >= 0 ? human_bytes(to, (uint64_t)bytes)
                                                                     : NULL;
}

static int add_model(struct listing *listing, const char *dir) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    JSON_CLEANUP struct json *status = NULL;
    char size[HUMAN_SIZE], cached[HUMAN_SIZE], commit[13];
    int error = tree_file_read(dir, "status.json", &text);
    if (error >= 0)
        error = json_parse(buf_text(&text), text.len, &status, NULL);
    if (error == -ENOENT || error == -ESTALE)
        return 0; /* forgotten while we looked */
    if (error < 0)
        return error;
    if (listing->as_json) {
        json_list_add(&listing->list, buf_text(&text));
        return 0;
    }
    table_add(&listing->table, json_text(json_get(status, "key"), NULL));
    table_add(&listing->table, json_text(json_get(status, "state"), NULL));
    table_add(&listing->table, bytes_of(status, "bytes_total", size));
    table_add(&listing->table, bytes_of(status, "bytes_cached", cached));
    if (listing->is_long) {
        const char *id = json_text(json_get(status, "commit"), NULL);
        snprintf(commit, sizeof(commit), "%s", id ? id : "");
        table_add(&listing->table, json_text(json_get(status, "variant"), NULL));
        table_add(&listing->table, json_bool(json_get(status, "pinned"), false) ? "pinned" : NULL);
        table_add(&listing->table, commit);
    }
    return 0;
}

/* In Ollama's folder there are models too: they have a colon. */
static int add_group(struct listing *listing, const char *dir) {
    const char *name = strrchr(dir, '/');
    if (name && strchr(name, ':'))
        return add_model(listing, dir);
    return each_name(listing, dir, add_model);
}

/* How many folders of `path` (behind the mount) are there: 0 for the mount itself. */
static unsigned depth_of(const char *path) {
    unsigned depth = 0;
    for (const char *at = path; *at; at++)
        depth += at[0] == '/' && at[1];
    return depth;
}

/* All models below `dir`, which lies `depth` folders below the mount: SOURCE, ORG, NAME. */
#define MODEL_ITSELF 3
static int add_models(struct listing *listing, const char *dir, unsigned depth) {
    static visit_function *const visits[] = {NULL, add_group, add_model};
    if (depth >= MODEL_ITSELF)
        return add_model(listing, dir);
    if (depth > 0)
        return each_name(listing, dir, visits[depth]);
    int error = 0;
    for (size_t i = 0; source_table[i] && error >= 0; i++) {
        BUF_CLEANUP struct buf path = BUF_INIT;
        buf_format(&path, "%s/%s", dir, source_table[i]->name);
        error = each_name(listing, buf_text(&path), add_group);
    }
    return error;
}

static int list_models(struct listing *listing, const char *dir, unsigned depth) {
    static const char *const heads[] = {"KEY", "STATE", ">SIZE", ">CACHED", NULL};
    static const char *const long_heads[] = {"KEY", "STATE", ">SIZE", ">CACHED", "VARIANT", "PINNED",
        "COMMIT", NULL};
    table_init(&listing->table, listing->is_long ? long_heads : heads);
    return add_models(listing, dir, depth);
}

/* ---- files */

static const char *attribute(const char *path, const char *name, char *to, size_t size) {
    ssize_t len = lgetxattr(path, name, to, size - 1);
    to[len > 0 ? len : 0] = '\0';
    return to;
}

static const char *below(const struct listing *listing, const char *path) {
    const char *name = path + listing->root_len;
    return *name == '/' ? name + 1 : *name ? name : path;
}

static void add_file_object(struct listing *listing, const char *path, const struct stat *status) {
    static const char *const names[] = {"state", "sha256"};
    BUF_CLEANUP struct buf object = BUF_INIT;
    char text[128];
    (void)buf_text_add(&object, "{\"path\":"); /* no limit: none of these can fail */
    (void)buf_json_string(&object, below(listing, path));
    (void)buf_format(&object, ",\"size\":%lld", (long long)status->st_size);
    if (*attribute(path, "user.weightfs.cached_bytes", text, sizeof(text)))
        (void)buf_format(&object, ",\"cached_bytes\":%s", text);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char name[40];
        snprintf(name, sizeof(name), "user.weightfs.%s", names[i]);
        const char *value = attribute(path, name, text, sizeof(text));
        (void)buf_format(&object, ",\"%s\":", names[i]);
        (void)buf_json_string(&object, *value ? value : NULL);
    }
    (void)buf_text_add(&object, "}");
    json_list_add(&listing->list, buf_text(&object));
}

static int add_file(struct listing *listing, const char *path) {
    struct stat status;
    char size[HUMAN_SIZE], cached[HUMAN_SIZE], text[128];
    if (lstat(path, &status) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (S_ISDIR(status.st_mode))
        return depth_of(path + listing->root_len) > FOLDERS_DEEP ? -ELOOP
                                                                 : each_name(listing, path, add_file);
    if (!S_ISREG(status.st_mode))
        return 0;
    if (listing->as_json) {
        add_file_object(listing, path, &status);
        return 0;
    }
    const char *here = attribute(path, "user.weightfs.cached_bytes", text, sizeof(text));
    table_add(&listing->table, human_bytes(size, (uint64_t)status.st_size));
    table_add(&listing->table, *here ? human_bytes(cached, strtoull(here, NULL, 10)) : NULL);
    table_add(&listing->table, attribute(path, "user.weightfs.state", text, sizeof(text)));
    if (listing->is_long)
        table_add(&listing->table, attribute(path, "user.weightfs.sha256", text, sizeof(text)));
    table_add(&listing->table, below(listing, path));
    return 0;
}

static int list_files(struct listing *listing, const char *path) {
    static const char *const heads[] = {">SIZE", ">CACHED", "STATE", "FILE", NULL};
    static const char *const long_heads[] = {">SIZE", ">CACHED", "STATE", "SHA256", "FILE", NULL};
    table_init(&listing->table, listing->is_long ? long_heads : heads);
    listing->root_len = strlen(path);
    return add_file(listing, path);
}

/* ---- the verb */

/* A path in the mount: models above a model's folder, files in it and below. */
static int list_path(struct listing *listing, const char *mount, const char *path) {
    const char *behind = path + (strcmp(mount, "/") == 0 ? 0 : strlen(mount));
    bool is_remote;
    unsigned depth = depth_of(behind);
    unsigned model_depth = subject_model_depth(behind + strspn(behind, "/"), &is_remote);
    if (!model_depth || (is_remote && depth == model_depth))
        return list_models(listing, path, model_depth ? MODEL_ITSELF : depth);
    BUF_CLEANUP struct buf files = BUF_INIT;
    buf_format(&files, "%s%s", path, depth == model_depth ? "/files" : "");
    return list_files(listing, buf_text(&files));
}

/* What the word on the command line means, as a path in the mount. */
static int decide_path(const struct subject *subject, char path[static PATH_MAX], struct reason *reason) {
    char key[NAME_KEY_SIZE], variant[NAME_VARIANT_SIZE];
    if (subject->path[0])
        return realpath(subject->path, path) ? 0
                                             : subject_because(reason, -errno, subject->mount, subject->path);
    return subject->key[0] ? tree_file_find_model(subject->mount, subject->key, path, key, variant, reason)
                           : text_copy(path, PATH_MAX, subject->mount);
}

int verb_ls(int argc, char **argv) {
    struct listing listing = {.is_long = false};
    struct reason reason = {""};
    const char *value, *named = NULL;
    struct subject subject;
    char path[PATH_MAX];
    int flag;
    flags_begin();
    while ((flag = flags_next(ls_flags, argc, argv, &value)) > 0) {
        switch (flag) {
        case 'm': named = value; break;
        case 'l': listing.is_long = true; break;
        case FLAG_JSON: listing.as_json = true; break;
        }
    }
    if (flag < 0)
        return WEIGHTFS_EXIT_USAGE;
    if (argc - optind > 1)
        return verb_usage(argv[0]);
    int code = subject_find(named, argv[optind], &subject);
    if (code)
        return code;
    int error = decide_path(&subject, path, &reason);
    if (error < 0)
        return say(WEIGHTFS_EXIT_FAILURE, "%s", err_text(&reason, error));
    if (listing.as_json)
        json_list_begin(&listing.list);
    error = list_path(&listing, subject.mount, path);
    if (listing.as_json)
        json_list_end(&listing.list);
    else if (error >= 0)
        table_print(&listing.table, stdout);
    table_done(&listing.table);
    if (error < 0) {
        subject_because(&reason, error, subject.mount, path);
        return say(WEIGHTFS_EXIT_FATAL, "%s", reason.text);
    }
    return WEIGHTFS_EXIT_OK;
}
