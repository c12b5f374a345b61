/* SPDX-License-Identifier: Apache-2.0 */
/* An answer's head, as a stranger may write it: fields, ranges, links, waits, redirects, the Hub's own. */
#include "hf-fuzz.h"
#include "outside/http_inside.h"

static void look_at_fields(const struct http_head *head, char *value, size_t room) {
    static const char *const names[] = {"Content-Range", "Link", "Location", "ETag", "X-Linked-Size",
        "Retry-After", "X"};
    uint64_t first, last, total;
    char next[256];
    unsigned seconds;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (http_head_get(head, names[i], value, room))
            must(strlen(value) < room && !strpbrk(value, "\n"));
    if (http_head_get(head, "Content-Range", value, room) &&
        http_parse_content_range(value, &first, &last, &total))
        must(first <= last && last < total);
    if (http_head_get(head, "Link", value, room) && http_parse_link_next(value, next, sizeof next))
        must(*next && strlen(next) < sizeof next && strstr(value, next) != NULL);
    if (http_head_retry_after(head, &seconds))
        must(seconds <= 24 * 3600);
}

static void follow(const struct http_head *head, char *value, size_t room) {
    char shown[64];
    if (!http_head_get(head, "Location", value, room))
        return;
    http_url_for_people(value, shown, sizeof shown);
    must(strlen(shown) < sizeof shown);
    char *target = http_resolve(head->url, value);
    if (!target)
        return;
    if (http_judge_target(head->url, target, false) ==
        HTTP_TARGET_OK) /* we came by https: only https goes on */
        must(!strncasecmp(target, "https://", 8) && http_same_origin(target, target));
    free(target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct source_file file = {.model = "org/m",
        .commit = COMMIT,
        .path = "x",
        .digest = "git-" COMMIT,
        .size = 3};
    static const int statuses[] = {200, 206, 302, 401, 403, 404, 416, 429, 503};
    static char value[8192];
    struct buf BUF_CLEANUP fields = BUF_INIT;
    struct source_lesson lesson;
    struct reason reason;
    if (size == 0)
        return 0;
    (void)buf_add(&fields, data + 1, size - 1);
    struct http_head head = {.status = statuses[data[0] % 9],
        .url = "https://huggingface.co/x",
        .is_last = data[0] < 128,
        .fields = &fields};
    head.first_url = head.url;
    look_at_fields(&head, value, sizeof value);
    follow(&head, value, sizeof value);
    int status;
    if (http_parse_status((const char *)data, size, &status))
        must(status >= 100 && status <= 999);
    must(source_hf.file_head(fuzz_access(), &file, &head, data[0] & 1, &lesson, &reason) <= 0);
    must(lesson.retry_after_s <= 24 * 3600);
    return 0;
}
