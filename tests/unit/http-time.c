/* SPDX-License-Identifier: Apache-2.0 */
/* the network loop over time: deadlines, kept connections, cancelling, tasks, delays, and the offline gate */
#include <sched.h>

#include "base/clock.h"
#include "http-fixture.h"

/* ---- time */

static void ends_after(const char *path, uint64_t deadline_ms, uint64_t stall_ms, int error, uint64_t ms) {
    struct question question;
    prepare(&question, &server, path);
    question.request.body_limit = 1 << 20;
    question.request.deadline_ms = deadline_ms;
    question.request.stall_ms = stall_ms;
    uint64_t start_ms = clock_ms();
    CHECK_ERROR(ask(&question), error);
    CHECK(clock_ms() - start_ms >= ms &&
          clock_ms() - start_ms < ms + 1000 * 5); /* the machine may be slow, not early */
    done(&question);
}

static void nothing_waits_for_ever(void) {
    ends_after("/silent", 300, 0, -ERR_DEADLINE, 300);
    ends_after("/silent", 0, 300, -ERR_STALLED, 300);
    ends_after("/stall", 0, 300, -ERR_STALLED, 300);
    ends_after("/trickle", 400, 300, -ERR_DEADLINE, 400); /* it moves, so it does not stall */
}

/* A listener whose queue is full lets nobody in. */
static void connecting_has_an_end(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fillers[4];
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof name;
    CHECK(bind(fd, (struct sockaddr *)&name, sizeof name) == 0 && listen(fd, 0) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&name, &size) == 0);
    for (int i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(fillers[i], (struct sockaddr *)&name, sizeof name); /* EINPROGRESS */
    }
    struct manner_server full = {.port = ntohs(name.sin_port)};
    struct question question;
    prepare(&question, &full, "/");
    question.request.connect_ms = 300;
    uint64_t start_ms = clock_ms();
    CHECK_ERROR(ask(&question), -ERR_UNREACHABLE);
    CHECK(clock_ms() - start_ms >= 290 && clock_ms() - start_ms < 5000);
    done(&question);
    for (int i = 0; i < 4; i++)
        close(fillers[i]);
    close(fd);
}

/* ---- connections */

static void connections_are_kept(void) {
    unsigned before = atomic_load(&other.connections);
    for (int i = 0; i < 20; i++) {
        struct question question;
        prepare(&question, &other, "/hops/1");
        CHECK_OK(ask(&question));
        done(&question);
    }
    CHECK(atomic_load(&other.connections) - before <= 1);
}

static void many_at_once(void) {
    enum { MANY = 64 };
    struct question *questions = calloc(MANY, sizeof *questions);
    for (int i = 0; i < MANY; i++) {
        prepare(&questions[i], &server, "/bytes/1000000");
        questions[i].request.on_body = on_body;
        http_start(loop, &questions[i].request);
    }
    for (int i = 0; i < MANY; i++) {
        CHECK(waited(&questions[i]));
        CHECK_OK(questions[i].result);
        CHECK(questions[i].bytes == 1000000 && questions[i].bytes_wrong == 0);
        done(&questions[i]);
    }
    free(questions);
}

/* ---- cancelling */

static void cancel_itself(struct question *question) {
    http_cancel(loop, &question->request);
    http_cancel(loop, &question->request);
    question->cancelled_itself = true;
}

static void cancel_victim(struct question *question) {
    http_cancel(loop, &question->victim->request);
}

/* The victim is started and cancelled in one breath: the loop has not even looked at it. */
static void start_and_cancel_victim(struct question *question) {
    http_start(loop, &question->victim->request);
    http_cancel(loop, &question->victim->request);
}

static void cancelling_is_safe_in_callbacks(void) {
    struct question question, victim;
    prepare(&question, &server, "/bytes/5000000");
    question.request.on_body = on_body;
    question.during = cancel_itself;
    CHECK_ERROR(ask(&question), -ERR_CANCELLED);
    done(&question);

    prepare(&victim, &other, "/stall");
    victim.request.on_body = on_body;
    http_start(loop, &victim.request);
    prepare(&question, &server, "/bytes/5000000");
    question.request.on_body = on_body;
    question.during = cancel_victim;
    question.victim = &victim;
    CHECK_OK(ask(&question));
    CHECK(question.bytes == 5000000 && question.bytes_wrong == 0);
    CHECK(waited(&victim));
    CHECK_ERROR(victim.result, -ERR_CANCELLED);
    done(&question);
    done(&victim);

    prepare(&victim, &other, "/echo");
    prepare(&question, &server, "/bytes/5000000");
    question.request.on_body = on_body;
    question.during = start_and_cancel_victim;
    question.victim = &victim;
    CHECK_OK(ask(&question));
    CHECK(waited(&victim));
    CHECK_ERROR(victim.result, -ERR_CANCELLED);
    done(&question);
    done(&victim);
}

