/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wanted of a model: words that were pulled (variants, files, folders), and the `selected`
 * column that they make. Words stay when a new revision no longer has what they name: a later one
 * may have it again.
 */

#include "model/catalog_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/catalog_setting.h"
#include "model/variant.h"

#define WORDS_MOST 1000 /* of a model */

struct names { /* texts that the statement's row would not outlive */
    char **array;
    size_t count;
};

static void names_add(struct names *names, const char *text) {
    names->array = mem_resize(names->array, names->count + 1, sizeof *names->array);
    names->array[names->count++] = mem_text(text);
}

static void names_done(struct names *names) {
    for (size_t i = 0; i < names->count; i++)
        free(names->array[i]);
    free(names->array);
}
#define NAMES_CLEANUP __attribute__((cleanup(names_done)))

static int read_names(struct db_statement *row, struct names *names) {
    int step;
    while ((step = db_step(row)) == 1)
        names_add(names, db_get_text(row, 0));
    return step;
}

static int read_variants(struct catalog *catalog, int64_t revision_id, struct names *variants) {
    struct db_statement *row = db_query(catalog->writer,
        "SELECT DISTINCT f.variant FROM revisions r JOIN files f ON f.id BETWEEN r.first_id AND r.last_id "
        "WHERE r.id = ? AND f.variant != '' ORDER BY f.variant");
    if (row)
        db_number(row, 1, revision_id);
    return read_names(row, variants);
}

static int read_words(struct catalog *catalog, int64_t model_id, struct names *words) {
    struct db_statement *row =
        db_query(catalog->writer, "SELECT word FROM words WHERE model_id = ? ORDER BY id");
    if (row)
        db_number(row, 1, model_id);
    return read_names(row, words);
}

/* The variant as the model spells it; NULL. */
static const char *find_variant(const struct names *variants, const char *word) {
    for (size_t i = 0; i < variants->count; i++)
        if (variant_equal(variants->array[i], word))
            return variants->array[i];
    return NULL;
}

#define RUN                                                           \
    "id BETWEEN (SELECT r.first_id FROM revisions r WHERE r.id = ?1)" \
    " AND (SELECT r.last_id FROM revisions r WHERE r.id = ?1)"

static int update_run(struct db_statement *row, int64_t revision_id, const char *text) {
    if (!row)
        return -ERR_DATABASE;
    db_number(row, 1, revision_id);
    if (text)
        db_text(row, 2, text);
    return db_finish(row);
}

/* A path is a file's, or of a folder with all that is in it. *ret_files are met, and so many of
 * them belong to a variant. */
static int count_path(struct catalog *catalog, int64_t revision_id, const char *path, int64_t *ret_files,
    int64_t *ret_variants) {
    struct db_statement *row = db_query(catalog->writer,
        "SELECT count(*), ifnull(sum(variant != ''), 0) FROM files WHERE " RUN " AND NOT is_folder "
        "AND (path = ?2 OR substr(path, 1, length(?2) + 1) = ?2 || '/')");
    if (!row)
        return -ERR_DATABASE;
    db_number(row, 1, revision_id);
    db_text(row, 2, path);
    int result = db_step(row);
    if (result <= 0)
        return result < 0 ? result : -ERR_DATABASE;
    *ret_files = db_get_number(row, 0);
    *ret_variants = db_get_number(row, 1);
    db_reset(row);
    return 0;
}

static int select_path(struct catalog *catalog, int64_t revision_id, const char *path) {
    return update_run(db_query(catalog->writer,
                          "UPDATE files SET selected = 1 WHERE " RUN " AND NOT is_folder "
                          "AND (path = ?2 OR substr(path, 1, length(?2) + 1) = ?2 || '/')"),
        revision_id, path);
}

static int select_variant(struct catalog *catalog, int64_t revision_id, const char *variant) {
    return update_run(db_query(catalog->writer,
                          "UPDATE files SET selected = 1 WHERE " RUN " AND variant = ?2"),
        revision_id, variant);
}

/* *ret_variant: the word named one, or files of one. */
static int select_word(struct catalog *catalog, int64_t revision_id, const struct names *variants,
    const char *word, bool *ret_variant) {
    const char *variant = find_variant(variants, word);
    if (variant) {
        *ret_variant = true;
        return select_variant(catalog, revision_id, variant);
    }
    int64_t files, of_variants;
    int result = count_path(catalog, revision_id, word, &files, &of_variants);
    if (result < 0 || !files)
        return result;
    if (of_variants)
        *ret_variant = true;
    return select_path(catalog, revision_id, word);
}

/* The variant that is taken when no word names one: the setting's, while the model has that. */
static int default_variant(struct catalog *catalog, int64_t model_id, const struct names *variants,
    const char **ret_variant) {
    struct names chosen NAMES_CLEANUP = {0};
    int result = read_names(by_number(db_query(catalog->writer, "SELECT value FROM model_settings WHERE "
                                                                "model_id = ? AND name = 'variant'"),
                                model_id),
        &chosen);
    const char *variant = chosen.count ? find_variant(variants, chosen.array[0]) : NULL;
    if (!variant)
        variant = variants->array[variant_default((const char *const *)variants->array, variants->count)];
    *ret_variant = variant;
    return result;
}

