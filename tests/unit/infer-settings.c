/* SPDX-License-Identifier: Apache-2.0 */
/* settings of a model that are options of the whole, too, mean the same in both places */
#include "check.h"

#include <string.h>

#include "infer/infer.h"
#include "manage/setting.h"

static const struct option_row *row_of(const struct option_row *rows, const char *name) {
    for (; rows && rows->name; rows++)
        if (strcmp(rows->name, name) == 0)
            return rows;
    return NULL;
}

static const struct option_row *of_the_whole(const char *name) {
    const struct option_row *row = row_of(infer_options, name);
    for (size_t i = 0; !row && engine_table[i]; i++)
        row = row_of(engine_table[i]->options, name);
    return row;
}

int main(void) {
    static const char *const SHARED[] = {"context_tokens", "slots", "threads", "gpu_layers", "keep_alive_s"};
    for (size_t i = 0; i < sizeof SHARED / sizeof *SHARED; i++) {
        const struct option_row *one = row_of(model_settings, SHARED[i]), *all = of_the_whole(SHARED[i]);
        CHECK(one && all);
        if (!one || !all)
            continue;
        CHECK(one->type == all->type);
        CHECK_NUMBER(one->least, all->least);
        CHECK_NUMBER(one->most, all->most);
        CHECK_TEXT(one->value, all->value);
    }
    /* and no engine has one with another range behind our back */
    for (const struct option_row *row = model_settings; row->name; row++) {
        const struct option_row *all = of_the_whole(row->name);
        CHECK(!all || (all->type == row->type && all->least == row->least && all->most == row->most));
    }
    return check_result();
}
