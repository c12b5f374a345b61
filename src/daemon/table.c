/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

void table_init(struct table *table, const char *const *heads) {
    *table = (struct table){.heads = heads};
    while (heads[table->columns])
        table->columns++;
    assert(table->columns <= TABLE_COLUMNS);
}

void table_add(struct table *table, const char *text) {
    /* Room doubles: 1, 2, 4 … cells; a power of two is full. */
    if ((table->count & (table->count - 1)) == 0)
        table->cells = mem_resize(table->cells, table->count ? 2 * table->count : 1, sizeof(*table->cells));
    table->cells[table->count++] = mem_text(text && *text ? text : "-");
}

static const char *head_of(const struct table *table, size_t column) {
    const char *head = table->heads[column];
    return *head == '>' ? head + 1 : head;
}

static void print_row(const struct table *table, const int *widths, char *const *cells, FILE *to) {
    for (size_t column = 0; column < table->columns; column++) {
        const char *text = cells ? cells[column] : head_of(table, column);
        if (table->heads[column][0] == '>')
            fprintf(to, "%*s", widths[column], text);
        else /* the last column ends where its text does */
            fprintf(to, "%-*s", column + 1 < table->columns ? widths[column] : 0, text);
        fputs(column + 1 < table->columns ? "  " : "\n", to);
    }
}

void table_print(const struct table *table, FILE *to) {
    int widths[TABLE_COLUMNS];
    for (size_t column = 0; column < table->columns; column++) {
        widths[column] = (int)strlen(head_of(table, column));
        for (size_t cell = column; cell < table->count; cell += table->columns) {
            int len = (int)strlen(table->cells[cell]);
            widths[column] = len > widths[column] ? len : widths[column];
        }
    }
    print_row(table, widths, NULL, to);
    for (size_t cell = 0; cell < table->count; cell += table->columns)
        print_row(table, widths, &table->cells[cell], to);
}

void table_done(struct table *table) {
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    table->cells = NULL;
    table->count = 0;
}
