/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX: messages within messages, and the paths of data that are elsewhere */
#include "format-fixture.h"

/* A field that holds `inside`, which is freed. */
static struct buf field(unsigned number, struct buf inside) {
    struct buf bytes = BUF_INIT;
    size_t size = inside.len;
    put_number(&bytes, number << 3 | 2, 1);
    for (; size >= 0x80; size >>= 7)
        put_number(&bytes, (size & 0x7f) | 0x80, 1);
    put_number(&bytes, size, 1);
    put(&bytes, inside.data, inside.len);
    buf_done(&inside);
    return bytes;
}

static struct buf text(const char *content) {
    struct buf bytes = BUF_INIT;
    put(&bytes, content, strlen(content));
    return bytes;
}

static struct buf both(struct buf first, struct buf second) {
    put(&first, second.data, second.len);
    buf_done(&second);
    return first;
}

/* ir_version 8, then `rest`. */
static struct buf model(struct buf rest) {
    struct buf bytes = BUF_INIT;
    put(&bytes, "\x08\x08", 2);
    return both(bytes, rest);
}

/* A graph with one tensor whose data are at `path`. */
static struct buf external(const char *path) {
    struct buf entry = both(field(1, text("location")), field(2, text(path)));
    return model(field(7, field(5, field(13, entry))));
}

static void paths_are_judged(void) {
    static const struct {
        const char *path, *said;
    } PATHS[] = {
        {"model.onnx_data", "note: 1 tensors have their data in other files"},
        {"weights/a..b", "note: 1 tensors"},
        {"../secret", "danger: a tensor's data are said to be in ../secret"},
        {"a/../../secret", "danger: a tensor's data"},
        {"a/..", "danger: a tensor's data"},
        {"/etc/passwd", "danger: a tensor's data are said to be in /etc/passwd"},
        {"C:\\x", "danger: a tensor's data"},
        {"", "danger: a tensor's data"},
    };
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++) {
        struct buf bytes = external(PATHS[i].path);
        check_said(FORMAT_ONNX, &bytes, PATHS[i].said, PATHS[i].path);
    }
}

static void models_are_judged(void) {
    struct buf bytes = model(field(7, field(5, field(9, text("raw data")))));
    check_said(FORMAT_ONNX, &bytes, "ok: onnx", "a tensor");
    bytes = model(both(field(8, field(1, text("com.evil"))), field(7, text(""))));
    check_said(FORMAT_ONNX, &bytes, "warning: operators of com.evil", "operators");
    bytes = model(both(field(8, field(1, text("ai.onnx.ml"))), field(7, text(""))));
    check_said(FORMAT_ONNX, &bytes, "ok", "ONNX's own operators");
    bytes = model(field(2, text("nobody")));
    check_said(FORMAT_ONNX, &bytes, "error: no ONNX model", "no graph");
    bytes = model(text("\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"));
    check_said(FORMAT_ONNX, &bytes, "error: not protobuf from byte", "a long length");
    bytes = model(text("\x3b"));
    check_said(FORMAT_ONNX, &bytes, "error: not protobuf from byte", "a group");
    bytes = model(field(7, text("\x2a\x7f")));
    check_said(FORMAT_ONNX, &bytes, "error: not protobuf from byte",
        "a message longer than the one around it");
}

static void depth_is_bounded(void) {
    struct buf bytes = text("");
    for (int i = 0; i < 40; i++) /* a node's attribute that is a graph */
        bytes = field(1, field(5, field(6, bytes)));
    bytes = model(field(7, bytes));
    check_said(FORMAT_ONNX, &bytes, "error: graphs within graphs", "a deep one");
}

static void a_cut_or_broken_file_is_told(void) {
    struct buf bytes = external("a");
    check_cut(FORMAT_ONNX, &bytes);
    bytes = external("a");
    check_broken(FORMAT_ONNX, &bytes, bytes.len);
}

int main(void) {
    paths_are_judged();
    models_are_judged();
    depth_is_bounded();
    a_cut_or_broken_file_is_told();
    return check_result();
}
