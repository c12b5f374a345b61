/* SPDX-License-Identifier: Apache-2.0 */
/* The families: what stands before and after the system prompt, a question and an answer, and what the model
 * goes on from. */

#include <string.h>

#include "infer/template.h"

/* clang-format off */
#define SYSTEM(before, after) .system_before = before, .system_after = after
#define USER(before, after)   .user_before = before, .user_after = after
#define ANSWER(before, after) .answer_before = before, .answer_after = after

#define DEEPSEEK_END "<\uff5cend\u2581of\u2581sentence\uff5c>"

const struct template_family template_table[] = {
    { .name = "chatml", .help = "Qwen, Yi, Hermes, and what says nothing",
      SYSTEM("<|im_start|>system\n", "<|im_end|>\n"), USER("<|im_start|>user\n", "<|im_end|>\n"),
      ANSWER("<|im_start|>assistant\n", "<|im_end|>\n"), .open = "<|im_start|>assistant\n",
      .stops = { "<|im_end|>", "<|im_start|>" } },
    { .name = "llama2", .help = "Llama 2, the system prompt without its marks",
      SYSTEM("", "\n"), USER("[INST] ", " [/INST]"), ANSWER("", "</s>"), .open = "", .system_inside = true,
      .stops = { "</s>", "[INST]" } },
    { .name = "llama2-sys", .help = "Llama 2",
      SYSTEM("<<SYS>>\n", "\n<</SYS>>\n\n"), USER("[INST] ", " [/INST]"), ANSWER("", "</s>"), .open = "",
      .system_inside = true, .stops = { "</s>", "[INST]" } },
    { .name = "llama3", .help = "Llama 3",
      SYSTEM("<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>"),
      USER("<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"),
      ANSWER("<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"),
      .open = "<|start_header_id|>assistant<|end_header_id|>\n\n", .trim = TRIM_ALL,
      .stops = { "<|eot_id|>", "<|eom_id|>", "<|start_header_id|>" } },
    { .name = "llama4", .help = "Llama 4",
      SYSTEM("<|header_start|>system<|header_end|>\n\n", "<|eot|>"),
      USER("<|header_start|>user<|header_end|>\n\n", "<|eot|>"),
      ANSWER("<|header_start|>assistant<|header_end|>\n\n", "<|eot|>"),
      .open = "<|header_start|>assistant<|header_end|>\n\n", .trim = TRIM_ALL,
      .stops = { "<|eot|>", "<|header_start|>" } },
    { .name = "mistral-v1", .help = "Mistral 7B 0.1 and 0.2, Mixtral",
      SYSTEM("", "\n\n"), USER(" [INST] ", " [/INST]"), ANSWER(" ", "</s>"), .open = "",
      .system_inside = true, .stops = { "</s>", "[INST]" } },
    { .name = "mistral-v3", .help = "Mistral 7B 0.3, Codestral 22B",
      SYSTEM("", "\n\n"), USER("[INST] ", "[/INST]"), ANSWER(" ", "</s>"), .open = "",
      .system_inside = true, .trim = TRIM_ANSWERS, .stops = { "</s>", "[INST]" } },
    { .name = "mistral-v3-tekken", .help = "Mistral Nemo, Pixtral, Ministral",
      SYSTEM("", "\n\n"), USER("[INST]", "[/INST]"), ANSWER("", "</s>"), .open = "",
      .system_inside = true, .stops = { "</s>", "[INST]" } },
    { .name = "mistral-v7", .help = "Mistral Large 2411",
      SYSTEM("[SYSTEM_PROMPT] ", "[/SYSTEM_PROMPT]"), USER("[INST] ", "[/INST]"), ANSWER(" ", "</s>"),
      .open = "", .stops = { "</s>", "[INST]", "[SYSTEM_PROMPT]" } },
    { .name = "mistral-v7-tekken", .help = "Mistral Small 3, Magistral, Devstral",
      SYSTEM("[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"), USER("[INST]", "[/INST]"), ANSWER("", "</s>"),
      .open = "", .stops = { "</s>", "[INST]", "[SYSTEM_PROMPT]" } },
    /* The models' own, which end turns with their end of text; llama-server's `zephyr` is the next row. */
    { .name = "zephyr", .help = "Zephyr, TinyLlama",
      SYSTEM("<|system|>\n", "</s>\n"), USER("<|user|>\n", "</s>\n"), ANSWER("<|assistant|>\n", "</s>\n"),
      .open = "<|assistant|>\n", .stops = { "</s>", "<|user|>", "<|system|>" } },
    { .name = "zephyr-endoftext", .help = "Zephyr of StableLM",
      SYSTEM("<|system|>\n", "<|endoftext|>\n"), USER("<|user|>\n", "<|endoftext|>\n"),
      ANSWER("<|assistant|>\n", "<|endoftext|>\n"), .open = "<|assistant|>\n",
      .stops = { "<|endoftext|>", "<|user|>", "<|system|>" } },
    { .name = "gemma", .help = "Gemma 1 to 3",
      SYSTEM("", "\n\n"), USER("<start_of_turn>user\n", "<end_of_turn>\n"),
      ANSWER("<start_of_turn>model\n", "<end_of_turn>\n"), .open = "<start_of_turn>model\n",
      .system_inside = true, .trim = TRIM_ALL, .stops = { "<end_of_turn>", "<start_of_turn>" } },
    /* As its authors describe it: llama-server has no formatter for it. */
    { .name = "gemma4", .help = "Gemma 4",
      SYSTEM("<|turn>system\n", "<turn|>\n"), USER("<|turn>user\n", "<turn|>\n"),
      ANSWER("<|turn>model\n", "<turn|>\n"), .open = "<|turn>model\n", .trim = TRIM_ALL,
      .stops = { "<turn|>", "<|turn>" } },
    { .name = "phi3", .help = "Phi 3",
      SYSTEM("<|system|>\n", "<|end|>\n"), USER("<|user|>\n", "<|end|>\n"),
      ANSWER("<|assistant|>\n", "<|end|>\n"), .open = "<|assistant|>\n",
      .stops = { "<|end|>", "<|user|>", "<|endoftext|>" } },
    { .name = "phi4", .help = "Phi 4",
      SYSTEM("<|im_start|>system<|im_sep|>", "<|im_end|>"), USER("<|im_start|>user<|im_sep|>", "<|im_end|>"),
      ANSWER("<|im_start|>assistant<|im_sep|>", "<|im_end|>"), .open = "<|im_start|>assistant<|im_sep|>",
      .stops = { "<|im_end|>", "<|im_start|>" } },
    /* Trained on talks of this form: it has no marks of its own. */
    { .name = "falcon", .help = "Falcon 7B and 40B",
      SYSTEM("", "\n"), USER("User: ", "\n"), ANSWER("Assistant: ", "\n"), .open = "Assistant:",
      .trim = TRIM_ALL, .stops = { "\nUser:", "<|endoftext|>" } },
    { .name = "falcon3", .help = "Falcon 3",
      SYSTEM("<|system|>\n", "\n"), USER("<|user|>\n", "\n"), ANSWER("<|assistant|>\n", "\n"),
      .open = "<|assistant|>\n", .stops = { "<|endoftext|>", "<|user|>" } },
    { .name = "vicuna", .help = "Vicuna",
      SYSTEM("", "\n\n"), USER("USER: ", "\n"), ANSWER("ASSISTANT: ", "</s>\n"), .open = "ASSISTANT:",
      .stops = { "</s>", "\nUSER:" } },
    { .name = "vicuna-orca", .help = "Orca on Vicuna",
      SYSTEM("SYSTEM: ", "\n"), USER("USER: ", "\n"), ANSWER("ASSISTANT: ", "</s>\n"), .open = "ASSISTANT:",
      .stops = { "</s>", "\nUSER:" } },
    { .name = "deepseek", .help = "DeepSeek Coder 1",
      SYSTEM("", ""), USER("### Instruction:\n", "\n"), ANSWER("### Response:\n", "\n<|EOT|>\n"),
      .open = "### Response:\n", .stops = { "<|EOT|>", "### Instruction:" } },
    { .name = "deepseek2", .help = "DeepSeek 2",
      SYSTEM("", "\n\n"), USER("User: ", "\n\n"), ANSWER("Assistant: ", DEEPSEEK_END), .open = "Assistant:",
      .stops = { DEEPSEEK_END, "\nUser:" } },
    { .name = "deepseek3", .help = "DeepSeek 3 and R1",
      SYSTEM("", "\n\n"), USER("<\uff5cUser\uff5c>", ""), ANSWER("<\uff5cAssistant\uff5c>", DEEPSEEK_END),
      .open = "<\uff5cAssistant\uff5c>", .stops = { DEEPSEEK_END, "<\uff5cUser\uff5c>" } },
    { .name = "command-r", .help = "Command R",
      SYSTEM("<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>", "<|END_OF_TURN_TOKEN|>"),
      USER("<|START_OF_TURN_TOKEN|><|USER_TOKEN|>", "<|END_OF_TURN_TOKEN|>"),
      ANSWER("<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>", "<|END_OF_TURN_TOKEN|>"),
      .open = "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>", .trim = TRIM_ALL,
      .stops = { "<|END_OF_TURN_TOKEN|>", "<|START_OF_TURN_TOKEN|>" } },
    { .name = "granite", .help = "Granite 3 and 4",
      SYSTEM("<|start_of_role|>system<|end_of_role|>", "<|end_of_text|>\n"),
      USER("<|start_of_role|>user<|end_of_role|>", "<|end_of_text|>\n"),
      ANSWER("<|start_of_role|>assistant<|end_of_role|>", "<|end_of_text|>\n"),
      .open = "<|start_of_role|>assistant<|end_of_role|>",
      .stops = { "<|end_of_text|>", "<|start_of_role|>" } },
    { .name = "openchat", .help = "OpenChat, Starling",
      SYSTEM("", "<|end_of_turn|>"), USER("GPT4 Correct User: ", "<|end_of_turn|>"),
      ANSWER("GPT4 Correct Assistant: ", "<|end_of_turn|>"), .open = "GPT4 Correct Assistant:",
      .stops = { "<|end_of_turn|>", "GPT4 Correct User:" } },
    { .name = "chatglm4", .help = "GLM 4", .begin = "[gMASK]<sop>",
      SYSTEM("<|system|>\n", ""), USER("<|user|>\n", ""), ANSWER("<|assistant|>\n", ""),
      .open = "<|assistant|>\n", .stops = { "<|user|>", "<|endoftext|>" } },
    { .name = "exaone3", .help = "EXAONE 3",
      SYSTEM("[|system|]", "[|endofturn|]\n"), USER("[|user|]", "\n"),
      ANSWER("[|assistant|]", "[|endofturn|]\n"), .open = "[|assistant|]", .trim = TRIM_ALL,
      .stops = { "[|endofturn|]", "[|user|]" } },
    { .name = NULL },
};
/* clang-format on */

const struct template_family *template_find(const char *name) {
    for (const struct template_family *family = template_table; family->name; family++)
        if (!strcmp(family->name, name))
            return family;
    return NULL;
}
