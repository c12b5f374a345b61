/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pickle.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/scan.h"

#define TEXT_MAX 128 /* names of modules are shorter; what is longer is none that we can judge */
static const size_t STACK_MAX = 1 << 20, MEMO_MAX = 1 << 20, POOL_MAX = 16 << 20, IMPORTS_MAX = 2048;
static const uint64_t STEPS_MAX = 100000000;

/* What stands on the stack: a string (its place in `pool`), a mark, or something else. */
typedef uint32_t value;
enum { VALUE_OTHER, VALUE_MARK, VALUE_TEXTS };

struct memo_slot {
    uint64_t key; /* + 1; 0: free */
    value value;
};

struct walk {
    struct scan scan;
    struct findings *findings;
    struct pickle_sight sight;
    value *stack;
    size_t depth, stack_room;
    struct memo_slot *memo; /* open addressing, at most half full */
    size_t memo_count, memo_room;
    struct buf pool;        /* strings, each with its NUL; the first is at VALUE_TEXTS */
    uint64_t imports[4096]; /* hashes of those that were told: open addressing */
    size_t import_count;
    uint64_t steps;
    bool gave_up;
};

/* Ends the walk: what follows is not looked at, and could be anything. */
static bool give_up(struct walk *walk, const char *why) {
    findings_add(walk->findings, FINDING_DANGER, "%s at byte %llu: what follows was not looked at", why,
        (unsigned long long)walk->scan.at);
    walk->gave_up = true;
    return false;
}

/* ---- stack and memo */

static bool push(struct walk *walk, value pushed) {
    if (walk->depth == STACK_MAX)
        return give_up(walk, "the pickle's stack is deeper than is followed");
    if (walk->depth == walk->stack_room) {
        walk->stack_room = walk->stack_room ? walk->stack_room * 2 : 256;
        walk->stack = mem_resize(walk->stack, walk->stack_room, sizeof *walk->stack);
    }
    walk->stack[walk->depth++] = pushed;
    return true;
}

/* From an empty stack comes something unknown: the real machine would stop here, ours must not. */
static value pop(struct walk *walk) {
    return walk->depth ? walk->stack[--walk->depth] : VALUE_OTHER;
}

static value top(const struct walk *walk) {
    return walk->depth ? walk->stack[walk->depth - 1] : VALUE_OTHER;
}

static struct memo_slot *memo_slot(struct walk *walk, uint64_t number) {
    size_t at = (size_t)((number + 1) * 0x9e3779b97f4a7c15ull >> 32) & (walk->memo_room - 1);
    while (walk->memo[at].key && walk->memo[at].key != number + 1)
        at = (at + 1) & (walk->memo_room - 1);
    return &walk->memo[at];
}

static void memo_grow(struct walk *walk) {
    struct memo_slot *old = walk->memo;
    size_t room = walk->memo_room;
    walk->memo_room = room ? room * 2 : 1024;
    walk->memo = mem_array(walk->memo_room, sizeof *walk->memo);
    for (size_t i = 0; i < room; i++)
        if (old[i].key)
            *memo_slot(walk, old[i].key - 1) = old[i];
    free(old);
}

static bool memo_put(struct walk *walk, uint64_t number, value put) {
    if ((walk->memo_count + 1) * 2 > walk->memo_room)
        memo_grow(walk);
    struct memo_slot *slot = memo_slot(walk, number);
    if (!slot->key && walk->memo_count == MEMO_MAX)
        return give_up(walk, "the pickle remembers more than is followed");
    walk->memo_count += !slot->key;
    *slot = (struct memo_slot){number + 1, put};
    return true;
}

static value memo_get(struct walk *walk, uint64_t number) {
    return walk->memo_room ? memo_slot(walk, number)->value : VALUE_OTHER;
}

/* ---- strings */

/* A string that may name a module or what is in it; all others are VALUE_OTHER. */
static value text_value(struct walk *walk, const char *text, size_t len) {
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
    if (!len || len >= TEXT_MAX || strspn(text, LETTERS) != len || walk->pool.len + len + 1 > POOL_MAX)
        return VALUE_OTHER;
    value place = (value)(walk->pool.len + VALUE_TEXTS);
    (void)buf_add(&walk->pool, text, len + 1);
    return place;
}

