/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/talk.h"

#include <string.h>

#include "infer/chat_inside.h"

int talk_take(struct seat *seat, struct question *question, struct talk *talk, struct reason *reason) {
    if (question->asking.chat_id)
        return chat_talk(seat, question, talk, reason);
    infer_text(seat->infer, seat->model_id, "system", &talk->system);
    infer_text(seat->infer, seat->model_id, "params", &talk->params);
    talk_add(talk, TEMPLATE_USER, question->text);
    return 0;
}

void talk_add(struct talk *talk, enum template_role role, const char *text) {
    if (talk->count == talk->room) {
        talk->room = talk->room ? talk->room * 2 : 1;
        talk->turns = mem_resize(talk->turns, talk->room, sizeof *talk->turns);
    }
    talk->bytes += strlen(text);
    talk->turns[talk->count++] = (struct template_turn){role, mem_text(text)};
}

static void cut_line_end(char *text) {
    for (size_t len = strlen(text); len && text[len - 1] == '\n'; len--)
        text[len - 1] = '\0';
}

void talk_trim(struct talk *talk) {
    for (size_t i = 0; i < talk->count; i++)
        cut_line_end((char *)(uintptr_t)talk->turns[i].text); /* our own copy */
    while (talk->system.len && talk->system.data[talk->system.len - 1] == '\n')
        talk->system.data[--talk->system.len] = '\0';
}

void talk_done(struct talk *talk) {
    for (size_t i = 0; i < talk->count; i++)
        free((char *)(uintptr_t)talk->turns[i].text);
    free(talk->turns);
    buf_done(&talk->system);
    buf_done(&talk->params);
}
