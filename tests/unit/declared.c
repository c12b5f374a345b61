/* SPDX-License-Identifier: Apache-2.0 */
/* Declared engines and endpoints: what files and options may say, what is refused and how, keys. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "check.h"
#include "model/declared_inside.h"

static const struct option_row other_options[] = {
    {.name = "allow_http", .type = OPTION_BOOL, .value = "off"},
    {.name = NULL},
};
static const struct option_row *const tables[] = {declared_options, other_options, NULL};

static void all_members(void) {
    static const char text[] =
        "{\"version\":1,\"comment\":\"c\",\"engines\":[{\"name\":\"work\",\"url\":\"https://ai.example.org/"
        "v1//\","
        "\"kind\":\"openai\",\"key_file\":\"/etc/"
        "key\",\"models\":[\"gpt-*\",\"o1\"],\"can\":[\"chat\",\"embed\"],"
        "\"slots\":16,\"comment\":\"x\"},{\"name\":\"vllm\",\"command\":[\"vllm\",\"serve\",\"{folder}\",\"--"
        "port\","
        "\"{port}\",\"{\\\"a\\\":1}\"],\"environment\":{\"CUDA_VISIBLE_DEVICES\":\"0\",\"X\":\"{name}\"},"
        "\"models\":[\"hf:acme/*-AWQ\"],\"health\":\"/ready\",\"api\":\"/openai/v1\",\"model\":\"m\"},"
        "{\"name\":\"lamp\",\"kind\":\"ollama\",\"url\":\"http://127.0.0.1:1234\"}]}";
    struct reason reason = {""};
    struct declared *declared DECLARED_CLEANUP = NULL;
    CHECK_OK(declared_read("a.json", text, strlen(text), false, &declared, &reason));
    CHECK_TEXT(reason.text, "");
    if (!declared)
        return;
    const struct declaration *it = declared_find(declared, "work");
    CHECK(it && it == declared_at(declared, 0) && it->kind == DECLARED_OPENAI);
    CHECK_TEXT(it->url, "https://ai.example.org/v1");
    CHECK_TEXT(it->key_file, "/etc/key");
    CHECK_TEXT(it->origin, "a.json");
    CHECK_NUMBER(it->can, DECLARED_CHAT | DECLARED_EMBED);
    CHECK_NUMBER(it->slots, 16);
    CHECK(declaration_fits(it, "gpt-5/mini") && declaration_fits(it, "o1") && !declaration_fits(it, "o10"));
    it = declared_at(declared, 1);
    CHECK_NUMBER(it->kind, DECLARED_COMMAND);
    CHECK_TEXT(it->command[4], "{port}");
    CHECK(!it->command[6]);
    CHECK_TEXT(it->environment[0], "CUDA_VISIBLE_DEVICES=0");
    CHECK_TEXT(it->health, "/ready");
    CHECK_TEXT(it->api, "/openai/v1");
    CHECK_TEXT(it->model, "m");
    CHECK(declaration_uses(it, "port") && declaration_uses(it, "name") && !declaration_uses(it, "socket"));
    CHECK(declaration_fits(it, "hf:acme/tiny-AWQ") && !declaration_fits(it, "hf:other/tiny-AWQ"));
    it = declared_ollama(declared);
    CHECK_TEXT(it ? it->name : NULL, "lamp");
    CHECK(declaration_fits(it, "gemma2:9b"));
    CHECK(!declared_at(declared, 3));
}

static void placeholders(void) {
    const struct placeholder values[] = {{"port", "8000"}, {"name", "{port}"}, {NULL, NULL}};
    static const struct {
        const char *text, *expanded;
    } rows[] = {
        {"", ""},
        {"{port}", "8000"},
        {"a{port}{port}b", "a80008000b"},
        {"{name}", "{port}"}, /* what is put in is not looked at again */
        {"{", "{"},
        {"{{port}}", "{8000}"},
        {"{\"port\":{port}}", "{\"port\":8000}"},
        {"{por", "{por"},
        {"{other}", "{other}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf to BUF_CLEANUP = BUF_INIT;
        declared_expand(rows[i].text, values, &to);
        CHECK_TEXT(buf_text(&to), rows[i].expanded);
    }
}