/* ---- the loop as a place to run things */

struct chores {
    struct http_task task;
    struct http_delay late, early, never;
    sem_t done;
    int runs;
    char order[8];
    uint64_t start_ms, late_ms;
};
static struct chores chores;

static void note(char what) {
    size_t len = strlen(chores.order);
    if (len + 1 < sizeof chores.order)
        chores.order[len] = what;
}

static void late(struct http_delay *delay) {
    (void)delay;
    note('L');
    chores.late_ms = clock_ms() - chores.start_ms;
    sem_post(&chores.done);
}

static void early(struct http_delay *delay) {
    note('E');
    if (strlen(chores.order) == 1)
        http_delay_set(loop, delay, 10); /* may set itself again */
}

static void chore(struct http_task *task) {
    if (++chores.runs == 1) {
        http_post(loop, task); /* may post itself again */
        return;
    }
    chores.start_ms = clock_ms();
    http_delay_set(loop, &chores.never, 20);
    http_delay_set(loop, &chores.late, 10);
    http_delay_set(loop, &chores.late, 150); /* moved */
    http_delay_set(loop, &chores.early, 50);
    http_delay_set(loop, &chores.never, UINT64_MAX);
    http_delay_set(loop, &chores.never, UINT64_MAX);
}

static void tasks_and_delays_run(void) {
    chores = (struct chores){.task.run = chore, .late.run = late, .early.run = early, .never.run = late};
    sem_init(&chores.done, 0, 0);
    for (int i = 0; i < 3; i++)
        http_post(loop, &chores.task); /* once or more, as it comes */
    CHECK(sem_wait(&chores.done) == 0);
    CHECK_TEXT(chores.order, "EEL");
    CHECK(chores.late_ms >= 150 && chores.late_ms < 5000);
    CHECK(chores.runs >= 2);
}

/* ---- the gate */

static void offline_is_offline(void) {
    struct question under_way, question;
    prepare(&under_way, &server, "/stall");
    under_way.request.on_body = on_body;
    http_start(loop, &under_way.request);
    while (atomic_load(&server.open) == 0) /* until it really is */
        sched_yield();
    http_loop_set_offline(loop, true);
    CHECK(http_loop_is_offline(loop));
    CHECK(waited(&under_way));
    CHECK_ERROR(under_way.result, -ERR_OFFLINE);
    done(&under_way);
    unsigned requests = atomic_load(&server.requests);
    prepare(&question, &server, "/echo");
    CHECK_ERROR(ask(&question), -ERR_OFFLINE);
    done(&question);
    CHECK_NUMBER(atomic_load(&server.requests), requests);
    http_loop_set_offline(loop, false);
    prepare(&question, &server, "/echo");
    CHECK_OK(ask(&question));
    done(&question);
}

/* In a loop that says so: what is asked of this machine goes on, what would leave it ends at once. */
static void offline_may_leave_loopback_alone(void) {
    const struct http_settings settings = {.user_agent = "weightfs-test",
        .allow_http = true,
        .loopback_passes = true};
    struct http_loop *gated = loop;
    struct question here, elsewhere;
    CHECK_OK(http_loop_start(&settings, "local", &loop));
    http_loop_set_offline(loop, true);
    prepare(&here, &server, "/echo");
    CHECK_OK(ask(&here));
    CHECK_NUMBER(here.request.status, 200);
    done(&here);
    prepare(&elsewhere, &server, "/echo");
    snprintf(elsewhere.url, sizeof elsewhere.url, "http://192.0.2.1:%d/echo", server.port);
    CHECK_ERROR(ask(&elsewhere), -ERR_OFFLINE);
    done(&elsewhere);
    http_loop_stop(loop);
    loop = gated;
}

int main(void) {
    http_fixture_begin();
    nothing_waits_for_ever();
    connecting_has_an_end();
    connections_are_kept();
    many_at_once();
    cancelling_is_safe_in_callbacks();
    tasks_and_delays_run();
    offline_is_offline();
    offline_may_leave_loopback_alone();
    return http_fixture_end();
}
