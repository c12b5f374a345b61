/* SPDX-License-Identifier: Apache-2.0 */
/* One range under way: asking, judging the answer, writing what comes block by block. All on the loop's
 * thread. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/internal.h"

#define REDIRECTS          5
#define FLUSH_EVERY_MS     20
#define NEARLY_THERE_BYTES (3u << 19)

static struct source_file file_of(const struct fetch *fetch) {
    const struct blob *blob = fetch->blob;
    const struct origin *origin = &blob->origins[fetch->origin];
    return (struct source_file){origin->model, origin->commit, origin->path, blob->key, blob->size};
}

static const struct source_access *access_of(const struct fetch *fetch) {
    const struct store_settings *settings = &fetch->blob->store->settings;
    return settings->access_of(settings->context, fetch->blob->origins[fetch->origin].source);
}

static uint64_t end_offset(const struct fetch *fetch) {
    uint64_t end = (uint64_t)fetch->end * STORE_BLOCK_BYTES;
    return end < fetch->blob->size ? end : fetch->blob->size;
}

int fetch_new(struct blob *blob, enum fetch_class class, uint32_t first, uint32_t end,
    struct fetch **ret_fetch) {
    lock_assert(&blob->lock);
    uint32_t locked_end;
    int error = blob_lock_range(blob, first, end, &locked_end);
    if (error && error != -EAGAIN)
        return error;
    if (error) {
        blob->blocks[first] |= BLOCK_FOREIGN; /* not tried again before the next look; others may be free */
        blob->foreign = true;
        return -EAGAIN;
    }
    /* Another daemon may have written some of it before we had the lock. */
    if (blob_refresh_map_locked(blob, first, locked_end)) {
        blob_unlock_range(blob, first, locked_end);
        blob->foreign = true;
        return -EAGAIN;
    }
    int fd = fcntl(blob->data_fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        error = -errno;
        blob_unlock_range(blob, first, locked_end);
        return error;
    }
    struct fetch *fetch = mem_new(sizeof *fetch);
    fetch->stage = mem_new(FETCH_STAGE_BYTES);
    fetch->blob = blob_ref(blob);
    fetch->class = class;
    fetch->origin = blob->origin_at;
    fetch->started_ms = clock_ms();
    fetch->fd = fd;
    fetch->first = first;
    fetch->end = locked_end;
    fetch->at = (uint64_t)first * STORE_BLOCK_BYTES;
    for (uint32_t block = first; block < locked_end; block++)
        blob->blocks[block] |= BLOCK_FLIGHT;
    list_append(&blob->fetches, &fetch->link);
    blob->fetch_count++;
    fetch->direct = blob->location != NULL;
    fetch->url = mem_text(blob->location);
    if (!fetch->direct)
        blob->locating = true;
    _Static_assert((int)HTTP_RANKS == (int)FETCH_CLASSES, "a class is a rank");
    fetch->request.rank = class;
    fetch->request.rates[0] = http_rate_ref(blob->store->rate);
    fetch->request.rates[1] = class == FETCH_PULL ? http_rate_ref(blob->rate) : NULL;
    blob->store->slots[class]++;
    atomic_fetch_add(&blob->store->fetches, 1);
    metric_add(&store_metrics[STORE_FETCHES], class, 1);
    *ret_fetch = fetch;
    return 0;
}

void fetch_cut_locked(struct fetch *fetch, uint32_t block) {
    struct blob *blob = fetch->blob;
    lock_assert(&blob->lock);
    if (block >= fetch->end)
        return;
    if (!fetch->dead &&
        blob->blocks) { /* no blocks: sealed already, before the last range was told to be done */
        for (uint32_t at = block; at < fetch->end; at++)
            blob->blocks[at] &= (uint8_t)~BLOCK_FLIGHT;
        blob_unlock_range(blob, block, fetch->end);
    }
    fetch->end = block;
}

