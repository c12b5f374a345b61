/* SPDX-License-Identifier: Apache-2.0 */
/* From a name to a manifest: the model's information gives the commit, the tree at it gives the files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "outside/digest.h"
#include "outside/json.h"
#include "source/hf_inside.h"

#define INFO_LIMIT        ((size_t)16 << 20)
#define PAGE_LIMIT        ((size_t)8 << 20)
#define MAX_PAGES         1000
#define URL_LIMIT         8192
#define DEFAULT_REVISION  "main"
#define OFFICIAL_ENDPOINT "https://huggingface.co"
#define SHA256_DIGITS     64
#define GIT_DIGITS        40

enum step { STEP_BEGIN, STEP_INFO, STEP_TREE };

struct discovery {
    const struct hf_access *access;
    char model[NAME_MODEL_SIZE];
    char revision[NAME_REVISION_SIZE];
    enum step step;
    char *url;          /* of the question that is under way */
    bool with_token;    /* it carries the token */
    bool token_refused; /* the Hub did not take it: we go on without */
    bool any_masked;
    unsigned pages;
    struct manifest *manifest;
};

void *hf_discover_new(const struct source_access *access, const char *model, const char *revision) {
    struct discovery *discovery = mem_new(sizeof *discovery);
    discovery->access = hf_access_of(access);
    /* What does not fit is no name: an empty one is refused at the first step. */
    (void)text_copy(discovery->model, sizeof discovery->model, model);
    (void)text_copy(discovery->revision, sizeof discovery->revision, *revision ? revision : DEFAULT_REVISION);
    discovery->manifest = manifest_new();
    return discovery;
}

void hf_discover_free(void *context) {
    struct discovery *discovery = context;
    if (!discovery)
        return;
    manifest_free(discovery->manifest);
    free(discovery->url);
    free(discovery);
}

/* ---- questions */

/* Asks for discovery->url. */
static int ask(struct discovery *discovery, struct source_ask *ret_ask) {
    struct source_ask question = {.url = mem_text(discovery->url), .accept = "application/json"};
    question.body_limit = discovery->step == STEP_INFO ? INFO_LIMIT : PAGE_LIMIT;
    if (!discovery->token_refused)
        hf_authorize(discovery->access, &question);
    discovery->with_token = question.authorization != NULL;
    *ret_ask = question;
    return SOURCE_ASK;
}

/* EP/api/models/NAME/WHAT/REVISION?QUERY */
static void set_url(struct discovery *discovery, const char *what, const char *revision, const char *query) {
    struct buf url = BUF_INIT; /* no limit: can't fail */
    (void)buf_format(&url, "%s/api/models/", discovery->access->endpoint);
    (void)http_encode(&url, discovery->model, true);
    (void)buf_format(&url, "/%s/", what);
    (void)http_encode(&url, revision, false);
    (void)buf_text_add(&url, query);
    free(discovery->url);
    discovery->url = buf_take(&url);
}

static int begin(struct discovery *discovery, struct source_ask *ret_ask, struct reason *reason) {
    if (!hf_is_name(discovery->model))
        return err_because(reason, -ERR_UNKNOWN_MODEL, "no model of the Hub can have that name");
    if (!name_is_revision(discovery->revision))
        return err_because(reason, -ERR_UNKNOWN_REVISION, "\"%s\" can't be a revision", discovery->revision);
    discovery->step = STEP_INFO;
    set_url(discovery, "revision", discovery->revision, "");
    return ask(discovery, ret_ask);
}

/* ---- the model's information */

static int strange(const struct discovery *discovery, struct reason *reason, const char *what) {
    char shown[200];
    http_url_for_people(discovery->url, shown, sizeof shown);
    return err_because(reason, -ERR_ANSWER, "%s: %s", shown, what);
}

