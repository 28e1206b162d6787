/* What a run is told. Zero is the default of every field. */
#ifndef DWQ_OPTIONS_H
#define DWQ_OPTIONS_H

#include <dwq/function.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dwq_controller dwq_controller_t;

typedef enum dwq_grouping {
    DWQ_GROUPING_NONE = 0,
    DWQ_GROUPING_SPAWN = 1,
    DWQ_GROUPING_SPLIT = 2
} dwq_grouping_t;

typedef enum dwq_collective_mode {
    /* For each message what was measured to be faster: as gather, but for parts of 1 MiB
     * and more, which come by messages. */
    DWQ_COLLECTIVE_DEFAULT = 0,
    DWQ_COLLECTIVE_GATHER = 1,
    DWQ_COLLECTIVE_SENDRECV = 2
} dwq_collective_mode_t;

typedef enum dwq_queue_order {
    DWQ_ORDER_FIFO = 0,
    DWQ_ORDER_LONGEST_FIRST = 1
} dwq_queue_order_t;

/* Groups placed on what the machine is made of (all added at the end). With none of
 * them set and a given nprocs_per_worker, groups are cut in rank order. */
typedef enum dwq_domain {   /* DWQ_NPROCS_AUTO: one group per ... */
    DWQ_DOMAIN_DEFAULT = 0, /* NUMA node */
    DWQ_DOMAIN_CORE = 1,
    DWQ_DOMAIN_L3 = 2,
    DWQ_DOMAIN_NUMA = 3,
    DWQ_DOMAIN_PACKAGE = 4,
    DWQ_DOMAIN_HOST = 5
} dwq_domain_t;

typedef enum dwq_straddle { /* may a group straddle NUMA nodes, packages, hosts? */
    DWQ_STRADDLE_DEFAULT = 0, /* if it must */
    DWQ_STRADDLE_IF_MUST = 1, /* a group that fits into one stays in one */
    DWQ_STRADDLE_NEVER = 2,
    DWQ_STRADDLE_FREELY = 3 /* further groups of what is left over */
} dwq_straddle_t;

typedef enum dwq_fill {
    DWQ_FILL_DEFAULT = 0, /* pack */
    DWQ_FILL_PACK = 1,    /* one host and one part after the other */
    DWQ_FILL_SPREAD = 2   /* hosts and parts in turn */
} dwq_fill_t;

typedef enum dwq_bind {
    DWQ_BIND_NONE = 0,
    DWQ_BIND_CORE = 1, /* each rank to its own cores */
    DWQ_BIND_GROUP = 2 /* to all cores of its group on its host */
} dwq_bind_t;

#define DWQ_NPROCS_AUTO (-1)     /* nprocs_per_worker: the placer sizes */
#define DWQ_PREFETCH_AUTO 0      /* prefetch */
#define DWQ_PREFETCH_OFF (-1)    /* prefetch: a worker holds one task */
#define DWQ_RETRIES_NONE (-1)    /* retries */
#define DWQ_IDLE_WAIT_DEFAULT 0. /* idle_wait: 1 ms */
#define DWQ_IDLE_WAIT_SPIN (-1.) /* idle_wait: never sleep */

/* Fields that hold data must be the same on all ranks (they are compared at the
 * start; dwq-worker takes them from the other ranks); callbacks, tables and `arg` are
 * local to the process. */
