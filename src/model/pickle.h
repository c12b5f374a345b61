/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_PICKLE_H
#define WEIGHTFS_MODEL_PICKLE_H

/*
 * Python's pickles are programs: loading one executes it, and it may import and call anything. They are
 * followed here without being executed (opcodes: CPython, Lib/pickletools.py): what they import becomes
 * findings: known to be able to do harm (danger), unknown (warning); the few that weights need are counted.
 * What can't be followed is danger, too. A broken tail changes nothing: what stands before it is executed
 * before it is found broken.
 */

#include <stdbool.h>
#include <stdint.h>

#include "model/finding.h"
#include "model/format.h"

/* ---- the instructions */

enum pickle_argument {
    PICKLE_UNKNOWN, /* no such opcode */
    PICKLE_NOTHING,
    PICKLE_FIXED,   /* `size` bytes */
    PICKLE_COUNTED, /* a length of `size` bytes, then as many bytes */
    PICKLE_LINE,
    PICKLE_LINES, /* two */
};
enum pickle_action {
    PICKLE_NO_ACTION,
    PICKLE_TEXT,   /* pushes its argument, a string */
    PICKLE_IMPORT, /* GLOBAL, INST */
    PICKLE_IMPORT_BY_STACK,
    PICKLE_EXTENSION, /* an import by a number that the program knows */
    PICKLE_PUT,       /* memo[argument] = top of the stack */
    PICKLE_MEMOIZE,   /* memo[size of memo] = top */
    PICKLE_GET,
    PICKLE_DUP,
    PICKLE_MARK,
    PICKLE_STOP,
};
struct pickle_opcode {
    enum pickle_argument argument : 8;
    uint8_t size;
    enum pickle_action action : 8;
    uint8_t pops;
    bool pops_to_mark;
    bool pushes;
};
extern const struct pickle_opcode pickle_opcodes[256];

/* FINDING_OK, FINDING_WARNING or FINDING_DANGER for an import. */
enum finding_level pickle_import_level(const char *module, const char *name);

/* ---- following one */

struct pickle_sight {
    uint64_t imports;  /* all */
    uint64_t harmless; /* those that are known not to do harm */
    uint64_t stops;    /* pickles that ended as they should */
    bool broke;        /* it could not be followed to its end, but to `at` */
    uint64_t at;
};
/* Follows up to `most` pickles, one after the other, from byte `from` of the reader. 0, or a failed read's
 * error. */
int pickle_follow(const struct format_reader *reader, uint64_t from, unsigned most,
    struct pickle_sight *ret_sight, struct findings *findings);
/* The same for a member of an archive or the objects of an array: says what is to be said of a broken one,
 * too. `is_sure`: it is one by its name, not only by its first bytes. */
int pickle_check(const struct format_reader *reader, uint64_t from, unsigned most, bool is_sure,
    struct findings *findings);

#endif
