/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TESTS_UNIT_MANAGE_FIXTURE_H
#define WEIGHTFS_TESTS_UNIT_MANAGE_FIXTURE_H

/* A manager on the floors of manage-play.h; the catalogue, the pools and the timers are the real ones. */

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "manage-play.h"
#include "model/declared.h"

/* ---- the house ---- */

static struct options *options;
static struct catalog *catalog;
static struct pool *pool;
static struct timers *timers;
static struct manage *manage;
static char news_heard[32]; /* counts by kind; under play_mutex */

static inline void note_news(void *context, const struct news *news) {
    (void)context;
    play_begin();
    news_heard[news->kind]++;
    play_end();
}

static inline void house_begin(void) {
    static const struct option_row daemon_options[] = {
        {.name = "allow_http", .type = OPTION_BOOL, .value = "off", .help = "as the daemon has it"},
        {.name = NULL},
    };
    static const struct option_row *const tables[] = {manage_options, store_options, declared_options,
        daemon_options, NULL};
    char path[4096];
    bool damaged;
    struct reason reason = {""};
    snprintf(path, sizeof path, "%s/catalog.db", check_folder());
    options = options_new(tables);
    if (catalog_open(path, &catalog, &damaged, &reason) < 0 || pool_start("pool", 2, &pool) < 0 ||
        timers_start(&timers) < 0) {
        fprintf(stderr, "%s\n", reason.text);
        exit(2);
    }
    const struct manage_settings settings = {.options = options,
        .catalog = catalog,
        .pool = pool,
        .timers = timers,
        .access_of = no_access,
        .session = "session-1"};
    bus_listen(note_news, NULL);
    if (!CHECK(manage_start(&settings, &manage, &reason) == 0))
        exit(2);
}

static inline enum model_state state_named(const char *member) {
    for (int state = 0; member && state < STATE_COUNT; state++) {
        const char *name = model_state_name((enum model_state)state);
        if (strncmp(member, name, strlen(name)) == 0 && member[strlen(name)] == '"')
            return (enum model_state)state;
    }
    return STATE_COUNT;
}
/* Whatever a test did, its models changed as the table says they may. */
static inline void all_changes_are_allowed(void) {
    static char text[256 << 10];
    size_t len = events_read(manage, events_begin(manage), text, sizeof text - 1);
    text[len] = 0;
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        const char *from = strstr(line, "\"from\":\""), *to = strstr(line, "\"to\":\"");
        if (!strstr(line, "\"event\":\"model.state\""))
            continue;
        if (!CHECK(from && to && model_state_may_follow(state_named(from + 8), state_named(to + 6))))
            fprintf(stderr, "    %s\n", line);
    }
}

static inline void house_end(void) {
    all_changes_are_allowed();
    manage_shut(manage);
    while (asked_count)
        play_answer(-ERR_CANCELLED, 0, "", ""); /* as the loop does when it stops */
    pool_stop(pool);
    manage_stop(manage);
    timers_stop(timers);
    catalog_close(catalog);
    options_free(options);
    bus_reset();
    for (struct blob *blob; (blob = blobs);) {
        CHECK_NUMBER(blob->wants, 0);
        CHECK_NUMBER(blob->references, 0);
        blobs = blob->next;
        free(blob);
    }
}

/* ---- waiting ---- */

struct test_wait {
    struct wait wait;
    bool ended; /* under play_mutex */
    int result;
};
static void end_wait(struct wait *wait, int result) {
    struct test_wait *test = (struct test_wait *)wait;
    play_begin();
    test->ended = true;
    test->result = result;
    play_end();
}
/* What a call answered, or what came of it when it was parked. */
static inline int await(int answer, struct test_wait *test) {
    if (answer != PARKED)
        return answer;
    play_begin();
    PLAY_UNTIL(test->ended);
    int result = test->ended ? test->result : -ETIME;
    play_end();
    return result;
}
#define NEW_WAIT(name) struct test_wait name = {.wait = {.finish = end_wait}}

static inline int begin_command(enum command_place place, int64_t id, const char *text,
    struct test_wait *test) {
    const struct command_request request = {.place = place,
        .id = id,
        .text = text,
        .len = strlen(text),
        .uid = 7,
        .gid = 8,
        .pid = 9,
        .allowed = true};
    return command_await(manage, &request, &test->wait);
}
static inline int run_command(enum command_place place, int64_t id, const char *text) {
    NEW_WAIT(wait);
    return await(begin_command(place, id, text, &wait), &wait);
}
/* ctl's last line. */
static inline const char *last_words(enum command_place place, int64_t id) {
    static struct buf text;
    buf_clear(&text);
    command_print(manage, place, id, &text);
    const char *last = strstr(buf_text(&text), "last: ");
    return last ? last : "";
}

/* A model that the played hub told. */
static inline int64_t make_known(const char *name, const char *lines) {
    NEW_WAIT(wait);
    struct catalog_model model;
    int64_t id = 0;
    int answer = discover_await(manage, &played_source, name, &id, &wait.wait);
    if (CHECK(answer == PARKED))
        play_answer(0, 200, "", lines);
    CHECK_OK(await(answer, &wait));
    CHECK_OK(catalog_find_model(catalog, "hf", name, &model));
    return model.id;
}
static inline struct model_report report_of(int64_t id) {
    struct catalog_model model;
    struct model_report report = {0};
    CHECK_OK(catalog_model(catalog, id, &model));
    CHECK_OK(model_report(manage, &model, &report));
    return report;
}
static inline const char *state_of(int64_t id) {
    return model_state_name(report_of(id).state);
}
static inline bool was_told(const char *what) {
    enum { ROOM = 1 << 18 };
    char *text = mem_new(ROOM + 1);
    size_t len = events_read(manage, events_begin(manage), text, ROOM);
    text[len] = 0;
    bool found = strstr(text, what);
    free(text);
    return found;
}
/* A breath between two looks at something that a thread of the manager is about to do; true when it
 * took too long. */
static inline bool is_out_of_patience(void) {
    static uint64_t looked_ms, since_ms;
    uint64_t now = clock_ms();
    if (now - looked_ms > 1000)
        since_ms = now; /* another question */
    looked_ms = now;
    poll(NULL, 0, 1);
    return !CHECK(now - since_ms < PATIENCE_MS);
}
static inline void await_state(int64_t id, const char *state) {
    while (strcmp(state_of(id), state) != 0 && !is_out_of_patience())
        continue;
    CHECK_TEXT(state_of(id), state);
}
/* Until the desk has told it. */
static inline void await_told(const char *what) {
    while (!was_told(what) && !is_out_of_patience())
        continue;
    if (!was_told(what))
        fprintf(stderr, "    not told: %s\n", what);
}

#endif
