/* SPDX-License-Identifier: Apache-2.0 */
#include "model/catalog_setting.h"

#include <unistd.h>

#include "base/buf.h"
#include "model/catalog_internal.h"

#define PEEK_CACHE_KIB 64

int catalog_model_setting(struct catalog *catalog, int64_t model_id, const char *name, char *to,
    size_t size) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row =
        and_text(by_number(db_query(catalog->reader,
                               "SELECT value FROM model_settings WHERE model_id = ? AND name = ?"),
                     model_id),
            2, name);
    int step = db_step(row);
    if (step <= 0)
        return step < 0 ? step : -ENOENT;
    int result = text_copy(to, size, db_get_text(row, 0));
    db_reset(row);
    return result;
}

static int set(struct catalog *catalog, int64_t model_id, const char *name, const char *value) {
    struct db_statement *row =
        value ? db_query(catalog->writer,
                    "INSERT OR REPLACE INTO model_settings (model_id, name, value) VALUES (?, ?, ?)")
              : db_query(catalog->writer, "DELETE FROM model_settings WHERE model_id = ? AND name = ?");
    and_text(by_number(row, model_id), 2, name);
    if (value)
        and_text(row, 3, value);
    return db_finish(row);
}

int catalog_has_model_setting(struct catalog *catalog, const char *name, const char *value) {
    LOCK_SCOPE(&catalog->read_lock);
    int64_t found = 0;
    struct db_statement *row = db_query(catalog->reader,
        "SELECT EXISTS (SELECT 1 FROM model_settings WHERE name = ? AND value = ?)");
    int result = catalog_one_number(and_text(and_text(row, 1, name), 2, value), &found);
    return result < 0 ? result : (int)found;
}

int catalog_set_model_setting(struct catalog *catalog, int64_t model_id, const char *name,
    const char *value) {
    bool nested;
    int result = catalog_enter(catalog, &nested);
    return result < 0 ? result : catalog_leave(catalog, nested, set(catalog, model_id, name, value));
}

static int each(struct db_statement *row, catalog_setting_listener listener, void *context) {
    int step;
    while ((step = db_step(row)) == 1)
        listener(context, db_get_text(row, 0), db_get_text(row, 1));
    return step;
}

#define EVERY_SETTING "SELECT name, value FROM settings ORDER BY name"

int catalog_each_setting(struct catalog *catalog, int64_t model_id, catalog_setting_listener listener,
    void *context) {
    LOCK_SCOPE(&catalog->read_lock);
    if (!model_id)
        return each(db_query(catalog->reader, EVERY_SETTING), listener, context);
    return each(by_number(db_query(catalog->reader,
                              "SELECT name, value FROM model_settings WHERE model_id = ? ORDER BY name"),
                    model_id),
        listener, context);
}

int catalog_peek_settings(const char *path, catalog_setting_listener listener, void *context,
    struct reason *reason) {
    struct db *db;
    int64_t count = 0;
    if (access(path, F_OK) < 0)
        return 0;
    int result = db_open(path, true, PEEK_CACHE_KIB, &db, reason);
    if (result < 0)
        return result;
    result = catalog_one_number(db_query(db, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND "
                                             "name = 'settings'"),
        &count);
    if (result == 0 && count)
        result = each(db_query(db, EVERY_SETTING), listener, context);
    if (result < 0)
        (void)err_because(reason, result, "%s: %s", path, db_error(db));
    db_close(db);
    return result;
}
