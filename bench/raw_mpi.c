/* The floor: what the questions do, in bare MPI and as little else as works.
 * Rank 0 gives, the others serve until they get a negative number. Prints
 * "NAME VALUE" lines; dwq-bench starts it.
 *
 *     raw_mpi throughput CALLS BATCH    calls/s, BATCH calls to a message
 *     raw_mpi roundtrip CALLS N         p50 and p99 in seconds, rank 0 and ranks 1 to
 *                                       N in turn (1: always the same)
 *     raw_mpi quiet CALLS SECONDS       the same, a pause before each
 *     raw_mpi group CALLS SECONDS GATHER SPAWN
 *                                       the same, by rank 1 and its group: ranks 1..
 *                                       get a call by scatter and gather, or (GATHER
 *                                       0) by messages; rank 1 spawns SPAWN of them
 *     raw_mpi payload BYTES CALLS       bytes/s, there and back
 *     raw_mpi bounds KIND RANKS         seconds of start and end, twice: a duplicate
 *                                       and a barrier (KIND none), and groups of RANKS
 *                                       that are split, or spawned by one rank of each
 */
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH_MAX 1024
#define CHUNK ((size_t)1 << 30)

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Sorts. */
static void print_percentiles(double *seconds, int n)
{
    qsort(seconds, (size_t)n, sizeof *seconds, compare);
    printf("p50 %.9g\np99 %.9g\n", seconds[n / 2],
           seconds[(size_t)n * 99 / 100]);
}

/* --- Small calls -------------------------------------------------------- */

static void serve(void)
{
    int64_t calls[BATCH_MAX];
    MPI_Status status;
    int n;

    for (;;) {
        MPI_Recv(calls, BATCH_MAX, MPI_INT64_T, 0, 1, MPI_COMM_WORLD, &status);
        MPI_Get_count(&status, MPI_INT64_T, &n);
        if (calls[0] < 0) {
            return;
        }
        MPI_Send(calls, n, MPI_INT64_T, 0, 2, MPI_COMM_WORLD);
    }
}

static void stop_all(int size)
{
    int64_t stop = -1;

    for (int r = 1; r < size; r++) {
        MPI_Send(&stop, 1, MPI_INT64_T, r, 1, MPI_COMM_WORLD);
    }
}

/* Each worker has one message in flight. */
static void give_all(int size, int64_t n_calls, int batch)
{
    int64_t calls[BATCH_MAX], sent = 0, done = 0;
    MPI_Status status;
    int n;

    memset(calls, 0, sizeof calls);
    for (int r = 1; r < size && sent < n_calls; r++) {
        MPI_Send(calls, batch, MPI_INT64_T, r, 1, MPI_COMM_WORLD);
        sent += batch;
    }
    while (done < sent) {
        MPI_Recv(calls, BATCH_MAX, MPI_INT64_T, MPI_ANY_SOURCE, 2,
                 MPI_COMM_WORLD, &status);
        MPI_Get_count(&status, MPI_INT64_T, &n);
        done += n;
        if (sent < n_calls) {
            MPI_Send(calls, batch, MPI_INT64_T, status.MPI_SOURCE, 1,
                     MPI_COMM_WORLD);
            sent += batch;
        }
    }
}

static void throughput(int rank, int size, int64_t n_calls, int batch)
{
    double start;

    if (rank > 0) {
        serve();
        return;
    }
    give_all(size, n_calls / 10 + 1, batch);
    start = MPI_Wtime();
    give_all(size, n_calls, batch);
    printf("calls_per_s %.9g\n", (double)n_calls / (MPI_Wtime() - start));
    stop_all(size);
}

static void pause_for(double seconds)
{
    struct timespec pause = { .tv_sec = (time_t)seconds };

    pause.tv_nsec = (long)((seconds - (double)pause.tv_sec) * 1e9);
    nanosleep(&pause, NULL);
}

/* What rank 1 does with a call when it has a group: the others get it and answer. */
static void share_by_messages(MPI_Comm group, int64_t *call)
{
    int rank, size;

    MPI_Comm_rank(group, &rank);
    MPI_Comm_size(group, &size);
    if (rank > 0) {
        MPI_Recv(call, 1, MPI_INT64_T, 0, 1, group, MPI_STATUS_IGNORE);
        MPI_Send(call, 1, MPI_INT64_T, 0, 2, group);
        return;
    }
    for (int r = 1; r < size; r++) {
        MPI_Send(call, 1, MPI_INT64_T, r, 1, group);
    }
    for (int r = 1; r < size; r++) {
        int64_t answer;

        MPI_Recv(&answer, 1, MPI_INT64_T, r, 2, group, MPI_STATUS_IGNORE);
    }
}

