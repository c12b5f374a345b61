/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/handle.h"

#include <stdlib.h>

#include "base/clock.h"
#include "tree/inside.h"

void handles_init(struct tree *tree) {
    lock_init(&tree->handles.lock, LOCK_HANDLE);
    for (size_t i = 0; i < HANDLE_BUCKETS; i++)
        list_init(&tree->handles.buckets[i]);
    list_init(&tree->handles.waits);
    tree->handles.next = clock_ms() << 20; /* to reach a successor's takes a million opens a millisecond */
}

static struct list *bucket_of(struct handles *handles, uint64_t number) {
    return &handles->buckets[number % HANDLE_BUCKETS];
}

static struct handle *find_locked(struct handles *handles, uint64_t number) {
    struct list *bucket = bucket_of(handles, number);
    list_each (at, bucket) {
        struct handle *handle = list_entry(at, struct handle, link);
        if (handle->number == number)
            return handle;
    }
    return NULL;
}

static void handle_free(struct handle *handle) {
    if (handle->snapshot)
        snapshot_put(handle->snapshot);
    if (handle->blob) {
        blob_unuse(handle->blob);
        blob_put(handle->blob);
    }
    answer_put(handle->answer);
    buf_done(&handle->pending);
    free(handle);
}

void handles_done(struct tree *tree) {
    for (size_t i = 0; i < HANDLE_BUCKETS; i++) {
        struct list *link;
        while ((link = list_shift(&tree->handles.buckets[i])))
            handle_free(list_entry(link, struct handle, link));
    }
    lock_done(&tree->handles.lock);
}

struct handle *handle_new(node_number node) {
    struct handle *handle = mem_new(sizeof(*handle));
    handle->node = node;
    handle->refs = 1;
    return handle;
}

struct handle *handle_enter(struct tree *tree, struct handle *handle, uint64_t number) {
    lock_take(&tree->handles.lock);
    struct handle *other = number ? find_locked(&tree->handles, number) : NULL;
    if (other) {
        other->refs++;
    } else {
        handle->number = number ? number : tree->handles.next++;
        handle->refs++; /* the table's */
        list_append(bucket_of(&tree->handles, handle->number), &handle->link);
    }
    lock_drop(&tree->handles.lock);
    if (!other)
        return handle;
    handle_unref(tree, handle);
    return other;
}

struct handle *handle_find(struct tree *tree, node_number node, uint64_t number) {
    LOCK_SCOPE(&tree->handles.lock);
    struct handle *handle = find_locked(&tree->handles, number);
    if (!handle || handle->node != node)
        return NULL;
    handle->refs++;
    return handle;
}

void handle_unref(struct tree *tree, struct handle *handle) {
    lock_take(&tree->handles.lock);
    unsigned refs = --handle->refs;
    lock_drop(&tree->handles.lock);
    if (!refs)
        handle_free(handle);
}

void handle_remove(struct tree *tree, node_number node, uint64_t number) {
    lock_take(&tree->handles.lock);
    struct handle *handle = find_locked(&tree->handles, number);
    if (handle && handle->node == node)
        list_remove(&handle->link);
    else
        handle = NULL;
    lock_drop(&tree->handles.lock);
    if (handle)
        handle_unref(tree, handle);
}

struct snapshot *handle_snapshot(struct tree *tree, struct handle *handle) {
    LOCK_SCOPE(&tree->handles.lock);
    return handle->snapshot ? snapshot_ref(handle->snapshot) : NULL;
}

void handle_set_snapshot(struct tree *tree, struct handle *handle, struct snapshot *snapshot) {
    lock_take(&tree->handles.lock);
    struct snapshot *former = handle->snapshot;
    handle->snapshot = snapshot;
    lock_drop(&tree->handles.lock);
    if (former)
        snapshot_put(former);
}

uint64_t handle_lowest_base(struct tree *tree, node_number node, uint64_t fallback) {
    LOCK_SCOPE(&tree->handles.lock);
    uint64_t lowest = fallback;
    for (size_t i = 0; i < HANDLE_BUCKETS; i++) {
        list_each (at, &tree->handles.buckets[i]) {
            const struct handle *handle = list_entry(at, struct handle, link);
            if (handle->node == node && (int64_t)(handle->base - lowest) < 0)
                lowest = handle->base;
        }
    }
    return lowest;
}

bool handle_has_room(struct tree *tree, const struct handle *handle, size_t size) {
    enum { FREE = 64 << 10 }; /* so few are not looked at: most questions are short */
    size_t all = size;
    lock_assert(&tree->handles.lock);
    if (handle->pending.len + size <= FREE)
        return true;
    for (size_t i = 0; i < HANDLE_BUCKETS; i++)
        list_each (at, &tree->handles.buckets[i])
            all += list_entry(at, struct handle, link)->pending.len;
    return all <= WRITTEN_MOST;
}
