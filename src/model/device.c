/* SPDX-License-Identifier: Apache-2.0 */
#include "model/device.h"

#include <string.h>

#define NUMBER_MOST 63

static const char *const names[DEVICE_KIND_COUNT] = {
    [DEVICE_CUDA] = "cuda:",
    [DEVICE_ROCM] = "rocm:",
    [DEVICE_VULKAN] = "vulkan:",
    [DEVICE_SYCL] = "sycl:",
};

/* One or two digits, without a leading zero. */
static const char *parse_number(const char *at, unsigned *ret_number) {
    size_t len = strspn(at, "0123456789");
    unsigned number = 0;
    if (!len || len > 2 || (len == 2 && *at == '0'))
        return NULL;
    for (size_t i = 0; i < len; i++)
        number = number * 10 + (unsigned)(at[i] - '0');
    if (number > NUMBER_MOST)
        return NULL;
    *ret_number = number;
    return at + len;
}

static const char *parse(const char *at, enum device_kind *ret_kind, unsigned *ret_number) {
    for (enum device_kind kind = 0; kind < DEVICE_KIND_COUNT; kind++)
        if (strncmp(at, names[kind], strlen(names[kind])) == 0) {
            *ret_kind = kind;
            return parse_number(at + strlen(names[kind]), ret_number);
        }
    return NULL;
}

bool device_next(const char **at, enum device_kind *ret_kind, unsigned *ret_number) {
    const char *end = parse(*at, ret_kind, ret_number);
    if (!end)
        return false;
    *at = end + (*end == ',');
    return true;
}

bool device_fits(const char *text) {
    enum device_kind kind;
    unsigned number;
    if (strcmp(text, "auto") == 0 || strcmp(text, "cpu") == 0)
        return true;
    for (const char *at = text;; at++) {
        at = parse(at, &kind, &number);
        if (!at)
            return false;
        if (*at != ',')
            return !*at;
    }
}
