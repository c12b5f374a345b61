/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_ROWS_H
#define WEIGHTFS_TREE_ROWS_H

/*
 * The rows of the tree: one for each name (or pattern of names) that a user can see. Everything that
 * is said of a name follows from its row; README.md in this folder shows how to add one.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/wait.h"
#include "infer/infer.h"
#include "manage/manage.h"
#include "tree/tree.h"

struct place;
struct source;

/* Row numbers are parts of node numbers, which outlive the daemon: a number is never changed, nor used
 * again for another row. */
enum row_number {
    ROW_ROOT = 0,
    ROW_README = 1,
    ROW_CTL = 2,
    ROW_STATUS = 3,
    ROW_STATUS_JSON = 4,
    ROW_HEALTH = 5,
    ROW_EVENTS = 6,
    ROW_JOBS = 7,
    ROW_CONFIG = 8,
    ROW_SOURCE = 9,
    ROW_METRICS = 10,
    ROW_BY = 11,
    ROW_DEFAULT = 12,
    ROW_CATALOGUE = 14,
    ROW_ALL_SOCKET = 27,
    ROW_AUDIT = 13,
    ROW_JOB = 16,
    ROW_JOB_STATUS = 17,
    ROW_JOB_PROGRESS = 18,
    ROW_JOB_WAIT = 19,
    ROW_JOB_CTL = 20,
    ROW_JOB_LOG = 21,
    ROW_JOB_STATUS_JSON = 22,
    ROW_OPTION = 24,
    ROW_CONFIG_JSON = 25,
    ROW_CONFIG_SCHEMA = 26,
    ROW_AUTO = 28,
    ROW_AUTO_INFER = 29,
    ROW_GROUP = 32,
    ROW_MODEL = 33,
    ROW_SOURCE_MODEL = 34,
    ROW_FILES = 40,
    ROW_SUMS = 41,
    ROW_STATE = 42,
    ROW_MODEL_STATUS = 43,
    ROW_MODEL_STATUS_JSON = 44,
    ROW_PROGRESS = 45,
    ROW_WAIT = 46,
    ROW_PLAN = 47,
    ROW_MODEL_CTL = 48,
    ROW_CARD = 49,
    ROW_CARD_JSON = 50,
    ROW_MODEL_CONFIG = 51,
    ROW_REPORT = 52,
    ROW_REPORT_JSON = 53,
    ROW_REVISIONS = 54,
    ROW_FILE = 64,
    ROW_FOLDER = 65,
    ROW_BY_KIND = 66,
    ROW_BY_VALUE = 67,
    ROW_BY_LINK = 68,
    ROW_LOADED = 69,
    ROW_LOADED_LINK = 70,
    ROW_MODEL_OPTION = 72,
    ROW_MODEL_CONFIG_JSON = 73,
    ROW_MODEL_SCHEMA = 74,
    ROW_REVISION = 80,
    ROW_REVISION_FILES = 81,
    ROW_REVISION_SUMS = 82,
    ROW_REVISION_NAME = 83,
    ROW_REVISION_COMMIT = 84,
    ROW_REVISION_FILE = 85,
    ROW_REVISION_FOLDER = 86,
    ROW_INFER = 55,
    ROW_PROMPT = 96,
    ROW_REPLY = 97,
    ROW_REQUEST = 98,
    ROW_ERROR = 103,
    ROW_INFER_STATUS = 99,
    ROW_INFER_STATUS_JSON = 100,
    ROW_SYSTEM = 101,
    ROW_PARAMS = 102,
    ROW_ASK = 104,
    ROW_EMBED = 105,
    ROW_USAGE = 116,
    ROW_USAGE_JSON = 117,
    ROW_CHATS = 106,
    ROW_CHAT = 107,
    ROW_CHAT_PROMPT = 108,
    ROW_CHAT_REPLY = 109,
    ROW_CHAT_ERROR = 110,
    ROW_CHAT_SYSTEM = 111,
    ROW_CHAT_PARAMS = 112,
    ROW_CHAT_HISTORY = 113,
    ROW_CHAT_STATUS = 114,
    ROW_SOCKET = 115,
    ROW_AUTO_PROMPT = 118,
    ROW_AUTO_REPLY = 119,
    ROW_AUTO_ERROR = 120,
    ROW_AUTO_ASK = 121,
    ROW_AUTO_REQUEST = 122,
    ROW_AUTO_EMBED = 123,
    ROW_AUTO_STATUS = 124,
    ROW_AUTO_STATUS_JSON = 125,
    ROW_LIMIT = 128 /* bit 63 of a node number stays free: directory offsets are signed */
};

