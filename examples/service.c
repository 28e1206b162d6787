/* Groups that exchange data while calls run. Group 1 has a table, its ranks have a
 * share each, and publishes a service; the other groups connect to it before they
 * serve. Then the controller has group 1 run "provide" and the others "consume" at
 * the same time: a client says which part of the table it needs, and all of its
 * ranks get it over the service's intercommunicator. */
#include "examples/group_options.h"

#include <dwq/mpi.h>

#include <inttypes.h>
#include <stdlib.h>

#define N_ITEMS 24
#define ATTEMPTS 30  /* to connect */
#define PROVIDE 1000 /* id of the task; those of the clients follow */

static const char usage[] =
    "usage: service [-h] [GROUPS...]\n"
    "Group 1 hands out parts of a table to the other groups; by groups of two\n"
    "ranks if nothing else is said: mpirun -n 10 service\n" GROUP_USAGE
    "  -h, --help          this text\n";

/* Each process has one. */
struct state {
    bool help;
    bool bad;
    dwq_worker_t *worker; /* in its run; NULL before */
};

/* --- Before serving ----------------------------------------------------- */

/* Group 1 is there for the others; a group that cannot reach it withdraws. */
static int worker(dwq_worker_t *worker, void *arg)
{
    struct state *state = arg;
    dwq_status_t status = DWQ_OK;

    state->worker = worker;
    if (dwq_worker_world(worker).n_workers > 1) {
        status = dwq_worker_id(worker) == 1
                     ? dwq_worker_publish_service(worker)
                     : dwq_worker_connect_service(worker, ATTEMPTS);
    }
    return status == DWQ_OK ? 0 : 1;
}

/* --- Calls -------------------------------------------------------------- */

/* An item of the table: the steps that Collatz's rule takes from i + 1 to 1. */
static int64_t item(int i)
{
    int64_t n = i + 1;
    int64_t steps = 0;

    for (; n != 1; steps++) {
        n = n % 2 ? 3 * n + 1 : n / 2;
    }
    return steps;
}

/* The whole table on each rank of the group, every rank having computed a share. */
static void make_table(const dwq_call_t *call, int64_t *table_out)
{
    int rank = dwq_call_rank(call), size = dwq_call_size(call);
    int64_t mine[N_ITEMS] = { 0 };

    for (int i = rank; i < N_ITEMS; i += size) {
        mine[i] = item(i);
    }
    MPI_Allreduce(mine, table_out, N_ITEMS, MPI_INT64_T, MPI_SUM,
                  dwq_call_comm(call));
}

/* ready(): answered by a group that has connected. */
static int ready(dwq_call_t *call, void *arg)
{
    const struct state *state = arg;

    return dwq_worker_server_comm(state->worker) != MPI_COMM_NULL
               ? dwq_call_return(call, DWQ_VALUES(true))
               : dwq_call_fail(call, 1, "not connected");
}

/* provide(): on group 1. Serves each client once, and returns their number. */
static int provide(dwq_call_t *call, void *arg)
{
    const struct state *state = arg;
    int64_t table[N_ITEMS];
    int n_clients;
    const MPI_Comm *clients =
        dwq_worker_client_comms(state->worker, &n_clients);

    make_table(call, table);
    for (int i = 0; i < n_clients; i++) {
        int range[2]; /* first item, number of items */

        /* Rank 0 of the client asks rank 0 here, which tells its group. */
        if (dwq_call_rank(call) == 0) {
            MPI_Recv(range, 2, MPI_INT, 0, 0, clients[i], MPI_STATUS_IGNORE);
        }
        MPI_Bcast(range, 2, MPI_INT, 0, dwq_call_comm(call));
        /* From this side's rank 0 to all ranks of the other side. */
        MPI_Bcast(table + range[0], range[1], MPI_INT64_T,
                  dwq_call_rank(call) == 0 ? MPI_ROOT : MPI_PROC_NULL,
                  clients[i]);
    }
    return dwq_call_return(call, DWQ_VALUES(n_clients));
}

/* consume(first, n): on a client. The items of the table, as rank 0 got them; the
 * other ranks return how many they got. */
static int consume(dwq_call_t *call, void *arg)
{
    const struct state *state = arg;
    MPI_Comm server = dwq_worker_server_comm(state->worker);
    int64_t table[N_ITEMS];
    int range[2];
    size_t n;

    if (!dwq_arg(call, 0, &range[0]) || !dwq_arg(call, 1, &range[1]) ||
        range[0] < 0 || range[1] < 0 || range[0] > N_ITEMS - range[1] ||
        server == MPI_COMM_NULL) {
        return dwq_call_fail(call, 1, "consume(first, n), when connected");
    }
    if (dwq_call_rank(call) == 0) {
        MPI_Send(range, 2, MPI_INT, 0, 0, server);
    }
    MPI_Bcast(table, range[1], MPI_INT64_T, 0, server);
    n = (size_t)range[1];
    return dwq_call_return(call,
                           dwq_call_rank(call) == 0
                               ? DWQ_VALUES(dwq_array(DWQ_INT64, table, 1, &n))
                               : DWQ_VALUES(range[1]));
}

