/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors, and the JSON that is read as a stream: right ones, cut ones, and what strangers try */
#include "format-fixture.h"
#include "model/json_stream.h"

static struct buf file_of(const char *header, size_t data) {
    struct buf bytes = BUF_INIT;
    put_number(&bytes, strlen(header), 8);
    put(&bytes, header, strlen(header));
    put_zeros(&bytes, data);
    return bytes;
}

#define T(dtype, shape, offsets) "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void files_are_judged(void) {
    static const struct {
        const char *header;
        size_t data;
        const char *said;
    } FILES[] = {
        {"{}", 0, "ok: safetensors: the structure is right"},
        {"{\"a\":" T("F32", "[2,2]", "[0,16]") "}", 16, "ok"},
        {"{\"a\":" T("BF16", "[2]", "[4,8]") ",\"b\":" T("F32", "[]", "[0,4]") "}   ", 8, "ok"},
        {"{\"__metadata__\":{\"format\":\"pt\"},\"a\":" T("F4", "[4]", "[0,2]") "}", 2, "ok"},
        {"{\"a\":" T("I8", "[0]", "[0,0]") "}", 0, "ok"},
        {"{\"a\":" T("F32", "[2,2]", "[0,16]") "}", 15, "error: tensor a: bytes 0 to 16 are not within"},
        {"{\"a\":" T("F32", "[2,2]", "[0,16]") "}", 17, "error: 1 bytes after the last tensor"},
        {"{\"a\":" T("F32", "[4]", "[0,16]") ",\"b\":" T("F32", "[4]", "[0,16]") "}", 16,
            "error: tensors overlap"},
        {"{\"a\":" T("I8", "[4]", "[0,4]") ",\"b\":" T("I8", "[4]", "[5,9]") "}", 9,
            "error: tensors leave a hole at byte 4"},
        {"{\"a\":" T("I8", "[4]", "[0,4]") ",\"a\":" T("I8", "[4]", "[4,8]") "}", 8,
            "error: the header is not valid JSON: byte "},
        {"{\"a\":" T("F32", "[4611686018427387904,4]", "[0,0]") "}", 0,
            "error: tensor a: its shape has more elements"},
        {"{\"a\":" T("F32", "[4294967296,4294967296]", "[0,0]") "}", 0,
            "error: tensor a: its shape has more elements"},
        {"{\"a\":" T("F32", "[576460752303423489]", "[0,4]") "}", 4,
            "error: tensor a: its shape has more elements"},
        {"{\"a\":" T("F4", "[3]", "[0,1]") "}", 1, "error: tensor a: its shape needs"},
        {"{\"a\":" T("F32", "[-1]", "[0,4]") "}", 4,
            "error: tensor a: its shape holds something that is no size"},
        {"{\"a\":" T("F32", "[1.0]", "[0,4]") "}", 4,
            "error: tensor a: its shape holds something that is no size"},
        {"{\"a\":" T("F32", "[[1]]", "[0,4]") "}", 4,
            "error: tensor a: its shape holds something that is no size"},
        {"{\"a\":" T("F32", "[1]", "[4,0]") "}", 4, "error: tensor a: bytes 4 to 0"},
        {"{\"a\":" T("F32", "[1]", "[0]") "}", 4, "error: tensor a: data_offsets are not two numbers"},
        {"{\"a\":" T("F32", "[1]", "[0,4,4]") "}", 4, "error: tensor a: data_offsets are not two numbers"},
        {"{\"a\":" T("F32", "[1]", "7") "}", 4, "error: tensor a: data_offsets are not two numbers"},
        {"{\"a\":" T("F33", "[1]", "[0,4]") "}", 4, "error: tensor a: unknown dtype F33"},
        {"{\"a\":{\"dtype\":1}}", 4, "error: tensor a: dtype is not a string"},
        {"{\"a\":{\"dtype\":\"F32\"}}", 4, "error: tensor a: dtype, shape or data_offsets is missing"},
        {"{\"a\":{\"evil\":{}}}", 4, "error: tensor a has a member evil"},
        {"{\"a\":[]}", 4, "error: tensor a is not described by an object"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "error: __metadata__ holds something that is no string (a)"},
        {"{\"__metadata__\":[]}", 0, "error: __metadata__ is not an object"},
        {"{\"a\\u0000b\":" T("I8", "[1]", "[0,1]") "}", 1, "error: the name of a tensor holds a NUL"},
        {" {}", 0, "error: the header does not begin with {"},
        {"{} x", 0, "error: the header is not valid JSON: byte 11: something after the end"},
        {"{\"a\":", 0, "error: the header is not valid JSON: byte 13: it ends where a value should stand"},
    };
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        struct buf bytes = file_of(FILES[i].header, FILES[i].data);
        check_said(FORMAT_SAFETENSORS, &bytes, FILES[i].said, FILES[i].header);
    }
}

