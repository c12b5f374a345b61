/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that are listened to, and the connections that come through them. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "outside/server_inside.h"

#define BACKLOG      128
#define ACCEPTS_MOST 16 /* in one turn, so that others come to their right */

/* ---- doors */

static struct door *find_tag(struct server *server, int64_t tag) {
    lock_assert(&server->lock);
    list_each (link, &server->doors)
        if (list_entry(link, struct door, link)->tag == tag)
            return list_entry(link, struct door, link);
    return NULL;
}

static struct door *find_number(struct server *server, uint64_t number) {
    lock_assert(&server->lock);
    list_each (link, &server->doors)
        if (list_entry(link, struct door, link)->number == number)
            return list_entry(link, struct door, link);
    return NULL;
}

/* A listening descriptor, or -errno. Nobody can connect before its permissions are right. */
static int bind_socket(const char *path, mode_t mode) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (text_copy(address.sun_path, sizeof address.sun_path, path) < 0)
        return -ENAMETOOLONG;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if ((unlink(path) < 0 && errno != ENOENT) ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 || chmod(path, mode) < 0 ||
        listen(fd, BACKLOG) < 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

static void door_free(struct door *door) {
    (void)unlink(door->path);
    close(door->fd); /* which takes it out of the epoll set */
    free(door->path);
    free(door);
}

int server_listen(struct server *server, const char *path, mode_t mode, int64_t tag) {
    LOCK_SCOPE(&server->lock); /* two who want the same must not unlink each other's; all of it is quick */
    if (server->stopping)
        return -ERR_CANCELLED;
    if (find_tag(server, tag))
        return -EEXIST;
    int fd = bind_socket(path, mode);
    if (fd < 0)
        return fd;
    struct door *door = mem_new(sizeof *door);
    *door = (struct door){.fd = fd,
        .tag = tag,
        .number = ++server->last_door,
        .path = mem_text(path),
        .used_ms = clock_ms()};
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = door->number << EVENT_BITS | EVENT_DOOR};
    if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        int error = -errno;
        door_free(door);
        return error;
    }
    list_append(&server->doors, &door->link);
    return 0;
}

bool server_unlisten(struct server *server, int64_t tag) {
    LOCK_SCOPE(&server->lock);
    struct door *door = find_tag(server, tag);
    if (!door)
        return false;
    list_remove(&door->link);
    door_free(door);
    return true;
}

void doors_close(struct server *server) {
    LOCK_SCOPE(&server->lock);
    struct list *link;
    while ((link = list_shift(&server->doors)))
        door_free(list_entry(link, struct door, link));
}

bool server_usage(struct server *server, int64_t tag, unsigned *ret_connections, uint64_t *ret_used_ms) {
    LOCK_SCOPE(&server->lock);
    const struct door *door = find_tag(server, tag);
    if (!door)
        return false;
    *ret_connections = door->connections;
    *ret_used_ms = door->used_ms;
    return true;
}

/* ---- connections */

static unsigned count_of_user(const struct server *server, uid_t uid) {
    unsigned count = 0;
    list_each (link, &server->connections)
        count += list_entry(link, struct connection, link)->uid == uid;
    return count;
}

