/* SPDX-License-Identifier: Apache-2.0 */
/* Conversations in the catalogue: whose they are, what was said, and what goes with what. */

#include <sys/stat.h>

#include "catalog-fixture.h"

#include "model/catalog_chat.h"

enum { ANNA = 1000, BEN = 1001, MOST = 3 };
#define BYTES 100

static int64_t make(struct catalog *catalog, int64_t model_id, uid_t uid, const char *name) {
    int64_t id = 0;
    CHECK_OK(catalog_add_chat(catalog, model_id, uid, name, MOST, &id));
    return id;
}

static int count_of(struct catalog *catalog, int64_t model_id, uid_t uid) {
    struct catalog_chat all[8];
    return catalog_list_chats(catalog, model_id, uid, 0, all, 8);
}

static void chats_are_of_a_user(struct catalog *catalog, int64_t model_id) {
    struct catalog_chat chat;
    int64_t id = 0, changed_ms = 0;
    CHECK_OK(catalog_chats_changed(catalog, model_id, &changed_ms));
    CHECK_NUMBER(changed_ms, 0);
    int64_t annas = make(catalog, model_id, ANNA, "work"), bens = make(catalog, model_id, BEN, "work");
    CHECK(annas != bens);
    CHECK_OK(catalog_find_chat(catalog, model_id, ANNA, "work", &chat));
    CHECK_NUMBER(chat.id, annas);
    CHECK_NUMBER(chat.uid, ANNA);
    CHECK_NUMBER(chat.turns, 0);
    CHECK_OK(catalog_find_chat(catalog, model_id, BEN, "work", &chat));
    CHECK_NUMBER(chat.id, bens);
    CHECK_ERROR(catalog_find_chat(catalog, model_id, 0, "work", &chat), -ENOENT);
    CHECK_ERROR(catalog_add_chat(catalog, model_id, ANNA, "work", MOST, &id), -EEXIST);
    CHECK_ERROR(catalog_add_chat(catalog, model_id + 1, ANNA, "work", MOST, &id), -ENOENT);
    CHECK_NUMBER(id, 0);
    CHECK_OK(catalog_chats_changed(catalog, model_id, &changed_ms));
    CHECK(changed_ms > 0);
    make(catalog, model_id, ANNA, "b");
    make(catalog, model_id, ANNA, "c");
    CHECK_ERROR(catalog_add_chat(catalog, model_id, ANNA, "d", MOST, &id), -EDQUOT);
    CHECK_NUMBER(count_of(catalog, model_id, ANNA), 3);
    CHECK_NUMBER(count_of(catalog, model_id, BEN), 1);
    CHECK_OK(catalog_find_chat(catalog, model_id, ANNA, "b", &chat));
    CHECK_ERROR(catalog_rename_chat(catalog, chat.id, "c"), -EEXIST);
    CHECK_OK(catalog_rename_chat(catalog, chat.id, "b"));
    CHECK_OK(catalog_rename_chat(catalog, chat.id, "\xc3\xa9t\xc3\xa9"));
    CHECK_ERROR(catalog_find_chat(catalog, model_id, ANNA, "b", &chat), -ENOENT);
    CHECK_OK(catalog_find_chat(catalog, model_id, ANNA, "\xc3\xa9t\xc3\xa9", &chat));
    CHECK_OK(catalog_remove_chat(catalog, chat.id));
    CHECK_ERROR(catalog_remove_chat(catalog, chat.id), -ENOENT);
    CHECK_ERROR(catalog_rename_chat(catalog, chat.id, "z"), -ENOENT);
    CHECK(make(catalog, model_id, ANNA, "d") > chat.id); /* ids are never used again */
}

struct heard {
    struct buf text;
    int64_t last;
    int stop_at;
};

static int hear(void *context, const struct catalog_turn *turn) {
    struct heard *heard = context;
    CHECK_NUMBER(turn->number, heard->last + 1);
    heard->last = turn->number;
    CHECK_OK(buf_format(&heard->text, "%s=%s;", turn->asked, turn->answer));
    return heard->last == heard->stop_at ? -ECANCELED : 0;
}

static void say(struct catalog *catalog, int64_t id, const char *asked, const char *answer) {
    CHECK_OK(catalog_add_turn(catalog, id,
        &(struct catalog_turn){.asked = asked,
            .answer = answer,
            .asked_ms = 5,
            .answered_ms = 6,
            .answer_tokens = 7},
        BYTES));
}

