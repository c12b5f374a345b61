/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TESTS_RANGE_SERVER_H
#define WEIGHTFS_TESTS_RANGE_SERVER_H

/*
 * A small HTTP server on loopback for unit tests: one file in memory, answered by ranges, a thread a
 * connection. Its manners can be changed while it runs.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct range_server {
    /* What is served. */
    const unsigned char *data;
    size_t size;
    /* Manners. */
    _Atomic size_t flip_at;    /* this byte is sent wrong; SIZE_MAX: none */
    _Atomic int ignore_ranges; /* 200 with the whole file */
    _Atomic int wrong_range;   /* Content-Range is one byte off */
    _Atomic int status;        /* answered instead, when not 0 */
    _Atomic size_t cut_after;  /* bytes of a body after which the connection is closed; SIZE_MAX: none */
    _Atomic int hold;          /* bodies wait while it is set */
    /* What it saw. */
    _Atomic uint64_t bytes; /* of bodies */
    _Atomic unsigned requests;
    _Atomic unsigned held; /* bodies that wait now */

    int fd;
    int port;
    unsigned long thread;
    _Atomic int stopping, connections;
};

int range_server_start(struct range_server *server, const unsigned char *data, size_t size);
void range_server_stop(struct range_server *server);

#endif
