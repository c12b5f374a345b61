/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue under load, and with a file that is damaged or of another day. */

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>

#include "catalog-fixture.h"

static void fifty_thousand_files_are_quick(struct catalog *catalog) {
    enum { COUNT = 50000 };
    struct manifest *manifest = manifest_of("acme/many", COMMIT_A);
    for (int i = 0; i < COUNT; i++) {
        char name[64], digest[DIGEST_TEXT_SIZE];
        snprintf(name, sizeof name, "part-%02d/file-%05d.bin", i % 50, i);
        snprintf(digest, sizeof digest, "sha256-%032x%032x", i * 2654435761u, i);
        add(manifest, name, (uint64_t)i, digest);
    }
    manifest_finish(manifest);
    uint64_t start = clock_ms();
    int64_t id = store(catalog, "acme/many", manifest, true);
    uint64_t took = clock_ms() - start;
    printf("50,000 files were stored in %d ms\n", (int)took);
    CHECK(took < 60000); /* a bound that holds under sanitizers; the figure is for people */
    struct catalog_model model;
    struct catalog_file *files = mem_array(1000, sizeof *files), folder;
    CHECK_OK(catalog_model(catalog, id, &model));
    int seen = 0, count;
    for (int64_t after = 0;
         (count = catalog_list_files(catalog, model.revision_id, true, after, files, 1000)) > 0;) {
        seen += count;
        after = files[count - 1].id;
    }
    CHECK_NUMBER(seen, COUNT);
    CHECK_OK(catalog_find_path(catalog, model.revision_id, "part-07", &folder));
    start = clock_ms();
    seen = 0;
    for (int64_t after = 0; catalog_list_folder(catalog, model.revision_id, folder.id, after, files, 1) == 1;
         seen++)
        after = files[0].id;
    CHECK_NUMBER(seen, COUNT / 50);
    printf("a folder of 1,000 was listed one by one in %d ms\n", (int)(clock_ms() - start));
    free(files);
}

/* A reader of many, and a writer: neither sees half of anything. */
struct reading {
    struct catalog *catalog;
    atomic_bool stop;
};
static void *read_on(void *context) {
    struct reading *reading = context;
    struct catalog_model *model = mem_new(sizeof *model);
    struct catalog_file *file = mem_new(sizeof *file);
    while (!atomic_load(&reading->stop)) {
        CHECK_OK(catalog_find_model(reading->catalog, "hf", "acme/tiny", model));
        CHECK_OK(catalog_find_path(reading->catalog, model->revision_id, "a/z/deep.txt", file));
    }
    free(file);
    free(model);
    return NULL;
}

static void readers_and_the_writer_agree(struct catalog *catalog) {
    struct reading reading = {.catalog = catalog};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, read_on, &reading) == 0);
    for (int i = 0; i < 20; i++)
        store(catalog, "acme/tiny", tiny(i % 2 ? COMMIT_A : COMMIT_B), true);
    atomic_store(&reading.stop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

static int count_kept_aside(void) {
    int count = 0;
    DIR *folder = opendir(check_folder());
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        count += strstr(entry->d_name, ".damaged-") && !strstr(entry->d_name, "-wal");
    closedir(folder);
    return count;
}

static void damage(const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void a_damaged_file_is_kept_aside(void) {
    struct catalog *catalog = NULL;
    bool damaged = false;
    struct catalog_model model;
    damage("this is not a database, whatever its name says; it is long enough to look like a header of one, "
           "though...........");
    CHECK_OK(catalog_open(path, &catalog, &damaged, NULL));
    CHECK(damaged);
    CHECK_NUMBER(count_kept_aside(), 1);
    CHECK_ERROR(catalog_find_model(catalog, "hf", "acme/tiny", &model), -ENOENT);
    store(catalog, "acme/tiny", tiny(COMMIT_A), true);
    catalog_close(open_again(catalog));
}

static void a_newer_file_is_refused(void) {
    struct catalog *catalog = NULL;
    bool damaged = false;
    struct reason reason = {""};
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    const unsigned char version[] = {0, 0, 3, 231};
    CHECK(fd >= 0 &&
          pwrite(fd, version, sizeof version, 60) == sizeof version); /* where SQLite keeps user_version */
    close(fd);
    CHECK_ERROR(catalog_open(path, &catalog, &damaged, &reason), -ERR_STORE_VERSION);
    CHECK(strstr(reason.text, "999"));
    CHECK_NUMBER(count_kept_aside(), 1); /* it is whole: it stays where it is */
}

int main(void) {
    snprintf(path, sizeof path, "%s/catalog.db", check_folder());
    struct catalog *catalog = open_again(NULL);
    store(catalog, "acme/tiny", tiny(COMMIT_A), true);
    fifty_thousand_files_are_quick(catalog);
    readers_and_the_writer_agree(catalog);
    catalog_close(catalog);
    a_damaged_file_is_kept_aside();
    a_newer_file_is_refused();
    return check_result();
}
