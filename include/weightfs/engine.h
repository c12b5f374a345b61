/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_ENGINE_H
#define WEIGHTFS_ENGINE_H

/*
 * The interface of engines: how a place comes to be that answers for a model.
 *
 * An engine starts (or finds) a server that speaks OpenAI's HTTP interface for one model, and says where
 * it is: its *endpoint*. Questions, streams, queues, memory and errors are the same for all engines and
 * not theirs. A new engine is a `struct engine` in the table engine_table (src/infer/table.c); the first row
 * that can load a model does. Most need none of this: a declared command line (docs/engines.md) does, too.
 *
 * The life of one instance:
 *
 *      can_load(model)?            yes: this engine it is
 *      start(start, &instance)     begins; an error with a sentence, and there is no instance
 *        events.moved()            as often as something shows that it is under way
 *        events.ready(endpoint)    it answers: questions go there from now on
 *      stop(instance)              it is to end: at any time after start(), also before `ready`; also again
 *        events.ended(error)       it has ended: nothing of it is alive, and it tells nothing more
 *      free(instance)
 *
 * All functions are called on one thread, the desk of the floor infer, and must not wait, neither for a
 * network nor for a process: what takes time is begun, and told later by events.…, from any thread, also from
 * within start() or stop(), with no lock held. After a start() that went well the engine tells exactly one
 * `ready` or one `ended`; after `ready` exactly one `ended`, with 0 when stop() asked for it, or whenever
 * the server ends by itself, with an error and the server's own words. How long a start may take, when it
 * is unloaded, and what is asked again when it died, is not the engine's to decide.
 *
 * What an engine may use: start.loop asks by HTTP (outside/http.h; its thread is where answers come), and
 * start.folder is its own. A server as a child is src/infer/child_engine.h's work, which three lines call.
 * Settings are rows in `options`, read by engine_number() and engine_text(), so that a model's own config/
 * goes before the whole's. Secrets belong into endpoint.authorization and nowhere else: they are wiped, and
 * log_secret() (base/log.h) keeps them out of every line.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/option.h"

struct declared;
struct http_loop;

#define ENGINE_URL_SIZE    512
#define ENGINE_SOCKET_SIZE 108 /* sun_path's, with the NUL */
#define ENGINE_MODEL_SIZE  256
#define ENGINE_SECRET_SIZE 4096

/* What can be asked at an endpoint. */
enum engine_ability {
    ENGINE_CHAT = 1,     /* POST /chat/completions */
    ENGINE_COMPLETE = 2, /* POST /completions: raw text goes on */
    ENGINE_EMBED = 4,    /* POST /embeddings */
    ENGINE_VISION = 8    /* chats with images in them */
};

/* Where a model is asked. Plain data. */
struct engine_endpoint {
    char url[ENGINE_URL_SIZE];              /* without a slash at its end: "http://localhost/v1" */
    char unix_socket[ENGINE_SOCKET_SIZE];   /* "": TCP */
    char model[ENGINE_MODEL_SIZE];          /* what the field `model` has to say */
    char authorization[ENGINE_SECRET_SIZE]; /* "Bearer …", sent to this url only; "": none. Never logged */
    unsigned can;   /* enum engine_ability bits; 0: not known, and the server itself says what it can't */
    unsigned slots; /* questions that it answers at once; 0: as the setting `slots` says */
    uint64_t memory_bytes, vram_bytes; /* that the model takes at a server elsewhere; 0: not known */
};

/* One file of the model, complete, verified and in use for as long as the engine runs. */
struct engine_file {
    const char *name; /* as the repository calls it: "model-00001-of-00003.gguf" */
    const char *path; /* of the bytes, on the store's disk */
    uint64_t size;
};

struct engine_events {
    /* It answers. The endpoint is copied. */
    void (*ready)(void *context, const struct engine_endpoint *endpoint);
    /* Something moved while it starts: its deadline begins again. */
    void (*moved)(void *context);
    /* It is over: 0 when stop() asked for it, else an error with the engine's own words. */
    void (*ended)(void *context, int error, const char *sentence);
    void *context;
};

/* A model, as engines are told of it. Valid during the call only. */
struct engine_model {
    const char *key;                 /* "hf:acme/tiny", "openai:ENDPOINT/NAME": for people, and unique */
    const char *source;              /* "hf" */
    const char *name;                /* within the source: "acme/tiny" */
    const char *category;            /* of the registry or the card: "llm"; "" unknown */
    const struct engine_file *files; /* the first is the one to load */
    size_t file_count;               /* 0 for an engine that needs no files */
    const char *wanted;              /* what the setting `engine` says; "": nobody chose */
    const struct declared *declared; /* what the operator declared, now: who needs it for longer has a
                                        reference of his own (model/declared.h) */
};

struct engine_start {
    struct engine_model model;
    const char *folder; /* empty, the engine's own, mode 0700; removed with all in it after free(). A short
                           path: sockets fit. "" for an engine that needs no files */
    const struct options *options;       /* of the whole; live for as long as the engine runs */
    const struct options *model_options; /* settings of the model; during the call only */
    struct http_loop *loop;              /* for asking whether it answers */
    struct engine_events events;
};

struct engine_instance; /* the engine's own */

struct engine {
    const char *name; /* "llama" */
    const char *help;
    const struct option_row *options; /* of the whole; NULL */
    /* false: it is for models that are served elsewhere. It is asked before anybody looks for files, and
     * nothing is fetched or held for it. */
    bool needs_files;
    /* It wants all selected files, of whatever format, not only those of a GGUF: can_load() is asked before
     * anybody looks for files, with none. */
    bool takes_all;
    /* Where its program lies, for one that starts one: into `to`. -ENOENT … with what to do. Any thread.
     * NULL: there is none of its own. */
    int (*find)(const struct options *options, char *to, size_t size, struct reason *reason);
    /* Is this a model for it? By key, category, and names and sizes of the files. Quick. */
    bool (*can_load)(const struct engine_model *model, const struct options *options);
    int (*start)(const struct engine_start *start, struct engine_instance **ret_instance,
        struct reason *reason);
    void (*stop)(struct engine_instance *instance); /* `ended` comes */
    void (*free)(struct engine_instance *instance); /* after `ended` */
    /* The process whose memory, with that of its children, is the model's; 0: none that is known. NULL: it
     * never is. */
    int (*process)(struct engine_instance *instance);
    /* For an engine that stands for several: what people call this one, valid until free(). can_load() then
     * looks at model->wanted by itself. NULL: it is called by its own name, which is what `wanted` says. */
    const char *(*name_of)(const struct engine_instance *instance);
};

/* The value in force for the model that is started: its own setting where it has one of that name, else the
 * option of the whole. A name that neither has is our own mistake and aborts. During start() only. */
int64_t engine_number(const struct engine_start *start, const char *name);
/* "" and false: unset. */
bool engine_text(const struct engine_start *start, const char *name, char *to, size_t size);

#endif
