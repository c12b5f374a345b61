/* SPDX-License-Identifier: Apache-2.0 */
/* infer/usage, usage.json: what a model was asked, by day and user. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/catalog_usage.h"
#include "tree/inside.h"
#include "tree/place.h"
#include "tree/print.h"

#define USAGE_PAGE 64

/* 2026-11-21 */
static const char *date_of(const struct catalog_usage *usage, char to[static CLOCK_STAMP_SIZE]) {
    (void)clock_stamp(to, usage->day * USAGE_DAY_MS);
    to[strlen("2026-11-21")] = '\0';
    return to;
}

static void print_line(const struct catalog_usage *usage, struct buf *to) {
    char date[CLOCK_STAMP_SIZE];
    (void)buf_format(to, "%s %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %.1f\n", date_of(usage, date),
        (unsigned)usage->uid, usage->questions, usage->failed, usage->prompt_tokens, usage->answer_tokens,
        (double)usage->total_ms / 1e3);
}

static void print_object(const struct catalog_usage *usage, struct buf *to) {
    char date[CLOCK_STAMP_SIZE];
    (void)buf_format(to,
        "%s\n  {\"day\": \"%s\", \"uid\": %u, \"questions\": %" PRIu64 ", \"failed\": %" PRIu64
        ", \"prompt_tokens\": %" PRIu64 ", \"answer_tokens\": %" PRIu64
        ", \"first_seconds\": %.3f, \"seconds\": %.3f}",
        to->len > 1 ? "," : "", date_of(usage, date), (unsigned)usage->uid, usage->questions, usage->failed,
        usage->prompt_tokens, usage->answer_tokens, (double)usage->first_ms / 1e3,
        (double)usage->total_ms / 1e3);
}

static int print_all(const struct place *place, struct buf *to,
    void (*print)(const struct catalog_usage *, struct buf *)) {
    struct catalog_usage *page = mem_array(USAGE_PAGE, sizeof *page);
    int64_t day = -1;
    uid_t uid = 0;
    int count;
    do {
        count = catalog_list_usage(place->tree->catalog, place->model.id, day, uid, page, USAGE_PAGE);
        for (int i = 0; i < count; i++)
            print(&page[i], to);
        if (count > 0) {
            day = page[count - 1].day;
            uid = page[count - 1].uid;
        }
    } while (count == USAGE_PAGE);
    free(page);
    return count < 0 ? count : 0;
}

int print_usage(const struct place *place, struct buf *to) {
    int result = buf_text_add(to, "day uid questions failed prompt_tokens answer_tokens seconds\n");
    return result < 0 ? result : print_all(place, to, print_line);
}

int print_usage_json(const struct place *place, struct buf *to) {
    int result = buf_text_add(to, "[");
    if (!result)
        result = print_all(place, to, print_object);
    return result < 0 ? result : buf_text_add(to, "\n]\n");
}
