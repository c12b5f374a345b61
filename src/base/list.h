/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_BASE_LIST_H
#define WEIGHTFS_BASE_LIST_H

/*
 * A circular doubly linked list whose links live inside the members. A `struct list` that is a head is
 * initialised with list_init(); a member's link that is in no list has next == NULL. No locks: the owner of
 * the head guards all of it.
 */

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

#define LIST_HEAD(name) struct list name = {&(name), &(name)}

/* The structure of type `type` whose field `member` is at `link`. */
#define list_entry(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))

/* Each member in order; `at` may be removed inside the loop, others may not. */
#define list_each(at, head)                                                   \
    for (struct list *at = (head)->next, *at##_next = at->next; at != (head); \
         at = at##_next, at##_next = at->next)

static inline void list_init(struct list *head) {
    head->next = head->prev = head;
}

static inline bool list_empty(const struct list *head) {
    return head->next == head;
}

static inline bool list_linked(const struct list *link) {
    return link->next != NULL;
}

static inline void list_append(struct list *head, struct list *link) {
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

static inline void list_remove(struct list *link) {
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->next = link->prev = NULL;
}

/* Takes the first member out; NULL when the list is empty. */
static inline struct list *list_shift(struct list *head) {
    struct list *first = head->next;
    if (first == head)
        return NULL;
    list_remove(first);
    return first;
}

#endif
