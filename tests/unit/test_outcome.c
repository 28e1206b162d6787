/* Parts in a row -> one result: who failed first, who was slowest, and every
 * rank at its place. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <dwq/dwq.h>

#include "libdwq/item/outcome.h"
#include "tests/values_equal.h"

/* One part, as a test states it. */
struct rank {
    double time; /* seconds */
    int code;    /* not 0: failed */
    const char *message;
    dwq_values_t values;
    uint64_t id; /* 0: 7 */
    int n_parts; /* 0: the right count */
};

struct row {
    unsigned char *data; /* 64-byte aligned, not a byte more */
    size_t size;
};

static void add_part(struct row *row, const struct rank *rank, int n)
{
    struct dwqi_part_head head = {
        .id = rank->id ? rank->id : 7,
        .this_time = rank->time,
        .status = rank->code ? DWQ_E_TASK : DWQ_OK,
        .code = rank->code,
        .n_parts = (uint32_t)(rank->n_parts ? rank->n_parts : n),
    };
    struct dwqi_scratch scratch = { .pool = NULL };
    struct dwqi_pack pack;
    const char *why;
    void *data;

    cr_assert_eq(dwqi_pack_part(&head, rank->message, rank->values, &scratch,
                                &pack, &why),
                 DWQ_OK);
    data = dwqi_pool_get(NULL, row->size + pack.size);
    cr_assert_not_null(data);
    if (row->size > 0) {
        memcpy(data, row->data, row->size);
    }
    dwqi_pack_copy(&pack, (char *)data + row->size);
    dwqi_pool_give(row->data);
    row->data = data;
    row->size += pack.size;
    dwqi_pack_finish(&pack);
    dwqi_scratch_finish(&scratch);
}

static struct row row_of(const struct rank *ranks, int n)
{
    struct row row = { .data = NULL };

    for (int i = 0; i < n; i++) {
        add_part(&row, &ranks[i], n);
    }
    return row;
}

/* The result that the user gets; id and worker stay out of it. */
static dwq_result_t result_of(const struct rank *ranks, int n)
{
    struct row row = row_of(ranks, n);
    struct dwqi_outcome *outcome = NULL;
    dwq_result_t result;
    struct dwqi_part_head first = { .id = 0 };
    size_t size = 0;

    cr_assert_eq(dwqi_result_size(row.data, row.size, &first, &size), DWQ_OK);
    cr_assert_eq(first.id, 7);
    cr_assert_eq(size, row.size);
    cr_assert_eq(dwqi_outcome_create(row.data, size, row.data, &outcome),
                 DWQ_OK);
    dwqi_outcome_give(outcome, 2, &result);
    cr_assert_eq(result.this_time, dwqi_outcome_time(outcome));
    return result;
}

Test(outcome, one_part_gives_its_values_and_figures)
{
    struct rank rank = { .time = 3, .values = DWQ_VALUES(4.5, "x") };
    dwq_result_t result = result_of(&rank, 1);
    double real = 0;
    const char *text = NULL;

    cr_assert_eq(result.status, DWQ_OK);
    cr_assert_eq(result.code, 0);
    cr_assert_eq(result.failed_rank, -1);
    cr_assert_eq(result.n_ranks, 1);
    cr_assert_eq(result.rank, 0);
    cr_assert_str_eq(result.message, "");
    cr_assert_eq(result.this_time, 3);
    cr_assert_eq(result.time_over_est, 1.5);
    cr_assert(dwq_result_get(&result, 0, 0, &real));
    cr_assert_eq(real, 4.5);
    cr_assert(dwq_result_get(&result, 0, 1, &text));
    cr_assert_str_eq(text, "x");
    dwq_result_clear(&result);
}

Test(outcome, ranks_keep_their_places_when_some_returned_nothing)
{
    struct rank ranks[] = { { .values = DWQ_VALUES() },
                            { .values = DWQ_VALUES(11, 12) },
                            { .values = DWQ_VALUES() },
                            { .values = DWQ_VALUES(dwq_value_nil()) },
                            { .values = DWQ_VALUES(14) } };
    static const size_t counts[] = { 0, 2, 0, 1, 1 };
    dwq_result_t result = result_of(ranks, 5);

    cr_assert_eq(result.n_ranks, 5);
    for (int r = 0; r < 5; r++) {
        cr_assert_eq(dwq_result_n_values(&result, r), counts[r], "rank %d", r);
        for (size_t i = 0; i < counts[r]; i++) {
            cr_assert(value_equal(&ranks[r].values.items[i],
                                  dwq_result_value(&result, r, i)));
        }
        cr_assert_null(dwq_result_value(&result, r, counts[r]));
    }
    dwq_result_clear(&result);
}