static int read_info(struct discovery *discovery, const struct json *info, struct reason *reason) {
    struct manifest *manifest = discovery->manifest;
    const char *commit = json_text(json_get(info, "sha"), NULL);
    const char *id = json_text(json_get(info, "id"), NULL);
    const char *modified = json_text(json_get(info, "lastModified"), NULL);
    const struct json *gated = json_get(info, "gated");
    if (json_type_of(info) != JSON_OBJECT || !commit || !name_is_commit(commit))
        return strange(discovery, reason, "it tells no commit");
    if (id && !hf_is_name(id))
        return strange(discovery, reason, "it tells a name that can't be a model's");
    if (id) /* a renamed model answers with the name that it has now */
        (void)text_copy(discovery->model, sizeof discovery->model, id); /* is_name bounds it */
    (void)text_copy(manifest->model, sizeof manifest->model,
        discovery->model); /* the same size, and so below */
    (void)text_copy(manifest->revision, sizeof manifest->revision, discovery->revision);
    (void)text_copy(manifest->commit, sizeof manifest->commit, commit);
    if (!modified || clock_parse(modified, &manifest->modified_ms) < 0)
        manifest->modified_ms = 0;
    manifest->gated = json_type_of(gated) == JSON_STRING || json_bool(gated, false); /* "auto", "manual" */
    return 0;
}

/* ---- the tree */

static bool is_mask(const char *text) {
    return *text && text[strspn(text, "*")] == '\0';
}

/* The digest of an entry into `to` ("" when it is masked from us), or what is wrong with it. */
static const char *digest_fault(const struct json *entry, const struct json *lfs, char *to,
    bool *ret_masked) {
    const char *oid = json_text(json_get(lfs ? lfs : entry, "oid"), NULL);
    *to = '\0';
    *ret_masked = oid && is_mask(oid);
    if (*ret_masked)
        return NULL;
    if (!oid || !digest_is_hex(oid, lfs ? SHA256_DIGITS : GIT_DIGITS))
        return "the listing tells no digest of it";
    (void)snprintf(to, DIGEST_TEXT_SIZE, "%s-%s", lfs ? "sha256" : "git", oid); /* the digits were counted */
    return NULL;
}

static int read_entry(struct discovery *discovery, const struct json *entry) {
    struct manifest *manifest = discovery->manifest;
    char digest[DIGEST_TEXT_SIZE];
    size_t path_len = 0;
    int64_t size;
    bool masked;
    const char *type = json_text(json_get(entry, "type"), NULL);
    const char *path = json_text(json_get(entry, "path"), &path_len);
    const struct json *lfs = json_get(entry, "lfs");
    if (type && strcmp(type, "file") != 0) /* folders follow from the files in them */
        return 0;
    if (!type || !path) {
        const char *fault =
            type ? "its path is no text, or holds a NUL character" : "the listing does not say what it is";
        manifest_refuse(manifest, path ? path : "", path_len, fault);
        return 0;
    }
    if (json_type_of(lfs) != JSON_OBJECT)
        lfs = NULL;
    /* The entry's own size has been seen to be that of the pointer. */
    if ((!lfs || !json_number(json_get(lfs, "size"), &size)) && !json_number(json_get(entry, "size"), &size))
        size = -1;
    const char *fault =
        size < 0 ? "the listing tells no size of it" : digest_fault(entry, lfs, digest, &masked);
    if (fault) {
        manifest_refuse(manifest, path, path_len, fault);
        return 0;
    }
    discovery->any_masked |= masked;
    return manifest_add(manifest, path, path_len, (uint64_t)size, digest, masked);
}

/* Where the next page is. Mirrors pass on what the Hub says of itself, as its own client knows. */
static int read_next(struct discovery *discovery, const struct http_head *head, char **ret_url,
    struct reason *reason) {
    const struct hf_access *access = discovery->access;
    char link[URL_LIMIT], next[URL_LIMIT];
    size_t official_len = strlen(OFFICIAL_ENDPOINT);
    *ret_url = NULL;
    if (!http_head_get(head, "Link", link, sizeof link) || !http_parse_link_next(link, next, sizeof next))
        return 0;
    struct buf url = BUF_INIT; /* no limit: can't fail */
    bool official = !strncasecmp(next, OFFICIAL_ENDPOINT "/", official_len + 1);
    if (official)
        (void)buf_text_add(&url, access->endpoint);
    (void)buf_text_add(&url, official ? next + official_len : next);
    TEXT_CLEANUP char *candidate = buf_take(&url);
    if (!http_same_origin(candidate, candidate) || !strcmp(candidate, discovery->url))
        return strange(discovery, reason, "its next page is nowhere");
    /* Another host gets no token; and plain http is not for a stranger to point at, it may lead inside. */
    if (!hf_at_hub(access, candidate) && strncasecmp(candidate, "https:", 6) != 0 &&
        !http_is_loopback(access->endpoint))
        return strange(discovery, reason, "its next page is at another host, by plain http");
    *ret_url = candidate;
    candidate = NULL;
    return 0;
}

