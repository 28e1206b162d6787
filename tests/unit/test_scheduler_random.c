/* The scheduler against a model that looks at everything, each time: plain
 * arrays and the rules of scheduler.h. A failure prints its seed; run it alone
 * with DWQ_TEST_SEED. Estimates are small integers and rates powers of two, so
 * that sums are exact. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "libdwq/queue/scheduler.h"

#define MOST_JOBS 400 /* alive at a time */
#define MOST_WORKERS 9
#define N_OPERATIONS 4000
#define N_SEEDS 60
#define N_RATES 4

enum where {
    FREE,
    WAITING,
    HELD
};

/* What the model knows of a job: its own copy of everything. */
struct model_job {
    enum where where;
    int worker, priority, holder;
    bool binding;
    double time_est;
    int rate; /* index */
    unsigned sequence;
    unsigned assigned; /* order of assignments */
    double expected;   /* as of the assignment; < 0: not known */
};

struct model_worker {
    bool ready, gone, refill;
    bool bound_fits; /* its first bound job, as of its last change */
    double total_est;
};

struct test {
    unsigned seed;
    uint64_t random;
    int n_workers, held_max;
    bool longest_first;
    double rates[N_RATES];
    unsigned n_added, n_assigned;
    struct model_job model[MOST_JOBS];
    struct model_worker workers[MOST_WORKERS + 1];
    struct dwqi_job jobs[MOST_JOBS];
    struct dwqi_scheduler *s;
};

