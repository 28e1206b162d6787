/* A run on this rank; shared by run.c (open to close), roles.c with role_*.c (what each
 * role does) and start.c (what can be refused before anything starts). */
#ifndef DWQI_RUN_RUN_PRIVATE_H
#define DWQI_RUN_RUN_PRIVATE_H

#include <limits.h>

#include "brokers/broker.h"
#include "brokers/service.h"
#include "libdwq/base/aside.h"
#include "libdwq/item/codec.h"
#include "libdwq/mpi/spawn.h"
#include "libdwq/mpi/world.h"
#include "libdwq/process/lines.h"
#include "libdwq/queue/controller.h"
#include "libdwq/run/interrupt.h"
#include "libdwq/run/options.h"
#include "libdwq/run/plan.h"
#include "topology/placer.h"
#include "workers/service.h"
#include "workers/solo.h"
#include "workers/worker.h"

struct run {
    dwq_options_t options; /* resolved */
    struct dwqi_log log;
    struct dwqi_error error; /* why it does not start */
    bool opened;             /* by dwq_open() */
    bool has_taker;          /* somebody takes the controller here */
    dwq_kwargs_t kept_args;  /* run_args of its own, where it was opened */
    bool spawned;            /* this process, by a broker: */
    struct dwqi_spawn_marker marker;
    struct dwqi_world *world;
    struct dwqi_plan plan;
    bool follows;        /* its data options are those of others: dwq-worker */
    int teller;          /* the rank that tells them */
    int told_controller; /* to one that follows */
    bool only_plan; /* it ends when it is planned, and is placed in any case */
    bool placed;    /* by these two; the plan shows their names */
    struct dwqi_cluster cluster;
    struct dwqi_placement placement;
    bool bound;
    struct dwqi_cpuset unbound; /* what this process could use before */
    int openmp_threads;         /* of a parallel region, before; 0: as it was */
    enum dwqi_role_kind kind;
    struct dwqi_role *role; /* that was made of it */
    int rank;               /* -1: spawned */
    int ordinal;            /* which dwq_run() of this process, from 1 */
    int worker_id;          /* 1..n_workers, or 0 */
    dwq_world_t facts;      /* what the user is told of this rank */
    double start;           /* seconds */
    struct dwqi_registry *registry;
    struct dwqi_executor *executor; /* of this rank alone */
    struct dwqi_transport *transport;
    struct dwqi_transport *waits_with; /* this, or that of its group */
    struct dwqi_solo solo;             /* a server's */
    dwq_controller_t *controller;      /* of the controller's rank */
    dwq_worker_t worker;
    void *worker_arg;                   /* for the worker function */
    struct dwqi_aside *worker_function; /* with one process, if there is one */

    /* Of a rank of a group. */
    struct dwqi_group *group;
    struct dwqi_transport *group_transport;
    struct dwqi_coll *coll;
    struct dwqi_team *team;
    struct dwqi_executor *group_executor; /* its calls; NULL: a broker beside */
    struct dwqi_links *links;             /* of a rank of the group */
    struct dwqi_access *access;           /* the same */
    struct dwqi_broker_service *service;  /* a broker's */
    dwq_broker_t broker;
    void *broker_arg;
    char program[PATH_MAX];    /* a broker's: what it spawns */
    void *settings;            /* what another rank told this one, as it came */
    const char *spawned_seats; /* in them; NULL: it binds itself to nothing */
    dwq_bytes_t told_hub; /* the same: a struct dwqi_hub_address; or none */
    struct dwqi_arena settings_arena;

    struct dwqi_gathered lone_ranks; /* the controller's; see controller.h */
    bool ends_with_allocation;       /* its time_limit is by that */
    struct dwqi_watchdog *gone;      /* the controller's, then; or NULL */
    _Atomic uint64_t cancelled; /* where no desk is: see dwqi_run_cancelled() */
    int exit_code;
    int controller_code; /* what the controller function returned */
    bool overdue;        /* a worker never came back after the time limit */
};

/**
 * Resolve, check and compare the options, plan the roles, load the functions, make
 * the groups. Collective over the run's world.
 *
 * @return The same on every rank: DWQ_OK; DWQ_E_OPTION, DWQ_E_NOMEM, DWQ_E_ARG, and
 *         one rank has logged what was wrong; DWQ_E_MPI
 */
