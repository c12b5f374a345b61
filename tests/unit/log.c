/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <fcntl.h>
#include <pthread.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/path.h"

static char path[4096];

/* What stands in the log since the last call. */
static const char *new_lines(void) {
    static struct buf text = BUF_INIT;
    static size_t before;
    CHECK_OK(path_read(AT_FDCWD, path, 1 << 20, &text));
    const char *lines = text.data + before;
    before = text.len;
    return lines;
}

static void lines_have_a_stamp_a_level_and_one_line(void) {
    log_error("first %d", 1);
    const char *line = new_lines();
    CHECK(strlen(line) == strlen("2026-11-21T11:40:00Z error: first 1\n"));
    CHECK(line[4] == '-' && line[10] == 'T' && line[19] == 'Z');
    CHECK_TEXT(line + 20, " error: first 1\n");
    log_warning("two\nlines\n");
    CHECK_TEXT(new_lines() + 20, " warning: two?lines\n");
    log_info("%s", "a\033[1mb");
    CHECK_TEXT(new_lines() + 20, " a?[1mb\n");
}

static void a_long_line_is_cut_and_stays_a_line(void) {
    char *much = mem_new(10000);
    memset(much, 'x', 9999);
    log_notice("%s", much);
    const char *line = new_lines();
    CHECK(strlen(line) > 2000 && strlen(line) < 2100 && strchr(line, '\n') == line + strlen(line) - 1);
    free(much);
}

static void secrets_are_masked(void) {
    log_secret("short");
    log_secret(NULL);
    log_secret("hf_abcdefgh");
    log_secret("hf_abcdefgh-and-more");
    log_secret("hf_abcdefgh");
    log_info("short hf_abcdefgh hf_abcdefgh-and-more%s", "hf_abcdefgh");
    CHECK_TEXT(new_lines() + 20, " short *** ******\n");
    char text[] = "hf_abcdefg hf_abcdefghhf_abcdefgh";
    log_redact(text);
    CHECK_TEXT(text, "hf_abcdefg ******");
    for (int i = 0; i < 20; i++) { /* tokens are renewed: the latest 16 are known */
        char secret[32];
        snprintf(secret, sizeof secret, "renewed-secret-%02d", i);
        log_secret(secret);
    }
    char renewed[] = "renewed-secret-19 renewed-secret-04 renewed-secret-03";
    log_redact(renewed);
    CHECK_TEXT(renewed, "*** *** renewed-secret-03");
}

static void trace_keys_switch_detail_on(void) {
    const char *unknown = NULL;
    trace(store, "not %s", "written");
    CHECK_TEXT(new_lines(), "");
    CHECK_ERROR(trace_enable("store,nonsense,http", &unknown), -EINVAL);
    CHECK_TEXT(unknown, "nonsense");
    CHECK_NUMBER(trace_mask, 0);
    CHECK_OK(trace_enable("store,fuse", &unknown));
    CHECK(trace_on(store) && trace_on(fuse) && !trace_on(http));
    trace(store, "is %s", "written");
    trace(http, "is not");
    CHECK_TEXT(new_lines() + 20, " trace store: is written\n");
    CHECK_OK(trace_enable("", &unknown));
    CHECK_OK(trace_enable("all", &unknown));
    for (unsigned key = 0; key < TRACE_END; key++)
        CHECK(trace_mask >> key & 1);
    trace_mask = 0;
}

static void the_ring_has_the_last_lines(void) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    for (int i = 0; i < 500; i++)
        log_info("line %d of many", i);
    new_lines();
    char name[4200];
    snprintf(name, sizeof name, "%s.ring", path);
    FD_CLEANUP int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    log_dump_ring(fd);
    CHECK_OK(path_read(AT_FDCWD, name, 1 << 20, &text));
    CHECK(!strstr(buf_text(&text), "line 371 of"));
    const char *first = strstr(buf_text(&text), "line 372 of");
    const char *last = strstr(buf_text(&text), "line 499 of many\n");
    CHECK(first && last && first < last);
}

static void *write_many(void *context) {
    for (int i = 0; i < 500; i++)
        log_info("%s and a little more so that a line is not short", (const char *)context);
    return NULL;
}

static void lines_of_threads_are_whole(void) {
    pthread_t threads[4];
    static const char *const names[4] = {"aaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbb", "ccccccccccccccc",
        "ddddddddddddddd"};
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, write_many, (void *)names[i]);
    for (int i = 0; i < 50; i++) {
        CHECK_OK(log_open(path)); /* as for a rotation */
        log_dump_ring(-1);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    int count = 0;
    for (const char *line = new_lines(); *line; line = strchr(line, '\n') + 1, count++) {
        const char *text = line + 21;
        CHECK(line[19] == 'Z' && !strncmp(text, names[(*text - 'a') & 3], 15));
        CHECK(strchr(line, '\n') == text + 15 + strlen(" and a little more so that a line is not short"));
    }
    CHECK_NUMBER(count, 2000);
}

static void it_is_reopened_under_the_same_name(void) {
    char moved[4200];
    snprintf(moved, sizeof moved, "%s.1", path);
    CHECK(!rename(path, moved));
    CHECK_OK(log_open(path));
    log_info("after the rotation");
    BUF_CLEANUP struct buf text = BUF_INIT;
    CHECK_OK(path_read(AT_FDCWD, path, 1 << 20, &text));
    CHECK_TEXT(buf_text(&text) + 20, " after the rotation\n");
    CHECK_ERROR(log_open("/nonexistent/folder/log"), -ENOENT);
    log_info("still there");
    CHECK_OK(path_read(AT_FDCWD, path, 1 << 20, &text));
    CHECK(strstr(buf_text(&text), "still there"));
}

int main(void) {
    snprintf(path, sizeof path, "%s/log", check_folder());
    CHECK_OK(log_open(path));
    lines_have_a_stamp_a_level_and_one_line();
    a_long_line_is_cut_and_stays_a_line();
    secrets_are_masked();
    trace_keys_switch_detail_on();
    the_ring_has_the_last_lines();
    lines_of_threads_are_whole();
    it_is_reopened_under_the_same_name();
    return check_result();
}
