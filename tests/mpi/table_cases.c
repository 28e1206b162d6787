#include "tests/mpi/table_cases.h"

#include <stdlib.h>

#include "tests/mpi/table_functions.h"

#define LAST (-1)  /* a rank */
#define BELOW (-2) /* rows: one less than ranks */

enum takes {
    NUMBERS,
    ROWS,
    BYTES
};

struct play {
    int nprocs;
    uint8_t *bytes;
    int64_t *matrix;       /* of rows of 3, counted through */
    uint64_t *n_processed; /* [1 + n_groups]: last seen of each worker */
};

struct table_case {
    const char *name;
    const char *function;
    void (*check)(const struct play *p, const struct table_case *k,
                  const dwq_result_t *r);
    enum takes takes;
    int a, b; /* NUMBERS: the arguments. ROWS: how many, and whether borrowed */
    size_t size; /* BYTES */
};

static int rank_of(const struct play *p, int rank)
{
    return rank == LAST ? p->nprocs - 1 : rank;
}

static int n_rows(const struct play *p, const struct table_case *k)
{
    return k->a == BELOW ? p->nprocs - 1 : k->a;
}

/* --- Checks ------------------------------------------------------------------ */

static void succeeded(const struct play *p, const dwq_result_t *r)
{
    CHECK(r->status == DWQ_OK && r->code == 0 && r->failed_rank == -1);
    CHECK(r->n_ranks == p->nprocs && strcmp(r->message, "") == 0);
}

static void failed(const struct play *p, const dwq_result_t *r, int code,
                   int rank, const char *message)
{
    CHECK(r->status == DWQ_E_TASK && r->n_ranks == p->nprocs);
    CHECK(r->code == code);
    CHECK(r->failed_rank == rank);
    CHECK(strstr(r->message, message) != NULL);
}

static void check_ranks(const struct play *p, const struct table_case *k,
                        const dwq_result_t *r)
{
    succeeded(p, r);
    for (int i = 0; i < r->n_ranks; i++) {
        int x = -1, size = -1;

        CHECK(dwq_result_get(r, i, 0, &x) && x == k->a + i);
        CHECK(dwq_result_get(r, i, 1, &size) && size == p->nprocs);
        CHECK(dwq_result_n_values(r, i) == 2);
    }
    CHECK(dwq_result_n_values(r, r->n_ranks) == 0);
}

static void check_unknown(const struct play *p, const struct table_case *k,
                          const dwq_result_t *r)
{
    CHECK(r->status == DWQ_E_TASK && r->n_ranks == p->nprocs);
    CHECK(r->failed_rank == 0 && r->code != 0);
    CHECK(strstr(r->message, k->function) != NULL);
}

static void check_silent(const struct play *p, const struct table_case *k,
                         const dwq_result_t *r)
{
    (void)k;
    succeeded(p, r);
    for (int i = 0; i < r->n_ranks; i++) {
        int rank = -1;

        CHECK(dwq_result_n_values(r, i) == (i % 2 ? 0 : 1));
        CHECK(dwq_result_get(r, i, 0, &rank) == (i % 2 == 0));
        CHECK(rank == (i % 2 ? -1 : i));
    }
}

static void check_all_fail(const struct play *p, const struct table_case *k,
                           const dwq_result_t *r)
{
    char message[40];

    (void)k;
    snprintf(message, sizeof message, "rank 0 of %d fails", p->nprocs);
    failed(p, r, 40, 0, message);
}

static void check_one_fails(const struct play *p, const struct table_case *k,
                            const dwq_result_t *r)
{
    int bad = rank_of(p, k->a);

    failed(p, r, 7, bad, "one_fails");
    for (int i = 0; i < r->n_ranks; i++) {
        int rank = -1;

        CHECK(dwq_result_get(r, i, 0, &rank) == (i != bad));
        CHECK(rank == (i == bad ? -1 : i));
    }
}

/* Earlier ranks get the remainder. */
static void check_rows(const struct play *p, const struct table_case *k,
                       const dwq_result_t *r)
{
    int n = n_rows(p, k), next = 0;

    succeeded(p, r);
    for (int i = 0; i < r->n_ranks; i++) {
        int mine = n / p->nprocs + (i < n % p->nprocs);
        int first = -9, count = -9;

        CHECK(dwq_result_get(r, i, 0, &first) && first == (mine ? next : -1));
        CHECK(dwq_result_get(r, i, 1, &count) && count == mine);
        next += mine;
    }
    CHECK(next == n);
}

static bool is_reversed(const dwq_array_t *array, const struct play *p,
                        size_t n)
{
    const uint8_t *data = array->data;

    if (array->type != DWQ_UINT8 || array->shape[0] != n ||
        (uintptr_t)data % 64 != 0) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (data[i] != p->bytes[n - 1 - i]) {
            return false;
        }
    }
    return true;
}

