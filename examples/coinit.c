/* Initializers of brokers and workers that work together before they serve: the
 * broker of each group makes a table of the error function, and hands it to its
 * group over their merged communicator; each rank checks in with the broker. Calls
 * then interpolate in the table, each rank of a group its share of the points. */
#include "examples/group_options.h"

#include <dwq/mpi.h>

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N_CALLS 4
#define N_POINTS 6 /* of a call */
#define END 2.4    /* of the table, which starts at 0 */

static const char usage[] =
    "usage: coinit [-h] [--points N] [GROUPS...]\n"
    "Interpolates the error function in a table that brokers make, by groups "
    "of\n"
    "two ranks if nothing else is said: mpirun -n 4 coinit\n"
    "  --points N          of the table, default 49; with less than 2 the\n"
    "                      groups withdraw, and the calls fail\n" GROUP_USAGE
    "  -h, --help          this text\n";

/* Each process has one: the initializer fills it, the calls read it. */
struct state {
    bool help;
    bool bad;
    int n;          /* values of the table */
    double *values; /* at END i / (n - 1) */
    int rank;       /* in the merged communicator; 0 without one */
    int n_present;  /* ranks of it that have checked in, the broker included */
};

/* --- Before serving ----------------------------------------------------- */

/* What all have been told by run_args. */
static bool make_table(dwq_kwargs_t run_args, struct state *state)
{
    int n;

    if (!dwq_read_int(dwq_map_find(run_args, "points"), &n) || n < 2) {
        return false;
    }
    state->values = malloc((size_t)n * sizeof *state->values);
    if (!state->values) {
        return false;
    }
    state->n = n;
    for (int i = 0; i < n; i++) {
        state->values[i] = erf(END * i / (n - 1));
    }
    return true;
}

/* From rank 0, the broker, to the others. That there is none, or no memory for it,
 * all learn as well: nobody waits for what will not come. */
static bool share_table(MPI_Comm comm, struct state *state)
{
    int ok, all_ok;

    MPI_Bcast(&state->n, 1, MPI_INT, 0, comm);
    if (state->n > 0 && !state->values) {
        state->values = malloc((size_t)state->n * sizeof *state->values);
    }
    ok = state->values != NULL;
    MPI_Allreduce(&ok, &all_ok, 1, MPI_INT, MPI_MIN, comm);
    if (all_ok) {
        MPI_Bcast(state->values, state->n, MPI_DOUBLE, 0, comm);
    }
    return all_ok;
}

/* Every rank tells the broker its number, and learns how many did. */
static bool check_in(MPI_Comm comm, struct state *state)
{
    int size;

    MPI_Comm_size(comm, &size);
    MPI_Comm_rank(comm, &state->rank);
    if (state->rank > 0) {
        MPI_Send(&state->rank, 1, MPI_INT, 0, 0, comm);
    } else {
        state->n_present = 1;
        for (int i = 1; i < size; i++) {
            int number;

            MPI_Recv(&number, 1, MPI_INT, i, 0, comm, MPI_STATUS_IGNORE);
            state->n_present += number == i;
        }
    }
    MPI_Bcast(&state->n_present, 1, MPI_INT, 0, comm);
    return state->n_present == size;
}

/* Around the serving: there could be something to do after it. */
static int broker(dwq_broker_t *broker, void *arg)
{
    MPI_Comm comm = dwq_broker_merged_comm(broker);
    struct state *state = arg;

    make_table(dwq_broker_run_args(broker), state);
    if (!share_table(comm, state) || !check_in(comm, state)) {
        return 1; /* the group withdraws */
    }
    return dwq_broker_serve(broker) == DWQ_OK ? 0 : 1;
}

/* An initializer: the library serves after it. */
static int worker(dwq_worker_t *worker, void *arg)
{
    MPI_Comm comm = dwq_worker_merged_comm(worker);
    struct state *state = arg;

    if (comm == MPI_COMM_NULL) { /* a rank of its own, without a broker */
        state->n_present = 1;
        return make_table(dwq_worker_run_args(worker), state) ? 0 : 1;
    }
    return share_table(comm, state) && check_in(comm, state) ? 0 : 1;
}

/* --- Calls -------------------------------------------------------------- */

static double interpolate(const struct state *state, double x)
{
    double place = x / END * (state->n - 1);
    int i = place < state->n - 1 ? (int)place : state->n - 2;
    double part = place - i;

    return (1 - part) * state->values[i] + part * state->values[i + 1];
}

/* erf(x): x is scattered, so that each rank gets its share of the points. */
static int erf_call(dwq_call_t *call, void *arg)
{
    dwq_array_t x, y;

    if (!dwq_arg(call, 0, &x) || x.type != DWQ_DOUBLE || x.ndim != 1) {
        return dwq_call_fail(call, 1, "erf(x): x must be an array of doubles");
    }
    y = dwq_call_alloc(call, DWQ_DOUBLE, 1, x.shape);
    if (y.type != DWQ_DOUBLE) {
        return dwq_call_fail(call, 2, "out of memory");
    }
    for (size_t i = 0; i < x.shape[0]; i++) {
        double at = ((const double *)x.data)[i];

        if (!(at >= 0 && at <= END)) {
            return dwq_call_fail(call, 3, "%g is not in the table", at);
        }
        ((double *)y.data)[i] = interpolate(arg, at);
    }
    return dwq_call_return(call, DWQ_VALUES(y));
}

