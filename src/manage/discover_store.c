/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a discovery, on the desk: what was learnt is stored, and the askers are told. */

#include "manage/discovery.h"
#include "manage/known.h"
#include "manage/remote_inside.h"
#include "manage/revision.h"
#include "model/catalog_revision.h"

#include <stdlib.h>
#include <string.h>

/* ---- the askers are told, on the desk ---- */

/* One by one: on any list of ours a wait would still be linked, and could be taken back while it is
 * being finished. */
static struct list *next_asker(struct discovery *discovery, struct list *head) {
    LOCK_SCOPE(&discovery->manage->lock);
    return list_shift(head);
}

static void tell(struct discovery *discovery, const struct catalog_stored *stored) {
    struct manage *manage = discovery->manage;
    lock_take(&manage->lock);
    list_remove(&discovery->link); /* nobody joins it from here on */
    manage->discoveries_ended++;
    lock_drop(&manage->lock);
    metric_add(&manage_metrics[MANAGE_DISCOVERIES],
        METRIC_PAIR(source_index(discovery->source), metric_error(discovery->result), METRIC_ERRORS), 1);
    for (struct list *link; (link = next_asker(discovery, &discovery->waits));) {
        struct wait *wait = list_entry(link, struct wait, link);
        wait->finish(wait, discovery->result);
    }
    for (struct list *link; (link = next_asker(discovery, &discovery->asks));) {
        struct discover_ask *ask = list_entry(link, struct discover_ask, link);
        ask->model_id = stored->model_id;
        ask->revision_id = stored->revision_id;
        ask->changed = stored->changed;
        ask->waiting = stored->waiting;
        ask->reason = discovery->reason;
        ask->listed = discovery->roster ? discovery->roster->count : 0;
        ask->left_out = discovery->roster ? discovery->roster->refused + discovery->roster->beyond : 0;
        ask->retry_after_s = discovery->retry_after_s;
        ask->finish(ask, discovery->result);
    }
}

static void free_discovery(struct discovery *discovery) {
    struct manage *manage = discovery->manage;
    if (discovery->talk)
        (discovery->source->is_remote ? discovery->source->list_free : discovery->source->discover_free)(
            discovery->talk);
    source_ask_done(&discovery->ask);
    buf_done(&discovery->request.body);
    buf_done(&discovery->request.fields);
    free(discovery->request.last_url);
    manifest_free(discovery->manifest);
    roster_free(discovery->roster);
    free(discovery);
    flight_end(manage);
}

/* ---- what was learnt is stored, on the desk ---- */

static void announce(struct discovery *discovery, int64_t model_id, bool known, bool changed) {
    struct manage *manage = discovery->manage;
    state_renew(manage);
    if (!known) {
        if (discovery->manifest)
            log_notice("%s is known now, at %s (files: %zu)", discovery->key, discovery->manifest->commit,
                discovery->manifest->file_count);
        else
            log_notice("%s is known now, and tells nothing: %s", discovery->key,
                err_text(&discovery->reason, discovery->result));
        events_add(manage, "model.added", discovery->key, NULL);
        bus_publish(&(struct news){.kind = NEWS_MODEL_ADDED, .id = model_id, .text = discovery->key});
    } else if (changed) {
        revision_switched(manage, model_id);
    }
    if (!known || changed)
        labels_renew(manage, model_id);
    bus_publish(&(struct news){.kind = NEWS_MODEL, .id = model_id});
    state_mark(manage, model_id);
}

static int store_success(struct discovery *discovery, struct catalog_stored *ret_stored) {
    struct manage *manage = discovery->manage;
    struct catalog *catalog = manage->settings.catalog;
    struct catalog_model model;
    const char *name = !strchr(discovery->model, '/') ? discovery->manifest->model : discovery->model;
    bool known = catalog_find_model(catalog, discovery->source->name, name, &model) == 0;
    int result = catalog_store_revision(catalog, discovery->source->name, discovery->model,
        discovery->manifest, discovery->hold, ret_stored);
    if (result < 0)
        return err_because(&discovery->reason, result, "it can't be written to the catalogue");
    if (discovery->manifest->locked)
        (void)catalog_set_error(catalog, ret_stored->model_id, -ERR_GATED,
            err_text(&discovery->reason, -ERR_GATED)); /* only told, files say it too */
    name_format(discovery->source->name, name, discovery->key);
    announce(discovery, ret_stored->model_id, known, ret_stored->changed);
    if (discovery->manifest->token_refused)
        manage_trouble(manage, -ERR_TOKEN, discovery->source->name,
            "the token is not accepted by the server; what is public is asked for without it");
    else
        manage_success(manage, true);
    return 0;
}

