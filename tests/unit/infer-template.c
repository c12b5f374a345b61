/* SPDX-License-Identifier: Apache-2.0 */
/* chat templates of families, which family a model is of, and what is cut from an answer */

#include "check.h"
#include "infer/template.h"
#include "manage/setting.h"

/* A system prompt, a question with blanks around it, its answer with one behind it, and another question, as
 * llama-server's own formatters print them. */
static const struct template_turn turns[] = {{TEMPLATE_USER, " U1 "}, {TEMPLATE_ANSWER, "A1 "},
    {TEMPLATE_USER, "U2"}};

#define IM(role, text)      "<|im_start|>" role "\n" text "<|im_end|>\n"
#define L3(role, text)      "<|start_header_id|>" role "<|end_header_id|>\n\n" text "<|eot_id|>"
#define L4(role, text)      "<|header_start|>" role "<|header_end|>\n\n" text "<|eot|>"
#define ZE(role, text, end) "<|" role "|>\n" text end "\n"
#define GE(role, text)      "<start_of_turn>" role "\n" text "<end_of_turn>\n"
#define G4(role, text)      "<|turn>" role "\n" text "<turn|>\n"
#define P4(role, text)      "<|im_start|>" role "<|im_sep|>" text "<|im_end|>"
#define CR(role, text)      "<|START_OF_TURN_TOKEN|><|" role "_TOKEN|>" text "<|END_OF_TURN_TOKEN|>"
#define GR(role, text)      "<|start_of_role|>" role "<|end_of_role|>" text "<|end_of_text|>\n"
#define DS_END      \
    "<\xef\xbd\x9c" \
    "end\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c>"
#define DS(role) "<\xef\xbd\x9c" role "\xef\xbd\x9c>"
#define OC       "<|end_of_turn|>GPT4 Correct "

