/* Runs whose limit is the end of their allocation. */
#include <math.h>
#include <time.h>
#include <unistd.h>

#include "tests/mpi/group_setup.h"

#define SECONDS 3.

/* The controller's rank alone is asked. */
static void say(const char *name, const char *value)
{
    if (world_rank() == 0) {
        setenv(name, value, 1);
    }
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --- Functions ------------------------------------------------------------ */

/* (seconds): fails if it is asked to stop before. */
static int sleeps(dwq_call_t *call, void *arg)
{
    double seconds = 0, end;

    (void)arg;
    dwq_arg(call, 0, &seconds);
    end = now() + seconds;
    while (now() < end) {
        if (dwq_call_stop(call) != DWQ_STOP_NONE) {
            return dwq_call_fail(call, 3, "asked to stop");
        }
        sleep_seconds(0.01);
    }
    return 0;
}

/* () -> why it was asked to stop */
static int waits(dwq_call_t *call, void *arg)
{
    dwq_stop_t stop = DWQ_STOP_NONE;

    (void)arg;
    for (int i = 0; i < 3000 && stop == DWQ_STOP_NONE; i++) {
        sleep_seconds(0.01);
        stop = dwq_call_stop(call);
    }
    return dwq_call_return(call, DWQ_VALUES((int)stop));
}

static const dwq_function_t functions[] = { { "sleeps", sleeps, NULL },
                                            { "waits", waits, NULL },
                                            { NULL, NULL, NULL } };

/* --- Controllers ------------------------------------------------------------ */

static void submit(dwq_controller_t *c, const char *function, double seconds,
                   double time_est)
{
    CHECK(dwq_controller_submit_call(c,
                                     &(dwq_task_t){ .function = function,
                                                    .time_est = time_est,
                                                    DWQ_ARGS(seconds) },
                                     NULL) == DWQ_OK);
}

/* More calls of known time than fit: those that do not are over at once, and none that
 * started is asked to stop. A call that takes longer than it said is. */
static int plans_ahead(dwq_controller_t *c, void *arg)
{
    int n = dwq_controller_world(c).n_workers, n_ok = 0, n_late = 0, why = 0;
    dwq_result_t result;

    (void)arg;
    n = 12 * (n > 0 ? n : 1);
    for (int i = 0; i < n; i++) {
        submit(c, "sleeps", 0.3, 0.6);
    }
    for (int i = 0; i < n; i++) {
        CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
        n_ok += result.status == DWQ_OK && result.attempts == 1;
        n_late += result.status == DWQ_E_TIME_LIMIT && result.attempts == 0;
        dwq_result_clear(&result);
    }
    CHECK(n_ok > 0 && n_late > 0 && n_ok + n_late == n);
    submit(c, "waits", 0, 1e-3);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
    CHECK(result.status == DWQ_E_TIME_LIMIT ||
          (result.status == DWQ_OK && dwq_result_get(&result, 0, 0, &why) &&
           why == DWQ_STOP_END));
    dwq_result_clear(&result);
    return 0;
}

static int sleeps_once(dwq_controller_t *c, void *arg)
{
    dwq_result_t result;

    (void)arg;
    submit(c, "sleeps", 0.4, 1);
    CHECK(dwq_controller_get_next_result(c, &result) == DWQ_OK);
    CHECK(result.status == DWQ_OK);
    dwq_result_clear(&result);
    return 0;
}

static int stays(dwq_controller_t *c, void *arg)
{
    (void)c, (void)arg;
    sleep_seconds(60);
    return 0;
}

/* --- Scenarios --------------------------------------------------------------- */

static const dwq_options_t planning = { .controller = plans_ahead,
                                        .functions = functions,
                                        .time_est_seconds = true };

static void play_group(const struct group_config *config)
{
    static double first;
    char text[32];

    first = first > 0 ? first : now();
    snprintf(text, sizeof text, "%g", now() - first + SECONDS);
    say("DWQ_TIME_LIMIT", text);
    CHECK(group_run(config, planning) == 0);
}

static void calls_end_before_the_allocation(void)
{
    say("DWQ_TIME_LIMIT", "3");
    CHECK(scenario_run_options(&planning) == 0);
}

static void calls_of_groups_end_before_the_allocation(void)
{
    group_configs(play_group);
}

static void slurm_says_when_the_allocation_ends(void)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)time(NULL) + 4);
    say("SLURM_JOB_END_TIME", text);
    CHECK(scenario_run_options(&planning) == 0);
}

/* Also not the program's. */
static void none_is_no_limit(void)
{
    say("DWQ_TIME_LIMIT", ""); /* as if it were not there: the option counts */
    say("SLURM_JOB_END_TIME", "1");
    CHECK(scenario_run_options(&(dwq_options_t){ .controller = sleeps_once,
                                                 .functions = functions,
                                                 .time_limit = 60 }) == 0);
    say("DWQ_TIME_LIMIT", "none");
    CHECK(scenario_run_options(&(dwq_options_t){ .controller = sleeps_once,
                                                 .functions = functions,
                                                 .time_limit = 0.1 }) == 0);
}

static void what_cannot_be_read_is_refused(void)
{
    int code = 0;

    say("DWQ_TIME_LIMIT", "soon");
    CHECK(dwq_run(&(dwq_options_t){ .controller = sleeps_once,
                                    .functions = functions },
                  &code) == DWQ_E_OPTION);
    CHECK(strstr(dwq_controller_error(NULL), "DWQ_TIME_LIMIT is 'soon'"));
}

static void a_controller_that_stays_is_ended(void)
{
    say("DWQ_TIME_LIMIT", "1.2");
    scenario_run_options(&(dwq_options_t){
        .controller = stays, .functions = functions, .end_margin = 0.6 });
}

int main(int argc, char **argv)
{
#define S(name)     \
    {               \
#name, name \
    }
    static const struct scenario scenarios[] = {
        S(calls_end_before_the_allocation),
        S(calls_of_groups_end_before_the_allocation),
        S(slurm_says_when_the_allocation_ends),
        S(none_is_no_limit),
        S(what_cannot_be_read_is_refused),
        S(a_controller_that_stays_is_ended),
        { NULL, NULL },
    };

    return scenario_main(argc, argv, scenarios);
}
