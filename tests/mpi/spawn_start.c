/* Groups that are spawned: what reaches them, their communicators, their end; and where
 * something is wrong with the program: refused on every rank, or the job ends. A
 * spawned process plays the same scenario. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/mpi/scenario.h"

/* What spawned ranks are started with, and what this process was started with. */
struct process {
    const char *arguments[2];
    const char *list[6]; /* of a callback */
    int argc;
    char **argv;
    bool inside; /* the broker of this run */
    int refuses; /* what the worker function of this run returns */
};

static struct process process_of(int argc, char **argv)
{
    return (struct process){ .arguments = { argc > 1 ? argv[1] : NULL },
                             .argc = argc,
                             .argv = argv };
}

static bool is_spawned(void)
{
    dwq_world_t world = { .spawned = false };

    CHECK(dwq_world(&world) == DWQ_OK);
    return world.spawned;
}

static int does_nothing(dwq_controller_t *c, void *arg)
{
    (void)c;
    (void)arg;
    return 0;
}

static dwq_options_t options_of(struct process *process)
{
    return (dwq_options_t){ .controller = does_nothing,
                            .functions = scenario_functions,
                            .grouping = DWQ_GROUPING_SPAWN,
                            .nprocs_per_worker = 2,
                            .spawn_args = process->arguments,
                            .arg = process };
}

/* --- What reaches a spawned rank ---------------------------------------------------------- */

#define ODD "it's \"quoted\" \\ $HOME\nin two lines "

static bool reads_run_args(dwq_kwargs_t args)
{
    const char *text = NULL;

    return dwq_read_string(dwq_map_find(args, ODD), &text) &&
           strcmp(text, ODD) == 0;
}

/* Spawned: the scenario's name, ODD, "", and "last". */
static int reads_configuration(dwq_worker_t *worker, void *arg)
{
    struct process *process = arg;
    char **argv = process->argv;

    CHECK(reads_run_args(dwq_worker_run_args(worker)));
    if (dwq_worker_world(worker).spawned) {
        CHECK(process->argc >= 5 && strcmp(argv[2], ODD) == 0);
        CHECK(strcmp(argv[3], "") == 0 && strcmp(argv[4], "last") == 0);
    }
    return scenario_n_failed() > 0;
}

static int broker_reads_configuration(dwq_broker_t *broker, void *arg)
{
    (void)arg;
    CHECK(reads_run_args(dwq_broker_run_args(broker)));
    return scenario_n_failed() > 0;
}

/* Each group answers: it would not, had a rank of it failed its checks. */
static int asks_each_group(dwq_controller_t *c, void *arg)
{
    int n = dwq_controller_world(c).n_workers, n_ok;

    (void)arg;
    for (int w = 1; w <= n; w++) {
        submit_square(c, w, w);
    }
    CHECK(n > 0 && collect_all(c, DWQ_OK, &n_ok) == n && n_ok == n);
    return 0;
}

static const char *const *with_odd_arguments(const char *const *library,
                                             void *arg)
{
    struct process *process = arg;

    process->list[0] = process->arguments[0];
    process->list[1] = ODD;
    process->list[2] = "";
    process->list[3] = "last";
    process->list[4] = library[0];
    process->list[5] = NULL;
    return process->list;
}

static void a_configuration_with_quotes(struct process *process)
{
    const char *const list[] = { process->arguments[0], ODD, "", "last", NULL };

    for (int i = 0; i < 4; i++) {
        dwq_options_t options = options_of(process);

        options.controller = asks_each_group;
        options.worker = reads_configuration;
        options.broker = broker_reads_configuration;
        options.broker_is_worker = i % 2 == 1;
        options.run_args = DWQ_ENTRIES({ ODD, dwq_value(ODD) });
        options.spawn_args = i < 2 ? list : NULL;
        options.spawn_args_function = i < 2 ? NULL : with_odd_arguments;
        scenario_run_options(&options);
    }
}

/* --- Communicators, and several runs -------------------------------------------------------- */

static void check_comm(MPI_Comm comm, int rank, int size)
{
    int my_rank = -1, its_size = -1;

    CHECK(comm != MPI_COMM_NULL);
    MPI_Comm_rank(comm, &my_rank);
    MPI_Comm_size(comm, &its_size);
    CHECK(my_rank == rank && its_size == size);
}

static int worker_checks_comms(dwq_worker_t *worker, void *arg)
{
    struct process *process = arg;
    int rank, beside = !process->inside;

    MPI_Comm_rank(dwq_worker_comm(worker), &rank);
    check_comm(dwq_worker_comm(worker), rank, 2);
    check_comm(dwq_worker_merged_comm(worker), rank + beside, 2 + beside);
    CHECK(dwq_worker_world(worker).spawned == (beside || rank > 0));
    return scenario_n_failed() > 0;
}

