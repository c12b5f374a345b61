/* SPDX-License-Identifier: Apache-2.0 */
#include "face/fuse/park.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/thread.h"

enum {
    BUCKETS = 1024,
    REPLY_THREADS = 2,
    LOOK_AGAIN_MS = 10,
    COMMIT_MS = 1000,     /* the keeper had not linked the wait yet */
    STOP_MOST_MS = 10000, /* for keepers to let go at the end */
    VERDICTS = 1024,
};

/* A range of a node that was waited for in vain. */
struct verdict {
    uint64_t node, offset, end, until_ms;
};

struct park {
    struct face *face;
    struct lock lock; /* PARK: all below */
    pthread_cond_t wake;
    struct list buckets[BUCKETS]; /* by number: what an interrupt carries */
    struct list all;              /* as they came */
    struct list ready;            /* finished: to be answered */
    struct list doubts;           /* to be withdrawn, those with the nearest look_ms first, more or less */
    uint64_t last_number, count, most;
    bool closing, silent, stopping, told_full;
    uint64_t stop_ms;
    struct verdict verdicts[VERDICTS]; /* the oldest is written over */
    size_t verdict_next;
    uint64_t verdicts_until_ms; /* when the last of them ends */
    pthread_t threads[REPLY_THREADS];
    unsigned thread_count;
};

static void finish(struct wait *wait, int result);

struct parked *parked_new(const struct call *call, const struct parked_kind *kind) {
    struct parked *parked = mem_new(sizeof *parked);
    parked->call = *call;
    parked->kind = kind;
    parked->wait.finish = finish;
    return parked;
}

void parked_free(struct parked *parked) {
    free(parked->name);
    free(parked);
}

void parked_renew(struct parked *parked) {
    parked->wait = (struct wait){.finish = finish};
    parked->finished = parked->admitted = parked->doubted = false;
    parked->doubt = 0;
}

uint64_t park_count(struct park *park) {
    LOCK_SCOPE(&park->lock);
    return park->count;
}

static struct parked *find_locked(struct park *park, uint64_t number) {
    list_each (at, &park->buckets[number % BUCKETS]) {
        struct parked *parked = list_entry(at, struct parked, bucket);
        if (parked->number == number)
            return parked;
    }
    return NULL;
}

static void remove_locked(struct park *park, struct parked *parked) {
    list_remove(&parked->all);
    list_remove(&parked->bucket);
    if (parked->doubted) {
        list_remove(&parked->queue);
        parked->doubted = false;
    }
    park->count--;
}

/* The wait is over, the handler has left, and nobody looks at the keeper through it: it can be answered. */
static void offer_locked(struct park *park, struct parked *parked) {
    if (!parked->finished || !parked->admitted || parked->examined)
        return;
    remove_locked(park, parked);
    list_append(&park->ready, &parked->queue);
    pthread_cond_signal(&park->wake);
}

/* `at_ms` 0: now. The first doubt counts. */
static void doubt_locked(struct park *park, struct parked *parked, int error, uint64_t at_ms) {
    if (!parked->doubt)
        parked->doubt = error;
    if (parked->doubted || parked->finished || !parked->admitted || parked->examined)
        return;
    parked->look_ms = at_ms;
    parked->doubted = true;
    list_append(&park->doubts, &parked->queue);
    pthread_cond_signal(&park->wake);
}

static void finish(struct wait *wait, int result) {
    struct parked *parked = list_entry(wait, struct parked, wait);
    struct park *park = parked->call.face->park;
    LOCK_SCOPE(&park->lock);
    parked->result = result;
    parked->finished = true;
    offer_locked(park, parked);
}

/* libfuse calls it on the thread that got the INTERRUPT, holding a lock of the request's: it only takes
 * note. By then the request may have been answered; hence a number. */
static void interrupted(fuse_req_t req, void *data) {
    struct face *face = fuse_req_userdata(req);
    struct park *park = face->park;
    LOCK_SCOPE(&park->lock);
    struct parked *parked = find_locked(park, (uint64_t)(uintptr_t)data);
    if (parked)
        doubt_locked(park, parked, -ERR_INTERRUPTED, parked->kind->commits ? clock_ms() + COMMIT_MS : 0);
}

static void remember_locked(struct park *park, const struct parked *parked) {
    if (!parked->kind->memory_ms)
        return;
    park->verdicts_until_ms = clock_ms() + parked->kind->memory_ms;
    park->verdicts[park->verdict_next++ % VERDICTS] = (struct verdict){
        .node = parked->call.node,
        .offset = parked->offset,
        .end = parked->offset + parked->size,
        .until_ms = park->verdicts_until_ms,
    };
}

