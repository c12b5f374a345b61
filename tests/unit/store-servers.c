/* SPDX-License-Identifier: Apache-2.0 */
/* The store before servers that stop early, or are slow to say what they will send. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "store-house.h"

static void a_server_without_ranges_that_stops_early_is_told(void) {
    struct house house;
    move_in(&house, "short");
    struct blob *blob = get(&house);
    CHECK(!blob_use(blob, 1));
    server.ignore_ranges = 1;
    server.cut_after = 10 * STORE_BLOCK_BYTES;
    struct reader reader = READER;
    CHECK(blob_await(blob, 1, 30 * STORE_BLOCK_BYTES, 10, false, &reader.wait) == PARKED);
    int result = outcome(&reader, PATIENT_MS);
    CHECK(result < 0 && result != -ETIMEDOUT);
    server.ignore_ranges = 0;
    server.cut_after = SIZE_MAX;
    blob_retry(blob);
    CHECK(read_range(blob, 1, back, 10, 30 * STORE_BLOCK_BYTES) == 10);
    blob_unuse(blob);
    blob_put(blob);
    move_out(&house);
}

/* An engine's loader would ask for the page again and again: it waits until the server is well. */
static void who_is_patient_is_not_told_what_may_heal(void) {
    struct house house;
    move_in(&house, "patient");
    struct blob *blob = get(&house);
    CHECK(!blob_use(blob, 1));
    server.status = 503;
    struct reader patient = READER, other = READER, later = READER;
    CHECK(blob_await(blob, 1, 0, 10, true, &patient.wait) == PARKED);
    CHECK(blob_await(blob, 1, 0, 10, false, &other.wait) == PARKED);
    int result = outcome(&other, PATIENT_MS);
    CHECK(result < 0 && result != -ETIMEDOUT);
    CHECK(blob_await(blob, 1, 0, 10, true, &later.wait) == PARKED); /* nothing is remembered for it */
    CHECK(look(blob).error == result);
    server.status = 0;
    CHECK_NUMBER(outcome(&patient, PATIENT_MS), 0);
    CHECK_NUMBER(outcome(&later, PATIENT_MS), 0);
    blob_unuse(blob);
    blob_put(blob);
    move_out(&house);
}

/* --- a server that holds the heads of long answers back; it serves zeros --- */

#define LARGE (16u << 20)

static const char zeros[65536];
static atomic_bool slow_hold;
static atomic_uint slow_held, slow_connections;

static bool sends(int fd, const void *data, size_t len) {
    while (len) {
        ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        data = (const char *)data + sent;
        len -= (size_t)sent;
    }
    return true;
}

static bool slow_answer(int fd, const char *request) {
    unsigned long long first = 0, last = LARGE - 1;
    const char *range = strcasestr(request, "\r\nRange: bytes=");
    bool partial = range && sscanf(range, "\r\n%*[^=]=%llu-%llu", &first, &last) == 2;
    if (last - first > LARGE / 2 && atomic_load(&slow_hold)) {
        atomic_fetch_add(&slow_held, 1);
        (void)EVENTUALLY(!atomic_load(&slow_hold));
    }
    char head[256];
    int len = snprintf(head, sizeof head,
        "HTTP/1.1 %s\r\nContent-Length: %llu\r\nContent-Range: bytes %llu-%llu/%u\r\n\r\n",
        partial ? "206 Partial" : "200 OK", last - first + 1, first, last, LARGE);
    bool alive = sends(fd, head, (size_t)len);
    for (; alive && first <= last; first += sizeof zeros)
        alive = sends(fd, zeros, last - first + 1 < sizeof zeros ? last - first + 1 : sizeof zeros);
    return alive;
}

static void *slow_serves(void *context) {
    int fd = (int)(intptr_t)context;
    char request[4096];
    ssize_t got;
    do {
        got = recv(fd, request, sizeof request - 1, 0);
        request[got > 0 ? got : 0] = 0;
    } while (got > 0 && slow_answer(fd, request));
    (void)close(fd);
    atomic_fetch_sub(&slow_connections, 1);
    return NULL;
}

static void *slow_listens(void *context) {
    for (int fd; (fd = accept((int)(intptr_t)context, NULL, NULL)) >= 0;) {
        pthread_t thread;
        atomic_fetch_add(&slow_connections, 1);
        CHECK(!pthread_create(&thread, NULL, slow_serves, (void *)(intptr_t)fd));
        (void)pthread_detach(thread);
    }
    return NULL;
}

/* Its listening descriptor; shutdown() of it ends the thread. */
static int start_slow(pthread_t *ret_thread, struct range_server *ret_where) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(!bind(fd, (struct sockaddr *)&address, len) && !listen(fd, 16) &&
          !getsockname(fd, (struct sockaddr *)&address, &len));
    ret_where->port = ntohs(address.sin_port);
    CHECK(!pthread_create(ret_thread, NULL, slow_listens, (void *)(intptr_t)fd));
    return fd;
}

static atomic_uint troubles;

static void hears(void *context, const struct news *news) {
    (void)context;
    if (news->kind == NEWS_BLOB_TROUBLE) {
        atomic_fetch_add(&troubles, 1);
        (void)fprintf(stderr, "trouble: %s\n", news->text);
    }
}

static void digest_of_zeros(char to[static DIGEST_TEXT_SIZE]) {
    char hex[SHA256_HEX_SIZE];
    struct digest *digest = digest_new(DIGEST_SHA256, LARGE);
    for (size_t at = 0; at < LARGE; at += sizeof zeros)
        digest_add(digest, zeros, sizeof zeros);
    digest_end(digest, hex, to);
    digest_free(digest);
}

static void a_range_may_be_cut_before_its_head_comes(void) {
    char digest[DIGEST_TEXT_SIZE];
    struct range_server slow = {0};
    struct house house;
    pthread_t thread;
    int fd = start_slow(&thread, &slow);
    digest_of_zeros(digest);
    bus_listen(hears, NULL);
    /* one pull then asks for all there is in one range, and patiently */
    move_in_with(&house, "cut", "one", &slow, "max_connections", "1");
    CHECK(!options_set(house.options, "stall_timeout_s", "60", "test", NULL));
    struct blob *blob = get_file(&house, digest, LARGE);
    CHECK(!blob_use(blob, 1));
    slow_hold = true;
    CHECK(read_range(blob, 1, back, 10, LARGE - 10) == 10); /* the address is known now */
    CHECK(read_range(blob, 1, back, 10, 0) == 10);
    blob_want(blob);
    CHECK(EVENTUALLY(slow_held));
    CHECK_NUMBER(read_range(blob, 1, back, 10, LARGE / 8 * 6), 10);
    slow_hold = false;
    CHECK(reaches(blob, BLOB_COMPLETE));
    CHECK(!troubles);
    blob_unwant(blob);
    blob_unuse(blob);
    blob_put(blob);
    move_out(&house);
    bus_reset();
    (void)shutdown(fd, SHUT_RDWR);
    (void)pthread_join(thread, NULL);
    (void)close(fd);
    CHECK(EVENTUALLY(!slow_connections));
}

int main(void) {
    build_street();
    a_server_without_ranges_that_stops_early_is_told();
    who_is_patient_is_not_told_what_may_heal();
    a_range_may_be_cut_before_its_head_comes();
    stop_servers();
    return check_result();
}
