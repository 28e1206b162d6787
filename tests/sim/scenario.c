#include "tests/sim/scenario_private.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double draw(struct scenario *s)
{
    return dwqi_random_unit(&s->random);
}

static int draw_int(struct scenario *s, int n)
{
    return (int)(dwqi_random(&s->random) % (uint64_t)n);
}

/* --- Workers ------------------------------------------------------------ */

/* work(x, seconds, index[, array]): takes virtual time; gives 2x + sum. */
static int work(dwq_call_t *call, void *arg)
{
    struct sim_worker *w = arg;
    struct scenario *s = w->s;
    double x, seconds, sum = 0;
    int64_t index;
    dwq_array_t array;

    if (!dwq_arg(call, 0, &x) || !dwq_arg(call, 1, &seconds) ||
        !dwq_arg(call, 2, &index) || !(seconds >= 0 && seconds < 10)) {
        return dwq_call_fail(call, 99, "bad arguments");
    }
    if (index >= 0 && (size_t)index < s->n_known) {
        s->known[index].n_run++;
    }
    if (dwq_arg(call, 3, &array)) {
        for (size_t i = 0; i < array.shape[0]; i++) {
            sum += ((const double *)array.data)[i];
        }
    }
    dwqi_sim_advance(s->sim, w->number, seconds * w->slowness);
    if (x < 0) {
        return dwq_call_fail(call, 7, "x is %g", x);
    }
    if (x < 1) {
        return 0; /* returns nothing */
    }
    return dwq_call_return(call, DWQ_VALUES(2 * x + sum, index));
}

static double worker_now(void *arg)
{
    struct sim_worker *w = arg;

    return dwqi_sim_now(w->s->sim, w->number);
}

static dwq_status_t worker_step(void *arg)
{
    struct sim_worker *w = arg;

    if (!w->begun) {
        w->begun = true;
        if (w->withdraws) {
            return w->server->ops->withdraw(w->server,
                                            "its initializer failed");
        }
        w->server->ops->set_ready_data(w->server,
                                       dwq_value_int(1000 + w->number));
        return w->server->ops->begin(w->server);
    }
    return w->server->ops->is_closed(w->server)
               ? DWQ_E_AGAIN
               : w->server->ops->step(w->server);
}

static void make_worker(struct scenario *s, int number)
{
    struct sim_worker *w = &s->workers[number];
    const dwq_function_t functions[] = { { "work", work, w },
                                         { NULL, NULL, NULL } };
    struct dwqi_error reason;
    struct dwqi_server_config config = {
        .transport = dwqi_sim_endpoint(s->sim, number),
        .log = &s->log,
        .time_limit = s->time_limit,
    };

    w->s = s;
    w->number = number;
    w->slowness = draw(s) < 0.2 ? 20 * draw(s) : 1;
    w->withdraws = draw(s) < 0.03;
    dwqi_registry_create(functions, NULL, ".", &s->log, &w->registry, &reason);
    dwqi_executor_create(
        &(struct dwqi_executor_config){ .registry = w->registry,
                                        .log = &s->log,
                                        .now = worker_now,
                                        .clock = w,
                                        .size = 1 },
        &w->executor);
    dwqi_solo_init(&w->solo, w->executor);
    config.runner = &w->solo.runner;
    dwqi_server_create(&config, &w->server);
    dwqi_sim_set_step(s->sim, number, worker_step, w,
                      draw(s) < 0.3 ? 0.1 * draw(s) : 0);
}

/* --- Submitting --------------------------------------------------------- */

static double draw_seconds(struct scenario *s)
{
    switch (draw_int(s, 4)) {
    case 0:
        return 2e-6 * draw(s);
    case 1:
        return 1e-4 * draw(s);
    case 2:
        return 1e-5;
    default:
        return draw(s) < 0.05 ? 2 * draw(s) : 5e-3 * draw(s);
    }
}

static uint64_t draw_id(struct scenario *s)
{
    return draw(s) < 0.2 ? 1 + dwqi_random(&s->random) % 400 : 0;
}

static bool id_is_out(const struct scenario *s, uint64_t id)
{
    for (size_t i = 0; i < s->n_known; i++) {
        if (s->known[i].id == id && !s->known[i].collected) {
            return true;
        }
    }
    return false;
}

