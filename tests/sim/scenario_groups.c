/* Random runs of groups behind brokers: both collective modes, brokers inside and
 * beside, what work.h draws, slow and withdrawing ranks, ready data, cancels, limits,
 * corrupted messages between the controller and the brokers. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/queue/controller.h"
#include "tests/sim/memory.h"
#include "tests/sim/scenario.h"
#include "tests/sim/work.h"

#define MAX_GROUPS 4
#define EVENTS_MAX 10000000

/* What the test knows of a task it submitted. */
struct known {
    uint64_t id;
    struct work work;
    bool unknown;
    int bound;                /* worker, or 0 */
    int n_runs[GROUP_MAX];    /* by rank of the group */
    int n_updates[GROUP_MAX]; /* of its ready data, with this call */
    bool collected;
};

struct scenario {
    uint64_t random;
    struct dwqi_sim *sim;
    struct dwqi_log log;
    int n_groups;
    struct sim_group groups[MAX_GROUPS + 1];
    int n_updates[MAX_GROUPS + 1]
                 [GROUP_MAX]; /* that the controller must know */
    dwq_controller_t *controller;
    struct known *known;
    size_t n_known, n_max, n_collected;
    double time_limit, grace;
    double arrays; /* how often tasks have some */
    struct work_data data;
    struct work_task task;
    struct scenario_outcome *out;
    bool gave_up;   /* the controller had no memory to go on */
    uint64_t fates; /* as in scenario.c */
    bool kills, dead[MAX_GROUPS + 1];
    bool cancels_all;
    int n_killed, retries;
};

static double draw(struct scenario *s)
{
    return dwqi_random_unit(&s->random);
}

static int draw_int(struct scenario *s, int n)
{
    return (int)(dwqi_random(&s->random) % (uint64_t)n);
}

/* A rank had no memory to go on: the job has ended. */
static bool has_given_up(const struct scenario *s)
{
    return s->gave_up || memory_is_short(dwqi_sim_error(s->sim));
}

/* Beside a rank that fails as it should, another may have had no memory. */
static bool lacks_memory(const struct known *k, const dwq_result_t *r)
{
    return memory_has_failed() && r->status != DWQ_OK &&
           (k->work.fails || r->code == DWQ_E_NOMEM ||
            strstr(r->message, "memory"));
}

static void fault(struct scenario *s, const char *format, ...) DWQ_PRINTF(2, 3);

static void fault(struct scenario *s, const char *format, ...)
{
    va_list args;

    if (!s->out->ok || has_given_up(s)) {
        return; /* the first one counts */
    }
    s->out->ok = false;
    va_start(args, format);
    vsnprintf(s->out->fault, sizeof s->out->fault, format, args);
    va_end(args);
}

static bool is_corrupted(const struct scenario *s)
{
    return dwqi_sim_n_corrupted(s->sim) > 0;
}

/* --- Submitting ------------------------------------------------------------- */

static void entered(void *arg, const struct sim_rank *rank, int64_t index)
{
    struct scenario *s = arg;

    if (index >= 0 && (size_t)index < s->n_known) {
        struct known *k = &s->known[index];

        k->n_runs[rank->rank]++;
        if (k->work.updates >> rank->rank & 1) {
            k->n_updates[rank->rank] = rank->n_updates + 1;
        }
    }
}

static struct known *known_of(struct scenario *s, uint64_t id)
{
    for (size_t i = 0; i < s->n_known; i++) {
        if (s->known[i].id == id && !s->known[i].collected) {
            return &s->known[i];
        }
    }
    return NULL;
}