int catalog_fill_selection(struct catalog *catalog, int64_t model_id, int64_t revision_id) {
    struct names variants NAMES_CLEANUP = {0}, words NAMES_CLEANUP = {0};
    int result = read_variants(catalog, revision_id, &variants);
    if (result == 0)
        result = read_words(catalog, model_id, &words);
    if (result == 0)
        result = update_run(db_query(catalog->writer,
                                "UPDATE files SET selected = (variant = '' AND NOT is_folder) WHERE " RUN),
            revision_id, NULL);
    bool has_variant = false;
    for (size_t i = 0; result == 0 && i < words.count; i++)
        result = select_word(catalog, revision_id, &variants, words.array[i], &has_variant);
    if (result == 0 && !has_variant && variants.count) {
        const char *variant;
        result = default_variant(catalog, model_id, &variants, &variant);
        if (result == 0)
            result = select_variant(catalog, revision_id, variant);
    }
    return result;
}

/* ---- adding words ---- */

static int unknown_word(struct catalog *catalog, int64_t revision_id, const struct names *variants,
    const char *word, struct reason *reason) {
    struct names paths NAMES_CLEANUP = {0};
    struct db_statement *row =
        db_query(catalog->writer, "SELECT path FROM files WHERE " RUN " AND NOT is_folder LIMIT 1000");
    if (row)
        db_number(row, 1, revision_id);
    if (read_names(row, &paths) < 0)
        return -ERR_DATABASE;
    const struct names *lists[] = {variants, &paths};
    const char *nearest = NULL;
    unsigned best = 0;
    for (size_t list = 0; list < 2; list++)
        for (size_t i = 0; i < lists[list]->count; i++) {
            unsigned distance = text_distance(word, lists[list]->array[i]);
            if (!nearest || distance < best) {
                nearest = lists[list]->array[i];
                best = distance;
            }
        }
    if (!nearest)
        return err_because(reason, -ERR_UNKNOWN_VARIANT,
            "there is no variant or file %s: the model has no files", word);
    return err_because(reason, -ERR_UNKNOWN_VARIANT, "there is no variant or file %s; the nearest is %s",
        word, nearest);
}

int catalog_check_variant(struct catalog *catalog, int64_t model_id, const char *word,
    struct reason *reason) {
    struct names variants NAMES_CLEANUP = {0};
    int result = read_variants(catalog, model_id, &variants);
    if (result < 0 || find_variant(&variants, word))
        return result;
    return unknown_word(catalog, model_id, &variants, word, reason);
}

static int add_word(struct catalog *catalog, int64_t model_id, const struct names *variants,
    const char *word) {
    const char *variant = find_variant(variants, word);
    struct db_statement *row =
        db_query(catalog->writer, "INSERT OR IGNORE INTO words (model_id, word) VALUES (?, ?)");
    if (!row)
        return -ERR_DATABASE;
    db_number(row, 1, model_id);
    db_text(row, 2, variant ? variant : word);
    return db_finish(row);
}

static int check_words(struct catalog *catalog, int64_t revision_id, const struct names *variants,
    const char *const *words, size_t count, struct reason *reason) {
    for (size_t i = 0; i < count; i++) {
        int64_t files, of_variants;
        if (find_variant(variants, words[i]))
            continue;
        int result = count_path(catalog, revision_id, words[i], &files, &of_variants);
        if (result < 0)
            return result;
        if (!files)
            return unknown_word(catalog, revision_id, variants, words[i], reason);
    }
    return 0;
}

static int select_words(struct catalog *catalog, int64_t model_id, const char *const *words, size_t count,
    struct reason *reason) {
    struct names variants NAMES_CLEANUP = {0}, former NAMES_CLEANUP = {0};
    int64_t revision_id = 0;
    int result = catalog_current_revision(catalog, model_id, &revision_id);
    if (result == 0)
        result = read_variants(catalog, revision_id, &variants);
    if (result == 0)
        result = read_words(catalog, model_id, &former);
    if (result == 0 && former.count + count > WORDS_MOST)
        return err_because(reason, -ERR_TOO_LARGE,
            "more than %d variants and files of one model were named; pull a folder", WORDS_MOST);
    /* All are looked at before one is added: inside an outer transaction nothing would be taken back. */
    if (result == 0)
        result = check_words(catalog, revision_id, &variants, words, count, reason);
    for (size_t i = 0; result == 0 && i < count; i++)
        result = add_word(catalog, model_id, &variants, words[i]);
    return result < 0 ? result : catalog_fill_selection(catalog, model_id, revision_id);
}

int catalog_select(struct catalog *catalog, int64_t model_id, const char *const *words, size_t count,
    struct reason *reason) {
    bool nested;
    int result = catalog_enter(catalog, &nested);
    if (result < 0)
        return result;
    return catalog_leave(catalog, nested, select_words(catalog, model_id, words, words ? count : 0, reason));
}
