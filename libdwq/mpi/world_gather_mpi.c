/* What each rank tells all others at the start: bytes, where its board is, where its
 * doorbell is. A rank that has no memory for what it would hear says so first, and then
 * nobody tells anything: it comes to every collective all the same. */
#include <limits.h>
#include <mpi.h>
#include <stdlib.h>

#include "libdwq/mpi/world_private.h"
#include "libdwq/wait/crowd.h"

dwq_status_t dwqi_world_all_have(struct dwqi_world *world, MPI_Comm comm,
                                 bool has, const struct dwqi_log *log)
{
    int mine = has, all = has;
    MPI_Request request;
    dwq_status_t status;

    if (MPI_Iallreduce(&mine, &all, 1, MPI_INT, MPI_MIN, comm, &request) !=
        MPI_SUCCESS) {
        return DWQ_E_MPI;
    }
    status = dwqi_world_finish(world, &request);
    if (!has && log) {
        dwqi_log_error(log, "%s", dwq_status_text(DWQ_E_NOMEM));
    }
    return status == DWQ_OK && !all ? DWQ_E_NOMEM : status;
}

/* `size` bytes of each rank of `comm`, for free(). */
static dwq_status_t gather(struct dwqi_world *world, MPI_Comm comm,
                           const void *mine, size_t size,
                           const struct dwqi_log *log, void *all_out)
{
    MPI_Request request;
    dwq_status_t status;
    int n_ranks;
    void *all;

    MPI_Comm_size(comm, &n_ranks);
    all = calloc((size_t)n_ranks, size);
    status = dwqi_world_all_have(world, comm, all != NULL, log);
    if (status == DWQ_OK) {
        status = MPI_Iallgather(mine, (int)size, MPI_BYTE, all, (int)size,
                                MPI_BYTE, comm, &request) == MPI_SUCCESS
                     ? dwqi_world_finish(world, &request)
                     : DWQ_E_MPI;
    }
    if (status != DWQ_OK) {
        free(all);
        return status;
    }
    *(void **)all_out = all;
    return DWQ_OK;
}

/* --- Bytes ---------------------------------------------------------------- */

/* Where those of each rank begin, n[r] bytes. DWQ_E_ARG: too many. */
static dwq_status_t add_up(const int *n, int n_ranks, int *first)
{
    first[0] = 0;
    for (int r = 0; r < n_ranks; r++) {
        if (n[r] > INT_MAX - first[r]) {
            return DWQ_E_ARG;
        }
        first[r + 1] = first[r] + n[r];
    }
    return DWQ_OK;
}

static dwq_status_t gather_bytes(struct dwqi_world *world, const void *mine,
                                 const int *n, const struct dwqi_log *log,
                                 struct dwqi_gathered *got)
{
    MPI_Request request;
    dwq_status_t status, asked;
    bool has;

    got->first = calloc((size_t)world->size + 1, sizeof *got->first);
    status = got->first ? add_up(n, world->size, got->first) : DWQ_E_NOMEM;
    if (status == DWQ_OK) {
        got->data = malloc((size_t)got->first[world->size] + 1);
    }
    has = got->data || status == DWQ_E_ARG;
    asked = dwqi_world_all_have(world, world->comm, has, log);
    if (asked != DWQ_OK || status != DWQ_OK) {
        return asked != DWQ_OK ? asked : status;
    }
    return MPI_Iallgatherv(mine, n[world->rank], MPI_BYTE, got->data, n,
                           got->first, MPI_BYTE, world->comm,
                           &request) == MPI_SUCCESS
               ? dwqi_world_finish(world, &request)
               : DWQ_E_MPI;
}

dwq_status_t dwqi_world_gather_all(struct dwqi_world *world, const void *mine,
                                   size_t size, const struct dwqi_log *log,
                                   struct dwqi_gathered *out)
{
    struct dwqi_gathered got = { .data = NULL };
    int mine_n = size < INT_MAX ? (int)size : INT_MAX, *n = NULL;
    dwq_status_t status =
        gather(world, world->comm, &mine_n, sizeof mine_n, log, &n);

    if (status == DWQ_OK) {
        status = gather_bytes(world, mine, n, log, &got);
    }
    free(n);
    if (status != DWQ_OK) {
        dwqi_gathered_finish(&got);
        return status;
    }
    *out = got;
    return DWQ_OK;
}

