/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_INFER_LLAMA_FLAGS_H
#define WEIGHTFS_INFER_LLAMA_FLAGS_H

/*
 * How llama-server is called: its options, where it lies, and the words of its command line. Few flags, since
 * they die young.
 */

#include <limits.h>
#include <stddef.h>

#include "base/buf.h"
#include "weightfs/engine.h"

#define LLAMA_WORDS_MOST 96 /* of a command line */

extern const struct option_row llama_options[];

/* The program: the option llama_server, else as a shell looks on PATH. -ENOENT …, with what to do. */
int llama_find(const struct options *given, char to[static PATH_MAX], struct reason *reason);

/* One word after the other, kept until the child has been started. Zeroed to begin with; its text is freed
 * by the owner (buf_done). */
struct command_line {
    struct buf text; /* the words, each with its NUL */
    const char *array[LLAMA_WORDS_MOST + 1];
    size_t offsets[LLAMA_WORDS_MOST], count;
};
void command_line_add(struct command_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* No more words come: `array` is whole, NULL-ended, and points into `text`. */
void command_line_end(struct command_line *line);

/* All words but the program's, from the options. The model's files lie as named links in FOLDER/files. */
void llama_flags_add(struct command_line *line, const struct engine_start *start, const char *socket);
/* What the model can be asked then: enum engine_ability bits. */
unsigned llama_can(const struct engine_start *start);
/* What such a link is called: a file's name without its folders. */
const char *llama_link_name(const struct engine_file *file);

/* "cuda:0,vulkan:1" as llama-server spells it: "CUDA0,Vulkan1"; "cpu": "none"; "auto": "". (Pure.) */
void llama_device(const char *device, struct buf *to);
/* May these be added to the command line? Not those that are ours to give. (Pure.) */
bool llama_arguments_fit(const char *text);

#endif
