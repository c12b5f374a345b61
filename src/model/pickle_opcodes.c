/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pickle.h"

#define PUSH(argument, size) \
    { argument, size, PICKLE_NO_ACTION, 0, false, true }
#define TEXT(argument, size) \
    { argument, size, PICKLE_TEXT, 0, false, true }
#define TO_MARK(pushes) \
    { PICKLE_NOTHING, 0, PICKLE_NO_ACTION, 0, true, pushes }
#define TAKE(pops, pushes) \
    { PICKLE_NOTHING, 0, PICKLE_NO_ACTION, pops, false, pushes }
#define DO(argument, size, action, pushes) \
    { argument, size, action, 0, false, pushes }

const struct pickle_opcode pickle_opcodes[256] = {
    [0x28] = DO(PICKLE_NOTHING, 0, PICKLE_MARK, false),                   /* MARK */
    [0x29] = PUSH(PICKLE_NOTHING, 0),                                     /* EMPTY_TUPLE */
    [0x2e] = DO(PICKLE_NOTHING, 0, PICKLE_STOP, false),                   /* STOP */
    [0x30] = TAKE(1, false),                                              /* POP */
    [0x31] = TO_MARK(false),                                              /* POP_MARK */
    [0x32] = DO(PICKLE_NOTHING, 0, PICKLE_DUP, false),                    /* DUP */
    [0x42] = PUSH(PICKLE_COUNTED, 4),                                     /* BINBYTES */
    [0x43] = PUSH(PICKLE_COUNTED, 1),                                     /* SHORT_BINBYTES */
    [0x46] = PUSH(PICKLE_LINE, 0),                                        /* FLOAT */
    [0x47] = PUSH(PICKLE_FIXED, 8),                                       /* BINFLOAT */
    [0x49] = PUSH(PICKLE_LINE, 0),                                        /* INT */
    [0x4a] = PUSH(PICKLE_FIXED, 4),                                       /* BININT */
    [0x4b] = PUSH(PICKLE_FIXED, 1),                                       /* BININT1 */
    [0x4c] = PUSH(PICKLE_LINE, 0),                                        /* LONG */
    [0x4d] = PUSH(PICKLE_FIXED, 2),                                       /* BININT2 */
    [0x4e] = PUSH(PICKLE_NOTHING, 0),                                     /* NONE */
    [0x50] = PUSH(PICKLE_LINE, 0),                                        /* PERSID */
    [0x51] = TAKE(1, true),                                               /* BINPERSID */
    [0x52] = TAKE(2, true),                                               /* REDUCE */
    [0x53] = TEXT(PICKLE_LINE, 0),                                        /* STRING */
    [0x54] = TEXT(PICKLE_COUNTED, 4),                                     /* BINSTRING */
    [0x55] = TEXT(PICKLE_COUNTED, 1),                                     /* SHORT_BINSTRING */
    [0x56] = TEXT(PICKLE_LINE, 0),                                        /* UNICODE */
    [0x58] = TEXT(PICKLE_COUNTED, 4),                                     /* BINUNICODE */
    [0x5d] = PUSH(PICKLE_NOTHING, 0),                                     /* EMPTY_LIST */
    [0x61] = TAKE(1, false),                                              /* APPEND */
    [0x62] = TAKE(1, false),                                              /* BUILD */
    [0x63] = DO(PICKLE_LINES, 0, PICKLE_IMPORT, true),                    /* GLOBAL */
    [0x64] = TO_MARK(true),                                               /* DICT */
    [0x65] = TO_MARK(false),                                              /* APPENDS */
    [0x67] = DO(PICKLE_LINE, 0, PICKLE_GET, true),                        /* GET */
    [0x68] = DO(PICKLE_FIXED, 1, PICKLE_GET, true),                       /* BINGET */
    [0x69] = {PICKLE_LINES, 0, PICKLE_IMPORT, 0, true, true},             /* INST */
    [0x6a] = DO(PICKLE_FIXED, 4, PICKLE_GET, true),                       /* LONG_BINGET */
    [0x6c] = TO_MARK(true),                                               /* LIST */
    [0x6f] = TO_MARK(true),                                               /* OBJ */
    [0x70] = DO(PICKLE_LINE, 0, PICKLE_PUT, false),                       /* PUT */
    [0x71] = DO(PICKLE_FIXED, 1, PICKLE_PUT, false),                      /* BINPUT */
    [0x72] = DO(PICKLE_FIXED, 4, PICKLE_PUT, false),                      /* LONG_BINPUT */
    [0x73] = TAKE(2, false),                                              /* SETITEM */
    [0x74] = TO_MARK(true),                                               /* TUPLE */
    [0x75] = TO_MARK(false),                                              /* SETITEMS */
    [0x7d] = PUSH(PICKLE_NOTHING, 0),                                     /* EMPTY_DICT */
    [0x80] = DO(PICKLE_FIXED, 1, PICKLE_NO_ACTION, false),                /* PROTO */
    [0x81] = TAKE(2, true),                                               /* NEWOBJ */
    [0x82] = DO(PICKLE_FIXED, 1, PICKLE_EXTENSION, true),                 /* EXT1 */
    [0x83] = DO(PICKLE_FIXED, 2, PICKLE_EXTENSION, true),                 /* EXT2 */
    [0x84] = DO(PICKLE_FIXED, 4, PICKLE_EXTENSION, true),                 /* EXT4 */
    [0x85] = TAKE(1, true),                                               /* TUPLE1 */
    [0x86] = TAKE(2, true),                                               /* TUPLE2 */
    [0x87] = TAKE(3, true),                                               /* TUPLE3 */
    [0x88] = PUSH(PICKLE_NOTHING, 0),                                     /* NEWTRUE */
    [0x89] = PUSH(PICKLE_NOTHING, 0),                                     /* NEWFALSE */
    [0x8a] = PUSH(PICKLE_COUNTED, 1),                                     /* LONG1 */
    [0x8b] = PUSH(PICKLE_COUNTED, 4),                                     /* LONG4 */
    [0x8c] = TEXT(PICKLE_COUNTED, 1),                                     /* SHORT_BINUNICODE */
    [0x8d] = TEXT(PICKLE_COUNTED, 8),                                     /* BINUNICODE8 */
    [0x8e] = PUSH(PICKLE_COUNTED, 8),                                     /* BINBYTES8 */
    [0x8f] = PUSH(PICKLE_NOTHING, 0),                                     /* EMPTY_SET */
    [0x90] = TO_MARK(false),                                              /* ADDITEMS */
    [0x91] = TO_MARK(true),                                               /* FROZENSET */
    [0x92] = TAKE(3, true),                                               /* NEWOBJ_EX */
    [0x93] = {PICKLE_NOTHING, 0, PICKLE_IMPORT_BY_STACK, 2, false, true}, /* STACK_GLOBAL */
    [0x94] = DO(PICKLE_NOTHING, 0, PICKLE_MEMOIZE, false),                /* MEMOIZE */
    [0x95] = DO(PICKLE_FIXED, 8, PICKLE_NO_ACTION, false),                /* FRAME */
    [0x96] = PUSH(PICKLE_COUNTED, 8),                                     /* BYTEARRAY8 */
    [0x97] = PUSH(PICKLE_NOTHING, 0),                                     /* NEXT_BUFFER */
    [0x98] = TAKE(1, true),                                               /* READONLY_BUFFER */
};
