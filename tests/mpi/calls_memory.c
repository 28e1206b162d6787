/* What calls keep, what there is no memory for, and what is counted. Limits of memory
 * are those of the address space: not under the address sanitizer. */
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/mpi/calls.h"

#define LARGE ((size_t)40 << 20) /* bytes: more than a limited rank has */
#define LEFT ((size_t)20 << 20)
#define UNKEPT \
    ((size_t)192 << 20) /* the library keeps no such block for later */
#define MEDIUM \
    ((size_t)64 << 20) /* each rank gives one; a broker has room for one */

/* --- Arrays that a function keeps ---------------------------------------------------- */

/* Small and large, an argument and one of its own. */
static int keeps(dwq_call_t *call, void *arg)
{
    struct scene *scene = arg;
    size_t small = 10, large = 100000;

    dwq_arg(call, 0, &scene->arrays[0]);
    dwq_arg(call, 1, &scene->arrays[1]);
    scene->arrays[2] = dwq_call_alloc(call, DWQ_DOUBLE, 1, &small);
    scene->arrays[3] = dwq_call_alloc(call, DWQ_DOUBLE, 1, &large);
    for (int i = 0; i < 4; i++) {
        ((double *)scene->arrays[i].data)[0] = 0;
        if (dwq_call_return(call, DWQ_VALUES(true, scene->arrays[i])) != 0) {
            return 1;
        }
    }
    return 0;
}

static int gives_kept(dwq_call_t *call, void *arg)
{
    const struct scene *scene = arg;
    dwq_array_t mine;
    dwq_value_t in_list;
    int i = 0;

    dwq_arg(call, 0, &mine);
    dwq_arg(call, 2, &i);
    in_list = dwq_value(scene->arrays[i]);
    mine = dwq_call_alloc(call, mine.type, mine.ndim, mine.shape);
    if (dwq_call_return(call, DWQ_VALUES(mine)) != 0) {
        return 1;
    }
    return dwq_call_return(
        call, DWQ_VALUES(true, dwq_value_list((dwq_values_t){ 1, &in_list })));
}

static int submits_keepers(dwq_controller_t *c, void *arg)
{
    static double numbers[100000];
    size_t small = 10, large = 100000;
    dwq_array_t a = dwq_array(DWQ_DOUBLE, numbers, 1, &small);
    dwq_array_t b = dwq_array(DWQ_DOUBLE, numbers, 1, &large);

    (void)arg;
    for (int i = 0; i < 4; i++) {
        dwq_result_t result;
        uint64_t id = 0;

        CHECK(call_on(
            c,
            &(dwq_task_t){ .function = "keeps", .worker = 1, DWQ_ARGS(a, b) },
            DWQ_OK));
        CHECK(
            dwq_controller_submit_call(c,
                                       &(dwq_task_t){ .function = "gives_kept",
                                                      .worker = 1,
                                                      DWQ_ARGS(a, b, i) },
                                       &id) == DWQ_OK);
        CHECK(dwq_controller_get_result(c, id, &result) == DWQ_OK);
        CHECK(result.status == DWQ_E_TASK && result.code == DWQ_E_ARG);
        CHECK(strstr(result.message, "another call") != NULL);
        dwq_result_clear(&result);
    }
    return 0;
}

static const dwq_function_t keepers[] = { { "keeps", keeps, NULL },
                                          { "gives_kept", gives_kept, NULL },
                                          { NULL, NULL, NULL } };

static void play_keepers(const struct group_config *config)
{
    dwq_options_t options = group_options(config);

    options.controller = submits_keepers;
    options.functions = keepers;
    scene_play(options);
}

void an_array_kept_by_a_call_is_not_sent_by_the_next(void)
{
    scene_play(
        (dwq_options_t){ .controller = submits_keepers, .functions = keepers });
    group_configs(play_keepers);
}

/* --- No memory ------------------------------------------------------------------------- */

/* No more than so many bytes from now on; 0: as many as there are. */
static void limit(size_t bytes)
{
    struct rlimit limit;
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    CHECK(file && fscanf(file, "%lu", &pages) == 1);
    if (file) {
        fclose(file);
    }
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = bytes > 0 ? pages * (rlim_t)sysconf(_SC_PAGESIZE) + bytes
                               : limit.rlim_max;
    setrlimit(RLIMIT_AS, &limit);
}

static int size_is(dwq_call_t *call, void *arg)
{
    dwq_array_t array;
    int64_t size = -1;

    (void)arg;
    dwq_arg(call, 1, &size);
    return dwq_call_return(call,
                           DWQ_VALUES(dwq_arg(call, 0, &array) &&
                                      (int64_t)dwq_array_size(&array) == size));
}

