/* SPDX-License-Identifier: Apache-2.0 */
/* From a manifest's sorted paths to rows: each folder once, breadth first, so that siblings are
 * neighbours. */

#include "model/catalog_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define DEPTH_MOST 64 /* name_path_fault() allows far less */

struct builder {
    struct catalog_node *nodes; /* in the order of paths: a folder before what is in it */
    size_t count, room;
    size_t open[DEPTH_MOST]; /* the folders that the last path went through */
    size_t depth;
};

static size_t add_node(struct builder *builder, const char *path, size_t path_len,
    const struct manifest_file *file) {
    if (builder->count == builder->room) {
        builder->room = builder->room ? builder->room * 2 : 64;
        builder->nodes = mem_resize(builder->nodes, builder->room, sizeof *builder->nodes);
    }
    size_t parent = builder->depth ? builder->open[builder->depth - 1] : SIZE_MAX;
    const char *slash = memrchr(path, '/', path_len);
    builder->nodes[builder->count] = (struct catalog_node){
        .path = path,
        .path_len = path_len,
        .name = slash ? slash + 1 : path,
        .parent = parent,
        .file = file,
    };
    if (parent != SIZE_MAX)
        builder->nodes[parent].child_count++;
    return builder->count++;
}

static bool is_in(const char *path, const struct catalog_node *folder) {
    return strncmp(path, folder->path, folder->path_len) == 0 && path[folder->path_len] == '/';
}

static void add_path(struct builder *builder, const struct manifest_file *file) {
    const char *path = file->path;
    while (builder->depth && !is_in(path, &builder->nodes[builder->open[builder->depth - 1]]))
        builder->depth--;
    size_t done = builder->depth ? builder->nodes[builder->open[builder->depth - 1]].path_len + 1 : 0;
    for (const char *slash; (slash = strchr(path + done, '/')) && builder->depth < DEPTH_MOST;) {
        size_t len = (size_t)(slash - path);
        builder->open[builder->depth] = add_node(builder, path, len, NULL);
        builder->depth++;
        done = len + 1;
    }
    (void)add_node(builder, path, strlen(path), file);
}

/* Where in breadth-first order a node goes: siblings keep the order of their names, a folder's
 * children begin where the former folder's end. */
static void order_nodes(struct builder *builder, struct catalog_layout *layout) {
    size_t *place = mem_array(builder->count + 1, sizeof *place);
    size_t *queue = mem_array(builder->count + 1, sizeof *queue);
    size_t *filled = mem_array(builder->count + 1, sizeof *filled);
    size_t top = 0;
    for (size_t i = 0; i < builder->count; i++)
        if (builder->nodes[i].parent == SIZE_MAX)
            queue[place[i] = top++] = i;
    size_t next = top;
    for (size_t at = 0; at < next; at++) {
        struct catalog_node *node = &builder->nodes[queue[at]];
        if (!node->child_count)
            continue;
        node->child_first = next;
        next += node->child_count;
        /* Its children stand behind it in path order, up to the first path that is not below it. */
        for (size_t i = queue[at] + 1, left = node->child_count; left; i++)
            if (builder->nodes[i].parent == queue[at]) {
                queue[place[i] = node->child_first + filled[queue[at]]++] = i;
                left--;
            }
    }
    layout->nodes = mem_array(builder->count + 1, sizeof *layout->nodes);
    layout->count = builder->count;
    layout->top_count = top;
    for (size_t i = 0; i < builder->count; i++) {
        struct catalog_node *node = &layout->nodes[place[i]];
        *node = builder->nodes[i];
        if (node->parent != SIZE_MAX)
            node->parent = place[node->parent];
    }
    free(filled);
    free(queue);
    free(place);
}

void catalog_layout_init(struct catalog_layout *layout, const struct manifest *manifest) {
    struct builder builder = {0};
    for (size_t i = 0; i < manifest->file_count; i++)
        add_path(&builder, &manifest->files[i]);
    order_nodes(&builder, layout);
    free(builder.nodes);
}

void catalog_layout_done(struct catalog_layout *layout) {
    free(layout->nodes);
    *layout = (struct catalog_layout){0};
}
