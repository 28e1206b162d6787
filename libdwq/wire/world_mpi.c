/* The ranks of one run over MPI. Collectives are the non-blocking ones, polled
 * with our own backoff: MPI's blocking ones spin, which costs milliseconds per
 * hop where ranks share cores. */
#include "libdwq/wire/world.h"

#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libdwq/base/clock.h"
#include "libdwq/wire/backoff.h"
#include "libdwq/wire/doorbell_mpi.h"
#include "libdwq/wire/transport_mpi.h"

struct dwqi_world {
    MPI_Comm comm; /* private */
    MPI_Comm self; /* private, for calls of this rank alone */
    int rank;
    int size;
    bool crowded; /* more ranks than cores on this host */
    double idle_wait;
    struct dwqi_bell *bell; /* or NULL */
    struct dwqi_ringers *ringers;
};

/* Whether this process's MPI was started here, and whether a run goes on. MPI is
 * one per process, so this is process state; MPI keeps it for us as the name of
 * MPI_COMM_SELF. */
#define STARTED_NAME "MPI_COMM_SELF of libdwq"
#define RUNNING_NAME "MPI_COMM_SELF of libdwq, in a run"

static dwq_status_t status_of(int mpi_code)
{
    return mpi_code == MPI_SUCCESS ? DWQ_OK : DWQ_E_MPI;
}

static bool self_is_named(const char *wanted)
{
    char name[MPI_MAX_OBJECT_NAME];
    int length;

    MPI_Comm_get_name(MPI_COMM_SELF, name, &length);
    return strcmp(name, wanted) == 0;
}

static bool mpi_is_up(void)
{
    int initialized, finalized;

    MPI_Initialized(&initialized);
    MPI_Finalized(&finalized);
    return initialized && !finalized;
}

/* A process that exits in the middle of a run would wait for the others in
 * MPI_Finalize, and they for it. */
