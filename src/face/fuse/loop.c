/* SPDX-License-Identifier: Apache-2.0 */
#include "face/fuse/inside.h"

#include <errno.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/thread.h"
#include "face/fuse/backing.h"
#include "face/fuse/mounted.h"
#include "face/fuse/state.h"

enum {
    INIT_MOST = 256,
    KICK_MS = 10, /* between two knocks at a thread that is just about to enter read() */
};

/* Nobody else uses it, and a stray one does nothing even without our handler. */
#define KICK_SIGNAL SIGURG

static _Thread_local uint64_t unique;
static _Thread_local void *buffer;

uint64_t loop_unique(void) {
    return unique;
}

void *loop_buffer(void) {
    if (!buffer)
        buffer = mem_new(FACE_READ_MOST);
    return buffer;
}

void loop_buffer_done(void) {
    free(buffer);
    buffer = NULL;
}

int notify_raw(struct face *face, int code) {
    struct fuse_out_header out = {.len = sizeof out, .error = code};
    return write(fuse_session_fd(face->session), &out, sizeof out) < 0 ? -errno : 0;
}

static void set_initialised(struct face *face) {
    mounted_set_read_ahead(fuse_session_fd(face->session), face->mountpoint,
        (unsigned)options_number(face->options, "read_ahead_kib"));
    LOCK_SCOPE(&face->lock);
    face->initialised = true;
    pthread_cond_broadcast(&face->changed);
}

/* Tells libfuse what the kernel told our predecessor. The answer goes to the kernel too, which asked for
 * none, and is refused there. */
static void make_up_init_locked(struct face *face) {
    lock_assert(&face->init_lock);
    _Alignas(8) unsigned char request[INIT_MOST];
    struct fuse_in_header *head = (void *)request;
    size_t size = state_init(face->state, request, sizeof request);
    if (!size) {
        struct fuse_init_in init;
        memset(&init, 0xff, sizeof init); /* all flags: what the kernel lacks fails when it is used */
        init.major = FUSE_KERNEL_VERSION;
        init.minor = FUSE_KERNEL_MINOR_VERSION;
        size = sizeof *head + sizeof init;
        *head = (struct fuse_in_header){.len = (uint32_t)size, .opcode = FUSE_INIT};
        memcpy(head + 1, &init, sizeof init);
    }
    head->unique = UINT64_MAX / 2 - 1; /* nobody else's */
    struct fuse_buf made_up = {.mem = request, .size = size};
    fuse_session_process_buf(face->session, &made_up);
    set_initialised(face);
}

/* What comes before INIT was answered: INIT itself; or, on a session that was taken over from a daemon
 * that had no time to note it, anything. */
static void serve_first(struct face *face, const struct fuse_buf *request) {
    const struct fuse_in_header *head = request->mem;
    LOCK_SCOPE(&face->init_lock);
    if (face->initialised)
        return fuse_session_process_buf(face->session, request);
    if (head->opcode != FUSE_INIT) {
        make_up_init_locked(face);
        return fuse_session_process_buf(face->session, request);
    }
    fuse_session_process_buf(face->session, request);
    backing_note_init(face->backing, request->mem, request->size);
    set_initialised(face);
}

static void *serve(void *context) {
    struct face *face = context;
    sigset_t kick;
    sigemptyset(&kick);
    sigaddset(&kick, KICK_SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &kick, NULL);

    struct fuse_buf request = {0};
    int count = 0;
    while (!face->exiting) {
        count = fuse_session_receive_buf(face->session, &request);
        if (count == -EINTR || count == -EAGAIN)
            continue;
        if (count <= 0)
            break;
        unique = ((const struct fuse_in_header *)request.mem)->unique;
        if (face->initialised)
            fuse_session_process_buf(face->session, &request);
        else
            serve_first(face, &request);
    }
    free(request.mem);
    loop_buffer_done();

    LOCK_SCOPE(&face->lock);
    if (!face->exiting && count < 0)
        face->error = count;
    face->ended = true;
    face->live--;
    pthread_cond_broadcast(&face->changed);
    return NULL;
}

static void kicked(int number) {
    (void)number; /* read() has returned: that is all */
}

int loop_start(struct face *face) {
    struct sigaction action = {.sa_handler = kicked}; /* no SA_RESTART */
    if (sigaction(KICK_SIGNAL, &action, NULL) < 0)
        return -errno;
    unsigned wanted = (unsigned)options_number(face->options, "fuse_threads");
    for (; face->thread_count < wanted; face->thread_count++) {
        {
            LOCK_SCOPE(&face->lock);
            face->live++;
        }
        int error = thread_start("fuse", serve, face, &face->threads[face->thread_count]);
        if (error) {
            LOCK_SCOPE(&face->lock);
            face->live--;
            return error;
        }
    }
    return 0;
}

void loop_stop(struct face *face) {
    face->exiting = true;
    lock_take(&face->lock);
    /* A thread between its look at `exiting` and read() misses a signal: hence again and again, until all
     * have left. */
    while (face->live) {
        for (unsigned i = 0; i < face->thread_count; i++)
            (void)pthread_kill(face->threads[i], KICK_SIGNAL); /* not joined yet: its id is valid */
        (void)lock_wait(&face->lock, &face->changed, clock_ms() + KICK_MS);
    }
    lock_drop(&face->lock);
    for (unsigned i = 0; i < face->thread_count; i++)
        pthread_join(face->threads[i], NULL);
    face->thread_count = 0;
}

void loop_take_over(struct face *face) {
    _Alignas(8) unsigned char request[INIT_MOST];
    if (state_init(face->state, request, sizeof request)) {
        LOCK_SCOPE(&face->init_lock);
        make_up_init_locked(face);
    }
    int error = notify_raw(face, NOTIFY_RESEND);
    if (error)
        log_warning("the kernel does not send again what our predecessor had taken: %s", err_sentence(error));
    /* What it believes of names is looked up again; older kernels let it time out. */
    (void)notify_raw(face, NOTIFY_INCREASE_EPOCH);
}
