/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/json_list.h"

#include <stdio.h>
#include <string.h>

void json_list_begin(struct json_list *list) {
    list->count = 0;
    fputs("[", stdout);
}

void json_list_add(struct json_list *list, const char *text) {
    size_t len = strlen(text);
    while (len && text[len - 1] == '\n')
        len--;
    printf("%s%.*s", list->count++ ? ",\n " : "", (int)len, text);
}

void json_list_end(struct json_list *list) {
    (void)list;
    fputs("]\n", stdout);
}