static void share_by_collectives(MPI_Comm group, int64_t *call)
{
    int64_t calls[BATCH_MAX], answers[BATCH_MAX], mine = *call;
    int size;

    MPI_Comm_size(group, &size);
    for (int r = 0; r < size && r < BATCH_MAX; r++) {
        calls[r] = *call;
    }
    MPI_Scatter(calls, 1, MPI_INT64_T, &mine, 1, MPI_INT64_T, 0, group);
    MPI_Gather(&mine, 1, MPI_INT64_T, answers, 1, MPI_INT64_T, 0, group);
    *call = mine;
}

/* The broker, rank 0 of the group, is rank 1 of the job. */
static void serve_group(MPI_Comm group, int is_broker, int by_collectives)
{
    int64_t call = 0;

    while (call >= 0) {
        if (is_broker) {
            MPI_Recv(&call, 1, MPI_INT64_T, 0, 1, MPI_COMM_WORLD,
                     MPI_STATUS_IGNORE);
        }
        if (by_collectives) {
            share_by_collectives(group, &call);
        } else {
            share_by_messages(group, &call);
        }
        if (is_broker && call >= 0) {
            MPI_Send(&call, 1, MPI_INT64_T, 0, 2, MPI_COMM_WORLD);
        }
    }
}

static void serve_split(int rank, int by_collectives)
{
    MPI_Comm group;

    MPI_Comm_split(MPI_COMM_WORLD, 1, rank, &group);
    serve_group(group, rank == 1, by_collectives);
    MPI_Comm_free(&group);
}

static void serve_merged(MPI_Comm between, int is_broker, int by_collectives)
{
    MPI_Comm group;

    MPI_Intercomm_merge(between, !is_broker, &group);
    serve_group(group, is_broker, by_collectives);
    MPI_Comm_free(&group);
    MPI_Comm_disconnect(&between);
}

static void serve_spawned(char *program, int n, char *by_collectives)
{
    char *arguments[] = { "group", "0", "0", by_collectives, NULL };
    MPI_Comm between;

    MPI_Comm_spawn(program, arguments, n, MPI_INFO_NULL, 0, MPI_COMM_SELF,
                   &between, MPI_ERRCODES_IGNORE);
    serve_merged(between, 1, atoi(by_collectives));
}

