/* SPDX-License-Identifier: Apache-2.0 */
/* One file's check: on a thread, then on the desk. */
#include "manage/check.h"

#include <linux/ioprio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/path.h"
#include "manage/checks.h"
#include "model/format.h"
#include "store/verify.h"

struct check_run *check_run_new(struct manage *manage, void *owner) {
    struct check_run *run = mem_new(sizeof *run);
    run->references = 1;
    run->manage = manage;
    run->owner = owner;
    return run;
}

void check_run_put(struct check_run *run) {
    if (run && !--run->references)
        free(run);
}

struct file_check *file_check_new(struct check_run *run, const struct catalog_model *model,
    const struct catalog_file *file) {
    struct file_check *check = mem_new(sizeof *check);
    run->references++;
    check->run = run;
    check->path = mem_text(file->path);
    check->size = file->size;
    check->model_id = model->id;
    check->bytes = check->structure = true;
    (void)text_copy(check->digest, sizeof check->digest, file->digest); /* is of that size */
    if (model_blob(run->manage, model, file, &check->blob) < 0)
        check->blob = NULL; /* masked: nothing of it is here */
    return check;
}

void file_check_free(struct file_check *check) {
    blob_put(check->blob);
    findings_done(&check->findings);
    check_run_put(check->run);
    free(check->path);
    free(check);
}

/* ---- on a thread ---- */

static bool go_on(void *context, size_t bytes) {
    struct file_check *check = context;
    struct check_run *run = check->run;
    check->read_bytes += bytes;
    atomic_fetch_add(&run->read_bytes, bytes);
    if (atomic_load(&run->cancelled) || checks_are_closing(run->manage->checks))
        return false;
    return !run->pace || run->pace(run, bytes);
}

static void check_bytes(struct file_check *check) {
    struct check_run *run = check->run;
    const struct verify_manner manner = {
        .go_on = go_on,
        .context = check,
        .direct = run->direct,
        .refetch = !options_bool(run->manage->settings.options, "offline"),
    };
    check->error = blob_verify(check->blob, &manner, &check->reason);
    check->checked = !check->error                 ? FILE_RIGHT
                     : check->error == -ERR_ROTTEN ? FILE_ROTTEN
                     : check->error == -ERR_GONE   ? FILE_MISSING
                                                   : FILE_UNJUDGED;
}

static ssize_t read_file(void *context, void *to, size_t size, uint64_t offset) {
    ssize_t got = pread(*(const int *)context, to, size, (off_t)offset);
    return got < 0 ? -errno : got;
}

/* Parsers are given the file itself: what it becomes in the store meanwhile does not matter. */
static void check_structure(struct file_check *check) {
    FD_CLEANUP int fd = -1;
    int error = check->size ? blob_open_aside(check->blob, &fd) : 0;
    if (!error && check->size) {
        const struct format_reader reader = {.read_at = read_file, .context = &fd, .size = check->size};
        error = format_check(format_of_path(check->path), &reader, &check->findings);
    }
    check->looked = !error && check->size;
    if (!error || check->checked != FILE_RIGHT)
        return;
    check->checked = error == -ERR_GONE || error == -ERR_STALE ? FILE_MISSING : FILE_UNJUDGED;
    check->error = error;
}

static void finish_on_desk(struct work *work) {
    struct file_check *check = list_entry(work, struct file_check, work);
    check->finish(check);
}

static void run_check(struct work *work) {
    struct file_check *check = list_entry(work, struct file_check, work);
    struct blob_info info = {.state = BLOB_ABSENT};
    if (check->blob)
        blob_look(check->blob, &info);
    check->here_bytes = info.bytes_here;
    bool rotten = info.error == -ERR_ROTTEN; /* a look has found its size wrong: the pass says so */
    check->checked = info.state == BLOB_COMPLETE ? FILE_RIGHT : FILE_MISSING;
    if (!go_on(check, 0)) {
        check->checked = FILE_UNJUDGED;
        check->error = -ERR_CANCELLED;
    } else if (check->blob && check->bytes && (check->checked == FILE_RIGHT || rotten)) {
        check_bytes(check);
    }
    if (check->structure && check->checked == FILE_RIGHT)
        check_structure(check);
    work->run = finish_on_desk;
    desk_submit(check->run->manage, work);
}

