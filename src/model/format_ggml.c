/* SPDX-License-Identifier: Apache-2.0 */
#include "model/format.h"

#include "model/scan.h"

/* whisper.cpp's own format: a magic, then eleven numbers (whisper.cpp, models/convert-pt-to-ggml.py). */
static const struct {
    const char *name;
    uint32_t least, most;
} FIELDS[] = {
    {"n_vocab", 1, 1000000}, {"n_audio_ctx", 1, 100000}, {"n_audio_state", 1, 65536},
    {"n_audio_head", 1, 1024}, {"n_audio_layer", 1, 1024}, {"n_text_ctx", 1, 100000},
    {"n_text_state", 1, 65536}, {"n_text_head", 1, 1024}, {"n_text_layer", 1, 1024}, {"n_mels", 1, 1024},
    {"ftype", 0, 9999}, /* 1000 x the version of the quantisation, and its kind */
};

int format_check_ggml(const struct format_reader *reader, struct findings *findings) {
    struct scan scan;
    uint32_t number;
    scan_init(&scan, reader, 0, reader->size);
    bool whole = scan_u32(&scan, &number);
    if (whole && number != 0x67676d6c)
        findings_add(findings, FINDING_ERROR, "not a whisper model: its first bytes are not those of ggml");
    for (size_t i = 0; whole && number == 0x67676d6c && i < sizeof FIELDS / sizeof *FIELDS; i++) {
        uint32_t value;
        whole = scan_u32(&scan, &value);
        if (whole && (value < FIELDS[i].least || value > FIELDS[i].most))
            findings_add(findings, FINDING_ERROR, "%s is %lu, which no whisper model has", FIELDS[i].name,
                (unsigned long)value);
    }
    if (!whole && !scan.error)
        findings_add(findings, FINDING_ERROR, "the file ends within its header");
    return scan.error;
}
