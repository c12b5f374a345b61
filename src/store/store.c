/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing the store, and the table of blobs. */
#include "store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/internal.h"

#define STORE_VERSION_TEXT "1\n"

static int check_version(struct store *store, struct reason *reason) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    int error = path_read(store->dir_fd, "VERSION", 64, &text);
    if (error == -ENOENT)
        return path_replace(store->dir_fd, "VERSION", STORE_VERSION_TEXT, strlen(STORE_VERSION_TEXT), true);
    if (error)
        return err_because(reason, error, "%s/VERSION can't be read: %s", store->path, err_sentence(error));
    if (strcmp(buf_text(&text), STORE_VERSION_TEXT))
        return err_because(reason, -ERR_STORE_VERSION, "%s says version %.10s, this weightfs knows 1",
            store->path, buf_text(&text));
    return 0;
}

static int open_folders(struct store *store, struct reason *reason) {
    int error = path_make_folders(store->path);
    if (error)
        return err_because(reason, error, "the store %s can't be made: %s", store->path, err_sentence(error));
    store->dir_fd = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->dir_fd < 0)
        return err_because(reason, -errno, "the store %s can't be opened: %s", store->path,
            err_sentence(-errno));
    error = check_version(store, reason);
    if (error)
        return error;
    const struct {
        const char *name;
        int *fd;
    } folders[] = {{"blobs", &store->blobs_fd}, {"parts", &store->parts_fd}};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        *folders[i].fd = path_open_folder(store->dir_fd, folders[i].name, true);
        if (*folders[i].fd < 0)
            return err_because(reason, *folders[i].fd, "%s/%s: %s", store->path, folders[i].name,
                err_sentence(*folders[i].fd));
    }
    FD_CLEANUP int sha256_fd = path_open_folder(store->blobs_fd, "sha256", true);
    return sha256_fd < 0 ? sha256_fd : 0;
}

