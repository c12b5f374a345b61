/* SPDX-License-Identifier: Apache-2.0 */
/* Which models a set means, and the commands that begin to fetch them. */

#include <stdlib.h>
#include <string.h>

#include "manage/collect.h"

#define CATEGORY_IS "category="

bool collect_is_set(const char *word) {
    return !strcmp(word, "recommended") || !strcmp(word, "all") ||
           !strncmp(word, CATEGORY_IS, strlen(CATEGORY_IS));
}

int collect_parse(struct manage *manage, const char *word, struct reason *reason) {
    if (strncmp(word, CATEGORY_IS, strlen(CATEGORY_IS)) != 0)
        return 0;
    const char *category = word + strlen(CATEGORY_IS);
    struct registry *registry REGISTRY_CLEANUP = manage_registry(manage);
    if (registry_has_category(registry, category))
        return 0;
    const char *nearest = registry_nearest_category(registry, category);
    if (!nearest)
        return err_because(reason, -ERR_BAD_VALUE, "the catalogue of models is empty");
    return err_because(reason, -ERR_BAD_VALUE, "there is no category \"%.40s\"; the nearest is \"%s\"",
        category, nearest);
}

/* ---- choosing ---- */

static struct target *add(struct targets *targets, const char *name, const struct name_key *key) {
    size_t count = targets->count++;
    if (!(count & (count - 1))) /* room doubles at powers of two */
        targets->array = mem_resize(targets->array, count ? 2 * count : 1, sizeof *targets->array);
    struct target *target = &targets->array[count];
    *target = (struct target){.key = *key};
    (void)text_copy(target->name, sizeof target->name, name); /* of the same size */
    return target;
}

static void fail(struct target *target, int error) {
    target->stage = TARGET_ENDED;
    target->error = error;
}

/* Of what is required nothing is passed over. */
static void choose_required(struct manage *manage, struct targets *targets) {
    struct required_list list REQUIRED_CLEANUP = {0};
    required_read(manage, &list);
    for (size_t i = 0; i < list.count; i++) {
        const struct source *source;
        struct name_key key = list.array[i].key;
        struct target *target = add(targets, list.array[i].name, &key);
        int result = list.array[i].is_key ? known_source_of_files(&key, &source, &target->reason)
                                          : known_key(manage, list.array[i].name, &key, &target->reason);
        if (result < 0)
            fail(target, result);
    }
}

static bool is_of(const struct registry_entry *entry, const char *words) {
    if (!strcmp(words, "all"))
        return true;
    if (!strcmp(words, "recommended"))
        return entry->recommended;
    return !strcmp(entry->category, words + strlen(CATEGORY_IS));
}

static void choose_set(struct manage *manage, const char *words, struct targets *targets) {
    struct registry *registry REGISTRY_CLEANUP = manage_registry(manage);
    const struct registry_entry *entry;
    for (size_t i = 0; (entry = registry_entry(registry, i)); i++) {
        const struct source *source;
        struct name_key key = entry->parts;
        if (!is_of(entry, words))
            continue;
        if (known_source_of_files(&key, &source, NULL) < 0) {
            if (!targets->passed_over++)
                (void)text_copy(targets->no_source, sizeof targets->no_source, key.source); /* same size */
            continue;
        }
        if (!*key.variant)
            (void)text_copy(key.variant, sizeof key.variant, entry->variant); /* of the same size */
        add(targets, entry->key, &key);
    }
}

int targets_choose(struct manage *manage, const char *words, struct targets *ret_targets,
    struct reason *reason) {
    struct targets targets = {0};
    int result = *words ? collect_parse(manage, words, reason) : 0;
    if (result < 0)
        return result;
    if (*words)
        choose_set(manage, words, &targets);
    else
        choose_required(manage, &targets);
    *ret_targets = targets;
    return 0;
}

void targets_done(struct targets *targets) {
    free(targets->array);
    *targets = (struct targets){0};
}

int64_t target_find_known(struct manage *manage, const struct name_key *key) {
    struct catalog_model model;
    if (catalog_find_model(manage->settings.catalog, key->source, key->model, &model) < 0 || model.locked)
        return 0;
    return !*key->revision || strcmp(key->revision, model.asked_revision) == 0 ? model.id : 0;
}

/* ---- the commands ---- */

/* What is to be fetched, as far as it is known before anybody is asked: of what is not known here the
 * registry's size counts. */
