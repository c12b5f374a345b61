/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/wake.h"

#include <inttypes.h>

#include "tree/inside.h"
#include "tree/place.h"

#define PAGE 64 /* open jobs whose progress is told at once: the first ones run, the others wait */

static const enum tree_wake wakes[] = {
    [NEWS_BLOB_PROGRESS] = TREE_WAKE_PROGRESS,
    [NEWS_MODEL] = TREE_WAKE_MODEL,
    [NEWS_MODEL_ADDED] = TREE_WAKE_MODEL,
    [NEWS_MODEL_FORGOTTEN] = TREE_WAKE_MODEL,
    [NEWS_FILES_CHANGED] = TREE_WAKE_MODEL,
    [NEWS_JOB] = TREE_WAKE_JOB,
    [NEWS_SETTING] = TREE_WAKE_SETTING,
    [NEWS_EVENT] = TREE_WAKE_EVENT,
};

static uint64_t object_of(const struct news *news, enum tree_wake what) {
    switch (what) {
    case TREE_WAKE_MODEL:
    case TREE_WAKE_JOB: return (uint64_t)news->id;
    case TREE_WAKE_SETTING: return news->text ? option_number(news->text) : 0;
    case TREE_WAKE_EVENT:
    case TREE_WAKE_PROGRESS: break;
    }
    return 0;
}

void wake_hear(struct tree *tree, const struct news *news) {
    enum tree_wake what = (size_t)news->kind < sizeof(wakes) / sizeof(wakes[0]) ? wakes[news->kind] : 0;
    if (!what)
        return;
    if (news->kind == NEWS_SETTING && news->id)
        what = TREE_WAKE_MODEL; /* one of a model's */
    LOCK_SCOPE(&tree->changes.lock);
    if (tree->changes.waker)
        tree->changes.waker(tree->changes.waker_context, what, object_of(news, what));
}

void tree_listen_wakes(struct tree *tree, tree_wake_listener listener, void *context) {
    LOCK_SCOPE(&tree->changes.lock);
    tree->changes.waker = listener;
    tree->changes.waker_context = context;
}

node_number tree_jobs_folder(void) {
    return node_make(ROW_JOBS, 0, 0);
}

uint64_t tree_newest_job(struct tree *tree) {
    struct catalog_job *jobs = mem_array(PAGE, sizeof(*jobs));
    int64_t newest = 0;
    int count;
    while ((count = catalog_list_jobs(tree->catalog, false, newest, jobs, PAGE)) > 0)
        newest = jobs[count - 1].id;
    free(jobs);
    return (uint64_t)newest;
}

/* What is behind the names of patterns in a table's path: "jobs/ID/" has one, "hf/ORG/NAME/config/" three. */
static const char *below(enum table table, unsigned names) {
    const char *path = table_path(table);
    for (; names && *path; path++)
        names -= *path == '/';
    return path;
}

static bool is_about(const struct row *row, enum about about, unsigned what) {
    return (row->wakes & what) && row->name && row->about == about;
}

static void each(unsigned what, enum about about, const struct source *source, unsigned names,
    const char *prefix, node_number folder, tree_wake_add add, void *context) {
    for (unsigned number = 0; number < ROW_LIMIT; number++) {
        const struct row *row = row_of(number);
        if (!row || !is_about(row, about, what) || !row_is_in(row, source))
            continue;
        BUF_CLEANUP struct buf path = BUF_INIT;
        (void)buf_format(&path, "%s%s%s", prefix, below(row->in, names), row->name);
        add(context, folder, buf_text(&path));
    }
}

void tree_wakes_whole(struct tree *tree, unsigned what, tree_wake_add add, void *context) {
    (void)tree;
    each(what, ABOUT_TREE, NULL, 0, "", NODE_ROOT, add, context);
}

static void model_wakes(struct tree *tree, enum tree_wake what, int64_t id, tree_wake_add add,
    void *context) {
    struct catalog_model model;
    char folder[NAME_FOLDER_SIZE];
    BUF_CLEANUP struct buf prefix = BUF_INIT;
    if (catalog_model(tree->catalog, id, &model) < 0)
        return; /* it is gone; what it was listed in is told of by itself */
    if (name_to_folder(model.name, folder) < 0)
        return; /* its name was judged */
    (void)buf_format(&prefix, "%s/%s/", model.source, folder);
    each(what, ABOUT_MODEL, source_find(model.source), 3, buf_text(&prefix),
        node_make(ROW_MODEL, (uint64_t)id, 0), add, context);
}

static void job_wakes(enum tree_wake what, uint64_t id, tree_wake_add add, void *context) {
    BUF_CLEANUP struct buf prefix = BUF_INIT;
    (void)buf_format(&prefix, "jobs/%" PRIu64 "/", id);
    each(what, ABOUT_JOB, NULL, 2, buf_text(&prefix), node_make(ROW_JOB, id, 0), add, context);
}

static void progress_wakes(struct tree *tree, tree_wake_add add, void *context) {
    struct catalog_job *jobs = mem_array(PAGE, sizeof(*jobs));
    int count = catalog_list_jobs(tree->catalog, true, 0, jobs, PAGE);
    for (int i = 0; i < count; i++) {
        job_wakes(TREE_WAKE_PROGRESS, (uint64_t)jobs[i].id, add, context);
        model_wakes(tree, TREE_WAKE_PROGRESS, jobs[i].model_id, add, context);
    }
    free(jobs);
}

static void setting_wakes(struct tree *tree, uint64_t object, tree_wake_add add, void *context) {
    struct place place;
    BUF_CLEANUP struct buf path = BUF_INIT;
    if (place_load(tree, node_make(ROW_OPTION, object, 0), &place) < 0)
        return; /* none of the whole's */
    (void)buf_format(&path, "%s%s", table_path(place.row->in),
        options_row(tree->options, place.option)->name);
    add(context, node_make(ROW_CONFIG, 0, 0), buf_text(&path));
}

void tree_wakes_of(struct tree *tree, enum tree_wake what, uint64_t object, tree_wake_add add,
    void *context) {
    switch (what) {
    case TREE_WAKE_MODEL: model_wakes(tree, what, (int64_t)object, add, context); break;
    case TREE_WAKE_JOB: job_wakes(what, object, add, context); break;
    case TREE_WAKE_SETTING: setting_wakes(tree, object, add, context); break;
    case TREE_WAKE_PROGRESS: progress_wakes(tree, add, context); break;
    case TREE_WAKE_EVENT: break;
    }
}
