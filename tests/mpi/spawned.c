/* Spawned groups where they differ most from those that are cut out of the job: the
 * functions, the worker function and the arrays are those of processes that were not
 * there at the start. On 3 ranks: two groups of 3, of which 3 or 2 are spawned. A
 * spawned process plays the same scenarios, and serves in the run it was started for. */
#include <stdlib.h>

#include "tests/mpi/scenario.h"

#define N_GROUPS 2
#define N_RANKS 3
#define SIZE (((size_t)1 << 20) + 1) /* bytes; no multiple of anything here */

struct scene {
    int state; /* 1: initialized; 2: after the serving */
    int code;  /* what the worker function of this process returned */
};

/* In the default mode, which uses both ways, with the broker beside, and by messages with
 * it inside; with DWQ_TEST_CONFIG (0 or 1) that one only. */
static void play(const dwq_options_t *options)
{
    const char *only = getenv("DWQ_TEST_CONFIG");

    for (int i = 0; i < 2; i++) {
        struct scene scene = { .state = 0 };
        dwq_options_t own = *options;

        own.grouping = DWQ_GROUPING_SPAWN;
        own.nprocs_per_worker = N_RANKS;
        own.collective_mode =
            i == 0 ? DWQ_COLLECTIVE_DEFAULT : DWQ_COLLECTIVE_SENDRECV;
        own.broker_is_worker = i == 1;
        own.arg = &scene;
        if (!only || atoi(only) == i) {
            CHECK(scenario_run_options(&own) == scene.code);
        }
    }
}

/* --- Functions that fail ------------------------------------------------------ */

static int fails_on(dwq_call_t *call, void *arg)
{
    int rank = -1;

    (void)arg;
    dwq_arg(call, 0, &rank);
    if (dwq_call_rank(call) == rank) {
        return dwq_call_fail(call, 7, "rank %d fails, as asked", rank);
    }
    return dwq_call_return(call, DWQ_VALUES(100 + dwq_call_rank(call)));
}

static void check_failure(const dwq_result_t *result, int rank)
{
    char text[40];

    snprintf(text, sizeof text, "rank %d fails, as asked", rank);
    CHECK(result->status == DWQ_E_TASK && result->code == 7);
    CHECK(result->failed_rank == rank && result->n_ranks == N_RANKS);
    CHECK(strcmp(result->message, text) == 0);
    for (int r = 0; r < result->n_ranks; r++) {
        int is = -1;

        CHECK(dwq_result_get(result, r, 0, &is) == (r != rank));
        CHECK(is == (r == rank ? -1 : 100 + r));
    }
}

static int sees_failures(dwq_controller_t *c, void *arg)
{
    dwq_result_t result;

    (void)arg;
    CHECK(dwq_controller_world(c).n_workers == N_GROUPS);
    for (int i = 0; i < N_GROUPS * N_RANKS; i++) {
        int rank = i % N_RANKS;

        CHECK(
            dwq_controller_submit_call(c,
                                       &(dwq_task_t){ .function = "fails_on",
                                                      .worker = 1 + i / N_RANKS,
                                                      DWQ_ARGS(rank) },
                                       NULL) == DWQ_OK);
        CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
        check_failure(&result, rank);
        dwq_result_clear(&result);
    }
    CHECK(dwq_controller_submit_call(c, &(dwq_task_t){ .function = "exit" },
                                     NULL) == DWQ_OK);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
    CHECK(result.status == DWQ_E_TASK && strstr(result.message, "exit"));
    dwq_result_clear(&result);
    return 0;
}

static void a_failing_rank_is_named_and_the_others_have_values(void)
{
    const dwq_function_t functions[] = { { "fails_on", fails_on, NULL },
                                         { NULL, NULL, NULL } };

    play(&(dwq_options_t){ .controller = sees_failures,
                           .functions = functions });
}

/* --- Initializers ------------------------------------------------------------- */

static int state(dwq_call_t *call, void *arg)
{
    const struct scene *scene = arg;

    return dwq_call_return(call, DWQ_VALUES(scene->state));
}

static const dwq_function_t state_functions[] = { { "state", state, NULL },
                                                  { NULL, NULL, NULL } };

/* Group 1 serves in the middle, the other after it. */
static int serves(dwq_worker_t *worker, void *arg)
{
    struct scene *scene = arg;

    scene->state = 1;
    if (dwq_worker_id(worker) == 1) {
        CHECK(dwq_worker_serve(worker) == DWQ_OK);
        scene->state = 2;
    }
    return 0;
}

