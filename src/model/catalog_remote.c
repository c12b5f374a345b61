/* SPDX-License-Identifier: Apache-2.0 */
#include "model/catalog_remote.h"

#include <stdio.h>

#include "base/clock.h"
#include "model/catalog_internal.h"

#define COLUMNS                                                                             \
    "SELECT m.id, m.name, m.error, r.digest, r.whole, r.card FROM remotes r JOIN models m " \
    "ON m.id = r.model_id "
/* Names of the place ?2 are between it with a slash and it with what follows a slash; of "" all are. */
#define OF_PLACE "m.source = ?1 AND (?2 = '' OR (m.name > ?2 || '/' AND m.name < ?2 || '0')) "

static void read_remote(struct db_statement *row, struct catalog_remote *remote) {
    remote->model_id = db_get_number(row, 0);
    catalog_get_text(row, 1, remote->name, sizeof remote->name);
    remote->gone = db_get_number(row, 2) == -ERR_UNKNOWN_MODEL;
    catalog_get_text(row, 3, remote->digest, sizeof remote->digest);
    remote->whole = db_get_number(row, 4);
}

struct one {
    struct catalog_remote remote;
    struct buf *card;
};

static void read_one(struct db_statement *row, struct one *one) {
    read_remote(row, &one->remote);
    if (one->card)
        (void)buf_text_add(one->card, db_get_text(row, 5)); /* the owner set its limit, if any */
}

int catalog_remote(struct catalog *catalog, int64_t model_id, struct catalog_remote *ret_remote,
    struct buf *to_card) {
    struct one one = {.card = to_card};
    LOCK_SCOPE(&catalog->read_lock);
    int result = READ_ONE(by_number(db_query(catalog->reader, COLUMNS "WHERE r.model_id = ?"), model_id),
        read_one, &one);
    if (result == 0)
        *ret_remote = one.remote;
    return result;
}

int catalog_list_remotes(struct catalog *catalog, const char *source, const char *place, const char *after,
    struct catalog_remote *array, size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *statement =
        db_query(catalog->reader, COLUMNS "WHERE " OF_PLACE "AND m.name > ?3 ORDER BY m.name LIMIT ?4");
    statement = and_text(by_name(statement, source, place), 3, after);
    return READ_LIST(and_number(statement, 4, (int64_t)room), read_remote, array, room);
}

static void read_id(struct db_statement *row, int64_t *id) {
    *id = db_get_number(row, 0);
}

int catalog_next_unshown(struct catalog *catalog, const char *source, const char *place, int64_t after_id,
    int64_t *ret_model_id) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *statement = db_query(catalog->reader,
        COLUMNS "WHERE " OF_PLACE "AND m.id > ?3 AND NOT r.whole AND m.error != ?4 ORDER BY m.id LIMIT 1");
    statement = and_number(by_name(statement, source, place), 3, after_id);
    return READ_ONE(and_number(statement, 4, -ERR_UNKNOWN_MODEL), read_id, ret_model_id);
}

/* ---- writing ---- */

static int store(struct catalog *catalog, const char *source, const char *group,
    const struct roster_model *model, int64_t *ret_model_id) {
    int64_t model_id;
    int result = catalog_add_model_inside(catalog, source, group, model->name, &model_id);
    if (result < 0)
        return result;
    struct db_statement *row = db_query(catalog->writer,
        "INSERT OR REPLACE INTO remotes (model_id, digest, whole, card) VALUES (?1, ?2, ?3, ?4)");
    row = and_number(and_text(by_number(row, model_id), 2, model->digest), 3, model->whole);
    result = db_finish(and_text(row, 4, model->card));
    if (result == 0)
        result = db_finish(
            and_number(by_number(db_query(catalog->writer, "UPDATE models SET error = 0, reason = '',"
                                                           " checked_ms = ?2 WHERE id = ?1"),
                           model_id),
                2, clock_wall_ms()));
    if (result == 0)
        result = catalog_clear_absence(catalog, source, model->name);
    if (result == 0)
        *ret_model_id = model_id;
    return result;
}

int catalog_store_remote(struct catalog *catalog, const char *source, const char *group,
    const struct roster_model *model, int64_t *ret_model_id) {
    int64_t model_id = 0;
    int result = WRITE(catalog, store(catalog, source, group, model, &model_id));
    if (result == 0)
        *ret_model_id = model_id;
    return result;
}
