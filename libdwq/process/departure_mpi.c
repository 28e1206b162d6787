#include "libdwq/process/departure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "libdwq/base/clock.h"
#include "libdwq/base/log.h"
#include "libdwq/process/lines.h"
#include "libdwq/process/mpi_process.h"

#define TAG_LEFT 1
#define LEAVE_MAX 2.     /* seconds that the others have to leave, too */
#define STEP_MAX 2000000 /* nanoseconds */

struct dwqi_departure {
    bool started;  /* MPI, here: all ranks come to the end of the ring */
    MPI_Comm ring; /* of all ranks, in their order; MPI_COMM_NULL: no run yet */
    int left[2];   /* with which code this process exits, or 0; and its runs */
};

/* "rank 0 left (exit code 2) after run 1 and before run 2" */
static void say_who_left(int rank, const int left[2])
{
    char with[32] = "", when[64] = "before its first run";

    if (left[0] != 0) {
        snprintf(with, sizeof with, " (exit code %d)", left[0]);
    }
    if (left[1] > 0) {
        snprintf(when, sizeof when, "after run %d and before run %d", left[1],
                 left[1] + 1);
    }
    dwqi_log_error(&(struct dwqi_log){ .line = NULL },
                   "rank %d left%s %s: all ranks end now", rank, with, when);
}

/* Poll until it is done, or the others had their moment. */
static bool is_done(const struct dwqi_departure *d, MPI_Request *request)
{
    double until = d->left[0] != 0 ? dwqi_clock_now() + LEAVE_MAX : INFINITY;
    struct timespec step = { .tv_nsec = 50 * 1000 };
    int done = 0;

    while (MPI_Test(request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS &&
           !done && dwqi_clock_now() < until &&
           !dwqi_lines_know_deaths(dwqi_process_lines())) {
        nanosleep(&step, NULL);
        step.tv_nsec += step.tv_nsec < STEP_MAX ? step.tv_nsec : 0;
    }
    return done;
}

static bool leave_together(struct dwqi_departure *d, int rank, int size)
{
    MPI_Request request;

    if (d->ring == MPI_COMM_NULL &&
        (MPI_Comm_idup(MPI_COMM_WORLD, &d->ring, &request) != MPI_SUCCESS ||
         !is_done(d, &request))) {
        return false;
    }
    MPI_Isend(d->left, 2, MPI_INT, (rank + 1) % size, TAG_LEFT, d->ring,
              &request);
    MPI_Request_free(&request); /* most never hear it, and need not */
    return MPI_Ibarrier(d->ring, &request) == MPI_SUCCESS &&
           is_done(d, &request);
}

/* All wait here for all, in the place of MPI_Finalize() itself: mpirun may crash when a
 * job is ended that is in there. */
static void wait_for_others(struct dwqi_departure *d)
{
    int rank, size;

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    d->left[1] = dwqi_process_n_runs();
    if (size > 1 && (d->started || d->ring != MPI_COMM_NULL) &&
        !leave_together(d, rank, size)) {
        if (dwqi_lines_know_deaths(dwqi_process_lines())) {
            dwqi_mpi_leave_without(d->left[0]);
        }
        say_who_left(rank, d->left);
        dwqi_mpi_abort(d->left[0] != 0 ? d->left[0] : 1);
    }
}

/* Runs first in MPI_Finalize(), while MPI still works. */
static int on_finalize(MPI_Comm self, int key, void *value, void *unused)
{
    struct dwqi_departure *d = value;

    (void)self;
    (void)key;
    (void)unused;
    if (!dwqi_process_is_ours()) {
        return MPI_SUCCESS;
    }
    if (dwqi_process_say_words("MPI_Finalize()")) {
        dwqi_mpi_abort(1);
    }
    wait_for_others(d);
    dwqi_lines_leave(dwqi_process_lines());
    return MPI_SUCCESS;
}

struct dwqi_departure *dwqi_departure_create(bool started)
{
    struct dwqi_departure *d = calloc(1, sizeof *d);
    int key;

    if (!d) {
        return NULL;
    }
    d->started = started;
    d->ring = MPI_COMM_NULL;
    if (MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, on_finalize, &key,
                               NULL) == MPI_SUCCESS) {
        MPI_Comm_set_attr(MPI_COMM_SELF, key, d);
        MPI_Comm_free_keyval(&key); /* when the attribute has gone */
    }
    return d;
}

MPI_Comm *dwqi_departure_ring(struct dwqi_departure *d)
{
    return &d->ring;
}

void dwqi_departure_look(struct dwqi_departure *d)
{
    int rank, size, found = 0, left[2];

    if (d->ring == MPI_COMM_NULL) {
        return;
    }
    MPI_Comm_rank(d->ring, &rank);
    MPI_Comm_size(d->ring, &size);
    rank = (rank + size - 1) % size;
    if (MPI_Iprobe(rank, TAG_LEFT, d->ring, &found, MPI_STATUS_IGNORE) !=
            MPI_SUCCESS ||
        !found) {
        return;
    }
    MPI_Recv(left, 2, MPI_INT, rank, TAG_LEFT, d->ring, MPI_STATUS_IGNORE);
    say_who_left(rank, left);
    dwqi_mpi_abort(left[0] != 0 ? left[0] : 1);
}

void dwqi_departure_leave(struct dwqi_departure *d, int code)
{
    if (d) {
        d->left[0] = code;
    }
    MPI_Finalize();
}