static bool is_remembered_locked(const struct park *park, const struct parked *parked) {
    uint64_t now = clock_ms();
    if (!parked->kind->memory_ms || now >= park->verdicts_until_ms)
        return false;
    for (size_t i = 0; i < VERDICTS; i++) {
        const struct verdict *verdict = &park->verdicts[i];
        if (verdict->until_ms > now && verdict->node == parked->call.node &&
            verdict->offset < parked->offset + parked->size && parked->offset < verdict->end)
            return true;
    }
    return false;
}

void park_or_answer(struct parked *parked, int result) {
    if (result == PARKED)
        park_admit(parked->call.face->park, parked);
    else
        parked->kind->answer(parked, result);
}

void park_admit(struct park *park, struct parked *parked) {
    uint64_t number;
    bool tell = false;
    {
        LOCK_SCOPE(&park->lock);
        number = parked->number = ++park->last_number;
        list_append(&park->all, &parked->all);
        list_append(&park->buckets[number % BUCKETS], &parked->bucket);
        park->count++;
        metric_add(&face_metrics[FACE_PARKED_TOTAL], 0, 1);
        if (!parked->start_ms)
            parked->start_ms = parked->moved_ms = clock_ms();
        if (park->closing)
            parked->doubt = -EIO;
        else if (park->count > park->most) {
            parked->doubt = -ERR_TOO_MANY;
            tell = !park->told_full;
            park->told_full = true;
        } else if (is_remembered_locked(park, parked))
            parked->doubt = parked->kind->verdict;
    }
    if (tell)
        log_warning("%llu requests are waiting (max_parked): what comes beyond them is refused",
            (unsigned long long)park->most);
    /* Not under the lock: it may call interrupted() at once. Not admitted yet: nobody answers meanwhile. */
    fuse_req_interrupt_func(parked->call.req, interrupted, (void *)(uintptr_t)number);
    LOCK_SCOPE(&park->lock);
    parked->admitted = true;
    if (parked->doubt)
        doubt_locked(park, parked, parked->doubt, 0);
    offer_locked(park, parked);
}

static void count_refusal(const struct parked *parked, int error) {
    if (error == -ERR_INTERRUPTED)
        metric_add(&face_metrics[FACE_INTERRUPTS], 0, 1);
    else if (error == -ERR_TOO_MANY)
        metric_add(&face_metrics[FACE_TURNED_AWAY], 0, 1);
    else if (error == parked->kind->verdict)
        metric_add(&face_metrics[FACE_STALLS], 0, 1);
}

static void refuse(struct parked *parked, int error, bool silent) {
    count_refusal(parked, error);
    if (silent)
        answer_nothing(&parked->call);
    else
        parked->kind->refuse(&parked->call, error);
    parked_free(parked);
}

/* Takes the wait back, if the keeper still has it. Enters and leaves with the lock held. */
static void examine_locked(struct park *park, struct parked *parked) {
    list_remove(&parked->queue);
    parked->doubted = false;
    parked->examined = true;
    lock_drop(&park->lock);
    bool taken = wait_withdraw(&parked->wait);
    lock_take(&park->lock);
    parked->examined = false;
    if (taken) {
        bool silent = park->silent;
        remove_locked(park, parked);
        lock_drop(&park->lock);
        refuse(parked, parked->doubt, silent);
        lock_take(&park->lock);
    } else if (parked->finished)
        offer_locked(park, parked);
    else
        doubt_locked(park, parked, parked->doubt, clock_ms() + LOOK_AGAIN_MS);
}

/* The first whose time has come; else NULL, and when the next one's comes (0: there is none). */
static struct parked *due_locked(struct park *park, uint64_t *ret_next_ms) {
    uint64_t now = clock_ms(), next = 0;
    list_each (at, &park->doubts) {
        struct parked *parked = list_entry(at, struct parked, queue);
        if (parked->look_ms <= now)
            return parked;
        if (!next || parked->look_ms < next)
            next = parked->look_ms;
    }
    *ret_next_ms = next;
    return NULL;
}

