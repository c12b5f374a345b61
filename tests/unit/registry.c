/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of models: what files may say, what of each is refused and how that is said, and finding. */

#include <sys/stat.h>

#include "base/buf.h"
#include "check.h"
#include "model/registry_inside.h"

static struct registry *take(const char *text) {
    struct reason reason = {""};
    struct registry *registry = NULL;
    CHECK_OK(registry_read("test.json", text, strlen(text), &registry, &reason));
    CHECK_TEXT(reason.text, "");
    return registry ? registry : registry_load(NULL, NULL);
}

static void all_members(void) {
    struct registry *registry REGISTRY_CLEANUP = take(
        "{\"version\":1,\"settings\":{\"small\":[{\"name\":\"force_cpu\",\"type\":\"bool\"}]},"
        "\"models\":[{\"key\":\"hf:acme/tiny\",\"category\":\"llm\",\"description\":\"d\","
        "\"size\":\"3MB\",\"recommended\":true,\"required\":true,\"required_if\":\"SPEECH\","
        "\"variant\":\"Q4_K_M\",\"aliases\":[\"tiny\",\"t:1\"],\"settings\":["
        "{\"name\":\"threshold\",\"type\":\"real\",\"least\":0,\"most\":1,\"default\":0.35,\"help\":\"h\"},"
        "{\"name\":\"max_tokens\",\"type\":\"number\",\"least\":1,\"most\":512,\"default\":256},"
        "{\"name\":\"precision\",\"type\":\"word\",\"words\":[\"fp16\",\"fp32\",\"bf16\"],"
        "\"default\":\"fp16\"},{\"name\":\"label\",\"type\":\"text\"},"
        "{\"name\":\"force_cpu\",\"type\":\"bool\",\"default\":false}]},"
        "{\"key\":\"ollama:gemma2:9b\",\"settings\":\"small\"}]}");
    const struct registry_entry *entry = registry_entry(registry, 0);
    CHECK_NUMBER((int64_t)registry_count(registry), 2);
    CHECK_TEXT(entry->key, "hf:acme/tiny");
    CHECK_TEXT(entry->category, "llm");
    CHECK_NUMBER((int64_t)entry->size_bytes, 3000000);
    CHECK(entry->recommended && entry->required);
    CHECK_TEXT(entry->required_if, "SPEECH");
    CHECK_TEXT(entry->variant, "Q4_K_M");
    CHECK_TEXT(entry->aliases[1], "t:1");
    CHECK_TEXT(entry->settings[0].value, "0.35");
    CHECK_NUMBER(entry->settings[1].most, 512);
    CHECK_TEXT(entry->settings[2].words, "fp16|fp32|bf16");
    CHECK_TEXT(entry->settings[3].value, NULL);
    CHECK_TEXT(entry->settings[4].value, "off");
    CHECK(!entry->settings[5].name);
    entry = registry_entry(registry, 1);
    CHECK_TEXT(entry->category, "other");
    CHECK_TEXT(entry->settings[0].name, "force_cpu");
    CHECK_TEXT(entry->parts.model, "gemma2:9b");
    CHECK(!registry_entry(registry, 2));
}

