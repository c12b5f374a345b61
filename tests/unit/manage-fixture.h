/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TESTS_UNIT_MANAGE_FIXTURE_H
#define WEIGHTFS_TESTS_UNIT_MANAGE_FIXTURE_H

/*
 * The manager on floors that a test plays: a store whose blobs are set by hand, a network whose
 * answers are given by hand, and a source "hf" that reads a manifest of lines ("COMMIT", then "PATH
 * SIZE DIGEST" each; "-" for a masked digest). The catalogue, the pools and the timers are the real
 * ones. These definitions stand in place of store/, outside/http.c and source/table.c, which are
 * then not taken from the library.
 */

#include <poll.h>
#include <pthread.h>

#include "base/bus.h"
#include "base/clock.h"
#include "manage/manage.h"
#include "check.h"

#define PATIENCE_MS 20000 /* a bound for what comes at once; nothing sleeps for it */
#define COMMIT_A    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define COMMIT_B    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define SHA_1       "sha256-1111111111111111111111111111111111111111111111111111111111111111"
#define SHA_2       "sha256-2222222222222222222222222222222222222222222222222222222222222222"
#define SHA_3       "sha256-3333333333333333333333333333333333333333333333333333333333333333"
#define GIT_1       "git-1111111111111111111111111111111111111111"
#define HEX_1       "4444444444444444444444444444444444444444444444444444444444444444"
#define TINY \
    COMMIT_A "\ntiny-Q4_K_M.gguf 400 " SHA_1 "\ntiny-Q8_0.gguf 800 " SHA_2 "\nconfig.json 10 " GIT_1 "\n"

/* One lock for all that the test plays; it is no lock of the house, so that it may be taken under
 * any of them. */
static pthread_mutex_t play_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t play_moved = PTHREAD_COND_INITIALIZER;

static inline void play_begin(void) {
    pthread_mutex_lock(&play_mutex);
}
static inline void play_end(void) {
    pthread_cond_broadcast(&play_moved);
    pthread_mutex_unlock(&play_mutex);
}
/* Waits (play_mutex is held) for a move; false when patience ends. */
static inline bool play_wait(void) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_MS / 1000;
    return pthread_cond_timedwait(&play_moved, &play_mutex, &until) == 0;
}

/* ---- the store ---- */

struct blob {
    struct blob *next;
    char key[DIGEST_TEXT_SIZE];
    struct blob_info info;
    unsigned references, wants, retries;
    int evict_result;
};
static struct blob *blobs;
static unsigned blob_wants, blob_wants_most;
static int room_result, get_result;
static size_t hold_count;

static inline struct blob *blob_find(const char *key) { /* play_mutex is held */
    struct blob *blob = blobs;
    while (blob && strcmp(blob->key, key) != 0)
        blob = blob->next;
    if (blob)
        return blob;
    blob = mem_new(sizeof *blob);
    (void)text_copy(blob->key, sizeof blob->key, key);
    blob->info.generation = 1;
    blob->next = blobs;
    return blobs = blob;
}
int blob_get(struct store *store, const struct blob_origin *origin, struct blob **ret_blob) {
    (void)store;
    play_begin();
    int result = get_result;
    if (result == 0) {
        *ret_blob = blob_find(origin->file.digest);
        (*ret_blob)->references++;
        (*ret_blob)->info.size = origin->file.size;
    }
    play_end();
    return result;
}
void blob_put(struct blob *blob) {
    play_begin();
    CHECK(blob->references-- > 0);
    play_end();
}
void blob_look(struct blob *blob, struct blob_info *ret_info) {
    play_begin();
    *ret_info = blob->info;
    ret_info->wanted = blob->wants > 0;
    play_end();
}
void blob_want(struct blob *blob) {
    play_begin();
    blob->wants++;
    if (++blob_wants > blob_wants_most)
        blob_wants_most = blob_wants;
    play_end();
}
void blob_unwant(struct blob *blob) {
    play_begin();
    CHECK(blob->wants-- > 0);
    blob_wants--;
    play_end();
}
void blob_retry(struct blob *blob) {
    play_begin();
    blob->retries++;
    blob->info.error = 0;
    blob->info.final = false;
    if (blob->info.state == BLOB_CORRUPT)
        blob->info.state = BLOB_ABSENT;
    play_end();
}
int blob_evict(struct blob *blob, uint64_t *ret_freed_bytes) {
    play_begin();
    int result = blob->evict_result;
    if (result == 0) {
        *ret_freed_bytes = blob->info.bytes_here;
        blob->info.bytes_here = 0;
        blob->info.state = BLOB_ABSENT;
        blob->info.generation += 2;
    }
    play_end();
    return result;
}
int store_set_holds(struct store *store, const char *const *keys, size_t count) {
    (void)store, (void)keys;
    play_begin();
    hold_count = count;
    play_end();
    return 0;
}
int store_room(struct store *store, uint64_t bytes, struct reason *reason) {
    (void)store, (void)bytes;
    return room_result ? err_because(reason, room_result, "1 B is free") : 0;
}
void store_look(struct store *store, struct store_figures *ret_figures) {
    (void)store;
    *ret_figures = (struct store_figures){0};
}

