/* SPDX-License-Identifier: Apache-2.0 */
/* Files into a registry: each is looked at beside what is there already, and taken whole or not at all. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/path.h"
#include "model/registry_inside.h"

static void add_fault(struct registry *registry, const char *file, const char *sentence) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    (void)buf_format(&text, "%s: %s", file, sentence); /* no limit */
    registry->faults = mem_resize(registry->faults, registry->fault_count + 1, sizeof *registry->faults);
    registry->faults[registry->fault_count++] = buf_take(&text);
}

/* ---- a file beside what is there ---- */

static void at_patch(struct reading *reading, size_t index) {
    reading->entry = index;
    (void)snprintf(reading->where, sizeof reading->where, "models[%zu] (%.120s)", index,
        reading->patches[index].entry.key);
}

static int refuse_twice(struct reading *reading, const struct registry_name *name) {
    at_patch(reading, name->entry);
    return reading_refuse(reading, "", "\"%s\" stands there twice, as a key or as an alias", name->name);
}

/* No name twice in the file. */
static int check_names(struct reading *reading) {
    size_t count = 0;
    for (size_t i = 0; i < reading->patch_count; i++)
        for (size_t alias = 0; reading->patches[i].entry.aliases[alias]; alias++)
            count++;
    count += reading->patch_count;
    struct registry_name *names = mem_array(count ? count : 1, sizeof *names);
    count = 0;
    for (size_t i = 0; i < reading->patch_count; i++) {
        const struct registry_entry *entry = &reading->patches[i].entry;
        names[count++] = (struct registry_name){entry->key, i, false};
        for (size_t alias = 0; entry->aliases[alias]; alias++)
            names[count++] = (struct registry_name){entry->aliases[alias], i, false};
    }
    registry_sort_names(names, count);
    int result = 0;
    for (size_t i = 1; i < count && result == 0; i++)
        if (!strcmp(names[i - 1].name, names[i].name))
            result = refuse_twice(reading, &names[i]);
    free(names);
    return result;
}

/* A name of one entry must not be one of another that an earlier file made. */
static int check_against(struct reading *reading, size_t index) {
    const struct registry *registry = reading->registry;
    const struct registry_entry *entry = &reading->patches[index].entry;
    const struct registry_name *key = registry_name_find(registry, entry->key);
    at_patch(reading, index);
    if (key && strcmp(registry->entries[key->entry].key, entry->key))
        return reading_refuse(reading, "key", "is an alias of %s, in another file",
            registry->entries[key->entry].key);
    for (size_t alias = 0; entry->aliases[alias]; alias++) {
        const struct registry_name *other = registry_name_find(registry, entry->aliases[alias]);
        if (other && (!key || other->entry != key->entry))
            return reading_refuse(reading, "aliases", "\"%s\" is a name of %s, in another file", other->name,
                registry->entries[other->entry].key);
    }
    return 0;
}

static const char *const no_aliases[] = {NULL};
static const struct option_row no_settings[] = {{.name = NULL}};

static void merge(struct registry *registry, const struct registry_patch *patch, const char *file) {
    const struct registry_name *known = registry_name_find(registry, patch->entry.key);
    struct registry_entry *entry = known ? &registry->entries[known->entry] : NULL;
    if (!entry) {
        size_t count = registry->count++;
        if (!(count & (count - 1)))
            registry->entries =
                mem_resize(registry->entries, count ? 2 * count : 1, sizeof *registry->entries);
        entry = &registry->entries[count];
        *entry = (struct registry_entry){.category = "other",
            .description = "",
            .variant = "",
            .aliases = no_aliases,
            .settings = no_settings};
    }
    registry_patch_apply(patch, entry);
    entry->parts = patch->entry.parts;
    entry->file = file;
}

static int take_file(struct registry *registry, const char *name, const char *text, size_t len,
    struct reason *reason) {
    struct reading reading = {.registry = registry,
        .text = text,
        .len = len,
        .entry = SIZE_MAX,
        .reason = reason};
    int result = reading_run(&reading);
    if (result == 0)
        result = check_names(&reading);
    for (size_t i = 0; i < reading.patch_count && result == 0; i++)
        result = check_against(&reading, i);
    if (result == 0 && registry->count + reading.patch_count > REGISTRY_ENTRIES_MOST) {
        reading.entry = SIZE_MAX;
        (void)text_copy(reading.where, sizeof reading.where, "models"); /* it fits */
        result = reading_refuse(&reading, "", "with it there would be more than %d", REGISTRY_ENTRIES_MOST);
    }
    const char *file = result == 0 ? registry_keep_text(registry, name) : NULL;
    for (size_t i = 0; i < reading.patch_count && result == 0; i++)
        merge(registry, &reading.patches[i], file);
    if (result == 0)
        registry_index(registry);
    reading_done(&reading);
    return result;
}

int registry_read(const char *name, const char *text, size_t len, struct registry **ret_registry,
    struct reason *reason) {
    struct registry *registry REGISTRY_CLEANUP = registry_new();
    int result = take_file(registry, name, text, len, reason);
    if (result < 0)
        return result;
    *ret_registry = registry_ref(registry);
    return 0;
}

/* ---- from the disk ---- */

static void load_file(struct registry *registry, int dir_fd, const char *name, const char *path) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    struct reason reason = {""};
    int result = path_read(dir_fd, name, REGISTRY_FILE_MOST, &text);
    if (result == -EFBIG)
        (void)err_because(&reason, result, "it is larger than %u MiB", REGISTRY_FILE_MOST >> 20);
    if (result == 0)
        result = take_file(registry, path, buf_text(&text), text.len, &reason);
    if (result < 0)
        add_fault(registry, path, err_text(&reason, result));
}

static int is_wanted(const struct dirent *entry) {
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 5 && !strcmp(entry->d_name + len - 5, ".json");
}

static int by_bytes(const struct dirent **one, const struct dirent **other) {
    return strcmp((*one)->d_name, (*other)->d_name);
}

static void load_folder(struct registry *registry, const char *folder) {
    FD_CLEANUP int dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0) {
        if (errno != ENOENT)
            add_fault(registry, folder, err_sentence(-errno));
        return;
    }
    struct dirent **found = NULL;
    int count = scandirat(dir_fd, ".", &found, is_wanted, by_bytes);
    if (count < 0)
        add_fault(registry, folder, err_sentence(-errno));
    for (int i = 0; i < count; i++) {
        struct buf path BUF_CLEANUP = BUF_INIT;
        (void)buf_format(&path, "%s/%s", folder, found[i]->d_name); /* no limit */
        if (i < REGISTRY_FILES_MOST)
            load_file(registry, dir_fd, found[i]->d_name, buf_text(&path));
        free(found[i]);
    }
    free(found);
    if (count > REGISTRY_FILES_MOST)
        add_fault(registry, folder, "it has more than 256 files; the first 256 count");
}

struct registry *registry_load(const char *shipped, const char *folder) {
    struct registry *registry = registry_new();
    if (shipped && *shipped)
        load_file(registry, AT_FDCWD, shipped, shipped);
    if (folder && *folder)
        load_folder(registry, folder);
    return registry;
}
