/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "weightfs/source.h"

const struct source *const source_table[] = {&source_hf, &source_openai, &source_ollama, NULL};

const struct source *source_find(const char *name) {
    for (size_t i = 0; source_table[i]; i++)
        if (!strcmp(source_table[i]->name, name))
            return source_table[i];
    return NULL;
}

void source_ask_done(struct source_ask *ask) {
    free(ask->url);
    free(ask->post);
    if (ask->authorization)
        explicit_bzero(ask->authorization, strlen(ask->authorization));
    free(ask->authorization);
    *ask = (struct source_ask){0};
}
