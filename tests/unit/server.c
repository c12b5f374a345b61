/* SPDX-License-Identifier: Apache-2.0 */
/* timeout: 120 */
/* the HTTP server on Unix sockets: requests, streams, clients that hang up, sockets */
#include "outside/http.h"
#include "server-fixture.h"

static void plain_requests(void) {
    struct stat status;
    CHECK_OK(stat(path, &status));
    CHECK_NUMBER(status.st_mode & 07777, 0600);
    int fd = dial(path);
    CHECK(put(fd, GET("/v1/models/hf%%3Aacme%%2Ftiny?limit=3")));
    const char *text = get(fd, "1007:");
    CHECK(has(text, "HTTP/1.1 200 OK\r\n") && has(text, "X-Test: yes\r\n"));
    CHECK(has(text, "GET /v1/models/hf:acme/tiny 1007:"));
    /* the same connection is used again, by two requests at once */
    CHECK(put(fd, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" GET("/b")));
    CHECK(has(get(fd, ":hello"), "POST /a 1007:hello"));
    CHECK(has(get(fd, "1007:"), "GET /b 1007:"));
    CHECK(put(fd,
        "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"));
    CHECK(has(get(fd, ":hello"), "POST /c 1007:hello"));
    CHECK(put(fd, "POST /d HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
    CHECK(has(get(fd, "\r\n\r\n"), "HTTP/1.1 100 Continue"));
    CHECK(put(fd, "ok"));
    CHECK(has(get(fd, ":ok"), "200 OK"));
    CHECK(put(fd, "HEAD /e HTTP/1.1\r\nHost: x\r\n\r\n" GET("/f")));
    text = get(fd, "1007:");
    CHECK(has(text, "GET /f 1007:") && !strstr(text, "HEAD /e 1007:"));
    CHECK(put(fd, "GET /g HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    CHECK(has(get(fd, NULL), "GET /g 1007:"));
    close(fd);
}

static void set_aside(void) {
    int fd = dial(path);
    CHECK(put(fd, GET("/later")));
    CHECK(await(&came));
    server_wake(parked); /* for nothing */
    CHECK(put(fd, GET("/next")));
    CHECK(has((say("answer", true), get(fd, "answer")), "202 Accepted"));
    CHECK(await(&gone));
    CHECK(has(get(fd, "1007:"), "GET /next 1007:"));
    let_go();
    close(fd);
}

static void streams(void) {
    int fd = dial(path);
    CHECK(put(fd, GET("/stream")));
    CHECK(await(&came));
    say("one", false);
    const char *text = get(fd, "one\r\n"); /* the second word is said once the first was read */
    CHECK(has(text, "Transfer-Encoding: chunked\r\n") && has(text, "\r\n\r\n3\r\none\r\n"));
    say("two", false);
    CHECK_TEXT(get(fd, "two\r\n"), "3\r\ntwo\r\n");
    int before = gone_whole;
    say("", true);
    CHECK_TEXT(get(fd, "0\r\n\r\n"), "0\r\n\r\n");
    CHECK(await(&gone));
    CHECK_NUMBER(gone_whole, before + 1);
    let_go();
    CHECK(put(fd, GET("/stream/cut")));
    CHECK(await(&came));
    say("half", false);
    CHECK(has(get(fd, "half\r\n"), "200 OK"));
    say("", true);
    CHECK_TEXT(get(fd, NULL), ""); /* no last chunk */
    CHECK(await(&gone));
    CHECK_NUMBER(gone_whole, before + 1);
    let_go();
    close(fd);
    fd = dial(path);
    CHECK(put(fd, "GET /stream HTTP/1.0\r\n\r\n"));
    CHECK(await(&came));
    say("old client", true);
    CHECK(has(get(fd, NULL), "\r\n\r\nold client"));
    CHECK(await(&gone));
    let_go();
    close(fd);
}

/* Nobody wakes them: the server finds out by itself. One that has only nothing more to send goes on. */
static void who_hangs_up(void) {
    static const char *const asked[] = {GET("/later"), GET("/stream")};
    for (size_t i = 0; i < 2; i++) {
        int fd = dial(path), before = gone_whole;
        CHECK(put(fd, "%s", asked[i]));
        CHECK(await(&came));
        if (i == 1)
            CHECK((say("x", false), has(get(fd, "x\r\n"), "200")));
        close(fd);
        CHECK(await(&gone));
        CHECK_NUMBER(gone_whole, before);
        server_wake(parked); /* it is gone: nothing comes of it */
        let_go();
    }
    int fd = dial(path);
    CHECK(put(fd, GET("/later")));
    CHECK_OK(shutdown(fd, SHUT_WR));
    CHECK(await(&came));
    say("after half a hang-up", true);
    CHECK(has(get(fd, NULL), "\r\n\r\nafter half a hang-up"));
    CHECK(await(&gone));
    let_go();
    close(fd);
}

static void doors(void) {
    unsigned connections;
    uint64_t used_ms;
    CHECK_ERROR(server_listen(server, second_path, 0666, 1007), -EEXIST);
    CHECK_OK(server_listen(server, second_path, 0666, 1008));
    struct stat status;
    CHECK_OK(stat(second_path, &status));
    CHECK_NUMBER(status.st_mode & 07777, 0666);
    int fd = dial(second_path);
    CHECK(put(fd, GET("/a")));
    CHECK(has(get(fd, "1008:"), "GET /a 1008:"));
    CHECK(server_usage(server, 1008, &connections, &used_ms));
    CHECK_NUMBER(connections, 1);
    CHECK(clock_ms() - used_ms < PATIENCE_S * 1000);
    CHECK(server_unlisten(server, 1008));
    CHECK(!server_unlisten(server, 1008));
    CHECK(!server_usage(server, 1008, &connections, &used_ms));
    CHECK_NUMBER(dial(second_path), -ENOENT);
    CHECK(put(fd, GET("/b"))); /* who is in stays in */
    CHECK(has(get(fd, "1008:"), "GET /b 1008:"));
    close(fd);
    char much[200];
    memset(much, 'x', sizeof much);
    much[sizeof much - 1] = '\0';
    CHECK_ERROR(server_listen(server, much, 0600, 9), -ENAMETOOLONG);
    CHECK_ERROR(server_listen(server, "/proc/nothing/here.sock", 0600, 9), -ENOENT);
}

static void on_curl_done(struct http_request *request, int result) {
    CHECK_OK(result);
    CHECK_NUMBER(request->status, 200);
    sem_post(request->context);
}

static void by_libcurl(void) {
    const struct http_settings settings = {.user_agent = "test", .proxy = ""};
    struct http_loop *loop;
    sem_t done;
    sem_init(&done, 0, 0);
    CHECK_OK(http_loop_start(&settings, "client", &loop));
    struct http_request request = {.url = "http://localhost/v1/x",
        .unix_socket = path,
        .post = "{}",
        .post_len = 2,
        .post_type = "application/json",
        .on_done = on_curl_done,
        .context = &done};
    http_start(loop, &request);
    CHECK(await(&done));
    CHECK_TEXT(buf_text(&request.body), "POST /v1/x 1007:{}");
    buf_done(&request.body);
    buf_done(&request.fields);
    free(request.last_url);
    http_loop_end(loop);
    http_loop_stop(loop);
    sem_destroy(&done);
}

int main(void) {
    prepare();
    start(60000);
    plain_requests();
    set_aside();
    streams();
    who_hangs_up();
    doors();
    by_libcurl();
    server_stop(server, 60000);
    return check_result();
}