/* Moves a blob, and tells the bus as the store does. */
static inline void play_blob(const char *key, enum blob_state state, uint64_t bytes_here, int error,
    bool final) {
    play_begin();
    struct blob *blob = blob_find(key);
    bool sealed = state == BLOB_COMPLETE && blob->info.state != BLOB_COMPLETE;
    blob->info.state = state;
    blob->info.bytes_here = bytes_here;
    blob->info.error = error;
    blob->info.final = final;
    if (sealed) {
        blob->info.generation++;
        memcpy(blob->info.sha256, HEX_1, sizeof blob->info.sha256);
    }
    int64_t generation = blob->info.generation;
    play_end();
    enum news_kind kind = sealed ? NEWS_BLOB_GENERATION : error ? NEWS_BLOB_TROUBLE : NEWS_BLOB_PROGRESS;
    bus_publish(&(struct news){.kind = kind,
        .key = key,
        .id = generation,
        .error = error,
        .text = error ? err_sentence(error) : NULL});
}
static inline unsigned wants_of(const char *key) {
    play_begin();
    unsigned wants = blob_find(key)->wants;
    play_end();
    return wants;
}
static inline void await_wants(const char *key, unsigned wanted) {
    play_begin();
    while (blob_find(key)->wants != wanted && CHECK(play_wait()))
        continue;
    play_end();
}

/* ---- the network ---- */

static struct http_request *asked[64];
static size_t asked_count, asked_total;
static bool is_offline;

void http_start(struct http_loop *loop, struct http_request *request) {
    (void)loop;
    play_begin();
    CHECK(asked_count < 64);
    asked[asked_count++] = request;
    asked_total++;
    play_end();
}
void http_loop_set_offline(struct http_loop *loop, bool offline) {
    (void)loop;
    play_begin();
    is_offline = offline;
    play_end();
}
/* The oldest question is answered, once it is there; a result below 0 is the transfer's. */
static inline void play_answer(int result, int status, const char *fields, const char *body) {
    play_begin();
    while (!asked_count && CHECK(play_wait()))
        continue;
    struct http_request *request = asked_count ? asked[0] : NULL;
    if (request)
        memmove(asked, asked + 1, --asked_count * sizeof *asked);
    play_end();
    if (!request)
        return;
    request->status = status;
    request->last_url = mem_text(request->url);
    if (result < 0)
        (void)err_because(&request->reason, result, "played");
    (void)buf_text_add(&request->fields, fields);
    (void)buf_text_add(&request->body, body);
    request->on_done(request, result);
}
static inline size_t play_asked(void) {
    play_begin();
    size_t total = asked_total;
    play_end();
    return total;
}

/* ---- the source ---- */

struct talk {
    char model[NAME_MODEL_SIZE];
    bool asked;
};
static void *talk_new(const struct source_access *access, const char *model, const char *revision) {
    (void)access, (void)revision;
    struct talk *talk = mem_new(sizeof *talk);
    (void)text_copy(talk->model, sizeof talk->model, model);
    return talk;
}
static struct manifest *read_lines(const char *model, const char *text) {
    struct manifest *manifest = manifest_new();
    (void)snprintf(manifest->model, sizeof manifest->model, "%s%s", strchr(model, '/') ? "" : "full/", model);
    (void)text_copy(manifest->revision, sizeof manifest->revision, "main");
    (void)snprintf(manifest->commit, sizeof manifest->commit, "%.40s", text);
    for (text = strchr(text, '\n') + 1; *text; text = strchr(text, '\n') + 1) {
        char path[256], digest[DIGEST_TEXT_SIZE];
        unsigned long size;
        CHECK(sscanf(text, "%255s %lu %79s", path, &size, digest) == 3);
        bool masked = strcmp(digest, "-") == 0;
        manifest->locked |= masked;
        CHECK_OK(manifest_add(manifest, path, strlen(path), size, masked ? "" : digest, masked));
    }
    manifest_finish(manifest);
    return manifest;
}
static int talk_next(void *context, const struct source_answer *answer, struct source_ask *ret_ask,
    struct manifest **ret_manifest, struct reason *reason) {
    static const struct {
        int status, error;
    } errors[] = {
        {404, -ERR_UNKNOWN_MODEL},
        {403, -ERR_GATED        },
        {401, -ERR_TOKEN        },
        {429, -ERR_RATE_LIMITED },
        {503, -ERR_SERVER       }
    };
    struct talk *talk = context;
    if (!talk->asked) {
        struct buf url = BUF_INIT;
        buf_format(&url, "http://hub.test/%s", talk->model);
        ret_ask->url = buf_take(&url);
        talk->asked = true;
        return SOURCE_ASK;
    }
    if (answer->result < 0)
        return err_because(reason, answer->result, "%s", err_text(answer->reason, answer->result));
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].status == answer->status)
            return err_because(reason, errors[i].error, "the hub answered %d", answer->status);
    *ret_manifest = read_lines(talk->model, answer->body);
    return SOURCE_DONE;
}
static bool is_any_name(const char *model) {
    return *model != '-';
}
static const struct source played_source = {.name = "hf",
    .parts = 2,
    .is_name = is_any_name,
    .discover_new = talk_new,
    .discover_next = talk_next,
    .discover_free = free};
const struct source *const source_table[] = {&played_source, NULL};
const struct source *source_find(const char *name) {
    return strcmp(name, "hf") == 0 ? &played_source : NULL;
}
void source_ask_done(struct source_ask *ask) {
    free(ask->url);
    free(ask->authorization);
    *ask = (struct source_ask){0};
}
static const struct source_access *no_access(void *context, const struct source *source) {
    (void)context, (void)source;
    return NULL;
}

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
    static const struct option_row *const tables[] = {manage_options, NULL};
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

static inline void house_end(void) {
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
    while (!test->ended && CHECK(play_wait()))
        continue;
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
