/* SPDX-License-Identifier: Apache-2.0 */

/* health: a word for monitoring, then a line a check. A check is a row. */

#include <inttypes.h>
#include <sys/statvfs.h>

#include "manage/known.h"
#include "manage/remote.h"
#include "model/catalog_check.h"
#include "tree/inside.h"
#include "tree/place.h"
#include "tree/print.h"

#define NAMED_MOST 8 /* models that a line names */

enum level { LEVEL_OK, LEVEL_DEGRADED, LEVEL_FAILING };
static const char *const level_words[] = {"ok", "degraded", "failing"};

/* Each says in `to` what it saw, in a few words. */

static enum level check_store(struct tree *tree, const struct root_report *report, struct buf *to) {
    (void)report;
    struct statvfs disk;
    if (fstatvfs(store_instance_fd(tree->store), &disk) < 0) {
        (void)buf_format(to, "the store's folder can't be looked at: %s", err_sentence(-errno));
        return LEVEL_FAILING;
    }
    if (disk.f_flag & ST_RDONLY) {
        (void)buf_text_add(to, "the store's file system is read-only");
        return LEVEL_FAILING;
    }
    (void)buf_text_add(to, "writable");
    return LEVEL_OK;
}

static enum level check_room(struct tree *tree, const struct root_report *report, struct buf *to) {
    (void)tree;
    char words[HUMAN_SIZE];
    if (!report->store.disk_free_bytes) {
        (void)buf_text_add(to, "the disk is full (min_free_bytes counts as used)");
        return LEVEL_DEGRADED; /* what is complete can be read */
    }
    (void)buf_format(to, "%s free", human_bytes(words, report->store.disk_free_bytes));
    if (report->store.budget_bytes)
        (void)buf_format(to, ", a budget of %s", human_bytes(words, report->store.budget_bytes));
    return LEVEL_OK;
}

static enum level check_token(struct tree *tree, const struct root_report *report, struct buf *to) {
    (void)tree;
    bool refused = report->error == -ERR_TOKEN;
    (void)buf_text_add(to, refused ? err_text(&report->reason, report->error) : "no complaint");
    return refused ? LEVEL_DEGRADED : LEVEL_OK;
}

static enum level check_network(struct tree *tree, const struct root_report *report, struct buf *to) {
    (void)tree;
    if (report->offline) {
        (void)buf_text_add(to, "offline=on, as wished: what is here works");
        return LEVEL_OK;
    }
    bool other = report->error == -ERR_TOKEN || report->error == -ERR_FULL || report->error == -ERR_BUDGET;
    bool ailing = report->error && !other;
    (void)buf_text_add(to, ailing ? err_text(&report->reason, report->error) : "no complaint");
    return ailing ? LEVEL_DEGRADED : LEVEL_OK;
}

static enum level check_models(struct tree *tree, const struct root_report *report, struct buf *to) {
    (void)tree;
    (void)buf_format(to, "%" PRIu64 " failed of %" PRIu64, report->failed, report->models);
    return report->failed ? LEVEL_DEGRADED : LEVEL_OK;
}

static enum level check_required(struct tree *tree, const struct root_report *report, struct buf *to) {
    (void)report;
    struct required_report required REQUIRED_REPORT_CLEANUP = {0};
    required_report(tree->settings.manage, &required);
    if (!required.missing_count) {
        (void)buf_format(to, "%zu required, none missing", required.required);
        return LEVEL_OK;
    }
    (void)buf_format(to, "%zu of %zu missing (`ensure` fetches them):", required.missing_count,
        required.required);
    for (size_t i = 0; i < required.missing_count && i < NAMED_MOST; i++)
        (void)buf_format(to, " %s", required.missing[i]);
    if (required.missing_count > NAMED_MOST)
        (void)buf_text_add(to, " …");
    return LEVEL_DEGRADED;
}

static enum level check_known(struct tree *tree, const struct root_report *report, struct buf *to) {
    (void)report;
    struct required_report required REQUIRED_REPORT_CLEANUP = {0};
    required_report(tree->settings.manage, &required);
    if (!required.fault_count) {
        (void)buf_text_add(to, "all files of the catalogue of models are good");
        return LEVEL_OK;
    }
    (void)buf_format(to, "left out: %s", required.fault);
    if (required.fault_count > 1)
        (void)buf_format(to, " (and %zu more)", required.fault_count - 1);
    return LEVEL_DEGRADED;
}

