/* Tasks, their ids, and what is learned of how long functions take. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/queue/task.h"

static struct dwqi_task *create(struct dwqi_tasks *tasks,
                                const dwq_task_t *given)
{
    struct dwqi_task *task = NULL;
    const char *why = NULL;

    cr_assert_eq(dwqi_task_create(tasks, given, true, &task, &why), DWQ_OK,
                 "%s", why);
    return task;
}

static struct dwqi_task *create_with_id(struct dwqi_tasks *tasks, uint64_t id)
{
    return create(tasks, &(dwq_task_t){ .function = "f", .id = id });
}

static void refused(struct dwqi_tasks *tasks, const dwq_task_t *given,
                    dwq_status_t status, const char *word)
{
    struct dwqi_task *task = NULL;
    const char *why = "";
    unsigned before = (unsigned)tasks->map.n;

    cr_assert_eq(dwqi_task_create(tasks, given, true, &task, &why), status);
    cr_assert_null(task, "written only on success");
    cr_assert_not_null(strstr(why, word), "no '%s' in '%s'", word, why);
    cr_assert_eq((unsigned)tasks->map.n, before, "nothing changes");
}

/* --- Ids ---------------------------------------------------------------- */

Test(task, generated_id_is_never_one_in_use)
{
    struct dwqi_tasks tasks = { 0 };

    uint64_t first = ((uint64_t)1 << 62) + 1;

    for (uint64_t id = first; id < first + 3; id++) {
        cr_assert_eq(create_with_id(&tasks, id)->id, id);
    }
    create_with_id(&tasks, first + 4);
    cr_assert_eq(create_with_id(&tasks, 0)->id, first + 3);
    cr_assert_eq(create_with_id(&tasks, 0)->id, first + 5);
    dwqi_tasks_finish(&tasks);
}

Test(task, given_and_generated_ids_mixed_are_all_different)
{
    struct dwqi_tasks tasks = { 0 };

    for (unsigned i = 0; i < 2000; i++) {
        uint64_t id = i % 3 == 0 ? 3000 - i : 0;
        unsigned before = (unsigned)tasks.map.n;
        struct dwqi_task *found = id ? dwqi_task_find(&tasks, id) : NULL;

        if (found) {
            refused(&tasks, &(dwq_task_t){ .function = "f", .id = id },
                    DWQ_E_ID, "id");
        } else {
            struct dwqi_task *task = create_with_id(&tasks, id);

            cr_assert_neq(task->id, 0);
            cr_assert_eq(dwqi_task_find(&tasks, task->id), task);
            cr_assert_eq((unsigned)tasks.map.n, before + 1);
        }
    }
    dwqi_tasks_finish(&tasks);
}

Test(task, generated_id_is_never_zero)
{
    struct dwqi_tasks tasks = { .next_id = UINT64_MAX - 1 };

    cr_assert_eq(create_with_id(&tasks, 1)->id, 1);
    cr_assert_eq(create_with_id(&tasks, 0)->id, UINT64_MAX);
    cr_assert_eq(create_with_id(&tasks, 0)->id, ((uint64_t)1 << 62) + 1);
    dwqi_tasks_finish(&tasks);
}

/* must_hold: whoever counts from 1 meets none of them, whichever came first. */
Test(task, ids_given_after_one_was_generated_are_free)
{
    struct dwqi_tasks tasks = { 0 };
    uint64_t id = create_with_id(&tasks, 0)->id;

    cr_assert_leq(id, (uint64_t)INT64_MAX);
    for (uint64_t given = 1; given <= 1000; given++) {
        cr_assert_eq(create_with_id(&tasks, given)->id, given);
    }
    cr_assert_neq(create_with_id(&tasks, id + 1), NULL);
    cr_assert_eq(create_with_id(&tasks, 0)->id, id + 2);
    dwqi_tasks_finish(&tasks);
}

Test(task, id_can_be_used_again_once_its_task_is_removed)
{
    struct dwqi_tasks tasks = { 0 };
    struct dwqi_task *task = create_with_id(&tasks, 77);

    refused(&tasks, &(dwq_task_t){ .function = "f", .id = 77 }, DWQ_E_ID,
            "in use");
    cr_assert_eq(dwqi_task_find(&tasks, 77), task);
    dwqi_task_remove(&tasks, task);
    cr_assert_null(dwqi_task_find(&tasks, 77));
    cr_assert_eq(create_with_id(&tasks, 77)->id, 77);
    dwqi_tasks_finish(&tasks);
}

