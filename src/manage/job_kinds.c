/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds of jobs. */

#include <string.h>

#include "manage/collect.h"

static const struct job_kind *const kinds[] = {
    &kind_pull,
    &kind_validate,
    &kind_scrub,
    &kind_ensure,
    &kind_collect,
    &kind_update,
    &kind_update_all,
    &kind_cleanup,
};
#define KIND_COUNT (sizeof kinds / sizeof *kinds)

const struct job_kind *job_kind_row(size_t index) {
    return index < KIND_COUNT ? kinds[index] : NULL;
}

_Static_assert(KIND_COUNT <= JOB_KINDS_MOST, "more kinds than whose turn it is has places for");

size_t job_kind_index(const struct job_kind *kind) {
    size_t i = 0;
    while (kinds[i] != kind) /* all are in the table */
        i++;
    return i;
}

const struct job_kind *job_kind_of(const char *name) {
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return NULL;
}
