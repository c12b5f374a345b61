/* SPDX-License-Identifier: Apache-2.0 */
/* A part's meta as another program, or a broken disk, may have left it: what is accepted is sane, and
 * printed again it is the same. */
#include <stdlib.h>
#include <string.h>

#include "store/meta.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held) {
    if (!held)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct meta meta, again;
    if (meta_parse((const char *)data, size, &meta))
        return 0;
    must(meta.generation && meta.generation < 1u << 24);
    must((meta.generation % 2 == 0) == (meta.state == META_COMPLETE));
    must(!*meta.sha256 || strlen(meta.sha256) == 64);
    must(meta.size <= INT64_MAX);
    BUF_CLEANUP struct buf text = BUF_INIT;
    meta_print(&meta, &text);
    must(!meta_parse(buf_text(&text), text.len, &again));
    must(!memcmp(&meta.size, &again.size, sizeof meta.size) && meta.generation == again.generation);
    must(meta.state == again.state && meta.mismatches == again.mismatches && meta.dead == again.dead);
    must(!strcmp(meta.path, again.path) && !strcmp(meta.model, again.model) &&
         !strcmp(meta.sha256, again.sha256));
    return 0;
}
