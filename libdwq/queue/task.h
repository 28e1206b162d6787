/* A submitted task, from submit to collect, and the map from ids to tasks. */
#ifndef DWQI_QUEUE_TASK_H
#define DWQI_QUEUE_TASK_H

#include "libdwq/base/idmap.h"
#include "libdwq/item/outcome.h"
#include "libdwq/queue/ledger.h"
#include "libdwq/queue/scheduler.h"

/* uthash calls this instead of exit() when it has no memory. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(item) ((item)->oom = true)
#include <uthash.h>

/* Functions without a task that are remembered: names may be without number. */
#define DWQI_RATES_IDLE 1024

/* Calls of a function that have ended, for its rate to be known. */
#define DWQI_RATE_KNOWN 3

/* How long a function takes, learned from its results. */
struct dwqi_rate {
    double seconds;                /* per unit of estimate; < 0: not known */
    double mean;                   /* the same, of the calls so far */
    uint64_t n_calls;              /* that have ended */
    size_t n_tasks;                /* tasks of this function that are there */
    struct dwqi_rate *next, *prev; /* list of idle ones, when there are none */
    bool oom;
    UT_hash_handle hh;
    char key[]; /* module, '\0', function, '\0' */
};

/* Packed tasks up to this size lie in the task itself: head, names, and a few
 * numbers. */
#define DWQI_TASK_SMALL 128

/* Bytes of what is kept of lost attempts, at most: the last ones. */
#define DWQI_WHY_LOST_MAX 1000

struct dwqi_task {
    struct dwqi_job job;
    uint64_t id;
    struct dwqi_entry entry;  /* the ledger's */
    struct dwqi_tasks *tasks; /* where it belongs; NULL when they are gone */
    int refs;                 /* 1, and 1 per transfer under way */
    int worker;               /* that has it, or ran it; 0: none */
    bool fitted;              /* bound to a worker that fits these two */
    int min_ranks;
    uint32_t retry_failed; /* more attempts of a call that fails, at most */
    uint32_t retries;      /* the same of one whose worker is lost */
    uint32_t n_lost;       /* attempts whose workers were */
    char *why_lost;        /* what became of these; or NULL */
    uint32_t number;       /* of its worker's, when sent: see dwqi_desk() */
    const char *host;      /* of the plan; or NULL */
    struct dwqi_pack pack; /* its block may be `small` */
    struct dwqi_rate *rate;
    struct dwqi_outcome *outcome;  /* when done */
    struct dwqi_task *next, *prev; /* list of done tasks, or of spare ones */
    unsigned char small[DWQI_TASK_SMALL];
};

static inline struct dwqi_task *dwqi_task_of(struct dwqi_job *job)
{
    return (struct dwqi_task *)(void *)((char *)job -
                                        offsetof(struct dwqi_task, job));
}

static inline bool dwqi_task_is_sent(const struct dwqi_task *task)
{
    return task->refs > 1;
}

/* A step of which nothing else is to be said. Most are nobody's: no record is made. */
static inline dwq_status_t dwqi_task_step(struct dwqi_ledger *ledger,
                                          struct dwqi_task *task,
                                          enum dwqi_task_event event)
{
    if (!(ledger->watched & (uint32_t)1 << event) &&
        dwqi_entry_follow(&task->entry, event)) {
        return DWQ_OK;
    }
    return dwqi_ledger_step(
        ledger, &(struct dwqi_step){ .task = task, .event = event });
}

struct dwqi_tasks {
    struct dwqi_idmap map;   /* ids to tasks */
    struct dwqi_task *spare; /* for the next ones */
    size_t n_spare;
    struct dwqi_rate *rates;
    struct dwqi_rate *idle_rates; /* the longest idle one first */
    size_t n_idle_rates;
    struct dwqi_rate *last_rate;
    struct dwqi_scratch scratch;
    uint64_t next_id;
    bool est_seconds; /* estimates are seconds */
    /* Of tasks that do not say; 0 or less: none. */
    int retry_failed;
    int retries;
};

/**
 * Make a task of what the user gave, with refs 1, and put it into the map.
 *
 * @return DWQ_OK, DWQ_E_ARG, DWQ_E_ID, DWQ_E_NOMEM: *why_out lives until the next task
 */
dwq_status_t dwqi_task_create(struct dwqi_tasks *tasks, const dwq_task_t *given,
                              bool binding, struct dwqi_task **task_out,
                              const char **why_out);
void dwqi_task_unref(struct dwqi_task *task);
/* Its packed form is needed no more. */
void dwqi_task_drop_pack(struct dwqi_task *task);
struct dwqi_task *dwqi_task_find(const struct dwqi_tasks *tasks, uint64_t id);
/* Take it out of the map, and drop the map's reference. */
void dwqi_task_remove(struct dwqi_tasks *tasks, struct dwqi_task *task);
/* The seconds that it is expected to run; < 0: not known. */
double dwqi_task_expected(const struct dwqi_task *task);
/* Learn from a result: a task of this estimate took so long. */
void dwqi_rate_learn(struct dwqi_rate *rate, double seconds, double time_est);
/* The same from the ledger's steps; `arg` is not used. */
void dwqi_rates_see(void *arg, const struct dwqi_step *step);
#define DWQI_RATES_EVENTS DWQI_EVENT_BIT(RESULT)
/* Drops all tasks that are left. */
void dwqi_tasks_finish(struct dwqi_tasks *tasks);

#endif
