/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "tree/rows.h"
#include "tree/tree.h"

static void a_number_gives_back_its_parts(void) {
    static const struct {
        unsigned row;
        uint64_t object;
        uint32_t generation;
    } ROWS[] = {
        {0,             0,          1       },
        {1,             0,          0       },
        {ROW_FILE,      1,          1       },
        {ROW_FILE,      UINT32_MAX, 0xffffff},
        {ROW_LIMIT - 1, 7,          2       }
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        node_number node = node_make(ROWS[i].row, ROWS[i].object, ROWS[i].generation);
        CHECK_NUMBER(node_row(node), ROWS[i].row);
        CHECK_NUMBER((int64_t)node_object(node), (int64_t)ROWS[i].object);
        CHECK_NUMBER(node_generation(node), ROWS[i].generation);
        CHECK((int64_t)node >= 0);
    }
}

static void the_root_is_what_the_kernel_calls_it(void) {
    CHECK_NUMBER((int64_t)node_make(ROW_ROOT, 0, 1), 1);
    CHECK(NODE_ROOT == 1);
    CHECK_NUMBER((int64_t)node_inode(NODE_ROOT), 1);
    CHECK_NUMBER(node_row(NODE_ROOT), ROW_ROOT);
}

static void both_nodes_of_a_file_are_one_inode(void) {
    node_number incomplete = node_make(ROW_FILE, 42, 3), complete = node_make(ROW_FILE, 42, 4);
    CHECK(incomplete != complete);
    CHECK(node_inode(incomplete) == node_inode(complete));
    CHECK(node_inode(complete) != node_inode(node_make(ROW_FILE, 43, 4)));
    CHECK(node_inode(complete) != node_inode(node_make(ROW_FOLDER, 42, 0)));
}

static void parts_that_are_too_large_spoil_no_other(void) {
    node_number node = node_make(ROW_FILE, 5 + (UINT64_C(1) << 32), 1u << 24);
    CHECK_NUMBER(node_row(node), ROW_FILE);
    CHECK_NUMBER((int64_t)node_object(node), 5);
    CHECK_NUMBER(node_generation(node), 0);
}

int main(void) {
    a_number_gives_back_its_parts();
    the_root_is_what_the_kernel_calls_it();
    both_nodes_of_a_file_are_one_inode();
    parts_that_are_too_large_spoil_no_other();
    return check_result();
}