/* whole(): the table without a service, where one group has all calls. */
static int whole(dwq_call_t *call, void *arg)
{
    int64_t table[N_ITEMS];

    (void)arg;
    make_table(call, table);
    return dwq_call_return(call, DWQ_VALUES(dwq_array(DWQ_INT64, table, 1,
                                                      (size_t[]){ N_ITEMS })));
}

/* --- The controller ----------------------------------------------------- */

/* Items are numbered on from `first`. Gives the number of them. */
static int print_items(const dwq_result_t *result, int first)
{
    dwq_array_t items;

    if (result->status != DWQ_OK) {
        fprintf(stderr, "service: %s\n", result->message);
        return 0;
    }
    if (!dwq_result_get(result, 0, 0, &items) || items.type != DWQ_INT64) {
        return 0;
    }
    for (size_t i = 0; i < items.shape[0]; i++) {
        printf("%3d takes %3" PRId64 " steps\n", first + (int)i + 1,
               ((const int64_t *)items.data)[i]);
    }
    return (int)items.shape[0];
}

/* Run one call on worker w, and wait for it. */
static dwq_status_t run_on(dwq_controller_t *controller, int w,
                           const char *function, dwq_result_t *result_out)
{
    uint64_t id;
    dwq_status_t status = dwq_controller_submit_call(
        controller, &(dwq_task_t){ .function = function, .worker = w }, &id);

    return status == DWQ_OK
               ? dwq_controller_get_result(controller, id, result_out)
               : status;
}

/* Group 1 accepts clients only while it runs no call: so all have to be connected
 * before "provide". */
static bool all_are_ready(dwq_controller_t *controller, int n_workers)
{
    bool ok = true;

    for (int w = 2; ok && w <= n_workers; w++) {
        dwq_result_t result = { 0 };

        ok = run_on(controller, w, "ready", &result) == DWQ_OK &&
             result.status == DWQ_OK;
        dwq_result_clear(&result);
    }
    return ok;
}

/* "provide" and "consume", at the same time: neither ends without the other. */
static void submit_all(dwq_controller_t *controller, int n_clients)
{
    dwq_status_t status = dwq_controller_submit_call(
        controller,
        &(dwq_task_t){ .function = "provide", .id = PROVIDE, .worker = 1 },
        NULL);

    for (int i = 1; i <= n_clients && status == DWQ_OK; i++) {
        int first = N_ITEMS * (i - 1) / n_clients;
        int end = N_ITEMS * i / n_clients;

        status = dwq_controller_submit_call(
            controller,
            &(dwq_task_t){ .function = "consume",
                           .id = (uint64_t)(PROVIDE + i),
                           .worker = i + 1,
                           DWQ_ARGS(first, end - first) },
            NULL);
    }
    if (status != DWQ_OK) {
        dwq_controller_abort(controller);
    }
}

/* Gives the number of items that came; 0 unless all clients were served. */
static int exchange(dwq_controller_t *controller, int n_workers)
{
    int n_clients = n_workers - 1;
    int n_served = 0;
    int n = 0;

    if (!all_are_ready(controller, n_workers)) {
        return 0;
    }
    submit_all(controller, n_clients);
    for (int i = 0; i <= n_clients; i++) {
        dwq_result_t result;

        if (dwq_controller_get_result(controller, (uint64_t)(PROVIDE + i),
                                      &result) != DWQ_OK) {
            return 0;
        }
        if (i == 0) {
            dwq_result_get(&result, 0, 0, &n_served);
        } else {
            n += print_items(&result, n);
        }
        dwq_result_clear(&result);
    }
    return n_served == n_clients ? n : 0;
}

static int controller(dwq_controller_t *controller, void *arg)
{
    const struct state *state = arg;
    int n_workers = dwq_controller_world(controller).n_workers;
    dwq_result_t result;
    int n = 0;

    if (state->help || state->bad) {
        fputs(usage, state->help ? stdout : stderr);
        return state->help ? 0 : 2;
    }
    if (n_workers > 1) {
        n = exchange(controller, n_workers);
    } else if (run_on(controller, 0, "whole", &result) == DWQ_OK) {
        n = print_items(&result, 0);
        dwq_result_clear(&result);
    }
    printf("\nreport\n");
    return dwq_controller_info(controller, stdout) != DWQ_OK || n != N_ITEMS;
}

static void parse(int argc, char **argv, struct state *state,
                  dwq_options_t *options)
{
    static const struct option known[] = {
        { "help", no_argument, NULL, 'h' },
        GROUP_OPTIONS,
        { NULL, 0, NULL, 0 },
    };
    int option;

    opterr = 0; /* one process says it, by its usage */
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (option == 'h') {
            state->help = true;
        } else {
            state->bad |= !group_option(option, optarg, options);
        }
    }
    state->bad |= optind < argc;
}

int main(int argc, char **argv)
{
    static const dwq_function_t functions[] = {
        { .name = "ready", .function = ready },
        { .name = "provide", .function = provide },
        { .name = "consume", .function = consume },
        { .name = "whole", .function = whole },
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

    parse(argc, argv, &state, &options);
    return dwq_main(argc, argv, &options);
}
