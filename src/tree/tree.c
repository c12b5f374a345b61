/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/tree.h"

#include <stdlib.h>

#include "base/clock.h"
#include "tree/change.h"
#include "tree/file.h"
#include "tree/handle.h"
#include "tree/inside.h"
#include "tree/link.h"
#include "tree/permission.h"
#include "tree/snapshot.h"
#include "tree/stamp.h"

int tree_new(const struct tree_settings *settings, struct tree **ret_tree) {
    struct tree *tree = mem_new(sizeof(*tree));
    tree->settings = *settings;
    tree->settings.version = tree->version = mem_text(settings->version);
    tree->settings.mountpoint = tree->mountpoint = mem_text(settings->mountpoint);
    tree->catalog = manage_catalog(settings->manage);
    tree->store = manage_store(settings->manage);
    tree->options = manage_options_of(settings->manage);
    tree->start_ms = clock_wall_ms();
    permission_init(tree);
    snapshots_init(tree);
    stamps_init(tree);
    handles_init(tree);
    files_init(tree);
    links_init(tree);
    int result = changes_start(tree);
    if (result < 0) {
        tree_free(tree);
        return result;
    }
    *ret_tree = tree;
    return 0;
}

void tree_free(struct tree *tree) {
    if (!tree)
        return;
    changes_done(tree);
    handles_done(tree);
    files_done(tree);
    links_done(tree);
    snapshots_done(tree);
    stamps_done(tree);
    permission_done(tree);
    free(tree->version);
    free(tree->mountpoint);
    free(tree);
}

/* df: the whole is the budget where there is one, what is free is what can still be fetched. */
void tree_statfs(struct tree *tree, struct tree_space *ret_space) {
    struct store_figures store;
    struct catalog_totals totals;
    store_look(tree->store, &store);
    *ret_space =
        (struct tree_space){.total_bytes = store.disk_total_bytes, .available_bytes = store.disk_free_bytes};
    if (store.budget_bytes) {
        uint64_t left = store.budget_bytes > store.bytes_here ? store.budget_bytes - store.bytes_here : 0;
        ret_space->total_bytes = store.budget_bytes;
        if (left < ret_space->available_bytes)
            ret_space->available_bytes = left;
    }
    if (!catalog_totals(tree->catalog, &totals))
        ret_space->files = totals.files;
}
