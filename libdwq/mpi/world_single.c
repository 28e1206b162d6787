/* The world of one process, for builds without MPI. */
#include "libdwq/mpi/world.h"

#include <stdlib.h>

#include "libdwq/process/process.h"

struct dwqi_world {
    struct dwqi_process_run run;
    struct dwqi_pool *pool; /* or NULL */
};

bool dwqi_mpi_is_null(const void *comm)
{
    (void)comm;
    return false;
}

const char *dwqi_mpi_why_no_run(const void *comm)
{
    (void)comm;
    return dwqi_process_run_of_thread()
               ? "the ranks that it needs are in the run that this call or "
                 "function belongs to"
               : NULL;
}

dwq_status_t dwqi_mpi_place(const void *comm, int *rank_out, int *size_out)
{
    (void)comm;
    *rank_out = 0;
    *size_out = 1;
    return DWQ_OK;
}

dwq_status_t dwqi_world_open(const void *comm, struct dwqi_world **world_out)
{
    struct dwqi_world *world = calloc(1, sizeof *world);

    (void)comm;
    if (!world) {
        return DWQ_E_NOMEM;
    }
    world->pool = dwqi_pool_create();
    dwqi_process_enter(&world->run);
    *world_out = world;
    return DWQ_OK;
}

void dwqi_world_close(struct dwqi_world *world)
{
    if (world) {
        dwqi_process_leave(&world->run);
        dwqi_pool_destroy(world->pool);
        free(world);
    }
}

struct dwqi_witness *dwqi_world_witness(struct dwqi_world *world)
{
    return &world->run.witness;
}

struct dwqi_pool *dwqi_world_pool(const struct dwqi_world *world)
{
    return world->pool;
}

struct dwqi_ranks *dwqi_world_ranks(struct dwqi_world *world)
{
    (void)world;
    return NULL; /* there is one */
}

const void *dwqi_world_self(const struct dwqi_world *world, bool inner)
{
    (void)world;
    (void)inner;
    return NULL;
}

dwq_status_t dwqi_world_renew_self(struct dwqi_world *world, bool inner)
{
    (void)world;
    (void)inner;
    return DWQ_OK;
}

void dwqi_world_set_idle_wait(struct dwqi_world *world, double idle_wait)
{
    (void)world;
    (void)idle_wait;
}

dwq_status_t dwqi_world_connect_bells(struct dwqi_world *world)
{
    (void)world;
    return DWQ_OK;
}

bool dwqi_world_spans_hosts(const struct dwqi_world *world)
{
    (void)world;
    return false;
}

bool dwqi_world_is_job(const struct dwqi_world *world)
{
    (void)world;
    return false; /* there is no launcher */
}

void dwqi_world_tell_deaths(struct dwqi_world *world,
                            struct dwqi_transport *transport,
                            int (*peer_of)(void *arg, int worker), void *arg)
{
    (void)world, (void)transport, (void)peer_of, (void)arg;
}

void dwqi_world_recount(struct dwqi_world *world)
{
    (void)world;
}

void dwqi_world_make_bell(struct dwqi_world *world)
{
    (void)world;
}

dwq_status_t dwqi_world_transport(struct dwqi_world *world,
                                  const struct dwqi_log *log,
                                  struct dwqi_transport **transport_out)
{
    (void)world;
    (void)log;
    *transport_out = NULL; /* nobody to talk to */
    return DWQ_OK;
}