struct estimate {
    size_t models; /* that are not ready */
    uint64_t missing;
};

static void estimate(struct manage *manage, const struct targets *targets, struct estimate *ret_estimate) {
    struct registry *registry REGISTRY_CLEANUP = manage_registry(manage);
    *ret_estimate = (struct estimate){0};
    for (size_t i = 0; i < targets->count; i++) {
        const struct target *target = &targets->array[i];
        const struct registry_entry *entry = registry_find(registry, target->name);
        struct catalog_model model;
        struct model_report report;
        if (target->stage == TARGET_ENDED || known_state(manage, &target->key, &model) == STATE_READY)
            continue;
        ret_estimate->models++;
        bool known = model.id && !*target->key.variant && model_report(manage, &model, &report) == 0;
        ret_estimate->missing += known ? report.bytes_missing : entry ? entry->size_bytes : 0;
    }
}

static int say_nothing_to_do(const struct targets *targets, const char *word, struct reason *reason) {
    for (size_t i = 0; i < targets->count; i++)
        if (targets->array[i].error)
            return err_because(reason, targets->array[i].error, "%s: %s", targets->array[i].name,
                err_text(&targets->array[i].reason, targets->array[i].error));
    if (!targets->count && targets->passed_over)
        return err_because(reason, -ERR_BAD_NAME,
            "none of the %zu can be fetched: this version has no files of the source \"%s\"",
            targets->passed_over, targets->no_source);
    if (!targets->count)
        SAY(reason, *word ? "there is none in the catalogue of models" : "no model is required");
    else
        SAY(reason, "all of it is here (models: %zu)", targets->count);
    return 0;
}

static void say_begun(const struct targets *targets, const struct estimate *figures, int64_t job_id,
    struct reason *reason) {
    char size[HUMAN_SIZE];
    size_t wrong = 0;
    for (size_t i = 0; i < targets->count; i++)
        wrong += targets->array[i].error != 0;
    struct buf more BUF_CLEANUP = BUF_INIT;
    if (targets->passed_over)
        (void)buf_format(&more, "; %zu passed over: this version has no files of the source \"%s\"",
            targets->passed_over, targets->no_source); /* no limit */
    if (wrong)
        (void)buf_format(&more, "; %zu can't be fetched, jobs/%lld/status will say why", wrong,
            (long long)job_id);
    SAY(reason, "job %lld fetches about %s (models: %zu)%s", (long long)job_id,
        human_bytes(size, figures->missing), figures->models, buf_text(&more));
}

int collect_run(struct manage *manage, const struct command_request *request, const char *word,
    struct reason *reason) {
    const struct job_kind *kind = *word ? &kind_collect : &kind_ensure;
    struct targets targets TARGETS_CLEANUP = {0};
    struct estimate figures;
    struct live_job *job = job_of_model(manage, 0, kind, word);
    int64_t job_id;
    if (job) {
        SAY(reason, "job %lld does it already", (long long)job->row.id);
        job_retry(job);
        return 0;
    }
    int result = targets_choose(manage, word, &targets, reason);
    if (result < 0)
        return result;
    estimate(manage, &targets, &figures);
    if (!figures.models)
        return say_nothing_to_do(&targets, word, reason);
    if (options_bool(manage->settings.options, "disable_downloads"))
        return -ERR_DOWNLOADS_OFF;
    result = pull_room(manage, figures.missing, figures.missing, reason);
    if (result == 0)
        result = command_begin(command_of(request));
    if (result == 0)
        result = job_add(manage, kind, 0, word, request, &job_id);
    if (result == 0)
        say_begun(&targets, &figures, job_id, reason);
    return result;
}

int run_ensure(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)arguments;
    return collect_run(manage, request, "", reason);
}

void ensure_at_start(struct manage *manage) {
    struct required_report report REQUIRED_REPORT_CLEANUP = {0};
    int64_t job_id;
    if (!options_bool(manage->settings.options, "download_models_on_start") ||
        options_bool(manage->settings.options, "disable_downloads") ||
        job_of_model(manage, 0, &kind_ensure, NULL))
        return;
    required_report(manage, &report);
    if (report.missing_count && job_add(manage, &kind_ensure, 0, "", NULL, &job_id) < 0)
        log_error("download_models_on_start: no job can be written to the catalogue");
}
