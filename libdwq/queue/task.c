#include "libdwq/queue/task.h"

#include "libdwq/item/transport.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "libdwq/base/plain.h"

/* --- Rates -------------------------------------------------------------- */

static bool rate_is(const struct dwqi_rate *rate, const char *module,
                    const char *function)
{
    return strcmp(rate->key, module) == 0 &&
           strcmp(rate->key + strlen(rate->key) + 1, function) == 0;
}

/* The rate of a function, made at its first task. NULL: no memory. */
static struct dwqi_rate *rate_of(struct dwqi_tasks *tasks, const char *module,
                                 const char *function)
{
    size_t module_size, size;
    struct dwqi_rate *rate, *found;

    module = module && strcmp(module, "__main__") != 0 ? module : "";
    if (tasks->last_rate && rate_is(tasks->last_rate, module, function)) {
        return tasks->last_rate;
    }
    module_size = strlen(module) + 1;
    size = module_size + strlen(function) + 1;
    rate = calloc(1, sizeof *rate + size);
    if (!rate) {
        return NULL;
    }
    memcpy(rate->key, module, module_size);
    memcpy(rate->key + module_size, function, size - module_size);
    HASH_FIND(hh, tasks->rates, rate->key, size, found);
    if (found) {
        free(rate);
        rate = found;
    } else {
        rate->seconds = -1;
        HASH_ADD_KEYPTR(hh, tasks->rates, rate->key, size, rate);
        if (rate->oom) {
            free(rate);
            return NULL;
        }
    }
    tasks->last_rate = rate;
    return rate;
}

static void rate_take(struct dwqi_tasks *tasks, struct dwqi_rate *rate)
{
    if (rate->n_tasks++ == 0 && rate->prev) {
        DL_DELETE(tasks->idle_rates, rate);
        rate->prev = NULL;
        tasks->n_idle_rates--;
    }
}

static void rate_give(struct dwqi_tasks *tasks, struct dwqi_rate *rate)
{
    struct dwqi_rate *oldest = tasks->idle_rates;

    if (--rate->n_tasks > 0) {
        return;
    }
    DL_APPEND(tasks->idle_rates, rate);
    if (++tasks->n_idle_rates > DWQI_RATES_IDLE) {
        tasks->n_idle_rates--;
        DL_DELETE(tasks->idle_rates, oldest);
        HASH_DEL(tasks->rates, oldest);
        if (tasks->last_rate == oldest) {
            tasks->last_rate = NULL;
        }
        free(oldest);
    }
}

void dwqi_rate_learn(struct dwqi_rate *rate, double seconds, double time_est)
{
    double sample = dwqi_over_est(seconds, time_est);

    rate->n_calls++;
    rate->mean += (sample - rate->mean) / (double)rate->n_calls;
    if (rate->n_calls >= DWQI_RATE_KNOWN) {
        rate->seconds = rate->mean;
    }
}

void dwqi_rates_see(void *arg, const struct dwqi_step *step)
{
    (void)arg;
    if (step->seconds >= 0) {
        dwqi_rate_learn(step->task->rate, step->seconds,
                        step->task->job.time_est);
    }
}

double dwqi_task_expected(const struct dwqi_task *task)
{
    double rate = task->tasks->est_seconds ? 1 : task->rate->seconds;

    return rate < 0 ? -1 : rate * task->job.time_est;
}

/* --- Tasks -------------------------------------------------------------- */

struct dwqi_task *dwqi_task_find(const struct dwqi_tasks *tasks, uint64_t id)
{
    return dwqi_idmap_find(&tasks->map, id);
}

/* Far from what users count from, and an int64_t holds them. */
#define FIRST_ID (((uint64_t)1 << 62) + 1)

static uint64_t new_id(struct dwqi_tasks *tasks)
{
    do {
        tasks->next_id++;
        if (tasks->next_id < FIRST_ID) { /* it was never given, or all were */
            tasks->next_id = FIRST_ID;
        }
    } while (dwqi_task_find(tasks, tasks->next_id));
    return tasks->next_id;
}

static const double never_measured = -1;
static const double one_second = 1;

/* DWQ_OK, or why the task is refused: in the scratch, or a constant. */
static dwq_status_t check(struct dwqi_tasks *tasks, const dwq_task_t *given,
                          const char **why_out)
{
    char *why = tasks->scratch.why;
    size_t size = sizeof tasks->scratch.why;

    *why_out = why;
    if (!given->function || given->function[0] == '\0') {
        *why_out = given->function ? "function is \"\"" : "function is NULL";
        return DWQ_E_ARG;
    }
    if (!isfinite(given->time_est) || given->time_est < 0) {
        dwqi_plain_format(why, size,
                          "time_est is %.10g: it takes a number from 0 on",
                          given->time_est);
        return DWQ_E_ARG;
    }
    if (isnan(given->time_limit)) {
        *why_out = "time_limit is not a number: it takes seconds";
        return DWQ_E_ARG;
    }
    if (given->id != 0 && dwqi_task_find(tasks, given->id)) {
        dwqi_plain_format(why, size,
                          "id %" PRIu64 " is in use, until the result of its "
                          "task is collected",
                          given->id);
        return DWQ_E_ID;
    }
    *why_out = "out of memory";
    return DWQ_OK;
}

