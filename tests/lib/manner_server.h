/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TESTS_MANNER_SERVER_H
#define WEIGHTFS_TESTS_MANNER_SERVER_H

/*
 * An HTTP server inside a unit test, each path another manner, good or bad (the table in
 * manner_server.c).
 *
 *   /bytes/N      N bytes, byte i being i % 251; honours Range
 *   /echo         the request's head as it came
 *   /to?URL       302 to URL; /hops/N is N redirects, then /echo
 *   /circle       redirects to itself                /nowhere      302 without Location
 *   /drown?URL    302 to URL, with a text of 16 MB
 *   /status/N     status N with X-Error-Code, and a short text
 *   /gzip         says Content-Encoding: gzip        /interim      100 and 103 before the answer
 *   /short        half of what Content-Length says   /closed       ends with the connection, without length
 *   /chunked      in chunks, with a trailer          /cut          chunked, and cut
 *   /bighead      a head of 100 KiB                  /nohead       no HTTP at all
 *   /hangup       closes without an answer           /silent       never answers
 *   /stall        a head, ten bytes, nothing more    /trickle      a byte now and then, until it is let go
 */

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct manner_server {
    int fd, port;
    pthread_t thread;
    atomic_uint connections; /* accepted so far */
    atomic_uint alive;       /* threads */
    atomic_uint requests;
    atomic_uint open; /* requests being answered now */
    atomic_bool stopping;
};

/* Listens at `address` ("127.0.0.1"). Aborts when it can't. */
void manner_server_start(struct manner_server *server, const char *address);
void manner_server_stop(struct manner_server *server);

#endif
