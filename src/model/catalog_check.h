/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_CATALOG_CHECK_H
#define WEIGHTFS_MODEL_CATALOG_CHECK_H

/*
 * What was checked, as the catalogue keeps it: of each blob when its bytes were last found right and what a
 * look at its structure said (by content: all models that show it share it), and of each model its last
 * report. Threads and errors as in catalog.h: reading anywhere, writing on the desk.
 */

#include "model/catalog.h"
#include "model/finding.h"

#define CHECK_NEVER_SCANNED (-1)

struct catalog_check {
    char digest[DIGEST_TEXT_SIZE]; /* the blob's key */
    int64_t checked_ms;            /* when its bytes were last judged (sealing is a judgement); 0 never */
    int result;                    /* 0: right; -ERR_ROTTEN … */
    int scanned;                   /* the worst enum finding_level of its structure; CHECK_NEVER_SCANNED */
    char scan_text[FINDING_TEXT_MAX + 1]; /* the sentence of the worst finding; "" */
};

struct catalog_report {
    int64_t model_id;
    char commit[64]; /* of the revision that was validated */
    int64_t time_ms;
    enum finding_level verdict; /* the worst of all lines */
    uint64_t files, missing;    /* looked at; of those, not here */
    char *checks;               /* a JSON array of {"level", "file", "text"}; owned: catalog_report_done() */
};
void catalog_report_done(struct catalog_report *report);
#define REPORT_CLEANUP __attribute__((cleanup(catalog_report_done)))

/* --- Reading --- */
/* -ENOENT: nothing is known of these bytes. */
int catalog_check(struct catalog *catalog, const char *digest, struct catalog_check *ret_check);
/* -ENOENT: the model was never validated. */
int catalog_report(struct catalog *catalog, int64_t model_id, struct catalog_report *ret_report);
/* Models whose last report tells of rot (a line of it has "rotten": true), as the lists of catalog.h. */
int catalog_list_rotten(struct catalog *catalog, int64_t after_id, int64_t *array, size_t room);
/* How many models' last reports, where they are of the selected revision, have each verdict: FINDING_LEVELS
 * counts. */
int catalog_count_verdicts(struct catalog *catalog, uint64_t counts[static FINDING_LEVELS]);
/* Blobs of selected revisions that were not judged since `before_ms`, each once (as one of the files that
 * show it), in order of their digests, those after `after` ("" begins); the count. Whether they are here is
 * not known. */
int catalog_list_due(struct catalog *catalog, int64_t before_ms, const char *after,
    struct catalog_file *array, size_t room);
/* What they take together. */
int catalog_due_bytes(struct catalog *catalog, int64_t before_ms, uint64_t *ret_bytes);
/* What the selections of all models in a state other than `state` take together. */
int catalog_selected_bytes(struct catalog *catalog, int state, uint64_t *ret_bytes);

/* --- Writing --- */
int catalog_set_checked(struct catalog *catalog, const char *digest, int64_t checked_ms, int result);
int catalog_set_scanned(struct catalog *catalog, const char *digest, int scanned, const char *text);
/* Replaces the model's former one. */
int catalog_set_report(struct catalog *catalog, const struct catalog_report *report);

#endif
