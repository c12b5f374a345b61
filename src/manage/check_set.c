/* SPDX-License-Identifier: Apache-2.0 */
#include "manage/check_set.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "manage/checks.h"
#include "model/format_set.h"
#include "store/verify.h"

#define PARTS_MOST   100000
#define TELL_MOST    8           /* missing ones that are named */
#define INDEX_MOST   (64u << 20) /* bytes; larger ones are not looked into */
#define INDEX_SUFFIX ".index.json"

void check_names_add(struct check_names *names, const char *path) {
    if (names->count == names->room)
        names->array =
            mem_resize(names->array, names->room = names->room ? names->room * 2 : 64, sizeof *names->array);
    names->array[names->count++] = mem_text(path);
}

void check_names_done(struct check_names *names) {
    for (size_t i = 0; i < names->count; i++)
        free(names->array[i]);
    free(names->array);
    *names = (struct check_names){0};
}

static int by_name(const void *one, const void *other) {
    return strcmp(*(char *const *)one, *(char *const *)other);
}

bool check_names_have(const struct check_names *names, const char *path) {
    return names->count && bsearch(&path, names->array, names->count, sizeof *names->array, by_name);
}

void check_names_sort(struct check_names *names) {
    if (names->count)
        qsort(names->array, names->count, sizeof *names->array, by_name);
}

/* ---- names that speak of sets ---- */

static bool ends_with(const char *path, const char *suffix) {
    size_t len = strlen(path), suffix_len = strlen(suffix);
    return len > suffix_len && strcmp(path + len - suffix_len, suffix) == 0;
}

/* "…-00002-of-00005.gguf": where the number begins, and both. */
static bool is_part(const char *path, size_t *ret_at, unsigned *ret_part, unsigned *ret_parts) {
    for (const char *at = path; (at = strstr(at, "-of-")); at += 4) {
        const char *digits = at;
        while (digits > path && isdigit((unsigned char)digits[-1]))
            digits--;
        unsigned part = 0, parts = 0;
        int end = 0;
        if (at - digits != 5 || sscanf(digits, "%5u-of-%5u%n", &part, &parts, &end) != 2 || end != 14 ||
            !parts || parts > PARTS_MOST)
            continue;
        *ret_at = (size_t)(digits - path);
        *ret_part = part;
        *ret_parts = parts;
        return true;
    }
    return false;
}

/* How long the part of the path is that the folder of a Vosk model has; -1: it is none. The model's own file
 * of sounds is what no other has in its place (vosk-api, src/model.cc). */
static int vosk_folder(const char *path) {
    static const char sounds[] = "am/final.mdl";
    size_t len = strlen(path), folder = len - (sizeof sounds - 1);
    if (len < sizeof sounds - 1 || strcmp(path + folder, sounds) != 0 || (folder && path[folder - 1] != '/'))
        return -1;
    return (int)folder;
}

static bool is_of_sets(const char *path) {
    size_t at;
    unsigned part, parts;
    return ends_with(path, INDEX_SUFFIX) || ends_with(path, ".safetensors") ||
           is_part(path, &at, &part, &parts);
}

/* ---- on the desk ---- */

static void add_file(struct set_check *set, const struct catalog_model *model,
    const struct catalog_file *row) {
    check_names_add(&set->listed, row->path);
    if (!is_of_sets(row->path))
        return;
    if (set->count == set->room)
        set->files = mem_resize(set->files, set->room = set->room ? set->room * 2 : 16, sizeof *set->files);
    struct set_file *file = &set->files[set->count++];
    *file = (struct set_file){.path = mem_text(row->path), .size = row->size, .set = set};
    if (model_blob(set->run->manage, model, row, &file->blob) < 0)
        file->blob = NULL; /* masked: nothing of it is here */
}

static int by_path(const void *one, const void *other) {
    return strcmp(((const struct set_file *)one)->path, ((const struct set_file *)other)->path);
}

int set_check_read(struct set_check *set, struct check_run *run, const struct catalog_model *model) {
    struct catalog *catalog = run->manage->settings.catalog;
    struct catalog_file *page = mem_array(FILES_A_PAGE, sizeof *page);
    int64_t after_id = 0;
    int count;
    set->run = run;
    set->fd = -1;
    while (
        (count = catalog_list_files(catalog, model->revision_id, false, after_id, page, FILES_A_PAGE)) > 0) {
        for (int i = 0; i < count; i++)
            add_file(set, model, &page[i]);
        after_id = page[count - 1].id;
    }
    free(page);
    check_names_sort(&set->listed);
    if (set->count)
        qsort(set->files, set->count, sizeof *set->files, by_path);
    return count;
}

