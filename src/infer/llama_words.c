/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/llama_words.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* The first row that fits a line counts; what the engine said is added to the sentence. Each was seen in a
 * log of llama-server, or stands in its source. */
static const struct {
    const char *words;
    int error;
    const char *sentence;
} rows[] = {
    {"", -EIO, ""}, /* row 0: nothing known was said */

    {"insufficient memory", -ENOMEM,
        "it has not enough memory; a smaller context_tokens or fewer slots help"},
    {"out of memory", -ENOMEM, "it has not enough memory; fewer gpu_layers or a smaller context_tokens help"},
    {"failed to allocate", -ENOMEM, "it has not enough memory; a smaller context_tokens or fewer slots help"},
    {"unable to allocate", -ENOMEM, "it has not enough memory; a smaller context_tokens or fewer slots help"},
    {"cudaMalloc failed", -ENOMEM,
        "the GPU has not enough memory; fewer gpu_layers or a smaller context_tokens help"},
    {"bad_alloc", -ENOMEM, "it has not enough memory (engine_memory_bytes is its limit)"},
    {"Cannot allocate memory", -ENOMEM, "it has not enough memory (engine_memory_bytes is its limit)"},
    {"Resource temporarily unavailable", -ENOMEM,
        "it could not have another thread or more memory (engine_memory_bytes is its limit)"},

    {"unknown model architecture", -EOPNOTSUPP,
        "this llama-server does not know the model's architecture; a newer one may"},
    {"only supports up to version", -EOPNOTSUPP,
        "the file is of a newer GGUF version than this llama-server knows"},
    {"GGUFv1 is no longer supported", -EOPNOTSUPP, "the file is of a GGUF version that is out of use"},
    {"invalid magic", -EOPNOTSUPP, "the file is no GGUF file"},
    {"failed to read magic", -EOPNOTSUPP, "the file is no GGUF file"},
    {"key not found in model", -EOPNOTSUPP, "the file is no whole model (an adapter, or a part of one)"},
    {"missing tensor", -EOPNOTSUPP, "the file is no whole model (an adapter, or a part of one)"},
    {"unknown pre-tokenizer type", -EOPNOTSUPP,
        "this llama-server does not know the model's tokenizer; a newer one may"},
    {"failed to read key-value pairs", -EBADMSG, "the file is damaged or cut short, as it was published"},
    {"failed to read tensor", -EBADMSG, "the file is damaged or cut short, as it was published"},
    {"not within the file bounds", -EBADMSG, "the file is damaged or cut short, as it was published"},
    {"number of tensors is", -EBADMSG, "the file is damaged, as it was published"},
    {"model is corrupted", -EBADMSG, "the file is damaged or cut short, as it was published"},
    {"illegal split file idx", -EBADMSG, "its shards are not numbered as they have to be"},
    {"invalid split file name", -EBADMSG, "its shards are not named NAME-00001-of-0000N.gguf"},
    {"failed to load GGUF split", -ENODATA, "a shard of the model is missing"},
    {"Failed to load CLIP model", -EOPNOTSUPP, "the projector (mmproj) does not belong to this model"},
    {"chat template is not supported", -EOPNOTSUPP, "it can't use the model's chat template"},

    {"invalid device", -ENODEV,
        "this machine or this llama-server has no such device (setting device); `llama-server "
        "--list-devices` shows those it has"},
    {"does not divide n_embd_head", -EINVAL, "cache_type_k or cache_type_v does not fit this model"},
    {"quantized V cache requires", -EINVAL,
        "cache_type_v does not go without flash attention (llama_arguments)"},
    {"CUDA error", -EIO, "the GPU failed"},
    {"ErrorDeviceLost", -EIO, "the GPU failed"},
    {"invalid argument", -EINVAL,
        "this llama-server does not know an argument: it is another version, or llama_arguments is wrong"},
    {"error while handling argument", -EINVAL, "llama-server refuses the value of a setting"},
    {"couldn't bind HTTP server socket", -EADDRINUSE,
        "it could not make its socket; one from before 2025 knows no Unix sockets"},
    {"error while loading shared libraries", -ENOEXEC, "a library that llama-server needs is missing"},
    {"Input/output error", -EIO, "the weights could not be read"},
    {"mmap failed", -EIO, "the weights could not be mapped"},
};

/* How an end by a signal is meant, for want of words. */
static const struct {
    int number, error;
    const char *sentence;
} signals[] = {
    {SIGKILL, -ENOMEM, "it was killed, as the kernel does when the machine's memory runs out"},
    {SIGBUS, -EIO, "a page of its weights could not be read"},
    {SIGILL, -ENOEXEC, "this build of llama-server does not fit this processor"},
};

/* "0.00.318.522 E srv  load: text" */
const char *llama_line(const char *line, bool *ret_is_error) {
    const char *at = line + strspn(line, "0123456789.");
    if (at > line && at[0] == ' ' && at[1] && strchr("IWED", at[1]) && at[2] == ' ') {
        *ret_is_error = at[1] == 'E';
        at += 3;
        return at + strspn(at, " ");
    }
    *ret_is_error = strstr(line, "error") != NULL;
    return line;
}

static int find_row(const char *text) {
    for (size_t i = 1; i < sizeof rows / sizeof *rows; i++)
        if (strstr(text, rows[i].words))
            return (int)i;
    return 0;
}

void llama_words_note(struct llama_words *words, const char *line) {
    bool is_error;
    const char *text = llama_line(line, &is_error);
    if (!*text)
        return;
    utf8_cut(words->last, sizeof words->last, text);
    if (is_error && !*words->first)
        utf8_cut(words->first, sizeof words->first, text);
    /* A line with another level than an error's is no failure; one without any may be: a library's last. */
    if (words->row || (!is_error && text != line))
        return;
    words->row = find_row(text);
    if (words->row)
        utf8_cut(words->known, sizeof words->known, text);
}

static int judge_signal(const char *text, int number, struct reason *reason) {
    const char *colon = *text ? "; its last words: " : "";
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (signals[i].number == number)
            return err_because(reason, signals[i].error, "llama-server was ended by signal %d: %s%s%s",
                number, signals[i].sentence, colon, text);
    return err_because(reason, -EIO, "llama-server was ended by signal %d%s%s", number, colon, text);
}

int llama_words_judge(const struct llama_words *words, int code, struct reason *reason) {
    const char *text = words->row ? words->known : *words->first ? words->first : words->last;
    if (words->row)
        return err_because(reason, rows[words->row].error, "llama-server ended: %s: %s",
            rows[words->row].sentence, text);
    if (code > 128)
        return judge_signal(text, code - 128, reason);
    return err_because(reason, -EIO, "llama-server ended with %d%s%s", code,
        *text ? ": " : " and without a word", text);
}
