/* SPDX-License-Identifier: Apache-2.0 */
#include "model/format.h"

#include <string.h>
#include <strings.h>

#include "model/safetensors.h"

static bool begins(const uint8_t *head, size_t len, const char *magic, size_t magic_len) {
    return len >= magic_len && !memcmp(head, magic, magic_len);
}
#define BEGINS(head, len, magic) begins(head, len, magic, sizeof magic - 1)

static bool is_gguf(const uint8_t *head, size_t len, uint64_t size) {
    (void)size;
    return BEGINS(head, len, "GGUF");
}

static bool is_ggml(const uint8_t *head, size_t len, uint64_t size) {
    (void)size;
    return BEGINS(head, len, "lmgg");
}

static bool is_safetensors(const uint8_t *head, size_t len, uint64_t size) {
    uint64_t header = 0;
    if (len < 9 || head[8] != '{')
        return false;
    for (int i = 8; i-- > 0;)
        header = header << 8 | head[i];
    return header >= 2 && header <= SAFETENSORS_HEADER_MAX && header <= size - 8;
}

/* ModelProto: ir_version, then producer_name, opset_import or graph. */
static bool is_onnx(const uint8_t *head, size_t len, uint64_t size) {
    (void)size;
    return len >= 3 && head[0] == 0x08 && head[1] >= 1 && head[1] <= 32 &&
           (head[2] == 0x12 || head[2] == 0x3a || head[2] == 0x42);
}

static bool is_pickle(const uint8_t *head, size_t len, uint64_t size) {
    (void)size;
    return len >= 2 && head[0] == 0x80 && head[1] >= 1 && head[1] <= 5;
}

static bool is_numpy(const uint8_t *head, size_t len, uint64_t size) {
    (void)size;
    return BEGINS(head, len, "\x93NUMPY");
}

static bool is_zip(const uint8_t *head, size_t len, uint64_t size) {
    (void)size;
    return BEGINS(head, len, "PK\3\4") || BEGINS(head, len, "PK\5\6");
}

static bool is_tflite(const uint8_t *head, size_t len, uint64_t size) {
    (void)size;
    return len >= 8 && !memcmp(head + 4, "TFL3", 4);
}

static bool is_hdf5(const uint8_t *head, size_t len, uint64_t size) {
    (void)size;
    return BEGINS(head, len, "\x89HDF\r\n\x1a\n");
}

static const struct format_row ROWS[FORMAT_END] = {
    [FORMAT_UNKNOWN] = {"", "", FORMAT_RISK_NONE, false, NULL, NULL, "nothing is known of it"},
    [FORMAT_GGUF] = {"gguf", " .gguf ", FORMAT_RISK_NONE, true, is_gguf, format_check_gguf,
        "llama.cpp and its family"},
    [FORMAT_GGML] = {"ggml", "", FORMAT_RISK_NONE, true, is_ggml, format_check_ggml, "whisper.cpp"},
    [FORMAT_SAFETENSORS] = {"safetensors", " .safetensors ", FORMAT_RISK_NONE, true, is_safetensors,
        format_check_safetensors, "tensors and nothing else"},
    [FORMAT_ONNX] = {"onnx", " .onnx ", FORMAT_RISK_NONE, true, is_onnx, format_check_onnx,
        "graphs with their weights"},
    [FORMAT_PICKLE] = {"pickle", " .bin .pt .pth .ckpt .pkl .pickle .joblib .dill ", FORMAT_RISK_CODE, true,
        is_pickle, format_check_pickle, "Python objects: instructions that loading executes"},
    [FORMAT_NUMPY] = {"numpy", " .npy ", FORMAT_RISK_CODE, true, is_numpy, format_check_numpy,
        "an array; of objects: a pickle"},
    [FORMAT_ZIP] = {"zip", " .npz .zip .nemo .keras ", FORMAT_RISK_CODE, false, is_zip, format_check_zip,
        "an archive: what torch.save and numpy.savez write"},
    [FORMAT_JSON] = {"json", " .json ", FORMAT_RISK_NONE, false, NULL, format_check_json,
        "configuration, tokenizers, indexes"},
    [FORMAT_TFLITE] = {"tflite", " .tflite ", FORMAT_RISK_NONE, true, is_tflite, NULL, "TensorFlow Lite"},
    [FORMAT_HDF5] = {"hdf5", " .h5 .hdf5 ", FORMAT_RISK_CODE, true, is_hdf5, NULL,
        "Keras: Lambda layers are code"},
    [FORMAT_PYTHON] = {"python", " .py ", FORMAT_RISK_CODE, false, NULL, NULL,
        "code, which loaders run when told to trust it"},
};

