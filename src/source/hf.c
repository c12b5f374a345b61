/* SPDX-License-Identifier: Apache-2.0 */
/* Who we are at the Hub: the endpoint and the token, and the source's row. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "source/hf_inside.h"

#define TOKEN_FILE_LIMIT 4096
#define PATH_LIMIT       4096
#define URL_LIMIT        1024

static const struct option_row hf_options[] = {
    {.name = "hf_endpoint",
        .type = OPTION_TEXT,
        .value = "https://huggingface.co",
        .environment = "HF_ENDPOINT",
        .guarded = true,
        .help = "The Hub's address; another one for a mirror"},
    {.name = "hf_token_path",
        .type = OPTION_SECRET_FILE,
        .environment = "HF_TOKEN_PATH",
        .guarded = true,
        .help =
            "The file that holds the Hub's token (HF_TOKEN in the environment goes before it); without it "
            "hf_token of systemd's credentials, then token in HF_HOME"},
    {0},
};

/* ---- the token */

static bool is_yes(const char *text) {
    static const char *const yes[] = {"1", "ON", "YES", "TRUE"};
    for (size_t i = 0; text && i < sizeof yes / sizeof yes[0]; i++)
        if (!strcasecmp(text, yes[i]))
            return true;
    return false;
}

/* A token goes into a header: one word of visible ASCII. Spaces around it go; NULL when nothing is left. */
static int check_token(char *text, const char *origin, char **ret_token, struct reason *reason) {
    char *start = text + strspn(text, " \t\r\n");
    size_t len = strlen(start);
    while (len && strchr(" \t\r\n", start[len - 1]))
        len--;
    start[len] = '\0';
    for (size_t i = 0; i < len; i++)
        if (start[i] <= ' ' || start[i] > '~')
            return err_because(reason, -ERR_CONFIG, "what is in %s can't be a token", origin);
    *ret_token = len ? mem_text(start) : NULL;
    return 0;
}

static int token_from_environment(char **ret_token, struct reason *reason) {
    static const char *const names[] = {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = environment(names[i]);
        if (!value)
            continue;
        TEXT_CLEANUP char *copy = mem_text(value);
        int result = check_token(copy, names[i], ret_token, reason);
        explicit_bzero(copy, strlen(copy));
        return result;
    }
    *ret_token = NULL;
    return 0;
}

/* Who says where the token is: nobody (no file is no token, as for huggingface_hub), the service manager (a
 * file that can't be read is an error, none is not), or an option (there has to be one). */
enum naming { NAMED_BY_NOBODY, NAMED_BY_MANAGER, NAMED_BY_OPTION };

static int token_from_file(const char *path, enum naming naming, char **ret_token, struct reason *reason) {
    struct buf BUF_CLEANUP text = BUF_INIT;
    int result = path_read(AT_FDCWD, path, TOKEN_FILE_LIMIT, &text);
    *ret_token = NULL;
    if (result == 0 && text.data)
        result = check_token(text.data, path, ret_token, reason);
    else if (result < 0 && (naming == NAMED_BY_OPTION ||
                               (naming == NAMED_BY_MANAGER && result != -ENOENT && result != -ENOTDIR)))
        result =
            err_because(reason, -ERR_CONFIG, "the token in %s can't be read: %s", path, err_sentence(result));
    else
        result = 0;
    if (text.data)
        explicit_bzero(text.data, text.len);
    return result;
}

/* "~" at the start and "$NAME", "${NAME}" anywhere, as Python's expanduser and expandvars do it. */
static void expand(const char *text, struct buf *to) {
    const char *home = environment("HOME");
    if (text[0] == '~' && (text[1] == '/' || !text[1]) && home) {
        (void)buf_text_add(to, home); /* no limit: can't fail, here and below */
        text++;
    }
    while (*text) {
        static const char word[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
        char name[128];
        bool braced = text[0] == '$' && text[1] == '{';
        size_t len = text[0] == '$' ? strspn(text + 1 + braced, word) : 0;
        if (len > 0 && len < sizeof name && (!braced || text[2 + len] == '}')) {
            memcpy(name, text + 1 + braced, len);
            name[len] = '\0';
            const char *value = environment(name);
            (void)buf_text_add(to, value ? value : "");
            text += 1 + len + 2 * (size_t)braced;
        } else {
            (void)buf_add(to, text++, 1);
        }
    }
}

/* Where a token may lie when nobody said so: the first variable that is set counts. */
static const struct {
    const char *variable, *below;
} places[] = {
    {"HF_HOME", "/token"},
    {"XDG_CACHE_HOME", "/huggingface/token"},
    {"HOME", "/.cache/huggingface/token"},
};

static int token_from_files(const struct options *options, char **ret_token, struct reason *reason) {
    struct buf BUF_CLEANUP path = BUF_INIT;
    char named[PATH_LIMIT];
    if (options_text(options, "hf_token_path", named, sizeof named)) {
        expand(named, &path);
        return token_from_file(buf_text(&path), NAMED_BY_OPTION, ret_token, reason);
    }
    const char *credentials = environment("CREDENTIALS_DIRECTORY");
    if (credentials) {
        (void)buf_format(&path, "%s/hf_token", credentials);
        int result = token_from_file(buf_text(&path), NAMED_BY_MANAGER, ret_token, reason);
        if (result < 0 || *ret_token)
            return result;
    }
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const char *value = environment(places[i].variable);
        if (!value)
            continue;
        buf_clear(&path);
        expand(value, &path);
        (void)buf_text_add(&path, places[i].below);
        return token_from_file(buf_text(&path), NAMED_BY_NOBODY, ret_token, reason);
    }
    *ret_token = NULL;
    return 0;
}

