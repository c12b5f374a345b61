/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/find.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "manage/remote.h"
#include "tree/change.h"
#include "tree/inside.h"
#include "tree/place.h"

/* One row by name, or the next of a listing: what is there becomes a found, nothing there is -ENOENT. */
int found_set(struct found *found, enum row_number row, uint64_t object, const char *name) {
    found->row = row;
    found->object = found->cursor = object;
    return text_copy(found->name, sizeof(found->name), name);
}

/* --- The root: a folder a source. --- */

int find_source(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait) {
    (void)folder, (void)wait;
    for (size_t index = 0; source_table[index]; index++)
        if (!strcmp(source_table[index]->name, name))
            return found_set(ret_found, ROW_SOURCE, index, name);
    return -ENOENT;
}

int list_sources(const struct place *folder, uint64_t after, struct found *ret_found) {
    (void)folder;
    for (size_t index = 0; source_table[index]; index++) {
        if (index + 1 > after) {
            int result = found_set(ret_found, ROW_SOURCE, index, source_table[index]->name);
            ret_found->cursor = index + 1; /* 0 is "from the beginning" */
            return result;
        }
    }
    return -ENOENT;
}

/* --- jobs/ --- */

int find_job(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait) {
    (void)wait;
    char canonical[24];
    char *end;
    errno = 0;
    unsigned long long id = strtoull(name, &end, 10);
    snprintf(canonical, sizeof(canonical), "%llu", id);
    if (errno || *end || strcmp(canonical, name) || !id || id > UINT32_MAX)
        return -ENOENT;
    struct catalog_job job;
    int result = catalog_job(folder->tree->catalog, (int64_t)id, &job);
    return result < 0 ? result : found_set(ret_found, ROW_JOB, id, name);
}

int list_jobs(const struct place *folder, uint64_t after, struct found *ret_found) {
    struct catalog_job job;
    int count = catalog_list_jobs(folder->tree->catalog, false, (int64_t)after, &job, 1);
    if (count <= 0)
        return count < 0 ? count : -ENOENT;
    char name[24];
    snprintf(name, sizeof(name), "%" PRId64, job.id);
    return found_set(ret_found, ROW_JOB, (uint64_t)job.id, name);
}

/* --- hf/, hf/ORG/ and the like --- */

/* Of a remote source's group: is it to be listed? Declared endpoints are, whatever they have. */
static bool is_shown(const struct place *folder, const struct catalog_group *group) {
    struct remote_report report;
    struct found model;
    struct place place = *folder;
    if (!folder->source->is_remote)
        return true;
    if (folder->source->parts)
        return remote_look(folder->tree->settings.manage, folder->source, group->name, &report) == 0;
    place.group = *group;
    return *group->name && list_models(&place, 0, &model) == 0;
}

int find_group(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait) {
    /* What can't be a name must never leave the machine, nor a row behind. */
    const struct source *source = folder->source;
    struct catalog_group group;
    char full[NAME_MODEL_SIZE];
    if (name[0] == '.' || name_from_file(name, full) < 0 ||
        !(source->is_remote ? name_is_served(full) && !strpbrk(full, "/:") : name_is_part(full)))
        return -ENOENT;
    int result = catalog_find_group(folder->tree->catalog, source->name, full, &group);
    if (!result && source->parts && !is_shown(folder, &group))
        return -ENOENT; /* an endpoint that was declared once */
    if (!result)
        return found_set(ret_found, ROW_GROUP, (uint64_t)group.id, name);
    if (result != -ENOENT || !wait || (source->is_remote && source->parts))
        return result;
    int64_t id = 0;
    result = discover_group_await(folder->tree->settings.manage, source, full, &id, wait);
    if (result)
        return result == -ERR_BAD_NAME ? -ENOENT : result;
    return found_set(ret_found, ROW_GROUP, (uint64_t)id, name);
}

int list_groups(const struct place *folder, uint64_t after, struct found *ret_found) {
    struct catalog_group group = {.id = (int64_t)after};
    bool with_models = !(folder->source->is_remote && folder->source->parts);
    char name[NAME_FILE_SIZE];
    int count;
    while ((count = catalog_list_groups(folder->tree->catalog, folder->source->name, with_models, group.id,
                &group, 1)) > 0)
        if (is_shown(folder, &group) && name_to_file(group.name, name) == 0)
            return found_set(ret_found, ROW_GROUP, (uint64_t)group.id, name);
    return count < 0 ? count : -ENOENT;
}

/* The model of that name, known or not: `full` is its name, `name` the folder's. */
static int found_model(const struct place *folder, const char *full, const char *name,
    struct found *ret_found, struct wait *wait) {
    struct tree *tree = folder->tree;
    if (!folder->source->is_name(full))
        return -ENOENT;
    struct catalog_model model;
    int result = catalog_find_model(tree->catalog, folder->source->name, full, &model);
    if (!result)
        return found_set(ret_found, ROW_MODEL, (uint64_t)model.id, name);
    if (result != -ENOENT || !wait)
        return result;
    int64_t id = 0;
    result = discover_await(tree->settings.manage, folder->source, full, &id, wait);
    trace(tree, "discover %s:%s: %s", folder->source->name, full,
        result == PARKED ? "parked" : err_name(result));
    if (result)
        return result == -ERR_BAD_NAME ? -ENOENT : result;
    return found_set(ret_found, ROW_MODEL, (uint64_t)id, name);
}

int find_model(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait) {
    char full[NAME_MODEL_SIZE], last[NAME_MODEL_SIZE];
    if (name[0] == '.' || name_from_file(name, last) < 0)
        return -ENOENT;
    int length = snprintf(full, sizeof(full), "%s/%s", folder->group.name, last);
    if (length < 0 || (size_t)length >= sizeof(full))
        return -ENOENT;
    return found_model(folder, full, name, ret_found, wait);
}