/* Submit one random task and remember it. */
static void submit_one(struct scenario *s)
{
    struct known *k = &s->known[s->n_known];
    bool queued = draw(s) < 0.4;
    double seconds = draw_seconds(s);
    dwq_task_t task = { .function = "work", .id = draw_id(s) };
    dwq_array_t big = dwq_array(DWQ_DOUBLE, s->big, 1, (size_t[]){ BIG });
    dwq_value_t args[4];
    uint64_t id = 0;
    dwq_status_t status, expected;

    *k = (struct known){ .x = draw(s) < 0.1   ? -1
                              : draw(s) < 0.1 ? 0.5
                                              : 1 + draw_int(s, 1000) };
    k->fails = k->x < 0;
    k->borrowed = draw(s) < 0.03;
    k->unknown = draw(s) < 0.02;
    if (draw(s) < 0.2) {
        task.worker = 1 + draw_int(s, s->n_workers);
        k->bound = queued ? 0 : task.worker;
    }
    args[0] = dwq_value_double(k->x);
    args[1] = dwq_value_double(seconds);
    args[2] = dwq_value_int((int64_t)s->n_known);
    args[3] = dwq_value_array(draw(s) < 0.5 ? dwq_borrow(big) : big);
    task.args = (dwq_values_t){ k->borrowed ? 4u : 3u, args };
    task.function = k->unknown ? "exit" : "work";
    task.retry_failed = (int)(s->n_known % 3);
    task.priority = draw(s) < 0.1 ? draw_int(s, 5) - 2 : 0;
    task.time_est = draw(s) < 0.5 ? seconds : draw(s) < 0.3 ? 10 * draw(s) : 0;
    expected = task.id && id_is_out(s, task.id) ? DWQ_E_ID : DWQ_OK;
    s->n_known++; /* a call may run at once */
    status = queued ? dwq_controller_queue_call(s->controller, &task, &id)
                    : dwq_controller_submit_call(s->controller, &task, &id);
    if (status != expected && !memory_is_short(status)) {
        scenario_fault(s, "submit answered %s, not %s", dwq_status_name(status),
                       dwq_status_name(expected));
    }
    if (status != DWQ_OK) {
        s->n_known--;
        return;
    }
    if (id == 0 || (task.id && id != task.id) || id_is_out(s, id)) {
        scenario_fault(s, "id %" PRIu64 " given for %" PRIu64, id, task.id);
    }
    k->id = id;
}

/* --- Collecting --------------------------------------------------------- */

static void collect_some(struct scenario *s)
{
    dwq_result_t r[8];
    size_t n = 0;

    switch (draw_int(s, 4)) {
    case 0:
        if (dwq_controller_probe_next_result(s->controller, r) == DWQ_OK) {
            scenario_collected(s, r);
        }
        break;
    case 1:
        dwq_controller_probe_all_next_results(s->controller, r, 8, &n);
        for (size_t i = 0; i < n; i++) {
            scenario_collected(s, &r[i]);
        }
        break;
    case 2:
        if (s->n_known > 0) {
            const struct known *k = &s->known[draw_int(s, (int)s->n_known)];
            bool there = id_is_out(s, k->id);
            dwq_status_t status =
                dwq_controller_get_result(s->controller, k->id, r);

            if (status == DWQ_OK && there) {
                scenario_collected(s, r);
            } else if (there != memory_is_short(status)) {
                scenario_fault(s, "get_result of task %" PRIu64, k->id);
            }
        }
        break;
    default:
        if (dwq_controller_get_next_result(s->controller, r) == DWQ_OK) {
            scenario_collected(s, r);
        }
    }
}

static void collect_rest(struct scenario *s)
{
    dwq_result_t r;
    dwq_status_t status;

    do {
        status = dwq_controller_get_next_result(s->controller, &r);
        if (status == DWQ_OK) {
            scenario_collected(s, &r);
        }
    } while (status == DWQ_OK ||
             (memory_is_short(status) && !scenario_has_given_up(s)));
    if (status != DWQ_E_EMPTY) {
        scenario_fault(s, "the last get_next_result answered %s",
                       dwq_status_name(status));
    }
}

static void cancel_one(struct scenario *s)
{
    size_t i = (size_t)draw_int(s, (int)s->n_known + 1);
    dwq_status_t status;

    if (i == s->n_known) {
        dwq_controller_cancel(s->controller, draw(s) < 0.1 ? 0 : UINT64_MAX);
        return;
    }
    status = dwq_controller_cancel(s->controller, s->known[i].id);
    if (!memory_is_short(status) &&
        (status == DWQ_E_ID) == id_is_out(s, s->known[i].id)) {
        scenario_fault(s, "cancel answered %s", dwq_status_name(status));
    }
}

