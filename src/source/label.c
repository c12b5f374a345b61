/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>

#include "weightfs/source.h"

const char *source_label(unsigned index) {
    return source_table[index] ? source_table[index]->name : NULL;
}

unsigned source_index(const struct source *source) {
    unsigned index = 0;
    while (source_table[index] && source_table[index] != source)
        index++;
    assert(index < SOURCES_MOST);
    return index;
}
