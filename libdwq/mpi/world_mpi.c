/* The ranks of one run over MPI, and how they wait. */
#include "libdwq/mpi/world.h"

#include <math.h>
#include <mpi.h>
#include <stdlib.h>

#include "libdwq/base/clock.h"
#include "libdwq/mpi/spawn.h"
#include "libdwq/mpi/transport_mpi.h"
#include "libdwq/mpi/world_private.h"
#include "libdwq/process/departure.h"
#include "libdwq/process/lines.h"

static dwq_status_t status_of(int mpi_code)
{
    return mpi_code == MPI_SUCCESS ? DWQ_OK : DWQ_E_MPI;
}

bool dwqi_mpi_is_null(const void *comm)
{
    return comm && *(const MPI_Comm *)comm == MPI_COMM_NULL;
}

/* Whether this thread may speak MPI in a run beside those of other threads. */
static const char *why_not_in_thread(void)
{
    int level = dwqi_mpi_thread_level(), is_main = 0;

    if (level < MPI_THREAD_MULTIPLE && dwqi_process_has_other_runs()) {
        return "another thread of this process is in a run, and MPI was not "
               "started with MPI_THREAD_MULTIPLE (option thread_level 3)";
    }
    MPI_Is_thread_main(&is_main);
    if (level < MPI_THREAD_SERIALIZED && !is_main &&
        !dwqi_process_in_first_thread()) {
        return "this is not the thread that started MPI, and MPI was not "
               "started with MPI_THREAD_SERIALIZED or MPI_THREAD_MULTIPLE "
               "(option thread_level 2 or 3)";
    }
    return NULL;
}

/* Whether all ranks of `busy` are among those of `comm`. */
static bool holds_all(MPI_Comm comm, MPI_Comm busy_comm)
{
    MPI_Group all, busy, both;
    int size, busy_size;

    MPI_Comm_group(comm, &all);
    MPI_Comm_group(busy_comm, &busy);
    MPI_Group_intersection(all, busy, &both);
    MPI_Group_size(both, &size);
    MPI_Group_size(busy, &busy_size);
    MPI_Group_free(&both);
    MPI_Group_free(&busy);
    MPI_Group_free(&all);
    return size == busy_size;
}

/* The world of a spawned rank is its group, all of which is in the same call. */
static bool is_busy(const struct dwqi_world *world, const void *comm)
{
    MPI_Comm parent = comm ? *(const MPI_Comm *)comm : MPI_COMM_WORLD;

    if (parent == MPI_COMM_NULL) {
        return false;
    }
    if (world->run.witness.way && world->beside != MPI_COMM_NULL &&
        holds_all(parent, world->beside)) {
        return true;
    }
    if (!world->run.outer && dwqi_spawned(NULL)) {
        return comm == NULL;
    }
    /* A call of one rank may run a queue over its own communicator. */
    return world->ranks.size > 1 ? holds_all(parent, world->ranks.comm)
                                 : world->is_job && parent == MPI_COMM_WORLD;
}

const char *dwqi_mpi_why_no_run(const void *comm)
{
    const struct dwqi_process_run *run = dwqi_process_run_of_thread();

    if (!run) {
        return why_not_in_thread();
    }
    for (; run; run = run->outer) {
        if (is_busy((const void *)run, comm)) {
            return "the ranks that it needs are in the run that this call or "
                   "function belongs to; a call may run a queue over its "
                   "group: dwq_run_comm() with dwq_call_comm()";
        }
    }
    return NULL;
}

dwq_status_t dwqi_mpi_place(const void *comm, int *rank_out, int *size_out)
{
    MPI_Comm parent = comm ? *(const MPI_Comm *)comm : MPI_COMM_WORLD;
    int rank, size;

    if (MPI_Comm_rank(parent, &rank) != MPI_SUCCESS ||
        MPI_Comm_size(parent, &size) != MPI_SUCCESS) {
        return DWQ_E_MPI;
    }
    *rank_out = rank;
    *size_out = size;
    return DWQ_OK;
}

