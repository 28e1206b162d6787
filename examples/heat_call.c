/* The group's side of the heat example: which rows are this rank's, and the halo
 * exchange with the ranks beside it. Without MPI there is one rank and no halo. */
#include "examples/heat_call.h"
#include "examples/heat_plate.h"

#if WITH_MPI
#include <dwq/mpi.h>
#endif

#if WITH_MPI

/* A row goes to the one side, while the row from the other side comes in. */
static bool shift(MPI_Comm comm, const struct heat_strip *strip, int tag,
                  size_t from, int to_rank, size_t into, int from_rank)
{
    int n = (int)strip->columns + 2;

    return MPI_Sendrecv(heat_strip_row(strip, from), n, MPI_DOUBLE, to_rank,
                        tag, heat_strip_row(strip, into), n, MPI_DOUBLE,
                        from_rank, tag, comm, MPI_STATUS_IGNORE) == MPI_SUCCESS;
}

/* Collective over the ranks that have rows. */
static bool exchange(const dwq_call_t *call, const struct heat_plate *plate,
                     const struct heat_strip *strip)
{
    MPI_Comm comm = dwq_call_comm(call); /* this group's, and nobody else's */
    int rank = dwq_call_rank(call);
    int above = strip->first > 0 ? rank - 1 : MPI_PROC_NULL;
    int below =
        strip->first + strip->rows < plate->rows ? rank + 1 : MPI_PROC_NULL;

    return shift(comm, strip, 0, 1, above, strip->rows + 1, below) &&
           shift(comm, strip, 1, strip->rows, below, 0, above);
}

#else

static bool exchange(const dwq_call_t *call, const struct heat_plate *plate,
                     const struct heat_strip *strip)
{
    (void)call;
    (void)plate;
    (void)strip;
    return true;
}

#endif

/* From time 0 to the end, all ranks in step. */
static bool solve(const dwq_call_t *call, const struct heat_plate *plate,
                  struct heat_strip *strip)
{
    for (double step = heat_steps(plate); step > 0; step--) {
        if (!exchange(call, plate, strip)) {
            return false;
        }
        heat_strip_step(strip);
    }
    return true;
}

static bool get_plate(const dwq_call_t *call, struct heat_plate *out)
{
    struct heat_plate plate;
    uint64_t rows, columns;

    if (!dwq_arg(call, 0, &rows) || !dwq_arg(call, 1, &columns) ||
        !dwq_kwarg(call, "height", &plate.height) ||
        !dwq_kwarg(call, "width", &plate.width) ||
        !dwq_kwarg(call, "diffusivity", &plate.diffusivity) ||
        !dwq_kwarg(call, "duration", &plate.duration)) {
        return false;
    }
    plate.rows = (size_t)rows;
    plate.columns = (size_t)columns;
    if (!heat_plate_is_valid(&plate)) {
        return false;
    }
    *out = plate;
    return true;
}

int heat_call(dwq_call_t *call, void *arg)
{
    const struct heat_start *start = arg;
    struct heat_plate plate;
    struct heat_strip strip = { 0 };
    dwq_array_t field; /* of the library: it goes back without a copy */
    size_t first, rows;
    bool ok;
    int code = 0;

    if (!get_plate(call, &plate)) { /* all ranks see the same, and return */
        return dwq_call_fail(call, 1,
                             "heat(rows, columns, height=, width=, "
                             "diffusivity=, duration=): all > 0");
    }
    heat_share(plate.rows, dwq_call_size(call), dwq_call_rank(call), &first,
               &rows);
    field =
        dwq_call_alloc(call, DWQ_DOUBLE, 2, (size_t[]){ rows, plate.columns });
    ok = field.type != 0 &&
         (rows == 0 || heat_strip_init(&strip, &plate, first, rows, start));
    /* No rank may wait for the halo of one that has given up. */
    if (!dwq_call_agree(call, ok)) {
        code = ok ? 0 : dwq_call_fail(call, 2, "out of memory");
    } else if (rows > 0 && !solve(call, &plate, &strip)) {
        code = dwq_call_fail(call, 3, "the halo exchange failed");
    } else {
        heat_strip_copy(&strip, field.data);
        code = dwq_call_return(call, DWQ_VALUES(field));
    }
    heat_strip_finish(&strip);
    return code;
}
