/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/place.h"

#include "tree/by.h"
#include "tree/inside.h"
#include "tree/link.h"

uint32_t option_number(const char *name) {
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash & 0x7fffffff;
}

static int load_source(struct place *place) {
    for (uint64_t index = 0; source_table[index]; index++) {
        if (index == place->object) {
            place->source = source_table[index];
            return 0;
        }
    }
    return -ENOENT;
}

static int load_named_source(struct place *place, const char *name) {
    place->source = source_find(name);
    return place->source ? 0 : -ENOENT;
}

static int load_option(struct place *place) {
    const struct option_row *row;
    for (size_t index = 0; (row = options_row(place->tree->options, index)); index++) {
        if (option_number(row->name) == place->object) {
            place->option = index;
            return 0;
        }
    }
    return -ENOENT;
}

static int load_object(struct place *place) {
    struct catalog *catalog = place->tree->catalog;
    int64_t id = (int64_t)place->object;
    int result = 0;
    switch (place->row->about) {
    case ABOUT_TREE: return place->object ? -ENOENT : 0;
    case ABOUT_SOURCE: return load_source(place);
    case ABOUT_OPTION: return load_option(place);
    case ABOUT_BY: return by_load(place);
    case ABOUT_LINK: return link_is_there(place->tree, place->object) ? 0 : -ENOENT;
    case ABOUT_JOB: return catalog_job(catalog, id, &place->job);
    case ABOUT_FILE: return catalog_file(catalog, id, &place->file);
    case ABOUT_REVISION: return catalog_revision(catalog, id, &place->revision);
    case ABOUT_REVISION_NAME: return catalog_revision_name(catalog, id, &place->revision_name);
    case ABOUT_CHAT: return catalog_chat(catalog, id, &place->chat);
    case ABOUT_GROUP:
        result = catalog_group(catalog, id, &place->group);
        return result < 0 ? result : load_named_source(place, place->group.source);
    case ABOUT_MODEL:
    case ABOUT_MODEL_OPTION: /* whether it has that setting, who opens it sees */
        result = catalog_model(catalog, id, &place->model);
        return result < 0 ? result : load_named_source(place, place->model.source);
    }
    return -ENOENT;
}

int place_load(struct tree *tree, node_number node, struct place *ret_place) {
    *ret_place = (struct place){.tree = tree,
        .row = row_of(node_row(node)),
        .node = node,
        .object = node_object(node)};
    if (!ret_place->row)
        return -ERR_STALE;
    int result = load_object(ret_place);
    return result == -ENOENT ? -ERR_STALE : result;
}

bool place_is_open_to(const struct place *place, const struct tree_caller *caller) {
    return place->row->about != ABOUT_CHAT || !caller || caller->uid == place->chat.uid;
}

static int64_t later(int64_t a_ms, int64_t b_ms) {
    return a_ms > b_ms ? a_ms : b_ms;
}

/* Of chats/: a name in it came, went or was changed. */
static int64_t chats_changed_ms(const struct place *place) {
    int64_t changed_ms = 0;
    (void)catalog_chats_changed(place->tree->catalog, place->model.id, &changed_ms); /* 0: none was there */
    return later(changed_ms, place->model.added_ms);
}

int64_t place_changed_ms(const struct place *place) {
    int64_t changed_ms = 0;
    switch (place->row->about) {
    case ABOUT_MODEL:
    case ABOUT_MODEL_OPTION:
        if (row_number(place->row) == ROW_CHATS)
            changed_ms = chats_changed_ms(place);
        else if (place->row->kind == NODE_FOLDER && place->model.modified_ms)
            changed_ms = place->model.modified_ms;
        else
            changed_ms = later(place->model.checked_ms, place->model.added_ms);
        break;
    case ABOUT_CHAT: changed_ms = place->chat.created_ms; break;
    case ABOUT_FILE: changed_ms = place->file.modified_ms; break;
    case ABOUT_REVISION: changed_ms = place->revision.modified_ms; break;
    case ABOUT_JOB: changed_ms = place->job.ended_ms ? place->job.ended_ms : place->job.created_ms; break;
    default: break;
    }
    return changed_ms > 0 ? changed_ms : place->tree->start_ms;
}
