/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_DECLARED_H
#define WEIGHTFS_MODEL_DECLARED_H

/*
 * Engines and endpoints that the operator declares: servers elsewhere that answer for models (a URL), and
 * programs that are started to answer for a model whose files are here (a command line). They come from
 * options (`openai_url` gives the endpoint "default", `ollama_url` the endpoint "ollama"), then from files
 * (*.json in `engines_dir`), in the order of their names. docs/engines.md has the format:
 *
 *      {"engines": [
 *        {"name": "work", "url": "https://ai.example.org/v1", "key_file": "/etc/weightfs/work.key"},
 *        {"name": "vllm", "models": ["hf:*-AWQ"],
 *         "command": ["vllm", "serve", "{folder}", "--host", "127.0.0.1", "--port", "{port}"]}]}
 *
 * A file with an error is left out as a whole and is kept as a fault, with the line; the others count.
 *
 * The declarations never change once they are made: a reload makes others. They are shared by references and
 * may be read by any thread; what they hand out lives as long as the reference. Everything in a file is
 * bounded. A key is never kept: it is read when it is needed.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/option.h"

#define DECLARED_FILE_MOST     (256u << 10) /* bytes of one file */
#define DECLARED_FILES_MOST    64
#define DECLARED_MOST          256 /* declarations in all */
#define DECLARED_NAME_SIZE     33
#define DECLARED_URL_SIZE      400  /* without "/chat/completions" and the like behind it */
#define DECLARED_KEY_SIZE      4096 /* of a key, and of a header's value with it */
#define DECLARED_PATTERNS      64
#define DECLARED_ARGUMENTS     128
#define DECLARED_VARIABLES     64
#define DECLARED_ARGUMENT_MOST 4000 /* bytes of one */

extern const struct option_row declared_options[];

enum declared_kind {
    DECLARED_OPENAI, /* a URL where a server speaks OpenAI's interface */
    DECLARED_OLLAMA, /* a URL where Ollama answers: without /v1 */
    DECLARED_COMMAND /* a program, started for each model */
};

/* What a server can be asked for: bits. */
enum declared_can { DECLARED_CHAT = 1, DECLARED_COMPLETE = 2, DECLARED_EMBED = 4, DECLARED_VISION = 8 };

struct declaration {
    const char *name; /* 1 … 32 of letters, digits and - _ . , the first no sign; no other one's */
    enum declared_kind kind;
    const char *origin;          /* who says so: a file's path, or "openai_url" */
    const char *const *patterns; /* shell patterns, NULL-ended: of the server's models' names, which are shown
                                    ("*" where nobody says); for a command of keys: "hf:acme/" and more */
    unsigned can;                /* bits; 0: not said */
    unsigned slots;              /* questions at once; 0: not said */
    /* Where the address counts. */
    const char *url;          /* http or https, without a slash at its end */
    const char *key_file;     /* holds the key; NULL: none */
    const char *key_variable; /* of the environment, holds the key when there is no file; NULL: none */
    /* Where the program counts. */
    const char *const *command;     /* NULL-ended, with placeholders; [0] is a path, or a word for PATH */
    const char *const *environment; /* "NAME=value", NULL-ended, with placeholders */
    const char *health;             /* a path that answers 200 when the server is ready: "/health" */
    const char *api;                /* where the interface begins: "/v1" */
    const char *model;              /* what is said in the field `model`, with placeholders: "{name}" */
};

struct declared;

/* Reads the options and the folder that they name. Never fails: what is wrong stands among the faults. Does
 * disk work. */
struct declared *declared_load(const struct options *options);
struct declared *declared_ref(struct declared *declared);
void declared_unref(struct declared *declared);
static inline void declared_unref_scoped(struct declared **declared) {
    declared_unref(*declared);
}
#define DECLARED_CLEANUP __attribute__((cleanup(declared_unref_scoped)))

/* In the order in which they were declared; NULL after the last. */
const struct declaration *declared_at(const struct declared *declared, size_t index);
/* NULL: there is none of the name. */
const struct declaration *declared_find(const struct declared *declared, const char *name);
/* The one Ollama server; NULL: none is declared. */
const struct declaration *declared_ollama(const struct declared *declared);
/* What was left out, where and why: "…/10-mine.json: line 3: engines[0] (work).url: …". NULL after the
 * last. */
const char *declared_fault(const struct declared *declared, size_t index);

/* Does one of its patterns fit? `text` is a model's name at the server, or for a command its key. Pure. */
bool declaration_fits(const struct declaration *declaration, const char *text);
/* Is there a placeholder of that name in the command, its environment or the model? Pure. */
bool declaration_uses(const struct declaration *declaration, const char *placeholder);

/* The value of the header Authorization, read anew: "Bearer …", or "" when the endpoint has no key. -EACCES
 * with a sentence that names the file when it can't be read or holds no key. `to` is the caller's to wipe;
 * what is in it never comes into the log. Does disk work. */
int declaration_authorization(const struct declaration *declaration, char to[static DECLARED_KEY_SIZE],
    struct reason *reason);

/* What stands for a word in braces; NULL: it is no placeholder. */
struct placeholder {
    const char *name; /* "port"; NULL ends the array */
    const char *value;
};
/* `text` with its placeholders replaced, added to `to`. Braces around anything else stay. Pure. */
void declared_expand(const char *text, const struct placeholder *placeholders, struct buf *to);

/* One file's text (of `len` bytes) alone, as declared_load() takes it: 0, or -ERR_CONFIG with the line and
 * the reason. `allow_http`: plain http to other machines is fine. For tests and fuzzing; pure. */
int declared_read(const char *name, const char *text, size_t len, bool allow_http,
    struct declared **ret_declared, struct reason *reason);

#endif
