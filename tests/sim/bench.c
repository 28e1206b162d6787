#include "tests/sim/bench.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

/* run(seconds): takes that much virtual time; gives the worker's number. */
static int run(dwq_call_t *call, void *arg)
{
    struct bench_worker *w = arg;
    double seconds = 0;

    dwq_arg(call, 0, &seconds);
    w->n_run++;
    dwqi_sim_advance(w->b->sim, w->number, seconds);
    return dwq_call_return(call, DWQ_VALUES(w->number));
}

static int watched(dwq_call_t *call, void *arg)
{
    struct bench_worker *w = arg;

    w->first_start = dwqi_sim_now(w->b->sim, w->number);
    return run(call, arg);
}

static double worker_now(void *arg)
{
    struct bench_worker *w = arg;

    return dwqi_sim_now(w->b->sim, w->number);
}

static dwq_status_t worker_step(void *arg)
{
    struct bench_worker *w = arg;

    if (!w->begun) {
        w->begun = true;
        return w->server->ops->begin(w->server);
    }
    return w->server->ops->is_closed(w->server)
               ? DWQ_E_AGAIN
               : w->server->ops->step(w->server);
}

static void quiet(const char *line, void *arg)
{
    (void)line;
    (void)arg;
}

void make_step(struct bench *b, int number)
{
    dwqi_sim_set_step(b->sim, number, worker_step, &b->workers[number],
                      dwqi_sim_now(b->sim, number));
}

static void make_worker(struct bench *b, int number)
{
    struct bench_worker *w = &b->workers[number];
    const dwq_function_t functions[] = { { "run", run, w },
                                         { "watched", watched, w },
                                         { NULL, NULL, NULL } };
    struct dwqi_error reason;

    *w = (struct bench_worker){ .b = b, .number = number, .first_start = -1 };
    dwqi_registry_create(functions, NULL, ".", &b->log, &w->registry, &reason);
    dwqi_executor_create(
        &(struct dwqi_executor_config){ .registry = w->registry,
                                        .log = &b->log,
                                        .now = worker_now,
                                        .clock = w,
                                        .size = 1 },
        &w->executor);
    dwqi_solo_init(&w->solo, w->executor);
    dwqi_server_create(
        &(struct dwqi_server_config){ .transport =
                                          dwqi_sim_endpoint(b->sim, number),
                                      .runner = &w->solo.runner,
                                      .log = &b->log,
                                      .time_limit = INFINITY },
        &w->server);
    make_step(b, number);
}

/* far: the controller shares no memory with its workers. */
void set_up_as(struct bench *b, int n_workers, int held_max, double corrupt,
               double time_limit, bool time_est_seconds, bool far)
{
    int peers[MAX_WORKERS];

    *b = (struct bench){ .n_workers = n_workers, .log = { .line = quiet } };
    b->sim =
        dwqi_sim_create(&(struct dwqi_sim_config){ .n_endpoints = n_workers + 1,
                                                   .seed = 4,
                                                   .mean_delay = 1e-6,
                                                   .corrupt = corrupt,
                                                   .far = far });
    for (int i = 0; i < n_workers; i++) {
        peers[i] = i + 1;
        make_worker(b, i + 1);
    }
    dwqi_controller_create(
        &(struct dwqi_controller_config){
            .queue.transport = dwqi_sim_endpoint(b->sim, 0),
            .queue.log = &b->log,
            .n_workers = n_workers,
            .peers = peers,
            .queue.held_max = held_max,
            .feeding = DWQI_FED_BY_CALLS,
            .queue.time_est_seconds = time_est_seconds,
            .queue.time_limit = time_limit,
            .queue.grace_end = INFINITY },
        &b->c);
}

void set_up(struct bench *b, int n_workers, int held_max, double corrupt)
{
    set_up_as(b, n_workers, held_max, corrupt, INFINITY, false, false);
}

void tear_down(struct bench *b)
{
    cr_assert_eq(dwqi_controller_close(b->c, false), DWQ_OK);
    cr_assert_not(dwqi_sim_is_stuck(b->sim));
    dwqi_controller_destroy(b->c);
    for (int w = 1; w <= b->n_workers; w++) {
        dwqi_role_finish(b->workers[w].server);
        dwqi_solo_finish(&b->workers[w].solo);
        dwqi_executor_destroy(b->workers[w].executor);
        dwqi_registry_destroy(b->workers[w].registry);
    }
    dwqi_sim_destroy(b->sim);
}

uint64_t submit(struct bench *b, const char *function, double seconds,
                double time_est)
{
    uint64_t id = 0;

    cr_assert_eq(dwq_controller_queue_call(b->c,
                                           &(dwq_task_t){ .function = function,
                                                          .time_est = time_est,
                                                          DWQ_ARGS(seconds) },
                                           &id),
                 DWQ_OK);
    return id;
}

int collect(struct bench *b, dwq_status_t status)
{
    dwq_result_t result;
    int n = 0;

    while (dwq_controller_get_next_result(b->c, &result) == DWQ_OK) {
        n += result.status == status;
        dwq_result_clear(&result);
    }
    return n;
}

void learn(struct bench *b)
{
    for (int i = 0; i < 50; i++) {
        submit(b, "run", 1e-6, 1);
    }
    cr_assert_eq(collect(b, DWQ_OK), 50);
}

double now(struct bench *b)
{
    return dwqi_sim_now(b->sim, 0);
}

unsigned long long reported(struct bench *b, const char *line, int which)
{
    char text[4096] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    unsigned long long values[2] = { 0, 0 };
    const char *at;

    dwq_controller_info(b->c, out);
    fclose(out);
    at = strstr(text, line);
    if (at) {
        sscanf(at + strlen(line), "%llu, delaying %llu", &values[0],
               &values[1]);
    }
    return values[which];
}