Test(task, any_other_number_can_be_an_id)
{
    static const uint64_t ids[] = { 1, UINT64_MAX, (uint64_t)1 << 63,
                                    (uint64_t)1 << 32, 4294967295u };
    struct dwqi_tasks tasks = { 0 };

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        create_with_id(&tasks, ids[i]);
    }
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        cr_assert_eq(dwqi_task_find(&tasks, ids[i])->id, ids[i]);
    }
    cr_assert_null(dwqi_task_find(&tasks, 0));
    dwqi_tasks_finish(&tasks);
}

/* A transfer that is under way keeps the task when it leaves the map. */
Test(task, lives_until_the_last_reference_is_gone)
{
    struct dwqi_tasks tasks = { 0 };
    struct dwqi_task *task = create_with_id(&tasks, 9);

    cr_assert_eq(task->refs, 1);
    task->refs++;
    dwqi_task_remove(&tasks, task);
    cr_assert_null(dwqi_task_find(&tasks, 9));
    cr_assert_eq(task->refs, 1);
    cr_assert_eq(task->id, 9);
    cr_assert_gt(task->pack.size, 0);
    dwqi_task_unref(task);
    dwqi_tasks_finish(&tasks);
}

/* --- What is given ------------------------------------------------------ */

Test(task, bad_names_and_estimates_are_refused)
{
    struct dwqi_tasks tasks = { 0 };
    static const double bad[] = { -1, -1e-300, NAN, INFINITY, -INFINITY };

    refused(&tasks, &(dwq_task_t){ .function = NULL }, DWQ_E_ARG, "NULL");
    refused(&tasks, &(dwq_task_t){ .function = "" }, DWQ_E_ARG, "\"\"");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        refused(&tasks, &(dwq_task_t){ .function = "f", .time_est = bad[i] },
                DWQ_E_ARG, "time_est");
    }
    refused(&tasks,
            &(dwq_task_t){ .function = "f",
                           .id = 5,
                           DWQ_ARGS(dwq_scatter(dwq_array(
                               DWQ_DOUBLE, &(double){ 1 }, 0, NULL))) },
            DWQ_E_ARG, "");
    cr_assert_eq(create_with_id(&tasks, 5)->id, 5, "5 is still free");
    dwqi_tasks_finish(&tasks);
}

Test(task, job_is_what_was_given)
{
    struct dwqi_tasks tasks = { 0 };
    const dwq_task_t given = {
        .function = "f", .worker = 3, .priority = -4, .time_est = 2.5
    };
    struct dwqi_task *task = create(&tasks, &given);
    const char *why;

    cr_assert_eq(task->entry.state, DWQI_TASK_MADE);
    cr_assert_eq(task->job.worker, 3);
    cr_assert(task->job.binding);
    cr_assert_eq(task->job.priority, -4);
    cr_assert_eq(task->job.time_est, 2.5);
    cr_assert_eq(dwqi_task_of(&task->job), task);
    cr_assert_eq(dwqi_task_create(&tasks, &given, false, &task, &why), DWQ_OK);
    cr_assert_eq(task->job.worker, 3);
    cr_assert(!task->job.binding, "a wish");
    task = create_with_id(&tasks, 0);
    cr_assert(!task->job.binding, "to no worker");
    cr_assert_eq(task->job.time_est, 1, "0 means 1");
    dwqi_tasks_finish(&tasks);
}

/* --- Rates -------------------------------------------------------------- */

Test(task, tasks_of_one_function_share_their_rate)
{
    struct dwqi_tasks tasks = { 0 };
    const dwq_task_t f = { .function = "f" }, g = { .function = "g" };
    const dwq_task_t mf = { .function = "f", .module = "m" };
    const dwq_task_t fm = { .function = "m", .module = "f" };
    const dwq_task_t *const kinds[] = { &f, &g, &mf, &fm };
    struct dwqi_rate *rates[4];

    for (int i = 0; i < 4; i++) {
        rates[i] = create(&tasks, kinds[i])->rate;
        cr_assert_lt(rates[i]->seconds, 0, "not known yet");
        for (int k = 0; k < i; k++) {
            cr_assert_neq(rates[i], rates[k]);
        }
    }
    for (int i = 0; i < 40; i++) { /* in another order */
        struct dwqi_task *task = create(&tasks, kinds[i * 3 % 4]);

        cr_assert_eq(task->rate, rates[i * 3 % 4]);
        cr_assert_eq(task->job.rate, &task->rate->seconds);
    }
    dwqi_tasks_finish(&tasks);
}

