/* SPDX-License-Identifier: Apache-2.0 */
/* What may follow what: the table of a model's states against the drawing in manage/state.h. */

#include <string.h>

#include "manage/state.h"
#include "check.h"

/* The arrows of the drawing, written down once more: by whom they are, and what they lead to. */
static const struct {
    const char *from, *to;
} arrows[] = {
    {"absent", "partial ready corrupt disabled queued remote"},
    {"partial", "absent ready corrupt disabled queued"},
    {"ready", "absent partial corrupt disabled queued"},
    {"corrupt", "absent partial ready disabled queued failed"},
    {"failed", "absent partial ready corrupt disabled queued"},
    {"queued", "downloading paused failed absent partial ready corrupt disabled"},
    {"downloading", "queued paused failed absent partial ready corrupt disabled"},
    {"paused", "queued downloading failed absent partial ready corrupt disabled"},
    {"disabled", "absent partial ready corrupt queued"},
    {"remote", "absent"},
};

static bool has_word(const char *words, const char *word) {
    size_t len = strlen(word);
    for (const char *at = words; (at = strstr(at, word)); at += len)
        if ((at == words || at[-1] == ' ') && (!at[len] || at[len] == ' '))
            return true;
    return false;
}

static void the_table_is_the_drawing(void) {
    CHECK_NUMBER(sizeof arrows / sizeof *arrows, STATE_COUNT);
    for (size_t i = 0; i < sizeof arrows / sizeof *arrows; i++) {
        enum model_state from = STATE_ABSENT;
        while (from < STATE_COUNT && strcmp(model_state_name(from), arrows[i].from) != 0)
            from++;
        if (!CHECK(from < STATE_COUNT))
            continue;
        for (int to = 0; to < STATE_COUNT; to++)
            if (!CHECK(model_state_may_follow(from, (enum model_state)to) ==
                       has_word(arrows[i].to, model_state_name((enum model_state)to))))
                fprintf(stderr, "    %s to %s\n", arrows[i].from, model_state_name((enum model_state)to));
    }
}

/* Nothing is fetched, paused or failed without having been queued. */
static void jobs_begin_in_the_queue(void) {
    for (int from = 0; from < STATE_COUNT; from++) {
        bool by_job = from == STATE_QUEUED || from == STATE_DOWNLOADING || from == STATE_PAUSED;
        CHECK(model_state_may_follow((enum model_state)from, STATE_DOWNLOADING) ==
              (by_job && from != STATE_DOWNLOADING));
        CHECK(
            model_state_may_follow((enum model_state)from, STATE_PAUSED) == (by_job && from != STATE_PAUSED));
        CHECK(!model_state_may_follow((enum model_state)from, (enum model_state)from));
    }
}

static void what_is_no_state_follows_nothing(void) {
    CHECK(!model_state_may_follow(STATE_COUNT, STATE_READY));
    CHECK(!model_state_may_follow(STATE_READY, STATE_COUNT));
    CHECK(!model_state_may_follow((enum model_state) - 1, STATE_READY));
    CHECK_TEXT(model_state_name(STATE_COUNT), "unknown");
}

int main(void) {
    the_table_is_the_drawing();
    jobs_begin_in_the_queue();
    what_is_no_state_follows_nothing();
    return check_result();
}
