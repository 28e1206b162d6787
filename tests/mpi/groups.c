/* Groups: who is in them, their communicators, their ready data, isolation. */
#include <stdlib.h>

#include "tests/mpi/group_setup.h"

struct scene {
    const struct group_config *config;
    struct group_place place; /* of this rank */
    dwq_worker_t *worker;     /* this rank's, when it is one */
    int n_worker, n_broker;   /* calls of those functions on this rank */
    int controller;           /* its rank */
    int n_lines[4];           /* logged: see below */
};

static struct scene scene_of(const struct group_config *config)
{
    return (struct scene){ .config = config, .place = group_place(config) };
}

/* Run it, and check which functions were called here: a worker function on each
 * rank of a group, a broker function on each broker. */
static void run_scene(struct scene *s, dwq_options_t options)
{
    bool member = s->place.rank >= 0, broker = s->place.is_broker;

    options.arg = s;
    CHECK(group_run(s->config, options) == 0);
    CHECK(s->n_broker == (options.broker && broker));
    CHECK(s->n_worker ==
          (options.worker && member && !(options.broker && broker)));
}

/* --- The plan ------------------------------------------------------------------- */

static int identify(dwq_call_t *call, void *arg)
{
    struct scene *s = arg;

    return dwq_call_return(call, DWQ_VALUES(world_rank(), s->place.group));
}

static const dwq_function_t identify_functions[] = {
    { "identify", identify, NULL }, { NULL, NULL, NULL }
};

static void check_group(const struct group_config *config,
                        const dwq_plan_t *plan, const dwq_result_t *r)
{
    const dwq_plan_group_t *group = &plan->groups[r->worker - 1];

    CHECK(group->id == r->worker && group->n_ranks == config->nprocs);
    CHECK(group->broker_is_worker == config->inside);
    CHECK(r->n_ranks == group->n_ranks);
    for (int i = 0; i < r->n_ranks; i++) {
        int rank = -1, number = -1;
        struct group_place place =
            group_place_of(config, group->ranks[i], plan->controller);

        CHECK(dwq_result_get(r, i, 0, &rank) && rank == group->ranks[i]);
        CHECK(dwq_result_get(r, i, 1, &number) && number == r->worker);
        CHECK(place.group == r->worker && place.rank == i);
    }
    CHECK(group_place_of(config, group->broker, plan->controller).is_broker);
    CHECK(group_place_of(config, group->broker, plan->controller).group ==
          r->worker);
}

static void check_idle(const struct group_config *config,
                       const dwq_plan_t *plan, int n_left)
{
    CHECK(plan->n_idle == n_left);
    for (int i = 0; i < plan->n_idle; i++) {
        CHECK(group_place_of(config, plan->idle[i].rank, plan->controller)
                  .is_idle);
        CHECK(strstr(plan->idle[i].reason, "too few ranks") != NULL);
    }
}

static int asks_who(dwq_controller_t *c, void *arg)
{
    struct scene *s = arg;
    const dwq_plan_t *plan = dwq_controller_plan(c);
    int n = s->place.n_groups;
    dwq_result_t result;

    CHECK(plan->size == world_size() && plan->controller == s->controller);
    CHECK(plan->n_groups == n && dwq_controller_world(c).n_workers == n);
    for (int w = 1; w <= n; w++) {
        CHECK(dwq_controller_submit_call(
                  c, &(dwq_task_t){ .function = "identify", .worker = w },
                  NULL) == DWQ_OK);
    }
    for (int w = 1; w <= n; w++) {
        CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
        CHECK(result.status == DWQ_OK);
        check_group(s->config, plan, &result);
        dwq_result_clear(&result);
    }
    check_idle(s->config, plan, s->place.n_left);
    return 0;
}

static void play_plan(const struct group_config *config)
{
    struct scene s = scene_of(config);

    run_scene(&s, (dwq_options_t){ .controller = asks_who,
                                   .functions = identify_functions });
}

static void every_rank_is_where_the_plan_says(void)
{
    group_configs(play_plan);
}