dwq_status_t dwqi_world_finish_until(struct dwqi_world *world, bool of_job,
                                     MPI_Request *request, double until)
{
    struct dwqi_backoff backoff;
    double remaining = INFINITY;
    int done = 0;

    dwqi_backoff_init(&backoff, world->idle_wait, world->crowded);
    for (;;) {
        if (world->awaited) {
            dwqi_departure_look(world->awaited);
        }
        if (MPI_Test(request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) {
            return DWQ_E_MPI;
        }
        if (done) {
            return DWQ_OK;
        }
        if (of_job && dwqi_lines_know_deaths(dwqi_process_lines())) {
            return DWQ_E_WORKER; /* one of them will not come */
        }
        if (!isinf(until)) {
            remaining = until - dwqi_clock_now();
            if (remaining <= 0) {
                return DWQ_E_TIME_LIMIT;
            }
        }
        dwqi_backoff_pause(&backoff, remaining, true);
    }
}

dwq_status_t dwqi_world_finish(struct dwqi_world *world, MPI_Request *request)
{
    return dwqi_world_finish_until(world, world->awaited, request, INFINITY);
}

dwq_status_t dwqi_world_meet(struct dwqi_world *world, MPI_Comm comm)
{
    MPI_Request request;

    if (MPI_Ibarrier(comm, &request) != MPI_SUCCESS) {
        return DWQ_E_MPI;
    }
    return dwqi_world_finish(world, &request);
}

dwq_status_t dwqi_world_duplicate(struct dwqi_world *world, MPI_Comm comm,
                                  bool of_library, MPI_Comm *copy_out)
{
    MPI_Request request;
    dwq_status_t status;

    if (MPI_Comm_idup(comm, copy_out, &request) != MPI_SUCCESS) {
        return DWQ_E_MPI;
    }
    status = dwqi_world_finish(world, &request);
    if (status == DWQ_OK) {
        MPI_Comm_set_errhandler(*copy_out, of_library ? MPI_ERRORS_RETURN
                                                      : world->user_errors);
    }
    return status;
}

/* This run's communicator. Over all ranks of the world all come, or none: who has left
 * is looked for. */
static dwq_status_t duplicate_parent(struct dwqi_world *world, MPI_Comm parent)
{
    struct dwqi_departure *departure = dwqi_process_departure();
    MPI_Comm *ring = departure ? dwqi_departure_ring(departure) : NULL;
    dwq_status_t status = DWQ_OK;
    int alike;

    if (ring && parent == MPI_COMM_WORLD && *ring == MPI_COMM_NULL) {
        status = dwqi_world_duplicate(world, parent, true, ring);
    }
    MPI_Comm_compare(parent, MPI_COMM_WORLD, &alike);
    world->awaited = alike != MPI_UNEQUAL ? departure : NULL;
    if (status == DWQ_OK) {
        status = dwqi_world_duplicate(world, parent, true, &world->ranks.comm);
    }
    world->awaited = NULL;
    if (status == DWQ_OK) {
        dwqi_ranks_take(&world->ranks, world->ranks.comm);
    }
    return status;
}

dwq_status_t dwqi_world_open(const void *comm, struct dwqi_world **world_out)
{
    MPI_Comm parent = comm ? *(const MPI_Comm *)comm : MPI_COMM_WORLD;
    struct dwqi_world *world;
    dwq_status_t status;
    int between = 0;

    if (parent == MPI_COMM_NULL ||
        (MPI_Comm_test_inter(parent, &between), between)) {
        return DWQ_E_ARG;
    }
    world = calloc(1, sizeof *world);
    if (!world) {
        return DWQ_E_NOMEM;
    }
    world->idle_wait = 1e-3;
    world->beside = MPI_COMM_NULL;
    world->is_job = parent == MPI_COMM_WORLD;
    world->ranks.world = world;
    MPI_Comm_size(parent, &world->ranks.size);
    world->crowded = world->ranks.size > 1 || dwqi_spawn_is_marked();
    status = duplicate_parent(world, parent);
    if (status != DWQ_OK) {
        goto free_world;
    }
    status = status_of(MPI_Comm_dup(MPI_COMM_SELF, &world->self));
    if (status != DWQ_OK) {
        goto free_comm;
    }
    MPI_Comm_set_errhandler(world->self, MPI_ERRORS_RETURN);
    dwqi_user_comm_init(&world->alone[0]);
    dwqi_user_comm_init(&world->alone[1]);
    dwqi_witness_make_errhandler(&world->user_errors);
    for (int inner = 0; inner <= 1 && status == DWQ_OK; inner++) {
        status = dwqi_world_renew_self(world, inner);
    }
    if (status != DWQ_OK) {
        goto free_self;
    }
    world->pool = dwqi_pool_create();
    dwqi_process_enter(&world->run);
    status = dwqi_world_share_board(world, &world->ranks);
    if (status != DWQ_OK) {
        dwqi_world_close(world);
        return status;
    }
    *world_out = world;
    return DWQ_OK;

free_self:
    dwqi_user_comm_finish(&world->alone[0]);
    dwqi_user_comm_finish(&world->alone[1]);
    dwqi_witness_free_errhandler(&world->user_errors);
    MPI_Comm_free(&world->self);
free_comm:
    dwqi_ranks_finish(&world->ranks);
free_world:
    free(world);
    return status;
}

void dwqi_world_close(struct dwqi_world *world)
{
    if (world) {
        dwqi_process_leave(&world->run);
        dwqi_witness_free_errhandler(&world->user_errors);
        dwqi_user_comm_finish(&world->alone[0]);
        dwqi_user_comm_finish(&world->alone[1]);
        MPI_Comm_free(&world->self);
        dwqi_ranks_finish(&world->ranks);
        dwqi_bell_destroy(world->bell);
        dwqi_pool_destroy(world->pool);
        free(world);
    }
}

struct dwqi_ranks *dwqi_world_ranks(struct dwqi_world *world)
{
    return &world->ranks;
}

const void *dwqi_world_self(const struct dwqi_world *world, bool inner)
{
    return &world->alone[inner].now;
}

dwq_status_t dwqi_world_renew_self(struct dwqi_world *world, bool inner)
{
    MPI_Comm fresh;

    if (MPI_Comm_dup(world->self, &fresh) != MPI_SUCCESS) {
        return DWQ_E_MPI;
    }
    MPI_Comm_set_errhandler(fresh, world->user_errors);
    dwqi_user_comm_replace(&world->alone[inner], fresh);
    return DWQ_OK;
}

void dwqi_world_set_idle_wait(struct dwqi_world *world, double idle_wait)
{
    world->idle_wait = idle_wait;
    dwqi_backoff_init(&world->backoff, idle_wait, world->crowded);
}

bool dwqi_world_spans_hosts(const struct dwqi_world *world)
{
    return world->spans_hosts;
}

struct dwqi_witness *dwqi_world_witness(struct dwqi_world *world)
{
    return &world->run.witness;
}

struct dwqi_pool *dwqi_world_pool(const struct dwqi_world *world)
{
    return world->pool;
}

dwq_status_t dwqi_world_transport_to(struct dwqi_world *world,
                                     struct dwqi_ranks *ranks,
                                     const struct dwqi_log *log,
                                     struct dwqi_transport **transport_out)
{
    dwq_status_t status = dwqi_transport_mpi_create(
        ranks->comm, &world->backoff, world->pool, log, transport_out);

    if (status == DWQ_OK) {
        dwqi_transport_mpi_set_ringers(*transport_out, ranks->ringers);
    }
    return status;
}

bool dwqi_world_is_job(const struct dwqi_world *world)
{
    return world->is_job;
}

static void ring_self(void *arg)
{
    struct dwqi_world *world = arg;

    dwqi_ringers_ring(world->ranks.ringers, world->ranks.rank);
}

void dwqi_world_tell_deaths(struct dwqi_world *world,
                            struct dwqi_transport *transport,
                            int (*peer_of)(void *arg, int worker), void *arg)
{
    const struct dwqi_deaths deaths = { dwqi_process_lines(), peer_of, arg };

    dwqi_transport_mpi_tell_deaths(transport, &deaths);
    dwqi_lines_set_wake(deaths.lines, ring_self, world);
}

dwq_status_t dwqi_world_transport(struct dwqi_world *world,
                                  const struct dwqi_log *log,
                                  struct dwqi_transport **transport_out)
{
    return dwqi_world_transport_to(world, &world->ranks, log, transport_out);
}
