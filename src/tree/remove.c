/* SPDX-License-Identifier: Apache-2.0 */

/* rmdir: a model is forgotten, or a conversation ended. Nothing else that the tree shows can be removed. */

#include <stdio.h>

#include "tree/chat.h"
#include "tree/handle.h"
#include "tree/inside.h"
#include "tree/place.h"
#include "tree/run.h"

int tree_rmdir(struct tree *tree, node_number parent, const char *name, const struct tree_caller *caller,
    struct wait *wait) {
    struct place place;
    int result = place_load(tree, parent, &place);
    if (result < 0)
        return result;
    if (place.row->holds == IN_CHATS)
        return chat_rmdir(&place, name, caller, wait);
    bool of_source = place.row->holds == IN_SOURCE && !place.source->parts; /* its models are in its folder */
    if (place.row->holds != IN_GROUP && !of_source)
        return tree_refuse(tree, parent);
    char full[NAME_MODEL_SIZE], last[NAME_MODEL_SIZE], key[NAME_KEY_SIZE];
    struct catalog_model model;
    if (name_from_file(name, last) < 0)
        return -ENOENT;
    int len = of_source ? snprintf(full, sizeof(full), "%s", last)
                        : snprintf(full, sizeof(full), "%s/%s", place.group.name, last);
    if (len < 0 || (size_t)len >= sizeof(full))
        return -ENOENT;
    result = catalog_find_model(tree->catalog, place.source->name, full, &model);
    if (result < 0)
        return result;
    name_format(model.source, model.name, key);
    struct buf line BUF_CLEANUP = BUF_INIT;
    (void)buf_format(&line, "forget %s\n", key); /* no limit */
    /* As if it were written into the root's ctl: there the sentence of a refusal stands. */
    struct handle *handle = handle_new(node_make(ROW_CTL, 0, 0));
    result = run_await(tree, handle, line.data, line.len, caller, wait);
    handle_unref(tree, handle);
    return result;
}
