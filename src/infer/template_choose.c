/* SPDX-License-Identifier: Apache-2.0 */
/* Which family a model is of. Each table is looked through from its top; the first row all of whose words are
 * there counts. */

#include <ctype.h>
#include <string.h>

#include "infer/template.h"

#define WORDS_MOST 3

struct clue {
    const char *family;
    const char *words[WORDS_MOST];
};

/* In the text of a chat template: a program, in which the marks stand as strings. */
static const struct clue in_templates[] = {
    {"phi4", {"<|im_start|>", "<|im_sep|>"}},
    {"chatml", {"<|im_start|>"}},
    {"mistral-v7", {"[INST]", "[SYSTEM_PROMPT] "}},
    {"mistral-v7-tekken", {"[INST]", "[SYSTEM_PROMPT]"}},
    {"llama2-sys", {"[INST]", "<<SYS>>"}},
    {"mistral-v1", {" [INST]"}},
    {"mistral-v3-tekken", {"[AVAILABLE_TOOLS]", "\"[INST]\""}},
    {"mistral-v3", {"[AVAILABLE_TOOLS]", "[INST]"}},
    {"llama2", {"[INST]"}},
    {"llama3", {"<|start_header_id|>"}},
    {"llama4", {"<|header_start|>"}},
    {"gemma", {"<start_of_turn>"}},
    {"gemma4", {"<|turn>"}},
    {"command-r", {"<|START_OF_TURN_TOKEN|>"}},
    {"granite", {"<|start_of_role|>"}},
    {"phi3", {"<|assistant|>", "<|end|>"}},
    {"chatglm4", {"<|assistant|>", "[gMASK]"}},
    {"zephyr-endoftext", {"<|assistant|>", "<|user|>", "<|endoftext|>"}},
    {"falcon3", {"<|assistant|>", "<|user|>", "Falcon assistant"}},
    {"zephyr", {"<|assistant|>", "<|user|>"}},
    {"exaone3", {"[|assistant|]"}},
    {"openchat", {"GPT4 Correct "}},
    {"deepseek3", {"<\uff5cAssistant\uff5c>"}},
    {"deepseek", {"### Instruction:", "<|EOT|>"}},
    {"deepseek2", {"User: ", "Assistant: ", "\u2581of\u2581"}},
    {"vicuna-orca", {"SYSTEM: ", "USER: ", "ASSISTANT: "}},
    {"vicuna", {"USER: ", "ASSISTANT: "}},
    {NULL, {NULL}},
};

static const struct clue in_tokens[] = {
    {"phi4", {"<|im_start|>", "<|im_sep|>"}},
    {"chatml", {"<|im_start|>"}},
    {"llama3", {"<|start_header_id|>"}},
    {"llama4", {"<|header_start|>"}},
    {"gemma", {"<start_of_turn>"}},
    {"gemma4", {"<|turn>"}},
    {"command-r", {"<|START_OF_TURN_TOKEN|>"}},
    {"granite", {"<|start_of_role|>"}},
    {"phi3", {"<|end|>", "<|user|>"}},
    {"deepseek3", {"<\uff5cAssistant\uff5c>"}},
    {"exaone3", {"[|endofturn|]"}},
    {"mistral-v7-tekken", {"[INST]", "[SYSTEM_PROMPT]"}},
    {"mistral-v3", {"[INST]"}},
    {NULL, {NULL}},
};

/* In names, in lower case. Those that say more come before those that say less. */
static const struct clue in_names[] = {
    {"zephyr-endoftext", {"stablelm", "zephyr"}},
    {"zephyr", {"tinyllama"}},
    {"zephyr", {"zephyr"}},
    {"chatml", {"hermes"}},
    {"chatml", {"dolphin"}},
    {"deepseek3", {"deepseek-r1"}},
    {"deepseek3", {"deepseek-v3"}},
    {"deepseek2", {"deepseek-v2"}},
    {"deepseek2", {"deepseek-coder-v2"}},
    {"deepseek", {"deepseek-coder"}},
    {"vicuna", {"vicuna"}},
    {"vicuna-orca", {"orca-2"}},
    {"openchat", {"openchat"}},
    {"openchat", {"starling-lm"}},
    {"llama4", {"llama-4"}},
    {"llama3", {"llama-3"}},
    {"llama3", {"llama3"}},
    {"llama2-sys", {"llama-2"}},
    {"llama2-sys", {"codellama"}},
    {"mistral-v7-tekken", {"magistral"}},
    {"mistral-v7-tekken", {"devstral"}},
    {"mistral-v7-tekken", {"mistral-small-3"}},
    {"mistral-v7-tekken", {"mistral-small-24b"}},
    {"mistral-v7", {"mistral-large", "2411"}},
    {"mistral-v3-tekken", {"nemo", "mistral"}},
    {"mistral-v3-tekken", {"pixtral"}},
    {"mistral-v3-tekken", {"ministral"}},
    {"mistral-v3", {"codestral"}},
    {"mistral-v3", {"mistral", "v0.3"}},
    {"mistral-v1", {"mixtral"}},
    {"mistral-v1", {"mistral"}},
    {"gemma4", {"gemma-4"}},
    {"gemma", {"gemma"}},
    {"phi4", {"phi-4"}},
    {"phi3", {"phi-3"}},
    {"falcon3", {"falcon3"}},
    {"falcon", {"falcon-"}},
    {"command-r", {"command-r"}},
    {"command-r", {"aya-"}},
    {"granite", {"granite"}},
    {"chatglm4", {"glm-4"}},
    {"exaone3", {"exaone-3"}},
    {"chatml", {"qwen"}},
    {NULL, {NULL}},
};