/* Each is refused with what stands in `because`. */
static void bad_files(void) {
#define ONE(members) \
    "{\"engines\":[\n{\"name\":\"ok\",\"url\":\"https://a/\"},\n{\"name\":\"bad\"," members "}]}"
#define URL(members) ONE("\"url\":\"https://b\"," members)
#define RUN(members) ONE("\"models\":[\"hf:*\"],\"command\":[\"x\",\"{port}\"]," members)
    static const struct {
        const char *text, *because;
    } rows[] = {
        {"", "line 1"},
        {"{\"engines\":[\n{]}", "line 2"},
        {"[]", "line 1: wanted is an object"},
        {"{}", "engines: wanted is an array"},
        {"{\"engines\":[],\"version\":2}", "version: this weightfs understands version 1"},
        {"{\"engine\":[]}", "it has no member \"engine\"; the nearest is \"engines\""},
        {"{\"engines\":[\n\n7]}", "line 3: engines[0]: wanted is an object"},
        {"{\"engines\":[{}]}", "line 1: engines[0]: it has no \"name\""},
        {"{\"engines\":[{\"name\":\"a/b\",\"url\":\"https://a\"}]}", "name: wanted is a word"},
        {"{\"engines\":[{\"name\":\"..\",\"url\":\"https://a\"}]}", "name: wanted is a word"},
        {"{\"engines\":[{\"name\":\"llama\",\"url\":\"https://a\"}]}", "is an engine of weightfs itself"},
        {"{\"engines\":[{\"name\":\"a\"}]}", "engines[0] (a): it has neither \"url\" nor \"command\""},
        {"{\"engines\":[{\"name\":\"a\",\"url\":\"https://a\"},\n{\"name\":\"a\",\"url\":\"https://a\"}]}",
            "line 2: engines[1] (a): the name \"a\" is given already"},
        {ONE("\"url\":\"ftp://a\""), "line 3: engines[1] (bad).url: \"ftp://a\" is no address"},
        {ONE("\"url\":\"https://me:secret@b/v1\""), "\"https://b/v1\" is no address"},
        {ONE("\"url\":\"https://a/v1?x=1\""), "is no address"},
        {ONE("\"url\":\"http://ai.example.org/v1\""), "in the clear: use https, or set allow_http=on"},
        {URL("\"kind\":\"gemini\""), "kind: wanted is \"openai\" or \"ollama\""},
        {URL("\"key_file\":\"key\""), "key_file: wanted is a path that begins with /"},
        {URL("\"key\":\"sk-1\""), "it has no member \"key\"; the nearest is"},
        {URL("\"models\":[]"), "models: wanted is an array"},
        {URL("\"can\":[\"sing\"]"), "can: \"sing\": wanted are chat, complete, embed or vision"},
        {URL("\"slots\":0"), "slots: wanted is a number"},
        {URL("\"health\":\"/x\""), "health: it is not for a declaration with a url"},
        {URL("\"command\":[\"x\",\"{port}\"],\"models\":[\"*\"]"),
            "url: it is not for a declaration with a command"},
        {ONE("\"command\":[\"x\",\"{port}\"]"), "models: it has to say for which models"},
        {ONE("\"models\":[\"*\"],\"command\":[\"x\"]"), "it says not where the server has to listen"},
        {ONE("\"models\":[\"*\"],\"command\":[\"x\",\"{port}\",\"{socket}\"]"),
            "it says both, one is wanted"},
        {ONE("\"models\":[\"*\"],\"command\":[\"x\",\"{prot}\"]"),
            "command: there is no {prot}; placeholders are"},
        {ONE("\"models\":[\"*\"],\"command\":[\"./x\",\"{port}\"]"), "its path from / on"},
        {ONE("\"models\":[\"*\"],\"command\":\"x {port}\""), "command: wanted is an array of texts"},
        {ONE("\"models\":[\"*\"],\"command\":[\"x\\ny\",\"{port}\"]"), "no control characters"},
        {RUN("\"environment\":[\"A=b\"]"), "environment: wanted is an object"},
        {RUN("\"environment\":{\"A=B\":\"c\"}"), "\"A=B\" can't be the name of a variable"},
        {RUN("\"environment\":{\"A\":\"{home}\"}"), "environment: there is no {home}"},
        {RUN("\"health\":\"ready\""), "health: wanted is a path at the server"},
        {RUN("\"api\":7"), "api: wanted is a text"},
        {RUN("\"model\":\"{x}\""), "model: there is no {x}"},
        {"{\"engines\":[{\"name\":\"a\",\"kind\":\"ollama\",\"url\":\"https://a\"},"
         "{\"name\":\"b\",\"kind\":\"ollama\",\"url\":\"https://b\"}]}",
            "engines[1] (b): there is one Ollama server at most"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct declared *declared = NULL;
        struct reason reason = {""};
        CHECK_ERROR(declared_read("bad.json", rows[i].text, strlen(rows[i].text), false, &declared, &reason),
            -ERR_CONFIG);
        CHECK(!declared);
        if (!strstr(reason.text, rows[i].because))
            CHECK_TEXT(reason.text, rows[i].because);
        CHECK(!strstr(reason.text, "secret"));
    }
}

static void too_many(void) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    struct reason reason = {""};
    struct declared *declared = NULL;
    buf_text_add(&text, "{\"engines\":[");
    for (int i = 0; i <= DECLARED_MOST; i++)
        buf_format(&text, "%s{\"name\":\"n%d\",\"url\":\"https://a\"}", i ? "," : "", i);
    buf_text_add(&text, "]}");
    CHECK_ERROR(declared_read("many.json", buf_text(&text), text.len, false, &declared, &reason),
        -ERR_CONFIG);
    CHECK(strstr(reason.text, "there are more than 256"));
}

