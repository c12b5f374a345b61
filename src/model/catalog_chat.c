/* SPDX-License-Identifier: Apache-2.0 */
#include "model/catalog_chat.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "model/catalog_internal.h"

#define CHAT "SELECT id, model_id, uid, name, created_ms, turns, bytes FROM chats "

/* ---- reading ---- */

static void read_chat(struct db_statement *row, struct catalog_chat *chat) {
    chat->id = db_get_number(row, 0);
    chat->model_id = db_get_number(row, 1);
    chat->uid = (uid_t)db_get_number(row, 2);
    catalog_get_text(row, 3, chat->name, sizeof chat->name);
    chat->created_ms = db_get_number(row, 4);
    chat->turns = db_get_number(row, 5);
    chat->bytes = db_get_number(row, 6);
}

int catalog_chat(struct catalog *catalog, int64_t id, struct catalog_chat *ret_chat) {
    LOCK_SCOPE(&catalog->read_lock);
    return READ_ONE(by_number(db_query(catalog->reader, CHAT "WHERE id = ?"), id), read_chat, ret_chat);
}

static struct db_statement *of_user(struct db_statement *row, int64_t model_id, uid_t uid) {
    return and_number(by_number(row, model_id), 2, uid);
}

int catalog_find_chat(struct catalog *catalog, int64_t model_id, uid_t uid, const char *name,
    struct catalog_chat *ret_chat) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row = db_query(catalog->reader, CHAT "WHERE model_id = ? AND uid = ? AND name = ?");
    return READ_ONE(and_text(of_user(row, model_id, uid), 3, name), read_chat, ret_chat);
}

int catalog_list_chats(struct catalog *catalog, int64_t model_id, uid_t uid, int64_t after_id,
    struct catalog_chat *array, size_t room) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row =
        db_query(catalog->reader, CHAT "WHERE model_id = ? AND uid = ? AND id > ? ORDER BY id LIMIT ?");
    row = and_number(and_number(of_user(row, model_id, uid), 3, after_id), 4, (int64_t)room);
    return READ_LIST(row, read_chat, array, room);
}

int catalog_chats_changed(struct catalog *catalog, int64_t model_id, int64_t *ret_ms) {
    LOCK_SCOPE(&catalog->read_lock);
    return catalog_one_number(by_number(db_query(catalog->reader, "SELECT chats_ms FROM models WHERE id = ?"),
                                  model_id),
        ret_ms);
}

int catalog_chat_text(struct catalog *catalog, int64_t id, const char *name, struct buf *to) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row =
        and_text(by_number(db_query(catalog->reader,
                               "SELECT text FROM chat_texts WHERE chat_id = ? AND name = ?"),
                     id),
            2, name);
    int step = db_step(row);
    if (step <= 0)
        return step < 0 ? step : -ENOENT;
    int result = buf_text_add(to, db_get_text(row, 0));
    db_reset(row);
    return result;
}

static void read_turn(struct db_statement *row, struct catalog_turn *turn) {
    turn->number = db_get_number(row, 0);
    turn->asked = db_get_text(row, 1);
    turn->answer = db_get_text(row, 2);
    turn->asked_ms = db_get_number(row, 3);
    turn->answered_ms = db_get_number(row, 4);
    turn->prompt_tokens = db_get_number(row, 5);
    turn->answer_tokens = db_get_number(row, 6);
}

int catalog_each_turn(struct catalog *catalog, int64_t id, int64_t after,
    int (*each)(void *context, const struct catalog_turn *turn), void *context) {
    LOCK_SCOPE(&catalog->read_lock);
    struct db_statement *row = db_query(catalog->reader,
        "SELECT number, asked, answer, asked_ms, answered_ms, prompt_tokens, answer_tokens FROM turns "
        "WHERE chat_id = ? AND number > ? ORDER BY number");
    row = and_number(by_number(row, id), 2, after);
    int step, result = 0;
    while (result == 0 && (step = db_step(row)) != 0) {
        struct catalog_turn turn;
        if (step < 0)
            return step;
        read_turn(row, &turn);
        result = each(context, &turn);
    }
    if (result)
        db_reset(row);
    return result;
}

/* ---- writing: each is one transaction ---- */

/* Runs a change of one row: -ENOENT when there is none. */
static int change(struct catalog *catalog, struct db_statement *row) {
    int result = db_finish(row);
    return result < 0 ? result : db_changes(catalog->writer) ? 0 : -ENOENT;
}

static int touch(struct catalog *catalog, int64_t model_id) {
    struct db_statement *row = db_query(catalog->writer, "UPDATE models SET chats_ms = ? WHERE id = ?");
    return change(catalog, and_number(and_number(row, 1, clock_wall_ms()), 2, model_id));
}

static int is_free(struct catalog *catalog, int64_t model_id, uid_t uid, const char *name) {
    int64_t taken = 0;
    struct db_statement *row = db_query(catalog->writer,
        "SELECT EXISTS (SELECT 1 FROM chats WHERE model_id = ? AND uid = ? AND name = ?)");
    int result = catalog_one_number(and_text(of_user(row, model_id, uid), 3, name), &taken);
    return result < 0 ? result : taken ? -EEXIST : 0;
}

