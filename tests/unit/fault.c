/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <fcntl.h>
#include <pthread.h>

#include "base/fault.h"

#ifdef WEIGHTFS_FAULTS
static void points_fail_after_the_skipped_and_so_often(void) {
    CHECK_OK(fault_arm("store_write_data:ENOSPC:2:3,store_seal_sync:short,catalog_write:EIO:1:always"));
    static const int wanted[] = {0, 0, -ENOSPC, -ENOSPC, -ENOSPC, 0, 0};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        CHECK_ERROR(FAULT(store_write_data), wanted[i]);
    CHECK_NUMBER(FAULT(store_seal_sync), FAULT_SHORT);
    CHECK_NUMBER(FAULT(store_seal_sync), 0);
    CHECK_OK(FAULT(catalog_write));
    for (int i = 0; i < 100; i++)
        CHECK_ERROR(FAULT(catalog_write), -EIO);
    CHECK_OK(FAULT(store_lock));
    CHECK_OK(fault_arm(NULL));
    CHECK_OK(FAULT(catalog_write));
}

static void what_is_malformed_arms_nothing(void) {
    static const char *const MALFORMED[] = {
        "nonsense:EIO",
        "store_lock",
        "store_lock:",
        "store_lock:ENONSENSE",
        "store_lock:eio",
        "store_lock:wait",
        "store_lock:wait:",
        "store_lock:EIO:",
        "store_lock:EIO:x",
        "store_lock:EIO:-1",
        "store_lock:EIO:1:",
        "store_lock:EIO:1:2:3",
        "store_lock:EIO:1:never",
        "store_lock:EIO,nonsense:EIO",
        "store_lock:wait:/tmp:1:1:1",
    };
    CHECK_OK(fault_arm("catalog_write:EIO:0:always"));
    for (size_t i = 0; i < sizeof MALFORMED / sizeof *MALFORMED; i++)
        CHECK_ERROR(fault_arm(MALFORMED[i]), -EINVAL);
    CHECK_OK(FAULT(store_lock));
    CHECK_ERROR(FAULT(catalog_write), -EIO);
}

static char path[4096];
static atomic_bool is_through;

static void *hit(void *context) {
    CHECK_OK(FAULT(store_after_seal_rename));
    atomic_store(&is_through, true);
    return context;
}

static void a_thread_waits_for_a_path(void) {
    char specification[5000];
    snprintf(path, sizeof path, "%s/go", check_folder());
    snprintf(specification, sizeof specification, "store_after_seal_rename:wait:%s:0:1", path);
    CHECK_OK(fault_arm(specification));
    pthread_t thread;
    pthread_create(&thread, NULL, hit, NULL);
    CHECK(!atomic_load(&is_through));
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    pthread_join(thread, NULL);
    CHECK(atomic_load(&is_through));
}

static void the_process_ends_at_once(void) {
    CHECK_OK(fault_arm("store_rename_meta:abort"));
    pid_t pid = fork();
    if (!pid) {
        (void)!FAULT(store_rename_meta);
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    CHECK_NUMBER(WEXITSTATUS(status), 99);
}
#endif

int main(void) {
    for (int point = 0; point < FAULT_END; point++)
        CHECK(*fault_name((enum fault_point)point));
    CHECK_TEXT(fault_name(FAULT_store_lock), "store_lock");
    CHECK_TEXT(fault_name(FAULT_END), "unknown");
#ifdef WEIGHTFS_FAULTS
    points_fail_after_the_skipped_and_so_often();
    what_is_malformed_arms_nothing();
    a_thread_waits_for_a_path();
    the_process_ends_at_once();
    CHECK_OK(fault_arm(NULL));
#else
    CHECK_ERROR(fault_arm("store_lock:EIO"), -ENOTSUP);
    CHECK_OK(fault_arm(""));
    CHECK_OK(FAULT(store_lock));
#endif
    return check_result();
}