static int write_blocks(struct fetch *fetch, const unsigned char *bytes, size_t len, uint64_t offset) {
    int error = FAULT(store_write_data);
    if (error == FAULT_SHORT)
        error = path_write_all(fetch->fd, bytes, len / 2, offset) < 0 ? -EIO : -ENOSPC;
    else if (!error)
        error = path_write_all(fetch->fd, bytes, len, offset);
    return error == -ENOSPC || error == -EDQUOT ? -ERR_FULL : error < 0 ? error : 0;
}

/* Blocks that are here already came along because the server ignores ranges. They are not written again:
 * they may be hashed. */
static int write_absent(struct fetch *fetch, size_t whole, uint64_t start) {
    struct blob *blob = fetch->blob;
    int error = 0;
    for (size_t at = 0; !error && at < whole; at += STORE_BLOCK_BYTES) {
        bool here;
        {
            LOCK_SCOPE(&blob->lock);
            here =
                fetch->dead || !blob->blocks || blob->blocks[(start + at) / STORE_BLOCK_BYTES] & ~BLOCK_MARKS;
        }
        if (!here)
            error = write_blocks(fetch, fetch->stage + at,
                whole - at < STORE_BLOCK_BYTES ? whole - at : STORE_BLOCK_BYTES, start + at);
    }
    return error;
}

/* Writes the whole blocks that are staged and marks them. */
static int flush(struct fetch *fetch) {
    struct blob *blob = fetch->blob;
    uint64_t start = fetch->at - fetch->staged;
    size_t whole =
        fetch->at == blob->size ? fetch->staged : fetch->staged / STORE_BLOCK_BYTES * STORE_BLOCK_BYTES;
    if (!whole)
        return 0;
    int error =
        blob->no_ranges ? write_absent(fetch, whole, start) : write_blocks(fetch, fetch->stage, whole, start);
    if (error)
        return error;
    memmove(fetch->stage, fetch->stage + whole, fetch->staged - whole);
    fetch->staged -= whole;
    fetch->flushed_ms = blob->store->moved_ms;
    uint64_t settled = whole < fetch->reserved ? whole : fetch->reserved;
    fetch->reserved -= settled;
    store_settle(blob->store, settled, whole);

    LIST_HEAD(ended);
    lock_take(&blob->lock);
    if (fetch->dead || !blob->blocks) {
        error = -ERR_CANCELLED;
    } else {
        uint32_t before = blob->present;
        error = blob_mark_locked(blob, (uint32_t)(start / STORE_BLOCK_BYTES),
            (uint32_t)((start + whole + STORE_BLOCK_BYTES - 1) / STORE_BLOCK_BYTES));
        if (blob->present != before) { /* what a server without ranges sends again is no progress */
            blob->moved_ms = clock_ms();
            blob->attempts = blob->origins_failed = 0;
            if (fetch->started_ms > blob->failed_ms)
                blob->error = 0;
            blob->final = blob->expired_once = false;
        }
        blob_serve_locked(blob, &ended);
        blob_hash_locked(blob);
    }
    lock_drop(&blob->lock);
    blob_end_waits(&ended);
    return error == -ENOSPC ? -ERR_FULL : error;
}

static int judge_range(struct fetch *fetch, const struct http_head *head) {
    char value[128];
    uint64_t first, last, total;
    if (!http_head_get(head, "Content-Range", value, sizeof value) ||
        !http_parse_content_range(value, &first, &last, &total))
        return err_because(&fetch->reason, -ERR_RANGE,
            "the server answered 206 without a usable Content-Range");
    if (total != UINT64_MAX && total != fetch->blob->size)
        return err_because(&fetch->reason, -ERR_CHANGED,
            "the file has %" PRIu64 " bytes now, %" PRIu64 " were listed", total, fetch->blob->size);
    if (first != fetch->at || last < first || last > fetch->request.last)
        return err_because(&fetch->reason, -ERR_RANGE,
            "asked for bytes %" PRIu64 "-%" PRIu64 ", the server sends %s", fetch->at, fetch->request.last,
            value);
    return 0;
}