static const struct {
    const char *family, *text, *without_system;
} texts[] = {
    {"chatml",
        IM("system", "S") IM("user", " U1 ") IM("assistant", "A1 ")
            IM("user", "U2") "<|im_start|>assistant\n",
        "<|im_start|>user\nU2<|im_end|>\n<|im_start|>assistant\n"},
    {"llama2", "[INST] S\n U1  [/INST]A1 </s>[INST] U2 [/INST]", "[INST] U2 [/INST]"},
    {"llama2-sys", "[INST] <<SYS>>\nS\n<</SYS>>\n\n U1  [/INST]A1 </s>[INST] U2 [/INST]",
        "[INST] U2 [/INST]"},
    {"llama3",
        L3("system", "S") L3("user", "U1") L3("assistant", "A1")
            L3("user", "U2") "<|start_header_id|>assistant<|end_header_id|>\n\n",
        L3("user", "U2") "<|start_header_id|>assistant<|end_header_id|>\n\n"},
    {"llama4",
        L4("system", "S") L4("user", "U1") L4("assistant", "A1")
            L4("user", "U2") "<|header_start|>assistant<|header_end|>\n\n",
        L4("user", "U2") "<|header_start|>assistant<|header_end|>\n\n"},
    {"mistral-v1", " [INST] S\n\n U1  [/INST] A1 </s> [INST] U2 [/INST]", " [INST] U2 [/INST]"},
    {"mistral-v3", "[INST] S\n\n U1 [/INST] A1</s>[INST] U2[/INST]", "[INST] U2[/INST]"},
    {"mistral-v3-tekken", "[INST]S\n\n U1 [/INST]A1 </s>[INST]U2[/INST]", "[INST]U2[/INST]"},
    {"mistral-v7", "[SYSTEM_PROMPT] S[/SYSTEM_PROMPT][INST]  U1 [/INST] A1 </s>[INST] U2[/INST]",
        "[INST] U2[/INST]"},
    {"mistral-v7-tekken", "[SYSTEM_PROMPT]S[/SYSTEM_PROMPT][INST] U1 [/INST]A1 </s>[INST]U2[/INST]",
        "[INST]U2[/INST]"},
    {"zephyr",
        ZE("system", "S", "</s>") ZE("user", " U1 ", "</s>") ZE("assistant", "A1 ", "</s>")
            ZE("user", "U2", "</s>") "<|assistant|>\n",
        "<|user|>\nU2</s>\n<|assistant|>\n"},
    {"zephyr-endoftext",
        ZE("system", "S", "<|endoftext|>") ZE("user", " U1 ", "<|endoftext|>")
            ZE("assistant", "A1 ", "<|endoftext|>") ZE("user", "U2", "<|endoftext|>") "<|assistant|>\n",
        "<|user|>\nU2<|endoftext|>\n<|assistant|>\n"},
    {"gemma", GE("user", "S\n\nU1") GE("model", "A1") GE("user", "U2") "<start_of_turn>model\n",
        "<start_of_turn>user\nU2<end_of_turn>\n<start_of_turn>model\n"},
    {"gemma4", G4("system", "S") G4("user", "U1") G4("model", "A1") G4("user", "U2") "<|turn>model\n",
        "<|turn>user\nU2<turn|>\n<|turn>model\n"},
    {"phi3",
        ZE("system", "S", "<|end|>") ZE("user", " U1 ", "<|end|>") ZE("assistant", "A1 ", "<|end|>")
            ZE("user", "U2", "<|end|>") "<|assistant|>\n",
        "<|user|>\nU2<|end|>\n<|assistant|>\n"},
    {"phi4",
        P4("system", "S") P4("user", " U1 ") P4("assistant", "A1 ")
            P4("user", "U2") "<|im_start|>assistant<|im_sep|>",
        "<|im_start|>user<|im_sep|>U2<|im_end|><|im_start|>assistant<|im_sep|>"},
    {"falcon", "S\nUser: U1\nAssistant: A1\nUser: U2\nAssistant:", "User: U2\nAssistant:"},
    {"falcon3", "<|system|>\nS\n<|user|>\n U1 \n<|assistant|>\nA1 \n<|user|>\nU2\n<|assistant|>\n",
        "<|user|>\nU2\n<|assistant|>\n"},
    {"vicuna", "S\n\nUSER:  U1 \nASSISTANT: A1 </s>\nUSER: U2\nASSISTANT:", "USER: U2\nASSISTANT:"},
    {"vicuna-orca",
        "SYSTEM: S\nUSER:  U1 \nASSISTANT: A1 </s>\nUSER: U2\nASSISTANT:", "USER: U2\nASSISTANT:"},
    {"deepseek",
        "S### Instruction:\n U1 \n### Response:\nA1 \n<|EOT|>\n### Instruction:\nU2\n### Response:\n",
        "### Instruction:\nU2\n### Response:\n"},
    {"deepseek2",
        "S\n\nUser:  U1 \n\nAssistant: A1 " DS_END "User: U2\n\nAssistant:", "User: U2\n\nAssistant:"},
    {"deepseek3", "S\n\n" DS("User") " U1 " DS("Assistant") "A1 " DS_END DS("User") "U2" DS("Assistant"),
        DS("User") "U2" DS("Assistant")},
    {"command-r",
        CR("SYSTEM", "S") CR("USER", "U1") CR("CHATBOT", "A1")
            CR("USER", "U2") "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
        CR("USER", "U2") "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>"},
    {"granite",
        GR("system", "S") GR("user", " U1 ") GR("assistant", "A1 ")
            GR("user", "U2") "<|start_of_role|>assistant<|end_of_role|>",
        GR("user", "U2") "<|start_of_role|>assistant<|end_of_role|>"},
    {"openchat", "S" OC "User:  U1 " OC "Assistant: A1 " OC "User: U2" OC "Assistant:",
        "GPT4 Correct User: U2" OC "Assistant:"},
    {"chatglm4", "[gMASK]<sop><|system|>\nS<|user|>\n U1 <|assistant|>\nA1 <|user|>\nU2<|assistant|>\n",
        "[gMASK]<sop><|user|>\nU2<|assistant|>\n"},
    {"exaone3",
        "[|system|]S[|endofturn|]\n[|user|]U1\n[|assistant|]A1[|endofturn|]\n[|user|]U2\n[|assistant|]",
        "[|user|]U2\n[|assistant|]"},
};
#define TEXT_COUNT (sizeof texts / sizeof texts[0])

