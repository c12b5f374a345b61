/* SPDX-License-Identifier: Apache-2.0 */
/* meta: what is written is read again, and what is malformed is refused. */
#include "check.h"
#include "store/meta.h"

static int parse(const char *text, struct meta *ret_meta) {
    return meta_parse(text, strlen(text), ret_meta);
}

static void what_is_written_is_read(void) {
    struct meta meta = {.size = 12345678901,
                    .generation = 7,
                    .dead = 5,
                    .mismatches = 1,
                    .state = META_PARTIAL},
                again;
    CHECK_OK(text_copy(meta.path, sizeof meta.path, "a folder/with spaces.gguf"));
    CHECK_OK(text_copy(meta.model, sizeof meta.model, "acme/tiny"));
    BUF_CLEANUP struct buf text = BUF_INIT;
    meta_print(&meta, &text);
    CHECK_OK(parse(buf_text(&text), &again));
    CHECK_NUMBER(again.size, 12345678901);
    CHECK_NUMBER(again.generation, 7);
    CHECK_NUMBER(again.dead, 5);
    CHECK_TEXT(again.path, meta.path);
    CHECK_TEXT(again.model, meta.model);
}

static void later_lines_are_ignored_later_versions_not(void) {
    struct meta meta;
    CHECK_OK(parse("weightfs 1\ngeneration 1\nstate partial\ncolour blue\n", &meta));
    CHECK_ERROR(parse("weightfs 2\ngeneration 1\nstate partial\n", &meta), -ERR_STORE_VERSION);
}

static void what_is_malformed_is_refused(void) {
    static const char *const WRONG[] = {
        "",
        "\n",
        "weightfs\n",
        "weightfs 1\n",
        "weightfs 1\ngeneration 0\n",
        "weightfs 1\ngeneration 1\nstate whole\n",
        "weightfs 1\ngeneration 2\nstate partial\n",
        "weightfs 1\ngeneration 1\nstate complete\n",
        "weightfs 1\ngeneration 2\nstate complete\nsha256 abc\n",
        "weightfs 1\ngeneration 1\nstate sealing\n",
        "weightfs 1\ngeneration 16777217\n",
        "weightfs 1\ngeneration -1\n",
        "weightfs 1\ngeneration 1\nsize 99999999999999999999\n",
        "weightfs 1\ngeneration 1\nsize 1e3\n",
        "weightfs 1\ngeneration 1\nnospace\n",
    };
    struct meta meta;
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        CHECK_ERROR(parse(WRONG[i], &meta), -ERR_STORE);
    CHECK_ERROR(meta_parse("weightfs 1\ngeneration 1\n\0", 25, &meta), -ERR_STORE);
}

int main(void) {
    what_is_written_is_read();
    later_lines_are_ignored_later_versions_not();
    what_is_malformed_is_refused();
    return check_result();
}
