/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/flags.h"

#include <assert.h>
#include <getopt.h>
#include <stddef.h>

#include "daemon/say.h"

#define FLAGS_MAX    24
#define LEFT_COLUMNS 28

void flags_begin(void) {
    optind = 0; /* glibc: forget what an earlier line left behind */
    opterr = 0;
}

/* What getopt_long() wants, from the rows: ":f" and an array. The leading colon tells a missing
 * argument from an unknown flag. */
static void describe(const struct flag *flags, char letters[2 + 2 * FLAGS_MAX],
    struct option words[FLAGS_MAX + 1]) {
    size_t letter = 0, word = 0;
    letters[letter++] = ':';
    for (const struct flag *flag = flags; flag->id; flag++) {
        assert(flag - flags < FLAGS_MAX);
        if (flag->word)
            words[word++] =
                (struct option){flag->word, flag->argument ? required_argument : no_argument, NULL, flag->id};
        if (flag->id < FLAG_LONG_ONLY) {
            letters[letter++] = (char)flag->id;
            if (flag->argument)
                letters[letter++] = ':';
        }
    }
    letters[letter] = '\0';
    words[word] = (struct option){NULL, 0, NULL, 0};
}

int flags_next(const struct flag *flags, int argc, char **argv, const char **ret_value) {
    char letters[2 + 2 * FLAGS_MAX];
    struct option words[FLAGS_MAX + 1];
    describe(flags, letters, words);
    int id = getopt_long(argc, argv, letters, words, NULL);
    if (id == -1)
        return 0;
    if (id == '?' || id == ':') {
        /* A letter that is wrong is in optopt; a word has been stepped over. */
        const char *given = argv[optind > 1 ? optind - 1 : 1];
        if (id == '?' && optopt > 0 && optopt < FLAG_LONG_ONLY)
            say(0, "%s: there is no flag -%c; `weightfs help %s` lists them", argv[0], optopt, argv[0]);
        else if (id == '?')
            say(0, "%s: there is no flag %s; `weightfs help %s` lists them", argv[0], given, argv[0]);
        else
            say(0, "%s: %s wants an argument; `weightfs help %s` says which", argv[0], given, argv[0]);
        return -1;
    }
    *ret_value = optarg;
    return id;
}

/* printf() pads by bytes: how many of them are no column of their own. */
static int hidden_bytes(const char *text) {
    int count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) == 0x80;
    return count;
}

void flags_print(const struct flag *flags, FILE *to) {
    for (const struct flag *flag = flags; flag->id; flag++) {
        char left[64];
        const char *argument = flag->argument ? flag->argument : "";
        const char *space = flag->argument ? " " : "";
        if (flag->id >= FLAG_LONG_ONLY)
            snprintf(left, sizeof(left), "    --%s%s%s", flag->word, space, argument);
        else if (flag->word)
            snprintf(left, sizeof(left), "-%c, --%s%s%s", flag->id, flag->word, space, argument);
        else
            snprintf(left, sizeof(left), "-%c%s%s", flag->id, space, argument);
        fprintf(to, "  %-*s %s\n", LEFT_COLUMNS + hidden_bytes(left), left, flag->help);
    }
}