static void *reply_run(void *context) {
    struct park *park = context;
    lock_take(&park->lock);
    for (;;) {
        /* Doubts first: however much there is to answer, a killed reader lets go at once. */
        uint64_t next_ms = 0;
        struct parked *doubted = due_locked(park, &next_ms);
        if (doubted) {
            examine_locked(park, doubted);
            continue;
        }
        struct list *first = list_shift(&park->ready);
        if (first) {
            struct parked *parked = list_entry(first, struct parked, queue);
            lock_drop(&park->lock);
            parked->kind->answer(parked, parked->result);
            lock_take(&park->lock);
            continue;
        }
        if (park->stopping && (!park->count || clock_ms() >= park->stop_ms))
            break;
        if (park->stopping && !next_ms)
            next_ms = clock_ms() + LOOK_AGAIN_MS;
        (void)lock_wait(&park->lock, &park->wake, next_ms);
    }
    lock_drop(&park->lock);
    loop_buffer_done();
    return NULL;
}

/* `patience` of its kind; counted from when something last moved. The kernel's own limit counts from the
 * start. */
static bool is_late(const struct park *park, const struct parked *parked, uint64_t patience) {
    uint64_t now = clock_ms(), most = park->face->request_most_ms;
    return (patience && now >= parked->moved_ms + patience) || (most && now >= parked->start_ms + most);
}

/* Those that have waited for longer than their kind may, so far as we know, are marked and go into `late`. */
static void collect_late_locked(struct park *park, struct list *late) {
    uint64_t patience = 0;
    const struct parked_kind *kind = NULL;
    list_each (at, &park->all) {
        struct parked *parked = list_entry(at, struct parked, all);
        if (parked->kind != kind) {
            kind = parked->kind;
            patience = kind->patience_ms(park->face);
        }
        if (!parked->admitted || parked->finished || parked->examined || parked->doubted ||
            !is_late(park, parked, patience))
            continue;
        parked->examined = true; /* it stays while we look */
        list_append(late, &parked->queue);
    }
}

void park_sweep(struct park *park) {
    LIST_HEAD(late);
    lock_take(&park->lock);
    collect_late_locked(park, &late);
    lock_drop(&park->lock);
    struct list *first;
    while ((first = list_shift(&late))) {
        struct parked *parked = list_entry(first, struct parked, queue);
        uint64_t (*progress)(struct wait *) =
            atomic_load_explicit(&parked->wait.progress, memory_order_acquire);
        uint64_t moved = progress ? progress(&parked->wait) : 0,
                 patience = parked->kind->patience_ms(park->face);
        LOCK_SCOPE(&park->lock);
        parked->examined = false;
        if (moved > parked->moved_ms)
            parked->moved_ms = moved;
        if (!parked->doubt && is_late(park, parked, patience)) {
            parked->doubt = parked->kind->verdict;
            remember_locked(park, parked);
        }
        if (parked->doubt) /* or somebody else came to one meanwhile */
            doubt_locked(park, parked, parked->doubt, 0);
        offer_locked(park, parked);
    }
}

int park_start(struct face *face, struct park **ret_park) {
    struct park *park = mem_new(sizeof *park);
    park->face = face;
    park->most = (uint64_t)options_number(face->options, "max_parked");
    lock_init(&park->lock, LOCK_PARK);
    lock_condition_init(&park->wake);
    for (size_t i = 0; i < BUCKETS; i++)
        list_init(&park->buckets[i]);
    list_init(&park->all);
    list_init(&park->ready);
    list_init(&park->doubts);
    for (; park->thread_count < REPLY_THREADS; park->thread_count++) {
        int error = thread_start("fuse-reply", reply_run, park, &park->threads[park->thread_count]);
        if (error) {
            (void)park_stop(park); /* nothing is parked yet */
            return error;
        }
    }
    *ret_park = park;
    return 0;
}

void park_close(struct park *park, bool silent) {
    LOCK_SCOPE(&park->lock);
    park->closing = true;
    park->silent = silent;
    list_each (at, &park->all)
        doubt_locked(park, list_entry(at, struct parked, all), -EIO, 0);
}

bool park_stop(struct park *park) {
    lock_take(&park->lock);
    park->stopping = true;
    park->stop_ms = clock_ms() + STOP_MOST_MS;
    pthread_cond_broadcast(&park->wake);
    lock_drop(&park->lock);
    for (unsigned i = 0; i < park->thread_count; i++)
        pthread_join(park->threads[i], NULL);
    uint64_t left = park_count(park);
    if (left) {
        log_error("%llu requests were still waiting at the end", (unsigned long long)left);
        return false;
    }
    pthread_cond_destroy(&park->wake);
    lock_done(&park->lock);
    free(park);
    return true;
}
