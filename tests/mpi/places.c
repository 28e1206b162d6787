/* Runs that are placed: every rank says where it is, and that is where the plan
 * puts it. */
#define _DEFAULT_SOURCE /* gethostname */
#include <stdlib.h>
#include <unistd.h>

#include "tests/mpi/places.h"

/* No core has two ranks, and no group is in two parts of so many cores. */
static void check_cores(const dwq_plan_t *plan, int part)
{
    for (int g = 0; g < plan->n_groups; g++) {
        const dwq_plan_seat_t *seats = plan->groups[g].seats;
        int first = seats[0].cores[0];

        for (int i = 0; i < plan->groups[g].n_ranks; i++) {
            CHECK(seats[i].n_cores == 1);
            CHECK(seats[i].cores[0] / part == first / part);
            CHECK(i == 0 || seats[i].cores[0] != seats[i - 1].cores[0]);
        }
    }
}

/* --- One host, of a described topology ------------------------------------ */

static int check_numa(dwq_controller_t *c, void *arg)
{
    const dwq_plan_t *plan = dwq_controller_plan(c);

    (void)arg;
    /* 8 ranks on 2 x 4 cores: the controller has one. */
    expect_widths(plan, (const int[]){ 3, 4 }, 2);
    check_cores(plan, 4);
    check_places(c, 0);
    return 0;
}

static void each_numa_node_gets_a_group(void)
{
    setenv("DWQ_TOPOLOGY", "pack:1 numa:2 core:4 pu:1", 1);
    play((dwq_options_t){ .nprocs_per_worker = DWQ_NPROCS_AUTO,
                          .broker_is_worker = true },
         check_numa);
}

/* No core is in two seats of the plan; each has n. */
static void check_own_cores(const dwq_plan_t *plan, int n)
{
    bool taken[64] = { false };

    for (int g = 0; g < plan->n_groups; g++) {
        CHECK(!plan->groups[g].oversubscribed);
        for (int i = 0; i < plan->groups[g].n_ranks; i++) {
            const dwq_plan_seat_t *seat = &plan->groups[g].seats[i];

            CHECK(seat->n_cores == n);
            for (int k = 0; k < seat->n_cores; k++) {
                CHECK(!taken[seat->cores[k]]);
                taken[seat->cores[k]] = true;
            }
        }
    }
}

static int check_threads(dwq_controller_t *c, void *arg)
{
    const dwq_plan_t *plan = dwq_controller_plan(c);
    dwq_worker_info_t info;

    (void)arg;
    expect_widths(plan, (const int[]){ 2, 2 }, 2);
    check_own_cores(plan, 2);
    check_places(c, 0);
    CHECK(dwq_worker_info(c, 1, &info) == DWQ_OK && info.n_cores == 4);
    for (int g = 0; g < plan->n_groups; g++) {
        const dwq_plan_seat_t *seats = plan->groups[g].seats;

        CHECK(seats[0].cores[0] / 6 == seats[1].cores[1] / 6);
    }
    return 0;
}

static void each_rank_has_cores_for_its_threads(void)
{
    setenv("DWQ_TOPOLOGY", "pack:1 numa:2 core:6 pu:1", 1);
    play((dwq_options_t){ .nprocs_per_worker = 2,
                          .threads_per_rank = 2,
                          .broker_is_worker = true },
         check_threads);
}

static int check_brokers_on_threads(dwq_controller_t *c, void *arg)
{
    const dwq_plan_t *plan = dwq_controller_plan(c);

    (void)arg;
    expect_widths(plan, (const int[]){ 2, 2 }, 2);
    check_own_cores(plan, 1);
    check_places(c, 0);
    return 0;
}

/* 7 ranks on 5 cores: the controller, two groups of 2, and on the second hardware
 * threads their brokers. */
static void brokers_take_spare_hardware_threads(void)
{
    setenv("DWQ_TOPOLOGY", "pack:1 numa:1 core:5 pu:2", 1);
    play((dwq_options_t){ .nprocs_per_worker = 2, .broker_on_thread = true },
         check_brokers_on_threads);
}

static int check_fill(dwq_controller_t *c, void *arg)
{
    const dwq_plan_t *plan = dwq_controller_plan(c);
    bool spread = *(const bool *)arg;

    expect_widths(plan, (const int[]){ 2, 2 }, 2);
    check_own_cores(plan, 1);
    CHECK((plan->groups[0].seats[0].cores[0] / 8 !=
           plan->groups[1].seats[0].cores[0] / 8) == spread);
    check_places(c, 0);
    return 0;
}

