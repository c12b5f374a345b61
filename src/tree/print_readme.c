/* SPDX-License-Identifier: Apache-2.0 */

/* README: how to use the tree, for someone who found the mount and nothing else. The list of names
 * comes from the rows. */

#include <stdio.h>

#include "tree/inside.h"
#include "tree/place.h"
#include "tree/print.h"
#include "weightfs/source.h"

static const char beginning[] =
    "AI models as files. Look around with ls and cat: listing shows what is known, and never asks the\n"
    "network.\n"
    "\n"
    "    ls hf/ORG/NAME/files                     the first step into a model asks its source once\n"
    "    head -c 100 hf/ORG/NAME/files/FILE       fetches what is read, checks it, and keeps it\n"
    "    cat hf/ORG/NAME/status                   how it is\n"
    "    echo pull > hf/ORG/NAME/ctl              fetch all that is selected, in the background\n"
    "    cat hf/ORG/NAME/wait                     wait for that; then it says `ready`\n"
    "    (cd hf/ORG/NAME/files && sha256sum -c ../SHA256SUMS)\n"
    "\n"
    "Models under openai/ and ollama/ are served elsewhere: they have infer/ and no files/.\n"
    "\n"
    "Point loaders at hf/ORG/NAME/files. `cat ctl` lists the commands of a place; a command that fails says\n"
    "so where it is written, and in words in ctl. Reading a file fetches it: keep backups and updatedb away\n"
    "from here (PRUNEPATHS in /etc/updatedb.conf), or mount with lazy=off, which lets reads of what is not\n"
    "here fail.\n";

static void add_table(struct buf *to, enum table table) {
    const char *path = table_path(table);
    (void)buf_format(to, "\n%s\n", path[0] ? path : "./");
    for (const struct row *row = row_next(table, -1); row; row = row_next(table, (int)row_number(row))) {
        char title[64];
        row_title(row, title);
        (void)buf_format(to, "    %-16s %s\n", title, row->help);
    }
}

int print_readme(const struct place *place, struct buf *to) {
    (void)place;
    (void)buf_text_add(to, beginning);
    for (enum table table = IN_ROOT; table < TABLE_COUNT; table++)
        add_table(to, table);
    (void)buf_text_add(to, "\nSources:\n");
    for (size_t i = 0; source_table[i]; i++)
        (void)buf_format(to, "    %-16s %s\n", source_table[i]->name, source_table[i]->help);
    return 0;
}
