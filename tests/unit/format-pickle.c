/* SPDX-License-Identifier: Apache-2.0 */
/* pickles, and what they come in: imports are found however they are hidden, and what can't be followed is
 * told */
#include "format-fixture.h"
#include "model/pickle.h"

/* Bytes with NULs in them. */
#define BYTES(text) text, sizeof text - 1

#define HARMLESS \
    "\x80\x02"   \
    "ccollections\nOrderedDict\nq\x00)Rq\x01."

static void pickles_are_judged(void) {
    static const struct {
        const char *what, *bytes;
        size_t len;
        const char *said;
    } PICKLES[] = {
        {"nothing", BYTES("\x80\x02}q\x00."), "ok: pickle: the structure is right"},
        {"a harmless one", BYTES(HARMLESS), "note: a pickle with 1 imports, 1 of them known to be harmless"},
        {"GLOBAL",
            BYTES("\x80\x02"
                  "cposix\nsystem\nX\x02\x00\x00\x00id\x85R."),
            "danger: imports posix.system"},
        {"protocol 0", BYTES("cos\nsystem\n(S'id'\ntR."), "danger: imports os.system"},
        {"INST", BYTES("(S'id'\nios\nsystem\n."), "danger: imports os.system"},
        {"of a module below",
            BYTES("\x80\x02"
                  "casyncio.unix_events\n_x\n."),
            "danger: imports asyncio.unix_events._x"},
        {"unknown",
            BYTES("\x80\x02"
                  "cacme.model\nNet\n)\x81."),
            "warning: imports acme.model.Net, of which nothing"},
        {"of builtins",
            BYTES("\x80\x02"
                  "cbuiltins\neval\n."),
            "danger: imports builtins.eval"},
        {"harmless of builtins is unknown",
            BYTES("\x80\x02"
                  "cbuiltins\nset\n."),
            "warning: imports builtins.set"},
        {"STACK_GLOBAL", BYTES("\x80\x04\x8c\x02os\x8c\x06system\x93."), "danger: imports os.system"},
        {"by memo", BYTES("\x80\x04\x8c\x02os\x94\x30\x8c\x06system\x94\x30h\x00h\x01\x93."),
            "danger: imports os.system"},
        {"by PUT and GET", BYTES("\x80\x04\x8c\x02osq\x07\x30\x8c\x06systemp99\n\x30h\x07g99\n\x93."),
            "danger: imports os.system"},
        {"by DUP",
            BYTES("\x80\x04\x8c\x08operator2\x30\x8c\x0a"
                  "itemgetter\x93."),
            "danger: imports operator.itemgetter"},
        {"by old strings", BYTES("\x80\x04U\x02osS'system'\n\x93."), "danger: imports os.system"},
        {"under a mark", BYTES("\x80\x04\x8c\x02os(\x8c\x01x\x31\x8c\x06system\x93."),
            "danger: imports os.system"},
        {"names from nowhere", BYTES("\x80\x04NN\x93."), "danger: an import at byte 5 whose name is made"},
        {"an empty stack", BYTES("\x80\x04\x93."), "danger: an import at byte 3 whose name is made"},
        {"a name in a call",
            BYTES("\x80\x04"
                  "ccollections\nOrderedDict\n)R\x8c\x06system\x93."),
            "danger: an import at byte"},
        {"escaped", BYTES("V\\u006fs\nVsystem\n\x93."), "danger: an import at byte"},
        {"an extension", BYTES("\x80\x02\x82\x01."), "danger: an import at byte 4"},
        {"by an attribute",
            BYTES("\x80\x04\x8c\x06"
                  "shutil\x8c\x09os.system\x93."),
            "danger: imports shutil.os.system"},
        {"of an unknown's attribute",
            BYTES("\x80\x04\x8c\x04"
                  "acme\x8c\x09os.system\x93."),
            "danger: imports acme.os.system"},
        {"the harmless one's attribute",
            BYTES("\x80\x04\x8c\x0b"
                  "collections\x8c\x0e"
                  "OrderedDict.os\x93."),
            "danger: imports"},
        {"broken after an import",
            BYTES("\x80\x02"
                  "cacme\nNet\n\xff\xff"),
            "danger: after imports it can't be followed"},
        {"broken", BYTES("\x80\x02}\xff\xff"), "error: no whole pickle: it can't be followed beyond byte 3"},
        {"without an end", BYTES("\x80\x02}"), "error: no whole pickle: it can't be followed beyond byte 3"},
        {"a second one",
            BYTES("\x80\x02}.\x80\x02"
                  "cos\nsystem\n."),
            "danger: imports os.system"},
        {"a tail", BYTES("\x80\x02}.\xff\xff"), "note: what follows the pickle at byte 4 is none"},
        {"a nested one",
            BYTES("\x80\x02"
                  "cpickle\nloads\nC\x04\x80\x02}.\x85R."),
            "danger: imports pickle.loads"},
        {"a long length", BYTES("\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffxx"), "error: no whole pickle"},
        {"old torch",
            BYTES("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}."
                  "\x80\x02"
                  "ctorch._utils\n_rebuild_tensor_v2\n.\x80\x02]."
                  "cos\nsystem\n."),
            "note: a pickle with 1 imports, 1 of them"},
        {"raw data", BYTES("\x01\x02\x03\x04\x05\x06"), "warning: not a pickle, nor anything else"},
        {"zlib", BYTES("\x78\x9c\x01\x02\x03\x04"), "danger: zlib, which can't be looked into here"},
        {"gzip, damaged", BYTES("\x1f\x8b\x08\x00\x00"), "danger: compressed, and can't be unpacked"},
    };
    for (size_t i = 0; i < sizeof PICKLES / sizeof *PICKLES; i++) {
        struct buf bytes = BUF_INIT;
        put(&bytes, PICKLES[i].bytes, PICKLES[i].len);
        check_said(FORMAT_PICKLE, &bytes, PICKLES[i].said, PICKLES[i].what);
    }
}

