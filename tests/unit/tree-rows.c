/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the tree, present and future: what must hold for each. */
#include "check.h"

#include "base/buf.h"
#include "daemon/options.h"
#include "tree/place.h"
#include "tree/print.h"
#include "tree/rows.h"

static char title[64];
static unsigned seen;

static void each_row(void (*look)(const struct row *row)) {
    for (unsigned number = 0; number < ROW_LIMIT; number++) {
        const struct row *row = row_of(number);
        if (!row)
            continue;
        seen++;
        row->name && !row->name[0] ? (void)snprintf(title, sizeof title, "/") : row_title(row, title);
        look(row);
    }
    CHECK(seen > 20);
}

static void check_row(bool held, const char *what) {
    if (!CHECK(held))
        fprintf(stderr, "    row %s: %s\n", title, what);
}

static void has_a_name_or_is_a_pattern(const struct row *row) {
    check_row(!row->name != !row->pattern, "a name or a pattern, one of them");
    check_row(row_of(row_number(row)) == row, "leads back to itself");
    check_row((row->in == NO_TABLE) == (row_number(row) == ROW_ROOT), "is in a directory, but for the root");
}

static void has_help_of_one_line(const struct row *row) {
    check_row(row->help && strlen(row->help) > 8, "has help");
    check_row(strlen(row->help) < 110 && !strchr(row->help, '\n'), "of one line");
    check_row(row->help[strlen(row->help) - 1] != '.', "without a full stop, as the others");
}

static bool is_question(const struct row *row) {
    return row->kind == NODE_QUESTION || row->kind == NODE_EXCHANGE || row->kind == NODE_ASK;
}

static bool is_written(const struct row *row) {
    return row->kind == NODE_CONTROL || row->kind == NODE_VALUE || row->kind == NODE_DOCUMENT ||
           is_question(row);
}

static void has_a_sane_mode(const struct row *row) {
    bool folder = row->kind == NODE_FOLDER;
    if (row->about == ABOUT_CHAT) {
        check_row((row->mode & 0477) == 0400, "is its owner's alone");
        check_row(!(row->mode & 0100) == !folder, "folders can be entered");
        return;
    }
    if (row_number(row) == ROW_CHATS) { /* where anybody makes folders of his own, as in /tmp */
        check_row(row->mode == 01777, "is anybody's, and each name its maker's");
        return;
    }
    check_row((row->mode & 0444) == 0444, "is readable by all");
    check_row(!(row->mode & 0022) || row->kind == NODE_CONTROL || is_question(row),
        "others write commands and questions only");
    check_row(((row->mode & 0111) == 0111) == folder, "folders can be entered, files not executed");
    bool written = is_written(row) || row_number(row) == ROW_GROUP; /* whose models rmdir(2) forgets */
    check_row(!!(row->mode & 0200) == written, "is written to when it takes commands, a value or a document");
}

/* "report" and "report.json" say the same: who watches one hears what who watches the other does. Nobody is
 * woken by touching what takes commands or blocks. */
static void wakes_as_its_twin_does(const struct row *row) {
    char twin[64];
    if (row->wakes)
        check_row(row->kind == NODE_TEXT || row->kind == NODE_STREAM || row->kind == NODE_FOLDER ||
                      row->kind == NODE_VALUE || row->kind == NODE_DOCUMENT || row->kind == NODE_FAILURE,
            "wakes watchers of a text, a stream or a folder");
    for (const struct row *other = row_next(row->in, -1); row->name && other;
         other = row_next(row->in, (int)row_number(other))) {
        snprintf(twin, sizeof twin, "%s.json", row->name);
        if (other->name && !strcmp(other->name, twin))
            check_row(row->wakes == other->wakes, "wakes as its twin in JSON does");
    }
}

static void has_what_its_kind_needs(const struct row *row) {
    bool written = is_written(row), text = row->kind == NODE_TEXT || written || row->kind == NODE_WAIT;
    text = text && row->kind != NODE_EXCHANGE; /* whose text is an answer */
    check_row((row->print != NULL) == (text || row->kind == NODE_LINK), "prints when it is a text or a link");
    check_row((row->await && row->is_busy) == (row->kind == NODE_WAIT),
        "can be waited for when it is `wait`");
    bool commanded = written && !is_question(row) && row->about != ABOUT_CHAT;
    check_row((row->commands != 0) == commanded, "has commands when it can be written to");
    check_row((row->holds != NO_TABLE) == (row->kind == NODE_FOLDER), "holds something when it is a folder");
    check_row(!text || !row->attr_ms, "a text's attributes are never believed for longer than asked");
}