Test(task, the_table_of_the_options_has_two_names)
{
    struct dwqi_tasks tasks = { 0 };
    const dwq_task_t named = { .function = "f", .module = "__main__" };

    cr_assert_eq(create(&tasks, &(dwq_task_t){ .function = "f" })->rate,
                 create(&tasks, &named)->rate);
    dwqi_tasks_finish(&tasks);
}

/* Seconds and estimate of calls, and the mean of their quotients so far. */
static const struct {
    double seconds, time_est, mean;
} ended[] = {
    { 6, 2, 3 }, { 0.5, 0.5, 2 }, { 10, 2, 3 }, { 0, 9, 2.25 }, { 16, 2, 3.4 },
};

Test(task, how_long_a_call_takes_is_known_when_three_have_ended)
{
    struct dwqi_tasks tasks = { 0 };
    struct dwqi_task *task =
        create(&tasks, &(dwq_task_t){ .function = "f", .time_est = 4 });

    cr_assert_lt(dwqi_task_expected(task), 0);
    for (int i = 0; i < 5; i++) {
        dwqi_rate_learn(task->rate, ended[i].seconds, ended[i].time_est);
        if (i < 2) {
            cr_assert_lt(dwqi_task_expected(task), 0, "%d", i);
            cr_assert_lt(*task->job.rate, 0, "%d", i);
        } else {
            cr_assert_float_eq(dwqi_task_expected(task), 4 * ended[i].mean,
                               1e-12);
            cr_assert_float_eq(*task->job.rate, ended[i].mean, 1e-12);
        }
    }
    dwqi_tasks_finish(&tasks);
}

Test(task, an_estimate_in_seconds_is_known_at_once_and_stays)
{
    struct dwqi_tasks tasks = { .est_seconds = true };
    struct dwqi_task *task =
        create(&tasks, &(dwq_task_t){ .function = "f", .time_est = 4 });

    for (int i = 0; i < 5; i++) {
        cr_assert_eq(dwqi_task_expected(task), 4);
        cr_assert_eq(*task->job.rate, 1);
        dwqi_rate_learn(task->rate, ended[i].seconds, ended[i].time_est);
    }
    dwqi_tasks_finish(&tasks);
}

/* A large body may be under way when the controller is gone. */
Test(task, a_task_that_is_being_sent_outlives_its_queue)
{
    struct dwqi_tasks *tasks = calloc(1, sizeof *tasks);
    struct dwqi_task *task = create_with_id(tasks, 7);

    task->refs++;
    dwqi_tasks_finish(tasks);
    memset(tasks, 0, sizeof *tasks);
    cr_assert_eq(task->refs, 1);
    dwqi_task_unref(task);
    cr_assert_eq(tasks->n_spare, 0, "it was not touched");
    free(tasks);
}

Test(task, small_tasks_are_packed_in_place_and_serve_again)
{
    struct dwqi_tasks tasks = { 0 };
    double many[64] = { 0 };
    dwq_array_t array = dwq_array(DWQ_DOUBLE, many, 1, (size_t[]){ 64 });
    struct dwqi_task *task = create_with_id(&tasks, 1), *large;

    cr_assert_eq(task->pack.block, task->small);
    dwqi_task_remove(&tasks, task);
    large = create(&tasks, &(dwq_task_t){ .function = "f", DWQ_ARGS(array) });
    cr_assert_neq(large->pack.block, large->small);
    cr_assert_eq(large->refs, 1);
    cr_assert_null(large->outcome);
    cr_assert_eq(large->entry.state, DWQI_TASK_MADE);
    dwqi_task_drop_pack(large);
    cr_assert_null(large->pack.block);
    dwqi_tasks_finish(&tasks);
}
