/* Which hosts a task may ask for, in runs of many. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "libdwq/queue/dispatcher.h"

#define N 84

/* Two groups on each of 42 hosts, one more that straddles two of them. */
static char names[N + 1][32];

static dwq_status_t fit(dwq_task_t task, int *worker_out, const char **text_out)
{
    static struct dwqi_error fault;
    static struct dwqi_log log;
    struct dwqi_dispatcher d;
    bool binding = false;
    dwq_status_t status;

    cr_assert_eq(
        dwqi_dispatcher_init(
            &d, &(struct dwqi_dispatcher_config){ .log = &log, .held_max = 1 }),
        DWQ_OK);
    for (int i = 0; i <= N; i++) {
        snprintf(names[i], sizeof names[i],
                 i < N ? "n%d.example.org" : "n0.example.org,n1.example.org",
                 i / 2);
        cr_assert_eq(dwqi_dispatcher_add_remote(
                         &d, i + 1,
                         &(dwq_worker_info_t){ .host = names[i],
                                               .n_ranks = i < N ? 2 : 4 }),
                     DWQ_OK);
    }
    fault.text[0] = '\0';
    status = dwqi_dispatcher_fit(&d, &task, &binding, worker_out, &fault);
    dwqi_dispatcher_finish(&d);
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
