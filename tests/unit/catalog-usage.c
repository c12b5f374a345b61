/* SPDX-License-Identifier: Apache-2.0 */
/* Usage: sums by day and user that add up, are listed in pages, and go with their time or their model. */

#include "catalog-fixture.h"

#include "model/catalog_usage.h"

static struct catalog_usage one(int64_t model_id, int64_t day, uid_t uid) {
    return (struct catalog_usage){.model_id = model_id,
        .day = day,
        .uid = uid,
        .questions = 2,
        .failed = 1,
        .prompt_tokens = 30,
        .answer_tokens = 400,
        .first_ms = 5,
        .total_ms = 6};
}

static void sums_add_up(struct catalog *catalog, int64_t id) {
    const struct catalog_usage days[] = {one(id, 20000, 7), one(id, 20001, 7), one(id, 20000, 4294967294u)};
    struct catalog_usage rows[8];
    CHECK_OK(catalog_add_usage(catalog, days, 3, 100));
    CHECK_OK(catalog_add_usage(catalog, days, 1, 100));
    CHECK_NUMBER(catalog_list_usage(catalog, id, -1, 0, rows, 8), 3);
    CHECK(rows[0].day == 20000 && rows[0].uid == 7 && rows[0].model_id == id);
    CHECK(rows[0].questions == 4 && rows[0].failed == 2 && rows[0].prompt_tokens == 60);
    CHECK(rows[0].answer_tokens == 800 && rows[0].first_ms == 10 && rows[0].total_ms == 12);
    CHECK(rows[1].day == 20000 && rows[1].uid == 4294967294u && rows[1].questions == 2);
    CHECK(rows[2].day == 20001 && rows[2].uid == 7);
}

static void pages_go_on(struct catalog *catalog, int64_t id) {
    struct catalog_usage row;
    int64_t day = -1;
    uid_t uid = 0;
    unsigned count = 0;
    while (catalog_list_usage(catalog, id, day, uid, &row, 1) == 1) {
        day = row.day;
        uid = row.uid;
        count++;
    }
    CHECK_NUMBER(count, 3);
}

static void old_days_go(struct catalog *catalog, int64_t id) {
    const struct catalog_usage today = one(id, 20010, 7);
    struct catalog_usage rows[8];
    CHECK_OK(catalog_add_usage(catalog, &today, 1, 10));
    CHECK_NUMBER(catalog_list_usage(catalog, id, -1, 0, rows, 8), 2);
    CHECK(rows[0].day == 20001 && rows[1].day == 20010);
}

static void a_model_that_is_gone_has_none(struct catalog *catalog, int64_t id) {
    const struct catalog_usage both[] = {one(id + 1000, 20010, 7), one(id, 20010, 7)};
    struct catalog_usage rows[8];
    CHECK_OK(catalog_add_usage(catalog, both, 2, 10));
    CHECK_NUMBER(catalog_list_usage(catalog, id + 1000, -1, 0, rows, 8), 0);
    CHECK_NUMBER(catalog_list_usage(catalog, id, -1, 0, rows, 8), 2);
    CHECK_OK(catalog_forget_model(catalog, id));
    CHECK_NUMBER(catalog_list_usage(catalog, id, -1, 0, rows, 8), 0);
}

int main(void) {
    snprintf(path, sizeof path, "%s/catalog.db", check_folder());
    struct catalog *catalog = open_again(NULL);
    int64_t id = store(catalog, "acme/tiny", tiny(COMMIT_A), true);
    sums_add_up(catalog, id);
    pages_go_on(catalog, id);
    old_days_go(catalog, id);
    a_model_that_is_gone_has_none(catalog, id);
    catalog_close(catalog);
    return check_result();
}