dwq_status_t dwqi_run_start(struct run *run, const dwq_options_t *given);

/* The first part of that: what role each rank has is known, and nothing started. */
dwq_status_t dwqi_run_plan(struct run *run, const dwq_options_t *given);

/* Whether no rank has a fault (agree.c): the first that has one says it (DWQ_E_NOMEM needs no
 * text), and all get its text, and DWQ_E_OPTION, or DWQ_E_NOMEM or DWQ_E_ARG. Collective
 * over the run's world. */
dwq_status_t dwqi_run_agree(struct run *run, dwq_status_t status,
                            struct dwqi_error *fault);
/* The same over a spawned group and its broker, and nobody says it. */
dwq_status_t dwqi_run_agree_in_group(struct run *run, dwq_status_t status,
                                     struct dwqi_error *fault);

/**
 * Look at the hosts and place the groups (place.c). Collective over the world.
 *
 * @return The same on every rank: DWQ_OK, the run's plan is made unless nothing can
 *         be looked at and the groups' size is given (run->placed is then false,
 *         after a warning); DWQ_E_OPTION, DWQ_E_NOMEM, one rank has logged why;
 *         DWQ_E_MPI
 */
dwq_status_t dwqi_run_place(struct run *run,
                            const struct dwqi_plan_request *request,
                            struct dwqi_error *fault);
void dwqi_run_finish_place(struct run *run);

/* Option `bind` (binding.c). Bind groups, brokers, the controller; who cannot is
 * named in one warning. Collective over the world. */
dwq_status_t dwqi_run_bind(struct run *run);
/* A spawned rank of a run that binds: by what its broker said; see below. */
dwq_status_t dwqi_run_bind_spawned(struct run *run, const char *seats);
/* What a broker tells them, a line for each: "node1 0-3,8\n". */
void dwqi_run_list_seats(const struct run *run, struct dwqi_buffer *text);
/* What this process could use before, it can use again. */
void dwqi_run_unbind(struct run *run);

/* Without option time_limit: the limit is the end of the allocation, if the controller's
 * rank knows one. Collective over the world. DWQ_OK, DWQ_E_OPTION, DWQ_E_MPI. */
dwq_status_t dwqi_run_find_end(struct run *run, struct dwqi_error *fault);

/* Survival (survival.c). Whether the launcher lets the others live; of the controller's
 * rank. */
bool dwqi_run_may_survive(const struct run *run);
/* Where it does: facts.survives. Collective over the world. DWQ_OK, DWQ_E_MPI. */
dwq_status_t dwqi_run_make_survive(struct run *run);
/* This process's line to the hub. DWQ_E_MPI: there is none, and *fault says why. */
dwq_status_t dwqi_run_connect(struct run *run,
                              const struct dwqi_hub_address *hub,
                              struct dwqi_error *fault);
/* On the controller's rank: from now on a death costs a worker; the end of that. */
void dwqi_run_hear_deaths(struct run *run);
/* See dwqi_dispatcher_config.stop_far; `arg` is not looked at. */
void dwqi_run_stop_far(void *arg, int worker, uint64_t id);
void dwqi_run_ignore_deaths(struct run *run);
/* Those that are waited for no longer are ended. */
void dwqi_run_end_workers(struct run *run);

/* A run of one process: warn if a batch system gave it room for several (alone.c). */
void dwqi_run_warn_alone(const struct run *run);

/* Load the functions, and find those of the roles by name. Local. DWQ_E_OPTION. */
dwq_status_t dwqi_run_find_functions(struct run *run, struct dwqi_error *fault);

/* Options from another rank (tell.c): a broadcast from it, in which every rank
 * knows the size, and an agreement of the same ranks, as dwqi_run_agree(). */
struct dwqi_run_way {
    dwq_status_t (*bcast)(struct run *run, void *data, size_t size);
    dwq_status_t (*agree)(struct run *run, dwq_status_t status,
                          struct dwqi_error *fault);
};
/* The same on all that tell and hear: DWQ_OK; as agreed, DWQ_E_NOMEM or DWQ_E_OPTION:
 * another version of the library tells; DWQ_E_MPI. */
dwq_status_t dwqi_run_tell(struct run *run, const struct dwqi_run_way *way,
                           const void *data, size_t size,
                           struct dwqi_error *fault);
/* What was told, for free(). */
dwq_status_t dwqi_run_hear(struct run *run, const struct dwqi_run_way *way,
                           void **data_out, size_t *size_out,
                           struct dwqi_error *fault);