/* gzip of `\x80\x02cos\nsystem\n.` in a stored block. */
static void a_compressed_one_is_looked_into(void) {
    static const char packed[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x01\x0e\x00\xf1\xff\x80\x02"
                                 "cos\nsystem\n.";
    struct buf bytes = BUF_INIT;
    put(&bytes, packed, sizeof packed - 1);
    check_said(FORMAT_PICKLE, &bytes, "danger:", "gzip without its checksum");
}

static void a_deep_one_is_not_followed(void) {
    struct buf bytes = BUF_INIT;
    put(&bytes, "\x80\x04", 2);
    for (int i = 0; i < (1 << 20) + 1; i++)
        put(&bytes, "N", 1);
    put(&bytes, ".", 1);
    check_said(FORMAT_PICKLE, &bytes, "danger: the pickle's stack is deeper than is followed",
        "a million Nones");
}

static void imports_are_told_once(void) {
    struct buf bytes = BUF_INIT;
    put(&bytes, "\x80\x02", 2);
    for (int i = 0; i < 1000; i++)
        put(&bytes, "cos\nsystem\n0", 12);
    put(&bytes, ".", 1);
    struct memory memory = {.bytes = bytes};
    struct format_reader reader = memory_reader(&memory);
    struct findings FINDINGS_CLEANUP findings = FINDINGS_INIT;
    CHECK_OK(format_check(FORMAT_PICKLE, &reader, &findings));
    CHECK_NUMBER((int64_t)findings.of_level[FINDING_DANGER], 1);
    buf_done(&memory.bytes);
}

static void lists_are_searched_whole(void) {
    CHECK_NUMBER(pickle_import_level("os", "anything"), FINDING_DANGER);
    CHECK_NUMBER(pickle_import_level("os.path", "join"), FINDING_DANGER);
    CHECK_NUMBER(pickle_import_level("oscar", "x"), FINDING_WARNING);
    CHECK_NUMBER(pickle_import_level("torch", "FloatStorage"), FINDING_OK);
    CHECK_NUMBER(pickle_import_level("torch", "load"), FINDING_DANGER);
    CHECK_NUMBER(pickle_import_level("torch", "Storage"), FINDING_WARNING);
    CHECK_NUMBER(pickle_import_level("torch.FloatStorage", "FloatStorage"), FINDING_WARNING);
    CHECK_NUMBER(pickle_import_level("", ""), FINDING_WARNING);
}

/* ---- zip archives, written here member by member */

struct zip {
    struct buf bytes, directory;
    unsigned count;
};

static uint32_t crc_of(const char *data, size_t len) {
    uint32_t crc = ~0u;
    for (size_t i = 0; i < len; i++) {
        crc ^= (uint8_t)data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

struct member {
    const char *name, *listed_as; /* in the directory; NULL: the same */
    const char *data;
    size_t len;
    unsigned method, flags, listed_flags;
};

static void zip_add(struct zip *zip, const struct member *member) {
    const char *listed = member->listed_as ? member->listed_as : member->name;
    struct buf packed = BUF_INIT;
    uint32_t crc = crc_of(member->data, member->len);
    size_t at = zip->bytes.len;
    if (member->method == 8) { /* one stored block */
        put(&packed, "\1", 1);
        put_number(&packed, member->len, 2);
        put_number(&packed, ~member->len, 2);
    }
    put(&packed, member->data, member->len);
    put(&zip->bytes, "PK\3\4\x14\0", 6);
    put_number(&zip->bytes, member->flags, 2);
    put_number(&zip->bytes, member->method, 2);
    put_number(&zip->bytes, 0, 4);
    put_number(&zip->bytes, crc, 4);
    put_number(&zip->bytes, packed.len, 4);
    put_number(&zip->bytes, member->len, 4);
    put_number(&zip->bytes, strlen(member->name), 2);
    put_number(&zip->bytes, 0, 2);
    put(&zip->bytes, member->name, strlen(member->name));
    put(&zip->bytes, packed.data, packed.len);
    put(&zip->directory, "PK\1\2\x14\0\x14\0", 8);
    put_number(&zip->directory, member->listed_flags ? member->listed_flags : member->flags, 2);
    put_number(&zip->directory, member->method, 2);
    put_number(&zip->directory, 0, 4);
    put_number(&zip->directory, crc, 4);
    put_number(&zip->directory, packed.len, 4);
    put_number(&zip->directory, member->len, 4);
    put_number(&zip->directory, strlen(listed), 2);
    put_zeros(&zip->directory, 12);
    put_number(&zip->directory, at, 4);
    put(&zip->directory, listed, strlen(listed));
    zip->count++;
    buf_done(&packed);
}

static struct buf zip_end(struct zip *zip) {
    size_t at = zip->bytes.len;
    put(&zip->bytes, zip->directory.data, zip->directory.len);
    put(&zip->bytes, "PK\5\6\0\0\0\0", 8);
    put_number(&zip->bytes, zip->count, 2);
    put_number(&zip->bytes, zip->count, 2);
    put_number(&zip->bytes, zip->directory.len, 4);
    put_number(&zip->bytes, at, 4);
    put_number(&zip->bytes, 0, 2);
    buf_done(&zip->directory);
    return zip->bytes;
}

#define EVIL   \
    "\x80\x02" \
    "cos\nsystem\n."

static void members_are_judged(void) {
    static const struct {
        struct member member;
        const char *said;
    } MEMBERS[] = {
        {{"a/data.pkl", NULL, BYTES(HARMLESS), 0, 0, 0}, "note: a/data.pkl: a pickle with 1 imports"},
        {{"a/data.pkl", NULL, BYTES(EVIL), 0, 0, 0}, "danger: a/data.pkl: imports os.system"},
        {{"a/data.pkl", NULL, BYTES(EVIL), 8, 0, 0}, "danger: a/data.pkl: imports os.system"},
        {{"a/data/0", NULL, BYTES(EVIL), 8, 0, 0}, "danger: a/data/0: imports os.system"},
        {{"a/data/0", NULL, BYTES(EVIL), 0, 0, 0}, "danger: a/data/0: imports os.system"},
        {{"a/data/0", NULL, BYTES("\x80\x02\xff\xff"), 0, 0, 0}, "ok"},
        {{"a/data.pkl", NULL, BYTES("cos\nsystem\n."), 8, 0, 0}, "danger: a/data.pkl: imports os.system"},
        {{"a/data.pkl", NULL, BYTES(EVIL), 8, 1, 0}, "danger: a/data.pkl: is encrypted"},
        {{"a/data.pkl", NULL, BYTES(EVIL), 99, 0, 0}, "danger: a/data.pkl: can't be unpacked"},
        {{"a/data.pkl", "a/other.p", BYTES("\x80\x02}."), 0, 0, 0}, "danger: a/data.pkl has another name"},
        {{"a/data.pkl", NULL, BYTES("\x80\x02}."), 0, 0, 1}, "danger: a/data.pkl has other flags"},
        {{"a/in.zip", NULL, BYTES("PK\3\4xxxxxxxxxx"), 0, 0, 0}, "warning: a/in.zip: a zip archive within"},
        {{"x.npy", NULL, BYTES("\x93NUMPY\1\0\x2b\0{'descr': '|O', 'fortran_order': False}   \n" EVIL), 8, 0,
             0},
            "danger: x.npy: imports os.system"},
    };
    for (size_t i = 0; i < sizeof MEMBERS / sizeof *MEMBERS; i++) {
        struct zip zip = {.count = 0};
        zip_add(&zip, &MEMBERS[i].member);
        struct buf bytes = zip_end(&zip);
        check_said(FORMAT_PICKLE, &bytes, MEMBERS[i].said, MEMBERS[i].member.name);
    }
}

static void archives_are_judged(void) {
    static const struct member FIRST = {"a", NULL, "x", 1, 0, 0, 0}, SAME = {"a", NULL, "y", 1, 0, 0, 0};
    struct zip zip = {.count = 0};
    zip_add(&zip, &FIRST);
    zip_add(&zip, &SAME);
    struct buf bytes = zip_end(&zip);
    check_said(FORMAT_ZIP, &bytes, "danger: two members have the same name", "twice");
    zip = (struct zip){.count = 0};
    zip_add(&zip, &FIRST);
    bytes = zip_end(&zip);
    check_said(FORMAT_SAFETENSORS, &bytes, "danger: its name says safetensors, its bytes are those of zip",
        "a zip");
    zip = (struct zip){.count = 0};
    zip_add(&zip, &FIRST);
    put_zeros(&zip.bytes, 100);
    zip_add(&zip, &(struct member){"b", NULL, "y", 1, 0, 0, 0});
    bytes = zip_end(&zip);
    check_said(FORMAT_ZIP, &bytes, "danger: 100 bytes before b belong to no member", "a hole");
    zip = (struct zip){.count = 0};
    zip_add(&zip, &FIRST);
    zip.count = 0;
    bytes = zip_end(&zip);
    check_said(FORMAT_ZIP, &bytes, "danger: the zip archive's directory holds more", "a hidden member");
}

static void a_cut_archive_is_told(void) {
    struct zip zip = {.count = 0};
    zip_add(&zip, &(struct member){"a/data.pkl", NULL, BYTES(HARMLESS), 8, 0, 0});
    struct buf bytes = zip_end(&zip);
    for (size_t len = 4; len < bytes.len; len++) {
        struct buf part = BUF_INIT;
        put(&part, bytes.data, len);
        CHECK(!strncmp(said_of(FORMAT_ZIP, &part), "error: a zip archive without its directory", 42));
    }
    check_broken(FORMAT_ZIP, &bytes, 60);
}

static void turned_bits_do_no_harm(void) {
    struct zip zip = {.count = 0};
    zip_add(&zip, &(struct member){"a/data.pkl", NULL, BYTES(HARMLESS), 8, 0, 0});
    zip_add(&zip, &(struct member){"a/data/0", NULL, BYTES(HARMLESS), 0, 0, 0});
    struct buf whole = zip_end(&zip);
    for (size_t i = 32; i < whole.len * 8; i++) {
        struct buf bytes = BUF_INIT;
        put(&bytes, whole.data, whole.len);
        bytes.data[i / 8] = (char)(bytes.data[i / 8] ^ 1 << i % 8);
        CHECK(*said_of(FORMAT_ZIP, &bytes));
    }
    buf_done(&whole);
}

static void arrays_are_judged(void) {
    static const struct {
        const char *bytes;
        size_t len;
        const char *said;
    } ARRAYS[] = {
        {BYTES("\x93NUMPY\1\0\x2b\0{'descr': '<f4', 'fortran_order': False}  \n1234"), "ok: numpy"},
        {BYTES("\x93NUMPY\1\0\x2b\0{'descr': '|O', 'fortran_order': False}   \n" EVIL),
            "danger: imports os.system"},
        {BYTES("\x93NUMPY\2\0\x2b\0\0\0{'descr': '|O', 'fortran_order': False}   \n\x80\x02}."),
            "warning: an array of Python objects"},
        {BYTES("\x93NUMPY\1\0\x2c\0{'fortran_order': False}                   \n" EVIL),
            "danger: imports os.system"},
        {BYTES("\x93NUMPY\2\0\xff\xff\xff\xff{"), "error: a header of 4294967295 bytes"},
        {BYTES("\x93NUMPY\1\0\x2a\0{"), "error: the file ends within its header"},
    };
    for (size_t i = 0; i < sizeof ARRAYS / sizeof *ARRAYS; i++) {
        struct buf bytes = BUF_INIT;
        put(&bytes, ARRAYS[i].bytes, ARRAYS[i].len);
        check_said(FORMAT_NUMPY, &bytes, ARRAYS[i].said, ARRAYS[i].said);
    }
}

int main(void) {
    pickles_are_judged();
    a_compressed_one_is_looked_into();
    a_deep_one_is_not_followed();
    imports_are_told_once();
    lists_are_searched_whole();
    members_are_judged();
    archives_are_judged();
    a_cut_archive_is_told();
    turned_bits_do_no_harm();
    arrays_are_judged();
    return check_result();
}
