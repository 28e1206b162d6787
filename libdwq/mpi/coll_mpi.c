/* The non-blocking collectives of MPI. */
#include "libdwq/mpi/coll_mpi.h"

#include <stdlib.h>

#include "libdwq/mpi/sink_mpi.h"

#define MOST ((size_t)1 << 30)

struct coll_mpi {
    struct dwqi_coll base;
    MPI_Comm comm;
    struct dwqi_ringers *ringers; /* borrowed, or NULL */
    const struct dwqi_log *log;
    MPI_Request request;
    MPI_Datatype
        type; /* of what this rank gives or takes, or MPI_DATATYPE_NULL */
    char sink[4096];      /* takes what there is no memory for */
    int *counts, *places; /* [size] */
};

static struct coll_mpi *of(struct dwqi_coll *coll)
{
    return (struct coll_mpi *)(void *)coll;
}

static dwq_status_t check(const struct coll_mpi *c, int code, const char *what)
{
    char text[MPI_MAX_ERROR_STRING];
    int length;

    if (code == MPI_SUCCESS) {
        return DWQ_OK;
    }
    MPI_Error_string(code, text, &length);
    dwqi_log_error(c->log, "%s: %s", what, text);
    return DWQ_E_MPI;
}

/* Data may be on its way to any rank, by way of any other: wake those that sleep.
 * Costs a look at each, and a system call for a sleeper. */
static void ring_all(const struct coll_mpi *c)
{
    for (int r = 0; c->ringers && r < c->base.size; r++) {
        if (r != c->base.rank) {
            dwqi_ringers_ring(c->ringers, r);
        }
    }
}

static dwq_status_t begun(const struct coll_mpi *c, int code, const char *what)
{
    dwq_status_t status = check(c, code, what);

    ring_all(c);
    return status;
}

static dwq_status_t mpi_bcast(struct dwqi_coll *coll, void *data, size_t size)
{
    struct coll_mpi *c = of(coll);

    return begun(c,
                 MPI_Ibcast(data, (int)size, MPI_BYTE, 0, c->comm, &c->request),
                 "MPI_Ibcast");
}

static void set_counts(struct coll_mpi *c, const size_t *at,
                       const size_t *sizes)
{
    for (int r = 0; at && r < c->base.size; r++) {
        c->counts[r] = (int)sizes[r];
        c->places[r] = (int)at[r];
    }
}

static dwq_status_t mpi_scatterv(struct dwqi_coll *coll, const void *all,
                                 const size_t *at, const size_t *sizes,
                                 void *mine, size_t size)
{
    struct coll_mpi *c = of(coll);
    bool root = coll->rank == 0, lost = !root && !mine && size > 0;
    dwq_status_t status = DWQ_OK;

    set_counts(c, at, sizes);
    if (lost) {
        status = check(c, dwqi_mpi_sink(size, 0, sizeof c->sink, &c->type),
                       "MPI_Type_create_struct");
    }
    if (status != DWQ_OK) {
        return status;
    }
    return begun(c,
                 MPI_Iscatterv(all, c->counts, c->places, MPI_BYTE,
                               root   ? MPI_IN_PLACE
                               : lost ? c->sink
                                      : mine,
                               lost ? 1 : (int)size, lost ? c->type : MPI_BYTE,
                               0, c->comm, &c->request),
                 "MPI_Iscatterv");
}

static dwq_status_t mpi_gather(struct dwqi_coll *coll, const void *mine,
                               size_t size, void *all)
{
    struct coll_mpi *c = of(coll);

    return begun(c,
                 MPI_Igather(mine, (int)size, MPI_BYTE, all, (int)size,
                             MPI_BYTE, 0, c->comm, &c->request),
                 "MPI_Igather");
}

