#include "libdwq/queue/scheduler.h"

#include <float.h>
#include <stdlib.h>
#include <utlist.h>

#include "libdwq/base/memory.h"

/* Sums of estimates end here, so that those of two of them do not overflow. */
#define SUM_MAX (DBL_MAX / 4)

/* Of numbers that are none of them NaN: fmin() and fmax() are calls. */
static double least(double a, double b)
{
    return a < b ? a : b;
}

static double most(double a, double b)
{
    return a > b ? a : b;
}

/* What decides about its next job comes first: with thousands of workers, a slot is
 * out of the caches when its turn comes. */
struct slot {
    int number; /* 1.. */
    bool ready;
    bool gone;
    bool paused;
    bool holds_one;
    bool refill; /* it came down to half, and has not been full since */
    double held_expected; /* seconds, of held jobs whose time is known */
    double total_est;
    int n_held;
    int n_unknown; /* held jobs whose time is not known */
    int n_movable; /* held jobs that are not bound here */
    bool is_holder;
    struct dwqi_job *held;
    size_t open_place;            /* in scheduler.open */
    size_t turn_place;            /* in scheduler.turns */
    struct dwqi_heap bound;       /* jobs that wait for this worker */
    double bound_est;             /* of these */
    int holder_next, holder_prev; /* list of holders; 0 ends it */
};

struct dwqi_scheduler {
    int n_workers;
    int held_max;
    bool longest_first;
    uint64_t sequence;
    size_t n_waiting, n_running;
    int n_gone, n_busy;
    struct dwqi_job *run;   /* jobs that any worker may take, in queue order */
    struct dwqi_heap queue; /* the same, those that did not come in order */
    struct dwqi_heap open;  /* slots that can take a job */
    struct dwqi_heap turns; /* open slots whose first bound job fits */
    int holders;            /* first of the list, or 0 */
    struct slot *slots;     /* [n_workers + 1]; [0] is unused */
    int room;               /* of slots */
};

static bool job_before(const void *left, const void *right)
{
    const struct dwqi_job *a = left, *b = right;

    if (a->priority != b->priority) {
        return a->priority > b->priority;
    }
    if (a->longest_first && a->time_est != b->time_est) {
        return a->time_est > b->time_est;
    }
    return a->sequence < b->sequence;
}

static bool open_before(const void *left, const void *right)
{
    const struct slot *a = left, *b = right;

    /* What is held may be expected to take 0 s. */
    if ((a->n_held == 0) != (b->n_held == 0)) {
        return a->n_held == 0;
    }
    if (a->held_expected != b->held_expected) {
        return a->held_expected < b->held_expected;
    }
    if (a->total_est != b->total_est) {
        return a->total_est < b->total_est;
    }
    return a->number < b->number;
}

static bool turn_before(const void *left, const void *right)
{
    const struct slot *a = left, *b = right;

    return job_before(dwqi_heap_top(&a->bound), dwqi_heap_top(&b->bound));
}

struct dwqi_scheduler *dwqi_scheduler_create(int n_workers,
                                             dwq_queue_order_t order,
                                             int held_max)
{
    struct dwqi_scheduler *s = calloc(1, sizeof *s);

    if (!s) {
        return NULL;
    }
    s->held_max = held_max < 1 ? 1 : held_max;
    s->longest_first = order == DWQ_ORDER_LONGEST_FIRST;
    dwqi_heap_init(&s->queue, job_before, offsetof(struct dwqi_job, place));
    dwqi_heap_init(&s->open, open_before, offsetof(struct slot, open_place));
    dwqi_heap_init(&s->turns, turn_before, offsetof(struct slot, turn_place));
    for (int i = 0; i < n_workers; i++) {
        if (dwqi_scheduler_add_worker(s) != DWQ_OK) {
            dwqi_scheduler_destroy(s);
            return NULL;
        }
    }
    return s;
}

void dwqi_scheduler_destroy(struct dwqi_scheduler *s)
{
    if (!s) {
        return;
    }
    for (int i = 1; i <= s->n_workers; i++) {
        dwqi_heap_finish(&s->slots[i].bound);
    }
    dwqi_heap_finish(&s->turns);
    dwqi_heap_finish(&s->open);
    dwqi_heap_finish(&s->queue);
    free(s->slots);
    free(s);
}

static double expect(const struct dwqi_job *job)
{
    return *job->rate < 0 ? -1 : least(*job->rate * job->time_est, DBL_MAX);
}

/* Whether a worker that holds something may hold `expected` seconds more. */
static bool has_room(const struct dwqi_scheduler *s, const struct slot *slot,
                     double expected)
{
    return slot->n_held < s->held_max && !slot->holds_one &&
           slot->n_unknown == 0 && expected >= 0 &&
           slot->held_expected + expected <= DWQI_HELD_MAX;
}

