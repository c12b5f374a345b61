/* SPDX-License-Identifier: Apache-2.0 */
/* The registry as JSON, with what is here of each entry: for `recommended` and for scripts. */

#include <inttypes.h>
#include <string.h>

#include "manage/known.h"
#include "model/catalog_remote.h"
#include "weightfs/source.h"

/* The buffer's owner set its limit, if any: what does not fit fails as a whole there. */
static void add_text(struct buf *to, const char *member, const char *text) {
    (void)buf_format(to, ", \"%s\": ", member);
    (void)buf_json_string(to, text);
}

static void add_bool(struct buf *to, const char *member, bool value) {
    (void)buf_format(to, ", \"%s\": %s", member, value ? "true" : "false");
}

static void add_aliases(struct buf *to, const struct registry_entry *entry) {
    (void)buf_text_add(to, ", \"aliases\": [");
    for (size_t i = 0; entry->aliases[i]; i++) {
        (void)buf_text_add(to, i ? ", " : "");
        (void)buf_json_string(to, entry->aliases[i]);
    }
    (void)buf_text_add(to, "]");
}

static void add_settings(struct buf *to, const struct registry_entry *entry) {
    (void)buf_text_add(to, ", \"settings\": [");
    for (const struct option_row *row = entry->settings; row->name; row++) {
        (void)buf_text_add(to, row == entry->settings ? "" : ", ");
        (void)buf_json_string(to, row->name);
    }
    (void)buf_text_add(to, "]");
}

/* The state as the manager last saw it: a report of each would ask the store for all files of all models. */
static void add_state(struct manage *manage, const struct registry_entry *entry, struct buf *to) {
    struct catalog_model model;
    const struct source *source = source_find(entry->parts.source);
    bool known =
        catalog_find_model(manage_catalog(manage), entry->parts.source, entry->parts.model, &model) == 0;
    /* What is served elsewhere is there when its server says so. */
    bool available = source && (!source->is_remote || (known && !catalog_remote_is_gone(&model)));
    add_bool(to, "available", available);
    add_text(to, "state", known ? model_state_name((enum model_state)model.state) : "absent");
    if (!known) {
        (void)buf_text_add(to, ", \"path\": null");
        return;
    }
    struct buf path BUF_CLEANUP = BUF_INIT;
    char folder[NAME_FOLDER_SIZE] = "";
    (void)name_to_folder(model.name, folder);               /* its name was judged */
    (void)buf_format(&path, "%s/%s", model.source, folder); /* no limit */
    add_text(to, "path", buf_text(&path));
}

static void add_entry(struct manage *manage, const struct required_list *list,
    const struct registry_entry *entry, struct buf *to) {
    bool required = false;
    for (size_t i = 0; i < list->count && !required; i++)
        required = strcmp(list->array[i].name, entry->key) == 0;
    (void)buf_text_add(to, "{\"key\": ");
    (void)buf_json_string(to, entry->key);
    add_text(to, "category", entry->category);
    add_text(to, "description", entry->description);
    if (entry->size_bytes)
        (void)buf_format(to, ", \"size\": %" PRIu64, entry->size_bytes);
    else
        (void)buf_text_add(to, ", \"size\": null");
    add_bool(to, "recommended", entry->recommended);
    add_bool(to, "required", required);
    add_text(to, "variant", *entry->variant ? entry->variant : NULL);
    add_state(manage, entry, to);
    add_aliases(to, entry);
    add_settings(to, entry);
    (void)buf_text_add(to, "}");
}

void known_print_json(struct manage *manage, struct buf *to) {
    struct registry *registry REGISTRY_CLEANUP = manage_registry(manage);
    struct required_list list REQUIRED_CLEANUP = {0};
    const struct registry_entry *entry;
    const char *fault;
    required_read(manage, &list);
    (void)buf_text_add(to, "{\"models\": [");
    for (size_t i = 0; (entry = registry_entry(registry, i)); i++) {
        (void)buf_text_add(to, i ? ",\n  " : "\n  ");
        add_entry(manage, &list, entry, to);
    }
    (void)buf_text_add(to, "\n], \"faults\": [");
    for (size_t i = 0; (fault = registry_fault(registry, i)); i++) {
        (void)buf_text_add(to, i ? ", " : "");
        (void)buf_json_string(to, fault);
    }
    (void)buf_text_add(to, "]}\n");
}