static enum level check_engines(struct tree *tree, const struct root_report *report, struct buf *to) {
    (void)report;
    struct declared *declared DECLARED_CLEANUP = manage_declared(tree->settings.manage);
    const char *fault = declared_fault(declared, 0);
    size_t faults = 0;
    if (!fault) { /* none at all is fine, too: models are files first */
        if (tree->settings.infer)
            infer_tell_engines(tree->settings.infer, to);
        return LEVEL_OK;
    }
    while (declared_fault(declared, faults))
        faults++;
    (void)buf_format(to, "left out: %s", fault);
    if (faults > 1)
        (void)buf_format(to, " (and %zu more)", faults - 1);
    return LEVEL_DEGRADED;
}

struct endpoints {
    struct buf *to;
    size_t count, failing;
};

static void note_endpoint(void *context, const struct source *source, const char *place,
    const struct remote_report *report) {
    struct endpoints *endpoints = context;
    endpoints->count++;
    if (!report->error)
        return;
    (void)buf_format(endpoints->to, "%s%s%s%s: %s", endpoints->failing++ ? "; " : "", source->name,
        *place ? ":" : "", place, err_text(&report->reason, report->error)); /* no limit */
}

/* Those who serve models elsewhere: what they told before stays. */
static enum level check_endpoints(struct tree *tree, const struct root_report *report, struct buf *to) {
    struct endpoints endpoints = {.to = to};
    (void)report;
    remote_list(tree->settings.manage, note_endpoint, &endpoints);
    if (!endpoints.failing)
        (void)buf_format(to, "%zu declared, no complaint", endpoints.count);
    return endpoints.failing ? LEVEL_DEGRADED : LEVEL_OK;
}

static void note_aside(void *context, const char *name) {
    struct buf *names = context;
    (void)buf_format(names, "%s%s", names->len ? ", " : "", name); /* no limit: it can't fail */
}

static enum level check_catalog(struct tree *tree, const struct root_report *report, struct buf *to) {
    (void)report;
    struct catalog_totals totals;
    struct buf aside BUF_CLEANUP = BUF_INIT;
    int result = catalog_totals(tree->catalog, &totals);
    if (result == 0)
        result = catalog_list_aside(store_instance_fd(tree->store), note_aside, &aside);
    if (result < 0) {
        (void)buf_text_add(to, err_sentence(result));
        return LEVEL_FAILING;
    }
    if (aside.len) {
        (void)buf_format(to,
            "it was damaged and put aside as %s in %s: models are discovered anew, their bytes are here; "
            "pins "
            "and settings have to be given again, and what was pinned is held until these files, with those "
            "that begin alike, are removed",
            buf_text(&aside), store_instance_path(tree->store));
        return LEVEL_DEGRADED;
    }
    (void)buf_text_add(to, "readable");
    return LEVEL_OK;
}

/* What validations found, and nobody has mended since. */
static enum level check_reports(struct tree *tree, const struct root_report *report, struct buf *to) {
    (void)report;
    uint64_t counts[FINDING_LEVELS], all = 0;
    int result = catalog_count_verdicts(tree->catalog, counts);
    if (result < 0) {
        (void)buf_text_add(to, err_sentence(result));
        return LEVEL_FAILING;
    }
    for (size_t i = 0; i < FINDING_LEVELS; i++)
        all += counts[i];
    (void)buf_format(to, "%" PRIu64 " with errors, %" PRIu64 " dangerous of %" PRIu64 " validated",
        counts[FINDING_ERROR], counts[FINDING_DANGER], all);
    return counts[FINDING_ERROR] + counts[FINDING_DANGER] ? LEVEL_DEGRADED : LEVEL_OK;
}

static const struct check {
    const char *name;
    enum level (*look)(struct tree *tree, const struct root_report *report, struct buf *to);
} checks[] = {
    {"store", check_store},
    {"room", check_room},
    {"catalogue", check_catalog},
    {"network", check_network},
    {"token", check_token},
    {"models", check_models},
    {"reports", check_reports},
    {"required", check_required},
    {"known", check_known},
    {"endpoints", check_endpoints},
    {"engines", check_engines},
};

int print_health(const struct place *place, struct buf *to) {
    struct root_report report;
    int result = root_report(place->tree->settings.manage, &report);
    if (result < 0)
        return result;
    struct buf lines BUF_CLEANUP = BUF_INIT;
    enum level worst = LEVEL_OK;
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        struct buf words BUF_CLEANUP = BUF_INIT;
        enum level level = checks[i].look(place->tree, &report, &words);
        (void)buf_format(&lines, "%-8s  %-9s  %s\n", level_words[level], checks[i].name, buf_text(&words));
        if (level > worst)
            worst = level;
    }
    return buf_format(to, "%s\n%s", level_words[worst], buf_text(&lines));
}