static void at_exit(void)
{
    if (mpi_is_up() && self_is_named(RUNNING_NAME)) {
        int rank;

        MPI_Comm_rank(MPI_COMM_WORLD, &rank);
        fprintf(stderr,
                "libdwq: rank %d: error: exit() in the middle of a run: all "
                "ranks end now\n",
                rank);
        fflush(NULL);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    dwqi_mpi_finish();
}

dwq_status_t dwqi_mpi_start(int thread_level)
{
    int initialized, finalized, provided;

    MPI_Finalized(&finalized);
    if (finalized) {
        return DWQ_E_STATE;
    }
    MPI_Initialized(&initialized);
    if (!initialized) {
        int wanted = thread_level == 0 ? MPI_THREAD_FUNNELED : thread_level;

        if (MPI_Init_thread(NULL, NULL, wanted, &provided) != MPI_SUCCESS) {
            return DWQ_E_MPI;
        }
        MPI_Comm_set_name(MPI_COMM_SELF, STARTED_NAME);
        atexit(at_exit);
    }
    return DWQ_OK;
}

int dwqi_mpi_thread_level(void)
{
    int level = 0;

    MPI_Query_thread(&level);
    return level;
}

void dwqi_mpi_finish(void)
{
    if (mpi_is_up() && self_is_named(STARTED_NAME)) {
        MPI_Finalize();
    }
}

dwq_status_t dwqi_mpi_place(int *rank_out, int *size_out)
{
    int rank, size;

    if (MPI_Comm_rank(MPI_COMM_WORLD, &rank) != MPI_SUCCESS ||
        MPI_Comm_size(MPI_COMM_WORLD, &size) != MPI_SUCCESS) {
        return DWQ_E_MPI;
    }
    *rank_out = rank;
    *size_out = size;
    return DWQ_OK;
}

/* Poll a request of a collective until it is done. */
static dwq_status_t finish_request(const struct dwqi_world *world,
                                   MPI_Request *request)
{
    struct dwqi_backoff backoff;
    int done = 0;

    dwqi_backoff_init(&backoff, world->idle_wait, world->crowded);
    for (;;) {
        if (MPI_Test(request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) {
            return DWQ_E_MPI;
        }
        if (done) {
            return DWQ_OK;
        }
        dwqi_backoff_pause(&backoff, INFINITY, true);
    }
}

/* The launcher tells how many ranks share this host; else assume all do. */
static bool is_crowded(int size)
{
    const char *text = getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
    long local = text ? strtol(text, NULL, 10) : 0;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (local <= 0) {
        local = size;
    }
    return local > cores;
}

static dwq_status_t duplicate(const struct dwqi_world *world, MPI_Comm comm,
                              MPI_Comm *copy_out)
{
    MPI_Request request;

    if (MPI_Comm_idup(comm, copy_out, &request) != MPI_SUCCESS) {
        return DWQ_E_MPI;
    }
    return finish_request(world, &request);
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
    MPI_Comm_rank(parent, &world->rank);
    MPI_Comm_size(parent, &world->size);
    world->crowded = is_crowded(world->size);
    status = duplicate(world, parent, &world->comm);
    if (status != DWQ_OK) {
        goto free_world;
    }
    MPI_Comm_set_errhandler(world->comm, MPI_ERRORS_RETURN);
    status = status_of(MPI_Comm_dup(MPI_COMM_SELF, &world->self));
    if (status != DWQ_OK) {
        goto free_comm;
    }
    if (self_is_named(STARTED_NAME)) {
        MPI_Comm_set_name(MPI_COMM_SELF, RUNNING_NAME);
    }
    *world_out = world;
    return DWQ_OK;

free_comm:
    MPI_Comm_free(&world->comm);
free_world:
    free(world);
    return status;
}

void dwqi_world_close(struct dwqi_world *world)
{
    if (world) {
        if (self_is_named(RUNNING_NAME)) {
            MPI_Comm_set_name(MPI_COMM_SELF, STARTED_NAME);
        }
        dwqi_ringers_destroy(world->ringers);
        dwqi_bell_destroy(world->bell);
        MPI_Comm_free(&world->self);
        MPI_Comm_free(&world->comm);
        free(world);
    }
}

int dwqi_world_rank(const struct dwqi_world *world)
{
    return world->rank;
}

int dwqi_world_size(const struct dwqi_world *world)
{
    return world->size;
}

const void *dwqi_world_self(const struct dwqi_world *world)
{
    return &world->self;
}

void dwqi_world_set_idle_wait(struct dwqi_world *world, double idle_wait)
{
    world->idle_wait = idle_wait;
}

dwq_status_t dwqi_world_min(struct dwqi_world *world, int value, int *min_out)
{
    MPI_Request request;
    int min = value;
    dwq_status_t status = status_of(MPI_Iallreduce(
        &value, &min, 1, MPI_INT, MPI_MIN, world->comm, &request));

    if (status == DWQ_OK) {
        status = finish_request(world, &request);
    }
    if (status == DWQ_OK) {
        *min_out = min;
    }
    return status;
}

dwq_status_t dwqi_world_bcast(struct dwqi_world *world, int root, void *data,
                              size_t size)
{
    MPI_Request request;
    dwq_status_t status;

    if (size > INT_MAX) {
        return DWQ_E_ARG;
    }
    status = status_of(
        MPI_Ibcast(data, (int)size, MPI_BYTE, root, world->comm, &request));
    return status == DWQ_OK ? finish_request(world, &request) : status;
}

dwq_status_t dwqi_world_barrier(struct dwqi_world *world)
{
    MPI_Request request;
    dwq_status_t status = status_of(MPI_Ibarrier(world->comm, &request));

    return status == DWQ_OK ? finish_request(world, &request) : status;
}

dwq_status_t dwqi_world_transport(struct dwqi_world *world,
                                  const struct dwqi_log *log,
                                  struct dwqi_transport **transport_out)
{
    struct dwqi_backoff backoff;
    dwq_status_t status;

    dwqi_backoff_init(&backoff, world->idle_wait, world->crowded);
    if (world->idle_wait > 0) {
        world->bell = dwqi_bell_create();
    }
    status = dwqi_ringers_connect(world->comm, world->bell, &backoff,
                                  &world->ringers);
    if (status != DWQ_OK) {
        return status;
    }
    dwqi_backoff_set_bell(
        &backoff, world->bell,
        dwqi_ringers_reach_all(world->ringers) ? DWQI_BELL_WAIT : 0);
    status =
        dwqi_transport_mpi_create(world->comm, &backoff, log, transport_out);
    if (status == DWQ_OK) {
        dwqi_transport_mpi_set_ringers(*transport_out, world->ringers);
    }
    return status;
}

void dwqi_world_abort(struct dwqi_world *world, int code)
{
    MPI_Abort(world->comm, code);
    abort(); /* MPI_Abort does not return */
}