static int open_instance(struct store *store, struct reason *reason) {
    FD_CLEANUP int instances_fd = path_open_folder(store->dir_fd, "instances", true);
    if (instances_fd < 0)
        return instances_fd;
    store->instance_fd = path_open_folder(instances_fd, store->settings.instance, true);
    if (store->instance_fd < 0)
        return store->instance_fd;
    store->instance_lock_fd =
        openat(store->instance_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (store->instance_lock_fd < 0)
        return -errno;
    /* A daemon that reads the budgets of all instances holds it for a moment. */
    int tries = 0;
    while (flock(store->instance_lock_fd, LOCK_EX | LOCK_NB) && tries++ < 20)
        clock_pause(10);
    if (tries > 20)
        return err_because(reason, -ERR_BUSY,
            "another weightfs runs as instance %s on the store %s; give -o instance=NAME for a second one",
            store->settings.instance, store->path);
    return 0;
}

static void free_store(struct store *store) {
    path_close(&store->instance_lock_fd);
    path_close(&store->instance_fd);
    path_close(&store->parts_fd);
    path_close(&store->blobs_fd);
    path_close(&store->dir_fd);
    lock_done(&store->lock);
    lock_done(&store->mail_lock);
    http_rate_unref(store->rate);
    free(store->path);
    free(store->instance_path);
    free(store);
}

int store_open(const struct store_settings *settings, struct store **ret_store, struct reason *reason) {
    struct store *store = mem_new(sizeof *store);
    store->settings = *settings;
    store->path = mem_text(settings->path);
    BUF_CLEANUP struct buf path = BUF_INIT;
    (void)buf_format(&path, "%s/instances/%s", settings->path, settings->instance);
    store->instance_path = buf_take(&path);
    store->dir_fd = store->blobs_fd = store->parts_fd = store->instance_fd = store->instance_lock_fd = -1;
    lock_init(&store->lock, LOCK_STORE);
    lock_init(&store->mail_lock, LOCK_MAIL);
    for (size_t i = 0; i < STORE_BUCKETS; i++)
        list_init(&store->buckets[i]);
    list_init(&store->idle);
    list_init(&store->mail);
    list_init(&store->active);
    store->rate = http_rate_new();
    store->task.run = store_run_mail;
    store->tick.run = store_tick;
    char word[16];
    (void)options_text(settings->options, "integrity", word, sizeof word);
    store->strict = !strcmp(word, "strict");
    store->speed_ms = clock_ms();
    int error = open_folders(store, reason);
    if (!error)
        error = open_instance(store, reason);
    if (error) {
        (void)err_because(reason && *reason->text ? NULL : reason, error, "the store %s: %s", store->path,
            err_sentence(error));
        free_store(store);
        return error;
    }
    store_write_budget(store);
    store_scan(store);
    *ret_store = store;
    return 0;
}

int store_instance_fd(const struct store *store) {
    return store->instance_fd;
}

const char *store_instance_path(const struct store *store) {
    return store->instance_path;
}

/* --- the table --- */

static struct list *bucket_of(struct store *store, const char *key) {
    uint64_t hash = 14695981039346656037u;
    for (const char *at = key; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 1099511628211u;
    return &store->buckets[hash % STORE_BUCKETS];
}

static struct blob *blob_new(struct store *store, const struct source_file *file) {
    struct blob *blob = mem_new(sizeof *blob);
    blob->store = store;
    (void)text_copy(blob->key, sizeof blob->key, file->digest); /* checked by the caller */
    blob->size = file->size;
    blob->block_count = (uint32_t)((file->size + STORE_BLOCK_BYTES - 1) / STORE_BLOCK_BYTES);
    blob->promised = digest_kind_of(file->digest);
    blob->part_fd = blob->data_fd = blob->map_fd = -1;
    blob->meta.generation = 1;
    lock_init(&blob->lock, LOCK_BLOB);
    list_init(&blob->waiters);
    list_init(&blob->fetches);
    return blob;
}

static void blob_free(struct blob *blob) {
    path_close(&blob->data_fd);
    path_close(&blob->map_fd);
    path_close(&blob->part_fd);
    free(blob->blocks);
    digest_free(blob->hash);
    http_rate_unref(blob->rate);
    free(blob->location);
    for (unsigned i = 0; i < blob->origin_count; i++) {
        free(blob->origins[i].model);
        free(blob->origins[i].commit);
        free(blob->origins[i].path);
    }
    lock_done(&blob->lock);
    free(blob);
}

/* The one that was named last is asked first, as long as none is being asked. */
static void prefer_origin_locked(struct blob *blob, unsigned origin) {
    if (!blob->location && !blob->fetch_count && !blob->attempts && !blob->origins_failed)
        blob->origin_at = origin;
}

static void add_origin_locked(struct blob *blob, const struct blob_origin *origin) {
    lock_assert(&blob->lock);
    const struct source_file *file = &origin->file;
    for (unsigned i = 0; i < blob->origin_count; i++) {
        const struct origin *known = &blob->origins[i];
        if (known->source == origin->source && !strcmp(known->model, file->model) &&
            !strcmp(known->commit, file->commit) && !strcmp(known->path, file->path)) {
            prefer_origin_locked(blob, i);
            return;
        }
    }
    if (blob->origin_count == BLOB_ORIGINS)
        return;
    blob->origins[blob->origin_count++] =
        (struct origin){origin->source, mem_text(file->model), mem_text(file->commit), mem_text(file->path)};
    prefer_origin_locked(blob, blob->origin_count - 1);
}

struct blob *store_lend_locked(struct store *store, struct blob *blob) {
    lock_assert(&store->lock);
    if (list_linked(&blob->idle_link)) {
        list_remove(&blob->idle_link);
        store->idle_count--;
    }
    return blob_ref(blob);
}

int blob_get(struct store *store, const struct blob_origin *origin, struct blob **ret_blob) {
    const struct source_file *file = &origin->file;
    if (!*file->digest)
        return -ERR_GATED;
    if (digest_kind_of(file->digest) == DIGEST_NONE ||
        file->size > (uint64_t)STORE_BLOCK_BYTES * (UINT32_MAX - 1))
        return -ERR_BAD_NAME;
    struct blob *blob = NULL;
    {
        LOCK_SCOPE(&store->lock);
        struct list *bucket = bucket_of(store, file->digest);
        list_each (at, bucket) {
            struct blob *known = list_entry(at, struct blob, table_link);
            if (!strcmp(known->key, file->digest) && known->size == file->size)
                blob = known;
        }
        if (!blob) {
            blob = blob_new(store, file);
            list_append(bucket, &blob->table_link);
        }
        (void)store_lend_locked(store, blob);
    }
    {
        LOCK_SCOPE(&blob->lock);
        add_origin_locked(blob, origin);
    }
    *ret_blob = blob;
    return 0;
}

struct blob *blob_ref(struct blob *blob) {
    atomic_fetch_add(&blob->refs, 1);
    return blob;
}

void blob_put(struct blob *blob) {
    if (!blob)
        return;
    struct store *store = blob->store;
    struct blob *oldest = NULL;
    {
        LOCK_SCOPE(&store->lock);
        if (atomic_fetch_sub(&blob->refs, 1) > 1)
            return;
        list_append(&store->idle, &blob->idle_link);
        if (++store->idle_count <= STORE_IDLE_MOST)
            return;
        oldest = list_entry(list_shift(&store->idle), struct blob, idle_link);
        list_remove(&oldest->table_link);
        store->idle_count--;
    }
    blob_free(oldest);
}

void store_stop(struct store *store) {
    LOCK_SCOPE(&store->mail_lock);
    store->closing = true;
}

void store_close(struct store *store) {
    if (!store)
        return;
    LIST_HEAD(ended);
    struct list *link;
    while ((link = list_shift(&store->mail)))
        blob_put(list_entry(link, struct blob, mail_link));
    while ((link = list_shift(&store->active)))
        blob_put(list_entry(link, struct blob, active_link));
    for (size_t i = 0; i < STORE_BUCKETS; i++)
        list_each (at, &store->buckets[i]) {
            struct blob *blob = list_entry(at, struct blob, table_link);
            {
                LOCK_SCOPE(&blob->lock);
                blob_fail_locked(blob, -ERR_CANCELLED, &ended);
                if (blob->unsynced && blob->data_fd >= 0)
                    (void)fdatasync(blob->data_fd); /* what is not synced counts until the next boot only */
            }
            blob_end_waits(&ended);
            blob_free(blob);
        }
    free_store(store);
}
