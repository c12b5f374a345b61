/* SPDX-License-Identifier: Apache-2.0 */
/* Finding rows in the table of rows.c. */

#include <stdio.h>

#include "tree/rows.h"
#include "weightfs/source.h"

const struct row *row_of(unsigned number) {
    return number < ROW_LIMIT && tree_rows[number].help ? &tree_rows[number] : NULL;
}

unsigned row_number(const struct row *row) {
    return (unsigned)(row - tree_rows);
}

bool row_is_in(const struct row *row, const struct source *source) {
    return !(row->of_files && source && source->is_remote);
}

const struct row *row_next(enum table table, int after) {
    for (unsigned number = (unsigned)(after + 1); number < ROW_LIMIT; number++)
        if (tree_rows[number].help && tree_rows[number].in == table)
            return &tree_rows[number];
    return NULL;
}

const char *table_path(enum table table) {
    return tree_table_paths[table] ? tree_table_paths[table] : "";
}

void row_title(const struct row *row, char to[static 64]) {
    snprintf(to, 64, "%s%s", row->name ? row->name : row->pattern, row->kind == NODE_FOLDER ? "/" : "");
}

bool node_is_answer(node_number node) {
    enum node_kind kind = node_kind(node);
    return kind == NODE_ANSWER || kind == NODE_EXCHANGE || kind == NODE_ASK;
}

enum node_kind node_kind(node_number node) {
    const struct row *row = row_of(node_row(node));
    return row ? row->kind : NODE_FOLDER;
}
