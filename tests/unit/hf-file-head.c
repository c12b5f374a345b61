/* SPDX-License-Identifier: Apache-2.0 */
/* how a file is asked for, what the heads on the way say, and where the token comes from */
#include <fcntl.h>
#include <sys/stat.h>

#include "hf-fixture.h"

#define HUB          "https://huggingface.co"
#define AT_HUB       HUB "/org/m/resolve/" COMMIT "/w.bin"
#define AT_CDN       "https://cdn.example/w.bin?sig=secret"
#define OTHER_COMMIT "dddddddddddddddddddddddddddddddddddddddd"
#define OTHER_SHA256 "0000000000000000000000000000000000000000000000000000000000000000"
#define OTHER_GIT    "0000000000000000000000000000000000000000"

static const struct source_file large = {.model = "org/m",
    .commit = COMMIT,
    .path = "w.bin",
    .digest = "sha256-" W_SHA256,
    .size = 21};
static const struct source_file small = {.model = "org/m",
    .commit = COMMIT,
    .path = "config.json",
    .digest = "git-" JSON_GIT,
    .size = 3};

static void files_are_asked_for_at_the_commit(void) {
    struct source_access *access = fixture_access(NULL, TOKEN);
    struct source_ask ask;
    CHECK_OK(source_hf.file_request(access, &large, &ask, NULL));
    CHECK_TEXT(ask.url, AT_HUB);
    CHECK_TEXT(ask.authorization, "Bearer " TOKEN);
    source_ask_done(&ask);
    struct source_file odd = large;
    odd.path = "a b/\xc3\xa4?#%.bin";
    CHECK_OK(source_hf.file_request(access, &odd, &ask, NULL));
    CHECK_TEXT(ask.url, HUB "/org/m/resolve/" COMMIT "/a%20b/%C3%A4%3F%23%25.bin");
    source_ask_done(&ask);
    odd.path = "../../x";
    CHECK_ERROR(source_hf.file_request(access, &odd, &ask, NULL), -ERR_BAD_NAME);
    odd.path = "x";
    odd.commit = "main";
    CHECK_ERROR(source_hf.file_request(access, &odd, &ask, NULL), -ERR_BAD_NAME);
    source_hf.access_free(access);
}

/* ---- heads */

struct row {
    const struct source_file *file;
    const char *token;
    enum {
        FIRST,
        HOP,
        DIRECT
    } when; /* the last head from the first address, one on the way, one of a kept address */
    int status, error;
    const char *url, *fields;
};

#define SMALL_AT HUB "/api/resolve-cache/x"
#define GOOD_HOP                                                                            \
    "X-Repo-Commit: " COMMIT "\r\nX-Linked-Size: 21\r\nX-Linked-Etag: \"" W_SHA256 "\"\r\n" \
    "ETag: \"" OTHER_SHA256 "\"\r\nContent-Length: 60\r\n"
#define FIELD(name, value) name ": " value "\r\n"
#define TAG(name, value)   name ": \"" value "\"\r\n"

