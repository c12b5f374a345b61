/* SPDX-License-Identifier: Apache-2.0 */
/* from a name to a manifest, on recorded answers */
#include <stdio.h>

#include "hf-fixture.h"

#define HUB "https://huggingface.co"
#define INFO                                            \
    "{\"_id\":\"1\",\"id\":\"org/m\",\"sha\":\"" COMMIT \
    "\",\"lastModified\":\"2026-08-01T12:00:00.000Z\",\"private\":false,\"gated\":false}"
#define TREE_URL HUB "/api/models/org/m/tree/" COMMIT "?recursive=true&expand=false"
#define SMALL    "{\"type\":\"file\",\"oid\":\"" JSON_GIT "\",\"size\":3,\"path\":\"config.json\"}"
#define FOLDER   "{\"type\":\"directory\",\"oid\":\"" JSON_GIT "\",\"size\":0,\"path\":\"sub\"}"
#define LARGE                                                                                              \
    "{\"type\":\"file\",\"oid\":\"2b9d9684317c13c1f5f2c6efe8e118c52db35279\",\"size\":127,\"path\":\"sub/" \
    "w.bin\","                                                                                             \
    "\"lfs\":{\"oid\":\"" W_SHA256 "\",\"size\":21,\"pointerSize\":127}}"

/* A discovery, its next question, and its end. */
struct talk {
    struct source_access *access;
    void *discovery;
    struct source_ask ask;
    struct manifest *manifest;
    struct reason reason;
    int result;
};

static void step(struct talk *talk, const struct source_answer *answer) {
    struct source_ask next = {0};
    talk->result = source_hf.discover_next(talk->discovery, answer, &next, &talk->manifest, &talk->reason);
    CHECK((talk->result == SOURCE_ASK) == (next.url != NULL));
    CHECK((talk->result == SOURCE_DONE) == (talk->manifest != NULL));
    source_ask_done(&talk->ask);
    talk->ask = next;
}

static struct talk begin_at(const char *endpoint, const char *token, const char *model,
    const char *revision) {
    struct talk talk = {.access = fixture_access(endpoint, token)};
    talk.discovery = source_hf.discover_new(talk.access, model, revision);
    step(&talk, NULL);
    return talk;
}

static void end(struct talk *talk) {
    source_ask_done(&talk->ask);
    manifest_free(talk->manifest);
    source_hf.discover_free(talk->discovery);
    source_hf.access_free(talk->access);
}

/* The answer to the last question. */
static void answer(struct talk *talk, int status, const char *fields_text, const char *body) {
    struct buf BUF_CLEANUP fields = BUF_INIT;
    if (!CHECK(talk->ask.url != NULL))
        abort();
    TEXT_CLEANUP char *url = mem_text(talk->ask.url);
    struct http_head head = fixture_head(&fields, status, url, fields_text);
    struct source_answer what = {.status = status,
        .url = url,
        .body = body,
        .body_len = strlen(body),
        .head = &head};
    step(talk, &what);
}

static const struct manifest_file *file_at(const struct manifest *manifest, const char *path) {
    for (size_t i = 0; manifest && i < manifest->file_count; i++)
        if (!strcmp(manifest->files[i].path, path))
            return &manifest->files[i];
    static const struct manifest_file none = {.path = "none"};
    return &none;
}