static int gives(dwq_call_t *call, void *arg)
{
    int64_t size = 0;
    dwq_array_t array;

    (void)arg;
    dwq_arg(call, 0, &size);
    array = dwq_call_alloc(call, DWQ_INT8, 1, (size_t[]){ (size_t)size });
    return dwq_call_return(call, DWQ_VALUES(true, array));
}

static const dwq_function_t sizes[] = { { "size_is", size_is, NULL },
                                        { "gives", gives, NULL },
                                        { NULL, NULL, NULL } };

static bool sized(dwq_controller_t *c, dwq_array_t array, int n_ranks,
                  dwq_status_t expected)
{
    int64_t size = (int64_t)dwq_array_size(&array) / n_ranks;

    return call_on(c,
                   &(dwq_task_t){ .function = "size_is",
                                  .worker = 1,
                                  DWQ_ARGS(array, size) },
                   expected);
}

/* The rank that has no memory is in the way of nobody, and has some for the next. */
static int submits_large(dwq_controller_t *c, void *arg)
{
    size_t small = 1000, large = LARGE * 3;
    char *memory = malloc(large);
    dwq_array_t a = dwq_array(DWQ_INT8, memory, 1, &small);
    dwq_array_t b = dwq_array(DWQ_INT8, memory, 1, &large);
    dwq_array_t whole = dwq_array(DWQ_INT8, memory, 1, (size_t[]){ LARGE });

    (void)arg;
    CHECK(memory != NULL);
    for (int i = 0; i < 2 && memory; i++) {
        CHECK(sized(c, a, 1, DWQ_OK));
        CHECK(sized(c, dwq_borrow(whole), 1, DWQ_E_TASK));
        CHECK(sized(c, a, 1, DWQ_OK));
        CHECK(sized(c, dwq_scatter(dwq_borrow(b)), 1, DWQ_E_TASK));
        CHECK(sized(c, a, 1, DWQ_OK));
    }
    free(memory);
    return 0;
}

static int has_little(dwq_worker_t *worker, void *arg)
{
    (void)arg;
    limit(LEFT);
    dwq_worker_serve(worker);
    limit(0);
    return 0;
}

static void play_large(const struct group_config *config)
{
    dwq_options_t options = group_options(config);

    options.controller = submits_large;
    options.functions = sizes;
    options.worker = has_little;
    options.max_workers = 1;
    scene_play(options);
}

void a_task_without_memory_on_a_rank_is_a_failed_call(void)
{
    if (SANITIZED) {
        return;
    }
    if (world_size() > 1) {
        scene_play((dwq_options_t){ .controller = submits_large,
                                    .functions = sizes,
                                    .worker = has_little,
                                    .max_workers = 1 });
    }
    group_configs(play_large);
}

/* The broker, if there is one, has no memory for all parts, and the controller none for
 * what it has. */
static int submits_givers(dwq_controller_t *c, void *arg)
{
    dwq_result_t result;
    uint64_t id = 0;

    (void)arg;
    limit(MEDIUM / 2);
    for (int i = 0; i < 2; i++) {
        int64_t size = (int64_t)MEDIUM;

        CHECK(dwq_controller_submit_call(c,
                                         &(dwq_task_t){ .function = "gives",
                                                        .worker = 1,
                                                        DWQ_ARGS(size) },
                                         &id) == DWQ_OK);
        CHECK(dwq_controller_get_result(c, id, &result) == DWQ_OK);
        CHECK(result.status == DWQ_E_NOMEM && result.worker == 1);
        CHECK(strstr(result.message, "no memory for the result of ") != NULL);
        dwq_result_clear(&result);
        size = 10;
        CHECK(call_on(
            c,
            &(dwq_task_t){ .function = "gives", .worker = 1, DWQ_ARGS(size) },
            DWQ_OK));
    }
    limit(0);
    return 0;
}

/* At the broker beside its group: each part is larger than what it has left. */
static int submits_to_a_broker(dwq_controller_t *c, void *arg)
{
    dwq_result_t result;
    uint64_t id = 0;
    bool yes;

    (void)arg;
    for (int i = 0; i < 2; i++) {
        int64_t size = (int64_t)LARGE;

        CHECK(dwq_controller_submit_call(c,
                                         &(dwq_task_t){ .function = "gives",
                                                        .worker = 1,
                                                        DWQ_ARGS(size) },
                                         &id) == DWQ_OK);
        CHECK(dwq_controller_get_result(c, id, &result) == DWQ_OK);
        CHECK(result.status == DWQ_E_TASK && result.code == DWQ_E_NOMEM);
        CHECK(strstr(result.message, "what this rank returned") != NULL);
        for (int r = 0; r < result.n_ranks; r++) {
            CHECK(!dwq_result_get(&result, r, 0, &yes));
        }
        dwq_result_clear(&result);
        size = 10;
        CHECK(call_on(
            c,
            &(dwq_task_t){ .function = "gives", .worker = 1, DWQ_ARGS(size) },
            DWQ_OK));
    }
    return 0;
}

