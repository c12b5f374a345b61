/* SPDX-License-Identifier: Apache-2.0 */
/* News of blobs: the listener, on any thread, only takes note; the desk reads the notes. */

#include "manage/check.h"
#include "manage/heal.h"
#include "manage/unsafe.h"
#include "manage/job.h"
#include "manage/remote.h"
#include "model/catalog_revision.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTES_MOST    512
#define NEWS_DELAY_MS 400 /* how long progress may be collected before it is looked at */

/* What the listener took note of. One note a kind, key and error at most: that a blob has rotted is told also
 * when its new bytes are sealed before the desk comes to it. */
struct note {
    struct list link;
    enum news_kind kind;
    int error;
    char key[DIGEST_TEXT_SIZE];
    char text[200];
};

/* ---- news: the listener only takes note ---- */

static bool is_noted_locked(struct manage *manage, const struct news *news) {
    list_each (at, &manage->notes) {
        struct note *note = list_entry(at, struct note, link);
        if (note->kind == news->kind && note->error == news->error && strcmp(note->key, news->key) == 0)
            return true;
    }
    return false;
}

static void take_note_locked(struct manage *manage, const struct news *news) {
    if (is_noted_locked(manage, news))
        return;
    if (manage->note_count == NOTES_MOST) {
        manage->notes_lost = true;
        return;
    }
    struct note *note = mem_new(sizeof *note);
    note->kind = news->kind;
    note->error = news->error;
    (void)text_copy(note->key, sizeof note->key, news->key);                           /* a digest fits */
    (void)snprintf(note->text, sizeof note->text, "%s", news->text ? news->text : ""); /* may be cut */
    list_append(&manage->notes, &note->link);
    manage->note_count++;
}

void news_hear(void *context, const struct news *news) {
    struct manage *manage = context;
    if (news->kind == NEWS_SETTING && news->text && strcmp(news->text, "unsafe_formats") == 0)
        unsafe_watch(manage);
    if (news->kind == NEWS_SETTING && news->text && !news->id)
        remote_hear(manage, news->text);
    if (news->kind > NEWS_BLOB_TROUBLE || !news->key)
        return; /* the others are our own */
    atomic_fetch_add(&manage->blob_version, 1);
    if (news->kind != NEWS_BLOB_PROGRESS)
        atomic_fetch_add(&manage->hard_version, 1);
    if (atomic_load(&manage->shut))
        return;
    bool now = false, later = false;
    lock_take(&manage->news_lock);
    take_note_locked(manage, news);
    if (news->kind != NEWS_BLOB_PROGRESS && !manage->news_queued)
        now = manage->news_queued = true;
    else if (!manage->news_queued && !manage->news_delayed)
        later = manage->news_delayed = true;
    lock_drop(&manage->news_lock);
    if (now)
        desk_submit(manage, &manage->news_work);
    else if (later)
        timer_arm(manage->settings.timers, &manage->news_timer, clock_ms() + NEWS_DELAY_MS);
}

static void news_due(struct timer *timer) {
    struct manage *manage = list_entry(timer, struct manage, news_timer);
    lock_take(&manage->news_lock);
    manage->news_delayed = false;
    bool submit = !manage->news_queued && !atomic_load(&manage->shut);
    manage->news_queued |= submit;
    lock_drop(&manage->news_lock);
    if (submit)
        desk_submit(manage, &manage->news_work);
}

/* ---- news: what follows, on the desk ---- */

static void tell_blob(struct manage *manage, const char *event, const struct note *note) {
    struct buf more BUF_CLEANUP = BUF_INIT;
    (void)buf_format(&more, ",\"digest\":\"%s\"", note->key); /* no limit: none of these can fail */
    if (note->error)
        (void)buf_format(&more, ",\"error\":\"%s\"", err_name(note->error));
    if (*note->text) {
        (void)buf_text_add(&more, ",\"reason\":");
        (void)buf_json_string(&more, note->text);
    }
    events_add(manage, event, NULL, buf_text(&more));
}

/* A generation began: the blob was sealed (our own SHA-256 is known then), evicted, or killed by a
 * mismatch. */
static void generation_began(struct manage *manage, const struct note *note) {
    if (note->error) {
        bool rotten = note->error == -ERR_ROTTEN;
        log_warning("blob %s: %s", note->key, *note->text ? note->text : err_sentence(note->error));
        tell_blob(manage, rotten ? "blob.rotten" : "blob.corrupt", note);
        return;
    }
    struct catalog_file *file = mem_new(sizeof *file);
    struct catalog_model *model = mem_new(sizeof *model);
    struct blob *blob;
    struct blob_info info;
    if (catalog_list_same_kept(manage->settings.catalog, note->key, 0, file, 1) == 1 &&
        catalog_model(manage->settings.catalog, file->model_id, model) == 0 &&
        model_blob(manage, model, file, &blob) == 0) {
        blob_look(blob, &info);
        blob_put(blob);
        if (info.state != BLOB_COMPLETE)
            tell_blob(manage, "blob.evicted", note);
        else
            checks_sealed(manage, model, file);
        heal_reports(manage);
        if (*info.sha256 && strcmp(file->sha256, info.sha256) != 0 &&
            catalog_set_sha256(manage->settings.catalog, note->key, info.sha256) < 0)
            log_warning("blob %s: its SHA-256 can't be written to the catalogue", note->key);
    }
    free(model);
    free(file);
}

static void handle_note(struct manage *manage, const struct note *note) {
    switch (note->kind) {
    case NEWS_BLOB_PROGRESS: manage_success(manage, false); break;
    case NEWS_BLOB_VERIFIED:
        manage_success(manage, false);
        tell_blob(manage, "blob.verified", note);
        break;
    case NEWS_BLOB_GENERATION: generation_began(manage, note); break;
    case NEWS_BLOB_TROUBLE: manage_trouble(manage, note->error, NULL, note->text); break;
    default: break;
    }
    jobs_mark(manage, note->key);
    state_mark_digest(manage, note->key);
}

static void handle_news(struct work *work) {
    struct manage *manage = list_entry(work, struct manage, news_work);
    LIST_HEAD(notes);
    lock_take(&manage->news_lock);
    manage->news_queued = false;
    for (struct list *link; (link = list_shift(&manage->notes));)
        list_append(&notes, link);
    bool lost = manage->notes_lost;
    manage->notes_lost = false;
    manage->note_count = 0;
    lock_drop(&manage->news_lock);
    if (lost)
        jobs_mark(manage, NULL);
    for (struct list *link; (link = list_shift(&notes));) {
        struct note *note = list_entry(link, struct note, link);
        if (!atomic_load(&manage->shut))
            handle_note(manage, note);
        free(note);
    }
    if (atomic_load(&manage->shut))
        return;
    jobs_step(manage);
    if (state_look(manage))
        tick_soon(manage, TICK_MS);
}

/* ---- life ---- */

void news_init(struct manage *manage) {
    lock_init(&manage->news_lock, LOCK_QUEUE);
    list_init(&manage->notes);
    manage->news_work.run = handle_news;
    manage->news_timer.fire = news_due;
}

void news_done(struct manage *manage) {
    for (struct list *link; (link = list_shift(&manage->notes));)
        free(list_entry(link, struct note, link));
    lock_done(&manage->news_lock);
}
