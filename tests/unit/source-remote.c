/* SPDX-License-Identifier: Apache-2.0 */
/* What declared servers tell of their models, on recorded answers. */
#include "base/buf.h"
#include "weightfs/source.h"
#include "check.h"

static const char declarations[] =
    "{\"engines\":["
    "{\"name\":\"work\",\"url\":\"https://ai.example.org/v1\",\"key_file\":\"key\"},"
    "{\"name\":\"some\",\"url\":\"http://127.0.0.1:9/v1\",\"models\":[\"gpt-*\",\"one\"]},"
    "{\"name\":\"box\",\"kind\":\"ollama\",\"url\":\"http://127.0.0.1:11434\"}]}";

struct talk {
    const struct source *source;
    struct declared *declared;
    void *talk;
    struct source_ask ask;
    struct roster *roster;
    struct reason reason;
    int result;
};

static void step(struct talk *talk, const struct source_answer *answer) {
    struct source_ask next = {0};
    talk->result = talk->source->list_next(talk->talk, answer, &next, &talk->roster, &talk->reason);
    CHECK((talk->result == SOURCE_ASK) == (next.url != NULL));
    CHECK((talk->result == SOURCE_DONE) == (talk->roster != NULL));
    source_ask_done(&talk->ask);
    talk->ask = next;
}

/* The key file's path is relative, as nobody writes it: it is made in the current folder. */
static struct declared *declare(const char *text) {
    struct declared *declared = NULL;
    struct reason reason = {""};
    struct buf BUF_CLEANUP whole = BUF_INIT;
    const char *mark = strstr(text, "\"key\"");
    (void)buf_format(&whole, "%.*s\"%s/key\"%s", (int)(mark - text), text, getenv("TEST_DIR"), mark + 5);
    if (!CHECK(declared_read("test", buf_text(&whole), whole.len, false, &declared, &reason) == 0)) {
        fprintf(stderr, "    %s\n", reason.text);
        abort();
    }
    return declared;
}

static void write_key(const char *text) {
    char path[4096];
    snprintf(path, sizeof path, "%s/key", getenv("TEST_DIR"));
    FILE *file = fopen(path, "w");
    if (!CHECK(file != NULL))
        abort();
    fputs(text, file);
    fclose(file);
}

static struct talk begin(const struct source *source, const char *place, const char *model) {
    struct talk talk = {.source = source, .declared = declare(declarations)};
    talk.talk = source->list_new(talk.declared, place, model);
    step(&talk, NULL);
    return talk;
}

static void end(struct talk *talk) {
    source_ask_done(&talk->ask);
    roster_free(talk->roster);
    talk->source->list_free(talk->talk);
    declared_unref(talk->declared);
}

static void answer(struct talk *talk, int status, const char *fields_text, const char *body) {
    struct buf BUF_CLEANUP fields = BUF_INIT;
    if (!CHECK(talk->ask.url != NULL))
        abort();
    TEXT_CLEANUP char *url = mem_text(talk->ask.url);
    (void)buf_text_add(&fields, fields_text);
    struct http_head head = {.status = status, .url = url, .is_last = true, .fields = &fields};
    struct source_answer what = {.status = status,
        .url = url,
        .body = body,
        .body_len = strlen(body),
        .head = &head};
    step(talk, &what);
}

static void check_card(const struct talk *talk, const char *name, struct card *ret_card) {
    const struct roster_model *model = talk->roster ? roster_find(talk->roster, name) : NULL;
    if (!CHECK(model != NULL)) {
        fprintf(stderr, "    %s: %s\n", name, talk->reason.text);
        abort();
    }
    CHECK_OK(card_parse_json(model->card, strlen(model->card), ret_card));
}

static void places_are_what_is_declared(void) {
    struct declared *declared = declare(declarations);
    struct source_place place;
    CHECK(source_openai.place(declared, 0, &place));
    CHECK_TEXT(place.name, "work");
    CHECK(source_openai.place(declared, 1, &place));
    CHECK_TEXT(place.name, "some");
    CHECK(!source_openai.place(declared, 2, &place));
    CHECK(source_ollama.place(declared, 0, &place));
    CHECK_TEXT(place.name, "");
    CHECK_TEXT(place.url, "http://127.0.0.1:11434");
    CHECK(!source_ollama.place(declared, 1, &place));
    declared_unref(declared);
}