static void two_pages_become_a_manifest(void) {
    struct talk talk = begin_at(NULL, NULL, "org/m", "");
    CHECK_NUMBER(talk.result, SOURCE_ASK);
    CHECK_TEXT(talk.ask.url, HUB "/api/models/org/m/revision/main");
    CHECK_TEXT(talk.ask.authorization, NULL);
    CHECK_NUMBER(talk.ask.body_limit, 16 << 20);
    answer(&talk, 200, "", INFO);
    CHECK_TEXT(talk.ask.url, TREE_URL);
    CHECK_NUMBER(talk.ask.body_limit, 8 << 20);
    answer(&talk, 200, "Link: <" TREE_URL "&cursor=a%2Cb>; rel=\"next\"\r\n", "[" FOLDER "," SMALL "]");
    CHECK_TEXT(talk.ask.url, TREE_URL "&cursor=a%2Cb");
    answer(&talk, 200, "", "[" LARGE "]");
    CHECK_NUMBER(talk.result, SOURCE_DONE);
    struct manifest *manifest = talk.manifest;
    CHECK_TEXT(manifest->model, "org/m");
    CHECK_TEXT(manifest->revision, "main");
    CHECK_TEXT(manifest->commit, COMMIT);
    CHECK(manifest->modified_ms == 1785585600000);
    CHECK(!manifest->gated && !manifest->locked);
    CHECK(manifest->file_count == 2 && manifest->refusal_count == 0);
    CHECK_TEXT(file_at(manifest, "config.json")->digest, "git-" JSON_GIT);
    CHECK_NUMBER(file_at(manifest, "config.json")->size, 3);
    CHECK_TEXT(file_at(manifest, "sub/w.bin")->digest, "sha256-" W_SHA256);
    CHECK_NUMBER(file_at(manifest, "sub/w.bin")->size, 21); /* not the pointer's */
    end(&talk);
}

static void revisions_are_escaped_and_renames_learnt(void) {
    struct talk talk = begin_at("http://127.0.0.1:9/hub/", NULL, "old", "refs/pr/1");
    CHECK_TEXT(talk.ask.url, "http://127.0.0.1:9/hub/api/models/old/revision/refs%2Fpr%2F1");
    answer(&talk, 200, "", "{\"id\":\"new/name\",\"sha\":\"" COMMIT "\"}");
    CHECK_TEXT(talk.ask.url,
        "http://127.0.0.1:9/hub/api/models/new/name/tree/" COMMIT "?recursive=true&expand=false");
    answer(&talk, 200, "", "[]");
    CHECK_NUMBER(talk.result, SOURCE_DONE);
    CHECK_TEXT(talk.manifest->model, "new/name");
    CHECK_TEXT(talk.manifest->revision, "refs/pr/1");
    CHECK(talk.manifest->modified_ms == 0 && talk.manifest->file_count == 0);
    end(&talk);
}

static void masked_digests_are_none(void) {
    struct talk talk = begin_at(NULL, NULL, "org/m", "main");
    answer(&talk, 200, "", "{\"id\":\"org/m\",\"sha\":\"" COMMIT "\",\"gated\":\"manual\"}");
    answer(&talk, 200, "",
        "[{\"type\":\"file\",\"oid\":\"" JSON_GIT "\",\"size\":9,\"path\":\"w\",\"lfs\":{\"oid\":\"" MASK
        "\",\"size\":9}}," SMALL "]");
    CHECK_NUMBER(talk.result, SOURCE_DONE);
    CHECK(talk.manifest->gated && talk.manifest->locked && talk.manifest->refusal_count == 0);
    CHECK_TEXT(file_at(talk.manifest, "w")->digest, "");
    CHECK(file_at(talk.manifest, "w")->masked && !file_at(talk.manifest, "config.json")->masked);
    end(&talk);
}

