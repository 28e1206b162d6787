/* Hosts with as many ranks as cores, or a few more, are planned and bound; the
 * controller shares a core where it is asked to, or has to. */
#include <stdlib.h>
#include <string.h>

#include "tests/mpi/places.h"

/* --- One rank more than cores ------------------------------------------------ */

static int check_shared(dwq_controller_t *c, void *arg)
{
    const dwq_plan_t *plan = dwq_controller_plan(c);
    int first[2] = { -1, -1 };
    dwq_result_t result;

    (void)arg;
    expect_widths(plan, (const int[]){ 2 }, 1);
    CHECK(!plan->groups[0].oversubscribed && plan->n_idle == 0);
    check_places(c, 1);
    ask(c, &(dwq_task_t){ .function = "where" }, &result);
    for (int i = 0; i < 2; i++) {
        CHECK(dwq_result_get(&result, i, 3, &first[i]));
    }
    CHECK(first[0] != first[1] && n_allowed() == 1);
    CHECK(first_allowed() == first[0] || first_allowed() == first[1]);
    dwq_result_clear(&result);
    return 0;
}

/* On this machine, if it has two cores of one thread each. */
static void one_rank_more_than_cores_is_bound(void)
{
    int before = n_allowed();

    if (before != 2) {
        return;
    }
    setenv("DWQ_BIND", "core", 1);
    play((dwq_options_t){ .nprocs_per_worker = DWQ_NPROCS_AUTO,
                          .domain = DWQ_DOMAIN_HOST,
                          .broker_is_worker = true },
         check_shared);
    CHECK(n_allowed() == before);
}

static int check_threads(dwq_controller_t *c, void *arg)
{
    const dwq_plan_t *plan = dwq_controller_plan(c);

    (void)arg;
    expect_widths(plan, (const int[]){ 3 }, 1);
    CHECK(!plan->groups[0].oversubscribed);
    for (int i = 0; i < 3; i++) {
        CHECK(plan->groups[0].seats[i].n_cores == 1);
    }
    check_places(c, 0);
    return 0;
}

static void a_rank_on_each_hardware_thread_is_placed(void)
{
    struct heard heard = { "more ranks than cores: planned in rank order", 0 };

    setenv("DWQ_TOPOLOGY", "core:2 pu:2", 1);
    play((dwq_options_t){ .nprocs_per_worker = DWQ_NPROCS_AUTO,
                          .broker_is_worker = true,
                          .log = listen_for,
                          .log_arg = &heard },
         check_threads);
    CHECK(total(heard.n) == 0);
}

/* --- A controller that shares ------------------------------------------------- */

static int check_groups(dwq_controller_t *c, void *arg)
{
    const dwq_plan_t *plan = dwq_controller_plan(c);
    bool shares = *(const bool *)arg;

    CHECK(plan->n_groups == (shares ? 2 : 1));
    CHECK(plan->n_idle == (shares ? 0 : 1));
    CHECK(shares || strstr(plan->idle[0].reason, "controller_shares_core"));
    check_places(c, 0);
    return 0;
}

/* Two ranks of two threads each have all four cores. */
static void the_controller_shares_a_core_when_asked(void)
{
    setenv("DWQ_TOPOLOGY", "numa:2 core:2 pu:1", 1);
    for (int way = 0; way < 3; way++) { /* not; by option; by environment */
        struct heard heard = { "option controller_shares_core", 0 };
        bool shares = way > 0;

        if (way == 2) {
            setenv("DWQ_CONTROLLER_SHARES", "1", 1);
        }
        play((dwq_options_t){ .grouping = DWQ_GROUPING_SPLIT,
                              .threads_per_rank = 2,
                              .broker_is_worker = true,
                              .controller_shares_core = way == 1,
                              .verbose = true,
                              .arg = &shares,
                              .log = listen_for,
                              .log_arg = &heard },
             check_groups);
        CHECK(total(heard.n) == !shares);
    }
}

static void a_group_that_needs_the_controllers_core_says_so(void)
{
    struct heard heard = { "if it shares a core (controller_shares_core)", 0 };

    setenv("DWQ_TOPOLOGY", "core:4 pu:1", 1);
    CHECK(dwq_run(&(dwq_options_t){ .controller = check_only_places,
                                    .nprocs_per_worker = 2,
                                    .threads_per_rank = 2,
                                    .broker_is_worker = true,
                                    .log = listen_for,
                                    .log_arg = &heard },
                  NULL) == DWQ_E_OPTION);
    CHECK(total(heard.n) == 1);
}

int main(int argc, char **argv)
{
#define ROW(name)   \
    {               \
#name, name \
    }
    static const struct scenario scenarios[] = {
        ROW(one_rank_more_than_cores_is_bound),
        ROW(a_rank_on_each_hardware_thread_is_placed),
        ROW(the_controller_shares_a_core_when_asked),
        ROW(a_group_that_needs_the_controllers_core_says_so),
        { NULL, NULL },
    };

    return scenario_main(argc, argv, scenarios);
}