static const char *text_of(const struct walk *walk, value of) {
    return of < VALUE_TEXTS ? NULL : walk->pool.data + (of - VALUE_TEXTS);
}

/* A line without its LF; what does not fit is read and not kept, and the length is TEXT_MAX then. */
static bool read_line(struct walk *walk, char line[static TEXT_MAX + 1], size_t *ret_len) {
    size_t len = 0;
    int byte;
    while ((byte = scan_byte(&walk->scan)) >= 0 && byte != '\n')
        if (len < TEXT_MAX)
            line[len++] = (char)byte;
    if (byte < 0)
        return false;
    line[len] = '\0';
    *ret_len = len;
    return true;
}

/* A decimal number of a line ("12", "12L"): UINT64_MAX for others, which no memo has. */
static uint64_t line_number(const char *line) {
    uint64_t number = 0;
    for (; *line >= '0' && *line <= '9'; line++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*line - '0'), &number))
            return UINT64_MAX - 1;
    return *line ? UINT64_MAX - 1 : number;
}

/* ---- imports */

/* true the first time. */
static bool is_new_import(struct walk *walk, const char *module, const char *name) {
    const size_t room = sizeof walk->imports / sizeof *walk->imports;
    uint64_t hash = 0xcbf29ce484222325ull;
    for (const char *at = module; *at; at++)
        hash = (hash ^ (uint8_t)*at) * 0x100000001b3ull;
    hash = (hash ^ '\n') * 0x100000001b3ull;
    for (const char *at = name; *at; at++)
        hash = (hash ^ (uint8_t)*at) * 0x100000001b3ull;
    hash += !hash;
    size_t at = hash % room;
    while (walk->imports[at] && walk->imports[at] != hash)
        at = (at + 1) % room;
    if (walk->imports[at])
        return false;
    walk->imports[at] = hash;
    walk->import_count++;
    return true;
}

static bool import(struct walk *walk, const char *module, const char *name) {
    walk->sight.imports++;
    if (!module || !name) {
        findings_add(walk->findings, FINDING_DANGER,
            "an import at byte %llu whose name is made while loading", (unsigned long long)walk->scan.at);
        return true;
    }
    enum finding_level level = pickle_import_level(module, name);
    walk->sight.harmless += level == FINDING_OK;
    if (!is_new_import(walk, module, name))
        return true;
    if (walk->import_count == IMPORTS_MAX)
        return give_up(walk, "the pickle imports more than is followed");
    if (level == FINDING_DANGER)
        findings_add(walk->findings, level, "imports %s.%s, which can do harm when it is loaded", module,
            name);
    else if (level == FINDING_WARNING)
        findings_add(walk->findings, level, "imports %s.%s, of which nothing is known", module, name);
    return true;
}

static bool import_lines(struct walk *walk) {
    char module[TEXT_MAX + 1], name[TEXT_MAX + 1];
    size_t module_len, name_len;
    if (!read_line(walk, module, &module_len) || !read_line(walk, name, &name_len))
        return false;
    value of = text_value(walk, module, module_len), what = text_value(walk, name, name_len);
    return import(walk, text_of(walk, of), text_of(walk, what));
}

/* ---- instructions */

struct argument {
    char text[TEXT_MAX + 1];
    size_t text_len;
    uint64_t number;
};

static bool read_counted(struct walk *walk, const struct pickle_opcode *opcode, struct argument *argument) {
    uint64_t size;
    if (!scan_number(&walk->scan, opcode->size, &size))
        return false;
    argument->text_len = size < TEXT_MAX ? (size_t)size : TEXT_MAX;
    if (opcode->action != PICKLE_TEXT || size >= TEXT_MAX)
        return scan_skip(&walk->scan, size);
    argument->text[size] = '\0';
    return scan_bytes(&walk->scan, argument->text, (size_t)size);
}

