/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_SETTING_H
#define WEIGHTFS_MANAGE_SETTING_H

/*
 * Settings: what is written into config/, of the whole and of each model. Both are rows as options are
 * (base/option.h), so that checking, printing and documents are the same for both.
 *
 *   The whole: the options of all floors. What config/ holds is the layer OPTION_CONFIG, kept in the
 *   catalogue. A row that is `live` is in force at once and told as NEWS_SETTING (text: its name); of
 *   others the change is kept, and in force from the next mount on.
 *
 *   A model: model_settings[], which all parts of the manager add rows to, and the schema of its entry
 *   in the registry. What config/ of the model holds, else the option of the same name of the whole where
 *   there is one, else the row's default. Always in force at once; NEWS_SETTING has the model's id.
 *
 * They are changed by the command `set` (setting_command.c): a write into config/ is one, too.
 */

#include "base/option.h"
#include "model/catalog.h"

struct manage;

/* Ended by a row without a name. A row's readers ask for it with the functions below, each time. */
extern const struct option_row model_settings[];

/* The value in force of a row of model_settings[]; another name or type is our own mistake and aborts. A
 * catalogue that can't be read is as if nothing were set. Costs one read of the catalogue. Any thread. */
bool model_setting_text(struct manage *manage, const struct catalog_model *model, const char *name, char *to,
    size_t size); /* "" and false: unset */
int64_t model_setting_number(struct manage *manage, const struct catalog_model *model, const char *name);
bool model_setting_bool(struct manage *manage, const struct catalog_model *model, const char *name);
double model_setting_real(struct manage *manage, const struct catalog_model *model, const char *name);

/* All rows of a model with their values and origins: a picture of now, the caller's (options_free). */
struct options *model_options_new(struct manage *manage, const struct catalog_model *model);

/* Puts what the catalogue at `path` (catalog.db, which need not be there) holds of the whole into
 * OPTION_CONFIG: before anybody reads options. A setting that no longer is one is logged and passed over.
 * Does nothing with kept_settings=off. */
int settings_recall(struct options *options, const char *path, struct reason *reason);

#endif