const struct format_row *format_row(enum file_format format) {
    return &ROWS[(unsigned)format < FORMAT_END ? format : FORMAT_UNKNOWN];
}

/* " .a .b " has ".b" between spaces. */
static bool has_suffix(const char *suffixes, const char *suffix) {
    size_t len = strlen(suffix);
    for (const char *at = suffixes; (at = strcasestr(at, suffix)); at++)
        if (at > suffixes && at[-1] == ' ' && at[len] == ' ')
            return true;
    return false;
}

enum file_format format_of_path(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *suffix = strrchr(slash ? slash : path, '.');
    if (!suffix || strchr(suffix, ' ') || !suffix[1])
        return FORMAT_UNKNOWN;
    for (int format = FORMAT_UNKNOWN + 1; format < FORMAT_END; format++)
        if (has_suffix(ROWS[format].suffixes, suffix))
            return (enum file_format)format;
    return FORMAT_UNKNOWN;
}

enum file_format format_of_bytes(const uint8_t *head, size_t len, uint64_t size) {
    for (int format = FORMAT_UNKNOWN + 1; format < FORMAT_END; format++)
        if (ROWS[format].is && ROWS[format].is(head, len, size))
            return (enum file_format)format;
    return FORMAT_UNKNOWN;
}

/* Formats that stand for each other under their names: torch.save writes zips as .bin and .pt, whisper.cpp's
 * models are .bin. */
static bool may_be(enum file_format said, enum file_format is) {
    return said == is || said == FORMAT_UNKNOWN ||
           (said == FORMAT_PICKLE && (is == FORMAT_ZIP || is == FORMAT_GGML || is == FORMAT_NUMPY)) ||
           (said == FORMAT_ZIP && is == FORMAT_PICKLE);
}

/* What the file is to be checked as. */
static enum file_format judge_name(enum file_format said, enum file_format is, struct findings *findings) {
    if (is == FORMAT_UNKNOWN || may_be(said, is))
        return is == FORMAT_UNKNOWN ? said : is;
    bool code = ROWS[is].risk == FORMAT_RISK_CODE && ROWS[said].risk != FORMAT_RISK_CODE;
    findings_add(findings, code ? FINDING_DANGER : FINDING_ERROR,
        "its name says %s, its bytes are those of %s", ROWS[said].name, ROWS[is].name);
    return is;
}

int format_check(enum file_format format, const struct format_reader *reader, struct findings *findings) {
    uint8_t head[FORMAT_HEAD];
    size_t wanted = reader->size < sizeof head ? (size_t)reader->size : sizeof head;
    ssize_t got = wanted ? reader->read_at(reader->context, head, wanted, 0) : 0;
    if (got < 0)
        return (int)got;
    FINDINGS_CLEANUP struct findings own = FINDINGS_INIT;
    enum file_format is = judge_name(format, format_of_bytes(head, (size_t)got, reader->size), &own);
    if (ROWS[is].check && !reader->size)
        findings_add(&own, FINDING_ERROR, "the file is empty");
    int error = reader->size && ROWS[is].check ? ROWS[is].check(reader, &own) : 0;
    if (!error && !own.count && ROWS[is].check)
        findings_add(&own, FINDING_OK, "%s: the structure is right", ROWS[is].name);
    if (!error)
        findings_move(findings, &own, "");
    return error;
}