/* A 200: the whole file from its beginning, asked for or not. */
static int judge_whole(struct fetch *fetch, const struct http_head *head) {
    struct blob *blob = fetch->blob;
    char value[32];
    if (http_head_get(head, "Content-Length", value, sizeof value) && strtoull(value, NULL, 10) != blob->size)
        return err_because(&fetch->reason, -ERR_CHANGED, "the server has %s bytes, %" PRIu64 " were listed",
            value, blob->size);
    if (!fetch->request.has_range)
        return 0;
    LOCK_SCOPE(&blob->lock);
    blob->no_ranges = true;
    if (!fetch->at)
        return 0;            /* what is behind our range is not taken */
    fetch->cancelled = true; /* planned anew, from the beginning on */
    return -ERR_CANCELLED;
}

static int on_head(struct http_request *request, const struct http_head *head) {
    struct fetch *fetch = request->context;
    struct blob *blob = fetch->blob;
    struct source_file file = file_of(fetch);
    struct source_lesson lesson = {0};
    int error = blob->origins[fetch->origin].source->file_head(access_of(fetch), &file, head, fetch->direct,
        &lesson, &fetch->reason);
    fetch->retry_after_s = lesson.retry_after_s;
    if (error || !head->is_last)
        return error;
    if (head->status == 206)
        error = judge_range(fetch, head);
    else if (head->status == 200)
        error = judge_whole(fetch, head);
    else
        error = err_because(&fetch->reason, -ERR_STATUS, "the server answered %d to a range", head->status);
    if (error || fetch->direct)
        return error;
    {
        LOCK_SCOPE(&blob->lock);
        free(blob->location);
        blob->location = mem_text(head->url);
        blob->locating = false;
    }
    http_post(blob->store->settings.http, &blob->store->task); /* other ranges can go now */
    return 0;
}

static int on_body(struct http_request *request, const void *data, size_t len) {
    struct fetch *fetch = request->context;
    struct store *store = fetch->blob->store;
    const unsigned char *bytes = data;
    fetch->moved_ms = store->moved_ms = clock_ms();
    atomic_fetch_add(&store->fetched_bytes, len);
    metric_add(&store_metrics[STORE_FETCHED_BYTES], fetch->class, len);
    uint64_t end = end_offset(fetch);
    if (!fetch->nearly_there && end - fetch->at < len + NEARLY_THERE_BYTES &&
        end - (uint64_t)fetch->first * STORE_BLOCK_BYTES > 2 * NEARLY_THERE_BYTES) {
        fetch->nearly_there = true;
        http_post(store->settings.http, &store->task);
    }
    bool slow =
        store->moved_ms - fetch->flushed_ms >= FLUSH_EVERY_MS; /* then each block is kept when it is whole */
    size_t keep_most = slow || fetch->class == FETCH_READER ? STORE_BLOCK_BYTES : FETCH_STAGE_BYTES;
    while (len && fetch->at < end) {
        size_t part = FETCH_STAGE_BYTES - fetch->staged;
        if (part > len)
            part = len;
        if (part > end - fetch->at)
            part = (size_t)(end - fetch->at);
        memcpy(fetch->stage + fetch->staged, bytes, part);
        fetch->staged += part;
        fetch->at += part;
        bytes += part;
        len -= part;
        if (fetch->staged >= keep_most || fetch->at == end) {
            int error = flush(fetch);
            if (error)
                return error;
        }
    }
    /* More than was asked for: the range was cut short for a reader, or the server sends too much. Either
     * way the rest is not wanted. */
    return len ? -ERR_CANCELLED : 0;
}

static void fetch_free(struct fetch *fetch) {
    for (size_t i = 0; i < HTTP_RATES; i++)
        http_rate_unref(fetch->request.rates[i]);
    source_ask_done(&fetch->ask);
    buf_done(&fetch->request.body);
    buf_done(&fetch->request.fields);
    free(fetch->request.last_url);
    free(fetch->url);
    free(fetch->stage);
    path_close(&fetch->fd);
    blob_put(fetch->blob);
    free(fetch);
}