/* A gated model is known, though it tells nothing. */
static int store_gated(struct discovery *discovery, int64_t *ret_model_id) {
    struct catalog *catalog = discovery->manage->settings.catalog;
    struct catalog_model model;
    bool known = catalog_find_model(catalog, discovery->source->name, discovery->model, &model) == 0;
    int result = catalog_store_locked(catalog, discovery->source->name, discovery->model, discovery->result,
        discovery->reason.text, ret_model_id);
    if (result == 0)
        announce(discovery, *ret_model_id, known, false);
    return result;
}

static bool is_absence(int error) {
    return error == -ERR_UNKNOWN_MODEL || error == -ERR_DISABLED;
}

/* That a list can't be had says nothing of any model: who asked for it tells. */
static void remember_failure(struct discovery *discovery, bool known) {
    struct manage *manage = discovery->manage;
    int64_t absence_ms = options_number(manage->settings.options, "absence_s") * 1000;
    if (!known && is_absence(discovery->result) && absence_ms)
        (void)catalog_set_absence(manage->settings.catalog, discovery->source->name, discovery->model,
            discovery->result, discovery->reason.text,
            clock_wall_ms() + absence_ms); /* else it is asked again, no harm */
    else if (discovery->result != -ERR_OFFLINE && discovery->result != -ERR_UNKNOWN_REVISION)
        failure_remember(manage, discovery->key, discovery->result);
}

static void store_failure(struct discovery *discovery) {
    struct manage *manage = discovery->manage;
    struct catalog *catalog = manage->settings.catalog;
    struct catalog_model model;
    bool known = catalog_find_model(catalog, discovery->source->name, discovery->model, &model) == 0;
    /* That another revision than the followed one is not there says nothing of the model. */
    bool followed = !*discovery->revision || strcmp(discovery->revision, model.asked_revision) == 0;
    if (known && followed)
        (void)catalog_set_error(catalog, model.id, discovery->result,
            discovery->reason.text); /* the asker hears it anyway */
    if (known)
        bus_publish(&(struct news){.kind = NEWS_MODEL, .id = model.id});
    remember_failure(discovery, known);
    manage_trouble(manage, discovery->result, discovery->key,
        err_text(&discovery->reason, discovery->result));
}

static void tell_failure(struct discovery *discovery) {
    struct buf more BUF_CLEANUP = BUF_INIT;
    (void)buf_format(&more, ",\"error\":\"%s\",\"reason\":", err_name(discovery->result)); /* no limit */
    (void)buf_json_string(&more, err_text(&discovery->reason, discovery->result));
    events_add(discovery->manage, "discover.failed", discovery->key, buf_text(&more));
    log_notice("%s: %s", discovery->key, err_text(&discovery->reason, discovery->result));
}

/* Of what is served elsewhere. A server that is down is no trouble of the whole: its place tells of it. */
static void conclude_remote(struct discovery *discovery, struct catalog_stored *ret_stored) {
    struct catalog_model model;
    char place[NAME_MODEL_SIZE];
    const char *name = discovery->model;
    if (discovery->result < 0) {
        discovery_place(discovery, place);
        remote_rest(discovery->manage, discovery->source, place, discovery->retry_after_s);
    }
    if (discovery->result == 0)
        discovery->result = remote_conclude(discovery->manage, discovery->source, name, discovery->is_list,
            discovery->roster, ret_stored, &discovery->reason);
    if (discovery->result < 0 && discovery->result != -ERR_CANCELLED && !discovery->is_list)
        remember_failure(discovery, catalog_find_model(discovery->manage->settings.catalog,
                                        discovery->source->name, name, &model) == 0);
}

void discovery_conclude(struct work *work) {
    struct discovery *discovery = list_entry(work, struct discovery, work);
    struct catalog_stored stored = {0};
    if (discovery->source->is_remote)
        conclude_remote(discovery, &stored);
    else if (discovery->result == 0)
        discovery->result = store_success(discovery, &stored);
    else if (discovery->result == -ERR_GATED && strchr(discovery->model, '/') &&
             store_gated(discovery, &stored.model_id) == 0)
        discovery->result = 0;
    else if (discovery->result != -ERR_CANCELLED)
        store_failure(discovery);
    if (discovery->result < 0 && discovery->result != -ERR_CANCELLED && !discovery->is_list)
        tell_failure(discovery);
    tell(discovery, &stored);
    free_discovery(discovery);
}
