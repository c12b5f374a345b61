/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of this floor, as rows beside manage's: they run on manage's desk. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bus.h"
#include "infer/body.h"
#include "infer/inside.h"
#include "infer/params.h"
#include "model/catalog_text.h"

#define SAY(reason, ...) ((void)err_because((reason), 0, __VA_ARGS__))

static struct infer *infer_of(struct manage *manage, struct reason *reason) {
    struct infer *infer = command_context(manage);
    if (!infer)
        (void)err_because(reason, -EOPNOTSUPP, "there is no endpoint");
    return infer;
}

/* ---- load, unload */

static int parse_nothing(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)manage, (void)request;
    return *arguments ? err_because(reason, -ERR_BAD_VALUE, "it takes no arguments") : 0;
}

static int parse_force(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)manage, (void)request;
    return *arguments && strcmp(arguments, "force") != 0
               ? err_because(reason, -ERR_BAD_VALUE, "it takes `force`, or nothing")
               : 0;
}

static int run_load(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    struct infer *infer = infer_of(manage, reason);
    if (!infer)
        return -EOPNOTSUPP;
    SAY(reason, "it is being loaded; infer/status tells");
    return infer_load(infer, request->id, *arguments ? LOAD_FORCED : LOAD_USUAL);
}

static int run_unload(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    struct infer *infer = infer_of(manage, reason);
    if (!infer)
        return -EOPNOTSUPP;
    SAY(reason,
        *arguments ? "it is being unloaded" : "it is unloaded once it has answered what it was asked");
    return request->place == COMMAND_ROOT ? infer_unload_all(infer, *arguments != 0)
                                          : infer_unload(infer, request->id, *arguments != 0);
}

/* ---- silence */

static int run_silence(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)arguments;
    struct infer *infer = infer_of(manage, reason);
    if (!infer)
        return -EOPNOTSUPP;
    SAY(reason, "questions that were ended: %u", infer_cancel_model(infer, request->id));
    return 0;
}

/* ---- system, param: texts of the model */

static int keep(struct manage *manage, int64_t model_id, const char *name, const char *text) {
    int result = catalog_set_text(manage_catalog(manage), model_id, name, text);
    if (result == 0)
        bus_publish(&(struct news){.kind = NEWS_SETTING, .id = model_id, .text = name});
    return result;
}

static int parse_system(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)manage, (void)request;
    if (!*arguments)
        return err_because(reason, -ERR_BAD_VALUE, "it takes a text, or `none`");
    return body_check(arguments, strlen(arguments), reason);
}

static int run_system(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)reason;
    return keep(manage, request->id, "system", strcmp(arguments, "none") == 0 ? NULL : arguments);
}

static int parse_param(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)manage, (void)request;
    struct buf text BUF_CLEANUP = BUF_INIT;
    if (!*arguments)
        return err_because(reason, -ERR_BAD_VALUE, "it takes `NAME VALUE`, `NAME` to unset it, or `none`");
    return strcmp(arguments, "none") == 0 ? 0 : params_read(arguments, "", &text, reason);
}

static int run_param(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    struct buf former BUF_CLEANUP = BUF_INIT, text BUF_CLEANUP = BUF_INIT;
    int result = 0;
    if (strcmp(arguments, "none") != 0) {
        (void)catalog_text(manage_catalog(manage), request->id, "params", &former); /* none is none */
        result = params_read(arguments, buf_text(&former), &text, reason);
    }
    return result < 0 ? result : keep(manage, request->id, "params", buf_text(&text));
}

/* clang-format off */
const struct command_row infer_commands[] = {
    { "load", "[force]", COMMAND_MODEL,
      "load the model into an engine now; it is pulled if it is not here; force: whatever the budgets say",
      parse_force, run_load, 0 },
    { "unload", "[force]", COMMAND_MODEL | COMMAND_ROOT,
      "unload it (at the root: all that are loaded) once it has answered; force: at once",
      parse_force, run_unload, 0 },
    { "silence", "", COMMAND_MODEL,
      "end all questions to it, also those that it is answering", parse_nothing, run_silence, 0 },
    { "system", "TEXT|none", COMMAND_MODEL,
      "the default system prompt, as a write into infer/system does", parse_system, run_system, 0 },
    { "param", "NAME [VALUE]|none", COMMAND_MODEL,
      "a default parameter, as a line in infer/params does", parse_param, run_param, 0 },
    { NULL, NULL, 0, NULL, NULL, NULL, 0 },
};
/* clang-format on */
