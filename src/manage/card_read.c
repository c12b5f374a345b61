/* SPDX-License-Identifier: Apache-2.0 */

/* Reading the heads: card_inside.h tells how. */

#include <stdlib.h>
#include <string.h>

#include "manage/card_inside.h"
#include "model/card_inside.h"

static const uint64_t CHUNK_FIRST = 4 * STORE_BLOCK_BYTES, CHUNK_MOST = 1 << 20;
static const uint64_t ASKED_MOST = 2 * CARD_HEAD_MAX;

/* ---- the store's bytes as a file; -EAGAIN: they have to come first */

static bool is_here(const struct card_read *read, uint64_t from, uint64_t to) {
    for (size_t i = 0; i < read->here_count; i++)
        if (read->here[i].from <= from && to <= read->here[i].to)
            return true;
    return false;
}

static bool note_here(struct card_read *read, struct range range) {
    for (size_t i = 0; i < read->here_count; i++)
        if (read->here[i].from <= range.from && range.from <= read->here[i].to) {
            read->here[i].to = range.to > read->here[i].to ? range.to : read->here[i].to;
            return true;
        }
    if (read->here_count == CARD_RANGES)
        return false;
    read->here[read->here_count++] = range;
    return true;
}

static void let_go(struct card_read *read) {
    if (atomic_fetch_sub(&read->pending, 1) == 1)
        pool_submit(read->manage->settings.pool, &read->work);
}

static void inner_finish(struct wait *wait, int result) {
    struct card_read *read = list_entry(wait, struct card_read, inner);
    read->inner_result = result;
    let_go(read);
}

void card_hurry(struct card_read *read) {
    unsigned hands = atomic_load(&read->pending);
    atomic_store(&read->ends, true);
    while (hands && !atomic_compare_exchange_weak(&read->pending, &hands, hands + 1))
        continue;
    if (!hands)
        return; /* step() is at work: it looks before it asks */
    if (wait_withdraw(&read->inner))
        inner_finish(&read->inner, -ERR_CANCELLED);
    let_go(read);
}

static int ask_for(struct card_read *read, uint64_t from, uint64_t to) {
    uint64_t size = read->parts.array[read->at].file.size;
    uint64_t end = from + read->chunk > to ? from + read->chunk : to;
    unsigned alone = 1;
    end = end < size ? end : size;
    read->asked_bytes += end - from;
    if (read->asked_bytes > ASKED_MOST)
        return -EFBIG;
    read->chunk = read->chunk * 2 < CHUNK_MOST ? read->chunk * 2 : CHUNK_MOST;
    read->asked = (struct range){from, end};
    atomic_store(&read->inner.withdraw, NULL);
    atomic_store(&read->inner.progress, NULL);
    read->inner.finish = inner_finish;
    atomic_store(&read->pending, 2);
    int result =
        blob_await(read->blobs[read->at], read->generation, from, (size_t)(end - from), false, &read->inner);
    if (result == PARKED)
        return -EAGAIN;
    read->inner_result = result;
    atomic_fetch_sub(&read->pending, 1);
    if (!atomic_compare_exchange_strong(&read->pending, &alone, 0))
        return -EAGAIN; /* somebody hurries it just now */
    return result ? result : note_here(read, read->asked) ? 0 : -EFBIG;
}

static ssize_t read_at(void *context, void *to, size_t size, uint64_t offset) {
    struct card_read *read = context;
    uint64_t end = read->parts.array[read->at].file.size;
    if (offset >= end)
        return 0;
    size = size < end - offset ? size : (size_t)(end - offset);
    if (!is_here(read, offset, offset + size)) {
        int result = atomic_load(&read->ends) ? -ERR_CANCELLED : ask_for(read, offset, offset + size);
        if (result)
            return result;
    }
    return blob_read(read->blobs[read->at], read->generation, to, size, offset);
}

/* ---- parts */

