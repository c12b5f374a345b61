/* SPDX-License-Identifier: Apache-2.0 */
/* keys, names, revisions and the paths of listings */
#include <string.h>

#include "model/name.h"
#include "check.h"

static void parses(const char *text, const char *source, const char *model, const char *variant,
    const char *revision) {
    struct name_key key;
    struct reason reason = {""};
    CHECK_ERROR(name_parse(text, &key, &reason), 0);
    CHECK_TEXT(key.source, source);
    CHECK_TEXT(key.model, model);
    CHECK_TEXT(key.variant, variant);
    CHECK_TEXT(key.revision, revision);
}

static void refuses(const char *text) {
    struct name_key key;
    struct reason reason = {""};
    memset(&key, 'x', sizeof key);
    CHECK_ERROR(name_parse(text, &key, &reason), -ERR_BAD_NAME);
    CHECK(reason.text[0]);
    CHECK(key.source[0] == 'x'); /* nothing was written */
}

static void test_keys(void) {
    parses("hf:Qwen/Qwen3-0.6B", "hf", "Qwen/Qwen3-0.6B", "", "");
    parses("hf:Qwen/Qwen3-0.6B-GGUF:Q4_K_M@main", "hf", "Qwen/Qwen3-0.6B-GGUF", "Q4_K_M", "main");
    parses("hf:a/b@refs/pr/1", "hf", "a/b", "", "refs/pr/1");
    parses("hf:gpt2", "hf", "gpt2", "", "");
    parses("Qwen/Qwen3-0.6B:UD-Q4_K_XL", "hf", "Qwen/Qwen3-0.6B", "UD-Q4_K_XL", "");
    parses("hf://Qwen/Qwen3-0.6B@v1.0", "hf", "Qwen/Qwen3-0.6B", "", "v1.0");
    parses("https://huggingface.co/Qwen/Qwen3-0.6B", "hf", "Qwen/Qwen3-0.6B", "", "");
    parses("https://huggingface.co/Qwen/Qwen3-0.6B/", "hf", "Qwen/Qwen3-0.6B", "", "");
    parses("https://hf.co/gpt2", "hf", "gpt2", "", "");
    parses("https://huggingface.co/a/b/tree/refs%2Fpr%2F1?x=y#z", "hf", "a/b", "", "refs/pr/1");
    parses("https://huggingface.co/a/b/tree/main", "hf", "a/b", "", "main");
    parses("ollama:gemma2:9b", "ollama", "gemma2:9b", "", "");
    parses("ollama:gemma2", "ollama", "gemma2:latest", "", "");
    parses("ollama:library/gemma2:9b", "ollama", "gemma2:9b", "", "");
    parses("ollama:me/gemma2", "ollama", "me/gemma2:latest", "", "");
    parses("ollama:hf.co/acme/tiny-GGUF:Q4_K_M", "ollama", "hf.co/acme/tiny-GGUF:Q4_K_M", "", "");
    parses("openai:work/gpt-4o", "openai", "work/gpt-4o", "", "");
    parses("openai:work/google/gemma-3:free@x", "openai", "work/google/gemma-3:free@x", "", "");
    parses("openai:work/@cf/meta/llama", "openai", "work/@cf/meta/llama", "", "");
    parses("vosk:vosk-model-small-vn-0.4", "vosk", "vosk-model-small-vn-0.4", "", "");

    refuses("");
    refuses("gpt2");
    refuses("hf:");
    refuses("hf:/");
    refuses("hf:a/");
    refuses("hf:/b");
    refuses("hf:a/b/c");
    refuses("hf:../b");
    refuses("hf:a/.b");
    refuses("hf:a/b:");
    refuses("hf:a/b@");
    refuses("hf:a/b@-x");
    refuses("hf:a/b@x/../y");
    refuses("hf:a/b:x y");
    refuses("hf:a b/c");
    refuses("hf:a/b\n");
    refuses("https://huggingface.co/");
    refuses("https://huggingface.co/a/b/blob/main/x");
    refuses("https://huggingface.co/a/b/tree/main%00");
    refuses("https://huggingface.co/a/b/tree/%");
    refuses("https://example.com/a/b");
    refuses("ollama://x");
    refuses("ollama:");
    refuses("ollama::tag");
    refuses("ollama:name:");
    refuses("ollama:a:b:c");
    refuses("ollama:host:5000/a:b");
    refuses("ollama:../b:c");
    refuses("ollama:a b:c");
    refuses("openai:work");
    refuses("openai:work/");
    refuses("openai:/x");
    refuses("openai:work//x");
    refuses("openai:work/../x");
    refuses("openai:work/a\"b");
    refuses("averylongsourcename:x/y");
}

