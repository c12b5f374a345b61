/* SPDX-License-Identifier: Apache-2.0 */
#include "tree_house.h"

#include <unistd.h>

/* config/ without a kernel: values, documents, and what comes of writes that are not as they should be. */

static int64_t model_id;

static int write_to(const char *path, int flags, const char *const *pieces, const uint64_t *offsets,
    size_t count, const struct tree_caller *who) {
    node_number node = node_of(path);
    uint64_t handle = 0, offset = 0;
    int result = open_node(node, O_WRONLY | flags, &handle);
    for (size_t i = 0; i < count && !result; i++) {
        size_t len = strlen(pieces[i]);
        uint64_t at = offsets ? offsets[i] : offset;
        result = end_of(tree_write(tree, node, handle, at, pieces[i], len, who, new_wait()));
        offset += len;
    }
    int flushed = end_of(tree_flush(tree, node, handle, who, new_wait()));
    if (handle)
        tree_release(tree, node, handle);
    return result ? result : flushed;
}

static int write_one(const char *path, const char *text) {
    return write_to(path, 0, &text, NULL, 1, &owner);
}

static void is(const char *path, const char *wanted) {
    char text[ROOM];
    CHECK(read_text(path, text) >= 0);
    CHECK_TEXT(text, wanted);
}

/* A document is submitted at release, and its outcome comes later: what is written to ctl now comes
 * after it. */
static void settle(void) {
    CHECK_OK(write_one("ctl", "offline on\n"));
}

static void values_are_judged_by_the_write(void) {
    CHECK_OK(write_one("config/stall_timeout_s", "45\n"));
    is("config/stall_timeout_s", "45\n");
    CHECK_ERROR(write_one("config/stall_timeout_s", "0\n"), -ERR_BAD_VALUE);
    CHECK_ERROR(write_one("config/stall_timeout_s", "4\n5\n"), -ERR_BAD_VALUE);
    CHECK_ERROR(write_one("config/stall_timeout_s", "0"), -ERR_BAD_VALUE); /* by the flush */
    is("config/stall_timeout_s", "45\n");
    CHECK_OK(write_one("config/stall_timeout_s", "46"));
    is("config/stall_timeout_s", "46\n");
    static const char *const PIECES[] = {"4", "7", "\n"};
    CHECK_OK(write_to("config/stall_timeout_s", O_APPEND, PIECES, NULL, 3, &owner));
    is("config/stall_timeout_s", "47\n");
    static const char *const VALUE[] = {"48\n"};
    CHECK_ERROR(write_to("config/stall_timeout_s", 0, VALUE, NULL, 1, &stranger), -ERR_NOT_ALLOWED);
    is("config/stall_timeout_s", "47\n");
    /* The owner of this house is not who runs it. */
    if (geteuid() != owner.uid)
        CHECK_ERROR(write_one("config/hf_endpoint", "http://127.0.0.1:1\n"), -ERR_NOT_ALLOWED);
    uint64_t handle;
    CHECK_ERROR(open_node(node_of("config/kept_settings"), O_WRONLY, &handle), -EPERM);
    CHECK_OK(write_one("config/stall_timeout_s", "default\n"));
    is("config/stall_timeout_s", "30\n");
}

static void documents_count_whole_or_not_at_all(void) {
    static const char *const PIECES[] = {"{\"absence_s\": 5", "1, \"lazy\":", " false}\n"};
    CHECK_OK(write_to("config/config.json", 0, PIECES, NULL, 3, &owner));
    settle();
    is("config/absence_s", "51\n");
    is("config/lazy", "off\n");
    CHECK_OK(write_one("config/config.json", "{\"absence_s\": 52, \"lazy\": \"perhaps\"}"));
    settle();
    is("config/absence_s", "51\n");
    CHECK_OK(write_one("config/config.json", "{\"absence_s\": 53"));
    settle();
    is("config/absence_s", "51\n");
    static const uint64_t GAP[] = {0, 16, 26}, AGAIN[] = {0, 0, 0};
    CHECK_ERROR(write_to("config/config.json", 0, PIECES, GAP, 3, &owner), -EIO);
    CHECK_ERROR(write_to("config/config.json", 0, PIECES, AGAIN, 3, &owner), -EIO);
    CHECK_ERROR(write_to("config/config.json", 0, PIECES, NULL, 3, &stranger), -ERR_NOT_ALLOWED);
    CHECK_OK(write_to("config/config.json", O_APPEND, PIECES, AGAIN, 3, &owner)); /* offsets say nothing */
    settle();
    is("config/absence_s", "51\n");
    CHECK_OK(write_one("config/config.json", "{\"absence_s\": null, \"lazy\": null}"));
    settle();
    is("config/absence_s", "300\n");
    is("config/lazy", "on\n");
}

static void a_document_is_bounded(void) {
    char *much = mem_new(70000);
    memset(much, ' ', 69999);
    CHECK_ERROR(write_one("config/config.json", much), -EFBIG);
    CHECK_ERROR(write_one("config/stall_timeout_s", much), -E2BIG);
    free(much);
}

static void models_have_their_own(void) {
    is("hf/acme/tiny/config/type", "auto\n");
    CHECK_OK(write_one("hf/acme/tiny/config/type", "llm\n"));
    is("hf/acme/tiny/config/type", "llm\n");
    CHECK_ERROR(write_one("hf/acme/tiny/config/type", "lmm\n"), -ERR_BAD_VALUE);
    CHECK_ERROR(write_one("hf/acme/tiny/config/variant", "Q4\n"), -ERR_UNKNOWN_VARIANT);
    struct tree_entry one, other;
    CHECK_OK(walk("hf/acme/tiny/config/type", &one));
    CHECK_OK(walk("hf/acme/tiny/config/variant", &other));
    CHECK(one.stat.st_ino != other.stat.st_ino && node_object(one.node) == (uint64_t)model_id);
    CHECK_OK(catalog_forget_model(catalog, model_id));
    CHECK_ERROR(tree_getattr(tree, one.node, NULL, &one), -ERR_STALE);
    model_id = store_model(FIRST_COMMIT, false);
    is("hf/acme/tiny/config/type", "auto\n");
}

int main(void) {
    if (!move_in())
        return check_result();
    model_id = store_model(FIRST_COMMIT, false);
    values_are_judged_by_the_write();
    documents_count_whole_or_not_at_all();
    a_document_is_bounded();
    models_have_their_own();
    move_out();
    return check_result();
}
