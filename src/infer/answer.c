/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/answer.h"

#include <stdatomic.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/lock.h"

struct answer {
    atomic_uint refs;
    struct lock lock; /* ANSWER: all that follows */
    struct buf text;
    struct answer_info info; /* its len is text.len */
    struct list waits;
    uint64_t number;           /* never changes */
    _Atomic uint64_t moved_ms; /* read without the lock, by sweepers */
};

static atomic_size_t all_bytes; /* of text, of all answers */

struct answer *answer_new(uint64_t number) {
    struct answer *answer = mem_new(sizeof *answer);
    atomic_init(&answer->refs, 1);
    lock_init(&answer->lock, LOCK_ANSWER);
    list_init(&answer->waits);
    answer->text.limit = ANSWER_LIMIT;
    answer->number = number;
    answer->info.begun_ms = clock_ms();
    atomic_init(&answer->moved_ms, answer->info.begun_ms);
    return answer;
}

struct answer *answer_ref(struct answer *answer) {
    atomic_fetch_add(&answer->refs, 1);
    return answer;
}

void answer_put(struct answer *answer) {
    if (!answer || atomic_fetch_sub(&answer->refs, 1) > 1)
        return;
    atomic_fetch_sub(&all_bytes, answer->text.len);
    buf_done(&answer->text); /* nobody waits: a wait is taken back before its reference is put */
    lock_done(&answer->lock);
    free(answer);
}

uint64_t answer_number(const struct answer *answer) {
    return answer->number;
}

/* ---- who waits */

/* Its `length` is 1 while it waits: once it is among the ready ones it is linked as well, but no more to be
 * taken back. */
static bool withdraw(struct wait *wait) {
    struct answer *answer = wait->where;
    LOCK_SCOPE(&answer->lock);
    if (!wait->length)
        return false;
    list_remove(&wait->link);
    wait->length = 0;
    return true;
}

static uint64_t progress(struct wait *wait) {
    const struct answer *answer = wait->where;
    return atomic_load(&answer->moved_ms);
}

/* Those that have something to read now, off the list: to be finished without the lock. */
static void take_ready(struct answer *answer, struct list *ready) {
    lock_assert(&answer->lock);
    list_each (link, &answer->waits) {
        if (!answer->info.ended && list_entry(link, struct wait, link)->number >= answer->text.len)
            continue;
        list_remove(link);
        list_entry(link, struct wait, link)->length = 0;
        list_append(ready, link);
    }
}

static void finish_all(struct list *ready) {
    struct list *link;
    while ((link = list_shift(ready))) {
        struct wait *wait = list_entry(link, struct wait, link);
        wait->finish(wait, 0);
    }
}

int answer_await(struct answer *answer, uint64_t offset, struct wait *wait) {
    LOCK_SCOPE(&answer->lock);
    if (answer->info.ended || offset < answer->text.len)
        return 0;
    wait->where = answer;
    wait->number = offset;
    wait->length = 1;
    atomic_store_explicit(&wait->progress, progress, memory_order_release);
    atomic_store_explicit(&wait->withdraw, withdraw, memory_order_release);
    list_append(&answer->waits, &wait->link);
    return PARKED;
}

/* ---- who makes it */

int answer_add(struct answer *answer, const char *text, size_t len) {
    struct list ready;
    list_init(&ready);
    lock_take(&answer->lock);
    int error = answer->info.ended ? -ERR_CANCELLED : 0;
    if (!error && (atomic_load(&all_bytes) + len > ANSWERS_LIMIT || buf_add(&answer->text, text, len) < 0))
        error = -ERR_TOO_LARGE;
    if (!error)
        atomic_fetch_add(&all_bytes, len);
    if (!error && len && !answer->info.first_ms)
        answer->info.first_ms = clock_ms();
    if (!error)
        take_ready(answer, &ready);
    lock_drop(&answer->lock);
    answer_moved(answer);
    finish_all(&ready);
    return error;
}

void answer_moved(struct answer *answer) {
    atomic_store(&answer->moved_ms, clock_ms());
}

void answer_set_usage(struct answer *answer, const struct answer_usage *usage) {
    LOCK_SCOPE(&answer->lock);
    answer->info.usage = *usage;
}

void answer_set_status(struct answer *answer, int status) {
    LOCK_SCOPE(&answer->lock);
    answer->info.status = status;
}

void answer_end(struct answer *answer, int error, const char *sentence) {
    struct list ready;
    list_init(&ready);
    lock_take(&answer->lock);
    if (!answer->info.ended) {
        answer->info.ended = true;
        answer->info.ended_ms = clock_ms();
        answer->info.error = error;
        if (error)
            (void)err_because(&answer->info.reason, error, "%s", sentence ? sentence : err_sentence(error));
        take_ready(answer, &ready);
    }
    lock_drop(&answer->lock);
    finish_all(&ready);
}

/* ---- who reads it */

ssize_t answer_read(struct answer *answer, uint64_t offset, void *data, size_t size) {
    LOCK_SCOPE(&answer->lock);
    if (offset >= answer->text.len)
        return answer->info.ended ? answer->info.error : 0;
    size_t count = answer->text.len - (size_t)offset;
    count = count < size ? count : size;
    memcpy(data, answer->text.data + offset, count);
    return (ssize_t)count;
}

void answer_look(struct answer *answer, struct answer_info *ret_info) {
    LOCK_SCOPE(&answer->lock);
    *ret_info = answer->info;
    ret_info->len = answer->text.len;
}
