/* SPDX-License-Identifier: Apache-2.0 */
/* Usage: what ended is added up in memory, and written by manage's desk as soon as it comes to it. While it
 * is busy, or its disk is full, more is added to the same sums. */

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "infer/numbers.h"
#include "model/catalog_usage.h"

#define SUMS_MOST 4096 /* models x users x days: only a disk that stays full gets so far */

struct sum {
    struct list link; /* usage.sums */
    struct catalog_usage usage;
};

/* Under the lock. */
static void add(struct infer *infer, const struct catalog_usage *one) {
    struct usage *usage = &infer->usage;
    struct sum *sum = NULL;
    list_each (link, &usage->sums) {
        const struct catalog_usage *at = &list_entry(link, struct sum, link)->usage;
        if (at->model_id == one->model_id && at->uid == one->uid && at->day == one->day)
            sum = list_entry(link, struct sum, link);
    }
    if (!sum && usage->sum_count == SUMS_MOST)
        return;
    if (!sum) {
        sum = mem_new(sizeof *sum);
        sum->usage = (struct catalog_usage){.model_id = one->model_id, .uid = one->uid, .day = one->day};
        list_append(&usage->sums, &sum->link);
        usage->sum_count++;
    }
    sum->usage.questions += one->questions;
    sum->usage.failed += one->failed;
    sum->usage.prompt_tokens += one->prompt_tokens;
    sum->usage.answer_tokens += one->answer_tokens;
    sum->usage.first_ms += one->first_ms;
    sum->usage.total_ms += one->total_ms;
}

/* All sums, as an array of the caller's. From now on another write may be queued. */
static size_t take(struct infer *infer, struct catalog_usage **ret_array) {
    struct list *link;
    size_t count = 0;
    LOCK_SCOPE(&infer->lock);
    infer->usage.queued = false;
    *ret_array = mem_array(infer->usage.sum_count + 1, sizeof **ret_array);
    while ((link = list_shift(&infer->usage.sums))) {
        (*ret_array)[count++] = list_entry(link, struct sum, link)->usage;
        free(list_entry(link, struct sum, link));
    }
    infer->usage.sum_count = 0;
    return count;
}

/* On manage's desk. */
static void write_sums(struct work *work) {
    struct infer *infer = list_entry(work, struct infer, usage.work);
    struct catalog_usage *array = NULL;
    size_t count = take(infer, &array);
    int error = catalog_add_usage(manage_catalog(infer->settings.manage), array, count,
        options_number(infer->settings.options, "usage_days"));
    if (error < 0) { /* with the next one again */
        log_warning("usage can't be kept: %s", err_sentence(error));
        metric_add(&infer_metrics[INFER_USAGE_LOST], 0, 1);
        LOCK_SCOPE(&infer->lock);
        for (size_t i = 0; i < count; i++)
            add(infer, &array[i]);
    }
    free(array);
}

void usage_note(struct infer *infer, const struct catalog_usage *one) {
    struct catalog_usage dated = *one;
    dated.day = clock_wall_ms() / USAGE_DAY_MS;
    lock_take(&infer->lock);
    add(infer, &dated);
    bool first = !infer->usage.queued;
    infer->usage.queued = true;
    lock_drop(&infer->lock);
    if (first && !manage_write(infer->settings.manage, &infer->usage.work))
        log_warning("usage can't be kept: the daemon ends");
}

void usage_init(struct infer *infer) {
    infer->usage.work.run = write_sums;
    list_init(&infer->usage.sums);
}

void usage_done(struct infer *infer) {
    struct list *link;
    while ((link = list_shift(&infer->usage.sums)))
        free(list_entry(link, struct sum, link));
}
