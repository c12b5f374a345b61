/* SPDX-License-Identifier: Apache-2.0 */
/* Conversations: their names, and what their files say. */

#include "tree/chat.h"

#include "base/clock.h"
#include "infer/chat.h"
#include "tree/find.h"
#include "tree/inside.h"
#include "tree/sheet.h"

bool chat_is_about(node_number node) {
    const struct row *row = row_of(node_row(node));
    return row && row->about == ABOUT_CHAT;
}

bool chat_is_among(node_number node) {
    const struct row *row = row_of(node_row(node));
    return row && row->holds == IN_CHATS;
}

/* ---- names */

int find_chat(const struct place *folder, const char *name, struct found *ret_found, struct wait *wait) {
    struct catalog_chat chat;
    (void)wait;
    if (!folder->caller || chat_check_name(name) < 0)
        return -ENOENT;
    int result = catalog_find_chat(folder->tree->catalog, folder->model.id, folder->caller->uid, name, &chat);
    return result < 0 ? result : found_set(ret_found, ROW_CHAT, (uint64_t)chat.id, chat.name);
}

int list_chats(const struct place *folder, uint64_t after, struct found *ret_found) {
    struct catalog_chat chat;
    if (!folder->caller)
        return -ENOENT;
    int count = catalog_list_chats(folder->tree->catalog, folder->model.id, folder->caller->uid,
        (int64_t)after, &chat, 1);
    if (count <= 0)
        return count < 0 ? count : -ENOENT;
    return found_set(ret_found, ROW_CHAT, (uint64_t)chat.id, chat.name);
}

/* ---- texts */

static int print_text(const struct place *place, const char *name, struct buf *to) {
    if (place->tree->settings.infer)
        chat_text(place->tree->settings.infer, &place->chat, name, to);
    return to->len && to->data[to->len - 1] != '\n' ? buf_text_add(to, "\n") : 0;
}

int print_chat_system(const struct place *place, struct buf *to) {
    return print_text(place, "system", to);
}

int print_chat_params(const struct place *place, struct buf *to) {
    return print_text(place, "params", to);
}

static int add_line(struct buf *to, const char *role, const char *content, int64_t wall_ms) {
    char stamp[CLOCK_STAMP_SIZE];
    (void)buf_format(to, "{\"role\":\"%s\",\"content\":", role); /* the last one tells whether all fitted */
    (void)buf_json_string(to, content);
    return buf_format(to, ",\"time\":\"%s\"", clock_stamp(stamp, wall_ms));
}

static int add_turn(void *context, const struct catalog_turn *turn) {
    struct buf *to = context;
    (void)add_line(to, "user", turn->asked, turn->asked_ms);
    (void)buf_text_add(to, "}\n");
    (void)add_line(to, "assistant", turn->answer, turn->answered_ms);
    if (turn->prompt_tokens || turn->answer_tokens)
        (void)buf_format(to, ",\"prompt_tokens\":%lld,\"tokens\":%lld", (long long)turn->prompt_tokens,
            (long long)turn->answer_tokens);
    return buf_text_add(to, "}\n");
}

int print_chat_history(const struct place *place, struct buf *to) {
    return catalog_each_turn(place->tree->catalog, place->chat.id, 0, add_turn, to);
}

int print_chat_status(const struct place *place, struct buf *to) {
    struct chat_report report = {.error = 0};
    struct sheet sheet;
    if (place->tree->settings.infer)
        chat_report(place->tree->settings.infer, &place->chat, &report);
    sheet_begin(&sheet, to, false);
    sheet_number(&sheet, "turns", (uint64_t)place->chat.turns);
    sheet_number(&sheet, "sent", (uint64_t)(place->chat.turns - report.cut));
    sheet_number(&sheet, "cut", (uint64_t)report.cut);
    sheet_number(&sheet, "bytes", (uint64_t)place->chat.bytes);
    sheet_number(&sheet, "waiting", report.waiting);
    sheet_number(&sheet, "answering", report.answering);
    sheet_time(&sheet, "begun", place->chat.created_ms);
    sheet_text(&sheet, "error", report.error ? err_name(report.error) : NULL);
    sheet_text(&sheet, "reason", report.error ? err_text(&report.reason, report.error) : NULL);
    sheet_end(&sheet);
    return 0;
}

/* ---- for question.c */

int chat_asking(struct tree *tree, node_number node, uid_t uid, struct infer_asking *ret_asking) {
    struct catalog_chat chat;
    int result = catalog_chat(tree->catalog, (int64_t)node_object(node), &chat);
    if (result < 0)
        return result == -ENOENT ? -ERR_STALE : result;
    *ret_asking = (struct infer_asking){.model_id = chat.model_id,
        .chat_id = chat.id,
        .uid = uid,
        .shape = row_of(node_row(node))->shape};
    return 0;
}

void chat_print_trouble(struct tree *tree, node_number node, struct buf *to) {
    struct catalog_chat chat;
    struct chat_report report;
    if (!chat_is_about(node) || catalog_chat(tree->catalog, (int64_t)node_object(node), &chat) < 0)
        return;
    chat_report(tree->settings.infer, &chat, &report);
    if (report.error)
        (void)buf_format(to, "%s\n", err_text(&report.reason, report.error)); /* no limit */
}