/* Tasks that are over serve again: a queue frees in another order than it
 * allocates, which malloc is slow at. Not under the address sanitizer. */
#if defined __SANITIZE_ADDRESS__
#define SPARE_MAX 0
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define SPARE_MAX 0
#endif
#endif
#ifndef SPARE_MAX
#define SPARE_MAX 4096
#endif

static struct dwqi_task *task_take(struct dwqi_tasks *tasks)
{
    struct dwqi_task *task = tasks->spare;

    if (task) {
        tasks->spare = task->next;
        tasks->n_spare--;
    } else {
        task = malloc(sizeof *task);
    }
    if (task) {
        memset(task, 0, offsetof(struct dwqi_task, small));
        task->tasks = tasks;
        task->refs = 1;
    }
    return task;
}

static void task_give(struct dwqi_task *task)
{
    struct dwqi_tasks *tasks = task->tasks;

    if (!tasks || tasks->n_spare == SPARE_MAX) {
        free(task);
        return;
    }
    task->next = tasks->spare;
    tasks->spare = task;
    tasks->n_spare++;
}

void dwqi_task_drop_pack(struct dwqi_task *task)
{
    if (task->pack.block == task->small) {
        task->pack.block = NULL;
    }
    dwqi_pack_finish(&task->pack);
}

void dwqi_task_unref(struct dwqi_task *task)
{
    if (--task->refs == 0) {
        dwqi_task_drop_pack(task);
        dwqi_outcome_destroy(task->outcome);
        free(task->why_lost);
        if (task->tasks && task->rate) {
            rate_give(task->tasks, task->rate);
        }
        task_give(task);
    }
}

/* The packed form of a task, charged with an estimate above 0. */
static dwq_status_t task_pack(struct dwqi_tasks *tasks, const dwq_task_t *given,
                              struct dwqi_task *task, const char **why_out)
{
    dwq_task_t charged = *given;

    charged.time_est = task->job.time_est;
    tasks->scratch.small = task->small;
    tasks->scratch.small_size = sizeof task->small;
    return dwqi_pack_task(&charged, task->id, &tasks->scratch, &task->pack,
                          why_out);
}

static uint32_t retries_of(int given, int of_run)
{
    int n = given ? given : of_run;

    return n > 0 ? (uint32_t)n : 0;
}

dwq_status_t dwqi_task_create(struct dwqi_tasks *tasks, const dwq_task_t *given,
                              bool binding, struct dwqi_task **task_out,
                              const char **why_out)
{
    struct dwqi_task *task;
    dwq_status_t status = check(tasks, given, why_out);

    if (status != DWQ_OK) {
        return status;
    }
    status = DWQ_E_NOMEM;
    task = task_take(tasks);
    if (!task) {
        return status;
    }
    task->id = given->id ? given->id : new_id(tasks);
    task->job.worker = given->worker;
    task->job.binding = binding && given->worker > 0;
    task->job.priority = given->priority;
    task->retry_failed = retries_of(given->retry_failed, tasks->retry_failed);
    task->retries = retries_of(given->retries, tasks->retries);
    task->job.time_est = given->time_est > 0 ? given->time_est : 1;
    task->rate = rate_of(tasks, given->module, given->function);
    if (task->rate) {
        rate_take(tasks, task->rate);
        status = task_pack(tasks, given, task, why_out);
        /* A large body goes only to a worker that is there to receive it. */
        task->job.rate = task->pack.size > DWQI_INLINE_MAX ? &never_measured
                         : tasks->est_seconds              ? &one_second
                                              : &task->rate->seconds;
    }
    if (status == DWQ_OK) {
        status =
            dwqi_idmap_add(&tasks->map, task->id, task) ? DWQ_OK : DWQ_E_NOMEM;
    }
    if (status != DWQ_OK) {
        dwqi_task_unref(task);
        return status;
    }
    *task_out = task;
    return DWQ_OK;
}

void dwqi_task_remove(struct dwqi_tasks *tasks, struct dwqi_task *task)
{
    dwqi_idmap_remove(&tasks->map, task->id);
    if (dwqi_task_is_sent(task)) {
        task->tasks = NULL; /* it may outlive them */
    }
    dwqi_task_unref(task);
}

void dwqi_tasks_finish(struct dwqi_tasks *tasks)
{
    struct dwqi_rate *rate, *next_rate;

    for (size_t i = 0; i < tasks->map.capacity; i++) {
        if (tasks->map.slots[i].id != 0) {
            struct dwqi_task *task = tasks->map.slots[i].item;

            task->tasks = NULL; /* it may outlive them: being sent */
            dwqi_task_unref(task);
        }
    }
    dwqi_idmap_finish(&tasks->map);
    while (tasks->spare) {
        struct dwqi_task *task = tasks->spare;

        tasks->spare = task->next;
        free(task);
    }
    HASH_ITER(hh, tasks->rates, rate, next_rate)
    {
        HASH_DEL(tasks->rates, rate);
        free(rate);
    }
    dwqi_scratch_finish(&tasks->scratch);
}