static int read_page(struct discovery *discovery, const struct json *page, struct reason *reason) {
    if (json_type_of(page) != JSON_ARRAY)
        return strange(discovery, reason, "it is no list of files");
    for (size_t i = 0; i < json_count(page); i++)
        if (read_entry(discovery, json_at(page, i)) < 0)
            return err_because(reason, -ERR_TOO_LARGE, "the model has more than %d files",
                MANIFEST_MAX_FILES);
    return 0;
}

/* ---- steps */

static int done(struct discovery *discovery, struct manifest **ret_manifest, struct reason *reason) {
    struct manifest *manifest = discovery->manifest;
    discovery->manifest = NULL;
    manifest->locked = manifest->gated && discovery->any_masked;
    manifest_finish(manifest);
    trace(source, "%s: %zu files at %s, %zu refused", manifest->model, manifest->file_count, manifest->commit,
        manifest->refusal_count);
    if (discovery->token_refused)
        hf_token_refused(discovery->access);
    manifest->token_refused = discovery->access->token && !hf_token_usable(discovery->access);
    if (manifest->locked)
        (void)err_because(reason, -ERR_GATED, "%s",
            manifest->token_refused ? "the token is not accepted, and without one the model is gated"
                                    : hf_gated_sentence(discovery->access->token != NULL));
    *ret_manifest = manifest;
    return SOURCE_DONE;
}

static int refused(struct discovery *discovery, const struct http_head *head, struct source_ask *ret_ask,
    struct reason *reason) {
    /* A token that the Hub does not know spoils even what is public: once without it. */
    if (discovery->with_token && hf_is_token_refusal(head)) {
        discovery->token_refused = true;
        trace(source, "%s: the token is not accepted, asking without", discovery->model);
        return ask(discovery, ret_ask);
    }
    int error = hf_judge(head, HF_MODEL, discovery->access->token != NULL, reason);
    if (error == -ERR_GATED && discovery->token_refused)
        return err_because(reason, -ERR_TOKEN,
            "the token is not accepted, and without one the model is gated");
    return error;
}

int hf_discover_next(void *context, const struct source_answer *answer, struct source_ask *ret_ask,
    struct manifest **ret_manifest, struct reason *reason) {
    struct discovery *discovery = context;
    struct json JSON_CLEANUP *document = NULL;
    char *next = NULL;
    if (discovery->step == STEP_BEGIN)
        return begin(discovery, ret_ask, reason);
    if (answer->result < 0)
        return err_because(reason, answer->result, "%s", err_text(answer->reason, answer->result));
    if (answer->status != 200)
        return refused(discovery, answer->head, ret_ask, reason);
    int result = json_parse(answer->body, answer->body_len, &document, reason);
    if (result < 0)
        return result;
    if (discovery->step == STEP_INFO) {
        result = read_info(discovery, document, reason);
        discovery->step = STEP_TREE;
        set_url(discovery, "tree", discovery->manifest->commit, "?recursive=true&expand=false");
        return result < 0 ? result : ask(discovery, ret_ask);
    }
    result = read_page(discovery, document, reason);
    if (result == 0)
        result = read_next(discovery, answer->head, &next, reason);
    if (result < 0)
        return result;
    if (!next)
        return done(discovery, ret_manifest, reason);
    free(discovery->url);
    discovery->url = next;
    if (++discovery->pages == MAX_PAGES)
        return err_because(reason, -ERR_TOO_LARGE, "the model's listing has more than %d pages", MAX_PAGES);
    return ask(discovery, ret_ask);
}
