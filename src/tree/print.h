/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_PRINT_H
#define WEIGHTFS_TREE_PRINT_H

/*
 * Handlers that print texts, as struct row describes them: each text ends in a newline, none asks the
 * network. Below them the pure parts.
 */

#include "tree/rows.h"

/* print_root.c, print_config.c, print_health.c, print_readme.c */
int print_status(const struct place *place, struct buf *to);
int print_status_json(const struct place *place, struct buf *to);
int print_health(const struct place *place, struct buf *to);
int print_catalogue(const struct place *place, struct buf *to);
int print_readme(const struct place *place, struct buf *to);
int print_option(const struct place *place, struct buf *to);
int print_config_json(const struct place *place, struct buf *to);
int print_schema(const struct place *place, struct buf *to);
int print_audit(const struct place *place, struct buf *to);
int print_metrics(const struct place *place, struct buf *to); /* print_metrics.c */
int print_commands(const struct place *place, struct buf *to);

/* print_model.c, print_plan.c, print_sums.c */
int print_state(const struct place *place, struct buf *to);
int remote_sheet(const struct place *place, struct buf *to, bool json); /* of what is served elsewhere */
int print_model_status(const struct place *place, struct buf *to);
int print_model_status_json(const struct place *place, struct buf *to);
int print_progress(const struct place *place, struct buf *to);
int print_plan(const struct place *place, struct buf *to);
int print_sums(const struct place *place, struct buf *to);
int print_revision_sums(const struct place *place, struct buf *to);
/* Links of revisions/: find_revision.c. */
int print_revision_name(const struct place *place, struct buf *to);
int print_commit(const struct place *place, struct buf *to);

/* print_report.c */
int print_report(const struct place *place, struct buf *to);
int print_report_json(const struct place *place, struct buf *to);

/* print_card.c; and what opening a card or a plan waits for */
int print_card(const struct place *place, struct buf *to);
int print_card_json(const struct place *place, struct buf *to);
int ready_card(const struct place *place, struct wait *wait);
struct card;
struct sheet;
void card_print_memory(const struct card *card, struct sheet *sheet);
/* print_infer.c */
int print_question(const struct place *place, struct buf *to);
int print_system(const struct place *place, struct buf *to);
int print_params(const struct place *place, struct buf *to);
int tell_infer_status(const struct place *place, uid_t uid, struct buf *to);
int print_socket(const struct place *place, struct buf *to);
int prepare_socket(const struct place *place);
int print_usage(const struct place *place, struct buf *to);
int print_usage_json(const struct place *place, struct buf *to);
int tell_infer_status_json(const struct place *place, uid_t uid, struct buf *to);
int tell_auto_status(const struct place *place, uid_t uid, struct buf *to);
int tell_auto_status_json(const struct place *place, uid_t uid, struct buf *to);

/* print_job.c */
int print_job_status(const struct place *place, struct buf *to);
int print_job_status_json(const struct place *place, struct buf *to);
int print_job_progress(const struct place *place, struct buf *to);
int print_job_log(const struct place *place, struct buf *to);
int print_job_state(const struct place *place, struct buf *to);

/* "43.0% 945.8 MB/2.2 GB 85.3 MB/s ETA 0:15". 100.0% is said when everything is here and not before.
 * `seconds_left`: UINT64_MAX when it is not known. `trouble`: why it goes no further now, appended behind
 * "; "; NULL. (Pure.) */
void text_progress(struct buf *to, uint64_t here, uint64_t total, uint64_t speed, uint64_t seconds_left,
    const char *trouble);

/* Is a line of `events` (of `len` bytes) about the job? (Pure.) */
bool text_is_of_job(const char *line, size_t len, int64_t job_id);

/* A line of SHA256SUMS as sha256sum reads it: odd names escaped, with the leading backslash that says
 * so. What is not to be checked is a comment: `sha256` "" is not known, `is_selected` false belongs to
 * no pull. (Pure.) */
void text_sums_line(struct buf *to, const char *sha256, const char *path, bool is_selected);

#endif
