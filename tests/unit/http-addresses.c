/* SPDX-License-Identifier: Apache-2.0 */
/* where redirects may lead, in a network of our own: 198.51.100.7 plays the public internet */
#include <fcntl.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "outside/http.h"
#include "../lib/manner_server.h"
#include "check.h"

#define PUBLIC  "198.51.100.7"
#define SKIPPED 77

static struct manner_server public_server, inner_server;
static struct http_loop *loop;

/* ---- a network with two addresses */

static void write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, text, strlen(text)) < 0)
        perror(path);
    close(fd);
}

static bool own_network(void) {
    if (geteuid() == 0 && unshare(CLONE_NEWNET) == 0)
        return true;
    char map[64];
    snprintf(map, sizeof map, "0 %u 1", geteuid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return false;
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", map);
    return true;
}

static bool give_address(int fd, const char *interface, const char *address) {
    struct ifreq request = {0};
    struct sockaddr_in name = {.sin_family = AF_INET};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
    inet_pton(AF_INET, address, &name.sin_addr);
    memcpy(&request.ifr_addr, &name, sizeof name);
    return ioctl(fd, SIOCSIFADDR, &request) == 0;
}

static bool make_network(void) {
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING};
    if (!own_network())
        return false;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool made = ioctl(fd, SIOCSIFFLAGS, &request) == 0 && give_address(fd, "lo", "127.0.0.1") &&
                give_address(fd, "lo:1", PUBLIC);
    close(fd);
    return made;
}

/* ---- requests */

static sem_t over;
static int end_result;

static void on_done(struct http_request *request, int result) {
    (void)request;
    end_result = result;
    sem_post(&over);
}

static int ask(const char *url, int *ret_status) {
    struct http_request request = {.url = url,
        .redirects = 3,
        .deadline_ms = 20000,
        .body_limit = 65536,
        .on_done = on_done};
    http_start(loop, &request);
    CHECK(sem_wait(&over) == 0);
    *ret_status = request.status;
    if (end_result < 0)
        CHECK(request.reason.text[0]);
    buf_done(&request.body);
    buf_done(&request.fields);
    free(request.last_url);
    return end_result;
}

static int redirected(const char *from, int from_port, const char *target, int target_port) {
    char url[300];
    int status;
    snprintf(url, sizeof url, "http://%s:%d/to?http://%s:%d/echo", from, from_port, target, target_port);
    return ask(url, &status);
}

static void the_inside_is_not_for_strangers(void) {
    char url[100];
    int status;
    unsigned seen = atomic_load(&inner_server.connections);
    CHECK_ERROR(redirected(PUBLIC, public_server.port, "127.0.0.1", inner_server.port), -ERR_REDIRECT);
    CHECK_ERROR(redirected(PUBLIC, public_server.port, "localhost", inner_server.port), -ERR_REDIRECT);
    CHECK_ERROR(redirected(PUBLIC, public_server.port, "169.254.169.254", 80), -ERR_REDIRECT);
    CHECK_ERROR(redirected(PUBLIC, public_server.port, "10.0.0.1", 80), -ERR_REDIRECT);
    CHECK_NUMBER(atomic_load(&inner_server.connections), seen); /* not even a connection */

    /* a kept connection is not a way around it */
    snprintf(url, sizeof url, "http://127.0.0.1:%d/echo", inner_server.port);
    CHECK_OK(ask(url, &status));
    CHECK_NUMBER(status, 200);
    unsigned requests = atomic_load(&inner_server.requests);
    CHECK_ERROR(redirected(PUBLIC, public_server.port, "127.0.0.1", inner_server.port), -ERR_REDIRECT);
    CHECK_NUMBER(atomic_load(&inner_server.requests), requests);
}

static void what_is_allowed_is_reached(void) {
    CHECK_OK(redirected(PUBLIC, public_server.port, PUBLIC, public_server.port));
    CHECK_OK(redirected("127.0.0.1", inner_server.port, PUBLIC, public_server.port));
    CHECK_OK(redirected("127.0.0.1", inner_server.port, "localhost", inner_server.port));
}