typedef struct dwq_options {
    /* The roles. `controller` is needed on the controller's rank by dwq_run(), and NULL
     * for dwq_open(). What they return is what *exit_code_out gets there. A `worker`
     * that returns nonzero before it served withdraws its worker: the whole group, if
     * any rank of it or its broker does. */
    int (*controller)(dwq_controller_t *controller, void *arg);
    int (*worker)(dwq_worker_t *worker, void *arg);
    int (*broker)(dwq_broker_t *broker, void *arg);

    /* The same from a module, where the pointer above is NULL. */
    const char *worker_name;
    const char *worker_module;
    const char *broker_name;
    const char *broker_module;

    const dwq_function_t *functions; /* of "__main__"; ends with name NULL */
    const char *module_path;         /* folders with ':' between, seen from the
                                      * folder at the start of the run; default
                                      * the environment's DWQ_MODULE_PATH, or "." */
    void *arg;                       /* for the callbacks and `functions` */

    /* Groups of ranks as workers. */
    dwq_grouping_t grouping;
    int nprocs_per_worker; /* ranks per group; 0 means 1 */
    dwq_collective_mode_t collective_mode;
    bool broker_is_worker;
    int max_workers; /* 0 or less: all */
    bool sequential_spawn;
    double spawn_startup_wait;    /* seconds */
    const char *spawn_executable; /* a program that calls dwq_run() or
                                   * dwq_open(): one that does not start MPI
                                   * ends the job after 120 s, one that does
                                   * not come to the run after 20 minutes, or
                                   * both after DWQ_SPAWN_TIMEOUT seconds */
    const char *const
        *spawn_args; /* ends with NULL; before the library's own; default: this
                      * program's arguments, and none for dwq-worker */
    /* Or a function that gets the library's arguments (ends with NULL) and gives
     * the whole list, which has to hold them; it stays the function's. */
    const char *const *(*spawn_args_function)(const char *const *library_args,
                                              void *arg);
    bool enable_worker_service;
    const char *worker_service_name;

    int argc; /* of main(): what groups that run this program again get; argv NULL:
               * what this process was started with */
    char **argv;

    /* Wall seconds from the start of the run after which no task starts and running
     * calls are asked to stop (DWQ_STOP_END), and after that, how long all that still
     * runs is awaited: then the job ends, when the controller function has returned with
     * all results (a borrowed array of a call that was given up is read until then).
     * Without a grace a rank that hangs is awaited for ever. One line on stderr names a
     * rank on the controller's host that is stopped, or did not come back from a call.
     * 0: end_margin seconds before the end of the allocation, which the controller's rank
     * knows by DWQ_TIME_LIMIT (seconds from the start of its first run, or `none`;
     * stronger than the option), else by SLURM_JOB_END_TIME or squeue. The grace is half
     * of these seconds at most, no call of known time starts that would not end before,
     * and the job is gone a sixth of them before the end. */
    double time_limit;
    double time_limit_grace;

    /* Values that every role can read. DWQ_ENTRIES() in the initializer; set in a block
     * { } of its own, only a copy lives to the run: dwq_kwargs_copy(). */
    dwq_kwargs_t run_args;

    /* Environment: DWQ_QUEUE_ORDER (fifo, longest-first), DWQ_PREFETCH (auto,
     * or a number; 0 is off), DWQ_IDLE_WAIT (500us, 1ms, 0.001; 0 never sleeps),
     * DWQ_VERBOSE (0, 1): used where the field has its default. */
    dwq_queue_order_t queue_order;
    /* Further tasks that a worker may hold, at most: calls that take 1 ms together by
     * what was measured. On the controller's host they go to an idle worker, also from
     * behind a running call. Automatic: workers of other hosts hold none. A number: they
     * do, and a call that runs longer than expected delays those behind it. */
    int prefetch;
    double idle_wait; /* seconds: the longest sleep of a waiting rank */
    /* A line per role and per decision. Tasks wait for the next call of the controller */
    bool verbose;
    int thread_level; /* MPI_THREAD_*, when the library starts MPI */

    /* Where lines go (errors and warnings, too); default stderr. */
    void (*log)(const char *line, void *log_arg);
    void *log_arg;

    /* Placement, of grouped runs. Any of these, or DWQ_NPROCS_AUTO, makes the run
     * look at its hosts (DWQ_TOPOLOGY replaces what is found) and plan by that.
     * Environment, where the field has its default: DWQ_DOMAIN (core, l3, numa,
     * package, host), DWQ_STRADDLE (if-must, never, freely), DWQ_FILL (pack,
     * spread), DWQ_THREADS_PER_RANK, DWQ_BIND (none, core, group),
     * DWQ_CONTROLLER_SHARES (0, 1). On a host with one rank more than cores, the
     * controller counted, it shares a core, or else that rank idles if that costs no
     * group; of more ranks each has a hardware thread. With more ranks than those
     * nothing is bound on that host. */
    dwq_domain_t domain; /* DWQ_NPROCS_AUTO */
    int groups_per_host; /* DWQ_NPROCS_AUTO: so many instead, as wide as
                              * they can be; 0: by domain */
    dwq_straddle_t straddle;
    dwq_fill_t fill;
    int threads_per_rank;  /* cores of each rank of a group; 0 means 1 */
    bool broker_on_thread; /* a broker beside its group takes a spare hardware
                              * thread, not a core */
    dwq_bind_t bind; /* of the ranks of groups, of brokers and, to its own core
                        or hardware thread, of the controller, for the run;
                        threads and processes started meanwhile inherit it.
                        A parallel region of OpenMP has threads_per_rank threads
                        then, unless OMP_NUM_THREADS says how many */
    /* The controller shares a core with a rank of a group, or a broker, where no
     * other is left: while it waits it sleeps. Else it has one of its own (or a spare
     * hardware thread), and the plan says if that costs a group. */
    bool controller_shares_core;

    /* Estimates of tasks are seconds, so it is known from the first call how long each
     * one takes. Else that is known of a function when 3 of its calls have ended:
     * time_est x the mean of this_time / time_est. Calls of known, short time are sent
     * to a worker that is still busy (prefetch). */
    bool time_est_seconds;

    int retry_failed, retries; /* of tasks that do not say; 0: none, and 2 */
    double
        end_margin; /* 0: 30, or a quarter of the time left if that is less */

    uint64_t reserved[14]; /* 0; DWQ_E_OPTION otherwise */
} dwq_options_t;

#ifdef __cplusplus
}
#endif

#endif