static void bad_entries_are_refused_alone(void) {
    struct talk talk = begin_at(NULL, NULL, "org/m", "main");
    answer(&talk, 200, "", INFO);
    answer(&talk, 200, "",
        "[" SMALL
        ",null,7,\"x\",[],{},{\"path\":\"untyped\",\"size\":1},{\"type\":\"symlink\",\"path\":\"l\"},"
        "{\"type\":\"file\",\"size\":1},{\"type\":\"file\",\"path\":7,\"size\":1},"
        "{\"type\":\"file\",\"path\":\"a\\u0000b\",\"size\":1,\"oid\":\"" JSON_GIT "\"},"
        "{\"type\":\"file\",\"path\":\"../up\",\"size\":1,\"oid\":\"" JSON_GIT "\"},"
        "{\"type\":\"file\",\"path\":\"no-size\",\"oid\":\"" JSON_GIT "\"},"
        "{\"type\":\"file\",\"path\":\"less\",\"size\":-1,\"oid\":\"" JSON_GIT "\"},"
        "{\"type\":\"file\",\"path\":\"real\",\"size\":1.5,\"oid\":\"" JSON_GIT "\"},"
        "{\"type\":\"file\",\"path\":\"no-oid\",\"size\":1},"
        "{\"type\":\"file\",\"path\":\"bad-oid\",\"size\":1,\"oid\":\"../../x\"},"
        "{\"type\":\"file\",\"path\":\"bad-lfs\",\"size\":1,\"oid\":\"" JSON_GIT
        "\",\"lfs\":{\"oid\":\"" JSON_GIT "\",\"size\":1}},"
        "{\"type\":\"file\",\"path\":\"config.json\",\"size\":4,\"oid\":\"" JSON_GIT "\"}]");
    CHECK_NUMBER(talk.result, SOURCE_DONE);
    CHECK_NUMBER(talk.manifest->file_count, 1);
    CHECK_NUMBER(file_at(talk.manifest, "config.json")->size, 3);
    CHECK_NUMBER(talk.manifest->refusal_count, 17);
    end(&talk);
}

/* ---- refusals */

static int error_of(const char *token, int status, const char *fields, const char *body) {
    struct talk talk = begin_at(NULL, token, "org/m", "main");
    CHECK_TEXT(talk.ask.authorization, token ? "Bearer " TOKEN : NULL);
    answer(&talk, status, fields, body);
    int result = talk.result;
    CHECK(result >= 0 || talk.reason.text[0]);
    CHECK(!strstr(talk.reason.text, "canary"));
    end(&talk);
    return result;
}

static void refusals_have_names(void) {
    static const struct {
        const char *token;
        int status;
        const char *fields;
        int error;
    } rows[] = {
        {NULL,  401, "",                                                               -ERR_UNKNOWN_MODEL   },
        {TOKEN, 404, "X-Error-Code: RepoNotFound\r\n",                                 -ERR_UNKNOWN_MODEL   },
        {NULL,  401, "X-Error-Code: GatedRepo\r\n",                                    -ERR_GATED           },
        {TOKEN, 403, "X-Error-Code: GatedRepo\r\nX-Error-Message: ask for access\r\n", -ERR_GATED           },
        {NULL,  404, "X-Error-Code: RevisionNotFound\r\n",                             -ERR_UNKNOWN_REVISION},
        {NULL,  404, "",                                                               -ERR_UNKNOWN_MODEL   },
        {NULL,  403, "X-Error-Message: Access to this resource is disabled.\r\n",      -ERR_DISABLED        },
        {TOKEN, 403, "X-Error-Message: Access to this resource is disabled.\r\n",      -ERR_DISABLED        },
        {TOKEN, 403, "",                                                               -ERR_TOKEN           },
        {NULL,  429, "RateLimit: \"api\";r=0;t=55\r\n",                                -ERR_RATE_LIMITED    },
        {NULL,  500, "",                                                               -ERR_SERVER          },
        {NULL,  503, "",                                                               -ERR_SERVER          },
        {NULL,  418, "",                                                               -ERR_STATUS          },
        {NULL,  204, "",                                                               -ERR_STATUS          },
        {NULL,  302, "",                                                               -ERR_STATUS          },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!CHECK(error_of(rows[i].token, rows[i].status, rows[i].fields, "{\"error\":\"x\"}") ==
                   rows[i].error))
            fprintf(stderr, "    row %zu\n", i);
}