static void can_be_found(const struct row *row) {
    bool pattern = row->pattern && row_number(row) != ROW_FOLDER &&
                   row_number(row) != ROW_REVISION_FOLDER; /* which the row of files finds */
    check_row(!row->find == !pattern && !(row->list || row->page) == !pattern, "a pattern finds and lists");
    check_row(!row->list || !row->page, "lists one by one or by pages");
}

/* A name of ours is about what its folder is about, or about the tree: else its object would be made up. */
static void is_about_what_its_folder_is_about(const struct row *row) {
    if (row->pattern || row->about == ABOUT_TREE)
        return;
    for (unsigned number = 0; number < ROW_LIMIT; number++) {
        const struct row *folder = row_of(number);
        if (folder && folder->holds == row->in)
            check_row(folder->about == row->about, "is about what its folder is about");
    }
}

static void has_a_name_of_its_own(const struct row *row) {
    for (const struct row *other = row_next(row->in, (int)row_number(row)); other;
         other = row_next(row->in, (int)row_number(other)))
        check_row(!row->name || !other->name || strcmp(row->name, other->name),
            "has its name alone in its directory");
}

static void each_directory_belongs_to_a_folder(void) {
    for (enum table table = IN_ROOT; table < TABLE_COUNT; table++) {
        bool held = false;
        for (unsigned number = 0; number < ROW_LIMIT; number++)
            held |= row_of(number) && row_of(number)->holds == table;
        CHECK(held);
        CHECK(row_next(table, -1));
    }
}

/* These stand in node numbers that a predecessor gave to the kernel: who changes one breaks a mount. */
static void numbers_are_what_they_were(void) {
    static const struct {
        unsigned number;
        const char *title;
    } ROWS[] = {
        {1, "README"},
        {2, "ctl"},
        {3, "status"},
        {4, "status.json"},
        {5, "health"},
        {6, "events"},
        {7, "jobs/"},
        {8, "config/"},
        {9, "SOURCE/"},
        {16, "ID/"},
        {17, "status"},
        {18, "progress"},
        {19, "wait"},
        {20, "ctl"},
        {21, "log"},
        {24, "OPTION"},
        {25, "config.json"},
        {32, "ORG/"},
        {33, "NAME/"},
        {40, "files/"},
        {41, "SHA256SUMS"},
        {42, "state"},
        {43, "status"},
        {44, "status.json"},
        {45, "progress"},
        {46, "wait"},
        {47, "plan"},
        {48, "ctl"},
        {64, "FILE"},
        {65, "FOLDER/"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (!CHECK(row_of(ROWS[i].number) != NULL))
            continue;
        row_title(row_of(ROWS[i].number), title);
        CHECK_TEXT(title, ROWS[i].title);
    }
}

static void readme_and_docs_name_each_row(void) {
    BUF_CLEANUP struct buf readme = BUF_INIT, docs = BUF_INIT;
    CHECK_OK(print_readme(NULL, &readme));
    tree_print_docs(&docs);
    for (unsigned number = 1; number < ROW_LIMIT; number++) {
        const struct row *row = row_of(number);
        if (!row)
            continue;
        row_title(row, title);
        check_row(strstr(buf_text(&readme), row->help) != NULL, "is in README");
        check_row(strstr(buf_text(&docs), title) != NULL, "is in the docs");
    }
    CHECK(readme.len && readme.data[readme.len - 1] == '\n');
    CHECK(docs.len && docs.data[docs.len - 1] == '\n');
    for (const char *line = readme.data; line && *line; line = strchr(line, '\n') + 1)
        CHECK(strcspn(line, "\n") <= 120);
}

static void options_have_numbers_of_their_own(void) {
    uint32_t numbers[512];
    size_t count = 0;
    struct options *options = all_options_new();
    const struct option_row *row;
    for (size_t index = 0; (row = options_row(options, index)) && count < 512; index++) {
        numbers[count] = option_number(row->name);
        CHECK(numbers[count] <= INT32_MAX);
        for (size_t i = 0; i < count; i++)
            CHECK(numbers[i] != numbers[count]);
        count++;
    }
    CHECK(count > 5);
    options_free(options);
}

int main(void) {
    each_row(has_a_name_or_is_a_pattern);
    each_row(has_help_of_one_line);
    each_row(has_a_sane_mode);
    each_row(wakes_as_its_twin_does);
    each_row(has_what_its_kind_needs);
    each_row(can_be_found);
    each_row(is_about_what_its_folder_is_about);
    each_row(has_a_name_of_its_own);
    each_directory_belongs_to_a_folder();
    numbers_are_what_they_were();
    readme_and_docs_name_each_row();
    options_have_numbers_of_their_own();
    return check_result();
}
