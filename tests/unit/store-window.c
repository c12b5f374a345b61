/* SPDX-License-Identifier: Apache-2.0 */
/* Read-ahead: what counts as sequential, and how far ahead that leads. */
#include "check.h"
#include "store/window.h"

enum { COUNT = 8, STEP = 128 << 10 };
static const uint64_t FAR = (uint64_t)1 << 32;

static uint64_t most_window(const struct stream *streams) {
    uint64_t most = 0;
    for (size_t i = 0; i < COUNT; i++)
        most = streams[i].window > most ? streams[i].window : most;
    return most;
}

static void a_beginning_asks_for_the_head_only(void) {
    struct stream streams[COUNT] = {0};
    struct stream *stream = window_note(streams, COUNT, 0, 100, 1);
    CHECK_NUMBER(stream->window, WINDOW_HEAD_BYTES - 100);
    CHECK(window_covers(streams, COUNT, WINDOW_HEAD_BYTES - 1));
    CHECK(!window_covers(streams, COUNT, FAR));
}

static void the_head_stays_wanted_while_it_is_read(void) {
    struct stream streams[COUNT] = {0};
    for (uint64_t at = 0; at < WINDOW_HEAD_BYTES; at += 65536) {
        (void)window_note(streams, COUNT, at, 65536, at + 1);
        CHECK(at + 65536 == WINDOW_HEAD_BYTES || window_covers(streams, COUNT, WINDOW_HEAD_BYTES - 1));
    }
}

static void a_far_seek_asks_for_nothing_more(void) {
    struct stream streams[COUNT] = {0};
    for (uint64_t n = 1; n < 100; n++)
        (void)window_note(streams, COUNT, n * FAR, STEP, n);
    CHECK_NUMBER(most_window(streams), 0);
}

static void sequential_reading_grows_in_proportion(void) {
    struct stream streams[COUNT] = {0};
    for (uint64_t n = 0; n < 64; n++)
        (void)window_note(streams, COUNT, FAR + n * STEP, STEP, n + 1);
    CHECK_NUMBER(most_window(streams), (uint64_t)63 * STEP * WINDOW_FACTOR);
    for (uint64_t n = 64; n < 20000; n++)
        (void)window_note(streams, COUNT, FAR + n * STEP, STEP, n + 1);
    CHECK_NUMBER(most_window(streams), WINDOW_MOST_BYTES);
}

static void interleaved_cursors_each_count(void) {
    struct stream streams[COUNT] = {0};
    for (uint64_t n = 0; n < 100; n++)
        for (uint64_t cursor = 1; cursor <= 5; cursor++)
            (void)window_note(streams, COUNT, cursor * FAR + n * STEP, STEP, n * 5 + cursor);
    for (uint64_t cursor = 1; cursor <= 5; cursor++)
        CHECK(window_covers(streams, COUNT,
            cursor * FAR + 100 * STEP + (uint64_t)99 * STEP * WINDOW_FACTOR - 1));
}

static void requests_a_little_out_of_order_stay_one_stream(void) {
    struct stream streams[COUNT] = {0};
    (void)window_note(streams, COUNT, FAR, STEP, 1);
    (void)window_note(streams, COUNT, FAR + STEP, STEP, 2);
    (void)window_note(streams, COUNT, FAR + 3 * STEP, STEP, 3);
    (void)window_note(streams, COUNT, FAR + 2 * STEP, STEP, 4);
    (void)window_note(streams, COUNT, FAR + 4 * STEP, STEP, 5);
    size_t used = 0;
    for (size_t i = 0; i < COUNT; i++)
        used += streams[i].used_ms != 0;
    CHECK_NUMBER(used, 1);
}

int main(void) {
    a_beginning_asks_for_the_head_only();
    the_head_stays_wanted_while_it_is_read();
    a_far_seek_asks_for_nothing_more();
    sequential_reading_grows_in_proportion();
    interleaved_cursors_each_count();
    requests_a_little_out_of_order_stay_one_stream();
    return check_result();
}
