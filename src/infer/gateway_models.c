/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/models: what is known and may be answered for by an engine, be its weights here or not. */

#include <stdlib.h>
#include <string.h>

#include "infer/inside.h"
#include "infer/gateway_inside.h"
#include "manage/known.h"
#include "model/catalog_by.h"
#include "model/declared.h"

#define PAGE        64
#define MODELS_MOST 4096 /* in one list */

static void print(const struct catalog_model *model, struct buf *to) {
    char key[NAME_KEY_SIZE], owner[NAME_MODEL_SIZE];
    name_format(model->source, model->name, key);
    (void)text_copy(owner, sizeof owner, model->name); /* of the same size */
    owner[strcspn(owner, "/")] = '\0';
    (void)buf_text_add(to, "{\"id\":");
    (void)buf_json_string(to, key);
    (void)buf_format(to, ",\"object\":\"model\",\"created\":%lld,\"owned_by\":",
        (long long)(model->modified_ms ? model->modified_ms : model->added_ms) / 1000);
    (void)buf_json_string(to, strcmp(owner, model->name) != 0 ? owner : model->source);
    (void)buf_text_add(to, "}");
}

/* By what is known without a look into files. Who is not listed may be asked all the same. */
static bool may_answer(struct catalog *catalog, const struct declared *declared,
    const struct catalog_model *model) {
    struct catalog_labels labels;
    const struct declaration *declaration;
    char key[NAME_KEY_SIZE];
    if (model->state == STATE_REMOTE)
        return true;
    if (catalog_labels(catalog, model->id, &labels) == 0 && strcmp(labels.format, "gguf") == 0)
        return true;
    name_format(model->source, model->name, key);
    for (size_t i = 0; (declaration = declared_at(declared, i)); i++)
        if (declaration->kind == DECLARED_COMMAND && declaration_fits(declaration, key))
            return true;
    return false;
}

static void print_all(struct gateway *gateway, struct buf *to) {
    struct manage *manage = gateway->infer->settings.manage;
    struct catalog *catalog = manage_catalog(manage);
    struct declared *declared DECLARED_CLEANUP = manage_declared(manage);
    struct catalog_model *page = mem_array(PAGE, sizeof *page);
    int64_t after_id = 0;
    unsigned listed = 0;
    int count;
    while (listed < MODELS_MOST && (count = catalog_list_models(catalog, 0, after_id, page, PAGE)) > 0)
        for (int i = 0; i < count; i++) {
            after_id = page[i].id;
            if (listed == MODELS_MOST || !may_answer(catalog, declared, &page[i]))
                continue;
            if (listed++)
                (void)buf_text_add(to, ",");
            print(&page[i], to);
        }
    free(page);
}

int model_print(struct gateway *gateway, int64_t model_id, struct buf *to) {
    struct catalog_model model;
    int error = catalog_model(manage_catalog(gateway->infer->settings.manage), model_id, &model);
    if (error < 0)
        return -ERR_STALE;
    print(&model, to);
    return 0;
}

void models_print(struct gateway *gateway, int64_t model_id, struct buf *to) {
    (void)buf_text_add(to, "{\"object\":\"list\",\"data\":[");
    if (model_id == ALL_MODELS)
        print_all(gateway, to);
    else
        (void)model_print(gateway, model_id, to); /* forgotten meanwhile: an empty list */
    (void)buf_text_add(to, "]}");
}