Test(outcome, ranks_and_values_that_are_not_there_are_null)
{
    struct rank rank = { .values = DWQ_VALUES(1) };
    dwq_result_t result = result_of(&rank, 1);
    int out = 77;

    cr_assert_null(dwq_result_value(&result, -1, 0));
    cr_assert_null(dwq_result_value(&result, 1, 0));
    cr_assert_null(dwq_result_value(&result, 0, SIZE_MAX));
    cr_assert_eq(dwq_result_n_values(&result, -1), 0);
    cr_assert_eq(dwq_result_n_values(&result, 1), 0);
    cr_assert(!dwq_result_get(&result, 1, 0, &out));
    cr_assert_eq(out, 77);
    dwq_result_clear(&result);
    cr_assert_eq(dwq_result_n_values(&result, 0), 0, "cleared");
    cr_assert_null(dwq_result_value(&result, 0, 0));
    dwq_result_clear(&result); /* a second time does no harm */
    dwq_result_clear(NULL);
}

Test(outcome, first_failing_rank_is_named_and_the_values_of_others_are_there)
{
    struct rank ranks[] = {
        { .values = DWQ_VALUES(10) },
        { .values = DWQ_VALUES(11) },
        { .code = 5, .message = "first", .values = DWQ_VALUES() },
        { .values = DWQ_VALUES(13) },
        { .code = -9, .message = "second", .values = DWQ_VALUES(14) },
    };
    dwq_result_t result = result_of(ranks, 5);
    int out = 0;

    cr_assert_eq(result.status, DWQ_E_TASK);
    cr_assert_eq(result.failed_rank, 2);
    cr_assert_eq(result.code, 5);
    cr_assert_str_eq(result.message, "first");
    for (int r = 0; r < 5; r++) {
        cr_assert_eq(dwq_result_get(&result, r, 0, &out), r != 2);
        cr_assert(r == 2 || out == 10 + r);
    }
    dwq_result_clear(&result);
    cr_assert_str_eq(result.message, "", "the text went with the result");
}

Test(outcome, each_rank_alone_can_be_the_failing_one)
{
    for (int failed = 0; failed < 4; failed++) {
        struct rank ranks[4] = { { .code = 0 } };
        dwq_result_t result;

        ranks[failed].code = 1;
        result = result_of(ranks, 4);
        cr_assert_eq(result.status, DWQ_E_TASK);
        cr_assert_eq(result.failed_rank, failed);
        cr_assert_str_eq(result.message, "", "none was given");
        dwq_result_clear(&result);
    }
}

