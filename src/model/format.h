/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MODEL_FORMAT_H
#define WEIGHTFS_MODEL_FORMAT_H

/*
 * The formats that a model's files have, and what there is to be checked in each. Everything read here was
 * written by strangers: each parser goes over the file once, forwards, through small buffers; what a file
 * says of sizes and counts is believed only as far as the file is long, and the caps stand in the parser's
 * file. So a check's memory is bounded (some 64 MiB at the very worst) and its time is linear in the bytes
 * that it reads. Data of tensors are skipped, not read. Pure: no locks, any thread, one reader for one check
 * at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/finding.h"

/* Where bytes come from. read_at gives the number of bytes read, which is `size` unless the file ends, or a
 * negative error; an error ends the check, which hands it on unchanged (a reader over what has not all
 * arrived answers -EAGAIN, remembers what was asked for, and is asked again later). */
struct format_reader {
    ssize_t (*read_at)(void *context, void *to, size_t size, uint64_t offset);
    void *context;
    uint64_t size; /* of the file */
};

enum file_format {
    FORMAT_UNKNOWN,
    FORMAT_GGUF,
    FORMAT_GGML,
    FORMAT_SAFETENSORS,
    FORMAT_ONNX,
    FORMAT_PICKLE,
    FORMAT_NUMPY,
    FORMAT_ZIP,
    FORMAT_JSON,
    FORMAT_TFLITE,
    FORMAT_HDF5,
    FORMAT_PYTHON,
    FORMAT_END
};

/* What loading such a file can do: `code`: run what the file says (pickle and what holds it), unless it was
 * found harmless. */
enum format_risk { FORMAT_RISK_NONE, FORMAT_RISK_CODE };

struct format_row {
    const char *name;     /* "gguf" … as `by/format` and cards have it */
    const char *suffixes; /* " .gguf " each between spaces; "" when the name says nothing */
    enum format_risk risk;
    bool is_weights; /* holds a model's parameters, or may */
    bool (*is)(const uint8_t *head, size_t len,
        uint64_t size); /* looks at the first bytes; NULL: can't be told */
    int (*check)(const struct format_reader *reader, struct findings *findings); /* NULL: nothing is known */
    const char *help;
};
const struct format_row *format_row(enum file_format format); /* never NULL */

/* By the name alone ("unet/model.fp16.safetensors"); case does not matter. FORMAT_UNKNOWN. */
enum file_format format_of_path(const char *path);
/* By the first bytes (64 will do; fewer when the file is shorter) and the size of the whole. FORMAT_UNKNOWN.
 */
#define FORMAT_HEAD 64
enum file_format format_of_bytes(const uint8_t *head, size_t len, uint64_t size);

/* Looks at a file that its name says is a `format`, and at what it is by its bytes: a file that disguises one
 * format as another is said to and checked as what it is. Appends findings; FINDING_OK when there is nothing
 * to say but that the structure is right. 0, also when the file is bad; negative only when a read failed. */
int format_check(enum file_format format, const struct format_reader *reader, struct findings *findings);

/* The parsers, each in format_NAME.c. */
int format_check_gguf(const struct format_reader *reader, struct findings *findings);
int format_check_ggml(const struct format_reader *reader, struct findings *findings);
int format_check_safetensors(const struct format_reader *reader, struct findings *findings);
int format_check_onnx(const struct format_reader *reader, struct findings *findings);
int format_check_pickle(const struct format_reader *reader, struct findings *findings);
int format_check_numpy(const struct format_reader *reader, struct findings *findings);
int format_check_zip(const struct format_reader *reader, struct findings *findings);
int format_check_json(const struct format_reader *reader, struct findings *findings);

#endif
