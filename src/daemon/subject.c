/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/subject.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "daemon/errand.h"
#include "daemon/mounts.h"
#include "daemon/say.h"
#include "daemon/tree_file.h"
#include "model/name.h"
#include "outside/json.h"
#include "weightfs/source.h"

#define ANSWER_MS 30000

int subject_because(struct reason *reason, int error, const char *mount, const char *what) {
    switch (error) {
    case -ENOTCONN:
    case -ECONNABORTED:
        return err_because(reason, error,
            "%s: its daemon has died; `weightfs mount %s` mounts it again, `weightfs umount %s` takes it "
            "away",
            mount, mount, mount);
    case -ETIMEDOUT:
        return err_because(reason, error,
            "%s: its daemon does not answer (is it stopped?); `weightfs umount -l %s` takes the mount away",
            mount, mount);
    default: return err_because(reason, error, "%s: %s", what, err_sentence(error));
    }
}

/* The source that `path` begins with a folder of, and what is behind the slash; NULL. */
static const struct source *source_of(const char *path, const char **ret_behind) {
    char name[NAME_SOURCE_SIZE];
    size_t len = strcspn(path, "/");
    if (len >= sizeof(name))
        return NULL;
    memcpy(name, path, len);
    name[len] = '\0';
    *ret_behind = path + len + strspn(path + len, "/");
    return source_find(name);
}

/* How much of `path`, behind the source's folder, is the model's: 0 when it ends before. *ret_parts:
 * folders. */
static size_t model_len(const struct source *source, const char *path, unsigned *ret_parts) {
    size_t len = 0;
    for (unsigned part = 1; part <= (source->parts ? source->parts : 2); part++) {
        size_t start = len + (part > 1), part_len = strcspn(path + start, "/");
        if (part_len == 0)
            return 0;
        len = start + part_len;
        *ret_parts = part;
        if (!source->parts && memchr(path + start, ':', part_len))
            return len;
        if (path[len] != '/' && part < source->parts)
            return 0;
    }
    return source->parts ? len : 0;
}

unsigned subject_model_depth(const char *below, bool *ret_is_remote) {
    const char *model;
    unsigned parts = 0;
    const struct source *source = source_of(below, &model);
    *ret_is_remote = source && source->is_remote;
    return source && model_len(source, model, &parts) ? 1 + parts : 0;
}

int subject_key_of(const char *below, char *to, size_t size) {
    const char *model;
    unsigned parts;
    char name[NAME_MODEL_SIZE];
    const struct source *source = source_of(below, &model);
    size_t len = source ? model_len(source, model, &parts) : 0;
    if (!len || name_from_folder(model, len, name) < 0)
        return -ENOENT;
    int written = snprintf(to, size, "%s:%s", source->name, name);
    return written < 0 || (size_t)written >= size ? -ENAMETOOLONG : 0;
}

static bool begins_as_path(const char *word) {
    return *word == '/' || strcmp(word, ".") == 0 || strcmp(word, "..") == 0 || strncmp(word, "./", 2) == 0 ||
           strncmp(word, "../", 3) == 0;
}

/* `word` as a path from the current folder. -ENOENT when it is in no mount. */
static int find_path(const char *word, struct subject *subject, struct reason *reason) {
    MOUNTS_CLEANUP struct mounts mounts = MOUNTS_INIT;
    int error = mounts_resolve(word, subject->path, sizeof(subject->path));
    if (error >= 0)
        error = mounts_read(&mounts);
    if (error < 0)
        return err_because(reason, error, "%s: %s", word, err_sentence(error));
    const struct mount_entry *entry = mounts_containing(&mounts, subject->path);
    if (!entry)
        return err_because(reason, -ENOENT, "%s: no weightfs is mounted there", word);
    text_copy(subject->mount, sizeof(subject->mount), entry->point);
    const char *below = subject->path + (strcmp(entry->point, "/") == 0 ? 0 : strlen(entry->point));
    if (subject_key_of(below + strspn(below, "/"), subject->key, sizeof(subject->key)) < 0)
        subject->key[0] = '\0';
    return 0;
}

/* A word that is no key may be what completion put there: it counts when it leads below a source. */
static bool is_completed_path(const char *word, struct subject *subject) {
    struct name_key key;
    const char *below;
    if (name_parse(word, &key, NULL) >= 0 || find_path(word, subject, NULL) < 0)
        return false;
    below = subject->path + strlen(subject->mount);
    return source_of(below + strspn(below, "/"), &below) != NULL;
}

static int find(const char *named, const char *word, struct subject *subject, struct reason *reason) {
    if (word && begins_as_path(word))
        return find_path(word, subject, reason);
    bool is_below_mount = word && subject_key_of(word, subject->key, sizeof(subject->key)) == 0;
    if (word && !is_below_mount && is_completed_path(word, subject))
        return 0;
    subject->path[0] = '\0';
    int error = mounts_find(named, subject->mount, sizeof(subject->mount), reason);
    if (error < 0 || !word)
        return error;
    if (!is_below_mount)
        return text_copy(subject->key, sizeof(subject->key), word) < 0
                   ? err_because(reason, -ERR_BAD_NAME, "%.100s…: too long for a name", word)
                   : 0;
    int written = snprintf(subject->path, sizeof(subject->path), "%s/%s", subject->mount, word);
    return written < 0 || (size_t)written >= sizeof(subject->path)
               ? err_because(reason, -ENAMETOOLONG, "%.100s…: %s", word, err_sentence(-ENAMETOOLONG))
               : 0;
}

/* A short name of the catalogue of known models ("vosk:vi") becomes the key that it stands for. What can't be
 * read says so where the key is looked up. */
static void resolve_alias(struct subject *subject) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    JSON_CLEANUP struct json *document = NULL;
    if (subject->path[0] || !subject->key[0] || strchr(subject->key, '/') ||
        tree_file_read(subject->mount, "catalogue.json", &text) < 0 ||
        json_parse(buf_text(&text), text.len, &document, NULL) < 0)
        return;
    const struct json *models = json_get(document, "models");
    for (size_t i = 0; i < json_count(models); i++) {
        const struct json *aliases = json_get(json_at(models, i), "aliases");
        const char *key = json_text(json_get(json_at(models, i), "key"), NULL);
        for (size_t k = 0; key && k < json_count(aliases); k++) {
            const char *alias = json_text(json_at(aliases, k), NULL);
            if (alias && strcmp(alias, subject->key) == 0) {
                text_copy(subject->key, sizeof(subject->key), key);
                return;
            }
        }
    }
}

int subject_find(const char *named, const char *word, struct subject *ret_subject) {
    struct subject subject = {.path = ""};
    struct reason reason = {""};
    if (word && !*word)
        return say(WEIGHTFS_EXIT_FAILURE, "a KEY or PATH is empty");
    int error = find(named, word, &subject, &reason);
    if (error >= 0) {
        error = errand_run(errand_look_at_mount, subject.mount, ANSWER_MS);
        if (error < 0)
            subject_because(&reason, error, subject.mount, subject.mount);
    }
    if (error < 0) {
        MOUNTS_CLEANUP struct mounts mounts = MOUNTS_INIT;
        say(WEIGHTFS_EXIT_FATAL, "%s", err_text(&reason, error));
        if (error == -EEXIST && mounts_read(&mounts) == 0)
            mounts_print(&mounts, stderr);
        return WEIGHTFS_EXIT_FATAL;
    }
    resolve_alias(&subject);
    *ret_subject = subject;
    return WEIGHTFS_EXIT_OK;
}
