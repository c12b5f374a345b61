/* SPDX-License-Identifier: Apache-2.0 */
/* Required models: which they are, which are missing, and that the store keeps them. */

#include <stdlib.h>
#include <string.h>

#include "base/option_parse.h"
#include "manage/internal.h"
#include "manage/known.h"

#define REQUIRED_MOST 1000 /* of the option; its text is shorter anyway */

/* ---- which ---- */

/* Is the condition's setting or environment variable set to something but off? */
static bool is_set(const struct options *options, const char *name) {
    char value[OPTION_TEXT_SIZE] = "", origin[64];
    const struct option_row *row;
    for (size_t i = 0; (row = options_row(options, i)); i++)
        if (strcmp(row->name, name) == 0)
            options_show(options, i, value, sizeof value, origin, sizeof origin);
    if (!*value) {
        const char *text = environment(name);
        return text && strcmp(text, "0") != 0 && strcasecmp(text, "off") != 0 &&
               strcasecmp(text, "false") != 0;
    }
    return strcmp(value, "off") != 0 && strcmp(value, "0") != 0;
}

bool entry_is_required(struct manage *manage, const struct registry_entry *entry) {
    return entry->required || (entry->required_if && is_set(manage->settings.options, entry->required_if));
}

static void add(struct required_list *list, const char *name, const struct name_key *key) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->array[i].name, name) == 0)
            return;
    list->array = mem_resize(list->array, list->count + 1, sizeof *list->array);
    struct required *required = &list->array[list->count++];
    *required = (struct required){.is_key = key != NULL};
    (void)text_copy(required->name, sizeof required->name, name); /* too long: told as "" and missing */
    if (key)
        required->key = *key;
}

/* Of the configuration: keys parted by commas or blanks. */
static void add_option(struct manage *manage, const struct registry *registry, struct required_list *list) {
    char text[OPTION_TEXT_SIZE];
    char *rest = NULL;
    if (!options_text(manage->settings.options, "required", text, sizeof text))
        return;
    char *word = strtok_r(text, ", \t", &rest);
    for (size_t i = 0; word && i < REQUIRED_MOST; word = strtok_r(NULL, ", \t", &rest), i++) {
        struct name_key key;
        const struct registry_entry *entry = registry_find(registry, word);
        int result = known_key(manage, word, &key, NULL);
        bool same = result == 0 && entry && !*key.revision &&
                    strcmp(key.variant, *entry->parts.variant ? entry->parts.variant : entry->variant) == 0;
        add(list, same ? entry->key : word, result == 0 ? &key : NULL);
    }
}

void required_read(struct manage *manage, struct required_list *ret_list) {
    struct registry *registry REGISTRY_CLEANUP = manage_registry(manage);
    struct required_list list = {0};
    const struct registry_entry *entry;
    for (size_t i = 0; (entry = registry_entry(registry, i)); i++) {
        if (!entry_is_required(manage, entry))
            continue;
        struct name_key key = entry->parts;
        if (!*key.variant)
            (void)text_copy(key.variant, sizeof key.variant, entry->variant); /* of the same size */
        add(&list, entry->key, &key);
    }
    add_option(manage, registry, &list);
    *ret_list = list;
}

void required_done(struct required_list *list) {
    free(list->array);
    *list = (struct required_list){0};
}

bool required_has(const struct required_list *list, const struct catalog_model *model) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->array[i].key.model, model->name) == 0 &&
            strcmp(list->array[i].key.source, model->source) == 0)
            return true;
    return false;
}

bool model_is_required(struct manage *manage, const struct catalog_model *model) {
    struct required_list list REQUIRED_CLEANUP = {0};
    required_read(manage, &list);
    return required_has(&list, model);
}

/* ---- which are missing ---- */

static void add_missing(struct required_report *report, const char *name) {
    report->missing = mem_resize(report->missing, report->missing_count + 1, sizeof *report->missing);
    report->missing[report->missing_count++] = mem_text(name);
}

void required_report(struct manage *manage, struct required_report *ret_report) {
    struct registry *registry REGISTRY_CLEANUP = manage_registry(manage);
    struct required_list list REQUIRED_CLEANUP = {0};
    struct required_report report = {0};
    const struct registry_entry *entry;
    struct catalog_model model;
    for (size_t i = 0; (entry = registry_entry(registry, i)); i++)
        report.recommended += entry->recommended;
    required_read(manage, &list);
    report.required = list.count;
    for (size_t i = 0; i < list.count; i++)
        if (!list.array[i].is_key || known_state(manage, &list.array[i].key, &model) != STATE_READY)
            add_missing(&report, list.array[i].name);
    while (registry_fault(registry, report.fault_count))
        report.fault_count++;
    report.fault = mem_text(registry_fault(registry, 0));
    *ret_report = report;
}

void required_report_done(struct required_report *report) {
    for (size_t i = 0; i < report->missing_count; i++)
        free(report->missing[i]);
    free(report->missing);
    free(report->fault);
    *report = (struct required_report){0};
}
