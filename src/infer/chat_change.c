/* SPDX-License-Identifier: Apache-2.0 */
/* What people do with conversations: each change is a piece of work for manage's desk. */

#include <errno.h>
#include <string.h>

#include "base/bus.h"
#include "base/utf8.h"
#include "infer/body.h"
#include "infer/chat_inside.h"
#include "infer/params.h"

/* A change under way. Its wait is in infer->chat_waits for as long as the asker may take it back. */
struct change {
    struct work work;
    struct infer *infer;
    struct wait *wait; /* under lock; NULL: taken back */
    int (*make)(struct change *change, struct reason *reason);
    int64_t id; /* of the chat; chat_make: of the model */
    uid_t uid;
    bool replaces;
    char *text;
};

int chat_check_name(const char *name) {
    size_t len = strlen(name);
    if (len >= CHAT_NAME_SIZE)
        return -ENAMETOOLONG;
    if (!len || *name == '.')
        return -EINVAL;
    for (size_t at = 0, step; at < len; at += step) {
        step = utf8_char(name + at, len - at);
        bool is_control = (unsigned char)name[at] < ' ' || name[at] == 0x7f ||
                          ((unsigned char)name[at] == 0xc2 && (unsigned char)name[at + 1] < 0xa0);
        if (!step || name[at] == '/' || is_control)
            return -EINVAL;
    }
    return 0;
}

/* ---- on manage's desk */

static struct catalog *catalog_of(const struct change *change) {
    return manage_catalog(change->infer->settings.manage);
}

static int make_chat(struct change *change, struct reason *reason) {
    int64_t id;
    (void)reason;
    return catalog_add_chat(catalog_of(change), change->id, change->uid, change->text,
        options_number(change->infer->settings.options, "chats_most"), &id);
}

static int rename_chat(struct change *change, struct reason *reason) {
    (void)reason;
    return catalog_rename_chat(catalog_of(change), change->id, change->text);
}

static int remove_chat(struct change *change, struct reason *reason) {
    (void)reason;
    int result = catalog_remove_chat(catalog_of(change), change->id);
    if (result < 0)
        return result;
    (void)chat_cancel(change->infer, change->id); /* what was asked before it went */
    chat_forget(change->infer, change->id);
    return 0;
}

static int set_system(struct change *change, struct reason *reason) {
    (void)reason;
    const char *text = strcmp(change->text, "default") == 0 ? NULL
                       : strcmp(change->text, "none") == 0  ? ""
                                                            : change->text;
    return catalog_set_chat_text(catalog_of(change), change->id, "system", text);
}

static bool is_none(const char *line, size_t len) {
    size_t blank = strspn(line, " \t\r");
    return len >= blank + 4 && !strncmp(line + blank, "none", 4) &&
           blank + 4 + strspn(line + blank + 4, " \t\r") == len;
}

/* Takes lines `none` out: the text behind the last one, or all. */
static const char *behind_none(const char *text, bool *replaces) {
    for (const char *line = text; *line;) {
        size_t len = strcspn(line, "\n");
        bool none = is_none(line, len);
        line += len + (line[len] == '\n');
        *replaces |= none;
        text = none ? line : text;
    }
    return text;
}

static int set_params(struct change *change, struct reason *reason) {
    struct buf former BUF_CLEANUP = BUF_INIT, now BUF_CLEANUP = BUF_INIT;
    const char *lines = behind_none(change->text, &change->replaces);
    int result = change->replaces ? 0 : catalog_chat_text(catalog_of(change), change->id, "params", &former);
    if (result == 0 || result == -ENOENT)
        result = params_read(lines, buf_text(&former), &now, reason);
    return result < 0 ? result
                      : catalog_set_chat_text(catalog_of(change), change->id, "params",
                            now.len ? buf_text(&now) : NULL);
}

/* Makes it, tells the news, and ends the wait, if somebody still waits. */
static void run(struct work *work) {
    struct change *change = list_entry(work, struct change, work);
    struct infer *infer = change->infer;
    struct reason reason = {""};
    int result = change->make(change, &reason);
    bool is_text = change->make == set_system || change->make == set_params;
    if (is_text && result != -ENOENT)
        chat_note(infer, change->id, result, result < 0 ? err_text(&reason, result) : NULL);
    else
        bus_publish(&(struct news){.kind = NEWS_CHAT, .id = change->id});
    lock_take(&infer->lock);
    struct wait *wait = change->wait;
    if (wait)
        list_remove(&wait->link);
    lock_drop(&infer->lock);
    free(change->text);
    free(change);
    if (wait)
        wait->finish(wait, result);
}

/* ---- asking for it */

static bool take_back(struct wait *wait) {
    struct infer *infer = wait->where;
    LOCK_SCOPE(&infer->lock);
    if (!list_linked(&wait->link))
        return false;
    list_remove(&wait->link);
    ((struct change *)(uintptr_t)wait->number)->wait = NULL; /* it is made all the same */
    return true;
}