static int find_token(const struct options *options, char **ret_token, struct reason *reason) {
    char *token = NULL;
    int result = 0;
    if (!is_yes(environment("HF_HUB_DISABLE_IMPLICIT_TOKEN"))) {
        result = token_from_environment(&token, reason);
        if (result == 0 && !token)
            result = token_from_files(options, &token, reason);
    }
    if (result < 0)
        return result;
    log_secret(token);
    *ret_token = token;
    return 0;
}

bool hf_token_usable(const struct hf_access *access) {
    return access->token && clock_ms() >= atomic_load(access->token_rest_ms);
}

void hf_token_refused(const struct hf_access *access) {
    atomic_store(access->token_rest_ms, clock_ms() + HF_TOKEN_REST_MS);
}

bool hf_at_hub(const struct hf_access *access, const char *url) {
    return http_same_origin(access->endpoint, url);
}

void hf_authorize(const struct hf_access *access, struct source_ask *ask) {
    struct buf value = BUF_INIT;
    if (!hf_token_usable(access) || !hf_at_hub(access, ask->url))
        return;
    (void)buf_format(&value, "Bearer %s", access->token); /* no limit: can't fail */
    ask->authorization = buf_take(&value);
}

/* ---- the endpoint */

static int check_endpoint(char *endpoint, bool allow_http, struct reason *reason) {
    char shown[URL_LIMIT];
    http_url_for_people(endpoint, shown, sizeof shown);
    for (size_t len = strlen(endpoint); len && endpoint[len - 1] == '/'; len--)
        endpoint[len - 1] = '\0';
    /* It is of its own origin only when it is a URL of http or https without a password in it. */
    if (!http_same_origin(endpoint, endpoint) || strpbrk(endpoint, "?# \"<>\\^`{|}"))
        return err_because(reason, -ERR_CONFIG, "hf_endpoint: \"%s\" is no address of a Hub", shown);
    if (strncasecmp(endpoint, "https:", 6) != 0 && !allow_http && !http_is_loopback(endpoint))
        return err_because(reason, -ERR_INSECURE, "hf_endpoint: %s is plain http and not on this machine",
            shown);
    return 0;
}

static void access_free(struct source_access *access) {
    struct hf_access *hf = (struct hf_access *)access;
    if (!hf)
        return;
    if (hf->token)
        explicit_bzero(hf->token, strlen(hf->token));
    free(hf->token);
    free(hf->endpoint);
    free(hf->token_rest_ms);
    free(hf);
}

static int access_new(const struct options *options, struct source_access **ret_access,
    struct reason *reason) {
    char endpoint[URL_LIMIT], *token = NULL;
    if (!options_text(options, "hf_endpoint", endpoint, sizeof endpoint))
        return err_because(reason, -ERR_CONFIG, "hf_endpoint is empty");
    int result = check_endpoint(endpoint, options_bool(options, "allow_http"), reason);
    if (result == 0)
        result = find_token(options, &token, reason);
    if (result < 0)
        return result;
    struct hf_access *hf = mem_new(sizeof *hf);
    hf->endpoint = mem_text(endpoint);
    hf->token = token;
    hf->token_rest_ms = mem_new(sizeof *hf->token_rest_ms);
    *ret_access = (struct source_access *)hf;
    return 0;
}

/* ---- names */

bool hf_is_name(const char *model) {
    char part[NAME_MODEL_SIZE];
    const char *slash = strchr(model, '/');
    if (!slash)
        return name_is_part(model);
    size_t len = (size_t)(slash - model);
    if (len >= sizeof part)
        return false;
    memcpy(part, model, len);
    part[len] = '\0';
    return name_is_part(part) && name_is_part(slash + 1) && strlen(model) < NAME_MODEL_SIZE;
}

const struct source source_hf = {
    .name = "hf",
    .help = "Models of the Hugging Face Hub, hf/ORG/NAME",
    .parts = 2,
    .options = hf_options,
    .access_new = access_new,
    .access_free = access_free,
    .is_name = hf_is_name,
    .discover_new = hf_discover_new,
    .discover_next = hf_discover_next,
    .discover_free = hf_discover_free,
    .file_request = hf_file_request,
    .file_head = hf_file_head,
};
