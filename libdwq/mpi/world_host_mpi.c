/* What the ranks of a host share: a board, and doorbells. Where they are each rank tells all
 * others at the start. */
#include <mpi.h>
#include <stdlib.h>

#include "libdwq/mpi/world_private.h"
#include "libdwq/wait/crowd.h"

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

dwq_status_t dwqi_world_share_board(struct dwqi_world *world,
                                    struct dwqi_ranks *ranks)
{
    struct dwqi_board *own = world->run.witness.board;
    struct dwqi_board_address mine, *all = NULL;
    dwq_status_t status;

    if (ranks->size == 1) {
        return DWQ_OK; /* nobody would look */
    }
    own = own ? own : dwqi_board_create();
    mine = dwqi_board_address(own);
    status = dwqi_ranks_gather(ranks, &mine, sizeof mine, NULL, &all);
    dwqi_witness_set_board(&world->run.witness, own);
    if (status == DWQ_OK) {
        look_around(world, all, ranks->size, ranks->rank,
                    ranks == &world->ranks);
        dwqi_witness_set_board(&world->run.witness,
                               dwqi_board_join(own, all, ranks->size));
    }
    free(all);
    return status == DWQ_E_NOMEM ? DWQ_OK : status;
}

/* --- Doorbells ---------------------------------------------------------------- */

/* Ranks that are not of this run may be here, too. */
static void count_crowd(struct dwqi_world *world,
                        const struct dwqi_ringers *ringers)
{
    int n_all = world->ranks.size;

    MPI_Comm_size(MPI_COMM_WORLD, &n_all);
    n_all = n_all > world->ranks.size
                ? n_all
                : world->ranks.size; /* of a spawned group */
    world->crowded =
        world->crowded || dwqi_crowded(ringers, n_all - world->ranks.size);
    dwqi_backoff_set_crowded(&world->backoff, world->crowded);
    if (world->crowded) {
        dwqi_crowd_yield();
    }
}

/* Ringers for all these ranks; NULL where there are none. Peers that have no memory for
 * theirs never ring: this bell waits for them all the same. */
static dwq_status_t connect(struct dwqi_world *world, struct dwqi_ranks *ranks)
{
#ifndef DWQI_SMPI /* where no rank has a bell nobody asks for the others' */
    struct dwqi_bell_address mine = dwqi_bell_address(world->bell);
    struct dwqi_bell_address *all = NULL;
    dwq_status_t status =
        dwqi_ranks_gather(ranks, &mine, sizeof mine, NULL, &all);

    dwqi_bell_expect(world->bell, ranks->size);
    if (status == DWQ_OK) {
        ranks->ringers = dwqi_ringers_create(all, ranks->size);
    }
    free(all);
    return status == DWQ_E_NOMEM ? DWQ_OK : status;
#else
    (void)world, (void)ranks;
    return DWQ_OK;
#endif
}

dwq_status_t dwqi_world_hang_bells(struct dwqi_world *world,
                                   struct dwqi_ranks *ranks)
{
    dwq_status_t status = connect(world, ranks);

    if (status == DWQ_OK) {
        count_crowd(world, ranks->ringers);
        if (world->idle_wait <= 0) { /* the bells are there for the claims */
            dwqi_ringers_never_ring(ranks->ringers);
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
    return dwqi_world_hang_bells(world, &world->ranks);
}

void dwqi_world_recount(struct dwqi_world *world)
{
    world->crowded = false;
    count_crowd(world, world->ranks.ringers);
}
