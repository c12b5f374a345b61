/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/access.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"

struct access_table {
    size_t count;
    struct source_access *accesses[]; /* as in source_table */
};

int access_table_new(const struct options *options, struct access_table **ret_table, struct reason *reason) {
    size_t count = 0;
    while (source_table[count])
        count++;
    struct access_table *table = mem_new(sizeof(*table) + count * sizeof(table->accesses[0]));
    for (; table->count < count; table->count++) {
        const struct source *source = source_table[table->count];
        struct reason why = {""};
        if (source->is_remote)
            continue; /* who is declared: the manager reads those */
        int error = source->access_new(options, &table->accesses[table->count], &why);
        if (error < 0) {
            access_table_free(table);
            return err_because(reason, error, "%s: %s", source->name, err_text(&why, error));
        }
    }
    *ret_table = table;
    return 0;
}

void access_table_free(struct access_table *table) {
    if (!table)
        return;
    for (size_t i = 0; i < table->count; i++)
        if (!source_table[i]->is_remote)
            source_table[i]->access_free(table->accesses[i]);
    free(table);
}

const struct source_access *access_table_of(void *context, const struct source *source) {
    const struct access_table *table = context;
    for (size_t i = 0; i < table->count; i++) {
        if (source_table[i] == source)
            return table->accesses[i];
    }
    return NULL;
}

void access_table_log(const struct access_table *table) {
    /* How a source would ask for some file tells whether it has a token, without this floor knowing
     * what one looks like. */
    static const struct source_file some = {.model = "weightfs/weightfs",
        .commit = "0000000000000000000000000000000000000000",
        .path = "README.md",
        .digest = ""};
    for (size_t i = 0; i < table->count; i++) {
        struct source_ask ask = {0};
        char url[256];
        if (source_table[i]->is_remote ||
            source_table[i]->file_request(table->accesses[i], &some, &ask, NULL) < 0)
            continue;
        http_url_for_people(ask.url, url, sizeof(url));
        char *path = strstr(url, "://");
        if (path && (path = strchr(path + 3, '/')))
            *path = '\0';
        log_notice("%s: asks %s %s", source_table[i]->name, url,
            ask.authorization ? "with a token" : "without a token");
        source_ask_done(&ask);
    }
}