static int read_document(struct card *card, enum card_part_kind kind, const struct format_reader *reader) {
    static void (*const readers[CARD_PART_KINDS])(struct card *, const char *, size_t) = {
        [CARD_CONFIG] = card_read_config,
        [CARD_TOKENIZER_CONFIG] = card_read_tokenizer_config,
        [CARD_TEMPLATE_FILE] = card_read_template,
        [CARD_README] = card_read_readme,
    };
    size_t size = reader->size < CARD_DOCUMENT_MAX ? (size_t)reader->size : CARD_DOCUMENT_MAX;
    TEXT_CLEANUP char *text = mem_new(size + 1);
    for (size_t at = 0; at < size;) {
        size_t step = size - at < STORE_BLOCK_BYTES ? size - at : STORE_BLOCK_BYTES;
        ssize_t got = reader->read_at(reader->context, text + at, step, at);
        if (got <= 0)
            return got < 0 ? (int)got : -EIO;
        at += (size_t)got;
    }
    readers[kind](card, text, size);
    return 0;
}

static struct card copy_of(const struct card *card) {
    struct card copy = *card;
    copy.chat_template = mem_text(card->chat_template);
    return copy;
}

/* Into a copy, which takes the card's place when the file was read to its end. */
static int read_part(struct card_read *read) {
    const struct card_part *part = &read->parts.array[read->at];
    struct format_reader reader = {read_at, read, part->file.size};
    struct card trial = copy_of(&read->card);
    int result = part->kind == CARD_GGUF          ? card_read_gguf(&trial, part->file.path, &reader)
                 : part->kind == CARD_SAFETENSORS ? card_read_safetensors(&trial, part->file.path, &reader)
                                                  : read_document(&trial, part->kind, &reader);
    if (result) {
        card_done(&trial);
        return result;
    }
    card_done(&read->card);
    read->card = trial;
    return 0;
}

/* A file whose bytes are not handed out before all are here would be fetched whole for its head. */
static bool is_withheld(const struct card_read *read, const struct blob_info *info, uint64_t size) {
    char integrity[16] = "";
    (void)options_text(read->manage->settings.options, "integrity", integrity,
        sizeof integrity); /* is ours: fits */
    return info->generation % 2 && !strcmp(integrity, "strict") && size > CARD_DOCUMENT_MAX;
}

static int open_part(struct card_read *read) {
    const struct catalog_file *file = &read->parts.array[read->at].file;
    struct blob_info info;
    struct blob *blob;
    read->here_count = 0;
    read->chunk = CHUNK_FIRST;
    int result = file->masked ? -EACCES : model_blob(read->manage, &read->model, file, &blob);
    if (result)
        return result;
    blob_look(blob, &info);
    result = is_withheld(read, &info, file->size) || (read->model.locked && info.state != BLOB_COMPLETE)
                 ? -EACCES
                 : blob_use(blob, info.generation);
    if (result) {
        blob_put(blob);
        return result;
    }
    read->blobs[read->at] = blob;
    read->generation = info.generation;
    return 0;
}

/* What inner brought, when this is not the first step of the part. */
static int take_up(struct card_read *read) {
    if (!read->blobs[read->at])
        return open_part(read);
    if (read->inner_result)
        return read->inner_result;
    return note_here(read, read->asked) ? 0 : -EFBIG;
}

void card_step(struct work *work) {
    struct card_read *read = list_entry(work, struct card_read, work);
    for (; read->at < read->parts.count; read->at++) {
        int result = take_up(read);
        if (!result)
            result = read_part(read);
        if (result == -EAGAIN) {
            /* Whoever ended it before inner was parked could not take it back: then it is done here. */
            if (atomic_load(&read->ends) && wait_withdraw(&read->inner))
                inner_finish(&read->inner, -ERR_CANCELLED);
            let_go(read);
            return;
        }
        if (result == -EFBIG) {
            CARD_SET(&read->card, fault, "the head of a file is larger than is read for a card");
        } else if (result) {
            trace(job, "the card of %s: %s: %s", read->model.name, read->parts.array[read->at].file.path,
                err_name(result));
            read->incomplete = true;
        }
    }
    read->work.run = card_told;
    desk_submit(read->manage, &read->work);
}