/* Every rank that answers is initialized. */
static int asks_state(dwq_controller_t *c, void *arg)
{
    dwq_result_t result;

    (void)arg;
    for (int w = 1; w <= N_GROUPS; w++) {
        CHECK(dwq_controller_submit_call(
                  c, &(dwq_task_t){ .function = "state", .worker = w }, NULL) ==
              DWQ_OK);
        CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
        CHECK(result.status == DWQ_OK && result.n_ranks == N_RANKS);
        for (int r = 0; r < result.n_ranks; r++) {
            int is = -1;

            CHECK(dwq_result_get(&result, r, 0, &is) && is == 1);
        }
        dwq_result_clear(&result);
    }
    return 0;
}

static void worker_functions_serve_in_the_middle_or_are_initializers(void)
{
    play(&(dwq_options_t){ .controller = asks_state,
                           .worker = serves,
                           .functions = state_functions });
}

/* The last rank of group 1. */
static int may_fail(dwq_worker_t *worker, void *arg)
{
    struct scene *scene = arg;
    int rank;

    MPI_Comm_rank(dwq_worker_comm(worker), &rank);
    scene->state = 1;
    scene->code = dwq_worker_id(worker) == 1 && rank == N_RANKS - 1 ? 9 : 0;
    return scene->code;
}

static int uses_the_rest(dwq_controller_t *c, void *arg)
{
    dwq_result_t result;
    uint64_t id = 0;

    (void)arg;
    CHECK(dwq_controller_submit_call(
              c, &(dwq_task_t){ .function = "state", .worker = 1 }, &id) ==
          DWQ_OK);
    CHECK(dwq_controller_get_result(c, id, &result) == DWQ_OK);
    CHECK(result.status == DWQ_E_WORKER &&
          strstr(result.message, "returned 9"));
    dwq_result_clear(&result);
    for (int i = 0; i < 4; i++) {
        CHECK(dwq_controller_submit_call(
                  c, &(dwq_task_t){ .function = "state" }, NULL) == DWQ_OK);
    }
    for (int i = 0; i < 4; i++) {
        CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
        CHECK(result.status == DWQ_OK && result.worker == 2);
        dwq_result_clear(&result);
    }
    return 0;
}

static void a_failing_initializer_withdraws_the_whole_group(void)
{
    play(&(dwq_options_t){ .controller = uses_the_rest,
                           .worker = may_fail,
                           .functions = state_functions });
}

/* --- Arrays ------------------------------------------------------------------- */

static int mirror(dwq_call_t *call, void *arg)
{
    dwq_array_t array = { .ndim = 0 };

    (void)arg;
    CHECK(dwq_arg(call, 0, &array));
    return dwq_call_return(call, DWQ_VALUES(array));
}

static void check_mirrored(const dwq_result_t *result, const uint8_t *data,
                           bool scattered)
{
    size_t at = 0;

    CHECK(result->status == DWQ_OK && result->n_ranks == N_RANKS);
    for (int r = 0; r < result->n_ranks; r++) {
        size_t n =
            scattered ? SIZE / N_RANKS + ((size_t)r < SIZE % N_RANKS) : SIZE;
        dwq_array_t array = { .ndim = 0 };

        CHECK(dwq_result_get(result, r, 0, &array) && array.shape[0] == n &&
              memcmp(array.data, data + at, n) == 0);
        at += scattered ? n : 0;
    }
}

static int mirrors(dwq_controller_t *c, void *arg)
{
    size_t n = SIZE;
    uint8_t *data = malloc(n);
    dwq_array_t array = dwq_array(DWQ_UINT8, data, 1, &n);
    dwq_result_t result = { .message = "" };

    (void)arg;
    CHECK(data != NULL);
    for (size_t i = 0; i < n; i++) {
        data[i] = (uint8_t)(i * 7 + i / 251);
    }
    for (int i = 0; i < 2 * N_GROUPS; i++) {
        bool scattered = i % 2;

        CHECK(dwq_controller_submit_call(
                  c,
                  &(dwq_task_t){
                      .function = "mirror",
                      .worker = 1 + i / 2,
                      DWQ_ARGS(scattered ? dwq_scatter(array) : array) },
                  NULL) == DWQ_OK);
        CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
        check_mirrored(&result, data, scattered);
        dwq_result_clear(&result);
    }
    free(data);
    return 0;
}

static void a_mebibyte_and_a_byte_there_and_back_whole_and_scattered(void)
{
    const dwq_function_t functions[] = { { "mirror", mirror, NULL },
                                         { NULL, NULL, NULL } };

    play(&(dwq_options_t){ .controller = mirrors, .functions = functions });
}

static const struct scenario scenarios[] = {
#define S(name)     \
    {               \
#name, name \
    }
    S(a_failing_rank_is_named_and_the_others_have_values),
    S(worker_functions_serve_in_the_middle_or_are_initializers),
    S(a_failing_initializer_withdraws_the_whole_group),
    S(a_mebibyte_and_a_byte_there_and_back_whole_and_scattered),
    { NULL, NULL },
};

int main(int argc, char **argv)
{
    return scenario_main(argc, argv, scenarios);
}