/* The parts where they are, with what pads them to multiples of 64 bytes. */
static dwq_status_t make_type(struct coll_mpi *c,
                              const struct dwqi_extent *parts, size_t n)
{
    static const char zeros[DWQI_ALIGN];
    int *lengths = malloc(2 * n * sizeof *lengths);
    MPI_Aint *places = malloc(2 * n * sizeof *places);
    dwq_status_t status = DWQ_E_NOMEM;

    if (lengths && places) {
        for (size_t i = 0; i < n; i++) {
            lengths[2 * i] = (int)parts[i].size;
            MPI_Get_address(parts[i].data, &places[2 * i]);
            lengths[2 * i + 1] =
                (int)(dwqi_align(parts[i].size) - parts[i].size);
            MPI_Get_address(zeros, &places[2 * i + 1]);
        }
        status = check(c,
                       MPI_Type_create_hindexed((int)(2 * n), lengths, places,
                                                MPI_BYTE, &c->type),
                       "MPI_Type_create_hindexed");
    }
    if (status == DWQ_OK) {
        status = check(c, MPI_Type_commit(&c->type), "MPI_Type_commit");
    }
    free(lengths);
    free(places);
    return status;
}

static dwq_status_t mpi_gatherv(struct dwqi_coll *coll,
                                const struct dwqi_extent *parts, size_t n_parts,
                                void *all, const size_t *at,
                                const size_t *sizes)
{
    struct coll_mpi *c = of(coll);
    dwq_status_t status = DWQ_OK;

    set_counts(c, at, sizes);
    if (n_parts > 0) {
        status = make_type(c, parts, n_parts);
    }
    if (status != DWQ_OK) {
        return status;
    }
    return begun(c,
                 MPI_Igatherv(MPI_BOTTOM, n_parts > 0,
                              n_parts > 0 ? c->type : MPI_BYTE, all, c->counts,
                              c->places, MPI_BYTE, 0, c->comm, &c->request),
                 "MPI_Igatherv");
}

static dwq_status_t mpi_test(struct dwqi_coll *coll)
{
    struct coll_mpi *c = of(coll);
    int done = 0;
    dwq_status_t status =
        check(c, MPI_Test(&c->request, &done, MPI_STATUS_IGNORE),
              "a collective of the group");

    if (status != DWQ_OK || !done) {
        return status == DWQ_OK ? DWQ_E_AGAIN : status;
    }
    if (c->type != MPI_DATATYPE_NULL) {
        MPI_Type_free(&c->type);
    }
    ring_all(c); /* what this rank passed on */
    return DWQ_OK;
}

static void mpi_close(struct dwqi_coll *coll)
{
    struct coll_mpi *c = of(coll);

    free(c->counts);
    free(c->places);
    free(c);
}

static const struct dwqi_coll_ops mpi_ops = {
    .bcast = mpi_bcast,
    .scatterv = mpi_scatterv,
    .gather = mpi_gather,
    .gatherv = mpi_gatherv,
    .test = mpi_test,
    .close = mpi_close,
};

dwq_status_t dwqi_coll_mpi_create(MPI_Comm comm, struct dwqi_ringers *ringers,
                                  const struct dwqi_log *log,
                                  struct dwqi_coll **coll_out)
{
    struct coll_mpi *c = calloc(1, sizeof *c);

    if (!c) {
        return DWQ_E_NOMEM;
    }
    c->base.ops = &mpi_ops;
    c->base.max = MOST;
    c->base.gatherv_max = MOST;
    c->comm = comm;
    c->log = log;
    c->ringers = ringers;
    c->request = MPI_REQUEST_NULL;
    c->type = MPI_DATATYPE_NULL;
    MPI_Comm_rank(comm, &c->base.rank);
    MPI_Comm_size(comm, &c->base.size);
    c->counts = calloc((size_t)c->base.size, sizeof *c->counts);
    c->places = calloc((size_t)c->base.size, sizeof *c->places);
    if (!c->counts || !c->places) {
        mpi_close(&c->base);
        return DWQ_E_NOMEM;
    }
    *coll_out = &c->base;
    return DWQ_OK;
}
