/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "model/variant.h"

/*
 * The grammar of a quantisation's name, as the files of the field have it:
 *
 *   ["UD-"] ( WORD | ["I" | "T"] "Q" DIGIT { "_" SUFFIX } )      from the tables below
 *
 * standing between characters that are no letters or digits. A bare "Q4" counts at the end of the name only.
 */
static const char *const words[] = {"MXFP4_MOE", "MXFP4", "NVFP4", "BF16", "FP16", "FP32", "FP8", "F16",
    "F32", "F64"};
static const char *const suffixes[] = {"XXL", "XXS", "XL", "XS", "NL", "K", "L", "M", "P", "S", "0", "1", "4",
    "8"};
#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* Names that look like weights of a quantisation and are something else. */
static const char *const companions[] = {"mmproj", "imatrix"};

/* What a plain pull takes, best first; for each the plain form before the UD- form. */
static const char *const preferred[] = {"Q4_K_M", "Q4_K_S", "Q4_0", "Q4_K_XL", "Q4_K_L", "Q4_1", "Q4_K",
    "Q5_K_M", "Q5_K_S", "Q5_K_XL", "Q5_K_L", "Q5_0", "Q5_1", "Q5_K", "Q6_K", "Q6_K_XL", "Q6_K_L", "Q8_0",
    "Q8_K_XL", "MXFP4", "MXFP4_MOE", "NVFP4", "IQ4_XS", "IQ4_NL", "Q3_K_M", "Q3_K_L", "Q3_K_XL", "Q3_K_S",
    "Q3_K", "IQ3_M", "IQ3_S", "IQ3_XS", "IQ3_XXS", "Q2_K", "Q2_K_L", "Q2_K_XL", "Q2_K_S", "IQ2_M", "IQ2_S",
    "IQ2_XS", "IQ2_XXS", "TQ2_0", "TQ1_0", "IQ1_M", "IQ1_S", "F16", "FP16", "BF16", "F32", "FP32"};

static const char *name_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool variant_is_projector(const char *path) {
    return !strncasecmp(name_of(path), "mmproj", 6) || strcasestr(name_of(path), "-mmproj");
}

bool variant_is_sidecar(const char *path) {
    static const char *const beginnings[] = {"imatrix", "adapter", "mtp-"};
    for (size_t i = 0; i < COUNT(beginnings); i++)
        if (!strncasecmp(name_of(path), beginnings[i], strlen(beginnings[i])))
            return true;
    return strcasestr(name_of(path), "-imatrix") || variant_is_projector(path);
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* How much of `text` the first fitting row takes, when no letter or digit follows; 0: none fits. */
static size_t match_row(const char *const *table, size_t count, const char *text, size_t len) {
    for (size_t i = 0; i < count; i++) {
        size_t row_len = strlen(table[i]);
        if (row_len <= len && !strncasecmp(text, table[i], row_len) &&
            (row_len == len || !is_alnum(text[row_len])))
            return row_len;
    }
    return 0;
}

/* The length of the quantisation that `text` begins with, without "UD-"; 0: none. */
static size_t match(const char *text, size_t len) {
    size_t at = match_row(words, COUNT(words), text, len);
    if (at)
        return at;
    if (at < len && strchr("iItT", text[at]))
        at++;
    if (at + 2 > len || strchr("qQ", text[at]) == NULL || !is_digit(text[at + 1]))
        return 0;
    size_t bare = at += 2;
    while (at < len && text[at] == '_') {
        size_t suffix = match_row(suffixes, COUNT(suffixes), text + at + 1, len - at - 1);
        if (!suffix)
            break;
        at += 1 + suffix;
    }
    return at > bare || at == len ? at : 0;
}

/* The last quantisation in one part of a path. */
static bool find(const char *text, size_t len, char *to) {
    size_t found = 0, found_len = 0;
    for (size_t at = 0; at < len;) {
        size_t step = at == 0 || !is_alnum(text[at - 1]) ? match(text + at, len - at) : 0;
        if (step) {
            found = at;
            found_len = step;
        }
        at += step ? step : 1;
    }
    if (!found_len)
        return false;
    if (found >= 3 && !strncasecmp(text + found - 3, "UD-", 3) &&
        (found == 3 || !is_alnum(text[found - 4]))) {
        found -= 3;
        found_len += 3;
    }
    if (found_len >= NAME_VARIANT_SIZE)
        return false;
    for (size_t i = 0; i < found_len; i++) {
        char c = text[found + i];
        to[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    to[found_len] = '\0';
    return true;
}

static bool contains(const char *text, size_t len, const char *word) {
    size_t word_len = strlen(word);
    for (size_t at = 0; at + word_len <= len; at++)
        if (!strncasecmp(text + at, word, word_len))
            return true;
    return false;
}

/* Without "-00001-of-00003". */
static size_t without_shard(const char *name, size_t len) {
    static const char form[] = "-00000-of-00000";
    size_t form_len = sizeof form - 1;
    if (len <= form_len)
        return len;
    const char *tail = name + len - form_len;
    for (size_t i = 0; i < form_len; i++)
        if (form[i] == '0' ? !is_digit(tail[i]) : (tail[i] | 0x20) != (form[i] | 0x20))
            return len;
    return len - form_len;
}

bool variant_of(const char *path, char ret_variant[static NAME_VARIANT_SIZE]) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t len = strlen(name);
    if (len < 5 || strcasecmp(name + len - 5, ".gguf"))
        return false;
    len -= 5;
    for (size_t i = 0; i < COUNT(companions); i++)
        if (contains(name, len, companions[i]))
            return false;
    if (find(name, without_shard(name, len), ret_variant))
        return true;
    /* The folders, the innermost first. */
    for (const char *end = slash; end;) {
        const char *start = memrchr(path, '/', (size_t)(end - path));
        const char *part = start ? start + 1 : path;
        if (find(part, (size_t)(end - part), ret_variant))
            return true;
        end = start;
    }
    return false;
}

bool variant_equal(const char *a, const char *b) {
    return !strcasecmp(a, b);
}

size_t variant_default(const char *const *variants, size_t count) {
    for (size_t row = 0; row < COUNT(preferred); row++)
        for (int form = 0; form < 2; form++)
            for (size_t i = 0; i < count; i++) {
                bool special = !strncasecmp(variants[i], "UD-", 3);
                if (special == (form == 1) && variant_equal(variants[i] + (special ? 3 : 0), preferred[row]))
                    return i;
            }
    return 0;
}
