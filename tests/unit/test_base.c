/* The byte buffer and the arena. */
#include <criterion/criterion.h>
#include <limits.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>

#include "libdwq/base/arena.h"
#include "libdwq/base/buffer.h"
#include "libdwq/base/memory.h"

Test(buffer, keeps_what_was_appended_across_growth)
{
    struct dwqi_buffer buffer = { .data = NULL };

    for (int i = 0; i < 5000; i++) {
        unsigned char byte = (unsigned char)(i * 7);

        dwqi_buffer_append(&buffer, &byte, 1);
    }
    cr_assert(!buffer.failed);
    cr_assert_eq(buffer.size, 5000);
    cr_assert_geq(buffer.capacity, buffer.size);
    for (int i = 0; i < 5000; i++) {
        cr_assert_eq(buffer.data[i], (unsigned char)(i * 7));
    }
    dwqi_buffer_finish(&buffer);
    cr_assert_null(buffer.data);
    cr_assert_eq(buffer.size, 0);
}

Test(buffer, appending_nothing_to_an_empty_one_is_no_failure)
{
    struct dwqi_buffer buffer = { .data = NULL };

    dwqi_buffer_append(&buffer, NULL, 0);
    cr_assert(!buffer.failed);
    cr_assert_eq(buffer.size, 0);
    cr_assert_not_null(dwqi_buffer_grow(&buffer, 0));
    dwqi_buffer_finish(&buffer);
    dwqi_buffer_finish(&buffer); /* a second time does no harm */
}

Test(buffer, size_that_overflows_fails_and_stays_failed)
{
    struct dwqi_buffer buffer = { .data = NULL };

    dwqi_buffer_append(&buffer, "abc", 3);
    cr_assert_null(dwqi_buffer_grow(&buffer, SIZE_MAX - 1));
    cr_assert(buffer.failed);
    dwqi_buffer_append(&buffer, "d", 1);
    cr_assert(buffer.failed);
    cr_assert_eq(buffer.size, 3);
    cr_assert_eq(memcmp(buffer.data, "abc", 3), 0);
    dwqi_buffer_finish(&buffer);
    cr_assert(!buffer.failed);
}

/* AddressSanitizer makes a report of what malloc() answers with NULL. */
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer)
Test(buffer, more_than_there_is_memory_fails)
{
    struct dwqi_buffer buffer = { .data = NULL };

    cr_assert_null(dwqi_buffer_grow(&buffer, SIZE_MAX / 4));
    cr_assert(buffer.failed);
    dwqi_buffer_finish(&buffer);
}
#endif

/* (No piece larger than this: meson has malloc() fill what it gives.) */
Test(arena, small_piece_after_a_huge_one_does_not_double_it)
{
    struct dwqi_arena arena = { .chunks = NULL };

    cr_assert_not_null(dwqi_arena_alloc(&arena, 1, (size_t)16 << 20));
    cr_assert_not_null(dwqi_arena_alloc(&arena, 1, 1024));
    cr_assert_leq(malloc_usable_size(arena.chunks), (size_t)2 << 20);
    dwqi_arena_finish(&arena);
}

Test(arena, pieces_are_aligned_and_do_not_overlap)
{
    struct dwqi_arena arena = { .chunks = NULL };
    unsigned char *pieces[300];

    for (size_t i = 0; i < 300; i++) {
        pieces[i] = dwqi_arena_alloc(&arena, i, 3);
        cr_assert_not_null(pieces[i]);
        cr_assert_eq((uintptr_t)pieces[i] % 16, 0);
        if (i > 0) {
            memset(pieces[i], (int)i, 3 * i);
        }
    }
    for (size_t i = 1; i < 300; i++) {
        for (size_t k = 0; k < 3 * i; k++) {
            cr_assert_eq(pieces[i][k], (unsigned char)i);
        }
    }
    dwqi_arena_finish(&arena);
    cr_assert_null(arena.chunks);
}

Test(arena, product_that_overflows_gives_null)
{
    struct dwqi_arena arena = { .chunks = NULL };

    cr_assert_null(dwqi_arena_alloc(&arena, SIZE_MAX / 2 + 1, 2));
    cr_assert_null(dwqi_arena_alloc(&arena, SIZE_MAX, 1));
    cr_assert_null(dwqi_arena_alloc(&arena, 1, SIZE_MAX - 15));
    cr_assert_null(dwqi_arena_alloc(&arena, SIZE_MAX / 4, 2));
    cr_assert_not_null(dwqi_arena_alloc(&arena, SIZE_MAX, 0));
    cr_assert_not_null(dwqi_arena_alloc(&arena, 1, 1), "it goes on");
    dwqi_arena_finish(&arena);
}

Test(arena, loop_with_reset_uses_the_same_memory)
{
    struct dwqi_arena arena = { .chunks = NULL };
    void *first;

    dwqi_arena_alloc(&arena, 1, 100);
    dwqi_arena_alloc(&arena, 1, 5000); /* the largest chunk */
    dwqi_arena_reset(&arena);
    first = dwqi_arena_alloc(&arena, 1, 5000);
    for (int i = 0; i < 1000; i++) {
        dwqi_arena_reset(&arena);
        cr_assert_eq(dwqi_arena_alloc(&arena, 1, 2000), first);
        cr_assert_not_null(dwqi_arena_alloc(&arena, 1, 2000));
    }
    dwqi_arena_finish(&arena);
}

Test(arena, reset_keeps_the_largest_chunk_wherever_it_stands)
{
    struct dwqi_arena arena = { .chunks = NULL };
    void *large = dwqi_arena_alloc(&arena, 1, (size_t)8 << 20);

    for (int i = 0; i < 100; i++) {
        cr_assert_not_null(dwqi_arena_alloc(&arena, 1, 1000));
    }
    dwqi_arena_reset(&arena);
    cr_assert_eq(dwqi_arena_alloc(&arena, 1, (size_t)8 << 20), large);
    dwqi_arena_finish(&arena);
}

Test(arena, empty_one_can_be_reset_and_finished)
{
    struct dwqi_arena arena = { .chunks = NULL };

    dwqi_arena_reset(&arena);
    dwqi_arena_finish(&arena);
    dwqi_arena_finish(&arena);
}

Test(base, array_grows_and_stays_as_it_is_when_it_cannot)
{
    int *numbers = NULL, *before, room = 0;

    for (int i = 0; i < 1000; i++) {
        cr_assert(dwqi_memory_grow(&numbers, &room, i + 1, sizeof *numbers));
        cr_assert_gt(room, i);
        numbers[i] = i;
    }
    cr_assert_eq(room, 1024);
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(numbers[i], i);
    }
    before = numbers;
    cr_assert_not(dwqi_memory_grow(&numbers, &room, INT_MAX, sizeof *numbers));
    cr_assert(numbers == before && room == 1024);
    free(numbers);
}