static void groups_are_packed_or_spread(void)
{
    setenv("DWQ_TOPOLOGY", "pack:1 numa:2 core:8 pu:1", 1);
    for (int i = 0; i < 2; i++) {
        bool spread = i == 1;

        play(
            (dwq_options_t){ .nprocs_per_worker = 2,
                             .broker_is_worker = true,
                             .arg = &spread,
                             .fill = spread ? DWQ_FILL_SPREAD : DWQ_FILL_PACK },
            check_fill);
    }
}

static int check_fixed(dwq_controller_t *c, void *arg)
{
    const dwq_plan_t *plan = dwq_controller_plan(c);

    (void)arg;
    /* In blocks the second group would straddle: 1-3, 4-6. */
    expect_widths(plan, (const int[]){ 3, 3 }, 2);
    CHECK(plan->n_idle == 1 && plan->idle[0].reason[0] != '\0');
    check_cores(plan, 4);
    check_places(c, 0);
    return 0;
}

static void groups_of_a_given_size_straddle_nothing(void)
{
    setenv("DWQ_TOPOLOGY", "pack:1 numa:2 core:4 pu:1", 1);
    play((dwq_options_t){ .nprocs_per_worker = 3,
                          .broker_is_worker = true,
                          .straddle = DWQ_STRADDLE_IF_MUST },
         check_fixed);
}

static int check_beside(dwq_controller_t *c, void *arg)
{
    const dwq_plan_t *plan = dwq_controller_plan(c);

    (void)arg;
    CHECK(plan->n_groups == 2);
    for (int g = 0; g < plan->n_groups; g++) {
        for (int i = 0; i < plan->groups[g].n_ranks; i++) {
            CHECK(plan->groups[g].ranks[i] != plan->groups[g].broker);
        }
    }
    check_places(c, 0);
    return 0;
}

static void brokers_beside_their_groups(void)
{
    setenv("DWQ_TOPOLOGY", "pack:1 numa:2 core:4 pu:1", 1);
    play((dwq_options_t){ .nprocs_per_worker = DWQ_NPROCS_AUTO,
                          .collective_mode = DWQ_COLLECTIVE_SENDRECV },
         check_beside);
}

/* --- Tasks that ask for more ------------------------------------------------ */

static int check_tasks(dwq_controller_t *c, void *arg)
{
    const dwq_plan_t *plan = dwq_controller_plan(c);
    const char *host = plan->groups[0].host;
    dwq_result_t result;
    int n = 0;

    (void)arg;
    expect_widths(plan, (const int[]){ 3, 4 }, 2);
    for (int i = 0; i < 20; i++) {
        dwq_task_t task = { .function = "where", .ranks = 3 + i % 2 };

        CHECK(dwq_controller_queue_call(c, &task, NULL) == DWQ_OK);
    }
    while (dwq_controller_get_next_result(c, &result) == DWQ_OK) {
        CHECK(result.status == DWQ_OK);
        CHECK(result.id % 2 == 1 || result.n_ranks == 4);
        n++;
        dwq_result_clear(&result);
    }
    CHECK(n == 20);
    ask(c, &(dwq_task_t){ .function = "where", .host = host }, &result);
    dwq_result_clear(&result);
    CHECK(dwq_controller_submit_call(
              c, &(dwq_task_t){ .function = "where", .ranks = 5 }, NULL) ==
          DWQ_E_ARG);
    CHECK(dwq_controller_submit_call(
              c, &(dwq_task_t){ .function = "where", .host = "nowhere" },
              NULL) == DWQ_E_ARG);
    CHECK(dwq_controller_submit_call(
              c, &(dwq_task_t){ .function = "where", .worker = 1, .ranks = 4 },
              NULL) == DWQ_E_ARG);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_E_EMPTY);
    return 0;
}

struct refusal {
    dwq_task_t task;
    const char *text;
};

/* Each is refused at once, with its reason in one line of the log. */
static void expect_refusals(dwq_controller_t *c, struct heard *heard,
                            const struct refusal *refusals, int n)
{
    for (int i = 0; i < n; i++) {
        dwq_task_t task = refusals[i].task;

        task.function = "where";
        *heard = (struct heard){ refusals[i].text, 0 };
        CHECK(dwq_controller_submit_call(c, &task, NULL) == DWQ_E_ARG);
        CHECK(heard->n == 1);
    }
}