/* roll_call(): this rank's number, and how many ranks checked in. */
static int roll_call(dwq_call_t *call, void *arg)
{
    const struct state *state = arg;

    return dwq_call_return(call, DWQ_VALUES(state->rank, state->n_present));
}

/* --- The controller ----------------------------------------------------- */

static double point(int call, int i)
{
    return END * (call * N_POINTS + i) / (N_CALLS * N_POINTS - 1);
}

/* Gives 1 for a call that failed. */
static int print_erf(int call, const dwq_result_t *result)
{
    int n = 0;

    if (result->status != DWQ_OK) {
        printf("call %d failed\n", call + 1);
        fprintf(stderr, "coinit: %s\n", result->message);
        return 1;
    }
    for (int rank = 0; rank < result->n_ranks; rank++) {
        dwq_array_t y;

        if (!dwq_result_get(result, rank, 0, &y) || y.type != DWQ_DOUBLE) {
            continue;
        }
        for (size_t i = 0; i < y.shape[0]; i++, n++) {
            printf("erf(%.3f) %.5f%s", point(call, n),
                   ((const double *)y.data)[i], n % 3 < 2 ? "   " : "\n");
        }
    }
    return n != N_POINTS;
}

static int compute(dwq_controller_t *controller)
{
    uint64_t ids[N_CALLS];
    dwq_result_t result;
    int n_bad = 0;

    for (int call = 0; call < N_CALLS; call++) {
        double x[N_POINTS];

        for (int i = 0; i < N_POINTS; i++) {
            x[i] = point(call, i);
        }
        if (dwq_controller_submit_call(
                controller,
                &(dwq_task_t){
                    .function = "erf",
                    DWQ_ARGS(dwq_scatter(
                        dwq_array(DWQ_DOUBLE, x, 1, (size_t[]){ N_POINTS }))) },
                &ids[call]) != DWQ_OK) {
            return 1;
        }
    }
    for (int call = 0; call < N_CALLS; call++) {
        if (dwq_controller_get_result(controller, ids[call], &result) !=
            DWQ_OK) {
            return 1;
        }
        n_bad += print_erf(call, &result);
        dwq_result_clear(&result);
    }
    return n_bad;
}

/* Who checked in, of one worker: 1 if somebody is missing. */
static int ask(dwq_controller_t *controller, int worker)
{
    dwq_result_t result;
    int rank, n_present, bad = 0;

    if (dwq_controller_submit_call(
            controller,
            &(dwq_task_t){ .function = "roll_call", .worker = worker },
            NULL) != DWQ_OK ||
        dwq_controller_get_next_result(controller, &result) != DWQ_OK) {
        return 1;
    }
    printf("worker %d:", worker);
    for (int i = 0; i < result.n_ranks; i++) {
        if (dwq_result_get(&result, i, 0, &rank) &&
            dwq_result_get(&result, i, 1, &n_present)) {
            printf(" rank %d of %d%s", rank, n_present,
                   i + 1 < result.n_ranks ? "," : "\n");
            /* A broker beside its group runs no calls. */
            bad |= n_present < result.n_ranks || rank < i;
        } else {
            bad = 1;
        }
    }
    bad |= result.status != DWQ_OK;
    dwq_result_clear(&result);
    return bad;
}

static int controller(dwq_controller_t *controller, void *arg)
{
    const struct state *state = arg;
    int n_workers = dwq_controller_world(controller).n_workers;
    int n_bad;

    if (state->help || state->bad) {
        fputs(usage, state->help ? stdout : stderr);
        return state->help ? 0 : 2;
    }
    n_bad = compute(controller);
    printf("\nreport\n");
    if (dwq_controller_info(controller, stdout) != DWQ_OK) {
        return 1;
    }
    for (int i = 1; n_bad == 0 && i <= (n_workers > 0 ? n_workers : 1); i++) {
        n_bad += ask(controller, i);
    }
    return n_bad > 0;
}

/* Gives the points of the table, for run_args. */
static int parse(int argc, char **argv, struct state *state,
                 dwq_options_t *options)
{
    static const struct option known[] = {
        { "help", no_argument, NULL, 'h' },
        { "points", required_argument, NULL, 'p' },
        GROUP_OPTIONS,
        { NULL, 0, NULL, 0 },
    };
    int points = 49;
    int option;

    opterr = 0; /* one process says it, by its usage */
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (option == 'h') {
            state->help = true;
        } else if (option == 'p') {
            points = atoi(optarg);
        } else {
            state->bad |= !group_option(option, optarg, options);
        }
    }
    state->bad |= optind < argc;
    return points;
}

int main(int argc, char **argv)
{
    static const dwq_function_t functions[] = {
        { .name = "erf", .function = erf_call },
        { .name = "roll_call", .function = roll_call },
        { .name = NULL },
    };
    struct state state = { 0 };
    dwq_options_t options = {
        .controller = controller,
        .worker = worker,
        .functions = functions,
        .grouping = DWQ_GROUPING_SPLIT,
        .nprocs_per_worker = 2,
        .arg = &state,
    };
    int points = parse(argc, argv, &state, &options);
    int code;

    options.run_args = DWQ_ENTRIES({ "points", dwq_value(points) });
    if (options.grouping == DWQ_GROUPING_NONE) {
        options.nprocs_per_worker = 1;
    } else {
        options.broker = broker; /* there are none without groups */
    }
    code = dwq_main(argc, argv, &options);
    free(state.values);
    return code;
}