static int broker_checks_comms(dwq_broker_t *broker, void *arg)
{
    struct process *process = arg;

    check_comm(dwq_broker_merged_comm(broker), 0, 2 + !process->inside);
    check_comm(dwq_broker_group_comm(broker), dwq_broker_id(broker) - 1,
               dwq_broker_world(broker).n_workers);
    return scenario_n_failed() > 0;
}

/* Broker and group have parted after each run; a spawned process serves in one. */
static void the_broker_is_rank_0_after_the_merge(struct process *process)
{
    for (int i = 0; i < 4; i++) {
        dwq_options_t options = options_of(process);

        process->inside = i % 2 == 1;
        options.controller = asks_each_group;
        options.worker = worker_checks_comms;
        options.broker = process->inside ? NULL : broker_checks_comms;
        options.broker_is_worker = process->inside;
        options.collective_mode =
            i < 2 ? DWQ_COLLECTIVE_GATHER : DWQ_COLLECTIVE_SENDRECV;
        options.sequential_spawn = i < 2;
        scenario_run_options(&options);
    }
}

/* --- A run in a call -------------------------------------------------------------------------- */

static int sums_squares(dwq_controller_t *c, void *arg)
{
    double *sum = arg, y = 0;
    dwq_result_t result;

    submit_square(c, 3, 0);
    submit_square(c, 4, 0);
    while (dwq_controller_get_next_result(c, &result) == DWQ_OK) {
        CHECK(dwq_result_get(&result, 0, 0, &y));
        *sum += y;
        dwq_result_clear(&result);
    }
    return 0;
}

static int runs_over_its_group(dwq_call_t *call, void *arg)
{
    dwq_options_t options = { .controller = sums_squares,
                              .functions = scenario_functions };
    double sum = 0;

    (void)arg;
    options.arg = &sum;
    if (dwq_run_comm(dwq_call_comm(call), &options, NULL) != DWQ_OK) {
        return 1;
    }
    options.grouping =
        DWQ_GROUPING_SPAWN; /* refused before anybody is started */
    options.broker_is_worker = false;
    if (dwq_call_size(call) > 1 &&
        dwq_run_comm(dwq_call_comm(call), &options, NULL) != DWQ_E_OPTION) {
        return 2;
    }
    return dwq_call_return(call, DWQ_VALUES(sum));
}

static int asks_for_runs(dwq_controller_t *c, void *arg)
{
    dwq_result_t result;
    double sum = 0;

    (void)arg;
    for (int i = 0; i < 2; i++) {
        CHECK(dwq_controller_submit_call(c, &(dwq_task_t){ .function = "runs" },
                                         NULL) == DWQ_OK);
        CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
        CHECK(result.status == DWQ_OK);
        CHECK(dwq_result_get(&result, 0, 0, &sum) && sum == 25);
        dwq_result_clear(&result);
    }
    return 0;
}

/* What ran in calls of a broker is not counted: the next groups know their run. */
static void a_call_runs_over_its_group(struct process *process)
{
    static const dwq_function_t functions[] = {
        { "runs", runs_over_its_group, NULL }, { NULL, NULL, NULL }
    };

    for (int i = 0; i < 3; i++) {
        dwq_options_t options = options_of(process);

        options.controller = asks_for_runs;
        options.functions = functions;
        options.broker_is_worker = i < 2;
        scenario_run_options(&options);
    }
}

/* --- Told to leave ---------------------------------------------------------------------------- */

static int takes_a_while(dwq_worker_t *worker, void *arg)
{
    struct process *process = arg;

    (void)worker;
    sleep_seconds(0.3);
    return process->refuses;
}

static int asks_those_that_refuse(dwq_controller_t *c, void *arg)
{
    int n_gone;

    (void)arg;
    submit_square(c, 1, 1);
    submit_square(c, 1, 0);
    CHECK(collect_all(c, DWQ_E_WORKER, &n_gone) == 2 && n_gone == 2);
    return 0;
}

static void a_group_that_was_just_spawned(struct process *process)
{
    for (int i = 0; i < 4; i++) {
        dwq_options_t options = options_of(process);

        process->refuses = i < 2 ? 0 : 6;
        options.controller = i < 2 ? does_nothing : asks_those_that_refuse;
        options.worker = takes_a_while;
        options.broker_is_worker = i % 2 == 1;
        scenario_run_options(&options);
    }
}

/* --- Programs that cannot be run ---------------------------------------------------- */

static void count_lines(const char *line, void *arg)
{
    int *n_lines = arg;

    *n_lines += strstr(line, "spawn_executable") != NULL;
}

static int sum_over_ranks(int mine)
{
    int sum = -1;

    MPI_Allreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    return sum;
}

/* On every rank, and one of them says which program. */
static void refuse(struct process *process, const char *program)
{
    dwq_options_t options = options_of(process);
    int n_lines = 0, code = 99;

    options.spawn_executable = program;
    options.log = count_lines;
    options.log_arg = &n_lines;
    CHECK(dwq_run(&options, &code) == DWQ_E_OPTION);
    CHECK(code == 99);
    CHECK(sum_over_ranks(n_lines) == 1);
}

