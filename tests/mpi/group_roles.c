/* Worker and broker functions of groups: around the serving, before it, instead of
 * it; what they are given, and what is refused. */
#include <stdlib.h>

#include "tests/mpi/group_setup.h"

enum serves {
    IN_THE_MIDDLE,
    NOT_AT_ALL,
    AND_FAILS
};

struct scene {
    const struct group_config *config;
    struct group_place place; /* of this rank */
    enum serves worker, broker;
    int failing;      /* AND_FAILS: group rank in group 1; -1: all there are */
    int state;        /* 1: initialized; 2: after the serving */
    int n_seen;       /* calls on this rank */
    const char *text; /* lines that hold it are counted */
    int n_lines;
};

static struct scene scene_of(const struct group_config *config)
{
    return (struct scene){ .config = config, .place = group_place(config) };
}

static int sum_over_ranks(int mine)
{
    int sum = -1;

    MPI_Allreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    return sum;
}

/* Whether this rank runs that function. */
static bool runs_broker(const struct scene *s, const dwq_options_t *options)
{
    return options->broker && s->place.is_broker;
}

static bool runs_worker(const struct scene *s, const dwq_options_t *options)
{
    return options->worker && s->place.rank >= 0 && !runs_broker(s, options);
}

/* --- Around the serving ------------------------------------------------------------- */

static int worker_main(dwq_worker_t *worker, void *arg)
{
    struct scene *s = arg;

    s->state = 1;
    if (s->worker == IN_THE_MIDDLE) {
        CHECK(dwq_worker_serve(worker) == DWQ_OK);
        CHECK(dwq_worker_serve(worker) == DWQ_E_STATE);
        s->state = 2;
        return 30 + dwq_worker_id(worker);
    }
    return 0;
}

static int broker_main(dwq_broker_t *broker, void *arg)
{
    struct scene *s = arg;

    s->state = 1;
    if (s->broker == IN_THE_MIDDLE) {
        CHECK(dwq_broker_serve(broker) == DWQ_OK);
        CHECK(dwq_broker_serve(broker) == DWQ_E_STATE);
        s->state = 2;
        return 60 + dwq_broker_id(broker);
    }
    return 0;
}

static int state(dwq_call_t *call, void *arg)
{
    struct scene *s = arg;

    s->n_seen++;
    return dwq_call_return(call, DWQ_VALUES(s->state));
}

static const dwq_function_t state_functions[] = { { "state", state, NULL },
                                                  { NULL, NULL, NULL } };

static int asks_state(dwq_controller_t *c, void *arg)
{
    struct scene *s = arg;
    dwq_result_t result;

    for (int w = 1; w <= s->place.n_groups; w++) {
        CHECK(dwq_controller_submit_call(
                  c, &(dwq_task_t){ .function = "state", .worker = w }, NULL) ==
              DWQ_OK);
    }
    for (int w = 1; w <= s->place.n_groups; w++) {
        CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
        CHECK(result.status == DWQ_OK);
        for (int r = 0; r < result.n_ranks; r++) {
            int is = -1;

            CHECK(dwq_result_get(&result, r, 0, &is) && is == 1);
        }
        dwq_result_clear(&result);
    }
    return 5; /* the controller's exit code */
}

/* The exit code and the state of this rank, afterwards. */
static void check_after(const struct scene *s, const dwq_options_t *options,
                        int code)
{
    bool broker = runs_broker(s, options), worker = runs_worker(s, options);
    enum serves how = broker ? s->broker : s->worker;
    int expected = 0;

    if (world_rank() == 0) {
        expected = 5;
    } else if ((broker || worker) && how == IN_THE_MIDDLE) {
        expected = (broker ? 60 : 30) + s->place.group;
    }
    CHECK(code == expected);
    CHECK(s->state == (!broker && !worker ? 0 : how == IN_THE_MIDDLE ? 2 : 1));
    CHECK(s->n_seen == (s->place.rank >= 0));
}

static void play_around(const struct group_config *config)
{
    for (int i = 0; i < 8; i++) {
        struct scene s = scene_of(config);
        dwq_options_t options = { .controller = asks_state,
                                  .worker = worker_main,
                                  .broker = i & 4 ? broker_main : NULL,
                                  .functions = state_functions,
                                  .arg = &s };

        s.worker = i & 1 ? NOT_AT_ALL : IN_THE_MIDDLE;
        s.broker = i & 2 ? NOT_AT_ALL : IN_THE_MIDDLE;
        check_after(&s, &options, group_run(config, options));
    }
}

