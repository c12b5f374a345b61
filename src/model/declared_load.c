/* SPDX-License-Identifier: Apache-2.0 */
/* Where declarations come from: options, and files in a folder. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "model/declared_inside.h"

#define OLLAMA_PORT 11434

const struct option_row declared_options[] = {
    {.name = "engines_dir",
        .type = OPTION_TEXT,
        .value = "/etc/weightfs/engines.d",
        .guarded = true,
        .help = "folder of *.json files that declare engines and endpoints"},
    {.name = "openai_url",
        .type = OPTION_TEXT,
        .environment = "OPENAI_BASE_URL,OPENAI_API_BASE",
        .guarded = true,
        .help =
            "a server that speaks OpenAI's interface, as https://api.openai.com/v1: the endpoint `default`"},
    {.name = "openai_key_file",
        .type = OPTION_SECRET_FILE,
        .environment = "OPENAI_API_KEY_FILE",
        .guarded = true,
        .help = "the file that holds the key for openai_url (without one OPENAI_API_KEY of the environment "
                "is the key)"},
    {.name = "ollama_url",
        .type = OPTION_TEXT,
        .environment = "OLLAMA_HOST,OLLAMA_BASE_URL",
        .guarded = true,
        .help = "a running Ollama, as http://127.0.0.1:11434"},
    {.name = NULL},
};

static void add_fault(struct declared *declared, const char *origin, const char *sentence) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    (void)buf_format(&text, "%s: %s", origin, sentence); /* no limit */
    declared->faults = mem_resize(declared->faults, declared->fault_count + 1, sizeof *declared->faults);
    declared->faults[declared->fault_count++] = buf_take(&text);
}

int declared_read(const char *name, const char *text, size_t len, bool allow_http,
    struct declared **ret_declared, struct reason *reason) {
    struct declared *declared DECLARED_CLEANUP = declared_new();
    int result = declared_take(declared, name, text, len, allow_http, reason);
    if (result < 0)
        return result;
    *ret_declared = declared_ref(declared);
    return 0;
}

/* ---- options */

/* As Ollama's own programs read it: the scheme and the port may be left out, and "0.0.0.0" (which servers
 * listen on) is this machine. A path may follow. */
static void complete_ollama(const char *given, struct buf *to) {
    const char *separator = strstr(given, "://"), *host = separator ? separator + 3 : given;
    size_t len = strcspn(host, "/");
    const char *bracket = memchr(host, ']', len);
    const char *port = memchr(bracket ? bracket : host, ':', bracket ? len - (size_t)(bracket - host) : len);
    size_t name_len = port ? (size_t)(port - host) : len;
    if (separator)
        (void)buf_add(to, given, (size_t)(host - given)); /* no limit: nothing here can fail */
    else
        (void)buf_text_add(to, "http://");
    if (!name_len || (name_len == 7 && !memcmp(host, "0.0.0.0", 7)))
        (void)buf_text_add(to, "127.0.0.1");
    else
        (void)buf_add(to, host, name_len);
    if (port)
        (void)buf_add(to, port, len - name_len);
    else if (!separator)
        (void)buf_format(to, ":%d", OLLAMA_PORT);
    (void)buf_text_add(to, host + len);
}

static void take_option(struct declared *declared, const struct options *options, const char *option,
    struct declaration it) {
    static const char *const any[] = {"*", NULL};
    struct reason reason = {""};
    struct buf url BUF_CLEANUP = BUF_INIT;
    char given[DECLARED_URL_SIZE], key_file[4096];
    if (!options_text(options, option, given, sizeof given))
        return;
    if (it.kind == DECLARED_OLLAMA)
        complete_ollama(given, &url);
    else
        (void)buf_text_add(&url, given);
    if (it.kind == DECLARED_OPENAI && options_text(options, "openai_key_file", key_file, sizeof key_file))
        it.key_file = declared_keep_text(declared, key_file);
    int result = declared_check_url(url.data, options_bool(options, "allow_http"), &reason);
    it.url = declared_keep_text(declared, buf_text(&url));
    it.origin = option;
    it.patterns = any;
    if (result == 0)
        result = declared_add(declared, &it, &reason);
    if (result < 0)
        add_fault(declared, option, reason.text);
}

/* ---- the folder */

/* What may be written by everybody must not say what we run. */
static int check_owner(int dir_fd, const char *name, struct reason *reason) {
    struct stat status;
    if (fstatat(dir_fd, name, &status, 0) < 0)
        return -errno;
    if (status.st_mode & S_IWOTH)
        return err_because(reason, -EPERM, "everybody may write it: `chmod o-w` it first");
    if (status.st_uid != 0 && status.st_uid != geteuid())
        return err_because(reason, -EPERM, "it belongs to user %u, neither to root nor to us",
            (unsigned)status.st_uid);
    return 0;
}

static void load_file(struct declared *declared, int dir_fd, const char *name, const char *path,
    bool allow_http) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    struct reason reason = {""};
    int result = check_owner(dir_fd, name, &reason);
    if (result == 0)
        result = path_read(dir_fd, name, DECLARED_FILE_MOST, &text);
    if (result == -EFBIG)
        (void)err_because(&reason, result, "it is larger than %u KiB", DECLARED_FILE_MOST >> 10);
    if (result == 0)
        result = declared_take(declared, path, buf_text(&text), text.len, allow_http, &reason);
    if (result < 0)
        add_fault(declared, path, err_text(&reason, result));
}

static int is_wanted(const struct dirent *entry) {
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 5 && !strcmp(entry->d_name + len - 5, ".json");
}

static int by_bytes(const struct dirent **one, const struct dirent **other) {
    return strcmp((*one)->d_name, (*other)->d_name);
}

static void load_folder(struct declared *declared, const char *folder, bool allow_http) {
    FD_CLEANUP int dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct dirent **found = NULL;
    if (dir_fd < 0) {
        if (errno != ENOENT)
            add_fault(declared, folder, err_sentence(-errno));
        return;
    }
    int count = scandirat(dir_fd, ".", &found, is_wanted, by_bytes);
    if (count < 0)
        add_fault(declared, folder, err_sentence(-errno));
    for (int i = 0; i < count; i++) {
        struct buf path BUF_CLEANUP = BUF_INIT;
        (void)buf_format(&path, "%s/%s", folder, found[i]->d_name); /* no limit */
        if (i < DECLARED_FILES_MOST)
            load_file(declared, dir_fd, found[i]->d_name, buf_text(&path), allow_http);
        free(found[i]);
    }
    free(found);
    if (count > DECLARED_FILES_MOST)
        add_fault(declared, folder, "it has more than 64 files; the first 64 count");
}

struct declared *declared_load(const struct options *options) {
    struct declared *declared = declared_new();
    char folder[4096];
    take_option(declared, options, "openai_url",
        (struct declaration){.name = "default", .kind = DECLARED_OPENAI, .key_variable = "OPENAI_API_KEY"});
    take_option(declared, options, "ollama_url",
        (struct declaration){.name = "ollama", .kind = DECLARED_OLLAMA});
    if (options_text(options, "engines_dir", folder, sizeof folder))
        load_folder(declared, folder, options_bool(options, "allow_http"));
    return declared;
}
