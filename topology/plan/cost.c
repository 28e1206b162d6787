/* plan_cost HOSTS RANKS: plans so many hosts of 128 cores, a rank on each core, in
 * groups of RANKS. Prints "NAME VALUE" lines: processor seconds of the plan, and the
 * bytes of the cluster and of the plan. dwq-bench starts it. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "topology/placer.h"
#include "topology/plan/hosts.h"

#define RANKS_PER_HOST 128

static double processor_time(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double bytes_in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return (double)(info.uordblks + info.hblkhd);
}

static int plan(const struct dwqi_cluster *cluster, int ranks)
{
    struct dwqi_place_request request = { .grouping = DWQ_GROUPING_SPLIT,
                                          .broker = DWQI_BROKER_INSIDE };
    struct dwqi_placement placement;
    struct dwqi_error fault;
    double bytes = bytes_in_use(), seconds = processor_time();

    request.size = (struct dwqi_size){ .kind = DWQI_SIZE_FIXED, .n = ranks };
    if (dwqi_place(cluster, &request, &placement, &fault) != DWQ_OK) {
        fprintf(stderr, "plan_cost: %s\n", fault.text);
        return 1;
    }
    printf("seconds %.9g\n", processor_time() - seconds);
    printf("plan_bytes %.9g\n", bytes_in_use() - bytes);
    dwqi_placement_finish(&placement);
    return 0;
}

int main(int argc, char **argv)
{
    int n_hosts = argc > 2 ? atoi(argv[1]) : 0;
    int ranks = argc > 2 ? atoi(argv[2]) : 0;
    struct dwqi_cluster cluster = { .n_hosts = 0 };
    struct dwqi_error fault;
    dwq_status_t status;
    double bytes;
    char hosts[80];
    int code;

    /* hwloc keeps some memory from its first use on. */
    if (dwqi_hosts_parse("n:core:1 pu:1", &cluster, &fault) != DWQ_OK) {
        return 1;
    }
    dwqi_cluster_finish(&cluster);
    bytes = bytes_in_use();

    snprintf(hosts, sizeof hosts, "n[1-%d]:pack:2 numa:4 l3:2 core:8 pu:2",
             n_hosts);
    status = dwqi_hosts_parse(hosts, &cluster, &fault);
    if (status != DWQ_OK) {
        fprintf(stderr, "plan_cost: %s\n", fault.text);
        return 1;
    }
    for (int h = 0; h < n_hosts && status == DWQ_OK; h++) {
        for (int i = 0; i < RANKS_PER_HOST && status == DWQ_OK; i++) {
            status = dwqi_cluster_add_rank(&cluster, h, NULL);
        }
    }
    printf("cluster_bytes %.9g\n", bytes_in_use() - bytes);
    code = status == DWQ_OK ? plan(&cluster, ranks) : 1;
    dwqi_cluster_finish(&cluster);
    return code;
}
