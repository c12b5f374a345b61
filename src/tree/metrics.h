/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TREE_METRICS_H
#define WEIGHTFS_TREE_METRICS_H

/*
 * What the tree counts. The rows are tree_metrics[] (tree.h); these are its indices.
 */

#include "base/metric.h"

enum tree_metric { TREE_TEXTS_MADE, TREE_TEXTS_GIVEN, TREE_TEXT_BYTES, TREE_OPEN, TREE_METRICS };

#endif