/* What it comes to stands first, the server's own words follow. */
static void refusals_say_what_to_do(void) {
    static const struct {
        const char *token;
        int status;
        const char *fields, *begins;
    } rows[] = {
        {NULL, 401, "X-Error-Message: Invalid username or password.\r\n",
            "the source knows no such model, or it is private"},
        {TOKEN, 404, "X-Error-Code: RepoNotFound\r\n",
            "the source knows no such model, or it is private and not this"},
        {NULL, 401, "X-Error-Code: GatedRepo\r\n",
            "the model is gated: ask for access on its page, and give a token"},
        {TOKEN, 403, "X-Error-Code: GatedRepo\r\n",
            "the model is gated, and this token's account has no access yet"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct talk talk = begin_at(NULL, rows[i].token, "org/m", "main");
        answer(&talk, rows[i].status, rows[i].fields, "{}");
        CHECK(talk.result < 0);
        if (!CHECK(!strncmp(talk.reason.text, rows[i].begins, strlen(rows[i].begins))))
            fprintf(stderr, "    row %zu: %s\n", i, talk.reason.text);
        CHECK(strstr(talk.reason.text, " answered 40") != NULL);
        end(&talk);
    }
}

static void rate_limits_say_how_long(void) {
    struct talk talk = begin_at(NULL, NULL, "org/m", "main");
    answer(&talk, 429, "Retry-After: 77\r\n", "");
    CHECK_ERROR(talk.result, -ERR_RATE_LIMITED);
    CHECK(strstr(talk.reason.text, "77 s") != NULL);
    end(&talk);
}

static void a_bad_token_is_left_out_once(void) {
    struct talk talk = begin_at(NULL, TOKEN, "org/m", "main");
    CHECK_TEXT(talk.ask.authorization, "Bearer " TOKEN);
    answer(&talk, 401, "", "{}");
    CHECK_NUMBER(talk.result, SOURCE_ASK);
    CHECK_TEXT(talk.ask.url, HUB "/api/models/org/m/revision/main");
    CHECK_TEXT(talk.ask.authorization, NULL);
    answer(&talk, 200, "", INFO);
    CHECK_TEXT(talk.ask.authorization, NULL);
    answer(&talk, 200, "", "[]");
    CHECK_NUMBER(talk.result, SOURCE_DONE);
    /* what is public is had without it, for a while */
    struct source_file file = {.model = "org/m", .commit = COMMIT, .path = "x", .digest = "", .size = 1};
    struct source_ask ask;
    CHECK_OK(source_hf.file_request(talk.access, &file, &ask, NULL));
    CHECK_TEXT(ask.authorization, NULL);
    source_ask_done(&ask);
    end(&talk);

    talk = begin_at(NULL, TOKEN, "org/m", "main");
    answer(&talk, 401, "", "{}");
    answer(&talk, 401, "", "{}");
    CHECK_ERROR(talk.result, -ERR_TOKEN);
    end(&talk);

    talk = begin_at(NULL, TOKEN, "org/m", "main");
    answer(&talk, 401, "", "{}");
    answer(&talk, 401, "X-Error-Code: GatedRepo\r\n", "{}");
    CHECK_ERROR(talk.result, -ERR_TOKEN);
    end(&talk);
}

static void answers_without_sense_are_errors(void) {
    static const struct {
        const char *info;
        int error;
    } rows[] = {
        {"",                                         -ERR_JSON  },
        {"{",                                        -ERR_JSON  },
        {"<html>sign in</html>",                     -ERR_JSON  },
        {"[1,2]",                                    -ERR_ANSWER},
        {"{}",                                       -ERR_ANSWER},
        {"null",                                     -ERR_ANSWER},
        {"{\"sha\":5}",                              -ERR_ANSWER},
        {"{\"sha\":\"../../../etc/passwd\"}",        -ERR_ANSWER},
        {"{\"sha\":\"" COMMIT "\",\"id\":\"../x\"}", -ERR_ANSWER},
        {INFO "x",                                   -ERR_JSON  },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!CHECK(error_of(NULL, 200, "", rows[i].info) == rows[i].error))
            fprintf(stderr, "    row %zu\n", i);
    struct talk talk = begin_at(NULL, NULL, "org/m", "main");
    answer(&talk, 200, "", INFO);
    answer(&talk, 200, "", "{\"error\":\"none\"}");
    CHECK_ERROR(talk.result, -ERR_ANSWER);
    end(&talk);
}

static void names_never_leave_that_are_none(void) {
    static const char *const names[] = {"", ".hidden/x", "a/../b", "a/b/c", "a/b.git", "a b", "/a"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        CHECK(!source_hf.is_name(names[i]));
        struct talk talk = begin_at(NULL, NULL, names[i], "");
        CHECK_ERROR(talk.result, -ERR_UNKNOWN_MODEL);
        end(&talk);
    }
    struct talk talk = begin_at(NULL, NULL, "a/b", "../x");
    CHECK_ERROR(talk.result, -ERR_UNKNOWN_REVISION);
    end(&talk);
}

static void a_failed_transfer_fails_the_discovery(void) {
    struct talk talk = begin_at(NULL, NULL, "org/m", "main");
    struct reason why = {"https://huggingface.co: no route"};
    step(&talk, &(struct source_answer){.result = -ERR_UNREACHABLE, .reason = &why});
    CHECK_ERROR(talk.result, -ERR_UNREACHABLE);
    CHECK_TEXT(talk.reason.text, why.text);
    end(&talk);
}

/* ---- pages */

static struct talk at_page(const char *endpoint, const char *link) {
    char fields[1000];
    snprintf(fields, sizeof fields, "Link: <%s>; rel=\"next\"\r\n", link);
    struct talk talk = begin_at(endpoint, TOKEN, "org/m", "main");
    answer(&talk, 200, "", INFO);
    CHECK_TEXT(talk.ask.authorization, "Bearer " TOKEN);
    answer(&talk, 200, fields, "[" SMALL "]");
    return talk;
}

static void next_pages_get_the_token_at_home_only(void) {
    struct talk talk = at_page(NULL, HUB "/next");
    CHECK_TEXT(talk.ask.authorization, "Bearer " TOKEN);
    end(&talk);
    talk = at_page(NULL, "https://elsewhere.example/next");
    CHECK_TEXT(talk.ask.url, "https://elsewhere.example/next");
    CHECK_TEXT(talk.ask.authorization, NULL);
    end(&talk);
    talk =
        at_page("https://mirror.example/hf", HUB "/next?x"); /* a mirror that passes on what the Hub says */
    CHECK_TEXT(talk.ask.url, "https://mirror.example/hf/next?x");
    CHECK_TEXT(talk.ask.authorization, "Bearer " TOKEN);
    end(&talk);
    talk = at_page("http://127.0.0.1:9", "http://127.0.0.1:10/next");
    CHECK_TEXT(talk.ask.authorization, NULL);
    end(&talk);
    static const char *const nowhere[] = {"http://127.0.0.1/latest", "file:///etc/passwd", "", "/relative",
        "https://u:p@h/", TREE_URL};
    for (size_t i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++) {
        talk = at_page(NULL, nowhere[i]);
        CHECK(*nowhere[i] ? talk.result == -ERR_ANSWER : talk.result == SOURCE_DONE);
        end(&talk);
    }
}

static void pages_have_an_end(void) {
    struct talk talk = begin_at(NULL, NULL, "org/m", "main");
    char fields[200];
    int pages = 0;
    answer(&talk, 200, "", INFO);
    while (talk.result == SOURCE_ASK && pages < 5000) {
        snprintf(fields, sizeof fields, "Link: <" HUB "/page/%d>; rel=\"next\"\r\n", pages++);
        answer(&talk, 200, fields, "[]");
    }
    CHECK_ERROR(talk.result, -ERR_TOO_LARGE);
    CHECK_NUMBER(pages, 1000);
    end(&talk);
}

int main(void) {
    two_pages_become_a_manifest();
    revisions_are_escaped_and_renames_learnt();
    masked_digests_are_none();
    bad_entries_are_refused_alone();
    refusals_have_names();
    refusals_say_what_to_do();
    rate_limits_say_how_long();
    a_bad_token_is_left_out_once();
    answers_without_sense_are_errors();
    names_never_leave_that_are_none();
    a_failed_transfer_fails_the_discovery();
    next_pages_get_the_token_at_home_only();
    pages_have_an_end();
    return check_result();
}
