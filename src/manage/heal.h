/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_MANAGE_HEAL_H
#define WEIGHTFS_MANAGE_HEAL_H

#include "manage/internal.h"

/* A blob was sealed, or a report with rot in it was written: looks through the reports that tell of rot, and
 * takes back what is right again, so that `report`, `status` and `health` do not wait for the next validate.
 * Costs nothing while there are none. Desk. */
void heal_reports(struct manage *manage);

#endif