/* All data options of this rank, and `more` (30 at most), to be told. DWQ_E_OPTION:
 * they cannot be sent. */
dwq_status_t dwqi_run_pack_options(const struct run *run, dwq_kwargs_t more,
                                   struct dwqi_pack *pack_out,
                                   struct dwqi_error *fault);
struct dwqi_told {
    dwq_kwargs_t options; /* and more */
    dwq_kwargs_t run_args;
};
/* In the run's settings, where they stay. Local, as the next one. */
dwq_status_t dwqi_run_read_options(struct run *run, size_t size,
                                   struct dwqi_told *told_out);
/* The run's options are those told, and what is local to a process this one's own.
 * DWQ_E_NOMEM: some are missing. */
dwq_status_t dwqi_run_take_options(struct run *run, const dwq_options_t *own,
                                   const struct dwqi_told *told);

/* Groups by spawn (spawn.c). On a broker: check what can be checked first. */
dwq_status_t dwqi_run_check_spawn(struct run *run, struct dwqi_error *fault);
/* Start this broker's group. Collective over the world if they start in turn. */
dwq_status_t dwqi_run_spawn(struct run *run, struct dwqi_error *fault);
/* Tell the spawned ranks whether the run goes on; collective over the world if so. */
dwq_status_t dwqi_run_tell_spawned(struct run *run, bool go);
/* A spawned process: become a rank of its broker's group. DWQ_E_OPTION, DWQ_E_NOMEM:
 * the run does not start, and a rank of the job says why. */
dwq_status_t dwqi_run_join(struct run *run, const dwq_options_t *given,
                           uint64_t token);

/* The service (service.c), on a rank of a group whose team is there. */
dwq_status_t dwqi_run_make_service(struct run *run);
/* This rank's share in the order to accept a client; `arg` is the run. */
dwq_status_t dwqi_run_accept_client(void *arg);
/* Group 1, before its functions: what option enable_worker_service asks for. */
void dwqi_run_publish_service(struct run *run);
/* Links are parted: collective over the groups that are linked. */
void dwqi_run_finish_service(struct run *run);

/* A spawned process that ends without having joined: its broker hears it. */
void dwqi_run_never_joined(void);

/* Make the role that the plan gives this rank (roles.c); what it cannot be made of ends
 * the job. */
dwq_status_t dwqi_run_make_role(struct run *run);
/* One step of it, and a pause where there was nothing to do. What cannot go on ends the
 * job. */
dwq_status_t dwqi_run_step(struct run *run);
/* Play it until this rank has left the run; the controller: with `controller_code`. */
dwq_status_t dwqi_run_play(struct run *run);
void dwqi_run_finish_role(struct run *run);

/* Roles: role_controller.c and role_group.c. */
dwq_status_t dwqi_run_make_controller(struct run *run);
dwq_status_t dwqi_run_make_in_place(struct run *run);
dwq_status_t dwqi_run_make_relay(struct run *run);
dwq_status_t dwqi_run_make_leaf(struct run *run);
dwq_status_t dwqi_run_end_controller(struct run *run);
dwq_status_t dwqi_run_end_in_place(struct run *run);
/* The worker function around the serving, or the serving alone. */
dwq_status_t dwqi_run_play_worker(struct run *run);
/* Say so if there is no communicator after a call that failed. */
dwq_status_t dwqi_run_renewed(const struct run *run, dwq_status_t status);

/* End all ranks of the job; `arg` is the run. Does not return. */
void dwqi_run_abort(void *arg);
/* The same where others wait for this rank, and there is no way to tell them why. */
void dwqi_run_give_up(struct run *run, dwq_status_t status);
/* Seconds; `arg` is not looked at. */
double dwqi_run_clock(void *arg);
/* On that clock, when no task starts any more, and when what still runs is given up;
 * INFINITY: never. */
double dwqi_run_limit(const struct run *run);
/* Where a rank of a worker reads that its call is to stop: on the desk of the worker's
 * broker, a peer (DWQI_SELF: this rank), or in the run. Where it survives, words from
 * other hosts come there. */
const _Atomic uint64_t *dwqi_run_cancelled(struct run *run,
                                           struct dwqi_transport *transport,
                                           int broker);
double dwqi_run_grace_end(const struct run *run);

#endif
