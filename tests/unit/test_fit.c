/* Which hosts a task may ask for, in runs of many. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "libdwq/queue/controller_private.h"

#define N 84

/* Two groups on each of 42 hosts, one more that straddles two of them. */
static char names[N + 1][32];
static dwq_plan_group_t groups[N + 1];
static dwq_plan_t plan = { .groups = groups, .n_groups = N + 1 };

static dwq_status_t fit(dwq_task_t task, int *worker_out, const char **text_out)
{
    static struct dwqi_error fault;
    dwq_controller_t c = { .config = { .n_workers = N + 1, .plan = &plan } };
    bool binding = false;
    dwq_status_t status;

    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "n%d.example.org", i / 2);
        groups[i] = (dwq_plan_group_t){ .host = names[i], .n_ranks = 2 };
    }
    strcpy(names[N], "n0.example.org,n1.example.org");
    groups[N] = (dwq_plan_group_t){ .host = names[N], .n_ranks = 4 };
    fault.text[0] = '\0';
    c.scheduler = dwqi_scheduler_create(N + 1, DWQ_ORDER_FIFO, 1);
    cr_assert(c.scheduler);
    status = dwqi_controller_fit(&c, &task, &binding, worker_out, &fault);
    dwqi_scheduler_destroy(c.scheduler);
    *text_out = fault.text;
    return status;
}

Test(fit, a_host_is_found_without_its_domain)
{
    const char *text;
    int worker = 0;

    cr_assert_eq(fit((dwq_task_t){ .host = "n7" }, &worker, &text), DWQ_OK);
    cr_assert(worker == 15 || worker == 16, "worker %d", worker);
    cr_assert_eq(
        fit((dwq_task_t){ .host = "n7", .worker = 16 }, &worker, &text),
        DWQ_OK);
    cr_assert_eq(worker, 16);
    /* Those that straddle are on no host. */
    cr_assert_eq(fit((dwq_task_t){ .host = "n0", .ranks = 3 }, &worker, &text),
                 DWQ_E_OPTION);
    cr_assert_str_eq(text,
                     "the run has no worker of 3 ranks or more on host 'n0'");
}

Test(fit, a_refusal_lists_some_of_many_hosts)
{
    const char *text;
    int worker;

    cr_assert_eq(fit((dwq_task_t){ .host = "m" }, &worker, &text),
                 DWQ_E_OPTION);
    cr_assert_str_eq(text, "the run has no worker on host 'm': its hosts are "
                           "n0.example.org, n1.example.org, n2.example.org, "
                           "n3.example.org, n4.example.org and 37 more");
}