static int add_chat(struct catalog *catalog, int64_t model_id, uid_t uid, const char *name, int64_t most,
    int64_t *ret_id) {
    int64_t count = 0;
    int result = touch(catalog, model_id);
    if (result == 0)
        result = is_free(catalog, model_id, uid, name);
    if (result == 0)
        result = catalog_one_number(by_number(db_query(catalog->writer,
                                                  "SELECT count(*) FROM chats WHERE uid = ?"),
                                        uid),
            &count);
    if (result == 0 && count >= most)
        result = -EDQUOT;
    if (result < 0)
        return result;
    struct db_statement *row =
        db_query(catalog->writer, "INSERT INTO chats (model_id, uid, name, created_ms) VALUES (?, ?, ?, ?)");
    row = and_text(of_user(row, model_id, uid), 3, name);
    result = db_finish(and_number(row, 4, clock_wall_ms()));
    if (result == 0)
        *ret_id = db_last_id(catalog->writer);
    return result;
}

int catalog_add_chat(struct catalog *catalog, int64_t model_id, uid_t uid, const char *name, int64_t most,
    int64_t *ret_id) {
    return WRITE(catalog, add_chat(catalog, model_id, uid, name, most, ret_id));
}

/* As the writer sees it: the reader may not see yet what this transaction did before. */
static int look(struct catalog *catalog, int64_t id, struct catalog_chat *ret_chat) {
    return READ_ONE(by_number(db_query(catalog->writer, CHAT "WHERE id = ?"), id), read_chat, ret_chat);
}

static int rename_chat(struct catalog *catalog, int64_t id, const char *name) {
    struct catalog_chat chat;
    int result = look(catalog, id, &chat);
    if (result < 0 || strcmp(chat.name, name) == 0)
        return result;
    result = is_free(catalog, chat.model_id, chat.uid, name);
    if (result == 0)
        result = touch(catalog, chat.model_id);
    if (result < 0)
        return result;
    struct db_statement *row = db_query(catalog->writer, "UPDATE chats SET name = ? WHERE id = ?");
    return change(catalog, and_number(and_text(row, 1, name), 2, id));
}

int catalog_rename_chat(struct catalog *catalog, int64_t id, const char *name) {
    return WRITE(catalog, rename_chat(catalog, id, name));
}

static int remove_chat(struct catalog *catalog, int64_t id) {
    struct catalog_chat chat;
    int result = look(catalog, id, &chat);
    if (result == 0)
        result = touch(catalog, chat.model_id);
    if (result < 0)
        return result;
    return change(catalog, by_number(db_query(catalog->writer, "DELETE FROM chats WHERE id = ?"), id));
}

int catalog_remove_chat(struct catalog *catalog, int64_t id) {
    return WRITE(catalog, remove_chat(catalog, id));
}

static int set_text(struct catalog *catalog, int64_t id, const char *name, const char *text) {
    struct catalog_chat chat;
    int result = look(catalog, id, &chat);
    if (result < 0)
        return result;
    struct db_statement *row =
        text ? db_query(catalog->writer,
                   "INSERT OR REPLACE INTO chat_texts (chat_id, name, text) VALUES (?, ?, ?)")
             : db_query(catalog->writer, "DELETE FROM chat_texts WHERE chat_id = ? AND name = ?");
    row = and_text(by_number(row, id), 2, name);
    return db_finish(text ? and_text(row, 3, text) : row);
}

int catalog_set_chat_text(struct catalog *catalog, int64_t id, const char *name, const char *text) {
    return WRITE(catalog, set_text(catalog, id, name, text));
}

static int add_turn(struct catalog *catalog, int64_t id, const struct catalog_turn *turn,
    int64_t most_bytes) {
    struct catalog_chat chat;
    int64_t bytes = (int64_t)(strlen(turn->asked) + strlen(turn->answer));
    int result = look(catalog, id, &chat);
    if (result < 0)
        return result;
    if (chat.bytes + bytes > most_bytes)
        return -EDQUOT;
    struct db_statement *row = db_query(catalog->writer,
        "INSERT INTO turns (chat_id, number, asked, answer, asked_ms, answered_ms, prompt_tokens, "
        "    answer_tokens) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    row = and_number(by_number(row, id), 2, chat.turns + 1);
    row = and_text(and_text(row, 3, turn->asked), 4, turn->answer);
    row = and_number(and_number(row, 5, turn->asked_ms), 6, turn->answered_ms);
    result = db_finish(and_number(and_number(row, 7, turn->prompt_tokens), 8, turn->answer_tokens));
    if (result < 0)
        return result;
    row = db_query(catalog->writer, "UPDATE chats SET turns = turns + 1, bytes = bytes + ? WHERE id = ?");
    return change(catalog, and_number(by_number(row, bytes), 2, id));
}

int catalog_add_turn(struct catalog *catalog, int64_t id, const struct catalog_turn *turn,
    int64_t most_bytes) {
    return WRITE(catalog, add_turn(catalog, id, turn, most_bytes));
}