static void check_bytes(const struct play *p, const struct table_case *k,
                        const dwq_result_t *r)
{
    uint64_t expected = table_checksum(p->bytes, k->size);

    succeeded(p, r);
    for (int i = 0; i < r->n_ranks; i++) {
        uint64_t sum = 0;
        dwq_array_t array;

        CHECK(dwq_result_get(r, i, 0, &sum) && sum == expected);
        CHECK(dwq_result_get(r, i, 1, &array) &&
              is_reversed(&array, p, k->size));
    }
}

/* A rank that left has said no to all that came after. */
static void check_agree(const struct play *p, const struct table_case *k,
                        const dwq_result_t *r)
{
    int special = rank_of(p, k->b);

    succeeded(p, r);
    for (int i = 0; i < r->n_ranks; i++) {
        bool left = k->a == ONE_LEAVES && i == special;
        bool answers[3] = { false, true, true };

        CHECK(dwq_result_n_values(r, i) == (left ? 1 : 3));
        CHECK(dwq_result_get(r, i, 0, &answers[0]) && answers[0]);
        if (!left) {
            CHECK(dwq_result_get(r, i, 1, &answers[1]) &&
                  answers[1] == (k->a == ALL_SAY_YES));
            CHECK(dwq_result_get(r, i, 2, &answers[2]) &&
                  answers[2] == (k->a != ONE_LEAVES));
        }
    }
}

static void check_collectives(const struct play *p, const struct table_case *k,
                              const dwq_result_t *r)
{
    (void)k;
    succeeded(p, r);
    for (int i = 0; i < r->n_ranks; i++) {
        bool ok = false;

        CHECK(dwq_result_get(r, i, 0, &ok) && ok);
    }
}

/* Each rank says how long it took, by its own clock; the result has the longest.
 * (No rank is late by 50 ms in the few instructions outside its own clock.) */
static void check_slow(const struct play *p, const struct table_case *k,
                       const dwq_result_t *r)
{
    int slow = rank_of(p, k->a);
    double most = 0, most_of_others = 0, seconds = 0;

    succeeded(p, r);
    for (int i = 0; i < r->n_ranks; i++) {
        CHECK(dwq_result_get(r, i, 0, &seconds));
        most = seconds > most ? seconds : most;
        if (i != slow && seconds > most_of_others) {
            most_of_others = seconds;
        }
        if (i == slow) {
            CHECK(seconds >= 0.1);
        }
    }
    CHECK(r->this_time >= most && r->total_time >= r->this_time);
    CHECK(most < most_of_others + 0.05 || r->rank == slow);
    CHECK(r->time_over_est == r->this_time / 2.5);
}

/* --- The cases ------------------------------------------------------------------ */

static const struct table_case cases[] = {
    { "values in rank order", "ranks", check_ranks, NUMBERS, 100, 0, 0 },
    { "an unknown function", "no_such", check_unknown, NUMBERS, 0, 0, 0 },
    { "a control word", "exit", check_unknown, NUMBERS, 0, 0, 0 },
    { "odd ranks return nothing", "silent", check_silent, NUMBERS, 0, 0, 0 },
    { "all ranks fail", "all_fail", check_all_fail, NUMBERS, 0, 0, 0 },
    { "the first rank fails", "one_fails", check_one_fails, NUMBERS, 0, 0, 0 },
    { "the last rank fails", "one_fails", check_one_fails, NUMBERS, LAST, 0,
      0 },
    { "no rows", "rows", check_rows, ROWS, 0, 0, 0 },
    { "fewer rows than ranks", "rows", check_rows, ROWS, BELOW, 0, 0 },
    { "7 rows", "rows", check_rows, ROWS, 7, 0, 0 },
    { "1001 rows", "rows", check_rows, ROWS, 1001, 0, 0 },
    { "10007 borrowed rows", "rows", check_rows, ROWS, 10007, true, 0 },
    { "1 MiB - 1", "reversed", check_bytes, BYTES, 0, 0, MIB - 1 },
    { "1 MiB", "reversed", check_bytes, BYTES, 0, 0, MIB },
    { "1 MiB + 1", "reversed", check_bytes, BYTES, 0, 0, MIB + 1 },
    { "no bytes", "reversed", check_bytes, BYTES, 0, 0, 0 },
    { "all agree", "agree", check_agree, NUMBERS, ALL_SAY_YES, 0, 0 },
    { "rank 0 says no", "agree", check_agree, NUMBERS, ONE_SAYS_NO, 0, 0 },
    { "the last says no", "agree", check_agree, NUMBERS, ONE_SAYS_NO, LAST, 0 },
    { "rank 0 left", "agree", check_agree, NUMBERS, ONE_LEAVES, 0, 0 },
    { "the last left", "agree", check_agree, NUMBERS, ONE_LEAVES, LAST, 0 },
    { "collectives", "collectives", check_collectives, NUMBERS, 0, 0, 0 },
    { "rank 0 is slow", "slow", check_slow, NUMBERS, 0, 0, 0 },
    { "the last is slow", "slow", check_slow, NUMBERS, LAST, 0, 0 },
};
#define N_CASES ((int)(sizeof cases / sizeof cases[0]))
#define MOST_WORKERS 100

