/* SPDX-License-Identifier: Apache-2.0 */
#include "model/catalog_by.h"

#include <errno.h>

#include "model/catalog_internal.h"

/* A statement each: an index ends in the row's id, so that each is one step along it. */
static struct db_statement *query_next(struct db *db, enum catalog_by kind) {
    switch (kind) {
    case BY_STATE:
        return db_query(db, "SELECT id FROM models WHERE state = ?1 AND id > ?2 ORDER BY id LIMIT 1");
    case BY_CATEGORY:
        return db_query(db, "SELECT id FROM models WHERE category = ?1 AND id > ?2 ORDER BY id LIMIT 1");
    case BY_FORMAT:
        return db_query(db, "SELECT id FROM models WHERE format = ?1 AND id > ?2 ORDER BY id LIMIT 1");
    case BY_ORIGIN: /* (source, name) is its index: few sources, so that a walk by id finds one at once */
        return db_query(db, "SELECT id FROM models WHERE +source = ?1 AND id > ?2 ORDER BY id LIMIT 1");
    case BY_COUNT: break;
    }
    return NULL;
}

static void read_id(struct db_statement *row, int64_t *id) {
    *id = db_get_number(row, 0);
}

int catalog_next_by(struct catalog *catalog, enum catalog_by kind, const char *value, int64_t after_id,
    int64_t *ret_model_id) {
    LOCK_SCOPE(&catalog->read_lock);
    return READ_ONE(and_number(and_text(query_next(catalog->reader, kind), 1, value), 2, after_id), read_id,
        ret_model_id);
}

int catalog_is_by(struct catalog *catalog, enum catalog_by kind, const char *value, int64_t model_id) {
    int64_t found;
    int result = catalog_next_by(catalog, kind, value, model_id - 1, &found);
    return result == 0 && found != model_id ? -ENOENT : result;
}

static void read_label(struct db_statement *row, char *to) {
    catalog_get_text(row, 0, to, CATALOG_LABEL_SIZE);
}

int catalog_next_category(struct catalog *catalog, const char *after, char to[static CATALOG_LABEL_SIZE]) {
    LOCK_SCOPE(&catalog->read_lock);
    return READ_ONE(and_text(db_query(catalog->reader, "SELECT category FROM models WHERE category > ?1 "
                                                       "ORDER BY category LIMIT 1"),
                        1, after),
        read_label, to);
}

static void read_labels(struct db_statement *row, struct catalog_labels *labels) {
    catalog_get_text(row, 0, labels->category, sizeof labels->category);
    catalog_get_text(row, 1, labels->format, sizeof labels->format);
}

int catalog_labels(struct catalog *catalog, int64_t model_id, struct catalog_labels *ret_labels) {
    LOCK_SCOPE(&catalog->read_lock);
    return READ_ONE(by_number(db_query(catalog->reader, "SELECT category, format FROM models WHERE id = ?"),
                        model_id),
        read_labels, ret_labels);
}

int catalog_set_labels(struct catalog *catalog, int64_t model_id, const struct catalog_labels *labels) {
    return WRITE(catalog,
        db_finish(
            and_text(and_text(by_number(db_query(catalog->writer,
                                            "UPDATE models SET category = ?2, format = ?3 WHERE id = ?1"),
                                  model_id),
                         2, labels->category),
                3, labels->format)));
}

int catalog_count_formats(struct catalog *catalog,
    void (*listener)(void *context, const char *format, uint64_t count), void *context) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row =
        db_query(catalog->reader, "SELECT format, count(*) FROM models GROUP BY format");
    int step;
    while ((step = db_step(row)) == 1)
        listener(context, db_get_text(row, 0), (uint64_t)db_get_number(row, 1));
    return step;
}

/* ---- links ---- */

int catalog_link(struct catalog *catalog, const char *name, int64_t *ret_model_id) {
    LOCK_SCOPE(&catalog->read_lock);
    return READ_ONE(and_text(db_query(catalog->reader, "SELECT model_id FROM links WHERE name = ?"), 1, name),
        read_id, ret_model_id);
}

int catalog_set_link(struct catalog *catalog, const char *name, int64_t model_id) {
    if (!model_id)
        return WRITE(catalog,
            db_finish(and_text(db_query(catalog->writer, "DELETE FROM links WHERE name = ?"), 1, name)));
    return WRITE(catalog,
        db_finish(and_number(and_text(db_query(catalog->writer,
                                          "INSERT INTO links (name, model_id) VALUES (?1, ?2) "
                                          "ON CONFLICT (name) DO UPDATE SET model_id = ?2"),
                                 1, name),
            2, model_id)));
}
