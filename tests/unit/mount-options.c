/* SPDX-License-Identifier: Apache-2.0 */
/* daemon/target: names of instances, supervised descriptors, and what is refused before anything is
 * mounted. */
#include "check.h"

#include <limits.h>
#include <sys/stat.h>

#include "base/option.h"
#include "daemon/target.h"

static const struct option_row ROWS[] = {
    {.name = "store", .type = OPTION_TEXT},
    {.name = "instance", .type = OPTION_TEXT},
    {.name = "log", .type = OPTION_TEXT},
    {.name = NULL},
};
static const struct option_row *const TABLES[] = {ROWS, NULL};

static void names_are_as_systemd_has_them(void) {
    static const struct {
        const char *path, *name;
    } CASES[] = {
        {"/models", "models"},
        {"/srv/ai models", "srv-ai\\x20models"},
        {"/", "-"},
        {"//srv//models/", "srv-models"},
        {"/.hidden/.x", "\\x2ehidden-.x"},
        {"/a-b/c:d_e.f", "a\\x2db-c:d_e.f"},
        {"/\xc3\xa4", "\\xc3\\xa4"},
    };
    char name[64];
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        CHECK_ERROR(target_escape(CASES[i].path, name, sizeof(name)), 0);
        CHECK_TEXT(name, CASES[i].name);
    }
    CHECK_ERROR(target_escape("/a/b/c", name, 5), -ENAMETOOLONG);
}

static void descriptors_are_recognised(void) {
    CHECK_NUMBER(target_supervised_fd("/dev/fd/7"), 7);
    CHECK_NUMBER(target_supervised_fd("/dev/fd/"), -1);
    CHECK_NUMBER(target_supervised_fd("/dev/fd/7x"), -1);
    CHECK_NUMBER(target_supervised_fd("/dev/fd/-1"), -1);
    CHECK_NUMBER(target_supervised_fd("/dev/fd/99999999999999999999"), -1);
    CHECK_NUMBER(target_supervised_fd("/models"), -1);
}

static struct target target;
static struct reason reason;

static int decide(const char *mountpoint, const char *store, const char *instance, const char *log) {
    struct options *options = options_new(TABLES);
    struct reason ignored;
    CHECK_ERROR(options_set(options, "store", store, "test", &ignored), 0);
    if (instance)
        CHECK_ERROR(options_set(options, "instance", instance, "test", &ignored), 0);
    if (log)
        CHECK_ERROR(options_set(options, "log", log, "test", &ignored), 0);
    reason.text[0] = '\0';
    int error = target_decide(mountpoint, NULL, options, &target, &reason);
    options_free(options);
    return error;
}

static void places_are_decided(void) {
    char scratch[] = "/tmp/weightfs-target.XXXXXX", wanted[PATH_MAX];
    CHECK(mkdtemp(scratch) && chdir(scratch) == 0);
    CHECK(mkdir("mnt", 0755) == 0 && mkdir("mnt/below", 0755) == 0 && mkdir("store", 0755) == 0 &&
          mkdir("store/in", 0755) == 0);
    CHECK(symlink("mnt", "link") == 0 && symlink("mnt/below", "link-below") == 0);
    FILE *file = fopen("file", "w");
    CHECK(file && fclose(file) == 0);

    CHECK_ERROR(decide("mnt", "store", "me", NULL), 0);
    snprintf(wanted, sizeof(wanted), "%s/mnt", scratch);
    CHECK_TEXT(target.mountpoint, wanted);
    snprintf(wanted, sizeof(wanted), "%s/store", scratch);
    CHECK_TEXT(target.store, wanted);
    CHECK_TEXT(target.instance, "me");
    CHECK_NUMBER(target.supervised_fd, -1);
    CHECK_ERROR(decide("link/", "store-that-is-not-there", NULL, NULL), 0);
    snprintf(wanted, sizeof(wanted), "%s/mnt", scratch);
    CHECK_TEXT(target.mountpoint, wanted);
    CHECK(strstr(target.instance, "-mnt") != NULL);
    CHECK_ERROR(decide("mnt", "mntstore", NULL, NULL), 0); /* alike is not inside */

    CHECK_ERROR(decide("mnt", "mnt", NULL, NULL), -ERR_CONFIG);
    CHECK_ERROR(decide("mnt", "mnt/below/store", NULL, NULL), -ERR_CONFIG);
    CHECK_ERROR(decide("mnt", "link-below/store", NULL, NULL), -ERR_CONFIG);
    CHECK_ERROR(decide("store/in", "store", NULL, NULL), -ERR_CONFIG);
    CHECK_ERROR(decide("mnt", "store", NULL, "mnt/log"), -ERR_CONFIG);
    CHECK_ERROR(decide("mnt", "store", "a/b", NULL), -ERR_CONFIG);
    CHECK_ERROR(decide("mnt", "store", "..", NULL), -ERR_CONFIG);
    CHECK_ERROR(decide("nowhere", "store", NULL, NULL), -ENOENT);
    CHECK(reason.text[0] != '\0');
    CHECK_ERROR(decide("nowhere/at/all", "store", NULL, NULL), -ENOENT);
    CHECK_ERROR(decide("file", "store", NULL, NULL), -ENOTDIR);

    CHECK_ERROR(decide("/dev/fd/0", "store", NULL, NULL), -ERR_CONFIG); /* it has no name of its own */
    CHECK_ERROR(decide("/dev/fd/0", "store", "me", NULL), 0);
    CHECK_NUMBER(target.supervised_fd, 0);
    CHECK_ERROR(decide("/dev/fd/987", "store", "me", NULL), -EBADF);

    CHECK(unlink("file") == 0 && unlink("link") == 0 && unlink("link-below") == 0);
    CHECK(rmdir("mnt/below") == 0 && rmdir("mnt") == 0 && rmdir("store/in") == 0 && rmdir("store") == 0);
    CHECK(chdir("/") == 0 && rmdir(scratch) == 0);
}

int main(void) {
    names_are_as_systemd_has_them();
    descriptors_are_recognised();
    places_are_decided();
    return check_result();
}