static void each_family(void) {
    size_t count = 0;
    while (template_table[count].name)
        count++;
    CHECK_NUMBER(count, TEXT_COUNT); /* one that is new has its text here */
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        const struct template_family *family = template_find(texts[i].family);
        struct buf all BUF_CLEANUP = BUF_INIT, one BUF_CLEANUP = BUF_INIT;
        if (!CHECK(family != NULL))
            continue;
        template_print(family, "S", turns, 3, &all);
        CHECK_TEXT(buf_text(&all), texts[i].text);
        template_print(family, "", turns + 2, 1, &one);
        CHECK_TEXT(buf_text(&one), texts[i].without_system);
    }
    CHECK(template_find("none") == NULL);
    struct buf open BUF_CLEANUP = BUF_INIT; /* the last answer goes on */
    template_print(template_find("chatml"), "", turns, 2, &open);
    CHECK_TEXT(buf_text(&open), IM("user", " U1 ") "<|im_start|>assistant\nA1 ");
}

/* ---- choosing */

static void choices(void) {
    static const struct {
        struct template_hints hints;
        const char *family; /* NULL: none */
        bool is_guess;
        const char *why;
    } rows[] = {
        {{.setting = "gemma", .name = "hf:acme/llama-3"}, "gemma", false, "its setting `template`"},
        {{.setting = "none", .name = "hf:acme/llama-3"}, NULL, false, "its setting `template`"},
        {{.setting = "auto", .name = "hf:acme/Llama-3.2-1B"}, "llama3", true, "its name"},
        {{.chat_template = "{{ '<|im_start|>' + role }}", .name = "hf:acme/gemma"}, "chatml", false,
            "its chat template"},
        {{.chat_template = "'<|im_start|>user<|im_sep|>'"}, "phi4", false, "its chat template"},
        {{.chat_template = "'[INST] <<SYS>>\\n'"}, "llama2-sys", false, "its chat template"},
        {{.chat_template = "'[INST] ' + content + ' [/INST]'"}, "llama2", false, "its chat template"},
        {{.chat_template = "' [INST] ' + content"}, "mistral-v1", false, "its chat template"},
        {{.chat_template = "\"[AVAILABLE_TOOLS]\" \"[INST] \""}, "mistral-v3", false, "its chat template"},
        {{.chat_template = "\"[AVAILABLE_TOOLS]\" \"[INST]\""}, "mistral-v3-tekken", false,
            "its chat template"},
        {{.chat_template = "'[SYSTEM_PROMPT] ' '[INST] '"}, "mistral-v7", false, "its chat template"},
        {{.chat_template = "'[SYSTEM_PROMPT]' '[INST]'"}, "mistral-v7-tekken", false, "its chat template"},
        {{.chat_template = "<|user|> eos_token <|assistant|>"}, "zephyr", false, "its chat template"},
        {{.chat_template = "<|user|> <|end|> <|assistant|>"}, "phi3", false, "its chat template"},
        {{.chat_template = "a Falcon assistant <|user|> <|assistant|>"}, "falcon3", false,
            "its chat template"},
        {{.chat_template = "unheard of", .architecture = "gemma2"}, "gemma", true, "its architecture"},
        {{.tokens = "<s> </s> <|start_header_id|>", .architecture = "gemma"}, "llama3", true,
            "its special tokens"},
        {{.tokens = "<|user|> <|end|>"}, "phi3", true, "its special tokens"},
        {{.tokens = "<s> </s>", .architecture = "llama", .name = "hf:TinyLlama/TinyLlama-1.1B-Chat-v1.0"},
            "zephyr", true, "its name"},
        {{.architecture = "llama", .name = "hf:TheBloke/Llama-2-7B-Chat-GGUF"}, "llama2-sys", true,
            "its name"},
        {{.name = "hf:mistralai/Mistral-7B-Instruct-v0.2"}, "mistral-v1", true, "its name"},
        {{.name = "hf:mistralai/Mistral-7B-Instruct-v0.3"}, "mistral-v3", true, "its name"},
        {{.name = "hf:mistralai/Mistral-Nemo-Instruct-2407"}, "mistral-v3-tekken", true, "its name"},
        {{.name = "hf:mistralai/Mixtral-8x7B-Instruct-v0.1"}, "mistral-v1", true, "its name"},
        {{.name = "openai:acme/Falcon3-7B"}, "falcon3", true, "its name"},
        {{.name = "openai:acme/falcon-7b-instruct"}, "falcon", true, "its name"},
        {{.name = "openai:acme/deepseek-coder-6.7b"}, "deepseek", true, "its name"},
        {{.name = "hf:acme/DeepSeek-R1-Distill"}, "deepseek3", true, "its name"},
        {{.name = "hf:acme/tiny"}, "chatml", true, "nothing: most models know this one"},
        {{.name = NULL}, "chatml", true, "nothing: most models know this one"},
        {{.architecture = "qwen3", .name = "hf:Qwen/Qwen3-0.6B-Base"}, NULL, true,
            "its name: a base model goes on with any text"},
        {{.name = "hf:google/gemma-3-1b-pt"}, NULL, true, "its name: a base model goes on with any text"},
        {{.chat_template = "<start_of_turn>", .name = "hf:acme/x-base"}, "gemma", false, "its chat template"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct template_choice choice;
        template_choose(&rows[i].hints, &choice);
        CHECK_TEXT(choice.family ? choice.family->name : NULL, rows[i].family);
        CHECK_TEXT(choice.why, rows[i].why);
        CHECK_NUMBER(choice.is_guess, rows[i].is_guess);
    }
}

/* What the setting may be is written down twice, since the manager stands below: here it is compared. */
static void setting_words(void) {
    struct buf words BUF_CLEANUP = BUF_INIT;
    const struct option_row *row = model_settings;
    while (row->name && strcmp(row->name, "template"))
        row++;
    buf_text_add(&words, "auto|none");
    for (size_t i = 0; template_table[i].name; i++)
        buf_format(&words, "|%s", template_table[i].name);
    CHECK_TEXT(row->words, buf_text(&words));
}

/* ---- cutting */

struct heard {
    char text[8192];
    size_t len;
};

static int hear(void *context, const char *text, size_t len) {
    struct heard *heard = context;
    CHECK(len > 0);
    if (CHECK(heard->len + len < sizeof heard->text)) {
        memcpy(heard->text + heard->len, text, len);
        heard->len += len;
        heard->text[heard->len] = '\0';
    }
    return 0;
}

static int fail_to_hear(void *context, const char *text, size_t len) {
    (void)context, (void)text, (void)len;
    return -EIO;
}

/* `count` pieces, which begin at the places; all of the text is in them. */
static void stream(const char *family, const char *text, const size_t *places, size_t count,
    struct heard *ret_heard) {
    struct trimmer trimmer;
    size_t len = strlen(text);
    int result = 0;
    *ret_heard = (struct heard){.len = 0};
    trimmer_init(&trimmer, *family ? template_find(family) : NULL);
    for (size_t i = 0; i < count && !result; i++)
        result = trimmer_feed(&trimmer, text + places[i], (i + 1 < count ? places[i + 1] : len) - places[i],
            hear, ret_heard);
    CHECK(result == 0 || result == 1);
    CHECK_OK(trimmer_end(&trimmer, hear, ret_heard));
}

static const struct {
    const char *family, *text, *answer;
} streams[] = {
    {"chatml", "plain words", "plain words"},
    {"chatml", "", ""},
    {"chatml", "  \n words, with blanks behind \n", "words, with blanks behind \n"},
    {"chatml", "an end<|im_end|>", "an end"},
    {"chatml", "an end<|im_end|>\n<|im_start|>user\nmore", "an end"},
    {"chatml", "an end\n<|im_start|>user\nmore", "an end\n"},
    {"chatml", "<|im_start|>assistant\nwords", "words"},
    {"chatml", "\n<|im_start|>assistant\n\n words", "words"},
    {"chatml", "<|im_start|>user\nwords", ""},
    {"chatml", "<|im_start|>assistant\n<|im_start|>assistant\nwords", ""},
    {"chatml", "<|im_start|>assistant", ""},
    {"chatml", "cut in two <|im_e", "cut in two "},
    {"chatml", "less < more", "less < more"},
    {"chatml", "less <", "less <"},
    {"chatml", "less <|", "less <|"},
    {"chatml", "a <s>struck</s> word", "a <s>struck</s> word"},
    {"chatml", "a word</s>", "a word"},
    {"chatml", "a word</s>\n</s> <|eot_id|>\n", "a word"},
    {"chatml", "a word</s><|im_end|>more", "a word"},
    {"chatml", "a word</s>\n<|im_x", "a word</s>\n<|im_x"},
    {"chatml", "a <|im_sta <|im_end|>", "a <|im_sta "},
    {"chatml", "a <<|im_end|> b", "a <"},
    {"chatml", "\xe2\x82\xac<|im_end|>", "\xe2\x82\xac"},
    {"llama2-sys", " [/INST] words [INST] more", "words "},
    {"llama2-sys", "words[/INS", "words"},
    {"llama2-sys", "[1] is no tag", "[1] is no tag"},
    {"mistral-v3", "[/INST] words</s> [INST]", "words"},
    {"vicuna", " words\nUSER: more", "words"},
    {"vicuna", " words\nUSELESS", "words\nUSELESS"},
    {"vicuna", "ASSISTANT: words\n", "words\n"},
    {"vicuna", "ASSIST", ""},
    {"vicuna", "AS it is", "AS it is"},
    {"falcon", " words\nUser: and I?", "words"},
    {"falcon", " words\nUse", "words\nUse"},
    {"deepseek3", DS("Assistant") "words" DS_END, "words"},
    {"deepseek3", "words<\xef\xbd", "words"},
    {"gemma4", "<|turn>model\nwords<turn|>", "words"},
    {"", "  <|im_start|>assistant\nas it is</s>", "  <|im_start|>assistant\nas it is</s>"},
};

/* Whole, byte by byte, and in every two and every three pieces: always the same. */
static void every_split(void) {
    struct heard heard;
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        const char *family = streams[i].family, *text = streams[i].text;
        size_t len = strlen(text), places[256];
        for (size_t at = 0; at < len; at++)
            places[at] = at;
        stream(family, text, places, len, &heard);
        CHECK_TEXT(heard.text, streams[i].answer);
        for (size_t one = 0; one < len; one++)
            for (size_t two = one; two < len; two++) {
                stream(family, text, (size_t[]){0, one, two}, 3, &heard);
                if (strcmp(heard.text, streams[i].answer)) { /* once each is enough to know */
                    CHECK_TEXT(heard.text, streams[i].answer);
                    one = two = len;
                }
            }
    }
}

