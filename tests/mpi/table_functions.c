#include "tests/mpi/table_functions.h"

uint64_t table_checksum(const uint8_t *data, size_t n)
{
    uint64_t sum = n;

    for (size_t i = 0; i < n; i++) {
        sum = sum * 31 + data[i];
    }
    return sum >> 1;
}

void table_fill(uint8_t *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        data[i] = (uint8_t)(i * 7 + i / 251);
    }
}

static int ranks(dwq_call_t *call, void *arg)
{
    int x = 0;

    (void)arg;
    if (!dwq_arg(call, 0, &x)) {
        return dwq_call_fail(call, 1, "ranks(x)");
    }
    return dwq_call_return(
        call, DWQ_VALUES(x + dwq_call_rank(call), dwq_call_size(call)));
}

static int silent(dwq_call_t *call, void *arg)
{
    (void)arg;
    return dwq_call_rank(call) % 2
               ? 0
               : dwq_call_return(call, DWQ_VALUES(dwq_call_rank(call)));
}

static int all_fail(dwq_call_t *call, void *arg)
{
    (void)arg;
    return dwq_call_fail(call, 40 + dwq_call_rank(call), "rank %d of %d fails",
                         dwq_call_rank(call), dwq_call_size(call));
}

static int one_fails(dwq_call_t *call, void *arg)
{
    int rank = -1;

    (void)arg;
    dwq_arg(call, 0, &rank);
    if (dwq_call_rank(call) == rank) {
        return 7; /* says nothing */
    }
    return dwq_call_return(call, DWQ_VALUES(dwq_call_rank(call)));
}

static int rows(dwq_call_t *call, void *arg)
{
    dwq_array_t array;
    const int64_t *data;
    int64_t first = -1;

    (void)arg;
    if (!dwq_arg(call, 0, &array) || array.type != DWQ_INT64 ||
        array.ndim != 2 || array.shape[1] != 3) {
        return dwq_call_fail(call, 2, "rows(int64 array of n x 3)");
    }
    data = array.data;
    if ((uintptr_t)data % 64 != 0) {
        return dwq_call_fail(call, 3, "the rows are not aligned");
    }
    for (size_t i = 0; i < 3 * array.shape[0]; i++) {
        if (data[i] != data[0] + (int64_t)i) {
            return dwq_call_fail(call, 4, "element %zu is wrong", i);
        }
    }
    if (array.shape[0] > 0) {
        first = data[0] / 3;
    }
    return dwq_call_return(call, DWQ_VALUES(first, (uint64_t)array.shape[0]));
}

static int reversed(dwq_call_t *call, void *arg)
{
    dwq_array_t in, out;
    const uint8_t *from;
    uint8_t *to;
    size_t n;

    (void)arg;
    if (!dwq_arg(call, 0, &in) || in.type != DWQ_UINT8 || in.ndim != 1) {
        return dwq_call_fail(call, 2, "reversed(array of uint8)");
    }
    n = in.shape[0];
    out = dwq_call_alloc(call, DWQ_UINT8, 1, &n);
    if (!out.data) {
        return dwq_call_fail(call, 3, "no memory");
    }
    from = in.data;
    to = out.data;
    for (size_t i = 0; i < n; i++) {
        to[i] = from[n - 1 - i];
    }
    return dwq_call_return(call, DWQ_VALUES(table_checksum(in.data, n), out));
}

/* Three agreements; the second one is as `mode` says. */
static int agree(dwq_call_t *call, void *arg)
{
    int mode = 0, rank = -1;
    bool here, answers[3];

    (void)arg;
    dwq_arg(call, 0, &mode);
    dwq_arg(call, 1, &rank);
    here = dwq_call_rank(call) == rank;
    answers[0] = dwq_call_agree(call, true);
    if (mode == ONE_LEAVES && here) {
        return dwq_call_return(call, DWQ_VALUES(answers[0]));
    }
    answers[1] = dwq_call_agree(call, mode != ONE_SAYS_NO || !here);
    answers[2] = dwq_call_agree(call, true);
    return dwq_call_return(call,
                           DWQ_VALUES(answers[0], answers[1], answers[2]));
}

static int collectives(dwq_call_t *call, void *arg)
{
    MPI_Comm comm = dwq_call_comm(call);
    int rank, size, sum = 0, root = -1, n = dwq_call_size(call);
    int got[16] = { 0 }, ok;

    (void)arg;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    ok = rank == dwq_call_rank(call) && size == n && n <= 16;
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, comm);
    root = rank == size - 1 ? 77 : 0;
    MPI_Bcast(&root, 1, MPI_INT, size - 1, comm);
    MPI_Allgather(&rank, 1, MPI_INT, got, 1, MPI_INT, comm);
    for (int i = 0; i < size; i++) {
        ok = ok && got[i] == i;
    }
    MPI_Barrier(comm);
    return dwq_call_return(
        call, DWQ_VALUES((bool)(ok && root == 77 && sum == n * (n - 1) / 2)));
}

static int slow(dwq_call_t *call, void *arg)
{
    double start = MPI_Wtime();
    int rank = -1;

    (void)arg;
    dwq_arg(call, 0, &rank);
    if (dwq_call_rank(call) == rank) {
        sleep_seconds(0.1);
    }
    return dwq_call_return(call, DWQ_VALUES(MPI_Wtime() - start));
}

const dwq_function_t table_functions[] = {
    { "ranks", ranks, NULL },       { "silent", silent, NULL },
    { "all_fail", all_fail, NULL }, { "one_fails", one_fails, NULL },
    { "rows", rows, NULL },         { "reversed", reversed, NULL },
    { "agree", agree, NULL },       { "collectives", collectives, NULL },
    { "slow", slow, NULL },         { NULL, NULL, NULL },
};