static int begin(const struct change *settings, const char *text, size_t len, struct wait *wait) {
    struct infer *infer = settings->infer;
    struct change *change = mem_new(sizeof *change);
    *change = *settings;
    change->work.run = run;
    change->wait = wait;
    change->text = mem_array(len + 1, 1);
    memcpy(change->text, text, len);
    wait->where = infer;
    wait->number = (uintptr_t)change;
    atomic_store_explicit(&wait->progress, NULL, memory_order_relaxed);
    lock_take(&infer->lock);
    list_append(&infer->chat_waits, &wait->link);
    atomic_store_explicit(&wait->withdraw, take_back, memory_order_release);
    lock_drop(&infer->lock);
    if (manage_write(infer->settings.manage, &change->work))
        return PARKED;
    lock_take(&infer->lock);
    list_remove(&wait->link);
    atomic_store_explicit(&wait->withdraw, NULL, memory_order_release);
    lock_drop(&infer->lock);
    free(change->text);
    free(change);
    return -ERR_CANCELLED;
}

int chat_make(struct infer *infer, int64_t model_id, uid_t uid, const char *name, struct wait *wait) {
    int result = chat_check_name(name);
    return result < 0 ? result
                      : begin(&(struct change){.infer = infer, .make = make_chat, .id = model_id, .uid = uid},
                            name, strlen(name), wait);
}

int chat_rename(struct infer *infer, int64_t id, const char *name, struct wait *wait) {
    int result = chat_check_name(name);
    return result < 0 ? result
                      : begin(&(struct change){.infer = infer, .make = rename_chat, .id = id}, name,
                            strlen(name), wait);
}

int chat_remove(struct infer *infer, int64_t id, struct wait *wait) {
    return begin(&(struct change){.infer = infer, .make = remove_chat, .id = id}, "", 0, wait);
}

int chat_set_system(struct infer *infer, int64_t id, const char *text, size_t len, struct wait *wait) {
    struct reason reason;
    int result = body_check(text, len, &reason);
    if (result < 0)
        chat_note(infer, id, result, reason.text);
    return result < 0
               ? result
               : begin(&(struct change){.infer = infer, .make = set_system, .id = id}, text, len, wait);
}

int chat_set_params(struct infer *infer, int64_t id, const char *text, size_t len, bool replaces,
    struct wait *wait) {
    struct reason reason;
    int result = body_check(text, len, &reason);
    if (result < 0)
        chat_note(infer, id, result, reason.text);
    return result < 0
               ? result
               : begin(&(struct change){.infer = infer, .make = set_params, .id = id, .replaces = replaces},
                     text, len, wait);
}

/* ---- ending what is asked, and looking */

static unsigned mark(struct list *questions, int64_t id) {
    unsigned count = 0;
    list_each (link, questions) {
        struct question *question = list_entry(link, struct question, link);
        if (question->asking.chat_id != id || question->cancelled || question->over)
            continue;
        question->cancelled = true;
        count++;
    }
    return count;
}

/* One whose document is being written, or was and comes in a moment, off the list. */
static struct question *take_pending(struct infer *infer, int64_t id) {
    LOCK_SCOPE(&infer->lock);
    list_each (link, &infer->pending)
        if (list_entry(link, struct question, link)->asking.chat_id == id) {
            list_remove(link);
            return list_entry(link, struct question, link);
        }
    return NULL;
}

unsigned chat_cancel(struct infer *infer, int64_t id) {
    struct question *question;
    unsigned count = 0;
    for (; (question = take_pending(infer, id)); count++)
        question_end(question, -ERR_CANCELLED, NULL);
    lock_take(&infer->lock);
    list_each (link, &infer->seats) {
        struct seat *seat = list_entry(link, struct seat, link);
        count += mark(&seat->waiting, id) + mark(&seat->asked, id);
    }
    lock_drop(&infer->lock);
    if (count)
        infer_look(infer);
    return count;
}

static unsigned count_of(struct list *questions, int64_t id) {
    unsigned count = 0;
    list_each (link, questions)
        count += list_entry(link, struct question, link)->asking.chat_id == id;
    return count;
}

void chat_report(struct infer *infer, const struct catalog_chat *chat, struct chat_report *ret_report) {
    *ret_report = (struct chat_report){.error = 0};
    LOCK_SCOPE(&infer->lock);
    list_each (link, &infer->seats) {
        struct seat *seat = list_entry(link, struct seat, link);
        if (seat->model_id != chat->model_id)
            continue;
        ret_report->waiting = count_of(&seat->waiting, chat->id);
        ret_report->answering = count_of(&seat->asked, chat->id);
    }
    list_each (link, &infer->chats) {
        const struct chat *known = list_entry(link, struct chat, link);
        if (known->id != chat->id)
            continue;
        ret_report->cut = known->cut;
        ret_report->error = known->error;
        ret_report->reason = known->reason;
    }
}