static void is_file(const char *name, const char *file) {
    char there[NAME_FILE_SIZE], back[NAME_MODEL_SIZE];
    CHECK_ERROR(name_to_file(name, there), 0);
    CHECK_TEXT(there, file);
    CHECK_ERROR(name_from_file(file, back), 0);
    CHECK_TEXT(back, name);
}

static void is_no_file(const char *file) {
    char back[NAME_MODEL_SIZE] = "x";
    CHECK_ERROR(name_from_file(file, back), -ERR_BAD_NAME);
    CHECK_TEXT(back, "x");
}

/* Every name of up to `left` more characters: no two are written alike, since each comes back. */
static void comes_back(char *name, size_t len, size_t left) {
    char file[NAME_FILE_SIZE], back[NAME_MODEL_SIZE];
    name[len] = '\0';
    CHECK(name_to_file(name, file) == 0 && !strchr(file, '/'));
    CHECK(name_from_file(file, back) == 0 && !strcmp(back, name));
    for (const char *next = "a-/%2D"; left && *next; next++) {
        name[len] = *next;
        comes_back(name, len + 1, left - 1);
    }
}

static void test_files(void) {
    is_file("acme/tiny", "acme--tiny");
    is_file("google/gemma-3", "google--gemma-3");
    is_file("gemma2:9b", "gemma2:9b");
    is_file("a--b", "a-%2Db");
    is_file("a-/-b", "a%2D--%2Db");
    is_file("50%", "50%25");
    is_no_file("a---b");
    is_no_file("a%2Db");
    is_no_file("a%");
    is_no_file("a/b");
    char name[16];
    comes_back(name, 0, 6);
    char longest[NAME_MODEL_SIZE];
    memset(longest, '/', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    CHECK_ERROR(name_to_file(longest, (char[NAME_FILE_SIZE]){""}), -ENAMETOOLONG);
}

static void is_folder(const char *name, const char *folder) {
    char there[NAME_FOLDER_SIZE], back[NAME_MODEL_SIZE];
    CHECK_ERROR(name_to_folder(name, there), 0);
    CHECK_TEXT(there, folder);
    CHECK_ERROR(name_from_folder(folder, strlen(folder), back), 0);
    CHECK_TEXT(back, name);
}

static void test_folders(void) {
    is_folder("acme/tiny", "acme/tiny");
    is_folder("work/google/gemma-3", "work/google--gemma-3");
    is_folder("gemma2:9b", "gemma2:9b");
    is_folder("my--box/a/b", "my-%2Dbox/a--b");
    char back[NAME_MODEL_SIZE];
    CHECK_ERROR(name_from_folder("a/b/c", 5, back), -ERR_BAD_NAME);
    CHECK_ERROR(name_from_folder("a--b/c", 6, back), -ERR_BAD_NAME);
    CHECK_ERROR(name_from_folder("a/b/infer/prompt", 3, back), 0);
    CHECK_TEXT(back, "a/b");
}

static void test_long_keys(void) {
    char text[2048] = "hf:";
    memset(text + 3, 'a', 96);
    text[99] = '/';
    memset(text + 100, 'b', 96);
    struct name_key key;
    CHECK_ERROR(name_parse(text, &key, NULL), 0);
    CHECK(strlen(key.model) == 193);
    memset(text + 100, 'b', 97);
    refuses(text);
    memset(text + 3, 'a', sizeof text - 4);
    refuses(text);

    char shown[NAME_KEY_SIZE];
    name_format("hf", key.model, shown);
    CHECK(!strncmp(shown, "hf:aaa", 6) && strlen(shown) == 196);
}

static void test_parts(void) {
    static const char *const good[] = {"a", "Qwen3-0.6B", "a_b", "9x", "a.b", "x_"};
    static const char *const bad[] = {"", ".", "..", ".a", "-a", "_a", "a--b", "a..b", "a-", "a.", "x.git",
        "x.ipynb", "x.GIT", "a/b", "a b", "a\\b", "ä", "a:b", "a@b", "a\nb"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK(name_is_part(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!name_is_part(bad[i]));
}

static void test_revisions(void) {
    static const char *const good[] = {"main", "v1.0", "refs/pr/1", "0123abc", "a"};
    static const char *const bad[] = {"", "/a", "a/", "-a", "a-", "a..b", "a b", "a%2Fb", "a?b", "ä"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK(name_is_revision(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!name_is_revision(bad[i]));
    CHECK(name_is_commit("0123456789abcdef0123456789abcdef01234567"));
    CHECK(!name_is_commit("0123456789ABCDEF0123456789abcdef01234567"));
    CHECK(!name_is_commit("0123456789abcdef0123456789abcdef0123456"));
    CHECK(!name_is_commit("0123456789abcdef0123456789abcdef012345678"));
    CHECK(!name_is_commit(""));
}

#define FAULT_OF(text) name_path_fault(text, sizeof(text) - 1)

static void test_paths(void) {
    CHECK(!FAULT_OF("config.json"));
    CHECK(!FAULT_OF("a/b/c.gguf"));
    CHECK(!FAULT_OF(".gitattributes"));
    CHECK(!FAULT_OF("a/..b/...c"));
    CHECK(!FAULT_OF("back\\slash"));
    CHECK(!FAULT_OF("\xe6\xa8\xa1\xe5\x9e\x8b.txt"));
    CHECK(!FAULT_OF("1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16"));

    CHECK(FAULT_OF(""));
    CHECK(FAULT_OF("."));
    CHECK(FAULT_OF(".."));
    CHECK(FAULT_OF("../x"));
    CHECK(FAULT_OF("a/../b"));
    CHECK(FAULT_OF("a/./b"));
    CHECK(FAULT_OF("a/.."));
    CHECK(FAULT_OF("/etc/passwd"));
    CHECK(FAULT_OF("a/"));
    CHECK(FAULT_OF("a//b"));
    CHECK(FAULT_OF("a\0b"));
    CHECK(FAULT_OF("a\nb"));
    CHECK(FAULT_OF("a\x7f"));
    CHECK(FAULT_OF("a\xc2\x85")); /* a control character of the second kind */
    CHECK(FAULT_OF("\xff"));
    CHECK(FAULT_OF("\xc0\xaf"));     /* an overlong slash */
    CHECK(FAULT_OF("\xed\xa0\x80")); /* a surrogate */
    CHECK(FAULT_OF("\xe6\xa8"));     /* cut */
    CHECK(FAULT_OF("1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"));
}

static void test_long_paths(void) {
    char path[NAME_PATH_SIZE + 1];
    memset(path, 'x', sizeof path);
    CHECK(!name_path_fault(path, 255));
    CHECK(name_path_fault(path, 256));
    for (size_t at = 200; at < sizeof path; at += 200)
        path[at] = '/';
    CHECK(!name_path_fault(path, NAME_PATH_SIZE - 1));
    CHECK(name_path_fault(path, NAME_PATH_SIZE));
}

int main(void) {
    test_keys();
    test_files();
    test_folders();
    test_long_keys();
    test_parts();
    test_revisions();
    test_paths();
    test_long_paths();
    return check_result();
}
