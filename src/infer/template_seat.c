/* SPDX-License-Identifier: Apache-2.0 */
/* Which family's texts a model of ours is asked with. Desk. */

#include <stdio.h>

#include "infer/inside.h"
#include "manage/card.h"
#include "manage/setting.h"

void seat_template(struct seat *seat, struct template_choice *ret_choice) {
    struct manage *manage = seat->infer->settings.manage;
    struct card card CARD_CLEANUP = {.whole = false};
    struct catalog_model model;
    struct template_hints hints = {.name = seat->name};
    char setting[64] = "";
    if (catalog_model(manage_catalog(manage), seat->model_id, &model) == 0) {
        (void)model_setting_text(manage, &model, "template", setting, sizeof setting);
        (void)card_of(manage, &model, &card); /* empty where nothing is known */
    }
    hints.setting = setting;
    hints.chat_template = card.chat_template;
    hints.architecture = card.architecture;
    template_choose(&hints, ret_choice);
    LOCK_SCOPE(&seat->infer->lock);
    struct infer_report *figures = &seat->figures;
    snprintf(figures->template, sizeof figures->template, "%s",
        ret_choice->family ? ret_choice->family->name : "none");
    figures->template_why = ret_choice->why;
    figures->template_guessed = ret_choice->is_guess;
}
