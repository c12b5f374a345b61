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

struct picture {
    struct catalog_job job;
    uint64_t speed, seconds_left;
};

static int look(const struct place *place, struct picture *ret_picture) {
    return job_report(place->tree->settings.manage, place->job.id, &ret_picture->job, &ret_picture->speed,
        &ret_picture->seconds_left);
}

int print_job_state(const struct place *place, struct buf *to) {
    struct picture picture;
    int result = look(place, &picture);
    return result < 0 ? result : buf_format(to, "%s\n", job_state_name(picture.job.state));
}

int print_job_progress(const struct place *place, struct buf *to) {
    struct picture picture;
    int result = look(place, &picture);
    if (result < 0)
        return result;
    const struct catalog_job *job = &picture.job;
    bool open = job->state == JOB_RUNNING || job->state == JOB_PAUSED;
    text_progress(to, job->bytes_done, job->bytes_total, picture.speed, picture.seconds_left,
        open && job->error ? err_text(&job->reason, job->error) : NULL);
    return 0;
}

int print_job_status(const struct place *place, struct buf *to) {
    struct picture picture;
    int result = look(place, &picture);
    if (result < 0)
        return result;
    const struct catalog_job *job = &picture.job;
    struct catalog_model model;
    char key[NAME_KEY_SIZE] = ""; /* the model may have been forgotten since */
    if (!catalog_model(place->tree->catalog, job->model_id, &model))
        name_format(model.source, model.name, key);

    struct sheet sheet;
    sheet_begin(&sheet, to, false);
    sheet_number(&sheet, "job", (uint64_t)job->id);
    sheet_text(&sheet, "kind", job->kind);
    sheet_text(&sheet, "model", key);
    sheet_text(&sheet, "words", job->words);
    sheet_text(&sheet, "state", job_state_name(job->state));
    sheet_time(&sheet, "created", job->created_ms);
    sheet_time(&sheet, "ended", job->ended_ms);
    sheet_bytes(&sheet, "bytes_total", job->bytes_total);
    sheet_bytes(&sheet, "bytes_done", job->bytes_done);
    sheet_bytes(&sheet, "speed", picture.speed);
    sheet_text(&sheet, "error", job->error ? err_name(job->error) : NULL);
    sheet_text(&sheet, "reason",
        job->error || job->reason.text[0] ? err_text(&job->reason, job->error) : NULL);
    sheet_end(&sheet);
    return 0;
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