/* Whether an open worker can take this job on top of what it holds. */
static bool fits(const struct dwqi_scheduler *s, const struct slot *slot,
                 const struct dwqi_job *job)
{
    return slot->n_held == 0 || has_room(s, slot, expect(job));
}

/* Whether a worker can take any job. */
static bool is_open(const struct dwqi_scheduler *s, struct slot *slot)
{
    if (slot->n_held <= s->held_max / 2 &&
        slot->held_expected <= DWQI_HELD_MAX / 2) {
        slot->refill = true;
    }
    if (slot->n_held > 0 && !has_room(s, slot, 0)) {
        slot->refill = false;
    }
    return slot->ready && !slot->gone && !slot->paused &&
           (slot->n_held == 0 || slot->refill);
}

static void set_in_heap(struct dwqi_heap *heap, struct slot *slot, size_t place,
                        bool in)
{
    if (in && place > 0) {
        dwqi_heap_update(heap, slot);
    } else if (in) {
        dwqi_heap_push(heap, slot); /* there is room for all */
    } else if (place > 0) {
        dwqi_heap_remove(heap, slot);
    }
}

static void set_holder(struct dwqi_scheduler *s, struct slot *slot, bool is)
{
    if (is == slot->is_holder) {
        return;
    }
    slot->is_holder = is;
    if (is) {
        slot->holder_prev = 0;
        slot->holder_next = s->holders;
        s->slots[s->holders].holder_prev = slot->number;
        s->holders = slot->number;
        return;
    }
    s->slots[slot->holder_next].holder_prev = slot->holder_prev;
    if (slot->holder_prev) {
        s->slots[slot->holder_prev].holder_next = slot->holder_next;
    } else {
        s->holders = slot->holder_next;
    }
}

static struct slot *bound_slot(struct dwqi_scheduler *s,
                               const struct dwqi_job *job)
{
    return job->worker > 0 && job->binding ? &s->slots[job->worker] : NULL;
}

/* Whether it holds, behind the oldest, a job that another worker could run. */
static bool holds_movable(struct dwqi_scheduler *s, const struct slot *slot)
{
    return slot->n_movable > 0 &&
           slot->n_movable > (bound_slot(s, slot->held) == NULL);
}

/* Restore every place of a slot after anything about it changed. Slots in a
 * heap must be put right before a key of another changes, so call it after each
 * single change. */
static void slot_changed(struct dwqi_scheduler *s, struct slot *slot)
{
    bool open = is_open(s, slot);
    const struct dwqi_job *bound = dwqi_heap_top(&slot->bound);

    set_in_heap(&s->open, slot, slot->open_place, open);
    set_in_heap(&s->turns, slot, slot->turn_place,
                open && bound && fits(s, slot, bound));
    set_holder(s, slot, !slot->gone && holds_movable(s, slot));
}

/* More room: slots move, and heaps point at them. */
static bool move_slots(struct dwqi_scheduler *s)
{
    bool grown;

    for (int i = 1; i <= s->n_workers; i++) {
        set_in_heap(&s->open, &s->slots[i], s->slots[i].open_place, false);
        set_in_heap(&s->turns, &s->slots[i], s->slots[i].turn_place, false);
    }
    grown = dwqi_memory_grow(&s->slots, &s->room, s->n_workers + 2,
                             sizeof *s->slots);

    for (int i = 1; i <= s->n_workers; i++) {
        slot_changed(s, &s->slots[i]);
    }
    return grown;
}

dwq_status_t dwqi_scheduler_add_worker(struct dwqi_scheduler *s)
{
    size_t n = (size_t)s->n_workers + 1;
    struct slot *slot;

    if (!dwqi_heap_reserve(&s->open, n) || !dwqi_heap_reserve(&s->turns, n) ||
        (s->room < s->n_workers + 2 && !move_slots(s))) {
        return DWQ_E_NOMEM;
    }
    if (n == 1) {
        s->slots[0] = (struct slot){ .number = 0 };
    }
    slot = &s->slots[++s->n_workers];
    *slot = (struct slot){ .number = s->n_workers };
    dwqi_heap_init(&slot->bound, job_before, offsetof(struct dwqi_job, place));
    return DWQ_OK;
}

/* --- The queue of jobs that any worker may take --------------------------- */

static void queue_push(struct dwqi_scheduler *s, struct dwqi_job *job)
{
    job->in_run = !s->run || job_before(s->run->prev, job);
    if (job->in_run) {
        DL_APPEND(s->run, job);
    } else {
        dwqi_heap_push(&s->queue, job); /* reserved by the caller */
    }
}

