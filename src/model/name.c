/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "model/name.h"

#define PART_MAX       96  /* characters of one part of a Hub name */
#define PATH_PART_MAX  255 /* NAME_MAX of the kernel */
#define PATH_DEPTH_MAX 16
#define KEY_PARTS_MAX  8 /* a source may want fewer: its is_name() says so */

static bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c) {
    return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z');
}

static int hex_value(char c) {
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool ends_with(const char *text, size_t len, const char *end) {
    size_t end_len = strlen(end);
    return len >= end_len && !strcasecmp(text + len - end_len, end);
}

bool name_is_part(const char *part) {
    size_t len = strnlen(part, PART_MAX + 1);
    if (len == 0 || len > PART_MAX || !is_alnum(part[0]))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_alnum(part[i]) && !strchr("-_.", part[i]))
            return false;
    if (strstr(part, "--") || strstr(part, "..") || part[len - 1] == '-' || part[len - 1] == '.')
        return false;
    return !ends_with(part, len, ".git") && !ends_with(part, len, ".ipynb");
}

bool name_is_revision(const char *revision) {
    size_t len = strnlen(revision, NAME_REVISION_SIZE);
    if (len == 0 || len == NAME_REVISION_SIZE || strstr(revision, ".."))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_alnum(revision[i]) && !strchr("._/-", revision[i]))
            return false;
    return !strchr("/-", revision[0]) && !strchr("/-", revision[len - 1]);
}

bool name_is_commit(const char *revision) {
    for (size_t i = 0; i < 40; i++)
        if (!is_digit(revision[i]) && !(revision[i] >= 'a' && revision[i] <= 'f'))
            return false;
    return revision[40] == '\0';
}

static bool is_variant(const char *variant) {
    size_t len = strnlen(variant, NAME_VARIANT_SIZE);
    if (len == 0 || len == NAME_VARIANT_SIZE || !is_alnum(variant[0]))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_alnum(variant[i]) && !strchr("-_.", variant[i]))
            return false;
    return true;
}

/* ---- keys */

/* The host part of an address on the Hub that people copy from their browser; NULL when `text` is none. */
static const char *after_hub_address(const char *text) {
    static const char *const addresses[] = {"https://huggingface.co/", "https://www.huggingface.co/",
        "https://hf.co/"};
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
        if (!strncasecmp(text, addresses[i], strlen(addresses[i])))
            return text + strlen(addresses[i]);
    return NULL;
}

/* Undoes %2F and the like in place; false for what is no percent code. */
static bool decode(char *text) {
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        int high = hex_value(from[1]), low = high < 0 ? -1 : hex_value(from[2]);
        if (low < 0 || (high == 0 && low == 0))
            return false;
        *to++ = (char)(high << 4 | low);
        from += 2;
    }
    *to = '\0';
    return true;
}

static bool is_model(const char *source, const char *model) {
    char part[PART_MAX + 1];
    size_t parts = 0, most = !strcmp(source, "hf") ? 2 : KEY_PARTS_MAX;
    for (const char *at = model;; at++) {
        size_t len = strcspn(at, "/");
        if (len > PART_MAX || ++parts > most)
            return false;
        memcpy(part, at, len);
        part[len] = '\0';
        if (!name_is_part(part))
            return false;
        at += len;
        if (!*at)
            return true;
    }
}

static int bad(struct reason *reason, const char *what, const char *text) {
    return err_because(reason, -ERR_BAD_NAME, "%s: \"%.160s\"", what, text);
}

/* What is served elsewhere: all behind the source is the name. */
static int parse_openai(const char *rest, const char *text, struct name_key *key, struct reason *reason) {
    const char *slash = strchr(rest, '/');
    if (!slash || slash == rest || !name_is_served(rest) || text_copy(key->model, sizeof key->model, rest))
        return bad(reason, "a model behind an endpoint is openai:ENDPOINT/NAME", text);
    return 0;
}

static int parse_ollama(const char *rest, const char *text, struct name_key *key, struct reason *reason) {
    if (name_of_ollama(rest, key->model) < 0)
        return bad(reason, "a model of Ollama is ollama:NAME:TAG or ollama:NAMESPACE/NAME:TAG", text);
    return 0;
}

static const struct {
    const char *source;
    int (*parse)(const char *rest, const char *text, struct name_key *key, struct reason *reason);
} served[] = {
    {"openai", parse_openai},
    {"ollama", parse_ollama},
};

/* Fills in what stands after the source; `rest` is scratch. */
static int parse_rest(char *rest, const char *text, struct name_key *key, struct reason *reason) {
    for (size_t i = 0; i < sizeof served / sizeof served[0]; i++)
        if (!strcmp(key->source, served[i].source))
            return served[i].parse(rest, text, key, reason);
    char *revision = strchr(rest, '@');
    if (revision) {
        *revision++ = '\0';
        if (!name_is_revision(revision))
            return bad(reason, "what follows @ can't be a revision", text);
        (void)text_copy(key->revision, sizeof key->revision, revision); /* is_revision bounds it */
    }
    char *variant = strchr(rest, ':');
    if (variant) {
        *variant++ = '\0';
        if (!is_variant(variant))
            return bad(reason, "what follows the name can't be a variant", text);
        (void)text_copy(key->variant, sizeof key->variant, variant); /* likewise */
    }
    if (!is_model(key->source, rest) || text_copy(key->model, sizeof key->model, rest))
        return bad(reason, "a model's name is ORG/NAME, of letters, digits, - _ and .", text);
    return 0;
}