#define CHECK(t, condition) \
    cr_assert(condition, "DWQ_TEST_SEED=%u: %s", (t)->seed, #condition)

/* 0..n-1 (a linear congruential generator, its upper bits). */
static int draw(struct test *t, int n)
{
    t->random = t->random * 6364136223846793005u + 1442695040888963407u;
    return (int)((t->random >> 33) % (unsigned)n);
}

/* --- The model ---------------------------------------------------------- */

static int n_held(const struct test *t, int worker)
{
    int n = 0;

    for (int i = 0; i < MOST_JOBS; i++) {
        n += t->model[i].where == HELD && t->model[i].holder == worker;
    }
    return n;
}

/* Whether it holds, behind its oldest job, one that another worker could run. */
static bool holds_up(const struct test *t, int worker)
{
    const struct model_job *first = NULL;
    bool any = false;

    for (int i = 0; i < MOST_JOBS; i++) {
        const struct model_job *job = &t->model[i];

        if (job->where == HELD && job->holder == worker &&
            (!first || job->assigned < first->assigned)) {
            first = job;
        }
    }
    for (int i = 0; i < MOST_JOBS; i++) {
        const struct model_job *job = &t->model[i];

        any = any || (job->where == HELD && job->holder == worker &&
                      !job->binding && job != first);
    }
    return any;
}

/* Seconds; *known_out: of all that it holds. */
static double held_expected(const struct test *t, int worker, bool *known_out)
{
    double sum = 0;

    *known_out = true;
    for (int i = 0; i < MOST_JOBS; i++) {
        const struct model_job *job = &t->model[i];

        if (job->where == HELD && job->holder == worker) {
            *known_out = *known_out && job->expected >= 0;
            sum += job->expected >= 0 ? job->expected : 0;
        }
    }
    return sum;
}

static double expected_now(const struct test *t, const struct model_job *job)
{
    return t->rates[job->rate] < 0 ? -1 : t->rates[job->rate] * job->time_est;
}

static bool has_room(const struct test *t, int worker, double expected)
{
    bool known;
    double sum = held_expected(t, worker, &known);

    return n_held(t, worker) < t->held_max && known && expected >= 0 &&
           sum + expected <= DWQI_HELD_MAX;
}

static bool comes_before(const struct test *t, const struct model_job *a,
                         const struct model_job *b)
{
    if (a->priority != b->priority) {
        return a->priority > b->priority;
    }
    if (t->longest_first && a->time_est != b->time_est) {
        return a->time_est > b->time_est;
    }
    return a->sequence < b->sequence;
}

/* First waiting job bound to a worker (0: of those that any may take), or -1. */
static int first_job(const struct test *t, int worker)
{
    int first = -1;

    for (int i = 0; i < MOST_JOBS; i++) {
        const struct model_job *job = &t->model[i];

        if (job->where == WAITING &&
            (job->binding ? job->worker : 0) == worker &&
            (first < 0 || comes_before(t, job, &t->model[first]))) {
            first = i;
        }
    }
    return first;
}

/* After anything about a worker changed: half or less opens it, all closes. */
static void refresh(struct test *t, int worker)
{
    bool known;
    double sum = held_expected(t, worker, &known);
    int bound = first_job(t, worker);

    if (n_held(t, worker) <= t->held_max / 2 && sum <= DWQI_HELD_MAX / 2) {
        t->workers[worker].refill = true;
    }
    if (n_held(t, worker) > 0 && !has_room(t, worker, 0)) {
        t->workers[worker].refill = false;
    }
    if (bound >= 0) {
        t->workers[worker].bound_fits =
            n_held(t, worker) == 0 ||
            has_room(t, worker, expected_now(t, &t->model[bound]));
    }
}

static bool can_take(const struct test *t, int worker,
                     const struct model_job *job)
{
    const struct model_worker *w = &t->workers[worker];

    if (!w->ready || w->gone) {
        return false;
    }
    if (n_held(t, worker) == 0) {
        return true;
    }
    return w->refill &&
           (job->binding ? w->bound_fits
                         : has_room(t, worker, expected_now(t, job)));
}

static bool lighter(const struct test *t, int a, int b)
{
    bool known;
    double sum_a = held_expected(t, a, &known);
    double sum_b = held_expected(t, b, &known);

    if ((n_held(t, a) == 0) != (n_held(t, b) == 0)) {
        return n_held(t, a) == 0;
    }
    if (sum_a != sum_b) {
        return sum_a < sum_b;
    }
    if (t->workers[a].total_est != t->workers[b].total_est) {
        return t->workers[a].total_est < t->workers[b].total_est;
    }
    return a < b;
}

static int worker_for(const struct test *t, const struct model_job *job)
{
    int best = 0;

    if (job->binding) {
        return can_take(t, job->worker, job) ? job->worker : 0;
    }
    for (int w = 1; w <= t->n_workers; w++) {
        if (can_take(t, w, job) && (best == 0 || lighter(t, w, best))) {
            best = w;
        }
    }
    if (job->worker > 0 && can_take(t, job->worker, job) &&
        (n_held(t, job->worker) == 0 || best == 0 || n_held(t, best) > 0)) {
        return job->worker;
    }
    return best;
}

/* Of the first jobs of all queues, the first that a worker can take. */
static bool model_next(const struct test *t, int *job_out, int *worker_out)
{
    int best = -1;

    for (int w = 0; w <= t->n_workers; w++) {
        int i = first_job(t, w);

        if (i >= 0 && worker_for(t, &t->model[i]) > 0 &&
            (best < 0 || comes_before(t, &t->model[i], &t->model[best]))) {
            best = i;
        }
    }
    if (best < 0) {
        return false;
    }
    *job_out = best;
    *worker_out = worker_for(t, &t->model[best]);
    return true;
}

/* --- Operations on both ------------------------------------------------- */

/* A job in this state, or -1. */
static int any_in(struct test *t, enum where where)
{
    int start = draw(t, MOST_JOBS);

    for (int i = 0; i < MOST_JOBS; i++) {
        if (t->model[(start + i) % MOST_JOBS].where == where) {
            return (start + i) % MOST_JOBS;
        }
    }
    return -1;
}

static void add_one(struct test *t)
{
    int i = any_in(t, FREE);
    struct model_job *m;

    if (i < 0) {
        return;
    }
    m = &t->model[i];
    *m = (struct model_job){ .where = WAITING,
                             .priority = draw(t, 8) ? 0 : draw(t, 3) - 1,
                             .worker =
                                 draw(t, 3) ? 0 : 1 + draw(t, t->n_workers),
                             .time_est = 1 + draw(t, 6),
                             .rate = draw(t, N_RATES),
                             .sequence = t->n_added++ };
    m->binding = m->worker > 0 && draw(t, 2);
    t->jobs[i] = (struct dwqi_job){ .worker = m->worker,
                                    .binding = m->binding,
                                    .priority = m->priority,
                                    .time_est = m->time_est,
                                    .rate = &t->rates[m->rate] };
    CHECK(t, dwqi_scheduler_add(t->s, &t->jobs[i]) == DWQ_OK);
    if (m->binding) {
        refresh(t, m->worker);
    }
}

static void remove_one(struct test *t)
{
    int i = any_in(t, WAITING);

    if (i >= 0) {
        dwqi_scheduler_remove(t->s, &t->jobs[i]);
        t->model[i].where = FREE;
        if (t->model[i].binding) {
            refresh(t, t->model[i].worker);
        }
    }
}

static void finish_one(struct test *t, bool give_back)
{
    int i = any_in(t, HELD);
    struct model_job *m;

    if (i < 0) {
        return;
    }
    m = &t->model[i];
    if (give_back) {
        dwqi_scheduler_give_back(t->s, &t->jobs[i]);
        t->workers[m->holder].total_est -= m->time_est;
    } else {
        dwqi_scheduler_done(t->s, &t->jobs[i]);
    }
    m->where = give_back ? WAITING : FREE;
    refresh(t, m->holder);
    if (give_back && m->binding) {
        refresh(t, m->worker);
    }
}

/* Both assign all that can be, in the same order. */
static void assign_all(struct test *t)
{
    struct dwqi_job *job;
    int worker, i, w;

    while (model_next(t, &i, &w)) {
        struct model_job *m = &t->model[i];

        CHECK(t, dwqi_scheduler_next(t->s, &job, &worker));
        CHECK(t, job == &t->jobs[i]);
        CHECK(t, worker == w);
        m->expected = expected_now(t, m);
        m->where = HELD;
        m->holder = w;
        m->assigned = t->n_assigned++;
        t->workers[w].total_est += m->time_est;
        refresh(t, w);
    }
    CHECK(t, !dwqi_scheduler_next(t->s, &job, &worker));
}

/* A rate changes with the result of a job, when all that could be assigned was.
 * Whether a bound job fits now shows at the next change of its worker. */
static void learn(struct test *t)
{
    static const double rates[] = { 1. / 8192, 1. / 16384, 1. / 512, 0,
                                    1. / 65536 };
    int which = draw(t, N_RATES);

    assign_all(t);
    t->rates[which] = rates[draw(t, 5)];
    finish_one(t, false);
}

static void step(struct test *t)
{
    int what = draw(t, 100);
    int worker = 1 + draw(t, t->n_workers);

    if (what < 40) {
        add_one(t);
    } else if (what < 75) {
        finish_one(t, false);
    } else if (what < 83) {
        finish_one(t, true);
    } else if (what < 90) {
        remove_one(t);
    } else if (what < 94) {
        learn(t);
    } else if (what < 98 || draw(t, 20) > 0) {
        dwqi_scheduler_worker_ready(t->s, worker);
        t->workers[worker].ready = true;
        refresh(t, worker);
    } else {
        dwqi_scheduler_worker_gone(t->s, worker);
        t->workers[worker].gone = true;
    }
}

/* --- Comparison --------------------------------------------------------- */

static void check_worker(struct test *t, int worker)
{
    const struct dwqi_job *held = dwqi_scheduler_held(t->s, worker);
    unsigned last = 0;
    bool known;

    CHECK(t, dwqi_scheduler_n_held(t->s, worker) == n_held(t, worker));
    CHECK(t, dwqi_scheduler_held_expected(t->s, worker) ==
                 held_expected(t, worker, &known));
    CHECK(t, dwqi_scheduler_total_est(t->s, worker) ==
                 t->workers[worker].total_est);
    CHECK(t, dwqi_scheduler_is_gone(t->s, worker) == t->workers[worker].gone);
    for (int i = 0; i < n_held(t, worker); i++, held = held->next) {
        const struct model_job *m = &t->model[held - t->jobs];

        CHECK(t, m->where == HELD && m->holder == worker);
        CHECK(t, i == 0 || m->assigned > last);
        last = m->assigned;
    }
    CHECK(t, held == NULL);
}

static void check_holders(struct test *t)
{
    unsigned listed = 0, wanted = 0;

    for (int w = dwqi_scheduler_next_holder(t->s, 0); w != 0;
         w = dwqi_scheduler_next_holder(t->s, w)) {
        CHECK(t, (listed & 1u << w) == 0);
        listed |= 1u << w;
    }
    for (int w = 1; w <= t->n_workers; w++) {
        if (holds_up(t, w) && !t->workers[w].gone) {
            wanted |= 1u << w;
        }
    }
    CHECK(t, listed == wanted);
}

static void check_all(struct test *t)
{
    size_t n_waiting = 0, n_running = 0;
    int n_gone = 0, idle = 0;

    for (int i = 0; i < MOST_JOBS; i++) {
        n_waiting += t->model[i].where == WAITING;
        n_running += t->model[i].where == HELD;
    }
    CHECK(t, dwqi_scheduler_n_waiting(t->s) == n_waiting);
    CHECK(t, dwqi_scheduler_n_running(t->s) == n_running);
    CHECK(t, (dwqi_scheduler_any_waiting(t->s) == NULL) == (n_waiting == 0));
    for (int w = 1; w <= t->n_workers; w++) {
        int first = first_job(t, w);

        check_worker(t, w);
        n_gone += t->workers[w].gone;
        if (n_held(t, w) == 0 && t->workers[w].ready && !t->workers[w].gone &&
            (idle == 0 || lighter(t, w, idle))) {
            idle = w;
        }
        CHECK(t, dwqi_scheduler_any_bound(t->s, w) ==
                     (first < 0 ? NULL : &t->jobs[first]));
    }
    CHECK(t, dwqi_scheduler_n_gone(t->s) == n_gone);
    CHECK(t, dwqi_scheduler_idle_worker(t->s) == idle);
    check_holders(t);
}

static void run(unsigned seed)
{
    static const int held_max[] = { 1, 2, 3, 8, 64 };
    static struct test test;
    struct test *t = &test;

    *t = (struct test){ .seed = seed, .random = seed * 2654435761u + 1 };
    for (int i = 0; i < 50; i++) {
        draw(t, 2);
    }
    t->n_workers = 1 + draw(t, MOST_WORKERS);
    t->held_max = held_max[draw(t, 5)];
    t->longest_first = draw(t, 2);
    for (int i = 0; i < N_RATES; i++) {
        t->rates[i] = -1;
    }
    t->s = dwqi_scheduler_create(t->n_workers,
                                 t->longest_first ? DWQ_ORDER_LONGEST_FIRST
                                                  : DWQ_ORDER_FIFO,
                                 t->held_max);
    CHECK(t, t->s != NULL);
    for (int i = 0; i < N_OPERATIONS; i++) {
        step(t);
        if (draw(t, 4) > 0) {
            assign_all(t);
        }
        if (i % 8 == 0) {
            check_all(t);
        }
    }
    CHECK(t, t->n_assigned > 0);
    dwqi_scheduler_destroy(t->s);
}

Test(scheduler_random, agrees_with_a_model_that_looks_at_everything,
     .timeout = 100)
{
    const char *seed = getenv("DWQ_TEST_SEED");
    unsigned n_seeds = getenv("DWQ_TEST_SHORT") ? N_SEEDS / 10 : N_SEEDS;

    if (seed) {
        run((unsigned)strtoul(seed, NULL, 10));
        return;
    }
    for (unsigned i = 1; i <= n_seeds; i++) {
        run(i);
    }
}