/* The last part of a model's name, as its folder is called. -ENOENT when the model is not one of this
 * folder's, or not listed: a server has it no more. */
static int folder_name(const struct place *folder, const struct catalog_group *group,
    const struct catalog_model *model, char to[NAME_FILE_SIZE]) {
    size_t len = strlen(group->name);
    const char *last = model->name + (len ? len + 1 : 0);
    if ((len && (strncmp(model->name, group->name, len) != 0 || model->name[len] != '/')) ||
        (folder->source->is_remote && catalog_remote_is_gone(model)))
        return -ENOENT;
    return name_to_file(last, to) < 0 ? -ENOENT : 0;
}

static int list_group(const struct place *folder, const struct catalog_group *group, uint64_t after,
    struct found *ret_found) {
    struct catalog_model model = {.id = (int64_t)after};
    char name[NAME_FILE_SIZE];
    int count;
    while ((count = catalog_list_models(folder->tree->catalog, group->id, model.id, &model, 1)) > 0)
        if (folder_name(folder, group, &model, name) == 0) /* of one word, at the Hub: it has no folder */
            return found_set(ret_found, ROW_MODEL, (uint64_t)model.id, name);
    return count < 0 ? count : -ENOENT;
}

int list_models(const struct place *folder, uint64_t after, struct found *ret_found) {
    return list_group(folder, &folder->group, after, ret_found);
}

/* --- ollama/NAME:TAG: models in the source's own folder --- */

int find_source_model(const struct place *folder, const char *name, struct found *ret_found,
    struct wait *wait) {
    char full[NAME_MODEL_SIZE];
    if (folder->source->parts || name[0] == '.' || name_from_file(name, full) < 0 || strchr(full, '/'))
        return -ENOENT;
    return found_model(folder, full, name, ret_found, wait);
}

int list_source_models(const struct place *folder, uint64_t after, struct found *ret_found) {
    struct catalog_group group;
    if (folder->source->parts)
        return -ENOENT;
    int result = catalog_find_group(folder->tree->catalog, folder->source->name, "", &group);
    return result < 0 ? result : list_group(folder, &group, after, ret_found);
}

/* --- hf/ORG/NAME/files/ and below --- */

/* Which rows of the catalogue a folder shows. */
static int folder_of(const struct place *folder, int64_t *ret_revision_id, int64_t *ret_parent_id) {
    if (folder->row->about == ABOUT_FILE) {
        *ret_revision_id = folder->file.revision_id;
        *ret_parent_id = folder->file.id;
        return folder->file.is_folder ? 0 : -ENOTDIR;
    }
    if (folder->row->about == ABOUT_REVISION) {
        *ret_revision_id = folder->revision.id;
        *ret_parent_id = 0;
        return 0;
    }
    if (!folder->model.revision_id)
        return -ENOENT; /* locked: it tells nothing, and shows nothing */
    *ret_revision_id = folder->model.revision_id;
    *ret_parent_id = 0;
    change_saw(folder->tree, folder->model.id, folder->model.revision_id);
    return 0;
}

/* files/ and revisions/ID/files/ show the same rows of the catalogue as nodes of their own: those of
 * files/ are stale once another revision is selected, so that whoever walked there is led to the new one. */
static int found_file(const struct place *folder, struct found *found, const struct catalog_file *file) {
    bool of_revision = folder->row->holds == IN_REVISION_FILES;
    enum row_number file_row = of_revision ? ROW_REVISION_FILE : ROW_FILE;
    enum row_number folder_row = of_revision ? ROW_REVISION_FOLDER : ROW_FOLDER;
    return found_set(found, file->is_folder ? folder_row : file_row, (uint64_t)file->id, file->name);
}

int find_file(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait) {
    (void)wait;
    int64_t revision_id, parent_id;
    int result = folder_of(folder, &revision_id, &parent_id);
    if (result < 0)
        return result;
    struct catalog_file file;
    result = catalog_find_file(folder->tree->catalog, revision_id, parent_id, name, &file);
    return result < 0 ? result : found_file(folder, ret_found, &file);
}

int page_files(const struct place *folder, uint64_t after, struct listed *array, size_t room) {
    int64_t revision_id, parent_id;
    int result = folder_of(folder, &revision_id, &parent_id);
    if (result < 0)
        return result;
    struct catalog_file *files = mem_array(room, sizeof(*files));
    int count =
        catalog_list_folder(folder->tree->catalog, revision_id, parent_id, (int64_t)after, files, room);
    for (int i = 0; i < count && result == 0; i++) {
        struct found *found = &array[i].found;
        result = found_file(folder, found, &files[i]);
        array[i].place = (struct place){.tree = folder->tree,
            .row = row_of(found->row),
            .node = node_make(found->row, found->object, 0),
            .object = found->object,
            .file = files[i]};
    }
    free(files);
    return result < 0 ? result : count;
}

/* --- What is waited for. --- */

bool is_model_busy(const struct place *place) {
    struct model_report report;
    if (model_report(place->tree->settings.manage, &place->model, &report) < 0)
        return false;
    return report.state == STATE_QUEUED || report.state == STATE_DOWNLOADING;
}

int await_model(const struct place *place, struct wait *wait) {
    return model_wait_await(place->tree->settings.manage, place->model.id, wait);
}

bool is_job_busy(const struct place *place) {
    return place->job.state == JOB_QUEUED || place->job.state == JOB_RUNNING;
}

int await_job(const struct place *place, struct wait *wait) {
    return job_wait_await(place->tree->settings.manage, place->job.id, wait);
}