static void queue_remove(struct dwqi_scheduler *s, struct dwqi_job *job)
{
    if (job->in_run) {
        DL_DELETE(s->run, job);
    } else {
        dwqi_heap_remove(&s->queue, job);
    }
}

static struct dwqi_job *queue_top(const struct dwqi_scheduler *s)
{
    struct dwqi_job *job = dwqi_heap_top(&s->queue);

    return s->run && (!job || job_before(s->run, job)) ? s->run : job;
}

/* --- Waiting --------------------------------------------------------------- */

/* Room for all that a worker's queue may get back, so that a job that was
 * assigned can always wait again. */
static bool enqueue(struct dwqi_scheduler *s, struct dwqi_job *job)
{
    struct slot *slot = bound_slot(s, job);
    struct dwqi_heap *heap = slot ? &slot->bound : &s->queue;
    size_t out = slot ? (size_t)slot->n_held : s->n_running;

    if (!dwqi_heap_reserve(heap, out + 1)) {
        return false;
    }
    if (slot) {
        /* The slot's key in `turns` is its first bound job. */
        set_in_heap(&s->turns, slot, slot->turn_place, false);
        dwqi_heap_push(heap, job);
        slot->bound_est = least(slot->bound_est + job->time_est, SUM_MAX);
        slot_changed(s, slot);
    } else {
        queue_push(s, job);
    }
    s->n_waiting++;
    return true;
}

dwq_status_t dwqi_scheduler_add(struct dwqi_scheduler *s, struct dwqi_job *job)
{
    job->longest_first = s->longest_first;
    job->holder = 0;
    job->place = 0;
    job->sequence = s->sequence;
    if (!enqueue(s, job)) {
        return DWQ_E_NOMEM;
    }
    s->sequence++;
    return DWQ_OK;
}

void dwqi_scheduler_remove(struct dwqi_scheduler *s, struct dwqi_job *job)
{
    struct slot *slot = bound_slot(s, job);

    if (slot) {
        set_in_heap(&s->turns, slot, slot->turn_place, false);
        dwqi_heap_remove(&slot->bound, job);
        slot->bound_est = dwqi_heap_top(&slot->bound)
                              ? most(0, slot->bound_est - job->time_est)
                              : 0;
        slot_changed(s, slot);
    } else {
        queue_remove(s, job);
    }
    s->n_waiting--;
}

size_t dwqi_scheduler_n_waiting(const struct dwqi_scheduler *s)
{
    return s->n_waiting;
}

const size_t *dwqi_scheduler_waiting(const struct dwqi_scheduler *s)
{
    return &s->n_waiting;
}

struct dwqi_job *dwqi_scheduler_any_bound(const struct dwqi_scheduler *s,
                                          int worker)
{
    return dwqi_heap_top(&s->slots[worker].bound);
}

struct dwqi_job *dwqi_scheduler_any_waiting(const struct dwqi_scheduler *s)
{
    struct dwqi_job *job = queue_top(s);

    for (int i = 1; !job && s->n_waiting > 0 && i <= s->n_workers; i++) {
        job = dwqi_scheduler_any_bound(s, i);
    }
    return job;
}

void dwqi_scheduler_worker_ready(struct dwqi_scheduler *s, int worker)
{
    s->slots[worker].ready = true;
    slot_changed(s, &s->slots[worker]);
}

void dwqi_scheduler_worker_gone(struct dwqi_scheduler *s, int worker)
{
    struct slot *slot = &s->slots[worker];

    if (!slot->gone) {
        slot->gone = true;
        s->n_gone++;
        slot_changed(s, slot);
    }
}

void dwqi_scheduler_worker_pause(struct dwqi_scheduler *s, int worker,
                                 bool paused)
{
    s->slots[worker].paused = paused;
    slot_changed(s, &s->slots[worker]);
}

void dwqi_scheduler_worker_hold_one(struct dwqi_scheduler *s, int worker)
{
    s->slots[worker].holds_one = true;
    slot_changed(s, &s->slots[worker]);
}

bool dwqi_scheduler_is_gone(const struct dwqi_scheduler *s, int worker)
{
    return s->slots[worker].gone;
}

int dwqi_scheduler_n_gone(const struct dwqi_scheduler *s)
{
    return s->n_gone;
}

