/* dwq-plan --compare-blocks. */
#include <limits.h>
#include <stdlib.h>

#include "topology/plan/blocks.h"
#include "topology/plan/names.h"
#include "topology/plan/options.h"

/* Clusters, and a group size for which they are cut. */
static const struct {
    const char *hosts;
    const char *size;
} cases[] = {
    { "n:pack:1 core:4 pu:1", "2" },
    { "n[1-4]:pack:2 core:8 pu:1", "4" },
    { "n[1-4]:pack:2 core:8 pu:1", "6" },
    { "n[01-16]:pack:2 numa:2 core:16 pu:2", "8" },
    { "n[01-16]:pack:2 numa:2 core:16 pu:2", "12" },
    { "n[01-16]:pack:2 numa:2 core:16 pu:2", "auto:numa" },
    { "n[01-64]:pack:2 numa:4 l3:2 core:8 pu:1", "16" },
    { "n[01-64]:pack:2 numa:4 l3:2 core:8 pu:1", "auto:package" },
    { "a[1-8]:pack:2 core:12 pu:1; b[1-4]:pack:4 core:10 pu:1", "5" },
    { "a[1-8]:pack:2 core:12 pu:1; b[1-4]:pack:4 core:10 pu:1", "8" },
    { "n[001-500]:pack:2 numa:4 core:16 pu:1", "10" },
};

/* Brokers on threads are ranks more than cores. */
static int brokers_on_threads(const struct plan_options *options,
                              const struct dwqi_machine *machine)
{
    const struct dwqi_place_request *request = &options->request;
    enum dwqi_domain domain = request->size.domain;
    int threads = request->threads > 0 ? request->threads : 1, n_parts = 0;

    if (request->broker != DWQI_BROKER_THREAD ||
        machine->n_pus == machine->n_cores) {
        return 0;
    }
    if (request->size.kind != DWQI_SIZE_DOMAIN) {
        return request->size.kind == DWQI_SIZE_PER_HOST
                   ? request->size.n
                   : machine->n_cores / threads / request->size.n;
    }
    for (int i = 0; i < machine->n_cores; i++) {
        const struct dwqi_core *core = &machine->cores[i];
        const struct dwqi_core *before = i > 0 ? core - 1 : NULL;

        n_parts += !before || dwqi_core_part(core, domain) !=
                                  dwqi_core_part(before, domain);
    }
    return n_parts;
}

/* Where all cores make groups whose brokers are on threads, the controller is on
 * one, too. `n`: ranks of the host without that. */
static bool has_more_for_controller(const struct plan_options *options,
                                    const struct dwqi_cluster *cluster,
                                    int host, int n)
{
    const struct dwqi_machine *machine = dwqi_cluster_machine(cluster, host);
    const struct dwqi_size *size = &options->request.size;
    int threads = options->request.threads > 0 ? options->request.threads : 1;
    long long unit =
        (long long)threads * (size->kind == DWQI_SIZE_FIXED ? size->n : 1);
    bool is_home = options->controller < 0
                       ? host == cluster->n_hosts - 1
                       : options->controller >= cluster->n_ranks &&
                             (long long)options->controller <=
                                 (long long)cluster->n_ranks + n;

    return is_home && brokers_on_threads(options, machine) > 0 &&
           machine->n_cores % unit == 0;
}

dwq_status_t dwqi_plan_add_ranks(const struct plan_options *options,
                                 struct dwqi_cluster *cluster,
                                 const struct dwqi_cpuset *allowed)
{
    int threads = options->request.threads > 0 ? options->request.threads : 1;

    if (options->request.grouping == DWQ_GROUPING_SPAWN &&
        options->ranks_per_host == 0 && !allowed) {
        return DWQ_OK;
    }
    for (int h = 0; h < cluster->n_hosts; h++) {
        const struct dwqi_machine *machine = dwqi_cluster_machine(cluster, h);
        int n = options->ranks_per_host;

        if (n == 0) {
            n = machine->n_cores / threads +
                brokers_on_threads(options, machine);
            n += has_more_for_controller(options, cluster, h, n);
        }
        for (int i = 0; i < n; i++) {
            dwq_status_t status = dwqi_cluster_add_rank(cluster, h, allowed);

            if (status != DWQ_OK) {
                return status;
            }
        }
    }
    return dwqi_cluster_restrict(cluster);
}