/* Of GGUF and of config.json, whole. */
static const struct clue architectures[] = {
    {"gemma", {"gemma"}},
    {"gemma", {"gemma2"}},
    {"gemma", {"gemma3"}},
    {"gemma", {"gemma3n"}},
    {"gemma4", {"gemma4"}},
    {"phi3", {"phi3"}},
    {"llama4", {"llama4"}},
    {"falcon", {"falcon"}},
    {"command-r", {"command-r"}},
    {"command-r", {"cohere"}},
    {"command-r", {"cohere2"}},
    {"granite", {"granite"}},
    {"granite", {"granitemoe"}},
    {"chatglm4", {"chatglm"}},
    {"exaone3", {"exaone"}},
    {"chatml", {"qwen2"}},
    {"chatml", {"qwen2moe"}},
    {"chatml", {"qwen3"}},
    {"chatml", {"qwen3moe"}},
    {NULL, {NULL}},
};

static bool is_in(const char *word, const char *text) {
    return strstr(text, word) != NULL;
}

static bool is_same(const char *word, const char *text) {
    return strcmp(text, word) == 0;
}

/* As is_in(), the text in any case. */
static bool is_in_name(const char *word, const char *text) {
    size_t len = strlen(word);
    for (; *text; text++) {
        size_t at = 0;
        while (at < len && tolower((unsigned char)text[at]) == word[at])
            at++;
        if (at == len)
            return true;
    }
    return false;
}

static const struct template_family *look(const struct clue *clues, const char *text,
    bool (*holds)(const char *word, const char *text)) {
    if (!text || !*text)
        return NULL;
    for (; clues->family; clues++) {
        size_t at = 0;
        while (at < WORDS_MOST && clues->words[at] && holds(clues->words[at], text))
            at++;
        if (at == WORDS_MOST || !clues->words[at])
            return template_find(clues->family);
    }
    return NULL;
}

static bool is_base(const char *name) {
    static const char *const words[] = {"-base", "_base", "-pt-gguf", "-pretrained"};
    size_t len = name ? strlen(name) : 0;
    for (size_t i = 0; len && i < sizeof words / sizeof words[0]; i++)
        if (is_in_name(words[i], name))
            return true;
    return len > 3 && !strcmp(name + len - 3, "-pt");
}

/* Is it told, by the user? */
static bool take_setting(const char *setting, struct template_choice *choice) {
    if (!setting || !*setting || !strcmp(setting, "auto"))
        return false;
    choice->family = template_find(setting); /* of "none" there is none */
    choice->why = "its setting `template`";
    return choice->family || !strcmp(setting, "none");
}

void template_choose(const struct template_hints *hints, struct template_choice *ret_choice) {
    const struct {
        const char *text;
        const struct clue *clues;
        bool (*holds)(const char *word, const char *text);
        bool is_guess;
        const char *why;
    } steps[] = {
        {hints->chat_template, in_templates, is_in, false, "its chat template"},
        {hints->tokens, in_tokens, is_in, true, "its special tokens"},
        {hints->architecture, architectures, is_same, true, "its architecture"},
        {hints->name, in_names, is_in_name, true, "its name"},
    };
    *ret_choice = (struct template_choice){.family = NULL};
    if (take_setting(hints->setting, ret_choice))
        return;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (i && is_base(hints->name))
            break;
        ret_choice->family = look(steps[i].clues, steps[i].text, steps[i].holds);
        if (ret_choice->family) {
            ret_choice->is_guess = steps[i].is_guess;
            ret_choice->why = steps[i].why;
            return;
        }
    }
    ret_choice->is_guess = true;
    ret_choice->family = is_base(hints->name) ? NULL : template_find("chatml");
    ret_choice->why = ret_choice->family ? "nothing: most models know this one"
                                         : "its name: a base model goes on with any text";
}
