/* SPDX-License-Identifier: Apache-2.0 */
#include "model/format.h"

#include "base/buf.h"
#include "model/json_stream.h"

int format_check_json(const struct format_reader *reader, struct findings *findings) {
    struct scan scan;
    JSON_STREAM_CLEANUP struct json_stream stream;
    enum json_event event;
    scan_init(&scan, reader, 0, reader->size);
    json_stream_init(&stream, &scan);
    while ((event = json_stream_next(&stream)) != STREAM_END && event != STREAM_BAD)
        ;
    if (event == STREAM_BAD && stream.fault)
        findings_add(findings, FINDING_ERROR, "not valid JSON: byte %llu: %s",
            (unsigned long long)stream.fault_at, stream.fault);
    return scan.error;
}