Test(outcome, figures_are_those_of_the_slowest_rank)
{
    static const struct {
        double times[4];
        int slowest;
    } rows[] = {
        { { 4, 1, 2, 3 }, 0 }, { { 1, 4, 2, 3 }, 1 }, { { 1, 2, 4, 3 }, 2 },
        { { 1, 2, 3, 4 }, 3 }, { { 2, 4, 4, 4 }, 1 }, { { 0, 0, 0, 0 }, 0 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rank ranks[4] = { { .code = 0 } };
        double most = rows[i].times[rows[i].slowest];
        dwq_result_t result;

        for (int r = 0; r < 4; r++) {
            ranks[r].time = rows[i].times[r];
        }
        result = result_of(ranks, 4);
        cr_assert_eq(result.rank, rows[i].slowest, "row %zu", i);
        cr_assert_eq(result.this_time, most);
        cr_assert_eq(result.time_over_est, most / 2);
        dwq_result_clear(&result);
    }
}

Test(outcome, very_many_ranks)
{
    enum {
        N = 1000
    };
    static struct rank ranks[N];
    dwq_value_t values[N];
    dwq_result_t result;
    struct row row = { .data = NULL };
    struct dwqi_outcome *outcome;
    int out;

    for (int r = 0; r < N; r++) {
        values[r] = dwq_value_int(r);
        ranks[r].values = (dwq_values_t){ r % 3 != 0, &values[r] };
    }
    row = row_of(ranks, N);
    cr_assert_eq(dwqi_outcome_create(row.data, row.size, row.data, &outcome),
                 DWQ_OK);
    dwqi_outcome_give(outcome, 1, &result);
    cr_assert_eq(result.n_ranks, N);
    for (int r = 0; r < N; r++) {
        cr_assert_eq(dwq_result_get(&result, r, 0, &out), r % 3 != 0);
        cr_assert(r % 3 == 0 || out == r);
    }
    dwq_result_clear(&result);
}

/* Without memory of its own the result outlives the message, wherever that
 * stood; its arrays are aligned again. */
Test(outcome, parts_are_copied_when_no_memory_is_given)
{
    double x[3] = { 1, 2, 3 };
    struct rank ranks[] = {
        { .values = DWQ_VALUES(dwq_array(DWQ_DOUBLE, x, 1, (size_t[]){ 3 })) },
        { .values = DWQ_VALUES("text") },
    };
    struct row row = row_of(ranks, 2);
    unsigned char *elsewhere = malloc(row.size + 8);
    struct dwqi_outcome *outcome;
    dwq_result_t result;
    dwq_array_t array;
    const char *text;

    memcpy(elsewhere + 8, row.data, row.size);
    cr_assert_eq(dwqi_outcome_create(elsewhere + 8, row.size, NULL, &outcome),
                 DWQ_OK);
    memset(elsewhere, 0x5a, row.size + 8);
    free(elsewhere);
    dwqi_outcome_give(outcome, 1, &result);
    cr_assert(dwq_result_get(&result, 0, 0, &array));
    cr_assert_eq((uintptr_t)array.data % 64, 0);
    cr_assert_eq(memcmp(array.data, x, sizeof x), 0);
    cr_assert(dwq_result_get(&result, 1, 0, &text));
    cr_assert_str_eq(text, "text");
    dwq_result_clear(&result);
    dwqi_pool_give(row.data);
}

Test(outcome, local_one_has_a_status_a_reason_and_no_ranks)
{
    char why[] = "cancelled";
    struct dwqi_outcome *outcome =
        dwqi_outcome_create_local(DWQ_E_CANCELLED, why);
    dwq_result_t result;

    cr_assert_not_null(outcome);
    why[0] = 'X'; /* the text was copied */
    cr_assert_eq(dwqi_outcome_time(outcome), 0);
    dwqi_outcome_give(outcome, 1, &result);
    cr_assert_eq(result.status, DWQ_E_CANCELLED);
    cr_assert_str_eq(result.message, "cancelled");
    cr_assert_eq(result.n_ranks, 0);
    cr_assert_eq(result.failed_rank, -1);
    cr_assert_eq(result.this_time, 0);
    cr_assert_null(dwq_result_value(&result, 0, 0));
    dwq_result_clear(&result);
    dwqi_outcome_destroy(NULL);
}

Test(outcome, no_memory_is_a_result_too)
{
    dwq_result_t result;

    dwqi_outcome_give(NULL, 1, &result);
    cr_assert_eq(result.status, DWQ_E_NOMEM);
    cr_assert_eq(result.failed_rank, -1);
    cr_assert_eq(result.n_ranks, 0);
    cr_assert_neq(result.message[0], '\0');
    cr_assert_null(dwq_result_value(&result, 0, 0));
    dwq_result_clear(&result);
}

/* --- What does not fit together ----------------------------------------- */

/* The variables of a caller stay as they were. */
static void refuses(const struct row *row, size_t size)
{
    void *exact = NULL;
    struct dwqi_outcome *outcome = NULL;
    struct dwqi_part_head first = { .id = 77 };
    size_t answer = 77;

    cr_assert_eq(posix_memalign(&exact, 64, size > 0 ? size : 1), 0);
    memcpy(exact, row->data, size);
    cr_assert_eq(dwqi_result_size(exact, size, &first, &answer), DWQ_E_MESSAGE);
    cr_assert_eq(first.id, 77);
    cr_assert_eq(answer, 77);
    cr_assert_eq(dwqi_outcome_create(exact, size, NULL, &outcome),
                 DWQ_E_MESSAGE);
    cr_assert_null(outcome);
    free(exact);
}

Test(outcome, parts_that_were_cut_are_refused_at_every_length)
{
    struct rank ranks[] = { { .values = DWQ_VALUES(1, "a") },
                            { .code = 1, .message = "no" },
                            { .values = DWQ_VALUES(2) } };
    struct row row = row_of(ranks, 3);

    for (size_t size = 0; size < row.size; size++) {
        refuses(&row, size);
    }
    dwqi_pool_give(row.data);
}

Test(outcome, result_ends_where_its_last_part_ends)
{
    struct rank ranks[] = { { .values = DWQ_VALUES(1) },
                            { .values = DWQ_VALUES(2) },
                            { .id = 8, .n_parts = 1 } };
    struct row row = row_of(ranks, 2);
    size_t two = row.size, size;
    struct dwqi_part_head first;

    add_part(&row, &ranks[2], 1); /* the next result in the same message */
    cr_assert_eq(dwqi_result_size(row.data, row.size, &first, &size), DWQ_OK);
    cr_assert_eq(first.id, 7);
    cr_assert_eq(size, two);
    cr_assert_eq(
        dwqi_result_size(row.data + two, row.size - two, &first, &size),
        DWQ_OK);
    cr_assert_eq(first.id, 8);
    cr_assert_eq(size, row.size - two);
    dwqi_pool_give(row.data);
}

/* Refused before anything is made of them. */
static void does_not_fit(struct row row)
{
    struct dwqi_part_head first = { .id = 77 };
    size_t size = 77;

    cr_assert_eq(dwqi_result_size(row.data, row.size, &first, &size),
                 DWQ_E_MESSAGE);
    cr_assert_eq(first.id, 77);
    cr_assert_eq(size, 77);
    dwqi_pool_give(row.data);
}

Test(outcome, parts_of_two_tasks_do_not_make_a_result)
{
    struct rank ranks[3] = { { .code = 0 } };

    for (int other = 1; other < 3; other++) {
        memset(ranks, 0, sizeof ranks);
        ranks[other].id = 8;
        does_not_fit(row_of(ranks, 3));
    }
}

Test(outcome, counts_that_differ_do_not_make_a_result)
{
    struct rank ranks[3] = { { .code = 0 } };

    for (int other = 1; other < 3; other++) {
        memset(ranks, 0, sizeof ranks);
        ranks[other].n_parts = 2;
        does_not_fit(row_of(ranks, 3));
    }
}

Test(outcome, huge_count_of_parts_is_refused_without_memory_for_it)
{
    struct rank rank = { .n_parts = INT32_MAX };
    struct row row = row_of(&rank, 1);

    refuses(&row, row.size);
    rank.n_parts = -1; /* 2^32 - 1 */
    dwqi_pool_give(row.data);
    row = row_of(&rank, 1);
    refuses(&row, row.size);
    dwqi_pool_give(row.data);
}

Test(outcome, no_parts_are_refused)
{
    struct rank rank = { .time = 1 };
    struct row row = row_of(&rank, 1);

    memset(row.data + offsetof(struct dwqi_part_head, n_parts), 0,
           sizeof(uint32_t));
    refuses(&row, row.size);
    dwqi_pool_give(row.data);
}

/* Sizes are right, one part's values are not: nothing of it is given. */
Test(outcome, malformed_values_of_any_part_refuse_all)
{
    for (int bad = 0; bad < 3; bad++) {
        struct rank ranks[] = { { .values = DWQ_VALUES(1) },
                                { .values = DWQ_VALUES(2) },
                                { .values = DWQ_VALUES(3) } };
        struct row row = row_of(ranks, 3);
        struct dwqi_outcome *outcome = NULL;
        struct dwqi_part_head first;
        size_t size;

        row.data[128 * bad + 64] = 0xc1; /* no value begins like this */
        cr_assert_eq(dwqi_result_size(row.data, row.size, &first, &size),
                     DWQ_OK);
        cr_assert_eq(
            dwqi_outcome_create(row.data, row.size, row.data, &outcome),
            DWQ_E_MESSAGE);
        cr_assert_null(outcome);
        dwqi_pool_give(row.data); /* still the caller's */
    }
}

Test(outcome, any_changed_bit_gives_a_result_or_a_refusal)
{
    double x[2] = { 1, 2 };
    struct rank ranks[] = {
        { .values = DWQ_VALUES(1, DWQ_LIST("a"),
                               dwq_array(DWQ_DOUBLE, x, 1, (size_t[]){ 2 })) },
        { .code = 1, .message = "no", .values = DWQ_VALUES(2) },
    };
    struct row row = row_of(ranks, 2);
    FILE *null = fopen("/dev/null", "w");

    cr_assert_not_null(null);
    for (size_t bit = 0; bit < 8 * row.size; bit++) {
        struct dwqi_outcome *outcome;
        dwq_result_t result;

        row.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        if (dwqi_outcome_create(row.data, row.size, NULL, &outcome) == DWQ_OK) {
            dwqi_outcome_give(outcome, 1, &result);
            fprintf(null, "%s", result.message);
            for (int r = 0; r < result.n_ranks; r++) {
                for (size_t i = 0; i < dwq_result_n_values(&result, r); i++) {
                    dwq_value_print(dwq_result_value(&result, r, i), null);
                }
            }
            dwq_result_clear(&result);
        }
        row.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    fclose(null);
    dwqi_pool_give(row.data);
}

Test(outcome, times_that_are_none_are_malformed)
{
    static const double bad[] = { NAN, INFINITY, -1 };
    struct dwqi_part_head read;

    for (int i = 0; i < 3; i++) {
        struct dwqi_part_head head = { .size = sizeof head, .n_parts = 1 };

        cr_assert_eq(dwqi_part_head_read(&head, sizeof head, &read), DWQ_OK);
        head.this_time = bad[i];
        cr_assert_eq(dwqi_part_head_read(&head, sizeof head, &read),
                     DWQ_E_MESSAGE);
    }
}