/* clang-format off */
static const struct row rows[] = {
    /* the redirect of a large file */
    {&large, NULL, HOP, 302, 0, AT_HUB, GOOD_HOP},
    {&large, NULL, HOP, 302, 0, AT_HUB, "X-Linked-Etag: W/\"" W_SHA256 "\"\r\n"},
    {&large, NULL, HOP, 302, 0, AT_HUB, ""},
    {&large, NULL, HOP, 302, -ERR_CHANGED, AT_HUB, FIELD("X-Repo-Commit", OTHER_COMMIT)},
    {&large, NULL, HOP, 302, -ERR_CHANGED, AT_HUB, FIELD("X-Linked-Size", "22")},
    {&large, NULL, HOP, 302, -ERR_CHANGED, AT_HUB, TAG("X-Linked-Etag", OTHER_SHA256)},
    {&large, NULL, HOP, 302, 0, AT_HUB, "X-Linked-Etag: \"not-a-digest\"\r\n"},
    /* the CDN: its tag is a hash of another kind that looks like one */
    {&large, NULL, FIRST, 206, 0, AT_CDN, TAG("ETag", OTHER_SHA256)},
    {&large, NULL, DIRECT, 206, 0, AT_CDN, TAG("ETag", OTHER_SHA256) FIELD("X-Repo-Commit", OTHER_COMMIT)},
    /* a small file */
    {&small, NULL, HOP, 307, 0, AT_HUB, FIELD("X-Repo-Commit", COMMIT)},
    {&small, NULL, FIRST, 200, 0, SMALL_AT, TAG("ETag", JSON_GIT) FIELD("X-Repo-Commit", COMMIT)},
    {&small, NULL, FIRST, 200, -ERR_CHANGED, SMALL_AT, "ETag: W/\"" OTHER_GIT "\"\r\n"},
    {&small, NULL, FIRST, 206, 0, SMALL_AT, TAG("ETag", W_SHA256)},
    {&small, NULL, DIRECT, 206, -ERR_CHANGED, SMALL_AT, FIELD("X-Repo-Commit", OTHER_COMMIT)},
    /* signed addresses that are no longer good */
    {&large, NULL, DIRECT, 403, -ERR_EXPIRED, AT_CDN, ""},
    {&large, NULL, FIRST, 403, -ERR_EXPIRED, AT_CDN, ""},
    {&large, NULL, DIRECT, 404, -ERR_EXPIRED, AT_CDN, ""},
    {&large, NULL, DIRECT, 400, -ERR_EXPIRED, AT_CDN, ""},
    {&large, NULL, FIRST, 400, -ERR_STATUS, AT_CDN, ""},
    {&large, NULL, FIRST, 404, -ERR_UNKNOWN_FILE, AT_CDN, ""},
    {&large, NULL, DIRECT, 403, -ERR_EXPIRED, AT_HUB, ""},
    /* refusals */
    {&large, NULL, FIRST, 401, -ERR_GATED, AT_HUB, FIELD("X-Error-Code", "GatedRepo")},
    {&large, TOKEN, FIRST, 403, -ERR_GATED, AT_HUB, FIELD("X-Error-Code", "GatedRepo")},
    {&large, NULL, FIRST, 401, -ERR_UNKNOWN_MODEL, AT_HUB, ""},
    {&large, NULL, FIRST, 404, -ERR_UNKNOWN_FILE, AT_HUB, FIELD("X-Error-Code", "EntryNotFound")},
    {&large, NULL, FIRST, 404, -ERR_UNKNOWN_REVISION, AT_HUB, FIELD("X-Error-Code", "RevisionNotFound")},
    {&large, NULL, FIRST, 403, -ERR_DISABLED, AT_HUB, FIELD("X-Error-Message", "Access is disabled.")},
    {&large, NULL, FIRST, 416, -ERR_CHANGED, AT_CDN, FIELD("Content-Range", "bytes */5")},
    {&large, NULL, DIRECT, 416, -ERR_CHANGED, AT_CDN, ""},
    {&large, NULL, FIRST, 429, -ERR_RATE_LIMITED, AT_HUB, ""},
    {&large, NULL, FIRST, 500, -ERR_SERVER, AT_CDN, ""},
    {&large, NULL, DIRECT, 503, -ERR_SERVER, AT_CDN, ""},
    {&large, NULL, FIRST, 204, -ERR_STATUS, AT_CDN, ""},
    {&large, NULL, FIRST, 302, -ERR_STATUS, AT_HUB, ""},
};
/* clang-format on */

static void heads_are_judged(void) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct buf BUF_CLEANUP fields = BUF_INIT;
        struct source_access *access = fixture_access(NULL, row->token);
        struct http_head head = fixture_head(&fields, row->status, row->url, row->fields);
        struct source_lesson lesson;
        struct reason reason = {""};
        head.is_last = row->when != HOP;
        head.location = row->when == HOP ? AT_CDN : NULL;
        int result = source_hf.file_head(access, row->file, &head, row->when == DIRECT, &lesson, &reason);
        if (!CHECK(result == row->error))
            fprintf(stderr, "    row %zu gave %s: %s\n", i, err_name(result), reason.text);
        CHECK((result < 0) == (reason.text[0] != '\0'));
        CHECK(!strstr(reason.text, "secret"));
        source_hf.access_free(access);
    }
}

static void changes_name_both_values(void) {
    struct buf BUF_CLEANUP fields = BUF_INIT;
    struct source_access *access = fixture_access(NULL, NULL);
    struct http_head head = fixture_head(&fields, 302, AT_HUB, "X-Repo-Commit: " OTHER_COMMIT "\r\n");
    struct source_lesson lesson;
    struct reason reason = {""};
    CHECK_ERROR(source_hf.file_head(access, &large, &head, false, &lesson, &reason), -ERR_STATUS);
    head.is_last = false;
    CHECK_ERROR(source_hf.file_head(access, &large, &head, false, &lesson, &reason), -ERR_CHANGED);
    CHECK(strstr(reason.text, COMMIT) && strstr(reason.text, OTHER_COMMIT));
    source_hf.access_free(access);
}

static void lessons_say_how_long(void) {
    struct buf BUF_CLEANUP fields = BUF_INIT;
    struct source_access *access = fixture_access(NULL, NULL);
    struct source_lesson lesson = {99};
    struct http_head head = fixture_head(&fields, 429, AT_HUB, "RateLimit: \"resolvers\";r=0;t=9\r\n");
    CHECK_ERROR(source_hf.file_head(access, &large, &head, false, &lesson, NULL), -ERR_RATE_LIMITED);
    CHECK_NUMBER(lesson.retry_after_s, 10);
    head = fixture_head(&fields, 503, AT_CDN, "Retry-After: 3\r\n");
    CHECK_ERROR(source_hf.file_head(access, &large, &head, true, &lesson, NULL), -ERR_SERVER);
    CHECK_NUMBER(lesson.retry_after_s, 3);
    head = fixture_head(&fields, 206, AT_CDN, "Retry-After: 3\r\n");
    CHECK_OK(source_hf.file_head(access, &large, &head, true, &lesson, NULL));
    CHECK_NUMBER(lesson.retry_after_s, 0);
    source_hf.access_free(access);
}