/* What fits into a socket's empty buffer is sent at once, whether the client reads it or not. */
static void refuse(const struct server *server, int fd) {
    char text[1024];
    int len = snprintf(text, sizeof text,
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n"
        "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
        strlen(server->settings.full), server->settings.full);
    if (len > 0 && len < (int)sizeof text)
        (void)!send(fd, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
    close(fd);
}

static void connection_free(struct connection *connection) {
    struct server *server = connection->server;
    connection_await_over(connection);
    list_remove(&connection->link);
    server->connection_count--;
    lock_take(&server->lock);
    struct door *door = find_number(server, connection->door);
    if (door) {
        door->connections--;
        door->used_ms = clock_ms();
    }
    lock_drop(&server->lock);
    free(connection);
}

void connections_free(struct server *server) {
    while (!list_empty(&server->connections))
        connection_free(list_entry(server->connections.next, struct connection, link));
}

/* The one of that descriptor that the library has not answered for; NULL. */
static struct connection *find_arriving(struct server *server, int fd) {
    list_each (link, &server->connections) {
        struct connection *connection = list_entry(link, struct connection, link);
        if (connection->fd == fd && !connection->handle)
            return connection;
    }
    return NULL;
}

/* The library takes the descriptor, in any case, and answers with on_connection() if it wants it: 0.9 within
 * this call, 1.0 later. */
static void admit(struct server *server, struct connection *connection) {
    const struct sockaddr_un nobody = {.sun_family = AF_UNIX};
    int fd = connection->fd;
    if (MHD_add_connection(server->daemon, fd, (const struct sockaddr *)&nobody, sizeof nobody) == MHD_YES)
        return;
    connection = find_arriving(server, fd);
    if (connection)
        connection_free(connection);
}

int door_spare(void) {
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int take_fd(int door_fd) {
    return accept4(door_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

/* The process has no descriptor left: who knocks is refused, else it would be told for ever that he does. */
static void refuse_without(struct server *server, uint64_t number) {
    int fd = -1;
    close(server->spare_fd);
    lock_take(&server->lock);
    struct door *door = find_number(server, number);
    if (door)
        fd = take_fd(door->fd);
    lock_drop(&server->lock);
    if (fd >= 0)
        refuse(server, fd);
    server->spare_fd = door_spare();
}

/* The next one that waits at the door, as a connection that is counted; NULL: there is none. */
static struct connection *take_one(struct server *server, uint64_t number, int *ret_error) {
    struct ucred peer;
    LOCK_SCOPE(&server->lock);
    struct door *door = find_number(server, number);
    int fd = door ? take_fd(door->fd) : -1;
    *ret_error = fd < 0 ? errno : 0;
    if (fd < 0)
        return NULL;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &(socklen_t){sizeof peer}) < 0) {
        close(fd);
        return NULL;
    }
    door->connections++;
    door->used_ms = clock_ms();
    struct connection *connection = mem_new(sizeof *connection);
    *connection =
        (struct connection){.server = server, .fd = fd, .door = number, .tag = door->tag, .uid = peer.uid};
    list_append(&server->connections, &connection->link);
    server->connection_count++;
    return connection;
}

void door_event(struct server *server, uint64_t number) {
    const struct server_settings *settings = &server->settings;
    struct connection *connection;
    int error = 0;
    for (unsigned i = 0; i < ACCEPTS_MOST && (connection = take_one(server, number, &error)); i++) {
        if (server->connection_count <= settings->connections_most &&
            count_of_user(server, connection->uid) <= settings->connections_of_user) {
            admit(server, connection);
        } else {
            refuse(server, connection->fd);
            connection_free(connection);
        }
    }
    if (error == EMFILE || error == ENFILE)
        refuse_without(server, number);
}

static void watch_end(struct connection *connection) {
    struct epoll_event event = {.events = 0, /* EPOLLHUP and EPOLLERR are always told */
        .data.u64 = (uint64_t)(uintptr_t)connection | EVENT_CONNECTION};
    (void)epoll_ctl(connection->server->epoll_fd, EPOLL_CTL_ADD, connection->fd, &event);
}

void on_connection(void *context, struct MHD_Connection *handle, void **of_connection,
    enum MHD_ConnectionNotificationCode code) {
    struct server *server = context;
    struct connection *connection = *of_connection;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        int fd = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        connection = *of_connection = find_arriving(server, fd);
        connection->handle = handle;
        watch_end(connection);
        connection_await(connection);
    } else if (connection) {
        (void)epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
        *of_connection = NULL;
        connection_free(connection);
    }
}

void connection_hang_up(struct connection *connection) {
    if (connection->hung_up)
        return;
    connection->hung_up = true;
    (void)epoll_ctl(connection->server->epoll_fd, EPOLL_CTL_DEL, connection->fd,
        NULL); /* it is told for ever */
    if (connection->server->is_killing)
        (void)shutdown(connection->fd, SHUT_RDWR); /* which the library sees */
    if (connection->request)
        request_resume(connection->request);
}

/* ---- who takes too long */

void connection_await(struct connection *connection) {
    if (list_linked(&connection->waiting))
        return;
    connection->since_ms = clock_ms();
    list_append(&connection->server->waiting, &connection->waiting);
}

void connection_await_over(struct connection *connection) {
    if (list_linked(&connection->waiting))
        list_remove(&connection->waiting);
}

uint64_t connections_close_late(struct server *server, uint64_t now_ms) {
    while (!list_empty(&server->waiting)) {
        struct connection *connection = list_entry(server->waiting.next, struct connection, waiting);
        uint64_t until_ms = connection->since_ms + server->settings.request_ms;
        if (until_ms > now_ms)
            return until_ms;
        connection_await_over(connection);
        (void)shutdown(connection->fd, SHUT_RDWR); /* which the library sees */
    }
    return 0;
}