/* ---- options and folders */

static void write_file(const char *folder, const char *name, const char *text, mode_t mode) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
    CHECK_OK(chmod(path, mode));
}

static struct options *options_of(const char *folder) {
    struct options *options = options_new(tables);
    CHECK_OK(options_set(options, "engines_dir", folder, "test", NULL));
    return options;
}

static void folders(void) {
    char folder[2048];
    snprintf(folder, sizeof folder, "%s/engines.d", check_folder());
    CHECK_OK(mkdir(folder, 0755));
    struct options *options = options_of(folder);
    CHECK_OK(options_set(options, "openai_url", "https://ai.example.org/v1/", "test", NULL));
    write_file(folder, "10-a.json", "{\"engines\":[{\"name\":\"a\",\"url\":\"https://a\"}]}", 0644);
    write_file(folder, "20-bad.json",
        "{\"engines\":[{\"name\":\"b\",\"url\":\"https://b\"},\n{\"name\":\"c\",\"url\":\"x\"}]}", 0644);
    write_file(folder, "30-default.json", "{\"engines\":[{\"name\":\"default\",\"url\":\"https://c\"}]}",
        0644);
    write_file(folder, "40-loose.json", "{\"engines\":[{\"name\":\"d\",\"url\":\"https://d\"}]}", 0666);
    write_file(folder, "50-e.json", "{\"engines\":[{\"name\":\"e\",\"url\":\"https://e\"}]}", 0644);
    write_file(folder, ".hidden.json", "no JSON", 0644);
    write_file(folder, "README", "no JSON", 0644);
    struct declared *declared DECLARED_CLEANUP = declared_load(options);
    CHECK_TEXT(declared_at(declared, 0)->url, "https://ai.example.org/v1");
    CHECK_TEXT(declared_at(declared, 0)->origin, "openai_url");
    CHECK_TEXT(declared_at(declared, 1)->name, "a");
    CHECK_TEXT(declared_at(declared, 2)->name, "e");
    CHECK(!declared_at(declared, 3) && !declared_find(declared, "b"));
    CHECK(strstr(declared_fault(declared, 0), "20-bad.json: line 2: engines[1] (c).url: \"x\""));
    CHECK(strstr(declared_fault(declared, 1), "30-default.json: line 1: engines[0] (default): the name "
                                              "\"default\" is given already, by openai_url"));
    CHECK(strstr(declared_fault(declared, 2), "40-loose.json: everybody may write it"));
    CHECK(!declared_fault(declared, 3));
    options_free(options);
}

