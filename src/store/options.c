/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

const struct option_row store_options[] = {
    {.name = "cache_max_bytes",
        .type = OPTION_BYTES,
        .value = "0",
        .least = 0,
        .most = INT64_MAX,
        .help = "what the store may hold (50G, 500MB); least recently used models make room; 0: as much as "
                "the disk has"},
    {.name = "min_free_bytes",
        .type = OPTION_BYTES,
        .value = "512M",
        .least = 0,
        .most = INT64_MAX,
        .help = "what is left free on the store's disk"},
    {.name = "integrity",
        .type = OPTION_WORD,
        .value = "normal",
        .words = "normal|strict",
        .help = "normal: ranges are served as they arrive and the last one once the digest of the whole is "
                "right; strict: nothing is "
                "served before"},
    {.name = "lazy",
        .type = OPTION_BOOL,
        .value = "on",
        .help = "off: reading bytes that are not here fails; only pull fetches"},
    {.name = "stall_timeout_s",
        .type = OPTION_NUMBER,
        .value = "30",
        .least = 1,
        .most = 3600,
        .help = "seconds without a byte after which those who wait for it get EIO"},
    {.name = "max_connections",
        .type = OPTION_NUMBER,
        .value = "8",
        .least = 1,
        .most = 64,
        .help = "ranges fetched at once for pulls and read-ahead; readers that wait may use four more"},
    {.name = NULL},
};
