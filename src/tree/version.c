/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/version.h"

#include "tree/inside.h"

#define YOUNG_MS 1000 /* figures: of jobs, of the whole, of the disk, of questions */
#define QUIET_MS 5000 /* of a model while nothing moves here; another daemon of the store may */

static _Atomic uint64_t *slot_of(struct tree *tree, uint64_t model_id) {
    return &tree->versions.models[model_id % VERSION_SLOTS];
}

static bool is_of_model(const struct place *place) {
    return place->row->about == ABOUT_MODEL;
}

uint64_t version_of(const struct place *place) {
    struct tree *tree = place->tree;
    /* Both only rise: so does their sum, with each of them. */
    if (is_of_model(place))
        return atomic_load(&tree->versions.all) + atomic_load(slot_of(tree, place->object));
    return atomic_load(&tree->news);
}

uint64_t version_of_figures(const struct place *place) {
    return atomic_load(&place->tree->versions.figures);
}

uint64_t version_lasts_ms(const struct place *place) {
    return is_of_model(place) && place->row->in != IN_INFER ? QUIET_MS : YOUNG_MS;
}

static void raise(_Atomic uint64_t *counter) {
    atomic_fetch_add(counter, 1);
}

/* What is about one model. All else may change any text: a blob is of several models, an option is of all. */
static bool is_about_model(enum news_kind kind) {
    return kind == NEWS_MODEL || kind == NEWS_MODEL_ADDED || kind == NEWS_MODEL_FORGOTTEN ||
           kind == NEWS_FILES_CHANGED;
}

void version_hear(struct tree *tree, const struct news *news) {
    if (news->kind == NEWS_EVENT)
        return;
    if (news->kind == NEWS_BLOB_PROGRESS || news->kind == NEWS_BLOB_TROUBLE) {
        raise(&tree->versions.figures);
        return;
    }
    raise(&tree->news);
    if (news->kind == NEWS_CHAT) /* no text of a model's tells of it */
        return;
    if (news->kind == NEWS_FILES_CHANGED || news->kind == NEWS_MODEL_FORGOTTEN)
        raise(&tree->versions.listings);
    if (is_about_model(news->kind))
        raise(slot_of(tree, (uint64_t)news->id));
    else if (news->kind != NEWS_JOB) /* with news of its model, if it has one */
        raise(&tree->versions.all);
}

/* Those under revisions/ are read seldom, and go without news. */
bool tree_listing_version(struct tree *tree, node_number folder, uint64_t *ret_version) {
    const struct row *row = row_of(node_row(folder));
    if (!row || row->holds != IN_FILES)
        return false;
    *ret_version = atomic_load(&tree->versions.listings);
    return true;
}

void version_raise(struct tree *tree) {
    raise(&tree->news);
    raise(&tree->versions.all);
}

void version_command(struct tree *tree, node_number node) {
    const struct row *row = row_of(node_row(node));
    if (!row || row->about != ABOUT_MODEL) {
        version_raise(tree);
        return;
    }
    raise(&tree->news);
    raise(slot_of(tree, node_object(node)));
}
