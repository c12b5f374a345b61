/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TESTS_UNIT_MANAGE_PLAY_H
#define WEIGHTFS_TESTS_UNIT_MANAGE_PLAY_H

/*
 * The floors below the manager, played by a test: a store whose blobs are set by hand, a network whose
 * answers are given by hand, and a source "hf" that reads a manifest of lines ("COMMIT", then "PATH SIZE
 * DIGEST" each; "-" for a masked digest). These definitions stand in place of store/, outside/http.c and
 * source/table.c, which are then not taken from the library.
 */

#include <pthread.h>

#include "store/shelf.h"
#include "base/bus.h"
#include "base/clock.h"
#include "manage/manage.h"
#include "store/verify.h"
#include "check.h"

#define PATIENCE_MS  60000 /* a bound for what comes at once; nothing sleeps for it */
#define COMMIT_A     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define COMMIT_B     "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define SHA_1        "sha256-1111111111111111111111111111111111111111111111111111111111111111"
#define SHA_2        "sha256-2222222222222222222222222222222222222222222222222222222222222222"
#define SHA_3        "sha256-3333333333333333333333333333333333333333333333333333333333333333"
#define GIT_EMPTY    "git-e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
#define SHA_OF_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define GIT_1        "git-1111111111111111111111111111111111111111"
#define HEX_1        "4444444444444444444444444444444444444444444444444444444444444444"
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
/* Waits (play_mutex is held) for a move until `until_ms` of clock_ms(); false when that is over. */
static inline bool play_wait(uint64_t until_ms) {
    uint64_t now_ms = clock_ms();
    struct timespec until;
    if (now_ms >= until_ms)
        return false;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)((until_ms - now_ms) / 1000 + 1);
    return pthread_cond_timedwait(&play_moved, &play_mutex, &until) == 0;
}
#define PLAY_UNTIL(condition)                               \
    do {                                                    \
        uint64_t until_ms_ = clock_ms() + PATIENCE_MS;      \
        while (!(condition) && CHECK(play_wait(until_ms_))) \
            continue;                                       \
    } while (0)

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
static uint64_t room_budget; /* 0: none */

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
void blob_set_rate(struct blob *blob, struct http_rate *rate) {
    (void)blob, (void)rate;
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
/* Checking: whatever is complete has right bytes, and no file to be looked into. */
int blob_verify(struct blob *blob, const struct verify_manner *manner, struct reason *reason) {
    (void)blob, (void)manner, (void)reason;
    return 0;
}
int blob_use(struct blob *blob, uint32_t generation) {
    (void)blob, (void)generation;
    return -ERR_STALE;
}
void blob_unuse(struct blob *blob) {
    (void)blob;
}
int blob_await(struct blob *blob, uint32_t generation, uint64_t offset, size_t length, bool patient,
    struct wait *wait) {
    (void)blob, (void)generation, (void)offset, (void)length, (void)patient, (void)wait;
    return -ERR_STALE;
}
ssize_t blob_read(struct blob *blob, uint32_t generation, void *data, size_t length, uint64_t offset) {
    (void)blob, (void)generation, (void)data, (void)length, (void)offset;
    return -ERR_STALE;
}
int blob_open_complete(struct blob *blob) {
    (void)blob;
    return -ERR_STALE;
}
int blob_open_aside(struct blob *blob, int *ret_fd) {
    (void)blob, (void)ret_fd;
    return -ERR_STALE;
}
void shelf_read(struct store *store, struct shelf *shelf) {
    (void)store, (void)shelf; /* nothing is on disk */
}
void shelf_order(struct store *store, struct shelf *shelf) {
    (void)store, (void)shelf;
}
void shelf_done(struct shelf *shelf) {
    (void)shelf;
}
bool shelf_is_used(struct store *store, const struct shelf_item *item) {
    (void)store, (void)item;
    return false;
}
uint64_t shelf_evict(struct store *store, const struct shelf_item *item) {
    (void)store, (void)item;
    return 0;
}
bool shelf_is_alone(struct store *store) {
    (void)store;
    return true;
}
int64_t shelf_used_ms(struct store *store, const char *key, const char *sha256) {
    (void)store, (void)key, (void)sha256;
    return 0;
}
void store_budget_changed(struct store *store) {
    (void)store;
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
    *ret_figures = (struct store_figures){.budget_bytes = room_budget};
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
    PLAY_UNTIL(blob_find(key)->wants == wanted);
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
    PLAY_UNTIL(asked_count);
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
    } errors[] = {{404, -ERR_UNKNOWN_MODEL}, {403, -ERR_GATED}, {401, -ERR_TOKEN}, {429, -ERR_RATE_LIMITED},
        {503, -ERR_SERVER}};
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

#endif
