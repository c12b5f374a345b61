/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/openai.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "model/declared.h"

#define SLOTS 8 /* questions at once, where nobody says: the server has limits of its own */

_Static_assert(DECLARED_URL_SIZE <= ENGINE_URL_SIZE, "a declared address fits into an endpoint");
_Static_assert(DECLARED_KEY_SIZE <= ENGINE_SECRET_SIZE, "a key fits into an endpoint");
_Static_assert((int)DECLARED_CHAT == (int)ENGINE_CHAT && (int)DECLARED_COMPLETE == (int)ENGINE_COMPLETE &&
                   (int)DECLARED_EMBED == (int)ENGINE_EMBED && (int)DECLARED_VISION == (int)ENGINE_VISION,
    "what is declared is what endpoints can");

struct engine_instance {
    struct engine_events events;
    bool ended;
};

/* "work/google/gemma-3" is google/gemma-3 at the endpoint work: its declaration, NULL when there is none. */
static const struct declaration *find(const struct engine_model *model, const char **ret_model) {
    const char *slash = strchr(model->name, '/');
    char name[DECLARED_NAME_SIZE];
    if (!slash || slash - model->name >= (ptrdiff_t)sizeof name)
        return NULL;
    (void)snprintf(name, sizeof name, "%.*s", (int)(slash - model->name), model->name);
    const struct declaration *declaration = declared_find(model->declared, name);
    *ret_model = slash + 1;
    return declaration && declaration->kind == DECLARED_OPENAI ? declaration : NULL;
}

static int start(const struct engine_start *start, struct engine_instance **ret_instance,
    struct reason *reason) {
    struct engine_endpoint endpoint = {.slots = SLOTS};
    const char *model = "";
    const struct declaration *declaration = find(&start->model, &model);
    if (!declaration)
        return err_because(reason, -ENOENT,
            "%s: no endpoint of that name is declared any more (openai_url, or a file in engines_dir)",
            start->model.key);
    int error = declaration_authorization(declaration, endpoint.authorization, reason);
    if (error < 0)
        return error;
    struct engine_instance *instance = mem_new(sizeof *instance);
    instance->events = start->events;
    (void)text_copy(endpoint.url, sizeof endpoint.url, declaration->url); /* both fit */
    (void)text_copy(endpoint.model, sizeof endpoint.model, model);
    endpoint.can = declaration->can;
    if (declaration->slots)
        endpoint.slots = declaration->slots;
    *ret_instance = instance;
    instance->events.ready(instance->events.context, &endpoint);
    explicit_bzero(endpoint.authorization, sizeof endpoint.authorization);
    return 0;
}

static void stop(struct engine_instance *instance) {
    bool is_new = !instance->ended;
    instance->ended = true;
    if (is_new)
        instance->events.ended(instance->events.context, 0, "");
}

static void let_go(struct engine_instance *instance) {
    free(instance);
}

static bool can_load(const struct engine_model *model, const struct options *options) {
    (void)options;
    return strcmp(model->source, "openai") == 0;
}

const struct engine openai_engine = {
    .name = "openai",
    .help = "models behind servers that speak OpenAI's interface, with a key",
    .can_load = can_load,
    .start = start,
    .stop = stop,
    .free = let_go,
};