static int check_refusals(dwq_controller_t *c, void *arg)
{
    static const struct refusal refusals[] = {
        { { .host = "nowhere" },
          "refused: the run has no worker on host 'nowhere'" },
        { { .ranks = 5 }, "refused: the run has no worker of 5 ranks or more" },
        { { .host = "nowhere", .ranks = 2 },
          "no worker of 2 ranks or more on host 'nowhere'" },
        { { .worker = 1, .ranks = 4 },
          "refused: it asks for worker 1, and for one of 4 ranks or more" },
        { { .ranks = -1 }, "refused: ranks is -1" },
    };

    expect_refusals(c, arg, refusals, 5);
    return 0;
}

/* Its host is there, but nobody has looked. */
static int check_not_placed(dwq_controller_t *c, void *arg)
{
    static char host[256];

    gethostname(host, sizeof host - 1);
    expect_refusals(
        c, arg, &(struct refusal){ { .host = host }, "the run knows no hosts" },
        1);
    return 0;
}

static void refusals_say_what_no_worker_has(void)
{
    struct heard heard = { "", 0 };
    dwq_options_t options = { .nprocs_per_worker = DWQ_NPROCS_AUTO,
                              .broker_is_worker = true,
                              .arg = &heard,
                              .log = listen_for,
                              .log_arg = &heard };

    setenv("DWQ_TOPOLOGY", "pack:1 numa:2 core:4 pu:1", 1);
    play(options, check_refusals);
    options.nprocs_per_worker = 2;
    play(options, check_not_placed);
}

/* The others of its host are told nonsense, and do not look. */
static void one_rank_of_a_host_looks_at_it(void)
{
    dwq_world_t world;

    CHECK(dwq_world(&world) == DWQ_OK && world.size > 1);
    setenv("DWQ_TOPOLOGY",
           world.rank == 0 ? "pack:1 numa:2 core:4 pu:1" : "nonsense", 1);
    play((dwq_options_t){ .nprocs_per_worker = DWQ_NPROCS_AUTO,
                          .broker_is_worker = true },
         check_numa);
}

static void tasks_ask_for_ranks_and_hosts(void)
{
    setenv("DWQ_TOPOLOGY", "pack:1 numa:2 core:4 pu:1", 1);
    play((dwq_options_t){ .nprocs_per_worker = DWQ_NPROCS_AUTO,
                          .broker_is_worker = true },
         check_tasks);
}

/* The wide worker leaves before it served: what waits for it alone is told so. */
static int wide_withdraws(dwq_worker_t *worker, void *arg)
{
    (void)arg;
    return dwq_worker_id(worker) == 2 ? 5 : 0;
}

static int check_withdrawn(dwq_controller_t *c, void *arg)
{
    dwq_result_t result;
    uint64_t wide, any;

    (void)arg;
    dwq_controller_submit_call(
        c, &(dwq_task_t){ .function = "where", .ranks = 4 }, &wide);
    dwq_controller_submit_call(
        c, &(dwq_task_t){ .function = "where", .ranks = 3 }, &any);
    CHECK(dwq_controller_get_result(c, wide, &result) == DWQ_OK);
    CHECK(result.status == DWQ_E_WORKER);
    dwq_result_clear(&result);
    CHECK(dwq_controller_get_result(c, any, &result) == DWQ_OK);
    CHECK(result.status == DWQ_OK && result.worker == 1);
    dwq_result_clear(&result);
    return 0;
}

static void a_task_whose_only_worker_left_is_told(void)
{
    setenv("DWQ_TOPOLOGY", "pack:1 numa:2 core:4 pu:1", 1);
    play((dwq_options_t){ .nprocs_per_worker = DWQ_NPROCS_AUTO,
                          .broker_is_worker = true,
                          .worker = wide_withdraws },
         check_withdrawn);
}

/* --- Refusals ------------------------------------------------------ */