static void submit_one(struct scenario *s)
{
    struct known *k = &s->known[s->n_known];
    dwq_task_t *task = &s->task.task;
    bool queued = draw(s) < 0.4;
    uint64_t id = 0;
    dwq_status_t status;

    *k = (struct known){ .unknown = draw(s) < 0.02 };
    work_draw(&k->work, s->arrays, &s->random);
    k->work.index = (int64_t)s->n_known;
    work_make(&k->work, &s->data, &s->task);
    if (draw(s) < 0.2) {
        task->worker = 1 + draw_int(s, s->n_groups);
        k->bound = queued ? 0 : task->worker;
    }
    task->function = k->unknown ? "exit" : "work";
    task->priority = draw(s) < 0.1 ? draw_int(s, 5) - 2 : 0;
    task->time_est = draw(s) < 0.5 ? k->work.seconds : 0;
    s->n_known++;
    status = queued ? dwq_controller_queue_call(s->controller, task, &id)
                    : dwq_controller_submit_call(s->controller, task, &id);
    if (memory_is_short(status)) {
        s->n_known--;
        return;
    }
    if (status != DWQ_OK || id == 0 || known_of(s, id)) {
        fault(s, "submit answered %s and id %" PRIu64, dwq_status_name(status),
              id);
    }
    k->id = id;
}

/* --- Collecting -------------------------------------------------------------- */

/* Without corruption: each rank ran it as often as its status says. */
static void check_runs(struct scenario *s, const struct known *k,
                       const dwq_result_t *r)
{
    bool done = r->status == DWQ_OK || r->status == DWQ_E_TASK;
    int n = done ? s->groups[r->worker].config.n_ranks : GROUP_MAX;
    bool lacks = lacks_memory(k, r);
    int least = done && !k->unknown && !lacks ? 1 : 0;
    int most = done || lacks || r->status == DWQ_E_TIME_LIMIT ? 1 : 0;

    if (s->n_killed > 0) { /* an attempt may have been on a wider group */
        n = GROUP_MAX, least = 0, most = r->attempts;
    }

    for (int i = 0; i < GROUP_MAX; i++) {
        int from = i < n ? least : 0, to = i < n ? most : 0;

        if (k->n_runs[i] < from || k->n_runs[i] > to) {
            fault(s, "rank %d ran task %" PRIu64 " (%s) %d times", i, k->id,
                  dwq_status_name(r->status), k->n_runs[i]);
        }
    }
}

static bool may_be_lost(const struct scenario *s, const struct known *k)
{
    bool all = true;

    for (int g = 1; g <= s->n_groups; g++) {
        all = all && (s->dead[g] || sim_group_withdraws(&s->groups[g]));
    }
    return all || s->n_killed > s->retries ||
           (s->n_killed > 0 && (s->cancels_all || !isinf(s->time_limit))) ||
           (k->bound &&
            (s->dead[k->bound] || sim_group_withdraws(&s->groups[k->bound])));
}

static void check_result(struct scenario *s, struct known *k,
                         const dwq_result_t *r)
{
    bool done = r->status == DWQ_OK || r->status == DWQ_E_TASK;
    int n = done ? s->groups[r->worker].config.n_ranks : 0;
    const char *what =
        k->unknown || lacks_memory(k, r) ? NULL : work_fault(&k->work, r, n);

    if (what) {
        fault(s, "task %" PRIu64 " on worker %d: %s (%s)", k->id, r->worker,
              what, r->message);
    } else if (k->unknown && r->status == DWQ_OK) {
        fault(s, "an unknown function was run");
    } else if (done && k->bound && r->worker != k->bound) {
        fault(s, "task %" PRIu64 " ran on worker %d, not %d", k->id, r->worker,
              k->bound);
    } else if (r->status == DWQ_E_WORKER && !may_be_lost(s, k) &&
               !lacks_memory(k, r)) {
        fault(s, "task %" PRIu64 " was lost: %s", k->id, r->message);
    }
    for (int i = 0; i < n; i++) {
        int *known = &s->n_updates[r->worker][i];

        *known = k->n_updates[i] > *known ? k->n_updates[i] : *known;
    }
    check_runs(s, k, r);
}

static void collected(struct scenario *s, dwq_result_t *r)
{
    struct known *k = known_of(s, r->id);

    if (!k) {
        fault(s, "a result of no task, or a second one: %" PRIu64, r->id);
        dwq_result_clear(r);
        return;
    }
    k->collected = true;
    s->n_collected++;
    s->out->n_by_status[-(int)r->status]++;
    if (!is_corrupted(s)) {
        check_result(s, k, r);
    }
    dwq_result_clear(r);
}

