/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a file: where to ask, and what each head on the way says about what was pinned. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "outside/digest.h"
#include "source/hf_inside.h"

#define SHOWN 160

int hf_file_request(const struct source_access *access, const struct source_file *file,
    struct source_ask *ret_ask, struct reason *reason) {
    const struct hf_access *hf = hf_access_of(access);
    struct buf url = BUF_INIT; /* no limit: can't fail */
    /* It was checked when it came, and is once more: this is what leaves the machine. */
    if (!hf_is_name(file->model) || !name_is_commit(file->commit) ||
        name_path_fault(file->path, strlen(file->path)))
        return err_because(reason, -ERR_BAD_NAME, "%s: not a file of the Hub", file->path);
    (void)buf_format(&url, "%s/", hf->endpoint);
    (void)http_encode(&url, file->model, true);
    (void)buf_format(&url, "/resolve/%s/", file->commit);
    (void)http_encode(&url, file->path, true);
    *ret_ask = (struct source_ask){.url = buf_take(&url)};
    hf_authorize(hf, ret_ask);
    return 0;
}

/* An ETag without W/ and quotes; false when there is none. */
static bool etag(const struct http_head *head, const char *name, char *to, size_t size) {
    char value[256];
    if (!http_head_get(head, name, value, sizeof value))
        return false;
    const char *start = value + strspn(value, "W/");
    start += *start == '"';
    size_t len = strcspn(start, "\"");
    if (len == 0 || len >= size)
        return false;
    memcpy(to, start, len);
    to[len] = '\0';
    return true;
}

static int changed(struct reason *reason, const struct source_file *file, const char *what, const char *is,
    const char *was) {
    return err_because(reason, -ERR_CHANGED, "%s: its %s is %s, and was %s", file->path, what, is, was);
}

static int check_commit(const struct source_file *file, const struct http_head *head, struct reason *reason) {
    char commit[64];
    if (!http_head_get(head, "X-Repo-Commit", commit, sizeof commit) || !strcmp(commit, file->commit))
        return 0;
    return changed(reason, file, "commit", commit, file->commit);
}

static int check_size(const struct source_file *file, const struct http_head *head, struct reason *reason) {
    char size[32], pinned[32];
    (void)snprintf(pinned, sizeof pinned, "%" PRIu64, file->size); /* fits */
    if (!http_head_get(head, "X-Linked-Size", size, sizeof size) || !strcmp(size, pinned))
        return 0;
    return changed(reason, file, "size", size, pinned);
}

/* Compared only when it is of the pinned digest's kind: a host may have tags of its own. */
static int check_digest(const struct source_file *file, const struct http_head *head, const char *field,
    struct reason *reason) {
    char tag[DIGEST_TEXT_SIZE];
    enum digest_kind kind = digest_kind_of(file->digest);
    size_t digits = kind == DIGEST_SHA256 ? 64 : kind == DIGEST_GIT ? 40 : 0;
    if (!digits || !etag(head, field, tag, sizeof tag) || !digest_is_hex(tag, digits))
        return 0;
    const char *pinned = strchr(file->digest, '-') + 1;
    return strcmp(tag, pinned) ? changed(reason, file, "digest", tag, pinned) : 0;
}

static int check_pinned(const struct source_file *file, const struct http_head *head, struct reason *reason) {
    int result = check_commit(file, head, reason);
    if (result == 0)
        result = check_size(file, head, reason);
    if (result == 0)
        result = check_digest(file, head, "X-Linked-Etag", reason);
    /* The tag of a redirect's text is not the file's; nor is it when the file's own was told beside it. */
    if (result == 0 && head->is_last)
        result = check_digest(file, head, "ETag", reason);
    return result;
}

/* What a signed address answers when it is no longer good, or never was: the first address knows better. */
static bool is_expired(int status, bool direct) {
    static const int if_direct[] = {400, 401, 404, 410};
    if (status == 403)
        return true;
    for (size_t i = 0; direct && i < sizeof if_direct / sizeof if_direct[0]; i++)
        if (status == if_direct[i])
            return true;
    return false;
}

int hf_file_head(const struct source_access *access, const struct source_file *file,
    const struct http_head *head, bool direct, struct source_lesson *ret_lesson, struct reason *reason) {
    const struct hf_access *hf = hf_access_of(access);
    char shown[SHOWN];
    bool at_hub = hf_at_hub(hf, head->url);
    ret_lesson->retry_after_s = 0;
    if (!head->is_last || head->status == 200 || head->status == 206)
        return at_hub ? check_pinned(file, head, reason) : 0;
    if (head->status == 429 || head->status == 503)
        (void)http_head_retry_after(head, &ret_lesson->retry_after_s); /* else 0: the server did not say */
    if ((direct || !at_hub) && is_expired(head->status, direct)) {
        http_url_for_people(head->url, shown, sizeof shown);
        return err_because(reason, -ERR_EXPIRED, "%s answered %d", shown, head->status);
    }
    if (at_hub && hf->token && hf_is_token_refusal(head)) {
        /* The token went bad since: what is public is asked for again without it. */
        bool was_sent = hf_token_usable(hf);
        hf_token_refused(hf);
        if (was_sent)
            return err_because(reason, -ERR_EXPIRED, "the token is not accepted; asking again without it");
    }
    return hf_judge(head, HF_FILE, at_hub && hf->token, reason);
}