/* A name server that never answers must not hold the loop up, nor a request longer than its deadline. */
static void a_silent_name_server_blocks_nobody(void) {
    char line[200], address[64] = "", url[100];
    int status;
    FILE *file = fopen("/etc/resolv.conf", "re");
    while (file && fgets(line, sizeof line, file) && sscanf(line, "nameserver %63[0-9.]", address) != 1)
        ;
    if (file)
        fclose(file);
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
        silent = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(53)};
    bool ready = inet_pton(AF_INET, address, &name.sin_addr) == 1 &&
                 (!strncmp(address, "127.", 4) || give_address(control, "lo:2", address)) &&
                 bind(silent, (struct sockaddr *)&name, sizeof name) == 0;
    close(control);
    if (!ready) {
        printf("no name server to play: %s\n", address);
        close(silent);
        return;
    }
    struct http_request slow = {.url = "http://no.such.name.example/",
        .deadline_ms = 300,
        .connect_ms = 60000,
        .on_done = on_done};
    uint64_t start_ms = clock_ms();
    http_start(loop, &slow);
    CHECK(sem_wait(&over) == 0);
    CHECK_ERROR(end_result, -ERR_DEADLINE);
    CHECK(clock_ms() - start_ms < 3000); /* a resolver gives up after five seconds at the earliest */
    snprintf(url, sizeof url, "http://127.0.0.1:%d/echo", inner_server.port);
    CHECK_OK(ask(url, &status));
    CHECK(clock_ms() - start_ms < 4000);
    char first;
    CHECK(recv(silent, &first, 1, MSG_DONTWAIT) == 1); /* it really was asked */
    close(silent);
    buf_done(&slow.fields);
    free(slow.last_url);
}

/* ---- the loop's own limit of connections, and its end */

enum { MANY = 12, LIMIT = 3 };
static atomic_int ended[2]; /* well, cancelled */

static void on_ended(struct http_request *request, int result) {
    atomic_fetch_add(&ended[result == -ERR_CANCELLED], 1);
    CHECK(result == 0 || result == -ERR_CANCELLED);
    buf_done(&request->body);
    buf_done(&request->fields);
    free(request->last_url);
    sem_post(&over);
}

static void start_many(struct http_request *requests, const char *url) {
    for (int i = 0; i < MANY; i++) {
        requests[i] = (struct http_request){.url = url, .body_limit = 1 << 20, .on_done = on_ended};
        http_start(loop, &requests[i]);
    }
}

static void connections_are_limited_and_all_requests_end(void) {
    struct http_request requests[MANY];
    char url[100];
    const struct http_settings settings = {.user_agent = "weightfs-test", .connections_per_host = LIMIT};
    CHECK_OK(http_loop_start(&settings, "http", &loop));
    unsigned before = atomic_load(&inner_server.connections);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/bytes/500000", inner_server.port);
    start_many(requests, url);
    for (int i = 0; i < MANY; i++)
        CHECK(sem_wait(&over) == 0);
    CHECK(atomic_load(&ended[0]) == MANY && atomic_load(&ended[1]) == 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/stall", inner_server.port);
    start_many(requests, url);
    while (atomic_load(&inner_server.open) < LIMIT) /* under way; the others wait for their turn */
        sched_yield();
    CHECK_NUMBER(atomic_load(&inner_server.connections) - before, LIMIT);
    http_loop_stop(loop);
    CHECK_NUMBER(atomic_load(&ended[1]), MANY);
}

int main(void) {
    const struct http_settings settings = {.user_agent = "weightfs-test", .allow_http = true};
    sem_init(&over, 0, 0);
    if (!make_network()) {
        printf("no right to make a network of our own\n");
        return SKIPPED;
    }
    manner_server_start(&public_server, PUBLIC);
    manner_server_start(&inner_server, "127.0.0.1");
    CHECK_OK(http_loop_start(&settings, "http", &loop));
    the_inside_is_not_for_strangers();
    what_is_allowed_is_reached();
    a_silent_name_server_blocks_nobody();
    http_loop_stop(loop);
    connections_are_limited_and_all_requests_end();
    manner_server_stop(&public_server);
    manner_server_stop(&inner_server);
    return check_result();
}
