/* SPDX-License-Identifier: Apache-2.0 */
#include "manage/unsafe.h"

#include <stdlib.h>
#include <string.h>

#include "manage/internal.h"
#include "manage/setting.h"
#include "model/catalog_check.h"
#include "model/catalog_setting.h"
#include "model/format.h"

#define SETTING "unsafe_formats"

/* It stays on once it was on: who asks in vain pays little. */
void unsafe_watch(struct manage *manage) {
    char word[16];
    (void)options_text(manage->settings.options, SETTING, word, sizeof word);
    if (strcmp(word, "refuse") == 0 ||
        catalog_has_model_setting(manage->settings.catalog, SETTING, "refuse") != 0)
        atomic_store(&manage->unsafe_watched, true);
}

bool unsafe_is_watched(const struct manage *manage) {
    return atomic_load_explicit(&manage->unsafe_watched, memory_order_relaxed);
}

static bool runs_code(const char *path) {
    return format_row(format_of_path(path))->risk == FORMAT_RISK_CODE;
}

static int scanned_of(struct manage *manage, const char *digest, struct catalog_check *check) {
    *check = (struct catalog_check){.scanned = CHECK_NEVER_SCANNED};
    int result = catalog_check(manage->settings.catalog, digest, check);
    return result == -ENOENT ? CHECK_NEVER_SCANNED : result < 0 ? FINDING_ERROR : check->scanned;
}

bool unsafe_is_risky(struct manage *manage, const char *path, const char *digest) {
    struct catalog_check check;
    return runs_code(path) || scanned_of(manage, digest, &check) == FINDING_DANGER;
}

static bool refuses(struct manage *manage, const struct catalog_model *model) {
    char word[16];
    model_setting_text(manage, model, SETTING, word, sizeof word);
    return strcmp(word, "refuse") == 0;
}

static int judge(struct manage *manage, const struct catalog_file *file, struct reason *reason) {
    struct catalog_check check;
    int scanned = scanned_of(manage, file->digest, &check);
    if (scanned != FINDING_DANGER && !runs_code(file->path))
        return 0; /* malformed perhaps, but nothing that runs */
    if (scanned == CHECK_NEVER_SCANNED)
        return err_because(reason, -ERR_UNSAFE,
            "%s can run code when it is loaded and nobody has looked into it yet; `pull` or `validate` does",
            file->path);
    if (scanned < FINDING_DANGER)
        return 0;
    return err_because(reason, -ERR_UNSAFE, "%s: %s", file->path, check.scan_text);
}

int unsafe_judge(struct manage *manage, const struct catalog_model *model, const struct catalog_file *file,
    struct reason *reason) {
    return refuses(manage, model) ? judge(manage, file, reason) : 0;
}

int unsafe_find(struct manage *manage, const struct catalog_model *model, struct reason *reason) {
    if (!unsafe_is_watched(manage) || !model->revision_id || !refuses(manage, model))
        return 0;
    struct catalog_file *page = mem_array(FILES_A_PAGE, sizeof *page);
    int64_t after_id = 0;
    int count, result = 0;
    while (!result && (count = catalog_list_files(manage->settings.catalog, model->revision_id, true,
                           after_id, page, FILES_A_PAGE)) > 0) {
        for (int i = 0; !result && i < count; i++)
            if (*page[i].digest)
                result = judge(manage, &page[i], reason);
        after_id = page[count - 1].id;
    }
    free(page);
    return result;
}
