/* SPDX-License-Identifier: Apache-2.0 */
/* Which engines there are, for people: the programs of those that start one, and what is declared. */

#include <limits.h>

#include "infer/child_engine.h"
#include "infer/inside.h"
#include "manage/known.h"

static void tell_built_in(const struct options *options, const struct engine *engine, struct buf *to) {
    char program[PATH_MAX];
    struct reason reason = {""};
    int error = engine->find(options, program, sizeof program, &reason);
    (void)buf_format(to, "%s%s ", to->len ? ", " : "", engine->name); /* no limit, as below */
    if (error < 0)
        (void)buf_format(to, "(%s)", err_text(&reason, error));
    else
        (void)buf_text_add(to, program);
}

static void tell_declared(const struct declaration *declaration, struct buf *to) {
    char program[PATH_MAX];
    (void)buf_format(to, " %s", declaration->name);
    if (declaration->kind == DECLARED_COMMAND &&
        child_find(declaration->command[0], program, sizeof program) < 0)
        (void)buf_format(to, " (%s is not there)", declaration->command[0]);
}

void infer_tell_engines(const struct infer *infer, struct buf *to) {
    struct declared *declared DECLARED_CLEANUP = manage_declared(infer->settings.manage);
    const struct declaration *declaration;
    for (size_t i = 0; engine_table[i]; i++)
        if (engine_table[i]->find)
            tell_built_in(infer->settings.options, engine_table[i], to);
    (void)buf_text_add(to, declared_at(declared, 0) ? "; declared:" : "; none declared");
    for (size_t i = 0; (declaration = declared_at(declared, i)); i++)
        tell_declared(declaration, to);
}