/* --- The run ------------------------------------------------------------ */

static void user_code(struct scenario *s)
{
    while (s->out->ok && s->n_known < s->n_max &&
           dwqi_sim_error(s->sim) == DWQ_OK) {
        double what = draw(s);

        if (what < 0.7) {
            submit_one(s);
        } else if (what < 0.9) {
            collect_some(s);
        } else if (what < 0.93) {
            cancel_one(s);
        } else if (what < 0.96) {
            int worker;
            dwq_value_t data;
            int64_t number;

            if (dwq_controller_get_ready_worker(s->controller, &worker,
                                                &data) == DWQ_OK &&
                dwqi_sim_n_corrupted(s->sim) == 0 &&
                !(memory_has_failed() && data.kind == DWQ_KIND_NIL) &&
                (!dwq_read_int64(&data, &number) || number != 1000 + worker)) {
                scenario_fault(s, "ready data of worker %d", worker);
            }
        } else {
            dwqi_sim_advance(s->sim, 0, 1e-3 * draw(s));
            dwqi_controller_feed(s->controller);
            dwqi_sim_advance(s->sim, 0, 1e-3 * draw(s));
            dwq_controller_progress(s->controller);
        }
    }
}

static void make_controller(struct scenario *s)
{
    int peers[MAX_WORKERS];
    struct dwqi_controller_config config = {
        .queue.transport = dwqi_sim_endpoint(s->sim, 0),
        .queue.log = &s->log,
        .n_workers = s->n_workers,
        .peers = peers,
        .queue.queue_order =
            draw(s) < 0.3 ? DWQ_ORDER_LONGEST_FIRST : DWQ_ORDER_FIFO,
        .queue.held_max = (const int[]){ 1, 2, 64, 64, 5 }[draw_int(s, 5)],
        .queue.holds_near_only = draw(s) < 0.5,
        .feeding = DWQI_FED_BY_CALLS,
        .queue.time_limit = s->time_limit,
        .queue.grace_end = s->time_limit + s->grace,
        .queue.retries = s->retries,
    };

    for (int w = 0; w < s->n_workers; w++) {
        peers[w] = w + 1;
    }
    dwqi_controller_create(&config, &s->controller);
}

static void die(void *arg)
{
    struct sim_worker *w = arg;
    struct scenario *s = w->s;
    double delay = dwqi_random_unit(&s->fates) * 2e-3;

    if (w->dead || w->server->ops->is_closed(w->server)) {
        return;
    }
    w->dead = true;
    s->n_killed++;
    s->out->n_killed++;
    dwqi_sim_kill(s->sim, w->number);
    dwqi_sim_tell_death(s->sim, w->number, delay);
}

/* Soon after the start, when most is under way, or later. */
static void plan_deaths(struct scenario *s)
{
    int n = (int)(dwqi_random(&s->fates) % (uint64_t)(s->n_workers + 1));

    for (int i = 0; i < n; i++) {
        int w = 1 + (int)(dwqi_random(&s->fates) % (uint64_t)s->n_workers);
        double scale = dwqi_random_unit(&s->fates) < 0.7 ? 2e-2 : 0.5;

        dwqi_sim_call(s->sim, w, scale * dwqi_random_unit(&s->fates), die,
                      &s->workers[w]);
    }
}

static void set_up(struct scenario *s, uint64_t seed, bool verbose)
{
    struct dwqi_sim_config config = { .mean_delay = 2e-6 };

    s->random = seed;
    s->log.verbose = verbose;
    s->log.line = scenario_line;
    s->log.arg = s->out;
    s->n_workers = 1 + draw_int(s, MAX_WORKERS);
    s->n_max = (size_t)(1 + draw_int(s, draw(s) < 0.1 ? 400 : 60));
    s->time_limit = draw(s) < 0.1 ? 0.05 * draw(s) : INFINITY;
    s->grace = draw(s) < 0.5 ? INFINITY : 0.05 * draw(s);
    config.n_endpoints = s->n_workers + 1;
    config.seed = seed + 1, config.far = seed % 3 == 0;
    config.mean_delay = draw(s) < 0.5 ? 2e-6 : 1e-3;
    config.long_delay = 0.1;
    config.long_share = draw(s) < 0.3 ? 0.05 : 0;
    config.corrupt = draw(s) < 0.1 ? 0.02 : 0;
    s->sim = dwqi_sim_create(&config);
    s->known = calloc(s->n_max + 1, sizeof *s->known);
    s->big = malloc(BIG * sizeof *s->big);
    for (size_t i = 0; i < BIG; i++) {
        s->big[i] = 1;
    }
    s->fates = seed + 2;
    s->retries = (int)(dwqi_random(&s->fates) % 4);
    make_controller(s);
    for (int w = 1; w <= s->n_workers; w++) {
        make_worker(s, w);
    }
    if (s->kills) {
        plan_deaths(s);
    }
}