static void play_controllers_rank(const struct group_config *config)
{
    struct scene s = scene_of(config);
    char text[16];

    for (int i = 0; i < 2; i++) {
        s.controller = i ? 1 : world_size() - 1;
        s.place = group_place_of(config, world_rank(), s.controller);
        snprintf(text, sizeof text, "%d", i ? 1 : -1);
        setenv("DWQ_CONTROLLER_RANK", text, 1);
        run_scene(&s, (dwq_options_t){ .controller = asks_who,
                                       .functions = identify_functions });
    }
    unsetenv("DWQ_CONTROLLER_RANK");
}

static void the_environment_picks_the_controllers_rank_of_groups(void)
{
    group_configs(play_controllers_rank);
}

static void count_roles(const char *line, void *arg)
{
    static const char *const roles[] = { "controller of", "broker of worker",
                                         "of its group", "idle: " };
    struct scene *s = arg;

    for (int i = 0; i < 4; i++) {
        s->n_lines[i] += strstr(line, roles[i]) != NULL;
    }
}

static void play_verbose(const struct group_config *config)
{
    struct scene s = scene_of(config);
    bool controller = world_rank() == 0, broker = s.place.is_broker;

    run_scene(&s, (dwq_options_t){ .controller = asks_who,
                                   .functions = identify_functions,
                                   .verbose = true,
                                   .log = count_roles,
                                   .log_arg = &s });
    CHECK(s.n_lines[0] == controller);
    CHECK(s.n_lines[1] == broker);
    CHECK(s.n_lines[2] == (s.place.group > 0 && !broker));
    CHECK(s.n_lines[3] == s.place.is_idle);
}

static void verbose_says_the_role_of_every_rank(void)
{
    group_configs(play_verbose);
}

/* --- Communicators ------------------------------------------------------------------ */

/* Size and rank, and that an allreduce works. */
static void check_comm(MPI_Comm comm, int size, int rank)
{
    int is_size = -1, is_rank = -1, one = 1, sum = 0;

    CHECK(comm != MPI_COMM_NULL);
    MPI_Comm_size(comm, &is_size);
    MPI_Comm_rank(comm, &is_rank);
    CHECK(is_size == size);
    CHECK(is_rank == rank);
    MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, comm);
    CHECK(sum == size);
}

static int merged_size(const struct scene *s)
{
    return s->config->nprocs + !s->config->inside;
}

/* A broker inside that has a function of its own comes to no group communicator. */
static int worker_comms(dwq_worker_t *worker, void *arg)
{
    struct scene *s = arg;

    s->n_worker++;
    CHECK(dwq_worker_id(worker) == s->place.group);
    CHECK(dwq_worker_world(worker).is_worker);
    CHECK(dwq_worker_world(worker).n_workers == s->place.n_groups);
    check_comm(dwq_worker_merged_comm(worker), merged_size(s), s->place.place);
    check_comm(dwq_worker_comm(worker), s->config->nprocs, s->place.rank);
    return 0;
}

static int broker_comms(dwq_broker_t *broker, void *arg)
{
    struct scene *s = arg;

    s->n_broker++;
    CHECK(dwq_broker_id(broker) == s->place.group);
    CHECK(dwq_broker_world(broker).n_workers == s->place.n_groups);
    CHECK(dwq_broker_world(broker).is_worker == s->config->inside);
    check_comm(dwq_broker_merged_comm(broker), merged_size(s), 0);
    check_comm(dwq_broker_group_comm(broker), s->place.n_groups,
               s->place.group - 1);
    return 0;
}

static int call_comms(dwq_call_t *call, void *arg)
{
    struct scene *s = arg;

    CHECK(dwq_call_rank(call) == s->place.rank);
    CHECK(dwq_call_size(call) == s->config->nprocs);
    check_comm(dwq_call_comm(call), s->config->nprocs, s->place.rank);
    return dwq_call_return(call, DWQ_VALUES(world_rank(), s->place.group));
}

static void play_comms(const struct group_config *config)
{
    struct scene s = scene_of(config);
    const dwq_function_t functions[] = { { "identify", call_comms, NULL },
                                         { NULL, NULL, NULL } };

    run_scene(&s,
              (dwq_options_t){ .controller = asks_who,
                               .worker = worker_comms,
                               .broker = config->inside ? NULL : broker_comms,
                               .functions = functions });
}

static void communicators_have_the_sizes_and_ranks_of_the_contract(void)
{
    group_configs(play_comms);
}

