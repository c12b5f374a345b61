/* SPDX-License-Identifier: Apache-2.0 */
/* Events: whole lines of JSON in a ring; a reader that was too slow goes on at the start of a line. */

#include "manage-fixture.h"

#include "manage/internal.h"
#include "outside/json.h"

#define ROOM (1u << 19)

/* Reads from `position` to the end in steps of `step` bytes; every line must be an object with a
 * time and an event. */
static size_t read_lines_from(uint64_t position, size_t step, char *text) {
    size_t len = 0, got;
    if (position < events_begin(manage))
        position = events_begin(manage);
    while ((got = events_read(manage, position + len, text + len, step)) > 0)
        len += got;
    text[len] = 0;
    CHECK(len == 0 || text[len - 1] == '\n');
    size_t count = 0;
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1, count++) {
        struct json JSON_CLEANUP *object = NULL;
        int64_t time_ms;
        CHECK_OK(json_parse(line, (size_t)(end - line), &object, NULL));
        CHECK(json_text(json_get(object, "event"), NULL) != NULL);
        const char *time = json_text(json_get(object, "time"), NULL);
        CHECK(time && clock_parse(time, &time_ms) == 0);
    }
    return count;
}

static void lines_are_json(char *text) {
    uint64_t before = events_end(manage);
    events_add(manage, "model.added", "hf:acme/tiny", NULL);
    events_add(manage, "job.failed", "hf:a/\"quoted\"", ",\"job\":12");
    events_add(manage, "offline", NULL, ",\"offline\":true");
    CHECK_NUMBER(read_lines_from(before, 7, text), 3);
    CHECK(strstr(text, "\"event\":\"model.added\",\"model\":\"hf:acme/tiny\"}\n"));
    CHECK(strstr(text, "\\\"quoted\\\"\",\"job\":12}"));
    CHECK_NUMBER(events_read(manage, events_end(manage), text, ROOM), 0);
    CHECK_NUMBER(events_read(manage, events_end(manage) + 1000, text, ROOM), 0);
}

static void the_ring_is_bounded(char *text) {
    uint64_t begin = events_begin(manage), written = 0, end = events_end(manage);
    char more[200];
    for (int i = 0; i < 20000; i++) {
        snprintf(more, sizeof more, ",\"number\":%d,\"pad\":\"%.*s\"", i, i % 100,
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            "aaaaaaaa");
        events_add(manage, "test", NULL, more);
        written++;
    }
    CHECK(events_begin(manage) > begin && events_end(manage) > end);
    uint64_t kept = events_end(manage) - events_begin(manage);
    CHECK(kept <= EVENTS_RING_BYTES && kept > EVENTS_RING_BYTES - 1000);
    size_t count = read_lines_from(0, 4096, text);
    CHECK(count > 1000 && count < written);
    CHECK(strstr(text, "\"number\":19999"));
    size_t got = events_read(manage, begin, text, 40); /* long gone: the oldest line instead */
    CHECK(got == 40 && strncmp(text, "{\"time\":", 8) == 0);
}

static void *write_on(void *context) {
    for (int i = 0; i < 3000; i++)
        events_add(manage, "test", "hf:acme/tiny", context);
    return NULL;
}

static void writers_do_not_mix(char *text) {
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, write_on,
                  i ? ",\"long\":\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"" : NULL) == 0);
    for (int i = 0; i < 50; i++)
        CHECK(events_read(manage, 0, text, 8192) > 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    CHECK(read_lines_from(0, 8192, text) > 1000);
}

/* A blob rots and is here again before the desk, which is at work, comes to read of it: both are told. */
static void publish_rot_and_seal(struct work *work) {
    const char *key = SHA_1;
    (void)work;
    bus_publish(&(struct news){
        .kind = NEWS_BLOB_GENERATION, .key = key, .id = 3, .error = -ERR_ROTTEN, .text = "a bit was lost"});
    bus_publish(&(struct news){.kind = NEWS_BLOB_GENERATION, .key = key, .id = 4});
}
static void a_later_note_does_not_hide_a_former(void) {
    struct work work = {.run = publish_rot_and_seal};
    desk_submit(manage, &work);
    await_told("\"event\":\"blob.rotten\"");
}

int main(void) {
    char *text = mem_new(ROOM);
    house_begin();
    lines_are_json(text);
    the_ring_is_bounded(text);
    a_later_note_does_not_hide_a_former();
    writers_do_not_mix(text);
    house_end();
    free(text);
    return check_result();
}
