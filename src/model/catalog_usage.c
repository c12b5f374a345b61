/* SPDX-License-Identifier: Apache-2.0 */
#include "model/catalog_usage.h"

#include "model/catalog_internal.h"

static int add_one(struct catalog *catalog, const struct catalog_usage *usage) {
    struct db_statement *row = db_query(catalog->writer,
        "INSERT INTO usage (model_id, day, uid, questions, failed, prompt_tokens, answer_tokens, first_ms, "
        "total_ms) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE EXISTS (SELECT 1 FROM models WHERE id = "
        "?1) "
        "ON CONFLICT (model_id, day, uid) DO UPDATE SET questions = questions + excluded.questions, "
        "failed = failed + excluded.failed, prompt_tokens = prompt_tokens + excluded.prompt_tokens, "
        "answer_tokens = answer_tokens + excluded.answer_tokens, first_ms = first_ms + excluded.first_ms, "
        "total_ms = total_ms + excluded.total_ms");
    const int64_t values[] = {usage->model_id, usage->day, usage->uid, (int64_t)usage->questions,
        (int64_t)usage->failed, (int64_t)usage->prompt_tokens, (int64_t)usage->answer_tokens,
        (int64_t)usage->first_ms, (int64_t)usage->total_ms};
    for (int i = 0; i < (int)(sizeof values / sizeof *values); i++)
        and_number(row, i + 1, values[i]);
    return db_finish(row);
}

static int add(struct catalog *catalog, const struct catalog_usage *array, size_t count, int64_t keep_days) {
    struct db_statement *trim =
        db_query(catalog->writer, "DELETE FROM usage WHERE model_id = ? AND day <= ?");
    int result = 0;
    for (size_t i = 0; i < count && result >= 0; i++)
        result = add_one(catalog, &array[i]);
    for (size_t i = 0; i < count && result >= 0; i++)
        result = db_finish(and_number(and_number(trim, 1, array[i].model_id), 2, array[i].day - keep_days));
    return result < 0 ? result : 0;
}

int catalog_add_usage(struct catalog *catalog, const struct catalog_usage *array, size_t count,
    int64_t keep_days) {
    return WRITE(catalog, add(catalog, array, count, keep_days));
}

static void read_usage(struct db_statement *row, struct catalog_usage *usage) {
    *usage = (struct catalog_usage){.model_id = db_get_number(row, 0),
        .day = db_get_number(row, 1),
        .uid = (uid_t)db_get_number(row, 2),
        .questions = (uint64_t)db_get_number(row, 3),
        .failed = (uint64_t)db_get_number(row, 4),
        .prompt_tokens = (uint64_t)db_get_number(row, 5),
        .answer_tokens = (uint64_t)db_get_number(row, 6),
        .first_ms = (uint64_t)db_get_number(row, 7),
        .total_ms = (uint64_t)db_get_number(row, 8)};
}

int catalog_list_usage(struct catalog *catalog, int64_t model_id, int64_t after_day, uid_t after_uid,
    struct catalog_usage *array, size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row = db_query(catalog->reader,
        "SELECT model_id, day, uid, questions, failed, prompt_tokens, answer_tokens, first_ms, total_ms "
        "FROM usage WHERE model_id = ?1 AND (day, uid) > (?2, ?3) ORDER BY day, uid LIMIT ?4");
    and_number(and_number(and_number(and_number(row, 1, model_id), 2, after_day), 3, after_uid), 4,
        (int64_t)room);
    return READ_LIST(row, read_usage, array, room);
}