static void lengths_are_not_believed(void) {
    static const struct {
        uint64_t length;
        const char *said;
    } LENGTHS[] = {
        {100, "error: the header should have 100 bytes, the file has 2 more (cut off?)"},
        {100000001, "error: a header of 100000001 bytes"},
        {UINT64_MAX, "error: a header of 18446744073709551615 bytes"},
        {UINT64_MAX - 7, "error: a header of"},
        {0, "error: the header does not begin with {"},
    };
    for (size_t i = 0; i < sizeof LENGTHS / sizeof *LENGTHS; i++) {
        struct buf bytes = BUF_INIT;
        put_number(&bytes, LENGTHS[i].length, 8);
        put(&bytes, "{}", 2);
        check_said(FORMAT_SAFETENSORS, &bytes, LENGTHS[i].said, "a length");
    }
}

static void a_cut_or_broken_file_is_told(void) {
    struct buf bytes = file_of("{\"abc\":" T("F32", "[2,2]", "[0,16]") "}", 16);
    check_cut(FORMAT_SAFETENSORS, &bytes);
    bytes = file_of("{\"abc\":" T("F32", "[2,2]", "[0,16]") "}", 0);
    check_broken(FORMAT_SAFETENSORS, &bytes, 60);
}

/* Data are skipped: a check of a large file reads little more than its header. */
static void data_are_not_read(void) {
    struct memory memory = {.bytes = file_of("{\"a\":" T("I8", "[4000000]", "[0,4000000]") "}", 4000000)};
    struct format_reader reader = memory_reader(&memory);
    struct findings FINDINGS_CLEANUP findings = FINDINGS_INIT;
    CHECK_OK(format_check(FORMAT_SAFETENSORS, &reader, &findings));
    CHECK_NUMBER(findings_worst(&findings), FINDING_OK);
    CHECK(memory.read <= 2 * 65536);
    buf_done(&memory.bytes);
}

static void many_tensors_are_counted(void) {
    struct buf header = BUF_INIT;
    put(&header, "{", 1);
    for (unsigned i = 0; i < 30000; i++)
        (void)buf_format(&header, "%s\"t%u\":" T("I8", "[1]", "[%u,%u]"), i ? "," : "", i, i, i + 1);
    put(&header, "}", 1);
    struct buf bytes = file_of(buf_text(&header), 30000);
    check_said(FORMAT_SAFETENSORS, &bytes, "ok", "thirty thousand tensors");
    buf_done(&header);
}

static void json_is_judged(void) {
    static const struct {
        const char *text, *said;
    } TEXTS[] = {
        {"{\"a\": [1, -2.5e+3, true, false, null, \"\\u20ac\\ud83d\\ude00 \\n\"], \"b\": {\"a\": 0}}\n",
            "ok"},
        {"\"\xe2\x82\xac\"", "ok"},
        {"12345678901234567890123", "ok"},
        {"[]", "ok"},
        {"", "error: the file is empty"},
        {" ", "error: not valid JSON: byte 1: it ends where a value should stand"},
        {"[1,]", "error: not valid JSON: byte 3: something that is no value"},
        {"{\"a\":1,}", "error: not valid JSON: byte 7: something else where the name"},
        {"{\"a\" 1}", "error: not valid JSON: byte 5: a name without a colon"},
        {"{a:1}", "error: not valid JSON: byte 1: something else where the name"},
        {"[1 2]", "error: not valid JSON: byte 3: a comma is missing"},
        {"[01]", "error: not valid JSON: byte 3: something that is no number"},
        {"[-]", "error: not valid JSON: byte 2: something that is no number"},
        {"[1.]", "error: not valid JSON: byte 3: something that is no number"},
        {"[1e]", "error: not valid JSON: byte 3: something that is no number"},
        {"[nul]", "error: not valid JSON: byte 5: a word that is none"},
        {"[NaN]", "error: not valid JSON: byte 1: something that is no value"},
        {"\"a\tb\"", "error: not valid JSON: byte 3: a control character"},
        {"\"\\x\"", "error: not valid JSON: byte 3: a backslash"},
        {"\"\\ud800\"", "error: not valid JSON: byte 8: half of a surrogate pair"},
        {"\"\\udc00\"", "error: not valid JSON: byte 7: half of a surrogate pair"},
        {"\"\xff\"", "error: not valid JSON:"},
        {"\"\xc0\x80\"", "error: not valid JSON: byte 3: bytes that are not UTF-8"},
        {"\"\xed\xa0\x80\"", "error: not valid JSON: byte 4: bytes that are not UTF-8"},
        {"\xef\xbb\xbf{}", "error: not valid JSON: byte 0: something that is no value"},
        {"[\"a", "error: not valid JSON: byte 3: it ends within a string"},
        {"[[1]", "error: not valid JSON: byte 4: it ends before it is complete"},
        {"[1]]", "error: not valid JSON: byte 3: something after the end"},
        {"[1}", "error: not valid JSON: byte 2: a comma is missing"},
        {"{\"a\":1,\"b\":{\"a\":2,\"a\":3}}", "error: not valid JSON: byte 18: a name that stands twice"},
        {"{\"a\":1,\"\\u0061\":2}", "error: not valid JSON: byte 7: a name that stands twice"},
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        struct buf bytes = BUF_INIT;
        put(&bytes, TEXTS[i].text, strlen(TEXTS[i].text));
        check_said(FORMAT_JSON, &bytes, TEXTS[i].said, TEXTS[i].text);
    }
}

