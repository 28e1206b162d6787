/* Arrays of more than 2 GiB to groups of 2 ranks and back. Each run holds at most
 * four of them at a time: one per process. */
#include <stdlib.h>

#include "tests/mpi/group_setup.h"

#define MIB ((size_t)1 << 20)
#define ROW ((size_t)65537) /* bytes */
#define N_ROWS ((size_t)32771)
#define HUGE_SIZE (ROW * N_ROWS) /* 2 GiB and 227 KB */

/* Of every 4093rd byte, and the last. */
static uint64_t checksum(const uint8_t *data, size_t n)
{
    uint64_t sum = n;

    for (size_t i = 0; i < n; i += 4093) {
        sum = sum * 31 + data[i];
    }
    return (n > 0 ? sum * 31 + data[n - 1] : sum) >> 1;
}

static void fill(uint8_t *data, size_t n)
{
    size_t done = n < MIB - 7 ? n : MIB - 7; /* the rest repeats it */

    for (size_t i = 0; i < done; i++) {
        data[i] = (uint8_t)(i * 7 + i / 251);
    }
    while (done < n) {
        size_t size = n - done < done ? n - done : done;

        memcpy(data + done, data, size);
        done += size;
    }
}

static int do_checksum(dwq_call_t *call, void *arg)
{
    dwq_array_t array;

    (void)arg;
    if (!dwq_arg(call, 0, &array) || array.type != DWQ_UINT8) {
        return dwq_call_fail(call, 2, "checksum(array of uint8)");
    }
    return dwq_call_return(
        call, DWQ_VALUES(checksum(array.data, dwq_array_size(&array)),
                         (uint64_t)array.shape[0]));
}

/* make(rank): that rank returns a huge array. */
static int make(dwq_call_t *call, void *arg)
{
    size_t n = HUGE_SIZE;
    int rank = -1;
    dwq_array_t array;

    (void)arg;
    dwq_arg(call, 0, &rank);
    if (dwq_call_rank(call) != rank) {
        return 0;
    }
    array = dwq_call_alloc(call, DWQ_UINT8, 1, &n);
    if (!array.data) {
        return dwq_call_fail(call, 4, "no memory for %zu bytes", n);
    }
    fill(array.data, n);
    return dwq_call_return(call, DWQ_VALUES(array));
}

static const dwq_function_t functions[] = { { "checksum", do_checksum, NULL },
                                            { "make", make, NULL },
                                            { NULL, NULL, NULL } };

/* --- There ------------------------------------------------------------------------ */

static bool get(dwq_controller_t *c, dwq_result_t *result)
{
    bool ok = dwq_controller_get_next_result(c, result) == DWQ_OK &&
              result->status == DWQ_OK && result->n_ranks == 2;

    if (!ok) {
        fprintf(stderr, "%s\n", result->message);
    }
    CHECK(ok);
    return ok;
}

static int huge_there(dwq_controller_t *c, void *arg)
{
    size_t n = HUGE_SIZE;
    uint8_t *data = malloc(n);
    dwq_array_t array = dwq_array(DWQ_UINT8, data, 1, &n);
    dwq_result_t result = { .message = "" };

    (void)arg;
    CHECK(data != NULL);
    fill(data, n);
    CHECK(
        dwq_controller_submit_call(c,
                                   &(dwq_task_t){ .function = "checksum",
                                                  DWQ_ARGS(dwq_borrow(array)) },
                                   NULL) == DWQ_OK);
    if (get(c, &result)) {
        for (int r = 0; r < 2; r++) {
            uint64_t sum = 0, size = 0;

            CHECK(dwq_result_get(&result, r, 0, &sum) &&
                  sum == checksum(data, n));
            CHECK(dwq_result_get(&result, r, 1, &size) && size == n);
        }
    }
    dwq_result_clear(&result);
    free(data);
    return 0;
}

