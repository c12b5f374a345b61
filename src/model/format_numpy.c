/* SPDX-License-Identifier: Apache-2.0 */
#include "model/format.h"

#include <string.h>

#include "base/buf.h"
#include "model/pickle.h"
#include "model/scan.h"

/* 93 "NUMPY", two bytes of version, a length (2 bytes in version 1, else 4), a Python dict as text
 * (numpy.lib.format). An array of objects is a pickle behind that. */
static const uint32_t HEADER_MAX = 1 << 16;

/* The text between 'descr' and the next member names a type with an O in it. */
static bool holds_objects(const char *header) {
    const char *descr = strstr(header, "descr");
    if (!descr)
        return true; /* not what numpy writes: then rather look */
    const char *end = strstr(descr, "fortran_order");
    const char *object = strchr(descr, 'O');
    return object && (!end || object < end || strstr(end, "descr"));
}

int format_check_numpy(const struct format_reader *reader, struct findings *findings) {
    struct scan scan;
    uint64_t version, size = 0;
    scan_init(&scan, reader, 0, reader->size);
    bool whole = scan_skip(&scan, 6) && scan_number(&scan, 2, &version) &&
                 scan_number(&scan, (version & 0xff) == 1 ? 2 : 4, &size);
    if (whole && size > HEADER_MAX) {
        findings_add(findings, FINDING_ERROR, "a header of %llu bytes: no array has that",
            (unsigned long long)size);
        return 0;
    }
    char *text = mem_new((size_t)size + 1);
    whole = whole && scan_bytes(&scan, text, (size_t)size);
    bool objects = whole && (strlen(text) < size || holds_objects(text));
    free(text);
    if (!whole && !scan.error)
        findings_add(findings, FINDING_ERROR, "the file ends within its header");
    if (!objects)
        return scan.error;
    findings_add(findings, FINDING_WARNING, "an array of Python objects: a pickle");
    return pickle_check(reader, scan.at, 1, true, findings);
}
