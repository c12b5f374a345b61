/* SPDX-License-Identifier: Apache-2.0 */
/* Models that are served elsewhere, in the catalogue. */
#include <stdio.h>
#include <string.h>

#include "catalog-fixture.h"
#include "model/catalog_remote.h"

static int64_t keep(struct catalog *catalog, const char *source, const char *group, const char *name,
    bool whole) {
    char card[] = "{\"architecture\":\"gemma2\"}";
    struct roster_model model = {.digest = "ff02", .card = card, .whole = whole};
    int64_t id = 0;
    (void)text_copy(model.name, sizeof model.name, name);
    CHECK_OK(catalog_store_remote(catalog, source, group, &model, &id));
    return id;
}

static int count(struct catalog *catalog, const char *source, const char *place) {
    struct catalog_remote page[2];
    char after[NAME_MODEL_SIZE] = "";
    int all = 0, got;
    while ((got = catalog_list_remotes(catalog, source, place, after, page, 2)) > 0) {
        CHECK(strcmp(after, page[0].name) < 0);
        memcpy(after, page[got - 1].name, sizeof after);
        all += got;
    }
    CHECK_NUMBER(got, 0);
    return all;
}

int main(void) {
    struct catalog *catalog;
    bool damaged;
    snprintf(path, sizeof path, "%s/catalog.db", getenv("TEST_DIR") ? getenv("TEST_DIR") : "/tmp");
    (void)unlink(path);
    CHECK_OK(catalog_open(path, &catalog, &damaged, NULL));

    int64_t first = keep(catalog, "openai", "work", "work/google/gemma-3", false);
    int64_t second = keep(catalog, "openai", "work", "work/a", true);
    (void)keep(catalog, "openai", "work-2", "work-2/a", false); /* "-" is before "/", and no other place's */
    (void)keep(catalog, "openai", "work0", "work0/a", false);   /* behind it */
    int64_t local = keep(catalog, "ollama", "", "gemma2:9b", false);
    (void)keep(catalog, "ollama", "me", "me/own:latest", true);
    CHECK_NUMBER(count(catalog, "openai", "work"), 2);
    CHECK_NUMBER(count(catalog, "openai", "work-2"), 1);
    CHECK_NUMBER(count(catalog, "openai", ""), 4);
    CHECK_NUMBER(count(catalog, "ollama", ""), 2);
    CHECK_NUMBER(count(catalog, "openai", "none"), 0);
    CHECK_NUMBER(keep(catalog, "openai", "work", "work/a", true), second);

    struct catalog_remote remote;
    struct buf BUF_CLEANUP card = BUF_INIT;
    CHECK_OK(catalog_remote(catalog, first, &remote, &card));
    CHECK_TEXT(remote.name, "work/google/gemma-3");
    CHECK_TEXT(remote.digest, "ff02");
    CHECK(!remote.whole && !remote.gone);
    CHECK_TEXT(buf_text(&card), "{\"architecture\":\"gemma2\"}");

    /* what is to be asked about: not what is told whole, nor what is gone */
    int64_t next;
    CHECK_OK(catalog_next_unshown(catalog, "openai", "work", 0, &next));
    CHECK_NUMBER(next, first);
    CHECK_ERROR(catalog_next_unshown(catalog, "openai", "work", next, &next), -ENOENT);
    CHECK_OK(catalog_set_error(catalog, first, -ERR_UNKNOWN_MODEL, "gone"));
    CHECK_ERROR(catalog_next_unshown(catalog, "openai", "work", 0, &next), -ENOENT);
    CHECK_OK(catalog_remote(catalog, first, &remote, NULL));
    CHECK(remote.gone);
    struct catalog_model model;
    CHECK_OK(catalog_model(catalog, first, &model));
    CHECK(catalog_remote_is_gone(&model));

    /* it is listed again, as the same */
    CHECK_NUMBER(keep(catalog, "openai", "work", "work/google/gemma-3", true), first);
    CHECK_OK(catalog_model(catalog, first, &model));
    CHECK(!catalog_remote_is_gone(&model) && !model.revision_id);
    catalog = open_again(catalog);
    CHECK_OK(catalog_remote(catalog, first, &remote, NULL));
    CHECK(remote.whole && !remote.gone);

    /* it goes with its model; others of the Hub are none */
    CHECK_OK(catalog_forget_model(catalog, local));
    CHECK_ERROR(catalog_remote(catalog, local, &remote, NULL), -ENOENT);
    int64_t hub = store(catalog, "acme/tiny", tiny(COMMIT_A), true);
    CHECK_ERROR(catalog_remote(catalog, hub, &remote, NULL), -ENOENT);
    CHECK_NUMBER(count(catalog, "ollama", ""), 1);
    catalog_close(catalog);
    return check_result();
}
