/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/permission.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

#include "base/log.h"
#include "tree/inside.h"

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

void permission_init(struct tree *tree) {
    struct permission *permission = &tree->permission;
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
    permission->has_group = true;
    permission->group = group.gr_gid;
    size_t count = 0;
    while (group.gr_mem[count] && count < MOST_MEMBERS)
        count++;
    permission->members = mem_array(count + 1, sizeof(*permission->members));
    for (size_t i = 0; i < count; i++)
        if (!user_find(group.gr_mem[i], &permission->members[permission->member_count]))
            permission->member_count++;
    free(record);
}

void permission_done(struct tree *tree) {
    free(tree->permission.members);
}

bool permission_allows(const struct tree *tree, const struct tree_caller *caller) {
    const struct permission *permission = &tree->permission;
    if (caller->uid == 0 || caller->uid == tree->settings.uid)
        return true;
    if (!permission->has_group)
        return false;
    if (caller->gid == permission->group)
        return true;
    for (size_t i = 0; i < permission->member_count; i++)
        if (permission->members[i] == caller->uid)
            return true;
    return false;
}
