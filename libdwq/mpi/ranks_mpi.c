/* Collectives are the non-blocking ones, polled with our own backoff: MPI's blocking ones
 * spin, which costs milliseconds per hop where ranks share cores. A rank that has no memory
 * for what it would hear says so first, and then nobody tells anything: it comes to every
 * collective all the same. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "libdwq/mpi/ranks_private.h"
#include "libdwq/mpi/world_private.h"
#include "libdwq/process/lines.h"

void dwqi_ranks_take(struct dwqi_ranks *ranks, MPI_Comm comm)
{
    ranks->comm = comm;
    MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    MPI_Comm_rank(comm, &ranks->rank);
    MPI_Comm_size(comm, &ranks->size);
}

void dwqi_ranks_finish(struct dwqi_ranks *ranks)
{
    dwqi_ringers_destroy(ranks->ringers);
    ranks->ringers = NULL;
    if (ranks->comm != MPI_COMM_NULL) {
        MPI_Comm_free(&ranks->comm);
    }
}

int dwqi_ranks_rank(const struct dwqi_ranks *ranks)
{
    return ranks->rank;
}

int dwqi_ranks_size(const struct dwqi_ranks *ranks)
{
    return ranks->size;
}

/* All ranks of the job. */
static bool are_of_job(const struct dwqi_ranks *ranks)
{
    return ranks == &ranks->world->ranks && ranks->world->is_job;
}

/* What began with this code. What the dead do not come to is under way for ever. */
static dwq_status_t finish_until(struct dwqi_ranks *ranks, int code,
                                 MPI_Request *request, double until)
{
    dwq_status_t status =
        code == MPI_SUCCESS
            ? dwqi_world_finish_until(ranks->world, are_of_job(ranks), request,
                                      until)
            : DWQ_E_MPI;

    if (status == DWQ_E_WORKER) {
        ranks->comm = MPI_COMM_NULL; /* it is not freed */
    }
    return status;
}

static dwq_status_t finish(struct dwqi_ranks *ranks, int code,
                           MPI_Request *request)
{
    return finish_until(ranks, code, request, INFINITY);
}

dwq_status_t dwqi_ranks_min(struct dwqi_ranks *ranks, int value, int *min_out)
{
    MPI_Request request;
    int min = value;
    int code = MPI_Iallreduce(&value, &min, 1, MPI_INT, MPI_MIN, ranks->comm,
                              &request);
    dwq_status_t status = finish(ranks, code, &request);

    if (status == DWQ_OK) {
        *min_out = min;
    }
    return status;
}

dwq_status_t dwqi_ranks_bcast(struct dwqi_ranks *ranks, int root, void *data,
                              size_t size)
{
    MPI_Request request;
    int code;

    if (size > INT_MAX) {
        return DWQ_E_ARG;
    }
    code = MPI_Ibcast(data, (int)size, MPI_BYTE, root, ranks->comm, &request);
    return finish(ranks, code, &request);
}

dwq_status_t dwqi_ranks_barrier(struct dwqi_ranks *ranks, double until)
{
    MPI_Request request;

    if (are_of_job(ranks) && dwqi_lines_know_deaths(dwqi_process_lines())) {
        return DWQ_E_WORKER;
    }
    return finish_until(ranks, MPI_Ibarrier(ranks->comm, &request), &request,
                        until);
}

dwq_status_t dwqi_ranks_meet(struct dwqi_ranks *ranks)
{
    return dwqi_ranks_barrier(ranks, INFINITY);
}

/* All meet first: MPI_Comm_split spins. */
dwq_status_t dwqi_ranks_split(struct dwqi_ranks *ranks, int color, int key,
                              MPI_Comm *part_out)
{
    dwq_status_t status = dwqi_ranks_meet(ranks);

    if (status == DWQ_OK &&
        MPI_Comm_split(ranks->comm, color, key, part_out) != MPI_SUCCESS) {
        status = DWQ_E_MPI;
    }
    return status;
}

dwq_status_t dwqi_ranks_all_have(struct dwqi_ranks *ranks, bool has,
                                 const struct dwqi_log *log)
{
    int all = has;
    dwq_status_t status = dwqi_ranks_min(ranks, has, &all);

    if (!has && log) {
        dwqi_log_error(log, "%s", dwq_status_text(DWQ_E_NOMEM));
    }
    return status == DWQ_OK && !all ? DWQ_E_NOMEM : status;
}

dwq_status_t dwqi_ranks_gather(struct dwqi_ranks *ranks, const void *mine,
                               size_t size, const struct dwqi_log *log,
                               void *all_out)
{
    void *all = calloc((size_t)ranks->size, size);
    dwq_status_t status = dwqi_ranks_all_have(ranks, all != NULL, log);
    MPI_Request request;
    int code;

    if (status == DWQ_OK) {
        code = MPI_Iallgather(mine, (int)size, MPI_BYTE, all, (int)size,
                              MPI_BYTE, ranks->comm, &request);
        status = finish(ranks, code, &request);
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

static dwq_status_t gather_bytes(struct dwqi_ranks *ranks, const void *mine,
                                 const int *n, const struct dwqi_log *log,
                                 struct dwqi_gathered *got)
{
    MPI_Request request;
    dwq_status_t status, asked;
    int code;
    bool has;

    got->first = calloc((size_t)ranks->size + 1, sizeof *got->first);
    status = got->first ? add_up(n, ranks->size, got->first) : DWQ_E_NOMEM;
    if (status == DWQ_OK) {
        got->data = malloc((size_t)got->first[ranks->size] + 1);
    }
    has = got->data || status == DWQ_E_ARG;
    asked = dwqi_ranks_all_have(ranks, has, log);
    if (asked != DWQ_OK || status != DWQ_OK) {
        return asked != DWQ_OK ? asked : status;
    }
    code = MPI_Iallgatherv(mine, n[ranks->rank], MPI_BYTE, got->data, n,
                           got->first, MPI_BYTE, ranks->comm, &request);
    return finish(ranks, code, &request);
}

dwq_status_t dwqi_ranks_gather_all(struct dwqi_ranks *ranks, const void *mine,
                                   size_t size, const struct dwqi_log *log,
                                   struct dwqi_gathered *out)
{
    struct dwqi_gathered got = { .data = NULL };
    int mine_n = size < INT_MAX ? (int)size : INT_MAX, *n = NULL;
    dwq_status_t status =
        dwqi_ranks_gather(ranks, &mine_n, sizeof mine_n, log, &n);

    if (status == DWQ_OK) {
        status = gather_bytes(ranks, mine, n, log, &got);
    }
    free(n);
    if (status != DWQ_OK) {
        dwqi_gathered_finish(&got);
        return status;
    }
    *out = got;
    return DWQ_OK;
}
