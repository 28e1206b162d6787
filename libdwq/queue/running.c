/* What a handler of a signal can say of calls that run: those on ranks that are alone on
 * their hosts, where nobody else is left to say how such a rank died. All that is read
 * is whole at any point of the thread of the run, and of the feeder: the first of a
 * worker's held jobs changes by one store, before its task is over. */
#include <string.h>

#include "libdwq/queue/controller_private.h"

/* Ranks that are named; of others their number is. */
#define NAMED_MAX 5

static const char *name_of(const dwq_controller_t *c, int rank)
{
    const struct dwqi_gathered *names = c->config.lone_ranks;

    return names->first[rank + 1] > names->first[rank]
               ? (const char *)names->data + names->first[rank]
               : NULL;
}

static void add_rank(const dwq_controller_t *c, int rank,
                     const struct dwqi_task *task, struct dwqi_line *line,
                     uint64_t *n)
{
    const char *name = rank >= 0 ? name_of(c, rank) : NULL;
    const char *module;

    if (!name || (*n)++ >= NAMED_MAX) {
        return;
    }
    module = task->rate->key;
    dwqi_line_add(line,
                  *n > 1 ? "; "
                         : ". If no rank says why, one of these may have been "
                           "killed (SIGKILL, as where memory is short): ");
    dwqi_line_add(line, name);
    dwqi_line_add(line, " in task ");
    dwqi_line_add_number(line, task->id);
    dwqi_line_add(line, ", function '");
    dwqi_line_add(line, module + strlen(module) + 1);
    dwqi_line_add(line, "'");
}

/* A worker is a rank, or a group and the broker that may be beside it. */
static void add_worker(const dwq_controller_t *c, int worker,
                       struct dwqi_line *line, uint64_t *n)
{
    const dwq_plan_group_t *group = &c->config.plan->groups[worker - 1];
    struct dwqi_job *running = dwqi_scheduler_held(c->d.scheduler, worker);

    if (!running) {
        return;
    }
    add_rank(c, group->broker, dwqi_task_of(running), line, n);
    for (int i = 0; i < group->n_ranks; i++) {
        if (group->ranks[i] != group->broker) {
            add_rank(c, group->ranks[i], dwqi_task_of(running), line, n);
        }
    }
}

void dwqi_controller_add_running(const dwq_controller_t *c,
                                 struct dwqi_line *line)
{
    uint64_t n = 0;

    if (!c->config.lone_ranks || !c->config.lone_ranks->first) {
        return;
    }
    for (int w = 1; w <= c->config.n_workers; w++) {
        add_worker(c, w, line, &n);
    }
    if (n > NAMED_MAX) {
        dwqi_line_add(line, "; and ");
        dwqi_line_add_number(line, n - NAMED_MAX);
        dwqi_line_add(line, " more");
    }
}