/* ORG/NAME[/tree/REV] of an address. */
static int parse_address(char *rest, const char *text, struct name_key *key, struct reason *reason) {
    rest[strcspn(rest, "?#")] = '\0';
    for (size_t len = strlen(rest); len && rest[len - 1] == '/'; len--)
        rest[len - 1] = '\0';
    char *slash = strchr(rest, '/');
    char *tree = slash ? strchr(slash + 1, '/') : NULL;
    if (tree) {
        if (strncmp(tree, "/tree/", 6))
            return bad(reason, "an address of a model is https://huggingface.co/ORG/NAME[/tree/REVISION]",
                text);
        *tree = '\0';
        char *revision = tree + 6;
        if (!decode(revision) || !name_is_revision(revision))
            return bad(reason, "what follows /tree/ can't be a revision", text);
        (void)text_copy(key->revision, sizeof key->revision, revision); /* is_revision bounds it */
    }
    if (!is_model("hf", rest) || text_copy(key->model, sizeof key->model, rest))
        return bad(reason, "that address is not one of a model", text);
    return 0;
}

int name_parse(const char *text, struct name_key *ret_key, struct reason *reason) {
    struct name_key key = {.source = "hf"};
    char rest[2 * NAME_KEY_SIZE];
    if (!*text)
        return err_because(reason, -ERR_BAD_NAME, "an empty name");
    const char *on_hub = after_hub_address(text);
    const char *start = on_hub ? on_hub : text;
    size_t word = 0;
    while (is_lower(start[word]) || is_digit(start[word]))
        word++;
    bool has_source = !on_hub && word > 0 && is_lower(start[0]) && start[word] == ':';
    if (has_source) {
        if (word >= sizeof key.source)
            return bad(reason, "there is no such source", text);
        memcpy(key.source, start, word);
        key.source[word] = '\0';
        start += word + 1;
        if (!strncmp(start, "//", 2)) {
            if (strcmp(key.source, "hf"))
                return bad(reason, "only hf:// and addresses on huggingface.co are understood", text);
            start += 2;
        }
    }
    if (text_copy(rest, sizeof rest, start))
        return bad(reason, "too long for a name", text);
    int result = on_hub ? parse_address(rest, text, &key, reason) : parse_rest(rest, text, &key, reason);
    if (result < 0)
        return result;
    /* One word without a source is more likely a slip than a model of the Hub's first days. */
    if (!on_hub && !has_source && !strchr(key.model, '/'))
        return err_because(reason, -ERR_BAD_NAME,
            "a model is named SOURCE:NAME or ORG/NAME; for an old Hub name say \"hf:%s\"", key.model);
    *ret_key = key;
    return 0;
}

void name_format(const char *source, const char *model, char *to) {
    (void)snprintf(to, NAME_KEY_SIZE, "%s:%s", source, model); /* both are bounded by their own sizes */
}

/* ---- paths */

static bool is_control(const char *text, size_t len) {
    const unsigned char *bytes = (const unsigned char *)text;
    return len == 1 ? bytes[0] < 0x20 || bytes[0] == 0x7f : bytes[0] == 0xc2 && bytes[1] < 0xa0;
}

static const char *text_fault(const char *path, size_t len) {
    for (size_t at = 0; at < len;) {
        size_t step = utf8_char(path + at, len - at);
        if (step == 0)
            return "it is not valid UTF-8";
        if (is_control(path + at, step))
            return "it holds a control character";
        at += step;
    }
    return NULL;
}

static const char *part_fault(const char *part, size_t len) {
    if (len == 0)
        return "it has an empty part (or begins or ends with a slash)";
    if (len <= 2 && !memcmp(part, "..", len))
        return "it has a part . or ..";
    return len > PATH_PART_MAX ? "a part is longer than 255 bytes" : NULL;
}

const char *name_path_fault(const char *path, size_t len) {
    if (len == 0)
        return "it is empty";
    if (len >= NAME_PATH_SIZE)
        return "it is too long";
    const char *fault = text_fault(path, len);
    size_t depth = 0;
    for (size_t at = 0; !fault && at <= len; depth++) {
        const char *slash = memchr(path + at, '/', len - at);
        size_t part_len = slash ? (size_t)(slash - path) - at : len - at;
        fault = part_fault(path + at, part_len);
        if (!fault && depth == PATH_DEPTH_MAX)
            fault = "it lies more than 16 folders deep";
        at += part_len + 1;
    }
    return fault;
}