static void tear_down(struct scenario *s)
{
    dwqi_controller_destroy(s->controller);
    for (int w = 1; w <= s->n_workers; w++) {
        dwqi_role_finish(s->workers[w].server);
        dwqi_solo_finish(&s->workers[w].solo);
        dwqi_executor_destroy(s->workers[w].executor);
        dwqi_registry_destroy(s->workers[w].registry);
    }
    dwqi_sim_destroy(s->sim);
    free(s->known);
    free(s->big);
}

/* A report has to print in any state. */
static void check_report(struct scenario *s)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out || dwq_controller_info(s->controller, out) != DWQ_OK) {
        scenario_fault(s, "no report");
    }
    if (out) {
        fclose(out);
    }
    if (!text || !strstr(text, "results collected: ")) {
        scenario_fault(s, "a report without its first line");
    }
    free(text);
}

/* Whatever happened, every worker leaves; after its limit the controller has not
 * waited for that. */
static void check_workers(struct scenario *s)
{
    if (!dwqi_sim_drain(s->sim, EVENTS_MAX)) {
        scenario_fault(s, "somebody goes on for ever");
    }
    for (int w = 1; w <= s->n_workers; w++) {
        if (!s->workers[w].dead &&
            !s->workers[w].server->ops->is_closed(s->workers[w].server)) {
            scenario_fault(s, "worker %d was never told to leave", w);
        }
    }
}

static void play(struct scenario *s)
{
    bool early = draw(s) < 0.3; /* exits with results uncollected */
    dwq_status_t closed;

    user_code(s);
    check_report(s);
    if (!early) {
        collect_rest(s);
    }
    s->cancels_all = draw(s) < 0.1;
    closed = dwqi_controller_close(s->controller, s->cancels_all);
    if (memory_is_short(closed)) {
        s->gave_up = true;
        return;
    }
    if (closed != DWQ_OK && closed != DWQ_E_TIME_LIMIT) {
        scenario_fault(s, "the end answered %s", dwq_status_name(closed));
    }
    if (dwq_controller_submit_call(s->controller,
                                   &(dwq_task_t){ .function = "work" },
                                   NULL) != DWQ_E_STATE) {
        scenario_fault(s, "a submit after the end was taken");
    }
    collect_rest(s);
    check_workers(s);
}

void scenario_run(uint64_t seed, const struct scenario_way *way,
                  struct scenario_outcome *outcome_out)
{
    struct scenario s = { .out = outcome_out, .kills = way->kills };

    *outcome_out =
        (struct scenario_outcome){ .ok = true, .verbose = way->verbose };
    set_up(&s, seed, way->verbose);
    memory_begin(way->fails);
    play(&s);
    outcome_out->n_allocations = memory_end();
    outcome_out->gave_up = scenario_has_given_up(&s);
    if (dwqi_sim_is_stuck(s.sim)) {
        outcome_out->ok = true;
        scenario_fault(&s, "stuck: everybody waits, and nothing is under way");
    } else if (dwqi_sim_error(s.sim) != DWQ_OK) {
        scenario_fault(&s, "a worker could not go on: %s",
                       dwq_status_name(dwqi_sim_error(s.sim)));
    }
    if (outcome_out->ok && s.n_collected != s.n_known) {
        scenario_fault(&s, "%zu results for %zu tasks", s.n_collected,
                       s.n_known);
    }
    outcome_out->n_tasks = s.n_known;
    outcome_out->n_messages = dwqi_sim_n_sent(s.sim);
    outcome_out->n_corrupted = dwqi_sim_n_corrupted(s.sim);
    tear_down(&s);
}
