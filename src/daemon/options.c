/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/options.h"

#include <assert.h>

#include "face/fuse/face.h"
#include "infer/infer.h"
#include "manage/manage.h"
#include "model/declared.h"
#include "store/store.h"
#include "weightfs/source.h"

#define SECTIONS_MAX 16

const struct option_row daemon_options[] = {
    {.name = "store",
        .type = OPTION_TEXT,
        .fixed = true,
        .help = "folder that holds all that mounts keep (root: /var/lib/weightfs; others: "
                "$XDG_DATA_HOME/weightfs)"},
    {.name = "instance",
        .type = OPTION_TEXT,
        .fixed = true,
        .help = "name of this mount in the store; without one it is made from the mountpoint, as "
                "`systemd-escape --path` does"},
    {.name = "log",
        .type = OPTION_TEXT,
        .fixed = true,
        .help = "file that the log is appended to; without one it is `log` in the instance's folder, "
                "standard error with -f"},
    {.name = "uid",
        .type = OPTION_NUMBER,
        .value = "-1",
        .least = -1,
        .most = 4294967294,
        .guarded = true,
        .help = "owner of the tree's files; -1 is whoever mounts"},
    {.name = "gid",
        .type = OPTION_NUMBER,
        .value = "-1",
        .least = -1,
        .most = 4294967294,
        .guarded = true,
        .help = "group of the tree's files; -1 is that of whoever mounts"},
    {.name = "runtime_folder",
        .type = OPTION_TEXT,
        .guarded = true,
        .help = "folder for sockets, of at most 47 bytes (root: /run/weightfs; others: "
                "$XDG_RUNTIME_DIR/weightfs)"},
    {.name = "allow_http",
        .type = OPTION_BOOL,
        .value = "off",
        .guarded = true,
        .help = "speak plain http with others than this machine too; what is fetched is verified, tokens can "
                "be overheard"},
    {.name = "http_proxy",
        .type = OPTION_TEXT,
        .guarded = true,
        .help = "proxy for all transfers; without one http_proxy, https_proxy and no_proxy of the "
                "environment count"},
    {.name = "ca_file",
        .type = OPTION_TEXT,
        .environment = "SSL_CERT_FILE,REQUESTS_CA_BUNDLE,CURL_CA_BUNDLE",
        .guarded = true,
        .help = "certificates of the authorities that are trusted, instead of the system's"},
    {.name = "max_connections_per_host",
        .type = OPTION_NUMBER,
        .value = "0",
        .least = 0,
        .most = 256,
        .help = "connections to one host at once; pulls leave one to readers; 0: as many as max_connections "
                "allows"},
    {.name = NULL},
};

const struct option_section *option_sections(void) {
    static struct option_section sections[SECTIONS_MAX + 1];
    if (sections[0].rows)
        return sections;
    const struct option_section own[] = {
        {"The mount", daemon_options},
        {"FUSE", face_options},
        {"The store and transfers", store_options},
        {"Models and jobs", manage_options},
        {"The endpoint", infer_options},
        {"Engines and endpoints that are declared", declared_options},
    };
    size_t count = 0;
    for (; count < sizeof(own) / sizeof(own[0]); count++)
        sections[count] = own[count];
    for (size_t i = 0; engine_table[i]; i++) {
        if (!engine_table[i]->options)
            continue;
        assert(count < SECTIONS_MAX);
        sections[count++] = (struct option_section){engine_table[i]->help, engine_table[i]->options};
    }
    for (size_t i = 0; source_table[i]; i++) {
        if (!source_table[i]->options)
            continue;
        assert(count < SECTIONS_MAX);
        sections[count++] = (struct option_section){source_table[i]->help, source_table[i]->options};
    }
    return sections;
}

struct options *all_options_new(void) {
    static const struct option_row *tables[SECTIONS_MAX + 1]; /* outlives every struct options, as it must */
    const struct option_section *sections = option_sections();
    for (size_t i = 0; sections[i].rows; i++)
        tables[i] = sections[i].rows;
    return options_new(tables);
}