static void finding(void) {
    struct registry *registry REGISTRY_CLEANUP =
        take("{\"models\":[{\"key\":\"vosk:vosk-model-small-vn-0.4\",\"category\":\"speech\",\"aliases\":"
             "[\"vosk:vi\"]},{\"key\":\"hf:acme/yolo:n.pt\",\"category\":\"detection\"},"
             "{\"key\":\"hf:acme/yolo:s.pt\"},{\"key\":\"hf:acme/tiny\"}]}");
    static const struct {
        const char *name, *key;
    } rows[] = {
        {"vosk:vi", "vosk:vosk-model-small-vn-0.4"},
        {"hf:acme/tiny", "hf:acme/tiny"},
        {"acme/tiny:Q4_K_M@main", "hf:acme/tiny"},
        {"https://huggingface.co/acme/tiny", "hf:acme/tiny"},
        {"acme/yolo:s.pt", "hf:acme/yolo:s.pt"},
        {"hf:acme/yolo", "hf:acme/yolo:n.pt"},
        {"acme/yolo:other.pt", "hf:acme/yolo:n.pt"},
        {"hf:acme/tin", NULL},
        {"", NULL},
        {"::::", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct registry_entry *entry = registry_find(registry, rows[i].name);
        CHECK_TEXT(entry ? entry->key : NULL, rows[i].key);
    }
    CHECK_TEXT(registry_of_model(registry, "hf", "acme/yolo")->key, "hf:acme/yolo:n.pt");
    CHECK(registry_has_category(registry, "speech"));
    CHECK(!registry_has_category(registry, "speeches"));
    CHECK_TEXT(registry_nearest_category(registry, "speach"), "speech");
    CHECK_TEXT(registry_nearest(registry, "vosk:vj"), "vosk:vi");
    CHECK_TEXT(registry_nearest(registry, "something:else/entirely"), NULL);
}

/* Each is refused with what stands in `because`. */
static void bad_files(void) {
#define MODEL(members)   "{\"models\":[\n{\"key\":\"hf:a/b\"},\n{\"key\":\"hf:c/d\"," members "}]}"
#define SETTING(members) MODEL("\"settings\":[{\"name\":\"x\"," members "}]")
    static const struct {
        const char *text, *because;
    } rows[] = {
        {"", "line 1"},
        {"{\"models\":[\n{]}", "line 2"},
        {"[]", "line 1: wanted is an object"},
        {"{}", "models: wanted is an array"},
        {"{\"models\":{}}", "models: wanted is an array"},
        {"{\"models\":[],\"version\":2}", "version: this weightfs understands version 1"},
        {"{\"modles\":[]}", "it has no member \"modles\"; the nearest is \"models\""},
        {"{\"models\":[\n\n7]}", "line 3: models[0]: wanted is an object"},
        {"{\"models\":[{}]}", "line 1: models[0]: it has no \"key\""},
        {"{\"models\":[{\"key\":\"b\"}]}", "models[0].key: "},
        {"{\"models\":[{\"key\":\"hf:a/b@main\"}]}", "wanted is SOURCE:NAME, with no revision: \"hf:a/b\""},
        {"{\"models\":[{\"key\":\"a/b\"}]}", "with no revision: \"hf:a/b\""},
        {"{\"models\":[{\"key\":7}]}", "wanted is a text"},
        {"{\"models\":[{\"key\":\"hf:a/b\"},\n{\"key\":\"hf:a/b\"}]}",
            "line 2: models[1] (hf:a/b): \"hf:a/b\" stands there twice"},
        {MODEL("\"aliases\":[\"hf:a/b\"]"), "stands there twice"},
        {MODEL("\"aliases\":\"x\""), "line 3: models[1] (hf:c/d).aliases: wanted is an array"},
        {MODEL("\"aliases\":[\"a b\"]"), "\"a b\": wanted are letters"},
        {MODEL("\"recomended\":true"), "it has no member \"recomended\"; the nearest is \"recommended\""},
        {MODEL("\"recommended\":\"yes\""), "recommended: wanted is true or false"},
        {MODEL("\"required_if\":\"a b\""), "required_if: wanted is the name"},
        {MODEL("\"size\":-1"), "size: wanted is a number of bytes"},
        {MODEL("\"size\":\"much\""), "size: wanted is a number of bytes"},
        {MODEL("\"category\":\"LLM\""), "category: wanted is a word in lower case"},
        {MODEL("\"category\":\"\""), "category: wanted is a word"},
        {MODEL("\"category\":\"x/../y\""), "category: wanted is a word"},
        {MODEL("\"description\":\"a\\nb\""), "no control characters"},
        {MODEL("\"variant\":\"../x\""), "variant: wanted is a word"},
        {MODEL("\"settings\":\"none\""), "has no set \"none\""},
        {MODEL("\"settings\":7"), "wanted is an array of settings"},
        {MODEL("\"settings\":[7]"), "models[1] (hf:c/d).settings[0]: wanted is an object"},
        {SETTING("\"type\":\"int\""), "settings[0].type: wanted is bool, number"},
        {SETTING("\"type\":\"number\",\"least\":5,\"most\":1"), "least: it is above"},
        {SETTING("\"type\":\"number\",\"least\":0.5"), "least: wanted is a whole number"},
        {SETTING("\"type\":\"number\",\"least\":1,\"most\":512,\"default\":513"),
            "default: wanted is a whole number from 1 to 512"},
        {SETTING("\"type\":\"real\",\"least\":0,\"most\":1,\"default\":1.5"),
            "default: wanted is a number from 0 to 1"},
        {SETTING("\"type\":\"bool\",\"least\":0"), "a bool has no bounds"},
        {SETTING("\"type\":\"bool\",\"default\":\"maybe\""), "default: wanted is on or off"},
        {SETTING("\"type\":\"word\""), "words: wanted is an array"},
        {SETTING("\"type\":\"word\",\"words\":[\"a|b\"]"), "a word has no blank and no |"},
        {SETTING("\"type\":\"word\",\"words\":[\"a\"],\"default\":\"b\""), "default: wanted is a"},
        {SETTING("\"type\":\"text\",\"words\":[\"a\"]"), "only a word has them"},
        {SETTING("\"type\":\"text\",\"defualt\":\"b\""), "the nearest is \"default\""},
        {MODEL("\"settings\":[{\"name\":\"X\",\"type\":\"bool\"}]"), "name: wanted is a word of a-z"},
        {MODEL("\"settings\":[{\"name\":\"x\",\"type\":\"bool\"},{\"name\":\"x\",\"type\":\"bool\"}]"),
            "settings[1].name: \"x\" is there twice"},
        {"{\"models\":[],\"settings\":{\"s\":[{\"name\":\"x\"}]}}", "settings.s[0].type: wanted"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct registry *registry = NULL;
        struct reason reason = {""};
        CHECK_ERROR(registry_read("bad.json", rows[i].text, strlen(rows[i].text), &registry, &reason),
            -ERR_CONFIG);
        CHECK(!registry);
        if (!strstr(reason.text, rows[i].because))
            CHECK_TEXT(reason.text, rows[i].because);
    }
}

static void too_many(void) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    struct reason reason = {""};
    struct registry *registry = NULL;
    buf_text_add(&text, "{\"models\":[");
    for (int i = 0; i <= REGISTRY_ENTRIES_MOST; i++)
        buf_format(&text, "%s{\"key\":\"hf:a/m%d\"}", i ? "," : "", i);
    buf_text_add(&text, "]}");
    CHECK_ERROR(registry_read("many.json", buf_text(&text), text.len, &registry, &reason), -ERR_CONFIG);
    CHECK(strstr(reason.text, "there are more than 20000"));
    buf_clear(&text);
    buf_text_add(&text, "{\"models\":[{\"key\":\"hf:a/b\",\"description\":\"");
    for (int i = 0; i <= REGISTRY_HELP_MOST; i++)
        buf_text_add(&text, "x");
    buf_text_add(&text, "\"}]}");
    CHECK_ERROR(registry_read("long.json", buf_text(&text), text.len, &registry, &reason), -ERR_CONFIG);
    CHECK(strstr(reason.text, "longer than 500 bytes"));
}

static void write_file(const char *folder, const char *name, const char *text) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void folders(void) {
    char folder[2048], shipped[4096];
    snprintf(folder, sizeof folder, "%s/catalogue.d", check_folder());
    snprintf(shipped, sizeof shipped, "%s/shipped.json", check_folder());
    CHECK_OK(mkdir(folder, 0755));
    write_file(check_folder(), "shipped.json",
        "{\"models\":[{\"key\":\"hf:acme/tiny\",\"category\":\"llm\",\"size\":7,\"aliases\":[\"tiny\"]}]}");
    write_file(folder, "10-a.json",
        "{\"models\":[{\"key\":\"hf:acme/tiny\",\"required\":true},"
        "{\"key\":\"hf:acme/other\"}]}");
    write_file(folder, "20-bad.json",
        "{\"models\":[{\"key\":\"hf:acme/new\"},{\"key\":\"hf:acme/other\",\"size\":\"x\"}]}");
    write_file(folder, "30-clash.json",
        "{\"models\":[{\"key\":\"hf:acme/third\",\n\"aliases\":[\"tiny\"]}]}");
    write_file(folder, "40-b.json", "{\"models\":[{\"key\":\"hf:acme/tiny\",\"category\":\"vision\"}]}");
    write_file(folder, ".hidden.json", "no JSON");
    write_file(folder, "README", "no JSON");
    struct registry *registry REGISTRY_CLEANUP = registry_load(shipped, folder);
    CHECK_NUMBER((int64_t)registry_count(registry), 2);
    const struct registry_entry *entry = registry_find(registry, "tiny");
    CHECK(entry && entry->required && entry->size_bytes == 7);
    CHECK_TEXT(entry->category, "vision");
    CHECK(strstr(entry->file, "40-b.json"));
    CHECK(!registry_find(registry, "hf:acme/new"));
    CHECK(registry_fault(registry, 0) &&
          strstr(registry_fault(registry, 0), "catalogue.d/20-bad.json: line 1: models[1]"));
    CHECK(
        registry_fault(registry, 1) &&
        strstr(registry_fault(registry, 1),
            "30-clash.json: line 1: models[0] (hf:acme/third).aliases: \"tiny\" is a name of hf:acme/tiny"));
    CHECK(!registry_fault(registry, 2));
    struct registry *none REGISTRY_CLEANUP = registry_load("/nowhere/catalogue.json", "/nowhere/catalogue.d");
    CHECK_NUMBER((int64_t)registry_count(none), 0);
    CHECK(registry_fault(none, 0) &&
          !registry_fault(none, 1)); /* no folder is fine, no file that was named is not */
}

static void lines(void) {
    const char *text =
        "{ \"a\\\"models\": [1,\n[2,{\"models\":[]}]],\n \"models\" : [ {\"x\":\"]}\"},\n7 ,\n\n[] ]}";
    size_t len = strlen(text);
    CHECK_NUMBER((int64_t)registry_line_of(text, len, "models", 0), 3);
    CHECK_NUMBER((int64_t)registry_line_of(text, len, "models", 1), 4);
    CHECK_NUMBER((int64_t)registry_line_of(text, len, "models", 2), 6);
    CHECK_NUMBER((int64_t)registry_line_of(text, len, "models", 3), 0);
    CHECK_NUMBER((int64_t)registry_line_of(text, len, "none", 0), 0);
    for (size_t cut = 0; cut < len; cut++) /* no text is read past its end, whatever it is */
        (void)registry_line_of(text, cut, "models", 2);
}

/* The file that is installed has all the models that managers of models name, and no fault. */
static void shipped(void) {
    static const char *const names[] = {"ollama:gemma2:9b", "ollama:gemma2:2b", "ollama:llama3.1:8b",
        "ollama:llama3:8b", "ollama:llama2:7b", "ollama:qwen2.5:7b", "ollama:mistral:7b",
        "ollama:codellama:7b", "ollama:deepseek-coder:6.7b", "ollama:phi3:3.8b", "ollama:llava:7b",
        "ollama:bakllava:7b", "ollama:moondream:1.8b", "ollama:llava-llama3:8b", "ollama:nomic-embed-text",
        "ollama:all-minilm", "hf:TinyLlama/TinyLlama-1.1B-Chat-v1.0", "vosk:vosk-model-small-vn-0.4",
        "vosk:vi", "vosk:vosk-model-small-en-us-0.15", "hf:microsoft/Florence-2-base",
        "hf:microsoft/Florence-2-large", "joycaption", "hf:SmilingWolf/wd-vit-tagger-v3",
        "hf:SmilingWolf/wd-swinv2-tagger-v3", "hf:SmilingWolf/wd-convnext-tagger-v3", "jtp2", "yolo:n",
        "yolo:s", "yolo:m", "yolo:l", "yolo:x", "owlv2", "hf:Dream-org/DreamOn-v0-7B",
        "hf:GSAI-ML/LLaDA-8B-Instruct"};
    static const char *const categories[] = {"llm", "vision", "multimodal", "speech", "embedding", "caption",
        "detection", "diffusion-lm", "reranker"};
    char path[4096];
    snprintf(path, sizeof path, "%s/share/weightfs/catalogue.json", getenv("SRC") ? getenv("SRC") : ".");
    struct registry *registry REGISTRY_CLEANUP = registry_load(path, NULL);
    CHECK_TEXT(registry_fault(registry, 0), NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct registry_entry *entry = registry_find(registry, names[i]);
        if (!entry)
            CHECK_TEXT("missing", names[i]);
        else
            CHECK(*entry->description && entry->size_bytes && entry->settings[0].name);
    }
    for (size_t i = 0; i < sizeof categories / sizeof *categories; i++)
        CHECK(registry_has_category(registry, categories[i]));
}

int main(void) {
    all_members();
    finding();
    bad_files();
    too_many();
    folders();
    lines();
    shipped();
    return check_result();
}