static void a_token_that_went_bad_is_left_out(void) {
    struct buf BUF_CLEANUP fields = BUF_INIT;
    struct source_access *access = fixture_access(NULL, TOKEN);
    struct source_lesson lesson;
    struct source_ask ask;
    struct http_head head = fixture_head(&fields, 401, AT_HUB, "");
    CHECK_ERROR(source_hf.file_head(access, &large, &head, false, &lesson, NULL),
        -ERR_EXPIRED); /* ask again … */
    CHECK_OK(source_hf.file_request(access, &large, &ask, NULL));
    CHECK_TEXT(ask.authorization, NULL); /* … without it */
    source_ask_done(&ask);
    CHECK_ERROR(source_hf.file_head(access, &large, &head, false, &lesson, NULL), -ERR_TOKEN);
    source_hf.access_free(access);
}

/* ---- the access */

static int access_error(const char *name, const char *value) {
    struct options *options = fixture_options();
    struct source_access *access = NULL;
    struct reason reason = {""};
    CHECK_OK(options_set(options, name, value, "test", &reason));
    int result = source_hf.access_new(options, &access, &reason);
    CHECK((result < 0) == (reason.text[0] != '\0') && (result < 0) == (access == NULL));
    CHECK(!strstr(reason.text, "secret"));
    source_hf.access_free(access);
    options_free(options);
    return result;
}

static void endpoints_are_checked(void) {
    fixture_environment(NULL);
    CHECK_OK(access_error("hf_endpoint", "https://mirror.example/hf/"));
    CHECK_OK(access_error("hf_endpoint", "http://localhost:8080"));
    CHECK_ERROR(access_error("hf_endpoint", "http://mirror.example"), -ERR_INSECURE);
    static const char *const bad[] = {"mirror.example", "ftp://h", "file:///x", "https://u:secret@h",
        "https://h?x", "https://h#x", "https://h/a b"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_ERROR(access_error("hf_endpoint", bad[i]), -ERR_CONFIG);
}

/* What the next file's question carries. */
static void sends(const char *authorization) {
    struct options *options = fixture_options();
    struct source_access *access = NULL;
    struct source_ask ask;
    CHECK_OK(options_from_environment(options, NULL));
    CHECK_OK(source_hf.access_new(options, &access, NULL));
    CHECK_OK(source_hf.file_request(access, &large, &ask, NULL));
    CHECK_TEXT(ask.authorization, authorization);
    source_ask_done(&ask);
    source_hf.access_free(access);
    options_free(options);
}

static void put(const char *folder, const char *name, const char *text) {
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void tokens_come_from_many_places(void) {
    const char *folder = check_folder();
    char path[4200];
    fixture_environment(NULL);
    sends(NULL);
    snprintf(path, sizeof path, "%s/.cache", folder);
    CHECK(mkdir(path, 0700) == 0);
    snprintf(path, sizeof path, "%s/.cache/huggingface", folder);
    CHECK(mkdir(path, 0700) == 0);
    put(path, "token", "from-home\n");
    setenv("HOME", folder, 1);
    sends("Bearer from-home");
    put(folder, "token", "  from-hf-home \r\n");
    setenv("HF_HOME", "~", 1);
    sends("Bearer from-hf-home");
    setenv("HF_HOME", "${HOME}/", 1);
    sends("Bearer from-hf-home");
    put(folder, "hf_token", "from-systemd");
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    sends("Bearer from-systemd");
    put(folder, "mine", "from-path");
    setenv("HF_TOKEN_PATH", "$HOME/mine", 1);
    sends("Bearer from-path");
    put(folder, "mine", "\n");
    sends(NULL);
    CHECK_ERROR(access_error("hf_token_path", "/nowhere/at/all"), -ERR_CONFIG); /* it was named */
    setenv("HF_TOKEN_PATH", "/nowhere/at/all", 1);
    setenv("HUGGING_FACE_HUB_TOKEN", "from-old-name", 1);
    sends("Bearer from-old-name");
    setenv("HF_TOKEN", " from-environment\n", 1);
    sends("Bearer from-environment");
    setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "True", 1);
    sends(NULL);
    fixture_environment(NULL);
    put(folder, "mine", "two secret words");
    snprintf(path, sizeof path, "%s/mine", folder);
    CHECK_ERROR(access_error("hf_token_path", path), -ERR_CONFIG);
    CHECK_ERROR(access_error("hf_token_path", folder), -ERR_CONFIG);
    setenv("HF_TOKEN", "secret\r\nX-Injected: 1", 1);
    CHECK_ERROR(access_error("hf_endpoint", HUB), -ERR_CONFIG);
}

int main(void) {
    files_are_asked_for_at_the_commit();
    heads_are_judged();
    changes_name_both_values();
    lessons_say_how_long();
    a_token_that_went_bad_is_left_out();
    endpoints_are_checked();
    tokens_come_from_many_places();
    CHECK(source_find("hf") == &source_hf && !source_find("hg"));
    return check_result();
}
