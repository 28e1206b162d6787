/* The heap: order, places, and what is taken out of its middle. */
#include <criterion/criterion.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "libdwq/base/heap.h"

enum {
    N_ITEMS = 200
};

struct item {
    int key;
    size_t place;
};

static bool before(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    return x->key != y->key ? x->key < y->key : x < y;
}

/* Whether no item comes before its parent, and each knows its place. */
static void check(const struct dwqi_heap *heap)
{
    for (size_t i = 0; i < heap->n; i++) {
        const struct item *item = heap->items[i];

        cr_assert_eq(item->place, i + 1);
        cr_assert(i == 0 || !before(item, heap->items[(i - 1) / 2]));
    }
}

static void init(struct dwqi_heap *heap)
{
    dwqi_heap_init(heap, before, offsetof(struct item, place));
}

/* All come out in order, and then are in no heap. */
static void drain(struct dwqi_heap *heap, size_t expected)
{
    struct item *last = NULL, *top;
    size_t n = 0;

    while ((top = dwqi_heap_top(heap)) != NULL) {
        cr_assert(!last || before(last, top));
        dwqi_heap_remove(heap, top);
        cr_assert_eq(top->place, 0);
        check(heap);
        last = top;
        n++;
    }
    cr_assert_eq(n, expected);
}

static void fill(struct dwqi_heap *heap, struct item *items)
{
    for (int i = 0; i < N_ITEMS; i++) {
        items[i] = (struct item){ .key = rand() % 50 }; /* many are equal */
        cr_assert(dwqi_heap_push(heap, &items[i]));
        check(heap);
    }
}

Test(heap, empty_one_has_no_top)
{
    struct dwqi_heap heap;

    init(&heap);
    cr_assert_null(dwqi_heap_top(&heap));
    dwqi_heap_finish(&heap);
    dwqi_heap_finish(&heap); /* a second time does no harm */
}

Test(heap, items_come_out_in_order)
{
    struct dwqi_heap heap;
    struct item items[N_ITEMS];

    srand(1);
    init(&heap);
    fill(&heap, items);
    drain(&heap, N_ITEMS);
    dwqi_heap_finish(&heap);
}

Test(heap, each_can_be_taken_out_of_the_middle)
{
    struct dwqi_heap heap;
    struct item items[N_ITEMS];

    srand(2);
    init(&heap);
    for (size_t k = 0; k < N_ITEMS; k++) {
        struct item *item;

        fill(&heap, items);
        item = heap.items[k];
        dwqi_heap_remove(&heap, item);
        cr_assert_eq(item->place, 0);
        check(&heap);
        drain(&heap, N_ITEMS - 1);
    }
    dwqi_heap_finish(&heap);
}

Test(heap, order_is_restored_after_a_key_changed_either_way)
{
    struct dwqi_heap heap;
    struct item items[N_ITEMS];

    srand(3);
    init(&heap);
    fill(&heap, items);
    for (int i = 0; i < 2000; i++) {
        struct item *item = &items[rand() % N_ITEMS];

        item->key = rand() % 60 - 5; /* also in front of and behind all */
        dwqi_heap_update(&heap, item);
        check(&heap);
    }
    drain(&heap, N_ITEMS);
    dwqi_heap_finish(&heap);
}

Test(heap, reserved_room_is_there)
{
    struct dwqi_heap heap;
    struct item items[N_ITEMS];
    void *memory;

    srand(4);
    init(&heap);
    cr_assert(dwqi_heap_reserve(&heap, N_ITEMS));
    memory = heap.items;
    fill(&heap, items);
    cr_assert_eq(heap.items, memory, "a push within it allocates nothing");
    dwqi_heap_finish(&heap);
}

Test(heap, room_that_overflows_is_refused_and_nothing_changes, .timeout = 20)
{
    struct dwqi_heap heap;
    struct item item = { .key = 1 };

    init(&heap);
    cr_assert(dwqi_heap_push(&heap, &item));
    cr_assert(!dwqi_heap_reserve(&heap, SIZE_MAX));
    cr_assert(!dwqi_heap_reserve(&heap, SIZE_MAX / 2));
    cr_assert(!dwqi_heap_reserve(&heap, SIZE_MAX / sizeof(void *)));
    cr_assert_eq(dwqi_heap_top(&heap), &item);
    drain(&heap, 1);
    dwqi_heap_finish(&heap);
}