/* Behind everybody else at the disk; what is no answer (another scheduler) is no matter. */
static void run_slowly(struct work *work) {
    (void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
    run_check(work);
}

/* ---- on the desk ---- */

int file_check_submit(struct file_check *check, bool slow) {
    check->work.run = slow ? run_slowly : run_check;
    return checks_submit(check->run->manage, &check->work, slow);
}

/* Danger is what matters most of a file: a malformed one is refused by who loads it. */
static enum finding_level gravest(const struct findings *findings) {
    return findings->of_level[FINDING_DANGER] ? FINDING_DANGER : findings_worst(findings);
}

static const char *worst_text(const struct findings *findings) {
    enum finding_level worst = gravest(findings);
    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].level == worst)
            return findings->items[i].text;
    return "";
}

static void tell_danger(const struct file_check *check) {
    struct buf more BUF_CLEANUP = BUF_INIT;
    (void)buf_text_add(&more, ",\"file\":"); /* no limit: none of these can fail */
    (void)buf_json_string(&more, check->path);
    (void)buf_format(&more, ",\"digest\":\"%s\",\"reason\":", check->digest);
    (void)buf_json_string(&more, worst_text(&check->findings));
    log_warning("%s: loading it can do harm: %s", check->path, worst_text(&check->findings));
    events_add(check->run->manage, "file.danger", NULL, buf_text(&more));
}

void file_check_remember(const struct file_check *check) {
    struct catalog *catalog = check->run->manage->settings.catalog;
    struct catalog_check before = {.scanned = CHECK_NEVER_SCANNED};
    int result = 0;
    if (!*check->digest || check->checked == FILE_MISSING || check->checked == FILE_UNJUDGED)
        return;
    (void)catalog_check(catalog, check->digest, &before); /* not known: as it stands there */
    struct blob_info info;
    blob_look(check->blob, &info);
    /* What had rotted and is complete by now was judged anew when it was sealed. */
    if (check->bytes && !(check->checked == FILE_ROTTEN && info.state == BLOB_COMPLETE))
        result = catalog_set_checked(catalog, check->digest, clock_wall_ms(), check->error);
    if (result == 0 && check->looked) {
        enum finding_level worst = gravest(&check->findings);
        if (worst == FINDING_DANGER && before.scanned != (int)worst)
            tell_danger(check);
        result = catalog_set_scanned(catalog, check->digest, (int)worst, worst_text(&check->findings));
    }
    if (result < 0)
        log_warning("%s: what was checked can't be written to the catalogue", check->path);
}

/* ---- what was sealed just now ---- */

static void scanned(struct file_check *check) {
    struct manage *manage = check->run->manage;
    if (!atomic_load(&manage->shut)) {
        file_check_remember(check);
        bus_publish(
            &(struct news){.kind = NEWS_MODEL, .id = check->model_id}); /* what may be opened changed */
    }
    file_check_free(check);
}

void checks_sealed(struct manage *manage, const struct catalog_model *model,
    const struct catalog_file *file) {
    if (catalog_set_checked(manage->settings.catalog, file->digest, clock_wall_ms(), 0) < 0)
        log_warning("%s: when it was checked can't be written to the catalogue", file->path);
    if (format_row(format_of_path(file->path))->risk != FORMAT_RISK_CODE)
        return;
    struct check_run *run = check_run_new(manage, manage);
    struct file_check *check = file_check_new(run, model, file);
    check_run_put(run);
    check->bytes = false;
    check->finish = scanned;
    int result = file_check_submit(check, false);
    if (result < 0) {
        log_warning("%s: it can't be looked at: %s", file->path, err_sentence(result));
        file_check_free(check);
    }
}