static void names_are_judged(void) {
    CHECK(source_openai.is_name("work/google/gemma-3:free"));
    CHECK(!source_openai.is_name("work"));
    CHECK(!source_openai.is_name("work/"));
    CHECK(!source_openai.is_name("work/.hidden/../x"));
    CHECK(!source_openai.is_name("a-name-of-more-than-thirty-two-letters/x"));
    CHECK(source_ollama.is_name("gemma2:9b"));
    CHECK(source_ollama.is_name("hf.co/acme/tiny:Q4"));
    CHECK(!source_ollama.is_name("gemma2"));
    CHECK(!source_ollama.is_name("library/gemma2:9b"));
}

static void an_endpoint_lists_its_models(void) {
    write_key(" sk-canary\n");
    struct talk talk = begin(&source_openai, "work", "");
    CHECK_TEXT(talk.ask.url, "https://ai.example.org/v1/models");
    CHECK_TEXT(talk.ask.authorization, "Bearer sk-canary");
    CHECK_TEXT(talk.ask.post, NULL);
    CHECK_NUMBER(talk.ask.body_limit, 8 << 20);
    answer(&talk, 200, "",
        "{\"object\":\"list\",\"data\":[{\"id\":\"google/gemma-3\",\"owned_by\":\"google\","
        "\"context_length\":8192},{\"id\":\"text-embed-1\",\"max_model_len\":1e300},{\"id\":\"a b\"},"
        "{\"id\":\"../x\"},{\"id\":7},\"x\",null,{\"id\":\"google/gemma-3\"},{\"id\":\"a\\\"b\"},"
        "{\"id\":\"\\u0000\"},{\"id\":\"\"},{\"id\":\"%2Dx\"}]}");
    CHECK_NUMBER(talk.result, SOURCE_DONE);
    CHECK_NUMBER((int64_t)talk.roster->count, 2);
    CHECK_NUMBER((int64_t)talk.roster->refused, 9);
    CHECK(talk.roster->all);
    struct card CARD_CLEANUP card = {.type_count = 0};
    check_card(&talk, "work/google/gemma-3", &card);
    CHECK_NUMBER((int64_t)card.context_length, 8192);
    CHECK_TEXT(card.owner, "google");
    CHECK_TEXT(card.category, "llm");
    check_card(&talk, "work/text-embed-1", &card);
    CHECK_NUMBER((int64_t)card.context_length, 0);
    CHECK_TEXT(card.category, "embedding");
    end(&talk);
}

static void patterns_choose(void) {
    struct talk talk = begin(&source_openai, "some", "");
    CHECK_TEXT(talk.ask.url, "http://127.0.0.1:9/v1/models");
    CHECK_TEXT(talk.ask.authorization, NULL);
    answer(&talk, 200, "", "{\"data\":[{\"id\":\"gpt-4o\"},{\"id\":\"other\"},{\"id\":\"one\"}]}");
    CHECK_NUMBER((int64_t)talk.roster->count, 2);
    CHECK(roster_find(talk.roster, "some/gpt-4o") && !roster_find(talk.roster, "some/other"));
    end(&talk);

    talk = begin(&source_openai, "some", "some/gpt-4o"); /* one is asked for as all are */
    answer(&talk, 200, "", "{\"data\":[{\"id\":\"gpt-5\"},{\"id\":\"gpt-4o\"},{\"id\":\"one\"}]}");
    CHECK(talk.roster && !talk.roster->all && talk.roster->count == 1);
    CHECK(roster_find(talk.roster, "some/gpt-4o") != NULL);
    end(&talk);
    talk = begin(&source_openai, "some", "some/other"); /* listed, and not to be shown */
    answer(&talk, 200, "", "{\"data\":[{\"id\":\"other\"}]}");
    CHECK_ERROR(talk.result, -ERR_UNKNOWN_MODEL);
    end(&talk);

    talk = begin(&source_openai, "some", ""); /* without a list, what the operator named is there */
    answer(&talk, 404, "", "");
    CHECK_NUMBER(talk.result, SOURCE_DONE);
    CHECK_NUMBER((int64_t)talk.roster->count, 1);
    CHECK(roster_find(talk.roster, "some/one") != NULL);
    end(&talk);
    talk = begin(&source_openai, "work", "");
    answer(&talk, 404, "", "");
    CHECK_ERROR(talk.result, -ERR_STATUS);
    CHECK(strstr(talk.reason.text, "no list of models") != NULL);
    end(&talk);
}

