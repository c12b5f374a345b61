/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/permission.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

#include "base/caller.h"
#include "base/log.h"
#include "tree/inside.h"
#include "tree/version.h"

#define RECORD_LIMIT (1u << 20)
#define MOST_MEMBERS 4096

/* getgrnam_r and getpwnam_r want a buffer of a size that they tell only by refusing. */
static int group_find(const char *name, struct group *group, char **ret_record) {
    for (size_t size = 4096; size <= RECORD_LIMIT; size *= 4) {
        char *record = mem_array(size, 1);
        struct group *found = NULL;
        int error = getgrnam_r(name, group, record, size, &found);
        if (found) {
            *ret_record = record;
            return 0;
        }
        free(record);
        if (error != ERANGE)
            return error ? -error : -ENOENT;
    }
    return -ERANGE;
}

static int user_find(const char *name, uid_t *ret_uid) {
    char record[4096];
    struct passwd passwd, *found = NULL;
    int error = getpwnam_r(name, &passwd, record, sizeof(record), &found);
    if (!found)
        return error ? -error : -ENOENT;
    *ret_uid = found->pw_uid;
    return 0;
}

/* Asks the system; nothing is held meanwhile. */
static void look_up(struct tree *tree, struct permission *ret_permission) {
    char name[64];
    if (!options_text(tree->options, "admin_group", name, sizeof(name)) || !name[0])
        return;
    struct group group;
    char *record = NULL;
    int result = group_find(name, &group, &record);
    if (result < 0) {
        log_warning("admin_group %s is not known here (%s): only the owner and root may write commands", name,
            err_sentence(result));
        return;
    }
    ret_permission->has_group = true;
    ret_permission->group = group.gr_gid;
    size_t count = 0;
    while (group.gr_mem[count] && count < MOST_MEMBERS)
        count++;
    ret_permission->members = mem_array(count + 1, sizeof(*ret_permission->members));
    for (size_t i = 0; i < count; i++)
        if (!user_find(group.gr_mem[i], &ret_permission->members[ret_permission->member_count]))
            ret_permission->member_count++;
    free(record);
}

void permission_renew(struct tree *tree) {
    struct permission found = {.members = NULL};
    look_up(tree, &found);
    struct permission *permission = &tree->permission;
    lock_take(&permission->lock);
    uid_t *former = permission->members;
    permission->has_group = found.has_group;
    permission->group = found.group;
    permission->members = found.members;
    permission->member_count = found.member_count;
    lock_drop(&permission->lock);
    free(former);
    version_raise(tree);
}

void permission_init(struct tree *tree) {
    lock_init(&tree->permission.lock, LOCK_HANDLE);
    permission_renew(tree);
}

void permission_done(struct tree *tree) {
    free(tree->permission.members);
    lock_done(&tree->permission.lock);
}

bool permission_group(struct tree *tree, gid_t *ret_group) {
    LOCK_SCOPE(&tree->permission.lock);
    if (tree->permission.has_group)
        *ret_group = tree->permission.group;
    return tree->permission.has_group;
}

/* 1: he is of the group by its number or name; 0: he may have been given it otherwise; -1: there is none. */
static int is_member(struct permission *permission, const struct tree_caller *caller, gid_t *ret_group) {
    LOCK_SCOPE(&permission->lock);
    if (!permission->has_group)
        return -1;
    *ret_group = permission->group;
    for (size_t i = 0; i < permission->member_count; i++)
        if (permission->members[i] == caller->uid)
            return 1;
    return caller->gid == permission->group;
}

bool permission_allows(struct tree *tree, const struct tree_caller *caller) {
    if (caller->uid == 0 || caller->uid == tree->settings.uid)
        return true;
    gid_t group;
    int member = is_member(&tree->permission, caller, &group);
    /* A service or a login may have the group without being one of its members. */
    return member > 0 || (member == 0 && caller_has_group(caller->pid, group));
}