/* What is no beginning of a mark is given at once: nobody waits for a token that is here. */
static void nothing_is_late(void) {
    struct heard heard = {.len = 0};
    struct trimmer trimmer;
    trimmer_init(&trimmer, template_find("chatml"));
    CHECK_NUMBER(trimmer_feed(&trimmer, "Hello", 5, hear, &heard), 0);
    CHECK_TEXT(heard.text, "Hello");
    CHECK_NUMBER(trimmer_feed(&trimmer, " <|im", 5, hear, &heard), 0);
    CHECK_TEXT(heard.text, "Hello ");
    CHECK_NUMBER(trimmer_feed(&trimmer, "age|>", 5, hear, &heard), 0);
    CHECK_TEXT(heard.text, "Hello <|image|>");
    CHECK_NUMBER(trimmer_feed(&trimmer, "<|im_end|>", 10, hear, &heard), 1);
    CHECK_NUMBER(trimmer_feed(&trimmer, "more", 4, hear, &heard), 1);
    CHECK_TEXT(heard.text, "Hello <|image|>");
    trimmer_init(&trimmer, template_find("chatml"));
    CHECK_ERROR(trimmer_feed(&trimmer, "x", 1, fail_to_hear, NULL), -EIO);
}

/* A long tail of what may be cut is not held for ever, and a long piece goes through. */
static void bounded(void) {
    static char text[4000];
    struct heard heard;
    memset(text, '\n', sizeof text - 1);
    memcpy(text, "a</s>", 5);
    stream("chatml", text, (size_t[]){0}, 1, &heard);
    CHECK_NUMBER(heard.len, sizeof text - 1);
    memset(text, 'x', sizeof text - 1);
    stream("chatml", text, (size_t[]){0, 1000}, 2, &heard);
    CHECK_TEXT(heard.text, text);
    memcpy(text + sizeof text - 1 - 10, "<|im_end|>", 10);
    stream("chatml", text, (size_t[]){0}, 1, &heard);
    CHECK_NUMBER(heard.len, sizeof text - 11);
}

/* infer-template FAMILY: its text of `turns`, for tests/mount/119-template. */
static int print_family(const char *name) {
    struct buf text BUF_CLEANUP = BUF_INIT;
    const struct template_family *family = template_find(name);
    if (!family)
        return 1;
    template_print(family, "S", turns, 3, &text);
    return fputs(buf_text(&text), stdout) < 0;
}

int main(int argc, char **argv) {
    if (argc == 2)
        return print_family(argv[1]);
    each_family();
    choices();
    setting_words();
    every_split();
    nothing_is_late();
    bounded();
    return check_result();
}
