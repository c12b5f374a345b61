/* SPDX-License-Identifier: Apache-2.0 */
/* parameters, what is sent, and what servers say when they fail */
#include <errno.h>

#include "check.h"
#include "infer/body.h"
#include "infer/chat.h"
#include "infer/failure.h"
#include "infer/params.h"

static void good_params(void) {
    static const struct {
        const char *text, *merge, *kept, *json;
    } rows[] = {
        {"", "", "", ""},
        {"# nothing\n\n", "", "", ""},
        {"temperature 0.2", "", "temperature 0.2\n", ",\"temperature\":0.20000000000000001"},
        {"top_k 5\r\ntemperature .5\n", "", "temperature .5\ntop_k 5\n", ",\"temperature\":0.5,\"top_k\":5"},
        {"seed 1\nseed 2\n", "", "seed 2\n", ",\"seed\":2"},
        {"temperature 1", "top_p 0.5\ntemperature 0\n", "temperature 1\ntop_p 0.5\n",
            ",\"temperature\":1,\"top_p\":0.5"},
        {"temperature", "top_p 0.5\ntemperature 0\n", "top_p 0.5\n", ",\"top_p\":0.5"},
        {"stop User:\nstop \"a b\"", "", "stop User:\nstop \"a b\"\n",
            ",\"stop\":[\"User:\",\"\\\"a b\\\"\"]"},
        {"stop new", "stop old\n", "stop old\nstop new\n", ",\"stop\":[\"old\",\"new\"]"},
        {"stop", "stop old\n", "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf text BUF_CLEANUP = BUF_INIT, json BUF_CLEANUP = BUF_INIT;
        struct reason reason = {""};
        CHECK_OK(params_read(rows[i].text, rows[i].merge, &text, &reason));
        CHECK_TEXT(buf_text(&text), rows[i].kept);
        params_print(buf_text(&text), &json);
        CHECK_TEXT(buf_text(&json), rows[i].json);
    }
}

static void bad_params(void) {
    static const struct {
        const char *text, *sentence;
    } rows[] = {
        {"temperature 7", "line 1: temperature takes a number from 0 to 2, not \"7\""},
        {"top_k 1\ntop_k 0.5", "line 2: top_k takes a whole number from 0 to 100000, not \"0.5\""},
        {"temperature warm", "line 1: temperature takes a number from 0 to 2, not \"warm\""},
        {"temperature 0x1", "line 1: temperature takes a number from 0 to 2, not \"0x1\""},
        {"temperature nan", "line 1: temperature takes a number from 0 to 2, not \"nan\""},
        {"temperature 1 2", "line 1: temperature takes a number from 0 to 2, not \"1 2\""},
        {"temprature 1", "line 1: there is no parameter \"temprature\"; did you mean temperature?"},
        {"max_tokens 0", "line 1: max_tokens takes a whole number from 1 to 1000000000, not \"0\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf text BUF_CLEANUP = BUF_INIT;
        struct reason reason = {""};
        CHECK_OK(buf_text_add(&text, "before"));
        CHECK_ERROR(params_read(rows[i].text, "", &text, &reason), -ERR_BAD_VALUE);
        CHECK_TEXT(reason.text, rows[i].sentence);
        CHECK_TEXT(buf_text(&text), "before");
    }
}

static void a_chat(void) {
    struct buf body BUF_CLEANUP = BUF_INIT;
    const struct template_turn turns[] = {{TEMPLATE_USER, "say \"hi\"\n"}, {TEMPLATE_ANSWER, "hi"},
        {TEMPLATE_USER, "again"}};
    body_chat("m", "", turns, 1, "", &body);
    CHECK_TEXT(buf_text(&body),
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"say \\\"hi\\\"\\n\"}],"
        "\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
    buf_clear(&body);
    body_chat("m", "be terse", turns, 3, "seed 1\n", &body);
    CHECK_TEXT(buf_text(&body),
        "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"be terse\"},"
        "{\"role\":\"user\",\"content\":\"say \\\"hi\\\"\\n\"},"
        "{\"role\":\"assistant\",\"content\":\"hi\"},{\"role\":\"user\",\"content\":\"again\"}],"
        "\"stream\":true,\"stream_options\":{\"include_usage\":true},\"seed\":1}");
}

static void a_completion(void) {
    static const struct template_turn turns[] = {{TEMPLATE_USER, "hi"}, {TEMPLATE_ANSWER, "\"ho\""},
        {TEMPLATE_USER, "and?"}};
    struct buf body BUF_CLEANUP = BUF_INIT;
    body_completion("m", template_find("vicuna"), "be terse", turns, 3, "seed 1\n", &body);
    CHECK_TEXT(buf_text(&body),
        "{\"model\":\"m\",\"prompt\":\"be terse\\n\\nUSER: hi\\nASSISTANT: \\\"ho\\\"</s>\\nUSER: "
        "and?\\nASSISTANT:\",\"stream\":true,\"stream_options\":{\"include_usage\":true},\"seed\":1,"
        "\"stop\":[\"</s>\",\"\\nUSER:\"]}");
    buf_clear(&body);
    body_completion("m", template_find("vicuna"), "", turns, 1, "stop end\n", &body);
    CHECK_TEXT(buf_text(&body), "{\"model\":\"m\",\"prompt\":\"USER: hi\\nASSISTANT:\",\"stream\":true,"
                                "\"stream_options\":{\"include_usage\":true},\"stop\":[\"end\"]}");
    buf_clear(&body);
    body_completion("m", NULL, "", turns, 1, "", &body);
    CHECK_TEXT(buf_text(&body),
        "{\"model\":\"m\",\"prompt\":\"hi\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
}

static void raw_requests(void) {
    static const struct {
        const char *text, *sent; /* NULL: refused */
        bool stream;
    } rows[] = {
        {"{}", "{\"model\":\"m\"}", false},
        {"{\"a\":1}", "{\"model\":\"m\",\"a\":1}", false},
        {" { \"model\" : \"x\" , \"a\" : [1,{\"model\":2}] } ",
            "{\"model\":\"m\",\"a\" : [1,{\"model\":2}] }", false},
        {"{\"a\":\"}\\\",\",\"model\":\"x\"}", "{\"model\":\"m\",\"a\":\"}\\\",\"}", false},
        {"{\"\\u006dodel\":\"x\",\"Model\":\"y\",\"a\":1}", "{\"model\":\"m\",\"a\":1}", false},
        {"{\"models\":1,\"a\\\"\":2}", "{\"model\":\"m\",\"models\":1,\"a\\\"\":2}", false},
        {"{\"stream\":true,\"model\":null}", "{\"model\":\"m\",\"stream\":true}", true},
        {"[]", NULL, false},
        {"", NULL, false},
        {"{\"a\":}", NULL, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf body BUF_CLEANUP = BUF_INIT;
        struct reason reason = {""};
        bool stream = false;
        int result = body_raw("m", rows[i].text, strlen(rows[i].text), &body, &stream, &reason);
        CHECK_ERROR(result, rows[i].sent ? 0 : -EINVAL);
        CHECK_TEXT(buf_text(&body), rows[i].sent ? rows[i].sent : "");
        CHECK(stream == rows[i].stream);
    }
}

static void what_is_text(void) {
    struct reason reason = {""};
    CHECK_OK(body_check("gr\xc3\xbc\xc3\x9f\n", 7, &reason));
    CHECK_OK(body_check("", 0, &reason));
    CHECK_ERROR(body_check("ab\xff", 3, &reason), -EINVAL);
    CHECK_TEXT(reason.text, "it is no text: the byte at offset 2 is no UTF-8");
    CHECK_ERROR(body_check("a\0b", 3, &reason), -EINVAL);
}

static void failures(void) {
    static const struct {
        int status;
        const char *text;
        int error;
        const char *sentence;
    } rows[] = {
        {400,
            "{\"error\":{\"code\":400,\"message\":\"'messages' is "
            "required\",\"type\":\"invalid_request_error\"}}",
            -EINVAL, "the engine answered 400: 'messages' is required"},
        {400, "{\"error\":{\"type\":\"exceed_context_size_error\",\"n_prompt_tokens\":900,\"n_ctx\":512}}",
            -E2BIG, "the prompt has 900 tokens, the context holds 512"},
        {429, "{\"error\":{\"message\":\"pay\",\"type\":\"x\",\"code\":\"insufficient_quota\"}}", -EDQUOT,
            "the engine answered 429: pay"},
        {400,
            "{\"error\":{\"message\":\"too long\",\"type\":\"invalid_request_error\","
            "\"code\":\"context_length_exceeded\"}}",
            -E2BIG, "the engine answered 400: too long"},
        {429, "slow down", -ERR_RATE_LIMITED, "the engine answered 429: slow down"},
        {404, "{\"error\":\"model 'x' not found\"}", -ENOENT, "the engine answered 404: model 'x' not found"},
        {500, "", -EIO, "the engine answered 500 without a word"},
        {503, "{\"error\":{\"message\":\"Loading\\u001b[1m model\"}}", -EAGAIN,
            "the engine answered 503: Loading?[1m model"},
        {418, "{}", -EIO, "the engine answered 418: {}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reason reason = {""};
        CHECK_ERROR(failure_of_status(rows[i].status, rows[i].text, strlen(rows[i].text), &reason),
            rows[i].error);
        CHECK_TEXT(reason.text, rows[i].sentence);
    }
}

static void failures_in_the_stream(void) {
    static const char event[] = "{\"error\":{\"code\":500,\"message\":\"Context size has been exceeded.\"}}";
    struct reason reason = {""};
    JSON_CLEANUP struct json *document = NULL;
    CHECK_OK(json_parse(event, strlen(event), &document, &reason));
    CHECK_ERROR(failure_of_event(document, &reason), -EIO);
    CHECK_TEXT(reason.text, "the engine answered 500: Context size has been exceeded.");
}

/* The numbers of what was too long, where both are told. */
static void overflows(void) {
    static const struct {
        const char *text;
        bool told;
    } rows[] = {
        {"{\"error\":{\"n_prompt_tokens\":900,\"n_ctx\":512}}", true},
        {"{\"error\":{\"n_prompt_tokens\":900}}", false},
        {"{\"error\":{\"n_prompt_tokens\":900,\"n_ctx\":0}}", false},
        {"{\"error\":{\"n_prompt_tokens\":-1,\"n_ctx\":512}}", false},
        {"{\"error\":\"900 of 512\"}", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t sent = 1, context = 2;
        CHECK(failure_overflow(rows[i].text, strlen(rows[i].text), &sent, &context) == rows[i].told);
        CHECK_NUMBER(sent, rows[i].told ? 900 : 1);
        CHECK_NUMBER(context, rows[i].told ? 512 : 2);
    }
}

static void names_of_chats(void) {
    static const struct {
        const char *name;
        int result;
    } rows[] = {
        {"work", 0},
        {"two words", 0},
        {"\xc3\xa9t\xc3\xa9 \xf0\x9f\x8c\x9e", 0},
        {"a.b", 0},
        {"-r", 0},
        {"", -EINVAL},
        {".", -EINVAL},
        {"..", -EINVAL},
        {".hidden", -EINVAL},
        {"a/b", -EINVAL},
        {"a\nb", -EINVAL},
        {"a\x7f", -EINVAL},
        {"\xc2\x9b", -EINVAL}, /* C1: a control character of terminals */
        {"\xff", -EINVAL},
        {"\xc3", -EINVAL},
        {"\xed\xa0\x80", -EINVAL},
    };
    char name[CHAT_NAME_SIZE + 1] = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK_NUMBER(chat_check_name(rows[i].name), rows[i].result);
    memset(name, 'x', CHAT_NAME_SIZE - 1);
    CHECK_OK(chat_check_name(name));
    name[CHAT_NAME_SIZE - 1] = 'x';
    CHECK_ERROR(chat_check_name(name), -ENAMETOOLONG);
}

int main(void) {
    good_params();
    bad_params();
    a_chat();
    a_completion();
    raw_requests();
    what_is_text();
    failures();
    failures_in_the_stream();
    overflows();
    names_of_chats();
    return check_result();
}