static dwq_status_t submit(dwq_controller_t *c, const struct play *p,
                           int number, int worker)
{
    const struct table_case *k = &cases[number];
    size_t shape[] = { (size_t)(k->takes == ROWS ? n_rows(p, k) : 0), 3 };
    dwq_array_t rows = dwq_array(DWQ_INT64, p->matrix, 2, shape);
    dwq_array_t bytes = dwq_array(DWQ_UINT8, p->bytes, 1, &k->size);
    dwq_task_t task = { .function = k->function,
                        .id = (uint64_t)(1 + number * MOST_WORKERS + worker),
                        .worker = worker,
                        .time_est = 2.5 };

    switch (k->takes) {
    case NUMBERS:
        task.args = DWQ_VALUES(rank_of(p, k->a), rank_of(p, k->b));
        return dwq_controller_submit_call(c, &task, NULL);
    case ROWS:
        rows = k->b ? dwq_borrow(dwq_scatter(rows)) : dwq_scatter(rows);
        task.args = DWQ_VALUES(rows);
        return dwq_controller_submit_call(c, &task, NULL);
    default:
        bytes = worker % 2 ? dwq_borrow(bytes) : bytes;
        task.args = DWQ_VALUES(bytes);
        return dwq_controller_submit_call(c, &task, NULL);
    }
}

static void check(struct play *p, const dwq_result_t *r, int n_groups)
{
    int number = (int)(r->id - 1) / MOST_WORKERS;
    int worker = (int)(r->id - 1) % MOST_WORKERS;
    int n_failed = scenario_n_failed();

    CHECK(number < N_CASES && worker <= n_groups);
    CHECK(r->worker >= 1 && r->worker <= n_groups);
    CHECK(worker == 0 || r->worker == worker);
    CHECK(r->n_processed == ++p->n_processed[r->worker]);
    cases[number].check(p, &cases[number], r);
    if (scenario_n_failed() != n_failed) {
        fprintf(stderr,
                "    in case '%s', worker %d (%d asked for): %s, code %d of "
                "rank %d of %d, message '%s'\n",
                cases[number].name, r->worker, worker,
                dwq_status_text(r->status), r->code, r->failed_rank, r->n_ranks,
                r->message);
    }
}

static bool prepare(struct play *p, int nprocs, int n_groups)
{
    size_t n = (size_t)10007 * 3;

    *p = (struct play){ .nprocs = nprocs };
    p->bytes = malloc(MIB + 1);
    p->matrix = malloc(n * sizeof *p->matrix);
    p->n_processed = calloc((size_t)n_groups + 1, sizeof *p->n_processed);
    if (!p->bytes || !p->matrix || !p->n_processed) {
        return false;
    }
    table_fill(p->bytes, MIB + 1);
    for (size_t i = 0; i < n; i++) {
        p->matrix[i] = (int64_t)i;
    }
    return true;
}

int table_n_results(int n_groups)
{
    return N_CASES * (n_groups + 1);
}

int table_play(dwq_controller_t *c, int nprocs)
{
    int n_groups = dwq_controller_world(c).n_workers, n = 0;
    double zero = 0;
    struct play play;
    dwq_result_t result;

    CHECK(prepare(&play, nprocs, n_groups));
    CHECK(dwq_controller_submit_call(
              c,
              &(dwq_task_t){ .function = "ranks",
                             DWQ_ARGS(dwq_scatter(
                                 dwq_array(DWQ_DOUBLE, &zero, 0, NULL))) },
              NULL) == DWQ_E_ARG);
    for (int number = 0; number < N_CASES; number++) {
        for (int worker = 0; worker <= n_groups; worker++) {
            CHECK(submit(c, &play, number, worker) == DWQ_OK);
        }
    }
    while (dwq_controller_get_next_result(c, &result) == DWQ_OK) {
        check(&play, &result, n_groups);
        dwq_result_clear(&result);
        n++;
    }
    free(play.bytes);
    free(play.matrix);
    free(play.n_processed);
    return n;
}