static void make_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
    CHECK(chmod(path, 0755) == 0);
}

static void programs_that_cannot_be_run(struct process *process)
{
    static const char *const texts[] = { "", "echo hello\n",
                                         "#!/no/such/interpreter -x\n" };
    char folder[TEMPORARY_SIZE], path[TEMPORARY_SIZE + 16];

    temporary_name(folder, "dwq-spawn-start");
    CHECK(dwq_world(&(dwq_world_t){ .size = 0 }) == DWQ_OK);
    CHECK(world_rank() != 0 || mkdtemp(folder));
    MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
    snprintf(path, sizeof path, "%s/program", folder);
    refuse(process, "");
    refuse(process, folder);
    refuse(process, path);
    for (int i = 0; i < 3; i++) {
        if (world_rank() == 0) {
            make_file(path, texts[i]);
        }
        MPI_Barrier(MPI_COMM_WORLD);
        refuse(process, path);
    }
    if (world_rank() == 0) {
        CHECK(unlink(path) == 0 && rmdir(folder) == 0);
    }
}

/* This program, from a copy that is gone when the run starts. */
static void a_program_that_was_removed(struct process *process)
{
    char path[TEMPORARY_SIZE], command[2 * TEMPORARY_SIZE + 32];
    int n = (int)readlink("/proc/self/exe", path, sizeof path - 1);

    if (process->argc < 3) { /* not the copy yet */
        char copy[TEMPORARY_SIZE];
        char *argv[] = { copy, process->argv[1], "copy", NULL };

        CHECK(n > 0);
        temporary_name(copy, "dwq-spawn-start");
        close(mkstemp(copy));
        snprintf(command, sizeof command, "cp '%.*s' %s && chmod 755 %s", n,
                 path, copy, copy);
        CHECK(system(command) == 0);
        execv(copy, argv);
        CHECK(!"the copy runs");
        return;
    }
    CHECK(unlink(process->argv[0]) == 0);
    CHECK(dwq_world(&(dwq_world_t){ .size = 0 }) == DWQ_OK);
    refuse(process, NULL);
}

/* --- Programs that do not come to their run ------------------------------------------- */

static void a_process_that_exits_before_its_run(struct process *process)
{
    dwq_options_t options = options_of(process);
    int code = 99;

    if (is_spawned()) {
        exit(0);
    }
    CHECK(dwq_run(&options, &code) == DWQ_E_OPTION);
    CHECK(code == 99);
}

static void a_process_that_never_comes_to_its_run(struct process *process)
{
    dwq_options_t options = options_of(process);

    setenv("DWQ_SPAWN_TIMEOUT", "2", 1);
    while (is_spawned()) {
        sleep_seconds(1);
    }
    dwq_run(&options, NULL);
    CHECK(!"the job ended");
}

/* --- In a run --------------------------------------------------------------------------- */

/* dwq_main() has taken the library's argument out of main()'s. */
static int reads_arguments(dwq_worker_t *worker, void *arg)
{
    struct process *process = arg;
    int n = 0;

    (void)worker;
    for (char **at = process->argv; *at; at++) {
        CHECK(strncmp(*at, "--dwq-", 6) != 0);
        n++;
    }
    CHECK(n == process->argc - 1);
    return 0;
}

static int plays_main(struct process *process)
{
    char *own[] = { "another", NULL };
    dwq_options_t options = options_of(process);

    options.worker = reads_arguments;
    options.argc = 1;
    options.argv = own;
    return dwq_main(process->argc, process->argv, &options) != 0 ||
           scenario_n_failed() > 0;
}

int main(int argc, char **argv)
{
    struct process process = process_of(argc, argv);
    static const struct {
        const char *name;
        void (*play)(struct process *process);
    } scenarios[] = {
        { "a_configuration_with_quotes", a_configuration_with_quotes },
        { "the_broker_is_rank_0_after_the_merge",
          the_broker_is_rank_0_after_the_merge },
        { "a_call_runs_over_its_group", a_call_runs_over_its_group },
        { "a_group_that_was_just_spawned", a_group_that_was_just_spawned },
        { "programs_that_cannot_be_run", programs_that_cannot_be_run },
        { "a_program_that_was_removed", a_program_that_was_removed },
        { "a_process_that_exits_before_its_run",
          a_process_that_exits_before_its_run },
        { "a_process_that_never_comes_to_its_run",
          a_process_that_never_comes_to_its_run },
    };
    const char *name = argc > 1 ? argv[1] : "";

    if (strcmp(name, "the_marker_leaves_the_arguments_of_main") == 0) {
        return plays_main(&process);
    }
    scenario_begin();
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        if (strcmp(name, scenarios[i].name) == 0) {
            scenarios[i].play(&process);
            return scenario_end();
        }
    }
    fprintf(stderr, "there is no scenario '%s'\n", name);
    return 2;
}
