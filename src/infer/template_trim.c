/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting tags and stops from a stream. */

#include <string.h>

#include "infer/template.h"

#define BLANKS     " \t\r\n"
#define PART_LEAST 3 /* bytes of a mark that was cut in two: fewer may be anything */

/* Ends of turns and texts, of all families: servers that know a model's own do not show them, but there are
 * wrong templates and models that learnt another one. In the middle of an answer they may be what it is about
 * (</s> is HTML, too), so they count at its end only. */
static const char *const ends[] = {
    "</s>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<end_of_turn>",
    "<turn|>",
    "<|return|>",
    "<|EOT|>",
    "<|eot|>",
    "<|END_OF_TURN_TOKEN|>",
    "<|end_of_turn|>",
    "<|endofturn|>",
    "[|endofturn|]",
    "<\uff5cend\u2581of\u2581sentence\uff5c>",
    "<end_of_utterance>",
    "[/INST]",
};
#define END_COUNT (sizeof ends / sizeof ends[0])

enum match { NO_MATCH, PART, WHOLE };

static enum match match(const char *mark, const char *text, size_t len) {
    size_t size = strlen(mark);
    if (len >= size)
        return memcmp(text, mark, size) ? NO_MATCH : WHOLE;
    return memcmp(text, mark, len) ? NO_MATCH : PART;
}

static enum match match_stops(const struct trimmer *trimmer, const char *text, size_t len) {
    enum match best = NO_MATCH;
    for (const char *const *stop = trimmer->family->stops; *stop; stop++) {
        enum match one = match(*stop, text, len);
        best = one > best ? one : best;
    }
    return best;
}

/* The size of the end that the text begins with; 0 none, *ret_part: the text is the beginning of one. */
static size_t match_end(const char *text, size_t len, bool *ret_part) {
    *ret_part = false;
    for (size_t i = 0; i < END_COUNT; i++) {
        enum match one = match(ends[i], text, len);
        if (one == WHOLE)
            return strlen(ends[i]);
        *ret_part = *ret_part || one == PART;
    }
    return 0;
}

/* What is at the beginning of the text: a stop (WHOLE); perhaps one, or an end, if nothing else follows
 * (PART); or the answer. */
static enum match judge(const struct trimmer *trimmer, const char *text, size_t len) {
    enum match stop = match_stops(trimmer, text, len);
    bool part;
    if (stop != NO_MATCH)
        return stop;
    size_t at = match_end(text, len, &part);
    if (!at)
        return part ? PART : NO_MATCH;
    while (at < len) { /* after an end there may be blanks, other ends, and a stop */
        size_t more;
        if (strchr(BLANKS, text[at]) && text[at])
            more = 1;
        else if (match_stops(trimmer, text + at, len - at) != NO_MATCH)
            return match_stops(trimmer, text + at, len - at);
        else
            more = match_end(text + at, len - at, &part);
        if (!more)
            return part ? PART : NO_MATCH;
        at += more;
    }
    return PART;
}

/* ---- the beginning: blanks, and the tag that opened the answer once more */

static bool is_blank(char byte) {
    return byte && strchr(BLANKS, byte);
}

static void drop(struct trimmer *trimmer, size_t len) {
    trimmer->len -= len;
    memmove(trimmer->held, trimmer->held + len, trimmer->len);
}

static void drop_blanks(struct trimmer *trimmer) {
    size_t at = 0;
    while (at < trimmer->len && is_blank(trimmer->held[at]))
        at++;
    drop(trimmer, at);
}

/* The tag without blanks around it. */
static const char *role_tag(const struct template_family *family, size_t *ret_len) {
    const char *tag = *family->answer_before ? family->answer_before : family->user_after;
    if (!tag[strspn(tag, BLANKS)])
        tag = family->user_after;
    tag += strspn(tag, BLANKS);
    *ret_len = strlen(tag);
    while (*ret_len && is_blank(tag[*ret_len - 1]))
        --*ret_len;
    return tag;
}

/* true: the answer begins with the first byte that is held; false: more is needed to know. */
static bool begin(struct trimmer *trimmer, bool at_end) {
    size_t size;
    const char *tag = role_tag(trimmer->family, &size);
    drop_blanks(trimmer);
    size_t len = trimmer->len < size ? trimmer->len : size;
    if (!trimmer->tag_gone && memcmp(trimmer->held, tag, len) == 0) {
        bool is_whole = len == size;
        if (!is_whole && !at_end)
            return false;
        if (is_whole || len >= PART_LEAST)
            drop(trimmer, len);
        trimmer->tag_gone = true;
        drop_blanks(trimmer);
    }
    return trimmer->len > 0;
}

/* ---- the stream */

void trimmer_init(struct trimmer *trimmer, const struct template_family *family) {
    *trimmer = (struct trimmer){.family = family};
}

static int give(struct trimmer *trimmer, size_t len, trimmer_emit emit, void *context) {
    int result = len ? emit(context, trimmer->held, len) : 0;
    drop(trimmer, len);
    return result < 0 ? result : 0;
}

/* Gives what is surely of the answer. 0, 1: it stopped, or emit's error. */
static int give_sure(struct trimmer *trimmer, trimmer_emit emit, void *context) {
    size_t at = 0;
    for (; at < trimmer->len; at++) {
        enum match found = judge(trimmer, trimmer->held + at, trimmer->len - at);
        if (found == PART && trimmer->len - at <= TRIM_HOLD)
            break;
        if (found != WHOLE)
            continue;
        trimmer->stopped = true;
        trimmer->len = at; /* what is behind is not wanted */
        int error = give(trimmer, at, emit, context);
        return error < 0 ? error : 1;
    }
    return give(trimmer, at, emit, context);
}

int trimmer_feed(struct trimmer *trimmer, const char *text, size_t len, trimmer_emit emit, void *context) {
    if (!trimmer->family)
        return len ? emit(context, text, len) : 0;
    int result = trimmer->stopped;
    while (len && !result) {
        size_t room = sizeof trimmer->held - trimmer->len, part = len < room ? len : room;
        memcpy(trimmer->held + trimmer->len, text, part);
        trimmer->len += part;
        text += part;
        len -= part;
        trimmer->begun = trimmer->begun || begin(trimmer, false);
        if (trimmer->begun)
            result = give_sure(trimmer, emit, context);
    }
    return result;
}

/* Is what ends here the mark of an end, whole, or enough of it to be nothing else? */
static bool is_cut(const struct trimmer *trimmer, const char *text, size_t len) {
    bool part;
    if (judge(trimmer, text, len) != PART)
        return false;
    return match_end(text, len, &part) || (len >= PART_LEAST && (*text == '<' || *text == '['));
}

int trimmer_end(struct trimmer *trimmer, trimmer_emit emit, void *context) {
    size_t at = 0;
    if (!trimmer->family || trimmer->stopped)
        return 0;
    if (!trimmer->begun)
        (void)begin(trimmer, true);
    while (at < trimmer->len && !is_cut(trimmer, trimmer->held + at, trimmer->len - at))
        at++;
    trimmer->len = at;
    return give(trimmer, at, emit, context);
}