/* A directory's table: which rows are names in it. */
enum table {
    NO_TABLE,
    IN_ROOT,           /* the mountpoint */
    IN_CONFIG,         /* config/ */
    IN_JOBS,           /* jobs/ */
    IN_JOB,            /* jobs/ID/ */
    IN_SOURCE,         /* hf/ */
    IN_GROUP,          /* hf/ORG/ */
    IN_MODEL,          /* hf/ORG/NAME/ */
    IN_MODEL_CONFIG,   /* hf/ORG/NAME/config/ */
    IN_FILES,          /* hf/ORG/NAME/files/ and the folders below it */
    IN_REVISIONS,      /* hf/ORG/NAME/revisions/ */
    IN_REVISION,       /* hf/ORG/NAME/revisions/ID/ */
    IN_REVISION_FILES, /* hf/ORG/NAME/revisions/ID/files/ and the folders below it */
    IN_BY,             /* by/ */
    IN_BY_KIND,        /* by/KIND/ */
    IN_BY_VALUE,       /* by/KIND/VALUE/ */
    IN_LOADED,         /* by/loaded/ */
    IN_INFER,          /* hf/ORG/NAME/infer/ */
    IN_CHATS,          /* hf/ORG/NAME/infer/chats/ */
    IN_CHAT,           /* hf/ORG/NAME/infer/chats/CHAT/ */
    IN_AUTO,           /* auto/ */
    IN_AUTO_INFER,     /* auto/infer/ */
    TABLE_COUNT
};

/* What a node's object number is. */
enum about {
    ABOUT_TREE,   /* nothing: 0 */
    ABOUT_SOURCE, /* index in source_table */
    ABOUT_GROUP,  /* catalogue id, as those below */
    ABOUT_MODEL,
    ABOUT_FILE,
    ABOUT_JOB,
    ABOUT_REVISION,
    ABOUT_REVISION_NAME,
    ABOUT_CHAT,        /* its owner's alone: nobody else finds, lists or opens it */
    ABOUT_BY,          /* see by.h */
    ABOUT_LINK,        /* see link.h */
    ABOUT_OPTION,      /* option_number() of its name: the same in every version */
    ABOUT_MODEL_OPTION /* the model's catalogue id, and in the generation setting_number() of its name */
};

/* A name that a pattern's row found. */
struct found {
    enum row_number row;
    uint64_t object;
    uint32_t part;   /* generation: 0, or see ABOUT_MODEL_OPTION */
    uint64_t cursor; /* where a listing goes on: of 32 bits, rising */
    char name[256];
};

struct listed; /* place.h */

struct row {
    const char *name;    /* NULL: a pattern, with find() and list() */
    const char *pattern; /* how help writes it: "ORG" */
    enum table in;       /* the directory that it is in */
    enum table holds;    /* folders: what is in it */
    enum about about;
    enum node_kind kind;
    mode_t mode;                 /* permission bits */
    unsigned entry_ms, attr_ms;  /* how long the kernel may believe the name, and the attributes */
    unsigned wakes;              /* enum tree_wake bits: news upon which those who watch it wake up */
    enum command_place commands; /* NODE_CONTROL, NODE_VALUE, NODE_DOCUMENT: whose commands */
    bool is_private;             /* for admins only */
    /* NODE_VALUE, NODE_DOCUMENT: the command that what is written belongs to; NULL: `set` */
    const char *command;
    enum infer_shape shape; /* NODE_QUESTION, NODE_EXCHANGE, NODE_ASK, NODE_ANSWER: of what it is */
    bool of_files; /* it is about the model's files: not there when they are elsewhere (source->is_remote) */
    const char *help; /* one line */

    /* All but folders, streams and model files: what reading gives; of a link, where it leads, without a
     * newline. Never asks the network. 0 or an error. */
    int (*print)(const struct place *place, struct buf *to);
    /* Of a link: before it is read, what has to be there then. NULL: nothing. */
    int (*prepare)(const struct place *place);
    /* NODE_FAILURE: what it says to this user, as an open finds it; NULL: why his last question failed. */
    int (*tell)(const struct place *place, uid_t uid, struct buf *to);
    /* NODE_TEXT: what an open may wait for, once and bounded, so that print() knows more: 0, PARKED, or an
     * error. NULL: nothing. */
    int (*ready)(const struct place *place, struct wait *wait);
    /* NODE_WAIT: is something under way (then its size is 0)? And: 0, PARKED until nothing is, or an
     * error. */
    bool (*is_busy)(const struct place *place);
    int (*await)(const struct place *place, struct wait *wait);
    /* Patterns: the name in `folder`: 0 (name and cursor are not filled), PARKED, or an error (-ENOENT). */
    int (*find)(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait);
    /* Patterns: the first name whose cursor is > `after`: 0, or -ENOENT. NULL: another row of the
     * table lists these. */
    int (*list)(const struct place *folder, uint64_t after, struct found *ret_found);
    /* Patterns, instead of list() where there are many: up to `room` of them with their places, in the
     * order of their cursors; the count, or an error. */
    int (*page)(const struct place *folder, uint64_t after, struct listed *array, size_t room);
};

/* rows.c: all of them by number, those without a `help` are none; and their tables' paths. For the functions
 * below. */
extern const struct row tree_rows[ROW_LIMIT];
extern const char *const tree_table_paths[TABLE_COUNT];

/* The row of a number; NULL when there is none. */
const struct row *row_of(unsigned number);
unsigned row_number(const struct row *row);
/* The rows of a table in order of their numbers: begin with -1; NULL after the last. */
const struct row *row_next(enum table table, int after);
/* Is the row's name in folders of its table that are about this source or its models? NULL: about none. */
bool row_is_in(const struct row *row, const struct source *source);
/* The table's path for help: "", "jobs/ID/" … */
const char *table_path(enum table table);
/* What help calls the row: its name or pattern, with a slash behind folders. */
void row_title(const struct row *row, char to[static 64]);

#endif
