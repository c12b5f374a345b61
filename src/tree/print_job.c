/* SPDX-License-Identifier: Apache-2.0 */

/* jobs/ID/: one job. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tree/inside.h"
#include "tree/place.h"
#include "tree/print.h"
#include "tree/sheet.h"

static int look(const struct place *place, struct job_report *ret_report) {
    return job_report(place->tree->settings.manage, place->job.id, ret_report);
}

int print_job_state(const struct place *place, struct buf *to) {
    struct job_report report;
    int result = look(place, &report);
    return result < 0 ? result : buf_format(to, "%s\n", job_state_name(report.row.state));
}

/* Why it gets on no further: an error, or who paused it. */
static const char *reason_of(const struct catalog_job *job) {
    return job->error || job->reason.text[0] ? err_text(&job->reason, job->error) : NULL;
}

int print_job_progress(const struct place *place, struct buf *to) {
    struct job_report report;
    int result = look(place, &report);
    if (result < 0)
        return result;
    const struct catalog_job *job = &report.row;
    bool open = job->state == JOB_RUNNING || job->state == JOB_PAUSED;
    text_progress(to, job->bytes_done, job->bytes_total, report.speed, report.seconds_left,
        open ? reason_of(job) : NULL);
    return 0;
}

static int job_sheet(const struct place *place, struct buf *to, bool json) {
    struct job_report report;
    int result = look(place, &report);
    if (result < 0)
        return result;
    const struct catalog_job *job = &report.row;
    struct sheet sheet;
    sheet_begin(&sheet, to, json);
    sheet_number(&sheet, "job", (uint64_t)job->id);
    sheet_text(&sheet, "kind", job->kind);
    sheet_text(&sheet, "model", job->key); /* it may have been forgotten since */
    sheet_text(&sheet, "words", job->words);
    sheet_text(&sheet, "state", job_state_name(job->state));
    sheet_text(&sheet, "priority", job_priority_name(job->priority));
    if (report.position)
        sheet_number(&sheet, "position", report.position);
    sheet_time(&sheet, "created", job->created_ms);
    sheet_time(&sheet, "started", job->started_ms);
    sheet_time(&sheet, "ended", job->ended_ms);
    sheet_bytes(&sheet, "bytes_total", job->bytes_total);
    sheet_bytes(&sheet, "bytes_done", job->bytes_done);
    sheet_bytes(&sheet, "speed", report.speed);
    if (report.seconds_left != UINT64_MAX)
        sheet_number(&sheet, "seconds_left", report.seconds_left);
    if (job->limit_rate)
        sheet_bytes(&sheet, "limit_rate", job->limit_rate);
    sheet_number(&sheet, "tries", job->tries);
    if (job->uid >= 0)
        sheet_number(&sheet, "uid", (uint64_t)job->uid);
    if (job->pid > 0)
        sheet_number(&sheet, "pid", (uint64_t)job->pid);
    sheet_text(&sheet, "error", job->error ? err_name(job->error) : NULL);
    sheet_text(&sheet, "reason", reason_of(job));
    sheet_end(&sheet);
    return 0;
}

int print_job_status(const struct place *place, struct buf *to) {
    return job_sheet(place, to, false);
}

int print_job_status_json(const struct place *place, struct buf *to) {
    return job_sheet(place, to, true);
}

bool text_is_of_job(const char *line, size_t len, int64_t job_id) {
    char member[40];
    snprintf(member, sizeof(member), "\"job\":%" PRId64, job_id);
    const char *at = memmem(line, len, member, strlen(member));
    if (!at)
        return false;
    const char *behind = at + strlen(member);
    return behind < line + len && (*behind == ',' || *behind == '}');
}

/* The ring of events is the job's memory: bounded, and of this daemon's life. */
int print_job_log(const struct place *place, struct buf *to) {
    struct manage *manage = place->tree->settings.manage;
    uint64_t begin = events_begin(manage);
    size_t room = (size_t)(events_end(manage) - begin);
    char *ring = mem_array(room + 1, 1);
    size_t len = events_read(manage, begin, ring, room);
    for (const char *line = ring; len;) {
        const char *end = memchr(line, '\n', len);
        if (!end)
            break; /* the ring turned meanwhile */
        size_t line_len = (size_t)(end - line) + 1;
        if (text_is_of_job(line, line_len, place->job.id))
            (void)buf_add(to, line, line_len);
        line += line_len;
        len -= line_len;
    }
    free(ring);
    return 0;
}