/* A broker inside with a function of its own runs that, and no worker function. */
static int only_merged(dwq_worker_t *worker, void *arg)
{
    struct scene *s = arg;

    s->n_worker++;
    CHECK(s->place.place > 0);
    check_comm(dwq_worker_merged_comm(worker), merged_size(s), s->place.place);
    return 0;
}

static void play_inside(const struct group_config *config)
{
    struct scene s = scene_of(config);

    if (config->inside) {
        run_scene(&s, (dwq_options_t){ .controller = asks_who,
                                       .worker = only_merged,
                                       .broker = broker_comms,
                                       .functions = identify_functions });
    }
}

static void a_broker_inside_runs_the_broker_function_if_there_is_one(void)
{
    group_configs(play_inside);
}

/* --- Ready data --------------------------------------------------------------------- */

/* Odd ranks of the group say 100 + rank, brokers 200 + number. */
static int worker_data(dwq_worker_t *worker, void *arg)
{
    struct scene *s = arg;

    s->n_worker++;
    s->worker = worker;
    if (s->place.rank % 2) {
        CHECK(dwq_worker_set_ready_data(
                  worker, dwq_value(100 + s->place.rank)) == DWQ_OK);
    }
    return 0;
}

static int broker_data(dwq_broker_t *broker, void *arg)
{
    struct scene *s = arg;

    s->n_broker++;
    CHECK(dwq_broker_set_ready_data(
              broker, dwq_value(200 + dwq_broker_id(broker))) == DWQ_OK);
    return 0;
}

/* change(): the last rank's data is text from now on. */
static int change(dwq_call_t *call, void *arg)
{
    struct scene *s = arg;

    if (dwq_call_rank(call) == dwq_call_size(call) - 1 && s->worker) {
        CHECK(dwq_worker_set_ready_data(s->worker, dwq_value("changed")) ==
              DWQ_OK);
    }
    return 0;
}

static void check_entry(const dwq_value_t *entry, bool is_set, int expected)
{
    int number = -1;

    if (is_set) {
        CHECK(dwq_read_int(entry, &number) && number == expected);
    } else {
        CHECK(entry->kind == DWQ_KIND_NIL);
    }
}

/* The list of a ready worker; last_text: its last rank's data is text. */
static int check_ready(dwq_controller_t *c, const struct scene *s,
                       bool last_text)
{
    int nprocs = s->config->nprocs, worker = 0;
    bool beside = !s->config->inside;
    const char *text = "";
    dwq_value_t data;
    dwq_status_t status;

    while ((status = dwq_controller_get_ready_worker(c, &worker, &data)) ==
           DWQ_E_AGAIN) {
    }
    CHECK(status == DWQ_OK && data.kind == DWQ_KIND_LIST);
    if (data.kind != DWQ_KIND_LIST) {
        return worker;
    }
    CHECK((int)data.u.list.n == nprocs + beside);
    for (int i = beside ? 0 : 1; i < nprocs - last_text; i++) {
        check_entry(&data.u.list.items[i], i % 2, 100 + i);
    }
    if (last_text && (beside || nprocs > 1)) {
        CHECK(dwq_read_string(&data.u.list.items[nprocs - 1], &text) &&
              strcmp(text, "changed") == 0);
    }
    check_entry(&data.u.list.items[beside ? nprocs : 0], true, 200 + worker);
    return worker;
}

static int reads_data(dwq_controller_t *c, void *arg)
{
    struct scene *s = arg;
    int n_ok, worker = check_ready(c, s, false);

    for (int w = 1; w <= s->place.n_groups; w++) {
        CHECK(dwq_controller_submit_call(
                  c, &(dwq_task_t){ .function = "change", .worker = w },
                  NULL) == DWQ_OK);
    }
    CHECK(collect_all(c, DWQ_OK, &n_ok) == s->place.n_groups);
    CHECK(n_ok == s->place.n_groups && worker >= 1);
    check_ready(c, s, true);
    return 0;
}

static const dwq_function_t change_functions[] = { { "change", change, NULL },
                                                   { NULL, NULL, NULL } };

static void play_ready_data(const struct group_config *config)
{
    struct scene s = scene_of(config);

    run_scene(&s, (dwq_options_t){ .controller = reads_data,
                                   .worker = worker_data,
                                   .broker = broker_data,
                                   .functions = change_functions });
}

static void ready_data_of_a_group_is_a_list_per_rank(void)
{
    group_configs(play_ready_data);
}

