/* SPDX-License-Identifier: Apache-2.0 */
/* A short memory of discoveries that failed for a passing reason: so that a loop of `ls` does not hammer. */

#include "manage/discovery.h"

#include <stdlib.h>
#include <string.h>

#define FAILURE_MEMORY_MS 3000
#define FAILURES_MOST     64

struct failure {
    struct list link; /* manage->failures, under lock, oldest first */
    char key[NAME_KEY_SIZE];
    int error;
    uint64_t until_ms;
};

int failure_recall(struct manage *manage, const char *key) {
    LOCK_SCOPE(&manage->lock);
    list_each (at, &manage->failures) {
        struct failure *failure = list_entry(at, struct failure, link);
        if (failure->until_ms <= clock_ms()) {
            list_remove(at);
            manage->failure_count--;
            free(failure);
        } else if (strcmp(failure->key, key) == 0) {
            return failure->error;
        }
    }
    return 0;
}

void failure_remember(struct manage *manage, const char *key, int error) {
    struct failure *failure = mem_new(sizeof *failure);
    (void)text_copy(failure->key, sizeof failure->key, key); /* the same size */
    failure->error = error;
    failure->until_ms = clock_ms() + FAILURE_MEMORY_MS;
    LOCK_SCOPE(&manage->lock);
    if (manage->failure_count == FAILURES_MOST)
        free(list_entry(list_shift(&manage->failures), struct failure, link));
    else
        manage->failure_count++;
    list_append(&manage->failures, &failure->link);
}

void failures_forget(struct manage *manage) {
    LOCK_SCOPE(&manage->lock);
    for (struct list *link; (link = list_shift(&manage->failures));)
        free(list_entry(link, struct failure, link));
    manage->failure_count = 0;
}