static void functions_of_groups_serve_in_the_middle_or_are_initializers(void)
{
    group_configs(play_around);
}

/* --- Withdrawing ---------------------------------------------------------------------- */

/* Whether that one fails: of group 1, or of all groups. */
static bool fails(const struct scene *s, int rank)
{
    return s->failing == -1 || (s->place.group == 1 && s->failing == rank);
}

static int worker_may_fail(dwq_worker_t *worker, void *arg)
{
    struct scene *s = arg;

    (void)worker;
    return s->worker == AND_FAILS && fails(s, s->place.rank) ? 9 : 0;
}

static int broker_may_fail(dwq_broker_t *broker, void *arg)
{
    struct scene *s = arg;

    (void)broker;
    return s->broker == AND_FAILS && fails(s, 0) ? 8 : 0;
}

/* A task bound to the group that withdrew, and others; then those that bind to a
 * living one. */
static int uses_the_rest(dwq_controller_t *c, void *arg)
{
    struct scene *s = arg;
    int n_groups = s->place.n_groups, n_lost, n;
    int n_living = s->failing == -1 ? 0 : n_groups - 1;
    uint64_t bound = submit_square(c, 2, 1);
    dwq_result_t result;

    for (int i = 0; i < 4; i++) {
        submit_square(c, i, 0);
    }
    CHECK(dwq_controller_get_result(c, bound, &result) == DWQ_OK);
    CHECK(result.status == DWQ_E_WORKER && result.n_ranks == 0);
    CHECK(strstr(result.message, "returned") != NULL ||
          strstr(result.message, "withdr") != NULL);
    dwq_result_clear(&result);
    n = collect_all(c, DWQ_E_WORKER, &n_lost);
    CHECK(n == 4 && n_lost == (n_living > 0 ? 0 : 4));
    for (int w = 1; w <= n_groups; w++) {
        submit_square(c, w, w);
    }
    n = collect_all(c, DWQ_E_WORKER, &n_lost);
    CHECK(n == n_groups && n_lost == n_groups - n_living);
    return 0;
}

static void withdraw(const struct group_config *config, enum serves worker,
                     enum serves broker, int failing)
{
    struct scene s = scene_of(config);
    int expected = 0, code;

    s.worker = worker;
    s.broker = broker;
    s.failing = failing;
    code = group_run(config, (dwq_options_t){ .controller = uses_the_rest,
                                              .worker = worker_may_fail,
                                              .broker = broker == NOT_AT_ALL
                                                            ? NULL
                                                            : broker_may_fail,
                                              .arg = &s });
    if (s.place.is_broker && broker == AND_FAILS) {
        expected = fails(&s, 0) ? 8 : 0;
    } else if (s.place.rank >= 0 && worker == AND_FAILS) {
        expected = fails(&s, s.place.rank) ? 9 : 0;
    }
    CHECK(code == expected);
}

static void play_withdrawn(const struct group_config *config)
{
    int last = config->nprocs - 1;

    withdraw(config, AND_FAILS, NOT_AT_ALL, 0);
    withdraw(config, AND_FAILS, NOT_AT_ALL, last);
    withdraw(config, AND_FAILS, NOT_AT_ALL, -1);
    withdraw(config, IN_THE_MIDDLE, AND_FAILS, 0);
    withdraw(config, IN_THE_MIDDLE, AND_FAILS, -1);
    withdraw(config, AND_FAILS, AND_FAILS, -1);
}

static void a_failing_initializer_withdraws_the_whole_group(void)
{
    group_configs(play_withdrawn);
}

/* --- What the functions are given ------------------------------------------------------ */

static bool reads_run_args(dwq_kwargs_t args)
{
    const char *name = NULL;
    int steps = 0;

    return dwq_read_string(dwq_map_find(args, "name"), &name) &&
           strcmp(name, "quoted \"text\"\nin two lines") == 0 &&
           dwq_read_int(dwq_map_find(args, "steps"), &steps) && steps == 4;
}