/* --- Boards ----------------------------------------------------------------- */

/* Who else is here: of the run, or also of a group that this rank spawned. */
static void look_around(struct dwqi_world *world,
                        const struct dwqi_board_address *all, int n, int mine,
                        bool of_run)
{
    struct dwqi_witness *witness = &world->run.witness;
    int n_here = 0;

    for (int i = 0; i < n; i++) {
        n_here += all[i].host == all[mine].host;
    }
    if (of_run) {
        world->spans_hosts = n_here < n;
    }
    witness->is_alone =
        n_here == 1 && all[mine].host != 0 && (of_run || witness->is_alone);
}

dwq_status_t dwqi_world_share_board(struct dwqi_world *world, MPI_Comm comm)
{
    struct dwqi_board *own = world->run.witness.board;
    struct dwqi_board_address mine, *all = NULL;
    dwq_status_t status;
    int size, rank;

    MPI_Comm_size(comm, &size);
    MPI_Comm_rank(comm, &rank);
    if (size == 1) {
        return DWQ_OK; /* nobody would look */
    }
    own = own ? own : dwqi_board_create();
    mine = dwqi_board_address(own);
    status = gather(world, comm, &mine, sizeof mine, NULL, &all);
    dwqi_witness_set_board(&world->run.witness, own);
    if (status == DWQ_OK) {
        look_around(world, all, size, rank, comm == world->comm);
        dwqi_witness_set_board(&world->run.witness,
                               dwqi_board_join(own, all, size));
    }
    free(all);
    return status == DWQ_E_NOMEM ? DWQ_OK : status;
}

/* --- Doorbells ---------------------------------------------------------------- */

/* Ranks that are not of this run may be here, too. */
static void count_crowd(struct dwqi_world *world,
                        const struct dwqi_ringers *ringers)
{
    int n_all = world->size;

    MPI_Comm_size(MPI_COMM_WORLD, &n_all);
    n_all = n_all > world->size ? n_all : world->size; /* of a spawned group */
    world->crowded =
        world->crowded || dwqi_crowded(ringers, n_all - world->size);
    dwqi_backoff_set_crowded(&world->backoff, world->crowded);
    if (world->crowded) {
        dwqi_crowd_yield();
    }
}

/* Ringers for all ranks of `comm`; NULL where there are none. Peers that have no memory
 * for theirs never ring: this bell waits for them all the same. */
static dwq_status_t connect(struct dwqi_world *world, MPI_Comm comm,
                            struct dwqi_ringers **ringers_out)
{
#ifndef DWQI_SMPI /* where no rank has a bell nobody asks for the others' */
    struct dwqi_bell_address mine = dwqi_bell_address(world->bell);
    struct dwqi_bell_address *all = NULL;
    dwq_status_t status = gather(world, comm, &mine, sizeof mine, NULL, &all);
    int size;

    MPI_Comm_size(comm, &size);
    dwqi_bell_expect(world->bell, size);
    *ringers_out = status == DWQ_OK ? dwqi_ringers_create(all, size) : NULL;
    free(all);
    return status == DWQ_E_NOMEM ? DWQ_OK : status;
#else
    (void)world;
    (void)comm;
    *ringers_out = NULL;
    return DWQ_OK;
#endif
}

dwq_status_t dwqi_world_hang_bells(struct dwqi_world *world, MPI_Comm comm,
                                   struct dwqi_ringers **ringers_out)
{
    dwq_status_t status = connect(world, comm, ringers_out);

    if (status == DWQ_OK) {
        count_crowd(world, *ringers_out);
        if (world->idle_wait <= 0) { /* the bells are there for the claims */
            dwqi_ringers_never_ring(*ringers_out);
        }
        dwqi_backoff_set_bell(&world->backoff, world->bell, DWQI_BELL_WAIT);
    }
    return status;
}

void dwqi_world_make_bell(struct dwqi_world *world)
{
    world->bell = dwqi_bell_create();
}

dwq_status_t dwqi_world_connect_bells(struct dwqi_world *world)
{
    dwqi_world_make_bell(world);
    world->crowded = false; /* until they are counted */
    return dwqi_world_hang_bells(world, world->comm, &world->ringers);
}

void dwqi_world_recount(struct dwqi_world *world)
{
    world->crowded = false;
    count_crowd(world, world->ringers);
}
