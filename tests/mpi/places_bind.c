/* Option `bind`: what each rank may use in the run, and afterwards. */
#include <stdlib.h>

#include "tests/mpi/places.h"

static int check_unbound(dwq_controller_t *c, void *arg)
{
    const dwq_plan_t *plan = dwq_controller_plan(c);

    CHECK(plan->n_groups == 2);
    CHECK(n_allowed() == *(const int *)arg);
    for (int g = 0; g < plan->n_groups; g++) {
        CHECK(plan->groups[g].oversubscribed && plan->groups[g].n_cores == 0);
        CHECK(plan->groups[g].ranks[0] == 1 + 2 * g);
        CHECK(plan->groups[g].ranks[1] == 2 + 2 * g);
    }
    check_places(c, 0);
    return 0;
}

void a_crowded_host_is_planned_in_rank_order(void)
{
    struct heard heard = { "more ranks than cores", 0 };
    int before = n_allowed();

    setenv("DWQ_TOPOLOGY", "core:2 pu:1", 1);
    play((dwq_options_t){ .nprocs_per_worker = 2,
                          .broker_is_worker = true,
                          .bind = DWQ_BIND_CORE,
                          .arg = &before,
                          .log = listen_for,
                          .log_arg = &heard },
         check_unbound);
    CHECK(total(heard.n) == 1);
}

void no_binding_to_a_described_topology_but_one_warning(void)
{
    struct heard heard = { "option bind", 0 };
    int before = n_allowed();

    setenv("DWQ_TOPOLOGY", "pack:1 numa:2 core:4 pu:1", 1);
    play((dwq_options_t){ .nprocs_per_worker = DWQ_NPROCS_AUTO,
                          .bind = DWQ_BIND_GROUP,
                          .log = listen_for,
                          .log_arg = &heard },
         check_only_places);
    CHECK(total(heard.n) == 1);
    CHECK(n_allowed() == before);
}

/* --- This machine ------------------------------------------------------------- */

static int check_bound(dwq_controller_t *c, void *arg)
{
    const dwq_plan_group_t *group = dwq_controller_plan(c)->groups;

    (void)arg;
    CHECK(group->n_ranks == 1);
    CHECK(group->oversubscribed || group->n_cores == 1);
    check_places(c, group->n_cores);
    return 0;
}

/* What a rank hears of its binding. */
struct bind_lines {
    struct heard warnings, bound;
    bool crowded; /* the controller: nothing is bound here */
};

static void listen_to_binding(const char *line, void *arg)
{
    struct bind_lines *lines = arg;

    listen_for(line, &lines->warnings);
    listen_for(line, &lines->bound);
}

/* The controller has a core of its own, too, which its group has not. */
static int check_all_bound(dwq_controller_t *c, void *arg)
{
    const dwq_plan_group_t *group = dwq_controller_plan(c)->groups;
    struct bind_lines *lines = arg;
    dwq_result_t result;
    int first = -1;

    lines->crowded = group->oversubscribed;
    CHECK(group->oversubscribed || n_allowed() == 1);
    ask(c, &(dwq_task_t){ .function = "where", .worker = 1 }, &result);
    CHECK(dwq_result_get(&result, 0, 3, &first) && first >= 0);
    CHECK(group->oversubscribed || first != first_allowed());
    dwq_result_clear(&result);
    return check_bound(c, arg);
}

/* A core has one hardware thread here, or check_places would be told of more. Each
 * rank says that it bound itself: the launcher may have bound it to the same. */
void ranks_bind_themselves_and_let_go(void)
{
    int before = n_allowed();

    for (dwq_bind_t bind = DWQ_BIND_CORE; bind <= DWQ_BIND_GROUP; bind++) {
        struct bind_lines lines = { .warnings = { "option bind", 0 },
                                    .bound = { "bound to hardware threads",
                                               0 } };

        play((dwq_options_t){ .grouping = DWQ_GROUPING_SPLIT,
                              .broker_is_worker = true,
                              .bind = bind,
                              .verbose = true,
                              .arg = &lines,
                              .log = listen_to_binding,
                              .log_arg = &lines },
             check_all_bound);
        CHECK(total(lines.warnings.n) == 0);
        CHECK(lines.bound.n == (total(lines.crowded) > 0 ? 0 : 1));
        CHECK(n_allowed() == before);
    }
}

static int check_spawned_bound(dwq_controller_t *c, void *arg)
{
    CHECK(!dwq_controller_plan(c)->groups->oversubscribed);
    return check_bound(c, arg);
}

/* Three processes need three cores, so those of the job are told of as many; the
 * spawned one is not, and binds itself for real to what its broker says. */
void spawned_ranks_bind_themselves(void)
{
    struct heard heard = { "option bind", 0 };
    dwq_world_t world;

    dwq_world(&world);
    if (!world.spawned) {
        setenv("DWQ_TOPOLOGY", "core:3 pu:1", 1);
    }
    play((dwq_options_t){ .grouping = DWQ_GROUPING_SPAWN,
                          .bind = DWQ_BIND_CORE,
                          .log = listen_for,
                          .log_arg = &heard },
         check_spawned_bound);
    CHECK(world.spawned || total(heard.n) == 1); /* its broker could not */
}