static int controller_reads(dwq_controller_t *c, void *arg)
{
    struct scene *s = arg;

    s->state = reads_run_args(dwq_controller_run_args(c));
    return 0;
}

static int worker_reads(dwq_worker_t *worker, void *arg)
{
    struct scene *s = arg;

    s->state = reads_run_args(dwq_worker_run_args(worker));
    return 0;
}

static int broker_reads(dwq_broker_t *broker, void *arg)
{
    struct scene *s = arg;

    s->state = reads_run_args(dwq_broker_run_args(broker));
    return 0;
}

static void play_run_args(const struct group_config *config)
{
    struct scene s = scene_of(config);

    group_run(config,
              (dwq_options_t){
                  .controller = controller_reads,
                  .worker = worker_reads,
                  .broker = broker_reads,
                  .arg = &s,
                  .run_args = DWQ_ENTRIES(
                      { "name", dwq_value("quoted \"text\"\nin two lines") },
                      { "steps", dwq_value(4) }) });
    CHECK(s.state == !s.place.is_idle);
}

static void every_role_of_groups_reads_run_args(void)
{
    group_configs(play_run_args);
}

static int executes(dwq_worker_t *worker, void *arg)
{
    struct scene *s = arg;
    dwq_result_t result;

    CHECK(dwq_worker_execute(worker, &(dwq_task_t){ .function = "alone" },
                             &result) == DWQ_OK);
    CHECK(result.status == DWQ_OK && result.n_ranks == 1);
    CHECK(dwq_result_get(&result, 0, 0, &s->state));
    dwq_result_clear(&result);
    return 0;
}

/* Alone in its group, and agrees with itself. */
static int alone(dwq_call_t *call, void *arg)
{
    int size = 0;

    (void)arg;
    MPI_Comm_size(dwq_call_comm(call), &size);
    CHECK(size == 1 && dwq_call_size(call) == 1 && dwq_call_rank(call) == 0);
    CHECK(dwq_call_agree(call, true) && !dwq_call_agree(call, false));
    return dwq_call_return(call, DWQ_VALUES(17));
}

static const dwq_function_t alone_functions[] = { { "alone", alone, NULL },
                                                  { NULL, NULL, NULL } };

static int does_nothing(dwq_controller_t *c, void *arg)
{
    (void)c;
    (void)arg;
    return 0;
}

static void play_execute(const struct group_config *config)
{
    struct scene s = scene_of(config);

    group_run(config, (dwq_options_t){ .controller = does_nothing,
                                       .worker = executes,
                                       .functions = alone_functions,
                                       .arg = &s });
    CHECK(s.state == (s.place.rank >= 0 ? 17 : 0));
}

static void a_rank_of_a_group_can_execute_a_task_alone(void)
{
    group_configs(play_execute);
}

/* --- Functions by name ------------------------------------------------------------------ */

/* The module's broker says how often it ran by returning 44. */
static void play_by_name(const struct group_config *config)
{
    dwq_options_t options = group_options(config);
    struct group_place place = group_place(config);
    int code;

    options.controller = does_nothing;
    options.broker_module = "test_module";
    options.broker_name = "returns_44";
    code = scenario_run_options(&options);
    CHECK(code == (place.is_broker ? 44 : 0));
    options.broker_name = "no_such_broker";
    CHECK(dwq_run(&options, &code) == DWQ_E_OPTION);
    options.broker_module = "no_such_module";
    CHECK(dwq_run(&options, &code) == DWQ_E_OPTION);
    options.broker_module = NULL; /* a name without a place to find it in */
    CHECK(dwq_run(&options, &code) == DWQ_E_OPTION);
}

static void a_broker_function_by_name_runs_from_its_module(void)
{
    group_configs(play_by_name);
}

/* --- Options ------------------------------------------------------------------------------ */

static void count_lines(const char *line, void *arg)
{
    struct scene *s = arg;

    s->n_lines += strstr(line, s->text) != NULL;
}

/* Refused on every rank, and one of them says why. */
static void refuse(struct scene *s, dwq_options_t options, const char *text)
{
    int code = 99;

    s->text = text;
    s->n_lines = 0;
    options.controller = does_nothing;
    options.log = count_lines;
    options.log_arg = s;
    CHECK(dwq_run(&options, &code) == DWQ_E_OPTION);
    CHECK(code == 99);
    CHECK(sum_over_ranks(s->n_lines) == 1);
}

