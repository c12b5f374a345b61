/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of a model's endpoint: system and params. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "infer/body.h"
#include "infer/inside.h"
#include "infer/params.h"
#include "model/catalog_text.h"

#define TEXT_LIMIT (1u << 20)

/* A text on its way to the disk. */
struct saving {
    struct work work;
    struct infer *infer;
    int64_t model_id;
    char name[16];
    char *text;
};

static void save(struct work *work) {
    struct saving *saving = list_entry(work, struct saving, work);
    struct catalog *catalog = manage_catalog(saving->infer->settings.manage);
    int error = catalog_set_text(catalog, saving->model_id, saving->name, saving->text);
    if (error < 0)
        log_error("%s of model %lld can't be kept: %s", saving->name, (long long)saving->model_id,
            err_sentence(error));
    free(saving->text);
    free(saving);
}

void infer_text(struct infer *infer, int64_t model_id, const char *name, struct buf *to) {
    (void)catalog_text(manage_catalog(infer->settings.manage), model_id, name, to);
}

static int read_params(struct infer *infer, int64_t model_id, const char *text, bool merge,
    struct buf *ret_text, struct reason *reason) {
    struct buf former BUF_CLEANUP = BUF_INIT;
    if (merge)
        infer_text(infer, model_id, "params", &former);
    return params_read(text, buf_text(&former), ret_text, reason);
}

int infer_set_text(struct infer *infer, int64_t model_id, const char *name, const char *text, size_t len,
    bool merge, struct reason *reason) {
    struct buf whole BUF_CLEANUP = BUF_INIT;
    if (len > TEXT_LIMIT)
        return err_because(reason, -E2BIG, "%s may have %u MiB", name, TEXT_LIMIT >> 20);
    int error = body_check(text, len, reason);
    if (error < 0)
        return error;
    if (merge && strcmp(name, "system") == 0)
        infer_text(infer, model_id, name, &whole);
    (void)buf_add(&whole, text, len);
    if (strcmp(name, "params") == 0) {
        char *lines TEXT_CLEANUP = buf_take(&whole);
        error = read_params(infer, model_id, lines ? lines : "", merge, &whole, reason);
        if (error < 0)
            return error;
    }
    struct saving *saving = mem_new(sizeof *saving);
    saving->work.run = save;
    saving->infer = infer;
    saving->model_id = model_id;
    (void)text_copy(saving->name, sizeof saving->name, name);
    saving->text = mem_text(buf_text(&whole));
    pool_submit(infer->desk, &saving->work);
    return 0;
}