static int reads_nothing(dwq_controller_t *c, void *arg)
{
    struct scene *s = arg;
    int worker = 0;
    dwq_value_t data = dwq_value(1);

    while (dwq_controller_get_ready_worker(c, &worker, &data) == DWQ_E_AGAIN) {
    }
    CHECK(data.kind == DWQ_KIND_LIST);
    CHECK(data.kind != DWQ_KIND_LIST ||
          (int)data.u.list.n == s->config->nprocs + !s->config->inside);
    for (size_t i = 0; data.kind == DWQ_KIND_LIST && i < data.u.list.n; i++) {
        CHECK(data.u.list.items[i].kind == DWQ_KIND_NIL);
    }
    return 0;
}

static void play_no_data(const struct group_config *config)
{
    struct scene s = scene_of(config);

    run_scene(&s, (dwq_options_t){ .controller = reads_nothing });
}

static void ready_data_that_nobody_set_is_a_list_of_nil(void)
{
    group_configs(play_no_data);
}

/* --- Isolation ------------------------------------------------------------------------ */

static int keep_worker(dwq_worker_t *worker, void *arg)
{
    struct scene *s = arg;

    s->n_worker++;
    s->worker = worker;
    return 0;
}

/* Messages with the library's tags: to the controller on the world, around the
 * group, and to the broker, who never receives them. */
static int noisy(dwq_call_t *call, void *arg)
{
    struct scene *s = arg;
    MPI_Comm comm = dwq_call_comm(call);
    int size = dwq_call_size(call), rank = dwq_call_rank(call), got[4];

    for (int tag = 0; tag < 4; tag++) {
        MPI_Request request;

        MPI_Send(&rank, 1, MPI_INT, 0, tag, MPI_COMM_WORLD);
        MPI_Isend(&rank, 1, MPI_INT, (rank + 1) % size, tag, comm, &request);
        got[tag] = -1;
        MPI_Recv(&got[tag], 1, MPI_INT, MPI_ANY_SOURCE, tag, comm,
                 MPI_STATUS_IGNORE);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        CHECK(got[tag] == (rank + size - 1) % size);
    }
    for (int tag = 0; tag < 8; tag++) {
        MPI_Send(&rank, 1, MPI_INT, 0, tag, dwq_worker_merged_comm(s->worker));
    }
    MPI_Send(&rank, 1, MPI_INT, 0, 77, comm);
    return dwq_call_return(call, DWQ_VALUES(rank));
}

static int hears_noise(dwq_controller_t *c, void *arg)
{
    struct scene *s = arg;
    int n = 3 * s->place.n_groups, n_ok, got;

    for (int i = 0; i < n; i++) {
        CHECK(dwq_controller_submit_call(
                  c, &(dwq_task_t){ .function = "noisy" }, NULL) == DWQ_OK);
    }
    CHECK(collect_all(c, DWQ_OK, &n_ok) == n && n_ok == n);
    for (int i = 0; i < n * s->config->nprocs * 4; i++) {
        MPI_Recv(&got, 1, MPI_INT, MPI_ANY_SOURCE, i % 4, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
    }
    return 0;
}

static void play_noise(const struct group_config *config)
{
    struct scene s = scene_of(config);
    const dwq_function_t functions[] = { { "noisy", noisy, NULL },
                                         { NULL, NULL, NULL } };

    run_scene(&s, (dwq_options_t){ .controller = hears_noise,
                                   .worker = keep_worker,
                                   .functions = functions });
}

static void user_messages_in_groups_disturb_nothing(void)
{
    group_configs(play_noise);
}

static const struct scenario scenarios[] = {
#define S(name)     \
    {               \
#name, name \
    }
    S(every_rank_is_where_the_plan_says),
    S(the_environment_picks_the_controllers_rank_of_groups),
    S(verbose_says_the_role_of_every_rank),
    S(communicators_have_the_sizes_and_ranks_of_the_contract),
    S(a_broker_inside_runs_the_broker_function_if_there_is_one),
    S(ready_data_of_a_group_is_a_list_per_rank),
    S(ready_data_that_nobody_set_is_a_list_of_nil),
    S(user_messages_in_groups_disturb_nothing),
    { NULL, NULL },
};

int main(int argc, char **argv)
{
    return scenario_main(argc, argv, scenarios);
}