static void what_cannot_be_placed_is_refused_on_every_rank(void)
{
    static const dwq_options_t bad[] = {
        { .nprocs_per_worker = 9, .straddle = DWQ_STRADDLE_NEVER },
        { .nprocs_per_worker = 2, .groups_per_host = 2 },
        { .nprocs_per_worker = 2,
          .broker_is_worker = true,
          .broker_on_thread = true },
        { .nprocs_per_worker = DWQ_NPROCS_AUTO,
          .domain = DWQ_DOMAIN_L3,
          .groups_per_host = 2 },
        { .nprocs_per_worker = DWQ_NPROCS_AUTO, .threads_per_rank = 9 },
    };
    struct heard heard = { "error", 0 };

    setenv("DWQ_TOPOLOGY", "pack:1 numa:2 core:4 pu:1", 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        dwq_options_t options = bad[i];

        options.controller = check_only_places;
        options.functions = places_functions;
        options.log = listen_for;
        options.log_arg = &heard;
        CHECK(dwq_run(&options, NULL) == DWQ_E_OPTION);
        CHECK(total(heard.n) == (int)i + 1);
    }
    setenv("DWQ_TOPOLOGY", "nonsense", 1);
    CHECK(dwq_run(&(dwq_options_t){ .controller = check_only_places,
                                    .nprocs_per_worker = DWQ_NPROCS_AUTO,
                                    .log = listen_for,
                                    .log_arg = &heard },
                  NULL) == DWQ_E_OPTION);
}

/* --- Several hosts; the driver gives each its topology --------------------------- */

static int check_hosts(dwq_controller_t *c, void *arg)
{
    static const char *const hosts[] = { "node1", "node2", "node3" };
    const dwq_plan_t *plan = dwq_controller_plan(c);
    dwq_result_t result;

    (void)arg;
    /* 4, 4 and 2 cores; the controller has one of node1. */
    expect_widths(plan, (const int[]){ 3, 4, 2 }, 3);
    for (int g = 0; g < plan->n_groups; g++) {
        CHECK(strcmp(plan->groups[g].host, hosts[g]) == 0);
    }
    check_places(c, 0);
    for (int i = 0; i < 9; i++) {
        ask(c, &(dwq_task_t){ .function = "where", .host = hosts[i % 3] },
            &result);
        CHECK(result.worker == 1 + i % 3);
        dwq_result_clear(&result);
    }
    return 0;
}

static void unequal_hosts_get_groups_of_their_width(void)
{
    play((dwq_options_t){ .nprocs_per_worker = DWQ_NPROCS_AUTO,
                          .domain = DWQ_DOMAIN_HOST,
                          .broker_is_worker = true },
         check_hosts);
}

static int check_spawned(dwq_controller_t *c, void *arg)
{
    const dwq_plan_t *plan = dwq_controller_plan(c);

    (void)arg;
    CHECK(plan->n_groups >= 2);
    for (int g = 0; g < plan->n_groups; g++) {
        CHECK(!strchr(plan->groups[g].host, ','));
        CHECK(plan->groups[g].ranks[plan->groups[g].n_ranks - 1] == -1);
    }
    check_places(c, 0);
    return 0;
}

static void spawned_groups_start_where_the_plan_says(void)
{
    play((dwq_options_t){ .grouping = DWQ_GROUPING_SPAWN,
                          .nprocs_per_worker = DWQ_NPROCS_AUTO,
                          .domain = DWQ_DOMAIN_HOST,
                          .bind = DWQ_BIND_GROUP },
         check_spawned);
}

int main(int argc, char **argv)
{
#define ROW(name)   \
    {               \
#name, name \
    }
    static const struct scenario scenarios[] = {
        ROW(each_numa_node_gets_a_group),
        ROW(each_rank_has_cores_for_its_threads),
        ROW(brokers_take_spare_hardware_threads),
        ROW(groups_are_packed_or_spread),
        ROW(groups_of_a_given_size_straddle_nothing),
        ROW(brokers_beside_their_groups),
        ROW(tasks_ask_for_ranks_and_hosts),
        ROW(refusals_say_what_no_worker_has),
        ROW(one_rank_of_a_host_looks_at_it),
        ROW(a_task_whose_only_worker_left_is_told),
        ROW(a_crowded_host_is_planned_in_rank_order),
        ROW(no_binding_to_a_described_topology_but_one_warning),
        ROW(what_cannot_be_placed_is_refused_on_every_rank),
        ROW(ranks_bind_themselves_and_let_go),
        ROW(spawned_ranks_bind_themselves),
        ROW(unequal_hosts_get_groups_of_their_width),
        ROW(spawned_groups_start_where_the_plan_says),
        { NULL, NULL },
    };

    return scenario_main(argc, argv, scenarios);
}