static void count_error(const struct source *source, int error) {
    metric_add(&store_metrics[STORE_FETCH_ERRORS],
        METRIC_PAIR(source_index(source), metric_error(error), METRIC_ERRORS), 1);
}

static void on_done(struct http_request *request, int result) {
    struct fetch *fetch = request->context;
    struct blob *blob = fetch->blob;
    struct store *store = blob->store;
    bool whole = fetch->at >= end_offset(fetch);
    if (!result || fetch->staged) {
        int error = flush(fetch);
        if (!result)
            result = error;
    }
    if (whole && (result == -ERR_CANCELLED || result == -ERR_SHORT_BODY))
        result = 0;
    if (!result && !whole)
        result = err_because(&fetch->reason, -ERR_SHORT_BODY, "the server ended its answer at byte %" PRIu64,
            fetch->at);
    bool dead;
    {
        LOCK_SCOPE(&blob->lock);
        /* Several ranges were refused at one address; the first of them had it looked up again. */
        if (result == -ERR_EXPIRED && fetch->direct &&
            (!blob->location || strcmp(blob->location, fetch->url)))
            fetch->cancelled = true;
        fetch_cut_locked(fetch, fetch->first);
        list_remove(&fetch->link);
        blob->fetch_count--;
        if (!fetch->direct)
            blob->locating = false;
        dead = fetch->dead;
    }
    store_settle(store, fetch->reserved, 0);
    store->slots[fetch->class]--;
    atomic_fetch_sub(&store->fetches, 1);
    trace(fetch, "%s blocks %" PRIu32 "… at %" PRIu64 ": %s", blob->key, fetch->first, fetch->at,
        err_name(result));
    bool closing = result == -ERR_CANCELLED && store->closing;
    if (result && !dead && !fetch->cancelled && !closing) {
        count_error(blob->origins[fetch->origin].source, result);
        blob_failed(blob, fetch->origin, result, *fetch->reason.text ? &fetch->reason : &request->reason,
            fetch->retry_after_s);
    }
    {
        LOCK_SCOPE(&blob->lock);
        blob_close_locked(blob);
    }
    fetch_free(fetch);
    http_post(store->settings.http, &store->task);
}

void fetch_start(struct fetch *fetch) {
    struct blob *blob = fetch->blob;
    struct http_request *request = &fetch->request;
    struct source_file file = file_of(fetch);
    int error = blob->origins[fetch->origin].source->file_request(access_of(fetch), &file, &fetch->ask,
        &fetch->reason);
    request->context = fetch;
    store_follow_rate(blob->store);
    if (error) {
        on_done(request, error);
        return;
    }
    request->url = fetch->direct ? fetch->url : fetch->ask.url;
    request->authorization = http_same_origin(request->url, fetch->ask.url) ? fetch->ask.authorization : NULL;
    request->accept = fetch->ask.accept;
    request->redirects = REDIRECTS;
    request->has_range = fetch->first || end_offset(fetch) < blob->size;
    request->first = fetch->at;
    request->last = end_offset(fetch) - 1;
    /* Several tries fit into what readers wait, each on another connection. */
    uint64_t third_ms = store_stall_ms(blob->store) / 3;
    request->stall_ms = third_ms > 1000 ? third_ms : 1000;
    request->on_head = on_head;
    request->on_body = on_body;
    request->on_done = on_done;
    trace(fetch, "%s bytes %" PRIu64 "-%" PRIu64 " class %d%s", blob->key, request->first, request->last,
        (int)fetch->class, fetch->direct ? " direct" : "");
    http_start(blob->store->settings.http, request);
}

void fetch_cancel(struct fetch *fetch) {
    if (fetch->cancelled)
        return;
    fetch->cancelled = true;
    http_cancel(fetch->blob->store->settings.http, &fetch->request);
}
