/* What is said when the launcher bound ranks to fewer cores than they need. */
#include "tests/unit/placer_fixture.h"

/* One host of six cores; rank r is bound to core r and those behind it. */
static struct fixture make_bound(int n_ranks, int n_cores)
{
    struct fixture f = make("a:pack:1 core:6 pu:1", 0);

    f.cluster.hosts[0].this_system = true;
    for (int r = 0; r < n_ranks; r++) {
        struct dwqi_cpuset set = { .words = NULL };

        for (int i = 0; i < n_cores; i++) {
            cr_assert(dwqi_cpuset_add(&set, (r + i) % 6));
        }
        cr_assert_eq(dwqi_cluster_add_rank(&f.cluster, 0, &set), DWQ_OK);
        dwqi_cpuset_finish(&set);
    }
    cr_assert_eq(dwqi_cluster_restrict(&f.cluster), DWQ_OK);
    return f;
}

static void refuse(struct fixture *f, struct dwqi_size size, int threads)
{
    place(f, (struct dwqi_place_request){ .size = size,
                                          .broker = DWQI_BROKER_INSIDE,
                                          .threads = threads });
    cr_assert_eq(f->status, DWQ_E_OPTION);
}

static bool names_launcher(const struct fixture *f)
{
    return strstr(f->why.text, "--bind-to none") != NULL;
}

Test(launched, threads_beyond_a_binding_name_the_launcher)
{
    const struct dwqi_size sizes[] = { fixed(1), fixed(2), by(DWQI_DOMAIN_NUMA),
                                       by(DWQI_DOMAIN_HOST) };

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct fixture f = make_bound(3, 1);

        refuse(&f, sizes[i], 2);
        cr_assert(names_launcher(&f), "%s", f.why.text);
        cr_assert_not_null(strstr(f.why.text, "may use 1 core only"));
        cr_assert_eq(f.why.code, DWQI_PART_THREADS);
        finish(&f);
    }
}

Test(launched, what_is_missing_otherwise_is_not_the_launchers)
{
    struct fixture free = make_bound(3, 6), few = make_bound(2, 1);

    refuse(&free, fixed(2), 7);
    cr_assert_not(names_launcher(&free), "%s", free.why.text);
    refuse(&few, fixed(4), 1);
    cr_assert_not(names_launcher(&few), "%s", few.why.text);
    finish(&free);
    finish(&few);
}

Test(launched, ranks_that_were_bound_to_one_core_name_it)
{
    struct fixture f = make("a:pack:1 core:6 pu:1", 0);
    struct dwqi_cpuset one = { .words = NULL }, other = { .words = NULL };

    f.cluster.hosts[0].this_system = true;
    cr_assert(dwqi_cpuset_add(&one, 0) && dwqi_cpuset_add(&other, 1) &&
              dwqi_cpuset_add(&other, 2));
    dwqi_cluster_add_rank(&f.cluster, 0, &other);
    dwqi_cluster_add_rank(&f.cluster, 0, &one);
    dwqi_cluster_add_rank(&f.cluster, 0, &one);
    cr_assert_eq(dwqi_cluster_restrict(&f.cluster), DWQ_OK);
    refuse(&f, fixed(2), 1);
    cr_assert(names_launcher(&f), "%s", f.why.text);
    dwqi_cpuset_finish(&one);
    dwqi_cpuset_finish(&other);
    finish(&f);
}