static int broker_has_little(dwq_broker_t *broker, void *arg)
{
    (void)arg;
    limit(LEFT);
    dwq_broker_serve(broker);
    limit(0);
    return 0;
}

static void play_givers(const struct group_config *config)
{
    dwq_options_t options = group_options(config);

    options.controller = submits_givers;
    options.functions = sizes;
    options.max_workers = 1;
    scene_play(options);
    if (!config->inside) {
        options.controller = submits_to_a_broker;
        options.broker = broker_has_little;
        scene_play(options);
    }
}

void a_result_without_memory_is_a_failed_call(void)
{
    if (SANITIZED) {
        return;
    }
    if (world_size() > 1) {
        scene_play((dwq_options_t){ .controller = submits_givers,
                                    .functions = sizes,
                                    .max_workers = 1 });
    }
    group_configs(play_givers);
}

/* All of several are taken, each has its result, and none is anywhere else. */
static int submits_several(dwq_controller_t *c, void *arg)
{
    size_t n = UNKEPT;
    char *memory = malloc(n);
    dwq_value_t large = dwq_value(dwq_array(DWQ_INT8, memory, 1, &n));
    dwq_task_t tasks[3] = {
        { .function = "gives", .id = 1 },
        { .function = "size_is", .id = 2, .args = { 1, &large } },
        { .function = "gives", .id = 3 }
    };
    dwq_result_t result;

    (void)arg;
    CHECK(memory != NULL);
    limit(UNKEPT + UNKEPT / 2);
    CHECK(dwq_controller_submit_multiple(c, tasks, 3, NULL) == DWQ_OK);
    for (uint64_t id = 1; id <= 3; id++) {
        CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
        CHECK(result.id == id);
        CHECK(result.status == (id == 2 ? DWQ_E_TASK : DWQ_OK));
        CHECK(id != 2 || (result.code == DWQ_E_NOMEM &&
                          strstr(result.message, "no memory for a task")));
        dwq_result_clear(&result);
    }
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_E_EMPTY);
    limit(UNKEPT / 2);
    CHECK(dwq_controller_submit_multiple(c, tasks, 3, NULL) == DWQ_E_NOMEM);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_E_EMPTY);
    CHECK(dwq_controller_submit_multiple(c, tasks, SIZE_MAX, NULL) ==
          DWQ_E_ARG);
    CHECK(dwq_controller_submit_multiple(c, tasks, SIZE_MAX / 16, NULL) !=
          DWQ_OK);
    limit(0);
    free(memory);
    return 0;
}

void in_one_process_a_task_without_memory_is_a_failed_call(void)
{
    if (!SANITIZED) {
        scene_play((dwq_options_t){ .controller = submits_several,
                                    .functions = sizes });
    }
}

/* --- Times ------------------------------------------------------------------------------- */

/* Another rank is the slow one in each call. */
static int takes_turns(dwq_call_t *call, void *arg)
{
    int i = 0;

    (void)arg;
    dwq_arg(call, 0, &i);
    if (dwq_call_rank(call) == i % dwq_call_size(call)) {
        sleep_seconds(0.01);
    }
    return i % 3 == 2 ? dwq_call_fail(call, 1, "a failed call counts") : 0;
}

static int sums_times(dwq_controller_t *c, void *arg)
{
    double sum = 0;

    (void)arg;
    for (int i = 0; i < 6; i++) {
        dwq_result_t result;
        uint64_t id = 0;
        double error;

        CHECK(dwq_controller_submit_call(
                  c,
                  &(dwq_task_t){
                      .function = "takes_turns", .worker = 1, DWQ_ARGS(i) },
                  &id) == DWQ_OK);
        CHECK(dwq_controller_get_result(c, id, &result) == DWQ_OK);
        sum += result.this_time;
        error = result.total_time - sum;
        CHECK(error < 1e-9 && error > -1e-9);
        CHECK(result.n_processed == (uint64_t)i + 1);
        dwq_result_clear(&result);
    }
    return 0;
}

static const dwq_function_t timed[] = { { "takes_turns", takes_turns, NULL },
                                        { NULL, NULL, NULL } };

static void play_times(const struct group_config *config)
{
    dwq_options_t options = group_options(config);

    options.controller = sums_times;
    options.functions = timed;
    scene_play(options);
}

void the_total_time_of_a_group_is_that_of_its_calls(void)
{
    scene_play((dwq_options_t){ .controller = sums_times, .functions = timed });
    group_configs(play_times);
}
