/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/kind.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "infer/inside.h"
#include "manage/card.h"
#include "manage/known.h"
#include "model/catalog_by.h"
#include "model/card.h"

#define TALKS (ENGINE_CHAT | ENGINE_COMPLETE)

static const struct kind_row rows[] = {
    {"llm", TALKS, "a language model"},
    {"text-generation", TALKS, "a language model"},
    {"text2text-generation", TALKS, "a language model"},
    {"diffusion-lm", TALKS, "a language model"},
    {"multimodal", TALKS, "a language model that sees"},
    {"image-text-to-text", TALKS, "a language model that sees"},
    {"any-to-any", TALKS, "a language model that sees"},
    {"embedding", ENGINE_EMBED, "an embedding model"},
    {"feature-extraction", ENGINE_EMBED, "an embedding model"},
    {"sentence-similarity", ENGINE_EMBED, "an embedding model"},
    {"reranker", 0, "a reranking model"},
    {"text-ranking", 0, "a reranking model"},
    {"speech", 0, "a speech model"},
    {"automatic-speech-recognition", 0, "a speech recognition model"},
    {"text-to-speech", 0, "a model that speaks"},
    {"vision", 0, "an image model"},
    {"image-classification", 0, "an image classification model"},
    {"zero-shot-image-classification", 0, "an image classification model"},
    {"image-segmentation", 0, "an image segmentation model"},
    {"caption", 0, "an image captioning model"},
    {"image-to-text", 0, "an image captioning model"},
    {"detection", 0, "an object detection model"},
    {"object-detection", 0, "an object detection model"},
    {"diffusion", 0, "an image generation model"},
    {"text-to-image", 0, "an image generation model"},
    {"tagger", 0, "a tagging model"},
    {"fill-mask", 0, "a model that fills gaps in texts"},
    {"text-classification", 0, "a text classification model"},
    {"token-classification", 0, "a tagging model"},
    {"translation", 0, "a translation model"},
};

const struct kind_row *kind_of(const char *category) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].word, category) == 0)
            return &rows[i];
    return NULL;
}

/* ---- from a file's head */

static ssize_t read_at(void *context, void *to, size_t size, uint64_t offset) {
    ssize_t len = pread(*(const int *)context, to, size, (off_t)offset);
    return len < 0 ? -errno : len;
}

void kind_of_file(const char *name, const char *path, char *to, size_t size) {
    struct card card CARD_CLEANUP = {.whole = false};
    struct stat status;
    *to = '\0';
    if (format_of_path(name) != FORMAT_GGUF)
        return;
    FD_CLEANUP int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0)
        return;
    const struct format_reader reader = {read_at, &fd, (uint64_t)status.st_size};
    if (card_read_gguf(&card, name, &reader) == 0)
        (void)text_copy(to, size, card.category); /* what is too long is no word of ours */
}

/* ---- of a model */

void seat_category(struct seat *seat, const struct catalog_model *model, char to[static CATEGORY_SIZE]) {
    struct manage *manage = seat->infer->settings.manage;
    struct card card CARD_CLEANUP = {.whole = false};
    model_category(manage, model, to);
    if (kind_of(to) || card_of(manage, model, &card) < 0 || !kind_of(card.category))
        return;
    (void)text_copy(to, CATEGORY_SIZE, kind_of(card.category)->word); /* fits: all of ours do */
}

void seat_category_of_files(const struct seat *seat, char to[static CATEGORY_SIZE]) {
    char word[CATEGORY_SIZE];
    struct blob_info info;
    if (kind_of(to) || !seat->file_count)
        return;
    blob_look(seat->files[0].blob, &info);
    if (info.state != BLOB_COMPLETE) /* reading would wait for it */
        return;
    kind_of_file(seat->files[0].name, seat->files[0].path, word, sizeof word);
    if (kind_of(word))
        memcpy(to, word, sizeof word);
}

/* "speech recognition, as ONNX" is what people want to hear, not which file they lack. */
int seat_refuse_files(struct seat *seat, const struct catalog_model *model, struct reason *reason) {
    char category[CATEGORY_SIZE];
    struct catalog_labels labels = {.format = ""};
    seat_category(seat, model, category);
    (void)catalog_labels(manage_catalog(seat->infer->settings.manage), model->id, &labels); /* or none */
    const struct kind_row *kind = kind_of(category);
    const char *format = *labels.format && strcmp(labels.format, "other") != 0 ? labels.format : NULL;
    return err_because(reason, -EOPNOTSUPP,
        "%s is %s%s%s%s, and has no file that an engine here can load (GGUF); other programs find it in "
        "files/",
        seat->name, kind ? kind->what : "a model", format ? " (" : "", format ? format : "",
        format ? ")" : "");
}