/* 'text' of a STRING without its quotes. */
static void strip_quotes(struct argument *argument) {
    size_t len = argument->text_len;
    char quote = argument->text[0];
    if (len < 2 || len >= TEXT_MAX || (quote != '\'' && quote != '"') || argument->text[len - 1] != quote)
        return;
    memmove(argument->text, argument->text + 1, len - 2);
    argument->text[argument->text_len = len - 2] = '\0';
}

static bool read_argument(struct walk *walk, const struct pickle_opcode *opcode, struct argument *argument) {
    switch (opcode->argument) {
    case PICKLE_FIXED: return scan_number(&walk->scan, opcode->size, &argument->number);
    case PICKLE_COUNTED: return read_counted(walk, opcode, argument);
    case PICKLE_LINE:
        if (!read_line(walk, argument->text, &argument->text_len))
            return false;
        strip_quotes(argument);
        argument->number = line_number(argument->text);
        return true;
    case PICKLE_LINES: return import_lines(walk);
    default: return opcode->argument == PICKLE_NOTHING;
    }
}

static bool act(struct walk *walk, const struct pickle_opcode *opcode, const struct argument *argument) {
    value pushed = VALUE_OTHER, name, module;
    switch (opcode->action) {
    case PICKLE_TEXT: pushed = text_value(walk, argument->text, argument->text_len); break;
    case PICKLE_IMPORT_BY_STACK:
        name = pop(walk);
        module = pop(walk);
        return import(walk, text_of(walk, module), text_of(walk, name)) && push(walk, VALUE_OTHER);
    case PICKLE_EXTENSION:
        if (!import(walk, NULL, NULL))
            return false;
        break;
    case PICKLE_PUT: return memo_put(walk, argument->number, top(walk));
    case PICKLE_MEMOIZE: return memo_put(walk, walk->memo_count, top(walk));
    case PICKLE_GET: pushed = memo_get(walk, argument->number); break;
    case PICKLE_DUP: return push(walk, top(walk));
    case PICKLE_MARK: return push(walk, VALUE_MARK);
    default: break;
    }
    for (unsigned i = 0; i < opcode->pops; i++)
        (void)pop(walk);
    while (opcode->pops_to_mark && walk->depth && pop(walk) != VALUE_MARK)
        ;
    return !opcode->pushes || push(walk, pushed);
}

/* One pickle, to its STOP. */
static bool follow_one(struct walk *walk) {
    walk->depth = 0;
    free(walk->memo); /* not cleared: a large one before many small pickles would cost too much */
    walk->memo = NULL;
    walk->memo_room = walk->memo_count = 0;
    for (;;) {
        struct argument argument = {.text_len = 0};
        walk->sight.at = walk->scan.at;
        int byte = scan_byte(&walk->scan);
        if (byte < 0)
            return false;
        const struct pickle_opcode *opcode = &pickle_opcodes[byte];
        if (walk->steps++ == STEPS_MAX)
            return give_up(walk, "the pickle has more instructions than are followed");
        if (opcode->argument == PICKLE_UNKNOWN || !read_argument(walk, opcode, &argument))
            return false;
        if (opcode->action == PICKLE_STOP)
            return true;
        if (!act(walk, opcode, &argument))
            return false;
    }
}

int pickle_follow(const struct format_reader *reader, uint64_t from, unsigned most,
    struct pickle_sight *ret_sight, struct findings *findings) {
    struct walk *walk = mem_new(sizeof *walk);
    walk->findings = findings;
    scan_init(&walk->scan, reader, from, reader->size);
    while (walk->sight.stops < most && scan_peek(&walk->scan) >= 0 && follow_one(walk))
        walk->sight.stops++;
    walk->sight.broke = walk->sight.stops < most && scan_peek(&walk->scan) >= 0 && !walk->gave_up;
    walk->sight.broke = walk->sight.broke || (!walk->sight.stops && !walk->gave_up);
    if (!walk->sight.broke)
        walk->sight.at = walk->scan.at;
    *ret_sight = walk->sight;
    int error = walk->scan.error;
    buf_done(&walk->pool);
    free(walk->stack);
    free(walk->memo);
    free(walk);
    return error;
}