int dwqi_plan_controller(const struct plan_options *options, int n_ranks)
{
    if (options->controller < 0) {
        return n_ranks > 0 ? n_ranks - 1 : 0;
    }
    return options->controller;
}

static int complain(const char *text)
{
    fprintf(stderr, "dwq-plan: %s\n", text);
    return 2;
}

static int most_common_width(const struct dwqi_placement *plan)
{
    int best = 0, best_count = 0;

    for (int i = 0; i < plan->n_groups; i++) {
        int count = 0;

        if (plan->groups[i].width == best) {
            continue;
        }
        for (int k = 0; k < plan->n_groups; k++) {
            count += plan->groups[k].width == plan->groups[i].width;
        }
        if (count > best_count) {
            best = plan->groups[i].width;
            best_count = count;
        }
    }
    return best;
}

static int print_row(const char *hosts,
                     const struct dwqi_place_request *request,
                     const struct dwqi_cluster *cluster)
{
    struct dwqi_placement plan, blocks = { .groups = NULL };
    struct dwqi_error fault;
    struct dwqi_figures ours, theirs = { .n_groups = 0 };
    char size[32];
    int code = 0;
    dwq_status_t status = dwqi_place(cluster, request, &plan, &fault);

    if (status != DWQ_OK) {
        return complain(status == DWQ_E_OPTION ? fault.text
                                               : dwq_status_text(status));
    }
    status = dwqi_blocks(cluster, request, most_common_width(&plan), &blocks);
    if (status == DWQ_OK) {
        status = dwqi_figures(cluster, &blocks, &theirs);
    }
    if ((status == DWQ_OK || status == DWQ_E_OPTION) &&
        dwqi_figures(cluster, &plan, &ours) == DWQ_OK) {
        dwqi_size_print(&request->size, size, sizeof size);
        printf("%-58.58s %-12s %7d %9d %6d  %7d %9d %6d\n", hosts, size,
               theirs.n_groups, theirs.n_straddling, theirs.n_idle_cores,
               ours.n_groups, ours.n_straddling, ours.n_idle_cores);
    } else {
        code = complain(dwq_status_text(DWQ_E_NOMEM));
    }
    dwqi_placement_finish(&plan);
    dwqi_placement_finish(&blocks);
    return code;
}

static void print_head(void)
{
    printf("%-58s %-12s  consecutive blocks         placer\n", "", "");
    printf("%-58s %-12s %7s %9s %6s  %7s %9s %6s\n", "cluster", "size",
           "groups", "straddle", "idle", "groups", "straddle", "idle");
}

static void print_foot(void)
{
    printf("straddle: groups in several NUMA nodes, packages or hosts whose "
           "cores would fit into one\nidle: cores with neither a rank of a "
           "group, a broker nor the controller\n");
}

int dwqi_plan_compare_one(struct plan_options *options,
                          const struct dwqi_cluster *cluster)
{
    int code;

    if (cluster->n_ranks == 0) {
        return complain("--compare-blocks needs ranks: --ranks-per-host, or "
                        "--grouping split");
    }
    options->request.controller =
        dwqi_plan_controller(options, cluster->n_ranks);
    print_head();
    code = print_row(options->hosts  ? options->hosts
                     : options->file ? options->file
                                     : "this machine",
                     &options->request, cluster);
    if (code == 0) {
        print_foot();
    }
    return code;
}

static int compare_case(const struct plan_options *options, size_t i)
{
    struct dwqi_cluster cluster = { .hosts = NULL };
    struct plan_options one = *options;
    struct dwqi_error fault;
    dwq_status_t status = dwqi_hosts_parse(cases[i].hosts, &cluster, &fault);
    int code;

    dwqi_size_parse(cases[i].size, &one.request.size);
    if (status == DWQ_OK) {
        status = dwqi_plan_add_ranks(&one, &cluster, NULL);
    }
    one.request.controller = dwqi_plan_controller(&one, cluster.n_ranks);
    code = status == DWQ_OK ? print_row(cases[i].hosts, &one.request, &cluster)
                            : complain(dwq_status_text(status));
    dwqi_cluster_finish(&cluster);
    return code;
}

int dwqi_plan_compare(const struct plan_options *options)
{
    int code = 0;

    print_head();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0] && code == 0; i++) {
        code = compare_case(options, i);
    }
    print_foot();
    return code;
}