static void depth_is_bounded(void) {
    for (int depth = JSON_STREAM_DEPTH; depth <= JSON_STREAM_DEPTH + 1; depth++) {
        struct buf bytes = BUF_INIT;
        for (int i = 0; i < depth; i++)
            put(&bytes, "[", 1);
        for (int i = 0; i < depth; i++)
            put(&bytes, "]", 1);
        check_said(FORMAT_JSON, &bytes,
            depth == JSON_STREAM_DEPTH ? "ok" : "error: not valid JSON: byte 64: objects and arrays nested",
            "a deep one");
    }
}

static void a_long_text_is_cut_and_hashed_whole(void) {
    struct memory memory = {.bytes = BUF_INIT};
    struct scan scan;
    struct json_stream stream;
    put(&memory.bytes, "{\"", 2);
    for (int i = 0; i < 2000; i++)
        put(&memory.bytes, "x", 1);
    put(&memory.bytes, "1\":\"\",\"short\":7}", 16);
    struct format_reader reader = memory_reader(&memory);
    scan_init(&scan, &reader, 0, reader.size);
    json_stream_init(&stream, &scan);
    CHECK_NUMBER(json_stream_next(&stream), STREAM_OBJECT);
    CHECK_NUMBER(json_stream_next(&stream), STREAM_NAME);
    CHECK(stream.text_cut && strlen(stream.text) == stream.text_len && stream.text_len < JSON_STREAM_TEXT);
    CHECK(json_stream_skip(&stream, STREAM_NAME));
    CHECK_NUMBER(json_stream_next(&stream), STREAM_NAME);
    CHECK(!stream.text_cut);
    CHECK_TEXT(stream.text, "short");
    CHECK_NUMBER(json_stream_next(&stream), STREAM_NUMBER);
    CHECK(stream.whole && stream.number == 7);
    CHECK_NUMBER(json_stream_next(&stream), STREAM_OBJECT_END);
    CHECK_NUMBER(json_stream_next(&stream), STREAM_END);
    json_stream_done(&stream);
    buf_done(&memory.bytes);
}

static void names_tell_formats(void) {
    static const struct {
        const char *path, *format;
    } PATHS[] = {{"model.gguf", "gguf"}, {"a/b/model-00001-of-00002.SafeTensors", "safetensors"},
        {"pytorch_model.bin", "pickle"}, {"onnx/model.onnx", "onnx"}, {"tokenizer.json", "json"},
        {"a.pt", "pickle"}, {"a.npz", "zip"}, {"README.md", ""}, {"gguf", ""}, {"x.gguf/readme", ""},
        {".", ""}, {"a. ", ""}, {"", ""}, {"a.ggu", ""}, {"a.pt .pth", "pickle"}, {"modeling.py", "python"}};
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++)
        CHECK_TEXT(format_row(format_of_path(PATHS[i].path))->name, PATHS[i].format);
}

static void a_disguise_is_told(void) {
    struct buf bytes = BUF_INIT;
    put(&bytes, "\x80\x02}.", 4);
    check_said(FORMAT_SAFETENSORS, &bytes, "danger: its name says safetensors, its bytes are those of pickle",
        "a pickle");
    put(&bytes, "lmgg", 4);
    check_said(FORMAT_GGUF, &bytes, "error: its name says gguf, its bytes are those of ggml", "ggml as GGUF");
}

static void findings_are_bounded(void) {
    struct findings findings = FINDINGS_INIT, all = FINDINGS_INIT;
    for (int i = 0; i < 1000; i++)
        findings_add(&findings, FINDING_NOTE, "note %d\n", i);
    findings_add(&findings, FINDING_ERROR, "the one that counts");
    CHECK_NUMBER((int64_t)findings.count, FINDINGS_MAX);
    CHECK_NUMBER((int64_t)findings.dropped, 1001 - FINDINGS_MAX);
    CHECK_TEXT(findings.items[0].text, "note 0?");
    CHECK_TEXT(findings.items[FINDINGS_MAX - 1].text, "the one that counts");
    findings_move(&all, &findings, "a: ");
    CHECK(!findings.count && findings_worst(&findings) == FINDING_OK);
    CHECK_TEXT(all.items[0].text, "a: note 0?");
    CHECK_NUMBER(findings_worst(&all), FINDING_ERROR);
    CHECK_NUMBER((int64_t)(all.of_level[FINDING_NOTE] + all.of_level[FINDING_ERROR]), 1001);
    findings_done(&all);
}

int main(void) {
    files_are_judged();
    lengths_are_not_believed();
    a_cut_or_broken_file_is_told();
    data_are_not_read();
    many_tensors_are_counted();
    json_is_judged();
    depth_is_bounded();
    a_long_text_is_cut_and_hashed_whole();
    names_tell_formats();
    a_disguise_is_told();
    findings_are_bounded();
    return check_result();
}