void set_check_done(struct set_check *set) {
    check_names_done(&set->listed);
    check_names_done(&set->checked);
    report_lines_done(&set->lines);
    for (size_t i = 0; i < set->count; i++) {
        blob_put(set->files[i].blob);
        free(set->files[i].path);
    }
    free(set->files);
    set->files = NULL;
    set->count = 0;
}

/* ---- on a thread: reading ---- */

static bool is_cut(const struct set_check *set) {
    return atomic_load(&set->run->cancelled) || checks_are_closing(set->run->manage->checks);
}

static ssize_t read_file(void *context, void *to, size_t size, uint64_t offset) {
    const struct set_file *file = context;
    struct set_check *set = file->set;
    if (is_cut(set))
        return -ERR_CANCELLED;
    if (set->open != file) {
        set->open = NULL;
        path_close(&set->fd);
        int error = blob_open_aside(file->blob, &set->fd);
        if (error)
            return error;
        set->open = file;
    }
    ssize_t got = pread(set->fd, to, size, (off_t)offset);
    return got < 0 ? -errno : got;
}

static bool is_here(const struct set_file *file) {
    struct blob_info info = {.state = BLOB_ABSENT};
    if (file->blob)
        blob_look(file->blob, &info);
    return info.state == BLOB_COMPLETE;
}

static struct format_reader reader_of(struct set_file *file) {
    return (struct format_reader){.read_at = read_file, .context = file, .size = file->size};
}

static struct set_file *find_file(const struct set_check *set, const char *path) {
    struct set_file wanted = {.path = (char *)path};
    return set->count ? bsearch(&wanted, set->files, set->count, sizeof wanted, by_path) : NULL;
}

static void tell(struct set_check *set, const char *path, int error, const struct findings *findings) {
    for (size_t i = 0; i < findings->count; i++)
        report_lines_add(&set->lines, line_level_of(findings->items[i].level), path, findings->items[i].text);
    if (error == -ERR_CANCELLED)
        set->error = error;
    else if (error)
        report_lines_add(&set->lines, LINE_WARNING, path, err_sentence(error));
}

static void tell_not_here(struct set_check *set, const char *path, size_t lacking, size_t of) {
    struct reason text;
    (void)err_because(&text, 0, "%zu of the %zu files of its set are not here: they were not compared",
        lacking, of);
    report_lines_add(&set->lines, LINE_NOTE, path, text.text);
}

/* ---- an index ---- */

/* The weights beside it, those in other folders left out: sorted, as the files are. */
static void check_index(struct set_check *set, struct set_file *index) {
    const char *slash = strrchr(index->path, '/');
    size_t folder = slash ? (size_t)(slash - index->path) + 1 : 0, count = 0;
    if (!is_here(index) || index->size > INDEX_MOST)
        return;
    struct format_set_file *beside = mem_array(set->listed.count + 1, sizeof *beside);
    struct format_reader *readers = mem_array(set->listed.count + 1, sizeof *readers);
    for (size_t i = 0; i < set->listed.count; i++) {
        const char *path = set->listed.array[i];
        if (strncmp(path, index->path, folder) != 0 || strchr(path + folder, '/'))
            continue;
        struct set_file *file = ends_with(path, ".safetensors") ? find_file(set, path) : NULL;
        beside[count].name = path + folder;
        if (file && is_here(file)) {
            readers[count] = reader_of(file);
            beside[count].reader = &readers[count];
        }
        count++;
    }
    const struct format_reader reader = reader_of(index);
    struct findings findings FINDINGS_CLEANUP = FINDINGS_INIT;
    int error = format_check_index(&reader, beside, count, &findings);
    tell(set, index->path, error, &findings);
    free(beside);
    free(readers);
}

/* ---- parts ---- */

