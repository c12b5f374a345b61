/* SPDX-License-Identifier: Apache-2.0 */
/* The text of one file of the registry: each member of an entry is a row. */

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/registry_inside.h"

#define VERSION_KNOWN 1
#define SETS_MOST     256
#define CATEGORY_MOST 32
#define NAME_MOST     64

int reading_refuse(const struct reading *reading, const char *member, const char *format, ...) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    size_t line = reading->entry == SIZE_MAX
                      ? 0
                      : registry_line_of(reading->text, reading->len, "models", reading->entry);
    if (line)
        (void)buf_format(&text, "line %zu: ", line); /* no limit: none of these can fail */
    (void)buf_format(&text, "%s%s%s%s", reading->where, *reading->where && *member ? "." : "", member,
        *reading->where || *member ? ": " : "");
    va_list args;
    va_start(args, format);
    (void)buf_vformat(&text, format, args);
    va_end(args);
    return err_because(reading->reason, -ERR_CONFIG, "%s", buf_text(&text));
}

int reading_text(struct reading *reading, const char *member, const struct json *value, size_t most,
    const char **ret_text) {
    size_t len = 0;
    const char *text = json_text(value, &len);
    if (!text)
        return reading_refuse(reading, member, "wanted is a text");
    if (len > most)
        return reading_refuse(reading, member, "it is longer than %zu bytes", most);
    for (const char *at = text; *at; at++)
        if (iscntrl((unsigned char)*at))
            return reading_refuse(reading, member, "wanted is one line, with no control characters");
    *ret_text = registry_keep_text(reading->registry, text);
    return 0;
}

int reading_members(const struct reading *reading, const struct json *object,
    const char *(*name_at)(size_t index)) {
    void *iterator = NULL;
    const char *member, *name;
    const struct json *value;
    while (json_next(object, &iterator, &member, &value)) {
        const char *nearest = "";
        unsigned best = 0;
        bool known = false;
        for (size_t i = 0; (name = name_at(i)) && !known; i++) {
            unsigned distance = text_distance(member, name);
            known = !strcmp(member, name);
            if (!*nearest || distance < best) {
                nearest = name;
                best = distance;
            }
        }
        if (!known)
            return reading_refuse(reading, "", "it has no member \"%.64s\"; the nearest is \"%s\"", member,
                nearest);
    }
    return 0;
}

/* ---- the members of an entry ---- */

static const char *const no_aliases[] = {NULL};
static const struct option_row no_settings[] = {{.name = NULL}};

/* A word of letters, digits and what `more` names. */
static bool is_word(const char *text, const char *more, size_t most) {
    size_t len = strlen(text);
    if (!len || len > most || !isalpha((unsigned char)text[0]))
        return false;
    for (const char *at = text; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr(more, *at))
            return false;
    return true;
}

static int read_key(struct reading *reading, const struct json *value, struct registry_entry *entry) {
    struct reason why = {""};
    char again[NAME_KEY_SIZE];
    int result = reading_text(reading, "key", value, NAME_KEY_SIZE - 1, &entry->key);
    if (result < 0)
        return result;
    if (name_parse(entry->key, &entry->parts, &why) < 0)
        return reading_refuse(reading, "key", "%s", why.text);
    const struct name_key *parts = &entry->parts;
    (void)snprintf(again, sizeof again, "%s:%s%s%s", parts->source, parts->model, *parts->variant ? ":" : "",
        parts->variant);
    if (!strcmp(parts->source, "ollama")) /* which may leave out a tag */
        entry->key = registry_keep_text(reading->registry, again);
    if (strcmp(again, entry->key) != 0)
        return reading_refuse(reading, "key", "wanted is SOURCE:NAME, with no revision: \"%s\"", again);
    return 0;
}

