/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/docs.h"

#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "base/fault.h"
#include "base/log.h"
#include "daemon/manual.h"
#include "daemon/options.h"
#include "daemon/say.h"
#include "face/fuse/face.h"
#include "infer/infer.h"
#include "store/store.h"
#include "tree/tree.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void print_range(const struct option_row *row, FILE *to) {
    switch (row->type) {
    case OPTION_BOOL: fputs("on, off", to); break;
    case OPTION_NUMBER: fprintf(to, "%" PRId64 " to %" PRId64, row->least, row->most); break;
    case OPTION_BYTES: fputs("bytes: `1048576`, `512MiB`, `50G`", to); break;
    case OPTION_SHARE: fputs("bytes, or `1%` to `100%`", to); break;
    case OPTION_WORD:
        for (const char *at = row->words; *at; at++) {
            if (*at == '|')
                fputs(", ", to);
            else
                putc(*at, to);
        }
        break;
    case OPTION_TEXT: fputs("text", to); break;
    case OPTION_SECRET_FILE: fputs("path of a file that holds a secret", to); break;
    case OPTION_REAL: fprintf(to, "%g to %g", row->least_real, row->most_real); break;
    }
}

static void print_option(const struct option_row *row, FILE *to) {
    fprintf(to, "| `%s` | ", row->name);
    print_range(row, to);
    if (row->value)
        fprintf(to, " | `%s` | ", row->value);
    else
        fputs(" | | ", to);
    for (const char *at = row->environment; at && *at;) {
        size_t len = strcspn(at, ",");
        fprintf(to, "%s`%.*s`", at == row->environment ? "" : ", ", (int)len, at);
        at += len + (at[len] == ',');
    }
    fprintf(to, " | %s%s |\n", row->help, row->live ? " (can change while mounted)" : "");
}

static int print_options(FILE *to) {
    fputs("<!-- printed by `weightfs --print-docs options`; `make docs` writes it -->\n# Options\n\n"
          "Every option can stand in `/etc/weightfs/config.json` (users: "
          "`$XDG_CONFIG_HOME/weightfs/config.json`) as a member of one flat object,\n"
          "in the environment under the names below, or behind `-o` of `weightfs mount` and in fstab: `-o "
          "store=/data/store,offline`.\n"
          "The later one of these wins, and what was written into `config/` of a mount goes before all of "
          "them: "
          "`echo 60 > config/stall_timeout_s`,\n"
          "`echo default > …` unsets it; where it says \"can change while mounted\" it counts at once, else "
          "from the "
          "next mount on. `weightfs config --dump`\nprints what is in force and where it comes from.\n",
        to);
    for (const struct option_section *section = option_sections(); section->rows; section++) {
        fprintf(to, "\n## %s\n\n| option | values | default | environment | |\n|---|---|---|---|---|\n",
            section->title);
        for (const struct option_row *row = section->rows; row->name; row++)
            print_option(row, to);
    }
    return WEIGHTFS_EXIT_OK;
}

static void print_metric(const struct metric_row *row, FILE *to) {
    static const char *const types[] =
        {[METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};
    fprintf(to, "| `%s` | %s | ", row->name, types[row->type]);
    for (unsigned i = 0; i < 2 && row->labels[i].name; i++)
        fprintf(to, "%s`%s`", i ? ", " : "", row->labels[i].name);
    fprintf(to, " | %s |\n", row->help);
}

static int print_metrics(FILE *to) {
    static const struct {
        const char *title;
        const struct metric_row *rows;
    } floors[] = {{"The process", process_metrics}, {"The store and transfers", store_metrics},
        {"Models and jobs", manage_metrics}, {"The endpoint", infer_metrics}, {"FUSE", face_metrics},
        {"The tree", tree_metrics}};
    fputs("<!-- printed by `weightfs --print-docs metrics`; `make docs` writes it -->\n# Metrics\n\n"
          "`metrics` in the mountpoint gives these in the Prometheus text format; `contrib/grafana` has a "
          "board and alerts.\n",
        to);
    for (size_t i = 0; i < COUNT(floors); i++) {
        fprintf(to, "\n## %s\n\n| metric | type | labels | |\n|---|---|---|---|\n", floors[i].title);
        for (const struct metric_row *row = floors[i].rows; row->name; row++)
            print_metric(row, to);
    }
    return WEIGHTFS_EXIT_OK;
}

static int print_errors(FILE *to) {
    fputs("<!-- printed by `weightfs --print-docs errors`; `make docs` writes it -->\n# Errors\n\n"
          "What a call on the mount answers, and why. The name stands in `status.json` and in the log; the "
          "sentence, with particulars, in `status`\n"
          "and, for commands, in `ctl`. Other errors are the kernel's own. A read() of a model file answers "
          "EIO whatever "
          "the reason (a mapping: SIGBUS);\n"
          "the reason stands in `status`.\n\n| name | errno | "
          "|\n|---|---|---|\n",
        to);
    for (size_t i = 0; i < err_count(); i++) {
        const char *name, *sentence;
        int number;
        err_row(i, &name, &number, &sentence);
        fprintf(to, "| %s | %s | %s |\n", name, err_name(-number), sentence);
    }
    return WEIGHTFS_EXIT_OK;
}

static int print_tree(FILE *to) {
    BUF_CLEANUP struct buf text = BUF_INIT;
    tree_print_docs(&text);
    fputs(buf_text(&text), to);
    return WEIGHTFS_EXIT_OK;
}

static const struct page {
    const char *name;
    int (*print)(FILE *to);
} pages[] = {{"tree", print_tree}, {"options", print_options}, {"errors", print_errors},
    {"metrics", print_metrics}};

int docs_print(const char *page, FILE *to) {
    if (strcmp(page, "man") == 0) /* no Markdown: not one of `all` */
        return manual_print(to);
    bool all = strcmp(page, "all") == 0, found = false;
    for (size_t i = 0; i < COUNT(pages); i++) {
        if (!all && strcmp(page, pages[i].name) != 0)
            continue;
        if (all && found)
            putc('\n', to);
        found = true;
        pages[i].print(to);
    }
    if (!found)
        return say(WEIGHTFS_EXIT_USAGE,
            "there is no page '%s'; there are tree, options, errors, metrics, man and all", page);
    return WEIGHTFS_EXIT_OK;
}

int docs_print_faults(FILE *to) {
    for (int point = 0; point < FAULT_END; point++)
        fprintf(to, "%s\n", fault_name((enum fault_point)point));
    return WEIGHTFS_EXIT_OK;
}

void docs_print_trace_keys(FILE *to) {
    static const struct {
        const char *name, *help;
    } keys[] = {
#define KEY_ROW(name, help) {#name, help},
        TRACE_TABLE(KEY_ROW)
#undef KEY_ROW
    };
    for (size_t i = 0; i < COUNT(keys); i++)
        fprintf(to, "  %-8s %s\n", keys[i].name, keys[i].help);
}