/* A set is told of at the first part of it that is listed: they are sorted. */
static bool speaks_for_its_set(const struct set_check *set, size_t index, size_t at, unsigned parts) {
    size_t other_at;
    unsigned other_part, other_parts;
    if (!index || !is_part(set->files[index - 1].path, &other_at, &other_part, &other_parts))
        return true;
    return other_at != at || other_parts != parts ||
           strncmp(set->files[index - 1].path, set->files[index].path, at) != 0;
}

static void look_into_parts(struct set_check *set, struct set_file **parts, size_t count) {
    struct format_set_file *shards = mem_array(count, sizeof *shards);
    struct format_reader *readers = mem_array(count, sizeof *readers);
    struct findings findings FINDINGS_CLEANUP = FINDINGS_INIT;
    for (size_t i = 0; i < count; i++) {
        const char *slash = strrchr(parts[i]->path, '/');
        readers[i] = reader_of(parts[i]);
        shards[i] = (struct format_set_file){slash ? slash + 1 : parts[i]->path, &readers[i]};
    }
    int error = format_check_gguf_set(shards, count, &findings);
    tell(set, parts[0]->path, error, &findings);
    free(shards);
    free(readers);
}

static void check_parts(struct set_check *set, const struct set_file *first, size_t at, unsigned count) {
    struct buf names BUF_CLEANUP = BUF_INIT;
    struct set_file **parts = mem_array(count, sizeof(struct set_file *));
    TEXT_CLEANUP char *name = mem_text(first->path);
    size_t missing = 0, away = 0;
    for (unsigned part = 1; part <= count; part++) {
        char digits[8];
        (void)snprintf(digits, sizeof digits, "%05u", part);
        memcpy(name + at, digits, 5);
        parts[part - 1] = find_file(set, name);
        away += parts[part - 1] && !is_here(parts[part - 1]);
        if (!parts[part - 1] && missing++ < TELL_MOST)
            (void)buf_format(&names, "%s%s", names.len ? ", " : "", name); /* no limit: can't fail */
    }
    struct reason text;
    if (missing) {
        (void)err_because(&text, 0, "%zu of the %u parts of its set are not in the model: %s%s", missing,
            count, buf_text(&names), missing > TELL_MOST ? " …" : "");
        report_lines_add(&set->lines, LINE_ERROR, first->path, text.text);
    } else if (ends_with(first->path, ".gguf") && away) {
        tell_not_here(set, first->path, away, count);
    } else if (ends_with(first->path, ".gguf")) {
        look_into_parts(set, parts, count);
    }
    free(parts);
}

/* ---- a Vosk model ---- */

static void check_vosk(struct set_check *set, const char *sounds, size_t folder) {
    const char **paths = mem_array(set->listed.count, sizeof *paths);
    size_t count = 0;
    for (size_t i = 0; i < set->listed.count; i++)
        if (strncmp(set->listed.array[i], sounds, folder) == 0)
            paths[count++] = set->listed.array[i] + folder;
    struct findings findings FINDINGS_CLEANUP = FINDINGS_INIT;
    format_check_vosk(paths, count, &findings);
    tell(set, sounds, 0, &findings);
    free(paths);
}

/* ---- all of a model ---- */

static void finish_on_desk(struct work *work) {
    struct set_check *set = list_entry(work, struct set_check, work);
    set->finish(set);
}

static void run_sets(struct work *work) {
    struct set_check *set = list_entry(work, struct set_check, work);
    for (size_t i = 0; i < set->count && !set->error; i++) {
        struct set_file *file = &set->files[i];
        size_t at;
        unsigned part, parts;
        if (is_part(file->path, &at, &part, &parts) && speaks_for_its_set(set, i, at, parts) &&
            check_names_have(&set->checked, file->path))
            check_parts(set, file, at, parts);
        else if (ends_with(file->path, INDEX_SUFFIX) && check_names_have(&set->checked, file->path))
            check_index(set, file);
        if (is_cut(set))
            set->error = -ERR_CANCELLED;
    }
    for (size_t i = 0; i < set->checked.count && !set->error; i++)
        if (vosk_folder(set->checked.array[i]) >= 0)
            check_vosk(set, set->checked.array[i], (size_t)vosk_folder(set->checked.array[i]));
    set->open = NULL;
    path_close(&set->fd);
    work->run = finish_on_desk;
    desk_submit(set->run->manage, work);
}

int set_check_submit(struct set_check *set) {
    set->work.run = run_sets;
    return checks_submit(set->run->manage, &set->work, false);
}