static void ollama_addresses(void) {
    static const struct {
        const char *given, *url; /* NULL: refused */
    } rows[] = {
        {"http://127.0.0.1:11434", "http://127.0.0.1:11434"},
        {"http://localhost:11434/", "http://localhost:11434"},
        {"127.0.0.1", "http://127.0.0.1:11434"},
        {"0.0.0.0:8080", "http://127.0.0.1:8080"},
        {":8080", "http://127.0.0.1:8080"},
        {"localhost", "http://localhost:11434"},
        {"[::1]:8080", "http://[::1]:8080"},
        {"[::1]", "http://[::1]:11434"},
        {"https://lamp.example.org/ollama", "https://lamp.example.org/ollama"},
        {"lamp.example.org", NULL}, /* in the clear */
        {"http://", "http://127.0.0.1"},
        {"a b", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct options *options = options_of("/nowhere/at/all");
        CHECK_OK(options_set(options, "ollama_url", rows[i].given, "test", NULL));
        struct declared *declared DECLARED_CLEANUP = declared_load(options);
        const struct declaration *it = declared_ollama(declared);
        if (rows[i].url || it)
            CHECK_TEXT(it ? it->url : declared_fault(declared, 0), rows[i].url);
        CHECK((it == NULL) == (declared_fault(declared, 0) != NULL));
        options_free(options);
    }
}

static void keys(void) {
    char path[4096], header[DECLARED_KEY_SIZE];
    static const char *const any[] = {"*", NULL};
    struct declaration it = {.name = "k", .patterns = any};
    struct reason reason = {""};
    CHECK_OK(declaration_authorization(&it, header, &reason));
    CHECK_TEXT(header, "");
    it.key_file = path;
    snprintf(path, sizeof path, "%s/key", check_folder());
    CHECK_ERROR(declaration_authorization(&it, header, &reason), -EACCES);
    CHECK(strstr(reason.text, path) && strstr(reason.text, "No such file"));
    write_file(check_folder(), "key", " sk-some-long-key \n", 0600);
    CHECK_OK(declaration_authorization(&it, header, &reason));
    CHECK_TEXT(header, "Bearer sk-some-long-key");
    char line[] = "it is sk-some-long-key";
    log_redact(line);
    CHECK_TEXT(line, "it is ***");
    write_file(check_folder(), "key", "\n", 0600);
    CHECK_ERROR(declaration_authorization(&it, header, &reason), -EACCES);
    CHECK(strstr(reason.text, "there is no key in"));
    CHECK_TEXT(header, "");
    write_file(check_folder(), "key", "two-words-are no-key", 0600);
    CHECK_ERROR(declaration_authorization(&it, header, &reason), -EACCES);
    CHECK(!strstr(reason.text, "no-key"));
    it.key_file = NULL;
    it.key_variable = "TEST_KEY_VARIABLE";
    CHECK_OK(declaration_authorization(&it, header, &reason));
    CHECK_TEXT(header, "");
    CHECK_OK(setenv("TEST_KEY_VARIABLE", "sk-from-environment", 1));
    CHECK_OK(declaration_authorization(&it, header, &reason));
    CHECK_TEXT(header, "Bearer sk-from-environment");
}

int main(void) {
    all_members();
    placeholders();
    bad_files();
    too_many();
    folders();
    ollama_addresses();
    keys();
    return check_result();
}