static void keys_are_told_of(void) {
    write_key("");
    struct talk talk = begin(&source_openai, "work", "");
    CHECK_ERROR(talk.result, -EACCES);
    CHECK(strstr(talk.reason.text, "/key") != NULL);
    end(&talk);
    write_key("sk-canary");
    talk = begin(&source_openai, "work", "");
    answer(&talk, 401, "", "{\"error\":{\"message\":\"Incorrect\\nkey\"}}");
    CHECK_ERROR(talk.result, -ERR_TOKEN);
    CHECK(strstr(talk.reason.text, "Incorrect") && !strchr(talk.reason.text, '\n'));
    CHECK(!strstr(talk.reason.text, "sk-canary"));
    end(&talk);
    talk = begin(&source_openai, "some", "");
    answer(&talk, 401, "", "{\"error\":\"who are you\"}");
    CHECK_ERROR(talk.result, -EACCES);
    end(&talk);
}

static void bad_answers_are_errors(void) {
    static const struct {
        int status;
        const char *body;
        int error;
    } answers[] = {
        {200, "[]", -ERR_ANSWER},
        {200, "{\"data\":{}}", -ERR_ANSWER},
        {200, "{\"data\":[", -ERR_JSON},
        {200, "", -ERR_JSON},
        {429, "", -ERR_RATE_LIMITED},
        {500, "{\"error\":[1]}", -ERR_SERVER},
        {503, "", -ERR_SERVER},
        {418, "{\"error\":\"\\u0007\"}", -ERR_STATUS},
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct talk talk = begin(&source_openai, "some", "");
        answer(&talk, answers[i].status, "", answers[i].body);
        CHECK_ERROR(talk.result, answers[i].error);
        CHECK(talk.reason.text[0]);
        end(&talk);
    }
    struct talk talk = begin(&source_openai, "some", "");
    answer(&talk, 429, "Retry-After: 7\r\n", "");
    CHECK(strstr(talk.reason.text, "in 7 s") != NULL);
    end(&talk);
    talk = begin(&source_openai, "nobody", "");
    CHECK_ERROR(talk.result, -ERR_UNKNOWN_MODEL);
    end(&talk);
    talk = begin(&source_openai, "box", ""); /* an Ollama is none of its endpoints */
    CHECK_ERROR(talk.result, -ERR_UNKNOWN_MODEL);
    end(&talk);
}

static void there_is_an_end_to_a_list(void) {
    struct buf BUF_CLEANUP body = BUF_INIT;
    struct talk talk = begin(&source_openai, "some", "");
    (void)buf_text_add(&body, "{\"data\":[");
    for (int i = 0; i < ROSTER_MOST + 5; i++)
        (void)buf_format(&body, "%s{\"id\":\"gpt-%d\"}", i ? "," : "", i);
    (void)buf_text_add(&body, "]}");
    answer(&talk, 200, "", buf_text(&body));
    CHECK_NUMBER((int64_t)talk.roster->count, ROSTER_MOST);
    CHECK_NUMBER((int64_t)talk.roster->beyond, 5);
    end(&talk);
}

