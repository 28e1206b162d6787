/* The ranks of a build without MPI: this process. */
#include <limits.h>
#include <string.h>

#include "libdwq/mpi/ranks.h"

int dwqi_ranks_rank(const struct dwqi_ranks *ranks)
{
    (void)ranks;
    return 0;
}

int dwqi_ranks_size(const struct dwqi_ranks *ranks)
{
    (void)ranks;
    return 1;
}

dwq_status_t dwqi_ranks_min(struct dwqi_ranks *ranks, int value, int *min_out)
{
    (void)ranks;
    *min_out = value;
    return DWQ_OK;
}

dwq_status_t dwqi_ranks_bcast(struct dwqi_ranks *ranks, int root, void *data,
                              size_t size)
{
    (void)ranks, (void)root, (void)data, (void)size;
    return DWQ_OK;
}

dwq_status_t dwqi_ranks_barrier(struct dwqi_ranks *ranks, double until)
{
    (void)ranks, (void)until;
    return DWQ_OK;
}

dwq_status_t dwqi_ranks_gather_all(struct dwqi_ranks *ranks, const void *mine,
                                   size_t size, const struct dwqi_log *log,
                                   struct dwqi_gathered *out)
{
    struct dwqi_gathered got = { .data = malloc(size + 1),
                                 .first = calloc(2, sizeof *got.first) };

    (void)ranks;
    if (!got.data || !got.first || size > INT_MAX) {
        dwqi_log_error(log, "%s", dwq_status_text(DWQ_E_NOMEM));
        dwqi_gathered_finish(&got);
        return DWQ_E_NOMEM;
    }
    memcpy(got.data, mine, size);
    got.first[1] = (int)size;
    *out = got;
    return DWQ_OK;
}