static int huge_rows(dwq_controller_t *c, void *arg)
{
    size_t shape[] = { N_ROWS, ROW };
    size_t half = N_ROWS - N_ROWS / 2; /* the first rank's */
    uint8_t *data = malloc(HUGE_SIZE);
    dwq_array_t array = dwq_array(DWQ_UINT8, data, 2, shape);
    dwq_result_t result = { .message = "" };

    (void)arg;
    CHECK(data != NULL);
    fill(data, HUGE_SIZE);
    CHECK(dwq_controller_submit_call(
              c,
              &(dwq_task_t){ .function = "checksum",
                             DWQ_ARGS(dwq_borrow(dwq_scatter(array))) },
              NULL) == DWQ_OK);
    if (get(c, &result)) {
        uint64_t sum = 0, rows = 0;

        CHECK(dwq_result_get(&result, 0, 0, &sum) &&
              sum == checksum(data, half * ROW));
        CHECK(dwq_result_get(&result, 0, 1, &rows) && rows == half);
        CHECK(dwq_result_get(&result, 1, 0, &sum) &&
              sum == checksum(data + half * ROW, (N_ROWS - half) * ROW));
        CHECK(dwq_result_get(&result, 1, 1, &rows) && rows == N_ROWS - half);
    }
    dwq_result_clear(&result);
    free(data);
    return 0;
}

/* --- Back ---------------------------------------------------------------------------- */

/* The same bytes as fill() makes, without a second huge array. */
static bool is_filled(const uint8_t *data, size_t n)
{
    size_t period = MIB - 7;
    uint8_t *expected = malloc(period);
    bool same = expected != NULL;

    for (size_t i = 0; same && i < period; i++) {
        expected[i] = (uint8_t)(i * 7 + i / 251);
    }
    for (size_t at = 0; same && at < n; at += period) {
        same =
            memcmp(data + at, expected, n - at < period ? n - at : period) == 0;
    }
    free(expected);
    return same;
}

static int huge_back(dwq_controller_t *c, void *arg)
{
    dwq_result_t result = { .message = "" };
    dwq_array_t array;

    (void)arg;
    CHECK(dwq_controller_submit_call(
              c, &(dwq_task_t){ .function = "make", DWQ_ARGS(1) }, NULL) ==
          DWQ_OK);
    if (get(c, &result)) {
        CHECK(dwq_result_n_values(&result, 0) == 0);
        CHECK(dwq_result_get(&result, 1, 0, &array) &&
              array.shape[0] == HUGE_SIZE && is_filled(array.data, HUGE_SIZE));
    }
    dwq_result_clear(&result);
    return 0;
}

/* --- Scenarios -------------------------------------------------------------------------- */

/* Groups of 2: the broker inside on 3 ranks, beside on 4. Each transfer takes long:
 * without DWQ_TEST_CONFIG (4 to 7) only the mode given. */
static void play(const struct group_config *config, bool sendrecv,
                 int (*controller)(dwq_controller_t *c, void *arg))
{
    if (config->nprocs == 2 && config->inside == (world_size() == 3) &&
        (config->sendrecv == sendrecv || getenv("DWQ_TEST_CONFIG"))) {
        group_run(config, (dwq_options_t){ .controller = controller,
                                           .functions = functions });
    }
}

static void play_there(const struct group_config *config)
{
    play(config, config->inside, huge_there);
}

static void more_than_2_gib_to_a_group(void)
{
    group_configs(play_there);
}

static void play_rows(const struct group_config *config)
{
    play(config, false, huge_rows);
}

static void more_than_2_gib_scattered(void)
{
    group_configs(play_rows);
}

static void play_back(const struct group_config *config)
{
    play(config, false, huge_back);
}

static void more_than_2_gib_back_from_one_rank(void)
{
    group_configs(play_back);
}

static const struct scenario scenarios[] = {
#define S(name)     \
    {               \
#name, name \
    }
    S(more_than_2_gib_to_a_group),
    S(more_than_2_gib_scattered),
    S(more_than_2_gib_back_from_one_rank),
    { NULL, NULL },
};

int main(int argc, char **argv)
{
    return scenario_main(argc, argv, scenarios);
}