/* The worker for the first job that any may take, or NULL. */
static struct slot *slot_for(struct dwqi_scheduler *s,
                             const struct dwqi_job *job)
{
    struct slot *slot = dwqi_heap_top(&s->open);

    if (!job || !slot) {
        return NULL;
    }
    if (job->worker > 0) {
        struct slot *wished = &s->slots[job->worker];

        /* Never behind others while a worker is idle. */
        if (wished->open_place > 0 && fits(s, wished, job) &&
            (wished->n_held == 0 || slot->n_held > 0)) {
            return wished;
        }
    }
    return fits(s, slot, job) ? slot : NULL;
}

static void assign(struct dwqi_scheduler *s, struct dwqi_job *job,
                   struct slot *slot)
{
    dwqi_scheduler_remove(s, job);
    job->holder = slot->number;
    job->expected = expect(job);
    DL_APPEND(slot->held, job);
    s->n_busy += slot->n_held == 0;
    slot->n_held++;
    slot->n_unknown += job->expected < 0;
    slot->n_movable += bound_slot(s, job) == NULL;
    slot->held_expected =
        least(slot->held_expected + most(0, job->expected), DBL_MAX);
    slot->total_est = least(slot->total_est + job->time_est, SUM_MAX);
    s->n_running++;
    slot_changed(s, slot);
}

bool dwqi_scheduler_next(struct dwqi_scheduler *s, struct dwqi_job **job_out,
                         int *worker_out)
{
    struct dwqi_job *job = queue_top(s);
    struct slot *slot = slot_for(s, job);
    struct slot *turn = dwqi_heap_top(&s->turns);

    if (turn && (!slot || job_before(dwqi_heap_top(&turn->bound), job))) {
        slot = turn;
        job = dwqi_heap_top(&turn->bound);
    }
    if (!slot) {
        return false;
    }
    assign(s, job, slot);
    *job_out = job;
    *worker_out = slot->number;
    return true;
}

struct dwqi_job *dwqi_scheduler_first_for(const struct dwqi_scheduler *s,
                                          int worker)
{
    const struct slot *slot = &s->slots[worker];
    struct dwqi_job *bound = dwqi_heap_top(&slot->bound), *any = queue_top(s);

    if (!slot->ready || slot->gone || slot->paused) {
        return NULL;
    }
    return any && (!bound || job_before(any, bound)) ? any : bound;
}

void dwqi_scheduler_give(struct dwqi_scheduler *s, struct dwqi_job *job,
                         int worker)
{
    assign(s, job, &s->slots[worker]);
}

static struct slot *unassign(struct dwqi_scheduler *s, struct dwqi_job *job)
{
    struct slot *slot = &s->slots[job->holder];

    DL_DELETE(slot->held, job);
    job->holder = 0;
    slot->n_held--;
    s->n_busy -= slot->n_held == 0;
    slot->n_unknown -= job->expected < 0;
    slot->n_movable -= bound_slot(s, job) == NULL;
    slot->held_expected = most(0, slot->held_expected - most(0, job->expected));
    if (slot->n_held == slot->n_unknown) {
        slot->held_expected = 0; /* exactly, whatever was rounded */
    }
    s->n_running--;
    return slot;
}

void dwqi_scheduler_done(struct dwqi_scheduler *s, struct dwqi_job *job)
{
    slot_changed(s, unassign(s, job));
}

void dwqi_scheduler_give_back(struct dwqi_scheduler *s, struct dwqi_job *job)
{
    struct slot *slot = unassign(s, job);

    slot->total_est = most(0, slot->total_est - job->time_est);
    slot_changed(s, slot);
    enqueue(s, job);
}

struct dwqi_job *dwqi_scheduler_held(const struct dwqi_scheduler *s, int worker)
{
    return s->slots[worker].held;
}

int dwqi_scheduler_n_held(const struct dwqi_scheduler *s, int worker)
{
    return s->slots[worker].n_held;
}

double dwqi_scheduler_held_expected(const struct dwqi_scheduler *s, int worker)
{
    return s->slots[worker].held_expected;
}

size_t dwqi_scheduler_n_running(const struct dwqi_scheduler *s)
{
    return s->n_running;
}

size_t dwqi_scheduler_n_busy(const struct dwqi_scheduler *s)
{
    return (size_t)s->n_busy;
}

double dwqi_scheduler_total_est(const struct dwqi_scheduler *s, int worker)
{
    return s->slots[worker].total_est;
}

double dwqi_scheduler_bound_est(const struct dwqi_scheduler *s, int worker)
{
    return s->slots[worker].bound_est;
}

int dwqi_scheduler_idle_worker(const struct dwqi_scheduler *s)
{
    const struct slot *slot = dwqi_heap_top(&s->open);

    return slot && slot->n_held == 0 ? slot->number : 0;
}

int dwqi_scheduler_next_holder(const struct dwqi_scheduler *s, int after)
{
    return after ? s->slots[after].holder_next : s->holders;
}
