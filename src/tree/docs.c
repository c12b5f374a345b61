/* SPDX-License-Identifier: Apache-2.0 */

/* docs/tree.md. */

#include <sys/stat.h>

#include "tree/rows.h"
#include "weightfs/source.h"

static const char *const kind_words[] = {
    [NODE_FOLDER] = "folder",
    [NODE_TEXT] = "text",
    [NODE_CONTROL] = "commands",
    [NODE_STREAM] = "stream",
    [NODE_WAIT] = "waits",
    [NODE_MODEL_FILE] = "file",
    [NODE_LINK] = "link",
    [NODE_VALUE] = "value",
    [NODE_DOCUMENT] = "document",
    [NODE_QUESTION] = "question",
    [NODE_ANSWER] = "answer",
    [NODE_FAILURE] = "sentence",
    [NODE_EXCHANGE] = "question and answer",
    [NODE_ASK] = "conversation",
};

static void add_text(struct buf *to, const char *text) {
    for (; *text; text++)
        (void)buf_format(to, *text == '|' ? "\\%c" : "%c", *text);
}

static void add_commands(struct buf *to, const struct row *row) {
    const struct command_row *command;
    bool any = false;
    for (size_t index = 0; (command = command_row(index)); index++) {
        if (!(command->places & row->commands))
            continue;
        if (!any)
            (void)buf_format(to, "\nCommands of `%sctl`:\n\n| command | what it does |\n|---|---|\n",
                table_path(row->in));
        any = true;
        bool bare = !command->arguments || !command->arguments[0];
        (void)buf_text_add(to, "| `");
        add_text(to, command->name);
        (void)buf_text_add(to, bare ? "" : " ");
        add_text(to, bare ? "" : command->arguments);
        (void)buf_text_add(to, "` | ");
        add_text(to, command->help);
        (void)buf_text_add(to, " |\n");
    }
}

static void add_table(struct buf *to, enum table table) {
    (void)buf_format(to, "\n## `/%s`\n\n| name | mode | kind | what it is |\n|---|---|---|---|\n",
        table_path(table));
    for (const struct row *row = row_next(table, -1); row; row = row_next(table, (int)row_number(row))) {
        char title[64];
        row_title(row, title);
        (void)buf_format(to, "| `%s` | %04o | %s | ", title, (unsigned)row->mode, kind_words[row->kind]);
        add_text(to, row->help);
        (void)buf_text_add(to, " |\n");
    }
    for (const struct row *row = row_next(table, -1); row; row = row_next(table, (int)row_number(row)))
        if (row->kind == NODE_CONTROL)
            add_commands(to, row);
}

void tree_print_docs(struct buf *to) {
    (void)buf_text_add(to, "# The tree\n\n"
                           "Printed by `weightfs --print-docs tree` from the rows in src/tree/rows.c.\n"
                           "Names in capitals stand for any name of their kind.\n");
    for (enum table table = IN_ROOT; table < TABLE_COUNT; table++)
        add_table(to, table);
    (void)buf_text_add(to, "\n## Sources\n\n| folder | what it is |\n|---|---|\n");
    for (size_t i = 0; source_table[i]; i++) {
        (void)buf_format(to, "| `%s/` | ", source_table[i]->name);
        add_text(to, source_table[i]->help);
        (void)buf_text_add(to, " |\n");
    }
}
