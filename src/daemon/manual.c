/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/manual.h"

#include <string.h>

#include "daemon/verbs.h"
#include "weightfs/exit.h"

/* Text of ours in roff: what it would take for its own is escaped. */
static void print_text(const char *text, FILE *to) {
    static const struct {
        const char *from, *roff;
    } signs[] = {{"\\", "\\e"}, {"-", "\\-"}, {"\"", "\\(dq"}, {"`", "\\(ga"}, {"'", "\\(aq"}, {"…", " ..."}};
    while (*text) {
        size_t sign = 0, count = sizeof(signs) / sizeof(signs[0]);
        while (sign < count && strncmp(text, signs[sign].from, strlen(signs[sign].from)) != 0)
            sign++;
        if (sign < count) {
            fputs(signs[sign].roff, to);
            text += strlen(signs[sign].from);
        } else {
            putc(*text++, to);
        }
    }
}

/* A sentence on a line of its own: \& keeps a leading dot from being a request. */
static void print_sentence(const char *text, FILE *to) {
    fputs("\\&", to);
    print_text(text, to);
    fputs(".\n", to);
}

static void print_flags(const struct flag *flags, FILE *to) {
    if (!flags->id)
        return;
    fputs(".Bl -tag -width Ds -compact\n", to);
    for (const struct flag *flag = flags; flag->id; flag++) {
        fputs(".It Sy \"", to);
        if (flag->id < FLAG_LONG_ONLY)
            fprintf(to, "\\-%c%s", flag->id, flag->word ? ", " : "");
        if (flag->word) {
            fputs("\\-\\-", to);
            print_text(flag->word, to);
        }
        if (flag->argument) {
            putc(' ', to);
            print_text(flag->argument, to);
        }
        fputs("\"\n", to);
        print_sentence(flag->help, to);
    }
    fputs(".El\n", to);
}

static void print_verb(const struct verb *verb, FILE *to) {
    fputs(".It Sy \"", to);
    print_text(verb->name, to);
    putc(' ', to);
    print_text(verb->arguments, to);
    fputs("\"\n", to);
    print_sentence(verb->help, to);
    if (verb->flags != command_flags)
        print_flags(verb->flags, to);
}

static void print_verbs(bool commands, FILE *to) {
    const struct verb *verb;
    fputs(".Bl -tag -width Ds\n", to);
    for (size_t i = 0; (verb = verb_row(i)); i++)
        if (verb_is_made(i) == commands)
            print_verb(verb, to);
    fputs(".El\n", to);
}

static const char beginning[] =
    ".\\\" SPDX-License-Identifier: Apache-2.0\n"
    ".\\\" printed by `weightfs --print-docs man`; `make docs` writes it\n"
    ".Dd November 21, 2026\n"
    ".Dt WEIGHTFS 1\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm weightfs\n"
    ".Nd AI models as files\n"
    ".Sh SYNOPSIS\n"
    ".Nm\n"
    ".Ar verb\n"
    ".Op Ar argument ...\n"
    ".Nm\n"
    ".Fl \\-help | \\-version\n"
    ".Sh DESCRIPTION\n"
    "Mounts models as files:\n"
    ".Ic ls\n"
    "shows what there is, reading a weight file fetches the bytes that are read, checks and keeps them, and "
    "lines\n"
    "that are written into a\n"
    ".Pa ctl\n"
    "file are commands.\n"
    "The verbs do the same from a shell.\n"
    ".Pp\n"
    "A\n"
    ".Ar KEY\n"
    "names a model: hf:ORG/NAME[:VARIANT], or ORG/NAME, or an alias of the catalogue.\n"
    "A\n"
    ".Ar PATH\n"
    "leads into a mount, and names the model that it lies in.\n"
    "Which mount is meant is said by\n"
    ".Fl m ,\n"
    "else by the environment, else by the current folder; else it is the only one there is.\n"
    ".Sh VERBS\n";

static const char between[] = ".Sh COMMANDS\n"
                              "Each command of a\n"
                              ".Pa ctl\n"
                              "file is a verb as well.\n"
                              "Its arguments in the form NAME=VALUE can be given as flags, too:\n"
                              ".Fl \\-NAME Ar VALUE .\n"
                              "Jobs that begin are waited for, unless\n"
                              ".Fl \\-no\\-wait\n"
                              "is given; interrupting the wait leaves them running.\n";

static const char end[] =
    ".Sh ENVIRONMENT\n"
    ".Bl -tag -width Ds\n"
    ".It Ev WEIGHTFS_MOUNT\n"
    "The mount that is meant.\n"
    ".It Ev WEIGHTFS_TRACE\n"
    "Keys of details that are logged, divided by commas, or all.\n"
    ".It Ev HF_TOKEN , HF_ENDPOINT , HF_HOME\n"
    "As for the tools of the Hugging Face Hub.\n"
    ".El\n"
    ".Pp\n"
    "Options have names in the environment as well:\n"
    ".Nm\n"
    ".Cm config\n"
    "prints where each comes from.\n"
    ".Sh FILES\n"
    ".Bl -tag -width Ds\n"
    ".It Pa /etc/weightfs/config.json\n"
    "Options of all mounts; users have\n"
    ".Pa $XDG_CONFIG_HOME/weightfs/config.json .\n"
    ".It Pa /var/lib/weightfs\n"
    "What root's mounts keep; users have\n"
    ".Pa ~/.local/share/weightfs .\n"
    ".It Pa MOUNTPOINT/README\n"
    "Every file of the mounted tree.\n"
    ".El\n"
    ".Sh EXIT STATUS\n"
    ".Bl -tag -width Ds\n"
    ".It 0\n"
    "Done.\n"
    ".It 1\n"
    "It was tried, and the answer is no: a pull that failed, an unknown model, a command that was refused.\n"
    ".It 128\n"
    "It could not be tried: no mount, a wrong configuration, a mount that did not come up.\n"
    ".It 129\n"
    "The command line makes no sense.\n"
    ".It 130\n"
    "Interrupted; what is under way goes on.\n"
    ".El\n"
    ".Sh EXAMPLES\n"
    ".Dl weightfs mount /models\n"
    ".Dl weightfs pull Qwen/Qwen3\\-0.6B\n"
    ".Dl weightfs ls \\-\\-json | jq \\(aq.[].key\\(aq\n"
    ".Dl weightfs events \\-f\n"
    ".Sh SEE ALSO\n"
    ".Xr fusermount3 1 ,\n"
    ".Xr jq 1 ,\n"
    ".Xr mount 8\n";

int manual_print(FILE *to) {
    fputs(beginning, to);
    print_verbs(false, to);
    fputs(between, to);
    print_verbs(true, to);
    fputs(end, to);
    return WEIGHTFS_EXIT_OK;
}