/* Ranks 1 to n_peers answer, in turn. */
static void time_calls(int n, double pause, int n_peers)
{
    double *seconds = malloc((size_t)n * sizeof *seconds);
    int64_t call = 0;
    int peer = 1;

    for (int i = -n / 10 - N_WARM; i < n; i++) {
        double start;

        if (pause > 0 && i >= 0) {
            pause_for(pause);
        }
        start = MPI_Wtime();
        MPI_Send(&call, 1, MPI_INT64_T, peer, 1, MPI_COMM_WORLD);
        MPI_Recv(&call, 1, MPI_INT64_T, peer, 2, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
        if (i >= 0) {
            seconds[i] = MPI_Wtime() - start;
        }
        peer = peer < n_peers ? peer + 1 : 1;
    }
    print_percentiles(seconds, n);
    free(seconds);
}

static void roundtrip(int rank, int size, int n, double pause, int n_peers)
{
    if (rank > 0) {
        serve();
    } else {
        time_calls(n, pause, n_peers < size ? n_peers : size - 1);
        stop_all(size);
    }
}

static void group_roundtrip(int argc, char **argv, int rank)
{
    char *gather = argc > 4 ? argv[4] : "0";
    int n_spawned = argc > 5 ? atoi(argv[5]) : 0;
    MPI_Comm none, parent;

    MPI_Comm_get_parent(&parent);
    if (parent != MPI_COMM_NULL) {
        serve_merged(parent, 0, atoi(gather));
    } else if (rank == 1 && n_spawned > 0) {
        serve_spawned(argv[0], n_spawned, gather);
    } else if (rank > 0) {
        serve_split(rank, atoi(gather));
    } else {
        if (n_spawned == 0) {
            MPI_Comm_split(MPI_COMM_WORLD, MPI_UNDEFINED, 0, &none);
        }
        time_calls(atoi(argv[2]), argc > 3 ? atof(argv[3]) : 0, 1);
        stop_all(2); /* rank 1 passes it on */
    }
}

/* --- Large messages ------------------------------------------------------ */

static void move(char *data, size_t size, int peer, int send)
{
    for (size_t at = 0; at < size; at += CHUNK) {
        int n = (int)(size - at < CHUNK ? size - at : CHUNK);

        if (send) {
            MPI_Send(data + at, n, MPI_BYTE, peer, 3, MPI_COMM_WORLD);
        } else {
            MPI_Recv(data + at, n, MPI_BYTE, peer, 3, MPI_COMM_WORLD,
                     MPI_STATUS_IGNORE);
        }
    }
}

static void payload(int rank, size_t size, int n)
{
    char *data = calloc(1, size);
    double start = 0;

    for (int i = -n / 4 - 1; i < n && rank < 2; i++) {
        start = i == 0 ? MPI_Wtime() : start;
        move(data, size, 1 - rank, rank == 0);
        move(data, size, 1 - rank, rank == 1);
    }
    if (rank == 0) {
        printf("bytes_per_s %.9g\n",
               2.0 * (double)size * n / (MPI_Wtime() - start));
    }
    free(data);
}

/* --- Start and end -------------------------------------------------------- */

static int is(const char *argument, const char *name)
{
    return strcmp(argument, name) == 0;
}

/* Spawned, and those that spawned them: up and away again. */
static void meet(MPI_Comm between, int is_broker)
{
    MPI_Comm group;

    MPI_Intercomm_merge(between, !is_broker, &group);
    MPI_Barrier(group);
    MPI_Comm_free(&group);
    MPI_Comm_disconnect(&between);
}

static void spawn_and_meet(char **argv, int n_ranks)
{
    char *arguments[] = { "bounds", argv[2], argv[3], NULL };
    MPI_Comm between;

    MPI_Comm_spawn(argv[0], arguments, n_ranks - 1, MPI_INFO_NULL, 0,
                   MPI_COMM_SELF, &between, MPI_ERRCODES_IGNORE);
    meet(between, 1);
}

static void split_and_part(MPI_Comm all, int rank, int n_ranks)
{
    MPI_Comm group = MPI_COMM_NULL;

    MPI_Comm_split(all, rank > 0 ? (rank - 1) / n_ranks : MPI_UNDEFINED, rank,
                   &group);
    if (group != MPI_COMM_NULL) {
        MPI_Comm_free(&group);
    }
}

static void start_and_end(int rank, char **argv, int n_ranks)
{
    MPI_Comm copy;

    MPI_Comm_dup(MPI_COMM_WORLD, &copy);
    if (is(argv[2], "split")) {
        split_and_part(copy, rank, n_ranks);
    } else if (is(argv[2], "spawn") && rank > 0) {
        spawn_and_meet(argv, n_ranks);
    }
    MPI_Barrier(copy);
    MPI_Comm_free(&copy);
}

/* The first time is not counted. */
static void bounds(int rank, char **argv, int n_ranks)
{
    MPI_Comm parent;
    double start;

    MPI_Comm_get_parent(&parent);
    if (parent != MPI_COMM_NULL) {
        meet(parent, 0);
        return;
    }
    start_and_end(rank, argv, n_ranks);
    start = MPI_Wtime();
    start_and_end(rank, argv, n_ranks);
    if (rank == 0) {
        printf("run_s %.9g\n", MPI_Wtime() - start);
    }
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    double first = argc > 2 ? atof(argv[2]) : 0;
    double second = argc > 3 ? atof(argv[3]) : 0;
    int rank, size;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (is(what, "throughput") && second >= 1 && second <= BATCH_MAX) {
        throughput(rank, size, (int64_t)first, (int)second);
    } else if (is(what, "roundtrip")) {
        roundtrip(rank, size, (int)first, 0, (int)second);
    } else if (is(what, "quiet")) {
        roundtrip(rank, size, (int)first, second, 1);
    } else if (is(what, "group")) {
        group_roundtrip(argc, argv, rank);
    } else if (is(what, "payload")) {
        payload(rank, (size_t)first, (int)second);
    } else if (is(what, "bounds") && argc > 3) {
        bounds(rank, argv, (int)second);
    } else if (rank == 0) {
        fprintf(stderr, "raw_mpi: see the head of raw_mpi.c\n");
    }
    MPI_Finalize();
    return 0;
}
