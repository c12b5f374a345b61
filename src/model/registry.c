/* SPDX-License-Identifier: Apache-2.0 */
/* A registry once it is made: sharing it, and finding in it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/registry_inside.h"

struct registry *registry_new(void) {
    struct registry *registry = mem_new(sizeof *registry);
    atomic_init(&registry->references, 1);
    return registry;
}

struct registry *registry_ref(struct registry *registry) {
    atomic_fetch_add_explicit(&registry->references, 1, memory_order_relaxed);
    return registry;
}

void registry_unref(struct registry *registry) {
    if (!registry || atomic_fetch_sub_explicit(&registry->references, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < registry->kept_count; i++)
        free(registry->kept[i]);
    for (size_t i = 0; i < registry->fault_count; i++)
        free(registry->faults[i]);
    free(registry->kept);
    free(registry->faults);
    free(registry->names);
    free(registry->entries);
    free(registry);
}

void *registry_keep(struct registry *registry, size_t size) {
    size_t count = registry->kept_count;
    if (!(count & (count - 1))) /* room doubles at powers of two */
        registry->kept = mem_resize(registry->kept, count ? 2 * count : 1, sizeof *registry->kept);
    void *memory = mem_new(size);
    registry->kept[registry->kept_count++] = memory;
    return memory;
}

const char *registry_keep_text(struct registry *registry, const char *text) {
    size_t size = strlen(text) + 1;
    return memcpy(registry_keep(registry, size), text, size);
}

/* ---- names ---- */

static int by_name(const void *one, const void *other) {
    return strcmp(((const struct registry_name *)one)->name, ((const struct registry_name *)other)->name);
}

/* Those that files give before those that we made, and the first entry's first. */
static int by_rank(const void *one, const void *other) {
    const struct registry_name *a = one, *b = other;
    int order = by_name(a, b);
    if (!order)
        order = a->is_base - b->is_base;
    return order ? order : (a->entry > b->entry) - (a->entry < b->entry);
}

void registry_sort_names(struct registry_name *names, size_t count) {
    if (count)
        qsort(names, count, sizeof *names, by_rank);
}

/* "hf:Ultralytics/YOLO11" for an entry about one file of it. */
static const char *base_of(struct registry *registry, const struct registry_entry *entry) {
    char base[NAME_KEY_SIZE];
    name_format(entry->parts.source, entry->parts.model, base);
    return registry_keep_text(registry, base);
}

static size_t count_names(const struct registry *registry) {
    size_t count = 2 * registry->count; /* keys and bases */
    for (size_t i = 0; i < registry->count; i++)
        for (size_t alias = 0; registry->entries[i].aliases[alias]; alias++)
            count++;
    return count;
}

void registry_index(struct registry *registry) {
    size_t room = count_names(registry), count = 0;
    struct registry_name *names = mem_resize(registry->names, room ? room : 1, sizeof *names);
    for (size_t i = 0; i < registry->count; i++) {
        struct registry_entry *entry = &registry->entries[i];
        names[count++] = (struct registry_name){entry->key, i, false};
        for (size_t alias = 0; entry->aliases[alias]; alias++)
            names[count++] = (struct registry_name){entry->aliases[alias], i, false};
        if (*entry->parts.variant && !strcmp(entry->parts.source, "hf")) {
            if (!entry->base)
                entry->base = base_of(registry, entry);
            names[count++] = (struct registry_name){entry->base, i, true};
        }
    }
    registry_sort_names(names, count);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!kept || by_name(&names[kept - 1], &names[i]))
            names[kept++] = names[i];
    registry->names = names;
    registry->name_count = kept;
}

static const struct registry_name *find_name(const struct registry *registry, const char *name) {
    const struct registry_name key = {name, 0, false};
    if (!registry->name_count)
        return NULL;
    return bsearch(&key, registry->names, registry->name_count, sizeof key, by_name);
}

const struct registry_name *registry_name_find(const struct registry *registry, const char *name) {
    const struct registry_name *found = find_name(registry, name);
    return found && !found->is_base ? found : NULL;
}

const struct registry_entry *registry_entry(const struct registry *registry, size_t index) {
    return index < registry->count ? &registry->entries[index] : NULL;
}

size_t registry_count(const struct registry *registry) {
    return registry->count;
}

static const struct registry_entry *find_exactly(const struct registry *registry, const char *name) {
    const struct registry_name *found = find_name(registry, name);
    return found ? &registry->entries[found->entry] : NULL;
}

const struct registry_entry *registry_of_model(const struct registry *registry, const char *source,
    const char *model) {
    char key[NAME_KEY_SIZE];
    name_format(source, model, key);
    return find_exactly(registry, key);
}

const struct registry_entry *registry_find(const struct registry *registry, const char *name) {
    const struct registry_entry *entry = find_exactly(registry, name);
    struct name_key parts;
    char key[NAME_KEY_SIZE];
    if (entry || name_parse(name, &parts, NULL) < 0)
        return entry;
    (void)snprintf(key, sizeof key, "%s:%s:%s", parts.source, parts.model, parts.variant);
    entry = *parts.variant ? find_exactly(registry, key) : NULL;
    return entry ? entry : registry_of_model(registry, parts.source, parts.model);
}

/* ---- what is near ---- */

bool registry_has_category(const struct registry *registry, const char *category) {
    for (size_t i = 0; i < registry->count; i++)
        if (!strcmp(registry->entries[i].category, category))
            return true;
    return false;
}

const char *registry_nearest_category(const struct registry *registry, const char *category) {
    const char *nearest = NULL;
    unsigned best = 0;
    for (size_t i = 0; i < registry->count; i++) {
        unsigned distance = text_distance(category, registry->entries[i].category);
        if (!nearest || distance < best) {
            nearest = registry->entries[i].category;
            best = distance;
        }
    }
    return nearest;
}

const char *registry_nearest(const struct registry *registry, const char *name) {
    const char *nearest = NULL;
    unsigned best = 1 + (unsigned)strnlen(name, 60) / 4;
    for (size_t i = 0; i < registry->name_count; i++) {
        unsigned distance = text_distance(name, registry->names[i].name);
        if (distance < best) {
            nearest = registry->names[i].name;
            best = distance;
        }
    }
    return nearest;
}

const char *registry_fault(const struct registry *registry, size_t index) {
    return index < registry->fault_count ? registry->faults[index] : NULL;
}
