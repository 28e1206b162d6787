/* Tasks that name hosts with their domain, and without. On 9 ranks, which
 * driver_hosts.c puts on four hosts: fat.example.org, n2.example.org, n2.elsewhere.org
 * and bare. */
#include "tests/mpi/places.h"

static void expect_on(dwq_controller_t *c, const char *asked, const char *host)
{
    dwq_worker_info_t info = { .host = "" };
    dwq_result_t result;

    for (int i = 0; i < 3; i++) {
        ask(c, &(dwq_task_t){ .function = "where", .host = asked }, &result);
        CHECK(dwq_worker_info(c, result.worker, &info) == DWQ_OK);
        CHECK(strcmp(info.host, host) == 0);
        dwq_result_clear(&result);
    }
}

static void expect_refused(dwq_controller_t *c, struct heard *heard,
                           const dwq_task_t *task, const char *text)
{
    *heard = (struct heard){ text, 0 };
    CHECK(dwq_controller_submit_call(c, task, NULL) == DWQ_E_ARG);
    CHECK(heard->n == 1);
}

static int asks(dwq_controller_t *c, void *arg)
{
    CHECK(dwq_controller_plan(c)->n_groups == 4);
    expect_on(c, "fat", "fat.example.org");
    expect_on(c, "fat.example.org", "fat.example.org");
    expect_on(c, "fat.example", "fat.example.org");
    expect_on(c, "bare", "bare");
    expect_on(c, "bare.example.org", "bare");
    expect_on(c, "n2.elsewhere.org", "n2.elsewhere.org");
    expect_refused(c, arg, &(dwq_task_t){ .function = "where", .host = "n2" },
                   "refused: host 'n2' may be any of n2.example.org, "
                   "n2.elsewhere.org");
    expect_refused(
        c, arg, &(dwq_task_t){ .function = "where", .host = "n2.else" },
        "refused: the run has no worker on host 'n2.else': its hosts are "
        "fat.example.org, n2.example.org, n2.elsewhere.org, bare");
    expect_refused(c, arg, &(dwq_task_t){ .function = "where", .host = "" },
                   "refused: the run has no worker on host '': its hosts are");
    expect_refused(
        c, arg, &(dwq_task_t){ .function = "where", .host = "fat", .ranks = 9 },
        "refused: the run has no worker of 9 ranks or more on host 'fat'");
    return 0;
}

static void hosts_are_found_with_and_without_their_domain(void)
{
    struct heard heard = { "", 0 };

    play((dwq_options_t){ .nprocs_per_worker = DWQ_NPROCS_AUTO,
                          .domain = DWQ_DOMAIN_HOST,
                          .broker_is_worker = true,
                          .arg = &heard,
                          .log = listen_for,
                          .log_arg = &heard },
         asks);
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        { "hosts_are_found_with_and_without_their_domain",
          hosts_are_found_with_and_without_their_domain },
        { NULL, NULL },
    };

    return scenario_main(argc, argv, scenarios);
}
