/* SPDX-License-Identifier: Apache-2.0 */

/* plan: what a pull would do. */

#include <inttypes.h>
#include <stdlib.h>

#include "manage/setting.h"
#include "manage/card.h"
#include "model/variant.h"
#include "tree/inside.h"
#include "tree/place.h"
#include "tree/print.h"
#include "tree/sheet.h"

#define MOST_VARIANTS 256
#define BATCH         64

struct choice {
    char name[NAME_VARIANT_SIZE];
    uint64_t files, bytes;
    bool selected;
};

struct choices {
    struct choice array[MOST_VARIANTS];
    size_t count;
};

static void choice_add(struct choices *choices, const struct catalog_file *file) {
    size_t i = 0;
    while (i < choices->count && !variant_equal(choices->array[i].name, file->variant))
        i++;
    if (i == MOST_VARIANTS)
        return;
    struct choice *choice = &choices->array[i];
    if (i == choices->count) {
        choices->count++;
        (void)text_copy(choice->name, sizeof(choice->name), file->variant); /* is of that size */
    }
    choice->files++;
    choice->bytes += file->size;
    choice->selected |= file->selected;
}

static int choices_find(const struct place *place, struct choices *choices) {
    struct catalog_file *files = mem_array(BATCH, sizeof(*files));
    int64_t after = 0;
    int count;
    while ((count = catalog_list_files(place->tree->catalog, place->model.revision_id, false, after, files,
                BATCH)) > 0) {
        for (int i = 0; i < count; i++)
            if (files[i].variant[0])
                choice_add(choices, &files[i]);
        after = files[count - 1].id;
    }
    free(files);
    return count;
}

/* What a pull without a variant takes: the model's setting, while it has that one. */
static size_t find_default(const struct place *place, const struct choices *choices,
    const char *const *names) {
    char wanted[NAME_VARIANT_SIZE];
    if (model_setting_text(place->tree->settings.manage, &place->model, "variant", wanted, sizeof(wanted)))
        for (size_t i = 0; i < choices->count; i++)
            if (variant_equal(names[i], wanted))
                return i;
    return choices->count ? variant_default(names, choices->count) : 0;
}

static void choices_print(const struct place *place, const struct choices *choices, struct sheet *sheet) {
    const char *names[MOST_VARIANTS];
    char words[HUMAN_SIZE];
    for (size_t i = 0; i < choices->count; i++)
        names[i] = choices->array[i].name;
    size_t fallback = find_default(place, choices, names);
    for (size_t i = 0; i < choices->count; i++) {
        const struct choice *choice = &choices->array[i];
        sheet_member(sheet, "variant");
        (void)buf_format(sheet->to, "%s, %" PRIu64 " file%s, %s%s%s\n", choice->name, choice->files,
            choice->files == 1 ? "" : "s", human_bytes(words, choice->bytes),
            choice->selected ? ", selected" : "", i == fallback ? ", default" : "");
    }
}

/* What stands in the card: left out where that is not known. */
static void memory_print(const struct place *place, struct sheet *sheet) {
    CARD_CLEANUP struct card card = {.type_count = 0};
    if (!card_of(place->tree->settings.manage, &place->model, &card))
        card_print_memory(&card, sheet);
}

static void plan_print(const struct place *place, const struct model_report *report,
    const struct choices *choices, struct buf *to) {
    struct tree *tree = place->tree;
    struct store_figures store;
    struct reason reason = {""};
    store_look(tree->store, &store);
    int room = pull_room_beside(tree->settings.manage, place->model.id, report->bytes_total,
        report->bytes_missing, &reason);
    uint64_t after =
        store.disk_free_bytes > report->bytes_missing ? store.disk_free_bytes - report->bytes_missing : 0;

    struct sheet sheet;
    sheet_begin(&sheet, to, false);
    sheet_text(&sheet, "selected", report->variants);
    sheet_number(&sheet, "files", report->files_total);
    sheet_number(&sheet, "files_here", report->files_here);
    sheet_bytes(&sheet, "bytes_total", report->bytes_total);
    sheet_bytes(&sheet, "bytes_here", report->bytes_here);
    sheet_bytes(&sheet, "bytes_to_fetch", report->bytes_missing);
    sheet_bytes(&sheet, "disk_free", store.disk_free_bytes);
    sheet_bytes(&sheet, "disk_free_after", after);
    sheet_bool(&sheet, "fits", !room);
    sheet_text(&sheet, "reason", room ? err_text(&reason, room) : NULL);
    memory_print(place, &sheet);
    if (place->model.locked)
        sheet_text(&sheet, "locked", err_text(&place->model.reason, -ERR_GATED));
    choices_print(place, choices, &sheet);
    sheet_end(&sheet);
}

int print_plan(const struct place *place, struct buf *to) {
    struct model_report report;
    int result = model_report(place->tree->settings.manage, &place->model, &report);
    if (result < 0)
        return result;
    struct choices *choices = mem_new(sizeof(*choices));
    result = choices_find(place, choices);
    if (result >= 0)
        plan_print(place, &report, choices, to);
    free(choices);
    return result;
}