static void play_refused(const struct group_config *config)
{
    struct scene s = scene_of(config);
    dwq_options_t options = group_options(config);
    int last = world_rank() == world_size() - 1;

    options.nprocs_per_worker = world_size() + 3;
    refuse(&s, options, "are present");
    options = group_options(config);
    options.nprocs_per_worker += last;
    refuse(&s, options, "option nprocs_per_worker differs");
    options = group_options(config);
    options.broker_is_worker ^= last;
    refuse(&s, options, "option broker_is_worker differs");
    options = group_options(config);
    options.collective_mode =
        last ? 3 - options.collective_mode : options.collective_mode;
    refuse(&s, options, "option collective_mode differs");
    options = group_options(config);
    options.enable_worker_service = true;
    refuse(&s, options, "enable_worker_service");
    options = group_options(config);
    options.nprocs_per_worker = -5;
    refuse(&s, options, "nprocs_per_worker");
    group_run(config, (dwq_options_t){ .controller = does_nothing });
}

/* Refused before any process is started. The program is none, so that no number of
 * processes is, whatever else goes wrong. */
static void groups_of_thousands_are_not_spawned(void)
{
    struct scene s = { .state = 0 };

    dwq_world(&(dwq_world_t){ .size = 0 });
    refuse(&s,
           (dwq_options_t){ .grouping = DWQ_GROUPING_SPAWN,
                            .nprocs_per_worker = 65536,
                            .spawn_executable = "/no/such/program" },
           "slots");
    refuse(&s,
           (dwq_options_t){ .grouping = DWQ_GROUPING_SPAWN,
                            .nprocs_per_worker = 8,
                            .spawn_executable = "/no/such/program" },
           "/no/such/program");
}

static int ignored_broker(dwq_broker_t *broker, void *arg)
{
    (void)broker;
    (void)arg;
    return 0;
}

static void bad_options_of_groups_are_refused_on_every_rank(void)
{
    struct scene s = { .state = 0 };

    dwq_world(&(dwq_world_t){ .size = 0 });
    refuse(&s, (dwq_options_t){ .broker = ignored_broker }, "option broker");
    group_configs(play_refused);
}

/* One line that names all of them. */
static void warn(dwq_options_t options, const char *const *names)
{
    for (; *names; names++) {
        struct scene s = { .text = *names };

        options.controller = does_nothing;
        options.log = count_lines;
        options.log_arg = &s;
        scenario_run_options(&options);
        CHECK(sum_over_ranks(s.n_lines) == 1);
        if (sum_over_ranks(s.n_lines) != 1 && world_rank() == 0) {
            fprintf(stderr, "    no warning names %s\n", *names);
        }
    }
}

static void options_of_no_use_are_named_in_one_warning(void)
{
    dwq_world(&(dwq_world_t){ .size = 0 });
    if (world_size() < 3) {
        return;
    }
    warn((dwq_options_t){ .collective_mode = DWQ_COLLECTIVE_SENDRECV,
                          .broker_is_worker = true,
                          .sequential_spawn = true },
         (const char *const[]){ "collective_mode", "broker_is_worker",
                                "sequential_spawn", NULL });
    warn((dwq_options_t){ .grouping = DWQ_GROUPING_SPLIT,
                          .sequential_spawn = true,
                          .spawn_startup_wait = 0.5,
                          .spawn_executable = "/bin/true" },
         (const char *const[]){ "sequential_spawn", "spawn_startup_wait",
                                "spawn_executable", NULL });
}

static const struct scenario scenarios[] = {
#define S(name)     \
    {               \
#name, name \
    }
    S(functions_of_groups_serve_in_the_middle_or_are_initializers),
    S(a_failing_initializer_withdraws_the_whole_group),
    S(every_role_of_groups_reads_run_args),
    S(a_rank_of_a_group_can_execute_a_task_alone),
    S(a_broker_function_by_name_runs_from_its_module),
    S(bad_options_of_groups_are_refused_on_every_rank),
    S(groups_of_thousands_are_not_spawned),
    S(options_of_no_use_are_named_in_one_warning),
    { NULL, NULL },
};

int main(int argc, char **argv)
{
    return scenario_main(argc, argv, scenarios);
}
