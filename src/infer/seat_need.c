/* SPDX-License-Identifier: Apache-2.0 */
/* What loading a model takes, from the heads of its files and its settings. Desk. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/option_parse.h"
#include "base/path.h"
#include "infer/inside.h"
#include "manage/card.h"
#include "manage/setting.h"
#include "model/format.h"

/* ---- stamps: what is the same has the same */

static uint64_t stamp_text(uint64_t stamp, const char *text) {
    do
        stamp = (stamp ^ (unsigned char)*text) * 1099511628211u; /* FNV-1a, with the NUL */
    while (*text++);
    return stamp;
}

static bool is_of_engine(const struct engine *engine, const char *name) {
    const struct option_row *row = engine ? engine->options : NULL;
    while (row && row->name && strcmp(row->name, name) != 0)
        row++;
    return (row && row->name) || strcmp(name, "engine") == 0;
}

static uint64_t stamp_settings(const struct seat *seat, const struct options *options) {
    const struct option_row *row;
    uint64_t stamp = 14695981039346656037u;
    for (size_t i = 0; (row = options_row(options, i)); i++) {
        char value[OPTION_TEXT_SIZE];
        if (!is_of_engine(seat->engine, row->name))
            continue;
        options_show(options, i, value, sizeof value, NULL, 0);
        stamp = stamp_text(stamp_text(stamp, row->name), value);
    }
    return stamp;
}

void seat_read_settings(struct seat *seat) {
    struct infer *infer = seat->infer;
    struct manage *manage = infer->settings.manage;
    unsigned version = atomic_load(&infer->settings_version);
    struct catalog_model model;
    if (seat->settings.version == version)
        return;
    if (catalog_model(manage_catalog(manage), seat->model_id, &model) < 0) {
        if (!seat->settings.version) /* else they stay what they were */
            seat->settings.keep_s = options_number(infer->settings.options, "keep_alive_s");
        return;
    }
    struct options *options = model_options_new(manage, &model);
    seat->settings = (struct seat_settings){.version = version,
        .keep_s = options_number(options, "keep_alive_s"),
        .stamp = stamp_settings(seat, options)};
    options_free(options);
}

static uint64_t stamp_of(const struct seat *seat) {
    uint64_t stamp = seat->settings.stamp;
    for (size_t i = 0; i < seat->file_count; i++)
        stamp = stamp_text(stamp_text(stamp, seat->files[i].name), seat->files[i].path);
    return stamp ? stamp : 1;
}

/* ---- the card: of exactly the files that are loaded */

static bool is_projector(const struct seat_file *file) {
    const char *slash = strrchr(file->name, '/');
    return strncmp(slash ? slash + 1 : file->name, "mmproj", 6) == 0;
}

static ssize_t read_at(void *context, void *to, size_t size, uint64_t offset) {
    ssize_t len = pread(*(const int *)context, to, size, (off_t)offset);
    return len < 0 ? -errno : len;
}

static int read_head(struct card *card, const struct seat_file *file) {
    struct blob_info info;
    blob_look(file->blob, &info);
    if (info.state != BLOB_COMPLETE || format_of_path(file->name) != FORMAT_GGUF)
        return -ENODATA; /* reading what is not here would wait for it */
    FD_CLEANUP int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    const struct format_reader reader = {read_at, &fd, file->size};
    return fd < 0 ? -errno : card_read_gguf(card, file->name, &reader);
}

/* What is kept of the model is as good, but for another variant of it. */
static void read_card(struct seat *seat, struct card *ret_card) {
    struct card card = {.type_count = 0};
    struct catalog_model model;
    int error = seat->file_count ? 0 : -ENODATA;
    for (size_t i = 0; i < seat->file_count && !error; i++)
        if (!is_projector(&seat->files[i]))
            error = read_head(&card, &seat->files[i]);
    if (error) {
        card_done(&card);
        if (catalog_model(manage_catalog(seat->infer->settings.manage), seat->model_id, &model) == 0)
            (void)card_of(seat->infer->settings.manage, &model, &card); /* an empty one tells nothing */
        card.weights_bytes = 0;                                         /* of the files at hand */
    }
    card_conclude(&card);
    *ret_card = card;
}

/* ---- the need */

bool seat_wants_gpu(struct seat *seat) {
    char device[64] = "";
    (void)seat_text(seat, "device", device, sizeof device); /* too long: not the processor */
    return seat_number(seat, "gpu_layers") != 0 && strcmp(device, "cpu") != 0;
}

/* Does it keep weights of 4 bits twice? llama.cpp does on a processor, unless it is told not to. */
static bool repacks(struct seat *seat) {
    char words[OPTION_TEXT_SIZE];
    return strcmp(seat->engine->name, "llama") == 0 &&
           !(seat_text(seat, "llama_arguments", words, sizeof words) && strstr(words, "--no-repack"));
}

/* As many as fit, as engines do when nobody says how many. */
static void fit_layers(const struct card *card, struct card_load *load, uint64_t vram_budget,
    struct card_need *need) {
    uint64_t layers = card->layers ? card->layers : 1;
    load->gpu_layers = UINT64_MAX;
    card_need(card, load, need);
    for (uint64_t more = layers < 10000 ? layers : 10000; more && need->vram > vram_budget; more--) {
        load->gpu_layers = more - 1;
        card_need(card, load, need);
    }
}

void seat_find_need(struct seat *seat, const struct gpu_figures *gpus, uint64_t vram_budget) {
    CARD_CLEANUP struct card card = {.type_count = 0};
    char key_type[16], value_type[16];
    uint64_t stamp = stamp_of(seat);
    if (stamp == seat->memory.stamp && !gpus->total)
        return;
    if (stamp != seat->memory.stamp)
        seat->memory.resident = 0;
    (void)seat_text(seat, "cache_type_k", key_type, sizeof key_type);
    (void)seat_text(seat, "cache_type_v", value_type, sizeof value_type);
    int64_t layers = gpus->total && seat_wants_gpu(seat) ? seat_number(seat, "gpu_layers") : 0;
    struct card_load load = {.tokens = (uint64_t)seat_number(seat, "context_tokens"),
        .slots = (uint64_t)seat_number(seat, "slots"),
        .key_type = key_type,
        .value_type = value_type,
        .repacks = repacks(seat),
        .gpu_layers = layers > 0 ? (uint64_t)layers : 0};
    for (size_t i = 0; i < seat->file_count; i++)
        *(is_projector(&seat->files[i]) ? &load.projector_bytes : &load.weights_bytes) += seat->files[i].size;
    read_card(seat, &card);
    card_need(&card, &load, &seat->memory.need);
    if (layers < 0)
        fit_layers(&card, &load, vram_budget, &seat->memory.need);
    seat->memory.stamp = stamp;
}