static int read_category(struct reading *reading, const struct json *value, struct registry_entry *entry) {
    int result = reading_text(reading, "category", value, CATEGORY_MOST, &entry->category);
    if (result == 0 && (!is_word(entry->category, "-", CATEGORY_MOST) ||
                           strpbrk(entry->category, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")))
        return reading_refuse(reading, "category", "wanted is a word in lower case, as llm or vision");
    return result;
}

static int read_description(struct reading *reading, const struct json *value, struct registry_entry *entry) {
    return reading_text(reading, "description", value, REGISTRY_HELP_MOST, &entry->description);
}

static int read_size(struct reading *reading, const struct json *value, struct registry_entry *entry) {
    int64_t number = 0;
    uint64_t bytes = 0;
    const char *text = json_text(value, NULL);
    bool good = text ? bytes_parse(text, &bytes) == 0 && bytes <= INT64_MAX
                     : json_number(value, &number) && number >= 0;
    if (!good && json_type_of(value) != JSON_NULL)
        return reading_refuse(reading, "size", "wanted is a number of bytes, or a text as \"1600MB\"");
    entry->size_bytes = text ? bytes : (uint64_t)number;
    return 0;
}

static int read_switch(struct reading *reading, const char *member, const struct json *value, bool *ret_on) {
    if (json_type_of(value) != JSON_BOOL)
        return reading_refuse(reading, member, "wanted is true or false");
    *ret_on = json_bool(value, false);
    return 0;
}

static int read_recommended(struct reading *reading, const struct json *value, struct registry_entry *entry) {
    return read_switch(reading, "recommended", value, &entry->recommended);
}

static int read_required(struct reading *reading, const struct json *value, struct registry_entry *entry) {
    return read_switch(reading, "required", value, &entry->required);
}

static int read_required_if(struct reading *reading, const struct json *value, struct registry_entry *entry) {
    entry->required_if = NULL;
    if (json_type_of(value) == JSON_NULL)
        return 0;
    int result = reading_text(reading, "required_if", value, NAME_MOST, &entry->required_if);
    if (result == 0 && !is_word(entry->required_if, "_", NAME_MOST))
        return reading_refuse(reading, "required_if",
            "wanted is the name of a setting or of the environment");
    return result;
}

static int read_variant(struct reading *reading, const struct json *value, struct registry_entry *entry) {
    entry->variant = "";
    if (json_type_of(value) == JSON_NULL)
        return 0;
    int result = reading_text(reading, "variant", value, NAME_VARIANT_SIZE - 1, &entry->variant);
    if (result == 0 && !is_word(entry->variant, "-_.", NAME_VARIANT_SIZE - 1))
        return reading_refuse(reading, "variant", "wanted is a word, as Q4_K_M");
    return result;
}

static bool is_alias(const char *text) {
    for (const char *at = text; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("-_.:/", *at))
            return false;
    return isalnum((unsigned char)text[0]);
}

static int read_aliases(struct reading *reading, const struct json *value, struct registry_entry *entry) {
    size_t count = json_count(value);
    entry->aliases = no_aliases;
    if (json_type_of(value) == JSON_NULL)
        return 0;
    if (json_type_of(value) != JSON_ARRAY)
        return reading_refuse(reading, "aliases", "wanted is an array of texts");
    if (count > REGISTRY_ALIASES_MOST)
        return reading_refuse(reading, "aliases", "there are more than %d", REGISTRY_ALIASES_MOST);
    const char **aliases = registry_keep(reading->registry, (count + 1) * sizeof *aliases);
    for (size_t i = 0; i < count; i++) {
        int result = reading_text(reading, "aliases", json_at(value, i), NAME_KEY_SIZE - 1, &aliases[i]);
        if (result < 0)
            return result;
        if (!is_alias(aliases[i]))
            return reading_refuse(reading, "aliases",
                "\"%s\": wanted are letters, digits and - _ . : /, as in \"vosk:vi\"", aliases[i]);
    }
    entry->aliases = aliases;
    return 0;
}

static int read_settings(struct reading *reading, const struct json *value, struct registry_entry *entry) {
    const char *set = json_text(value, NULL);
    entry->settings = no_settings;
    if (json_type_of(value) == JSON_NULL)
        return 0;
    if (!set)
        return reading_settings(reading, value, &entry->settings);
    for (size_t i = 0; i < reading->set_count; i++) {
        if (!strcmp(reading->sets[i].name, set)) {
            entry->settings = reading->sets[i].rows;
            return 0;
        }
    }
    return reading_refuse(reading, "settings", "this file's \"settings\" has no set \"%.64s\"", set);
}

static const struct entry_member {
    const char *name;
    int (*read)(struct reading *reading, const struct json *value, struct registry_entry *entry);
    size_t offset, size; /* of the field */
} entry_members[] = {
#define FIELD(field) offsetof(struct registry_entry, field), sizeof(((struct registry_entry *)0)->field)
    {"key", read_key, FIELD(key)}, /* first: the others' complaints name it */
    {"category", read_category, FIELD(category)},
    {"description", read_description, FIELD(description)},
    {"size", read_size, FIELD(size_bytes)},
    {"recommended", read_recommended, FIELD(recommended)},
    {"required", read_required, FIELD(required)},
    {"required_if", read_required_if, FIELD(required_if)},
    {"variant", read_variant, FIELD(variant)},
    {"aliases", read_aliases, FIELD(aliases)},
    {"settings", read_settings, FIELD(settings)},
#undef FIELD
};
#define ENTRY_MEMBERS (sizeof entry_members / sizeof *entry_members)

static const char *entry_member_at(size_t index) {
    return index < ENTRY_MEMBERS ? entry_members[index].name : NULL;
}

void registry_patch_apply(const struct registry_patch *patch, struct registry_entry *entry) {
    for (size_t i = 0; i < ENTRY_MEMBERS; i++)
        if (patch->given >> i & 1)
            memcpy((char *)entry + entry_members[i].offset,
                (const char *)&patch->entry + entry_members[i].offset, entry_members[i].size);
}

static int read_entry(struct reading *reading, const struct json *value, struct registry_patch *patch) {
    *patch = (struct registry_patch){.entry = {.aliases = no_aliases, .settings = no_settings}};
    if (json_type_of(value) != JSON_OBJECT)
        return reading_refuse(reading, "", "wanted is an object: {\"key\": \"hf:ORG/NAME\", …}");
    if (!json_get(value, "key"))
        return reading_refuse(reading, "", "it has no \"key\"");
    for (size_t i = 0; i < ENTRY_MEMBERS; i++) {
        const struct json *member = json_get(value, entry_members[i].name);
        if (!member)
            continue;
        int result = entry_members[i].read(reading, member, &patch->entry);
        if (result < 0)
            return result;
        patch->given |= 1u << i;
        if (i == 0)
            (void)snprintf(reading->where, sizeof reading->where, "models[%zu] (%.120s)", reading->entry,
                patch->entry.key);
    }
    return reading_members(reading, value, entry_member_at);
}

/* ---- the document ---- */

static int read_sets(struct reading *reading, const struct json *object) {
    void *iterator = NULL;
    const char *name;
    const struct json *value;
    if (object && json_type_of(object) != JSON_OBJECT)
        return reading_refuse(reading, "settings", "wanted is an object of arrays");
    while (json_next(object, &iterator, &name, &value)) {
        if (reading->set_count == SETS_MOST)
            return reading_refuse(reading, "settings", "there are more than %d sets", SETS_MOST);
        (void)snprintf(reading->where, sizeof reading->where, "settings.%.64s", name);
        const struct option_row *rows;
        int result = reading_settings(reading, value, &rows);
        if (result < 0)
            return result;
        reading->sets = mem_resize(reading->sets, reading->set_count + 1, sizeof *reading->sets);
        reading->sets[reading->set_count++] =
            (struct registry_set){registry_keep_text(reading->registry, name), rows};
    }
    reading->where[0] = 0;
    return 0;
}

static int read_models(struct reading *reading, const struct json *array) {
    size_t count = json_count(array);
    if (json_type_of(array) != JSON_ARRAY)
        return reading_refuse(reading, "models", "wanted is an array of objects");
    if (count > REGISTRY_ENTRIES_MOST)
        return reading_refuse(reading, "models", "there are more than %d", REGISTRY_ENTRIES_MOST);
    reading->patches = mem_array(count ? count : 1, sizeof *reading->patches);
    for (size_t i = 0; i < count; i++) {
        reading->entry = i;
        (void)snprintf(reading->where, sizeof reading->where, "models[%zu]", i);
        int result = read_entry(reading, json_at(array, i), &reading->patches[i]);
        if (result < 0)
            return result;
        reading->patch_count++;
    }
    return 0;
}

static const char *document_member_at(size_t index) {
    static const char *const names[] = {"version", "comment", "settings", "models"};
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}

static int read_document(struct reading *reading) {
    int64_t version = VERSION_KNOWN;
    const struct json *given = json_get(reading->document, "version");
    if (json_type_of(reading->document) != JSON_OBJECT)
        return reading_refuse(reading, "", "line 1: wanted is an object: {\"models\": […]}");
    if (given && (!json_number(given, &version) || version != VERSION_KNOWN))
        return reading_refuse(reading, "version", "this weightfs understands version %d", VERSION_KNOWN);
    int result = reading_members(reading, reading->document, document_member_at);
    if (result == 0)
        result = read_sets(reading, json_get(reading->document, "settings"));
    return result < 0 ? result : read_models(reading, json_get(reading->document, "models"));
}

int reading_run(struct reading *reading) {
    JSON_CLEANUP struct json *document = NULL;
    int result = json_parse(reading->text, reading->len, &document, reading->reason);
    if (result < 0)
        return -ERR_CONFIG;
    reading->document = document;
    result = read_document(reading);
    reading->document = NULL;
    return result;
}

void reading_done(struct reading *reading) {
    free(reading->patches);
    free(reading->sets);
}