static void collect_some(struct scenario *s)
{
    const struct known *k = &s->known[draw_int(s, (int)s->n_known + 1)];
    dwq_result_t r[8];
    size_t n = 0;

    switch (draw_int(s, 4)) {
    case 0:
        n = dwq_controller_probe_next_result(s->controller, r) == DWQ_OK;
        break;
    case 1:
        dwq_controller_probe_all_next_results(s->controller, r, 8, &n);
        break;
    case 2:
        if (k->id && !k->collected) {
            dwq_status_t status =
                dwq_controller_get_result(s->controller, k->id, r);

            n = status == DWQ_OK;
            if (n == 0 && !memory_is_short(status)) {
                fault(s, "get_result of task %" PRIu64, k->id);
            }
        }
        break;
    default:
        n = dwq_controller_get_next_result(s->controller, r) == DWQ_OK;
    }
    for (size_t i = 0; i < n; i++) {
        collected(s, &r[i]);
    }
}

static void collect_rest(struct scenario *s)
{
    dwq_result_t r;
    dwq_status_t status;

    do {
        status = dwq_controller_get_next_result(s->controller, &r);
        if (status == DWQ_OK) {
            collected(s, &r);
        }
    } while (status == DWQ_OK || (memory_is_short(status) && !has_given_up(s)));
    if (status != DWQ_E_EMPTY) {
        fault(s, "the last get_next_result answered %s",
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
        (status == DWQ_E_ID) != s->known[i].collected) {
        fault(s, "cancel answered %s", dwq_status_name(status));
    }
}

/* --- Ready data -------------------------------------------------------------- */

/* What the controller knows of one rank: nothing, or what it set; and not less than
 * was sent before a result that was collected. */
static void check_entry(struct scenario *s, const struct sim_rank *rank,
                        const dwq_value_t *entry)
{
    int worker = rank->group->config.number;
    int least = rank->rank >= 0 ? s->n_updates[worker][rank->rank] : 0;
    int64_t base = sim_rank_data(rank, 0), is;

    if (entry->kind == DWQ_KIND_NIL) {
        if ((rank->has_data || least > 0) && !memory_has_failed()) {
            fault(s, "no ready data of rank %d of worker %d", rank->rank,
                  worker);
        }
    } else if (!dwq_read_int64(entry, &is) || is < base + least ||
               is > base + rank->n_updates) {
        fault(s, "the ready data of rank %d of worker %d are %" PRId64,
              rank->rank, worker, is - base);
    }
}

static void check_ready_data(struct scenario *s)
{
    static const dwq_value_t nil = { .kind = DWQ_KIND_NIL };
    int worker;
    dwq_value_t data;
    struct sim_group *group;

    if (dwq_controller_get_ready_worker(s->controller, &worker, &data) !=
            DWQ_OK ||
        is_corrupted(s)) {
        return;
    }
    group = &s->groups[worker];
    if (data.kind != DWQ_KIND_NIL &&
        (data.kind != DWQ_KIND_LIST ||
         data.u.list.n != (size_t)group->n_merged)) {
        fault(s, "the ready data of worker %d are no list of %d", worker,
              group->n_merged);
        return;
    }
    for (int m = 0; m < group->n_merged; m++) {
        struct sim_rank *rank = &group->ranks[m];
        int place = rank->rank >= 0 ? rank->rank : group->config.n_ranks;

        check_entry(s, rank,
                    data.kind == DWQ_KIND_NIL ? &nil
                                              : &data.u.list.items[place]);
    }
}

/* --- The run ------------------------------------------------------------------ */

static void user_code(struct scenario *s)
{
    while (s->out->ok && s->n_known < s->n_max &&
           dwqi_sim_error(s->sim) == DWQ_OK) {
        double what = draw(s);

        if (what < 0.6) {
            submit_one(s);
        } else if (what < 0.85) {
            collect_some(s);
        } else if (what < 0.88) {
            cancel_one(s);
        } else if (what < 0.95) {
            check_ready_data(s);
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
    int peers[MAX_GROUPS];
    static const int held[] = { 1, 2, 64, 64, 5 };
    struct dwqi_controller_config config = {
        .queue.transport = dwqi_sim_endpoint(s->sim, 0),
        .queue.log = &s->log,
        .n_workers = s->n_groups,
        .peers = peers,
        .queue.queue_order =
            draw(s) < 0.3 ? DWQ_ORDER_LONGEST_FIRST : DWQ_ORDER_FIFO,
        .queue.held_max = held[draw_int(s, 5)],
        .queue.holds_near_only = draw(s) < 0.5,
        .feeding = DWQI_FED_BY_CALLS,
        .queue.time_limit = s->time_limit,
        .queue.grace_end = s->time_limit + s->grace,
        .queue.retries = s->retries,
    };

    for (int w = 0; w < s->n_groups; w++) {
        peers[w] = w + 1;
    }
    dwqi_controller_create(&config, &s->controller);
}

static void make_group(struct scenario *s, int number, double mean_delay)
{
    static const dwq_function_t functions[] = { WORK_FUNCTION,
                                                { NULL, NULL, NULL } };
    static const size_t coll_max[] = { 4096, 8192, (size_t)1 << 30 };
    struct sim_group *group = &s->groups[number];

    sim_group_init(group,
                   &(struct sim_group_config){
                       .sim = s->sim,
                       .log = &s->log,
                       .functions = functions,
                       .number = number,
                       .first = 1 + s->n_groups + (number - 1) * GROUP_MAX,
                       .n_ranks = 1 + draw_int(s, 5),
                       .inside = draw(s) < 0.5,
                       .gather = draw(s) < 0.5,
                       .seed = dwqi_random(&s->random),
                       .mean_delay = mean_delay,
                       .coll_max = coll_max[draw_int(s, 3)],
                       .time_limit = s->time_limit,
                       .entered = entered,
                       .arg = s });
    if (group->config.coll_max == 8192) {
        group->config.gatherv_max = 1024; /* as in the default mode */
    }
    for (int m = 0; m < group->n_merged; m++) {
        struct sim_rank *rank = &group->ranks[m];

        rank->slowness = draw(s) < 0.1 ? 20 * draw(s) : 1;
        rank->withdraws = draw(s) < 0.01;
        rank->has_data = draw(s) < 0.3;
        rank->start = draw(s) < 0.2 ? 0.1 * draw(s) : 0;
    }
    sim_group_start(group);
}

static void die(void *arg)
{
    struct sim_group *group = arg;
    struct scenario *s = group->config.arg;
    const struct dwqi_role *relay = group->ranks[0].role;
    double delay = dwqi_random_unit(&s->fates) * 2e-3;
    int number = group->config.number;

    if (s->dead[number] || (relay && relay->ops->is_closed(relay))) {
        return;
    }
    s->dead[number] = true;
    s->n_killed++;
    s->out->n_killed++;
    dwqi_sim_kill(s->sim, number);
    for (int m = 0; m < group->n_merged; m++) {
        dwqi_sim_kill(s->sim, group->config.first + m);
    }
    dwqi_sim_tell_death(s->sim, number, delay);
}

static void plan_deaths(struct scenario *s)
{
    int n = (int)(dwqi_random(&s->fates) % (uint64_t)(s->n_groups + 1));

    for (int i = 0; i < n; i++) {
        int g = 1 + (int)(dwqi_random(&s->fates) % (uint64_t)s->n_groups);
        double scale = dwqi_random_unit(&s->fates) < 0.7 ? 2e-2 : 0.5;

        dwqi_sim_call(s->sim, g, scale * dwqi_random_unit(&s->fates), die,
                      &s->groups[g]);
    }
}

static void set_up(struct scenario *s, uint64_t seed, bool verbose)
{
    struct dwqi_sim_config config = { .seed = seed + 1,
                                      .far = seed % 3 == 0,
                                      .long_delay = 0.1 };

    s->random = seed;
    s->log.verbose = verbose;
    s->log.line = scenario_line;
    s->log.arg = s->out;
    s->n_groups = 1 + draw_int(s, MAX_GROUPS);
    s->n_max = (size_t)(1 + draw_int(s, draw(s) < 0.05 ? 200 : 30));
    s->time_limit = draw(s) < 0.1 ? 0.05 * draw(s) : INFINITY;
    s->grace = draw(s) < 0.5 ? INFINITY : 0.05 * draw(s);
    s->arrays = draw(s) < 0.5 ? 0.5 : 0.1;
    config.n_endpoints = 1 + s->n_groups * (1 + GROUP_MAX);
    config.mean_delay = draw(s) < 0.5 ? 2e-6 : 1e-3;
    config.long_share = draw(s) < 0.3 ? 0.05 : 0;
    config.corrupt = draw(s) < 0.1 ? 0.02 : 0;
    config.corrupt_below = 1 + s->n_groups;
    s->sim = dwqi_sim_create(&config);
    s->known = calloc(s->n_max + 1, sizeof *s->known);
    work_data_init(&s->data);
    s->fates = seed + 2;
    s->retries = (int)(dwqi_random(&s->fates) % 4);
    make_controller(s);
    for (int g = 1; g <= s->n_groups; g++) {
        make_group(s, g, config.mean_delay);
    }
    if (s->kills) {
        plan_deaths(s);
    }
}

static void tear_down(struct scenario *s)
{
    dwqi_controller_destroy(s->controller);
    for (int g = 1; g <= s->n_groups; g++) {
        sim_group_finish(&s->groups[g]);
    }
    dwqi_sim_destroy(s->sim);
    free(s->known);
    free(s);
}

/* Whatever happened, everybody leaves, and nothing is under way. */
static void check_end(struct scenario *s)
{
    if (!dwqi_sim_drain(s->sim, EVENTS_MAX)) {
        fault(s, "somebody goes on for ever");
    }
    for (int g = 1; g <= s->n_groups; g++) {
        const char *what = s->dead[g] ? NULL : sim_group_fault(&s->groups[g]);

        if (what) {
            fault(s, "worker %d: %s", g, what);
        }
    }
    if (dwqi_sim_n_unreleased(s->sim) > 0) {
        fault(s, "a body that was never released");
    }
}

static void play(struct scenario *s)
{
    dwq_status_t closed;

    user_code(s);
    if (draw(s) < 0.7) { /* else results wait until after the end */
        collect_rest(s);
    }
    s->cancels_all = draw(s) < 0.1;
    closed = dwqi_controller_close(s->controller, s->cancels_all);
    if (memory_is_short(closed)) {
        s->gave_up = true;
        return;
    }
    if (closed != DWQ_OK && closed != DWQ_E_TIME_LIMIT) {
        fault(s, "the end answered %s", dwq_status_name(closed));
    }
    collect_rest(s);
    check_end(s);
}

void scenario_groups_run(uint64_t seed, const struct scenario_way *way,
                         struct scenario_outcome *outcome_out)
{
    struct scenario *s = calloc(1, sizeof *s);

    if (!s) {
        abort();
    }
    s->out = outcome_out;
    s->kills = way->kills;
    *outcome_out =
        (struct scenario_outcome){ .ok = true, .verbose = way->verbose };
    set_up(s, seed, way->verbose);
    memory_begin(way->fails);
    play(s);
    outcome_out->n_allocations = memory_end();
    outcome_out->gave_up = has_given_up(s);
    if (dwqi_sim_error(s->sim) != DWQ_OK) {
        outcome_out->ok = true;
        fault(s, "a rank could not go on: %s",
              dwq_status_name(dwqi_sim_error(s->sim)));
    } else if (dwqi_sim_is_stuck(s->sim)) {
        outcome_out->ok = true;
        fault(s, "stuck: everybody waits, and nothing is under way");
    }
    if (s->n_collected != s->n_known) {
        fault(s, "%zu results for %zu tasks", s->n_collected, s->n_known);
    }
    outcome_out->n_tasks = s->n_known;
    outcome_out->n_messages = dwqi_sim_n_sent(s->sim);
    outcome_out->n_corrupted = dwqi_sim_n_corrupted(s->sim);
    tear_down(s);
}