static void turns_are_whole_and_in_order(struct catalog *catalog, int64_t id) {
    struct catalog_chat chat;
    struct heard heard = {.text = BUF_INIT};
    struct catalog_turn big = {.asked = "a question that is",
        .answer = "too long for what is left of the "
                  "hundred bytes that it may have, with what was said before"};
    say(catalog, id, "hi", "hello");
    say(catalog, id, "\xe2\x82\xac\n", "");
    CHECK_ERROR(catalog_add_turn(catalog, id, &big, BYTES), -EDQUOT);
    CHECK_ERROR(catalog_add_turn(catalog, 999, &big, 1000), -ENOENT);
    say(catalog, id, "3", "three");
    CHECK_OK(catalog_chat(catalog, id, &chat));
    CHECK_NUMBER(chat.turns, 3);
    CHECK_NUMBER(chat.bytes, 2 + 5 + 4 + 1 + 5);
    CHECK_OK(catalog_each_turn(catalog, id, 0, hear, &heard));
    CHECK_TEXT(buf_text(&heard.text), "hi=hello;\xe2\x82\xac\n=;3=three;");
    buf_clear(&heard.text);
    heard.last = 1;
    heard.stop_at = 2;
    CHECK_ERROR(catalog_each_turn(catalog, id, 1, hear, &heard), -ECANCELED);
    CHECK_TEXT(buf_text(&heard.text), "\xe2\x82\xac\n=;");
    buf_done(&heard.text);
}

static void texts_of_its_own(struct catalog *catalog, int64_t id) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    CHECK_ERROR(catalog_chat_text(catalog, id, "system", &text), -ENOENT);
    CHECK_OK(catalog_set_chat_text(catalog, id, "system", ""));
    CHECK_OK(catalog_chat_text(catalog, id, "system", &text)); /* empty is not none */
    CHECK_TEXT(buf_text(&text), "");
    CHECK_OK(catalog_set_chat_text(catalog, id, "system", "terse"));
    CHECK_OK(catalog_chat_text(catalog, id, "system", &text));
    CHECK_TEXT(buf_text(&text), "terse");
    CHECK_OK(catalog_set_chat_text(catalog, id, "system", NULL));
    CHECK_ERROR(catalog_chat_text(catalog, id, "system", &text), -ENOENT);
    CHECK_ERROR(catalog_set_chat_text(catalog, 999, "system", "x"), -ENOENT);
}

/* What a commit did not end is not there; a chat takes its turns with it, a model its chats. */
static void what_goes_with_what(struct catalog *catalog, int64_t model_id, int64_t id) {
    struct catalog_chat chat;
    struct heard heard = {.text = BUF_INIT};
    CHECK_OK(catalog_begin(catalog));
    say(catalog, id, "never", "said");
    catalog_rollback(catalog);
    CHECK_OK(catalog_chat(catalog, id, &chat));
    CHECK_NUMBER(chat.turns, 3);
    CHECK_OK(catalog_set_chat_text(catalog, id, "params", "seed 1\n"));
    catalog = open_again(catalog);
    CHECK_OK(catalog_chat(catalog, id, &chat));
    CHECK_NUMBER(chat.turns, 3);
    CHECK_OK(catalog_remove_chat(catalog, id));
    CHECK_OK(catalog_each_turn(catalog, id, 0, hear, &heard));
    CHECK_NUMBER(heard.last, 0);
    CHECK_ERROR(catalog_chat_text(catalog, id, "params", &heard.text), -ENOENT);
    CHECK(count_of(catalog, model_id, ANNA) > 0);
    CHECK_OK(catalog_forget_model(catalog, model_id));
    CHECK_NUMBER(count_of(catalog, model_id, ANNA), 0);
    catalog_close(catalog);
}

static mode_t mode_of(const char *tail) {
    char name[4200];
    struct stat status;
    snprintf(name, sizeof name, "%s%s", path, tail);
    return CHECK(stat(name, &status) == 0) ? status.st_mode & 07777 : 0;
}

/* What was said is for no other user of the machine, also in a file that was open to all before. */
static void its_file_is_private(struct catalog *catalog) {
    CHECK_NUMBER(mode_of(""), 0600);
    CHECK_NUMBER(mode_of("-wal"), 0600);
    catalog_close(catalog);
    CHECK(chmod(path, 0644) == 0);
    catalog = open_again(NULL);
    CHECK_NUMBER(mode_of(""), 0600);
    CHECK_NUMBER(mode_of("-wal"), 0600);
    catalog_close(catalog);
}

int main(void) {
    snprintf(path, sizeof path, "%s/catalog.db", check_folder());
    struct catalog *catalog = open_again(NULL);
    struct catalog_chat chat;
    int64_t model_id = store(catalog, "acme/tiny", tiny(COMMIT_A), true);
    chats_are_of_a_user(catalog, model_id);
    CHECK_OK(catalog_find_chat(catalog, model_id, BEN, "work", &chat));
    turns_are_whole_and_in_order(catalog, chat.id);
    texts_of_its_own(catalog, chat.id);
    what_goes_with_what(catalog, model_id, chat.id);
    its_file_is_private(open_again(NULL));
    return check_result();
}
