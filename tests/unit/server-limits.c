/* SPDX-License-Identifier: Apache-2.0 */
/* timeout: 120 */
/* the HTTP server on Unix sockets: its limits, and its end */
#include <dirent.h>

#include "server-fixture.h"

static void long_bodies(void) {
    int before = faults, fd = dial(path);
    CHECK(put(fd, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: %u\r\n\r\n", BODY_MOST) &&
          put_many(fd, BODY_MOST));
    CHECK(has(get(fd, "1007:"), "200 OK"));
    for (unsigned left = BODY_MOST; left;) {
        ssize_t count = recv(fd, (char[4096]){0}, left < 4096 ? left : 4096, 0);
        if (!CHECK(count > 0))
            break;
        left -= (unsigned)count;
    }
    CHECK(put(fd, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: %u\r\n\r\n", BODY_MOST + 1) &&
          put_many(fd, BODY_MOST + 1));
    CHECK(has(get(fd, "\r\n\r\nno"), "413 "));
    CHECK(put(fd, GET("/after"))); /* all of it was read: the connection goes on */
    CHECK(has(get(fd, "1007:"), "GET /after"));
    CHECK(put(fd, "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n", BODY_MOST * 2) &&
          put_many(fd, BODY_MOST * 2) && put(fd, "\r\n0\r\n\r\n"));
    CHECK(has(get(fd, "\r\n\r\nno"), "413 "));
    CHECK(put(fd, "POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %u\r\n\r\n",
        BODY_MOST + 1));
    CHECK(has(get(fd, NULL), "413 ")); /* at once; what might follow is not waited for */
    close(fd);
    fd = dial(path);
    CHECK(put(fd, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"));
    CHECK(has(get(fd, NULL), "413 "));
    close(fd);
    CHECK_NUMBER(faults, before + 4);
}

/* Those of requests that are set aside count. */
static void many_bodies(void) {
    int fds[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = dial(path);
        CHECK(put(fds[i], "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: %u\r\n\r\n", BODY_MOST));
        CHECK(put_many(fds[i], BODY_MOST));
        if (i == 2)
            CHECK(has(get(fds[i], "\r\n\r\nno"), "503 "));
        else
            CHECK(await(&came));
        let_go();
    }
    close(fds[0]);
    CHECK(await(&gone));
    CHECK(put(fds[2], "POST /room HTTP/1.1\r\nHost: x\r\nContent-Length: %u\r\n\r\n", BODY_MOST));
    CHECK(put_many(fds[2], BODY_MOST));
    CHECK(has(get(fds[2], "1007:"), "200 OK"));
    close(fds[1]);
    CHECK(await(&gone));
    close(fds[2]);
}

static void garbage(void) {
    static const char *const rows[] = {"\r\n\r\n\r\n", "hello\r\n\r\n", "GET\r\n\r\n",
        "\x16\x03\x01\x02\xff\xfc\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: minus one\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "GET /x HTTP/9.9\r\n\r\n",
        "GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int fd = dial(path);
        CHECK(put(fd, "%s", rows[i]));
        CHECK_OK(shutdown(fd, SHUT_WR));
        const char *text = get(fd, NULL);
        CHECK(!*text || !strncmp(text, "HTTP/1.", 7));
        close(fd);
    }
    int fd = dial(path);
    CHECK(put(fd, "GET /x HTTP/1.1\r\nHost: x\r\nX-Long: ") && put_many(fd, 100 << 10));
    CHECK(has(get(fd, NULL), "HTTP/1.1 4"));
    close(fd);
}

/* Byte by byte, or not at all: one deadline for both. */
static void slow_clients(void) {
    int idle = dial(path), slow = dial(path);
    uint64_t began_ms = clock_ms();
    CHECK(put(slow, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"));
    for (struct pollfd end = {.fd = slow, .events = POLLIN}; poll(&end, 1, 20) == 0;)
        if (!put(slow, "b") || clock_ms() - began_ms > PATIENCE_S * 1000)
            break;
    CHECK_TEXT(get(slow, NULL), "");
    CHECK_TEXT(get(idle, NULL), "");
    CHECK(clock_ms() - began_ms >= REQUEST_MS - 50);
    close(slow);
    close(idle);
}

static void too_many(void) {
    int fds[OF_USER];
    for (int i = 0; i < OF_USER; i++) {
        fds[i] = dial(path);
        CHECK(put(fds[i], GET("/later")));
        CHECK(await(&came)); /* admitted; set aside, it has no deadline */
        let_go();
    }
    int fd = dial(path);
    const char *text = get(fd, NULL);
    CHECK(has(text, "HTTP/1.1 503 ") && has(text, "{\"full\":true}"));
    close(fd);
    for (int i = 0; i < OF_USER; i++) {
        close(fds[i]);
        CHECK(await(&gone));
    }
    unsigned connections = 1;
    uint64_t used_ms;
    for (uint64_t until_ms = clock_ms() + PATIENCE_S * 1000; connections && clock_ms() < until_ms;)
        CHECK(server_usage(server, 1007, &connections, &used_ms));
    CHECK_NUMBER(connections, 0);
}

static unsigned count_fds(void) {
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static void thousand(void) {
    unsigned before = count_fds();
    for (int i = 0; i < 1000; i++) {
        int fd = dial(path);
        if (!CHECK(put(fd, GET("/a")) && has(get(fd, "1007:"), "GET /a")))
            i = 1000;
        close(fd);
    }
    unsigned connections = 1;
    uint64_t used_ms;
    for (uint64_t until_ms = clock_ms() + PATIENCE_S * 1000; connections && clock_ms() < until_ms;)
        CHECK(server_usage(server, 1007, &connections, &used_ms));
    CHECK_NUMBER(count_fds(), before);
}

/* What is alive has its patience, and then is cut. */
static void the_end(void) {
    unsigned fds_before = count_fds();
    start(60000);
    int fd = dial(path), idle = dial(path), aside = dial(path);
    CHECK(put(aside, GET("/later")));
    CHECK(await(&came));
    struct server_request *late = parked;
    server_hold(late);
    let_go();
    CHECK(put(fd, GET("/stream")));
    CHECK(await(&came));
    say("begun", false);
    CHECK(has(get(fd, "begun\r\n"), "200"));
    uint64_t began_ms = clock_ms();
    server_stop(server, 300);
    CHECK(clock_ms() - began_ms >= 250);
    CHECK(await(&gone) && await(&gone));
    CHECK_TEXT(get(fd, NULL), "");
    CHECK_TEXT(get(idle, NULL), "");
    CHECK_NUMBER(dial(path), -ENOENT);
    server_wake(late); /* the memory is still there */
    server_release(late);
    let_go();
    close(fd);
    close(idle);
    close(aside);
    CHECK_NUMBER(count_fds(), fds_before);
    start(60000); /* nothing is alive: at once */
    began_ms = clock_ms();
    server_stop(server, 60000);
    CHECK(clock_ms() - began_ms < PATIENCE_S * 1000);
}

static void who_does_not_read(void) {
    start(1000);
    int fd = dial(path);
    CHECK(put(fd, GET("/stream/much")));
    CHECK(await(&came));
    CHECK(await(&gone)); /* without a byte being read, or the connection closed by us */
    let_go();
    close(fd);
    server_stop(server, 60000);
}

int main(void) {
    prepare();
    start(60000);
    long_bodies();
    many_bodies();
    garbage();
    slow_clients();
    too_many();
    thousand();
    server_stop(server, 60000);
    the_end();
    who_does_not_read();
    return check_result();
}
