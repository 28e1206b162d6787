/* What must come of each task of a scenario. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "tests/sim/scenario_private.h"

/* A rank had no memory to go on: the job has ended. */
bool scenario_has_given_up(const struct scenario *s)
{
    return s->gave_up || memory_is_short(dwqi_sim_error(s->sim));
}

void scenario_fault(struct scenario *s, const char *format, ...)
{
    va_list args;

    if (!s->out->ok || scenario_has_given_up(s)) {
        return; /* the first one counts */
    }
    s->out->ok = false;
    va_start(args, format);
    vsnprintf(s->out->fault, sizeof s->out->fault, format, args);
    va_end(args);
}

static bool lacks_memory(const dwq_result_t *r)
{
    return memory_has_failed() && r->status != DWQ_OK &&
           (r->code == DWQ_E_NOMEM || strstr(r->message, "memory"));
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

static void check_value(struct scenario *s, const struct known *k,
                        const dwq_result_t *r)
{
    double y = 0, sum = k->borrowed ? (double)BIG : 0;
    bool has = dwq_result_get(r, 0, 0, &y);

    if (k->fails || k->unknown) {
        scenario_fault(s, "task %" PRIu64 " should have failed", k->id);
    } else if (k->x < 1 ? has : !has || y != 2 * k->x + sum) {
        scenario_fault(s, "task %" PRIu64 " gave %g for %g", k->id, y, k->x);
    } else if (k->bound && r->worker != k->bound) {
        scenario_fault(s, "task %" PRIu64 " ran on worker %d, not %d", k->id,
                       r->worker, k->bound);
    }
}

/* How often a function may have been entered, by the status of its result. */
static void check_runs(struct scenario *s, const struct known *k,
                       const dwq_result_t *r, bool corrupted)
{
    bool short_of = memory_has_failed(); /* any call may have failed for that */
    int again = k->fails || short_of ? (int)((k - s->known) % 3) : 0;
    int least = 0, most = 1 + again + s->n_killed;

    if (corrupted || lacks_memory(r)) {
        /* A message that nobody could read may stand for any of these. */
    } else if (s->n_killed > 0) {
        least = r->status == DWQ_OK && !short_of;
        most = r->attempts + again;
    } else if (r->status == DWQ_OK ||
               (r->status == DWQ_E_TASK && !k->unknown)) {
        least = short_of ? 1 : r->attempts;
    } else if (r->status == DWQ_E_CANCELLED || r->status == DWQ_E_WORKER) {
        most = again;
    }
    if (k->n_run < least || k->n_run > most) {
        scenario_fault(s, "task %" PRIu64 " (%s) was run %d times", k->id,
                       dwq_status_name(r->status), k->n_run);
    }
}

/* As long as a worker is left, a task is lost only with its own, or when too many were. */
static void check_lost(struct scenario *s, const struct known *k,
                       const dwq_result_t *r, bool corrupted)
{
    bool some_left = false, leaves = false;

    for (int w = 1; w <= s->n_workers; w++) {
        some_left =
            some_left || !(s->workers[w].dead || s->workers[w].withdraws);
        leaves = leaves || s->workers[w].withdraws;
    }
    if (s->kills && r->status == DWQ_E_WORKER && some_left && !k->bound &&
        !s->cancels_all && isinf(s->time_limit) && !corrupted &&
        !memory_has_failed() && s->n_killed <= s->retries && !leaves) {
        scenario_fault(s, "task %" PRIu64 " was given up: %s", k->id,
                       r->message);
    }
}

void scenario_collected(struct scenario *s, dwq_result_t *r)
{
    struct known *k = known_of(s, r->id);
    bool corrupted = dwqi_sim_n_corrupted(s->sim) > 0;

    if (!k) {
        scenario_fault(s, "a result of no task, or a second one: %" PRIu64,
                       r->id);
        dwq_result_clear(r);
        return;
    }
    k->collected = true;
    s->n_collected++;
    s->out->n_by_status[-(int)r->status]++;
    if (r->status == DWQ_OK && !corrupted) {
        check_value(s, k, r);
    } else if (r->status == DWQ_E_TASK && !corrupted && !lacks_memory(r)) {
        if (!k->fails && !k->unknown) {
            scenario_fault(s, "task %" PRIu64 " failed: %s", k->id, r->message);
        } else if (k->fails && !k->unknown &&
                   (r->code != 7 || r->failed_rank != 0)) {
            scenario_fault(s, "task %" PRIu64 " failed with code %d", k->id,
                           r->code);
        }
    }
    check_runs(s, k, r, corrupted);
    check_lost(s, k, r, corrupted);
    dwq_result_clear(r);
}
