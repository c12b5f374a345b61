/* SPDX-License-Identifier: Apache-2.0 */
#include "manage/audit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/caller.h"
#include "model/catalog_audit.h"

#define LINES_A_PAGE 64

int audit_line(struct manage *manage, const struct command_request *request, const char *target,
    const char *line, int result) {
    struct catalog_audit row = {.uid = request->uid, .gid = request->gid, .pid = request->pid};
    caller_describe(request->pid, row.program, sizeof row.program);
    (void)snprintf(row.target, sizeof row.target, "%s", target); /* may be cut, as the next */
    (void)snprintf(row.command, sizeof row.command, "%s", line);
    (void)snprintf(row.result, sizeof row.result, "%s", err_name(result));
    return catalog_add_audit(manage->settings.catalog, &row,
        (unsigned)options_number(manage->settings.options, "audit_history"));
}

static void print_line(const struct catalog_audit *line, struct buf *to) {
    char stamp[CLOCK_STAMP_SIZE];
    /* The buffer's owner set its limit, if any. */
    (void)buf_format(to,
        "{\"time\":\"%s\",\"uid\":%u,\"gid\":%u,\"pid\":%d,\"program\":", clock_stamp(stamp, line->time_ms),
        line->uid, line->gid, line->pid);
    (void)buf_json_string(to, line->program);
    (void)buf_text_add(to, ",\"target\":");
    (void)buf_json_string(to, line->target);
    (void)buf_text_add(to, ",\"command\":");
    (void)buf_json_string(to, line->command);
    (void)buf_format(to, ",\"result\":\"%s\"}\n", line->result);
}

int audit_print(struct manage *manage, struct buf *to) {
    struct catalog_audit *page = mem_array(LINES_A_PAGE, sizeof *page);
    int64_t after_id = 0;
    int count;
    while ((count = catalog_list_audit(manage->settings.catalog, after_id, page, LINES_A_PAGE)) > 0) {
        for (int i = 0; i < count; i++)
            print_line(&page[i], to);
        after_id = page[count - 1].id;
    }
    free(page);
    return count;
}

/* ---- how often ---- */

/* Thousandths of a command that are left to a user, filled up as time goes. */
static uint64_t filled(const struct command_rate *rate, uint64_t now_ms, uint64_t most) {
    uint64_t left = rate->left + (now_ms - rate->at_ms) * most / 60000;
    return left < most ? left : most;
}

/* His place; else that of whoever commanded least lately, as if he had not commanded at all: with more
 * users than places at once they are let through rather than mixed up. */
static struct command_rate *find_rate_locked(struct manage *manage, uid_t uid, uint64_t most) {
    struct command_rate *oldest = &manage->rates[0];
    for (size_t i = 0; i < RATES_MOST; i++) {
        struct command_rate *rate = &manage->rates[i];
        if (rate->at_ms && rate->uid == uid)
            return rate;
        if (rate->at_ms < oldest->at_ms)
            oldest = rate;
    }
    *oldest = (struct command_rate){.uid = uid, .at_ms = clock_ms(), .left = most};
    return oldest;
}

int command_rate_take(struct manage *manage, uid_t uid, size_t count, bool *ret_first) {
    uint64_t most = (uint64_t)options_number(manage->settings.options, "command_rate") * 1000;
    if (!most || uid == 0)
        return 0;
    LOCK_SCOPE(&manage->lock);
    struct command_rate *rate = find_rate_locked(manage, uid, most);
    uint64_t now_ms = clock_ms();
    rate->left = filled(rate, now_ms, most);
    rate->at_ms = now_ms;
    if (count * 1000 <= rate->left) {
        rate->left -= count * 1000;
        rate->refused = false;
        return 0;
    }
    *ret_first = !rate->refused;
    rate->refused = true;
    return -ERR_TOO_OFTEN;
}