static void ollama_lists_and_shows(void) {
    struct talk talk = begin(&source_ollama, "", "");
    CHECK_TEXT(talk.ask.url, "http://127.0.0.1:11434/api/tags");
    answer(&talk, 200, "",
        "{\"models\":[{\"name\":\"gemma2:9b\",\"digest\":\"ff02\",\"size\":5443152417,\"details\":{"
        "\"family\":"
        "\"gemma2\",\"parameter_size\":\"9.2B\",\"quantization_level\":\"Q4_0\"}},"
        "{\"name\":\"hf.co/acme/tiny:Q8_0\",\"digest\":\"a b\"},{\"name\":\"host:5000/x:y\"},{}]}");
    CHECK_NUMBER(talk.result, SOURCE_DONE);
    CHECK_NUMBER((int64_t)talk.roster->count, 2);
    CHECK_NUMBER((int64_t)talk.roster->refused, 2);
    struct card CARD_CLEANUP card = {.type_count = 0};
    check_card(&talk, "gemma2:9b", &card);
    CHECK_TEXT(card.architecture, "gemma2");
    CHECK_TEXT(card.quantisation, "Q4_0");
    CHECK_NUMBER((int64_t)card.parameters, 9200000000);
    CHECK_NUMBER((int64_t)card.weights_bytes, 5443152417);
    CHECK_TEXT(roster_find(talk.roster, "gemma2:9b")->digest, "ff02");
    CHECK_TEXT(roster_find(talk.roster, "hf.co/acme/tiny:Q8_0")->digest, "");
    CHECK(!roster_find(talk.roster, "gemma2:9b")->whole);
    end(&talk);

    talk = begin(&source_ollama, "", "gemma2:9b");
    CHECK_TEXT(talk.ask.url, "http://127.0.0.1:11434/api/show");
    CHECK_TEXT(talk.ask.post, "{\"model\":\"gemma2:9b\"}");
    answer(&talk, 200, "",
        "{\"license\":\"Gemma\\nTerms\",\"details\":{\"family\":\"gemma2\",\"parameter_size\":\"9.2B\"},"
        "\"model_info\":{\"general.architecture\":\"gemma2\",\"general.parameter_count\":9241705984,"
        "\"gemma2.context_length\":8192,\"gemma2.block_count\":42},\"capabilities\":[\"completion\","
        "\"vision\"]}");
    CHECK_NUMBER(talk.result, SOURCE_DONE);
    CHECK(!talk.roster->all && talk.roster->count == 1 && talk.roster->models[0].whole);
    struct card CARD_CLEANUP shown = {.type_count = 0};
    check_card(&talk, "gemma2:9b", &shown);
    CHECK_NUMBER((int64_t)shown.parameters, 9241705984);
    CHECK_NUMBER((int64_t)shown.context_length, 8192);
    CHECK_NUMBER((int64_t)shown.layers, 42);
    CHECK_TEXT(shown.category, "multimodal");
    CHECK_TEXT(shown.capabilities, "completion, vision");
    CHECK(!strchr(shown.licence, '\n'));
    end(&talk);

    talk = begin(&source_ollama, "", "none:latest");
    answer(&talk, 404, "", "{\"error\":\"model 'none:latest' not found\"}");
    CHECK_ERROR(talk.result, -ERR_UNKNOWN_MODEL);
    CHECK(strstr(talk.reason.text, "not found") != NULL);
    end(&talk);
    talk = begin(&source_ollama, "", "");
    answer(&talk, 200, "", "{\"models\":null}"); /* of one that has none */
    CHECK_NUMBER(talk.result, SOURCE_DONE);
    CHECK_NUMBER((int64_t)talk.roster->count, 0);
    end(&talk);
    talk = begin(&source_ollama, "", "");
    answer(&talk, 404, "", "404 page not found");
    CHECK_ERROR(talk.result, -ERR_STATUS);
    end(&talk);
}

int main(void) {
    if (!getenv("TEST_DIR"))
        setenv("TEST_DIR", "/tmp", 1);
    places_are_what_is_declared();
    names_are_judged();
    an_endpoint_lists_its_models();
    patterns_choose();
    keys_are_told_of();
    bad_answers_are_errors();
    there_is_an_end_to_a_list();
    ollama_lists_and_shows();
    return check_result();
}
