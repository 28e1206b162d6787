#include "brokers/group_run.h"

#include <stdlib.h>

static struct dwqi_group_run *of(struct dwqi_runner *runner)
{
    return (struct dwqi_group_run *)(void *)runner;
}

static dwq_status_t handle(struct dwqi_group_run *run,
                           enum dwqi_group_event event);

static dwq_status_t start(struct dwqi_runner *runner, const void *item,
                          const struct dwqi_task_head *head)
{
    struct dwqi_group_run *run = of(runner);

    run->item = item;
    run->head = *head;
    run->lost = 0;
    return handle(run, run->held ? DWQI_GE_GIVEN_HELD : DWQI_GE_GIVEN);
}

static dwq_status_t fail(struct dwqi_runner *runner,
                         const struct dwqi_task_head *head)
{
    struct dwqi_group_run *run = of(runner);

    run->lost = head->size;
    run->head = *head;
    return handle(run, DWQI_GE_LOST);
}

/* --- This rank's share ------------------------------------------------------- */

static dwq_status_t run_share(struct dwqi_group_run *run)
{
    const struct dwqi_share *share = dwqi_team_own_share(run->team);
    const void *item = run->item;
    void *copy = NULL;
    dwq_status_t status;

    if (share) {
        copy = dwqi_pool_get(dwqi_executor_pool(run->executor),
                             dwqi_share_size(share));
        if (!copy) {
            return dwqi_executor_fail(run->executor, &run->head,
                                      dwqi_share_size(share), &run->own);
        }
        dwqi_share_copy(share, item, copy);
        item = copy;
    }
    status =
        dwqi_executor_run(run->executor, item, &run->head, share, &run->own);
    dwqi_pool_give(copy);
    if (status == DWQ_OK && run->own.gave_up) {
        dwqi_team_gave_up(run->team);
    }
    return status;
}

static dwq_status_t run_own(struct dwqi_group_run *run)
{
    dwq_status_t status = dwqi_team_enter(run->team);

    if (status == DWQ_OK) {
        status = run_share(run);
    }
    return status == DWQ_OK ? dwqi_team_leave(run->team) : status;
}

/* --- The result --------------------------------------------------------------- */

static void release_merge(void *owner)
{
    dwqi_merge_destroy(owner);
}

/* What each rank gave. `extents` has room for one per rank, and for the own part;
 * `texts` for one of DWQI_NO_MEMORY_SIZE per rank. */
static void list_inputs(struct dwqi_group_run *run, bool refused,
                        struct dwqi_merge_input *inputs,
                        struct dwqi_extent *extents, char *texts)
{
    int n = dwqi_team_n_ranks(run->team), own = dwqi_team_rank(run->team);
    const struct dwqi_pack *pack = &run->own.pack;

    for (int r = 0; r < n; r++) {
        const struct dwqi_team_part *part = dwqi_team_part(run->team, r);

        extents[r] = (struct dwqi_extent){ part->data, part->size };
        inputs[r] = (struct dwqi_merge_input){
            .extents = &extents[r],
            .n_extents = part->size > 0 && !refused,
            .stays = part->memory != NULL || part->stays,
        };
        if (run->lost > 0 || part->lost > 0) {
            inputs[r].lost = texts + (size_t)r * DWQI_NO_MEMORY_SIZE;
            dwqi_no_memory_text(
                texts + (size_t)r * DWQI_NO_MEMORY_SIZE, run->log,
                run->lost > 0 ? "a task" : "what this rank returned",
                run->lost > 0 ? run->lost : part->lost);
        }
    }
    if (own >= 0 && !refused) {
        extents[n] = (struct dwqi_extent){ pack->block, pack->block_size };
        for (size_t i = 0; i < pack->n_extents; i++) {
            extents[(size_t)n + 1 + i] = pack->extents[i];
        }
        inputs[own] =
            (struct dwqi_merge_input){ .extents = &extents[n],
                                       .n_extents = 1 + pack->n_extents,
                                       .stays = true };
    }
}

/* The memory in which parts stay goes with the result. */
static void give_memory(struct dwqi_group_run *run, struct dwqi_merge *merge)
{
    for (int r = 0; r < dwqi_team_n_ranks(run->team); r++) {
        struct dwqi_team_part *part = dwqi_team_part(run->team, r);

        dwqi_merge_take(merge, part->memory);
        part->memory = NULL;
    }
    dwqi_team_drop_parts(run->team);
    dwqi_merge_take_done(merge, &run->own);
}

static dwq_status_t make_report(struct dwqi_group_run *run, bool refused,
                                bool *has_failed_out)
{
    int n = dwqi_team_n_ranks(run->team);
    size_t n_extents = (size_t)n + 1 + run->own.pack.n_extents;
    struct dwqi_merge_input *inputs = calloc((size_t)n, sizeof *inputs);
    struct dwqi_extent *extents = calloc(n_extents, sizeof *extents);
    char *texts = malloc((size_t)n * DWQI_NO_MEMORY_SIZE);
    struct dwqi_merge *merge = NULL;
    dwq_status_t status = DWQ_E_NOMEM;

    if (inputs && extents && texts) {
        list_inputs(run, refused, inputs, extents, texts);
        status = dwqi_merge_create(
            &run->head, inputs, n,
            refused ? "the task could not be read"
                    : "what this rank returned could not be read",
            &merge);
    }
    free(inputs);
    free(extents);
    free(texts);
    if (status != DWQ_OK) {
        return status;
    }
    give_memory(run, merge);
    *has_failed_out = dwqi_merge_has_failed(merge);
    run->report =
        (struct dwqi_report){ .release = release_merge, .owner = merge };
    run->report.parts =
        dwqi_merge_extents(merge, &run->report.n_parts, &run->report.size);
    return DWQ_OK;
}

/* --- Steps --------------------------------------------------------------------- */

static dwq_status_t send_task(struct dwqi_group_run *run)
{
    dwq_status_t status = dwqi_team_send_task(run->team, run->item, &run->head);

    if (status == DWQ_E_MESSAGE) {
        return handle(run, DWQI_GE_UNREADABLE);
    }
    return status != DWQ_OK
               ? status
               : handle(run, run->executor ? DWQI_GE_SENT : DWQI_GE_SENT_ALL);
}

static dwq_status_t merge(struct dwqi_group_run *run, bool refused)
{
    bool has_failed = false;
    dwq_status_t status = run->before_report
                              ? run->before_report(run->before_report_arg)
                              : DWQ_OK;

    if (status == DWQ_OK) {
        status = make_report(run, refused, &has_failed);
    }
    if (status != DWQ_OK) {
        return status;
    }
    return handle(run,
                  has_failed && !refused ? DWQI_GE_FAILED : DWQI_GE_SUCCEEDED);
}

static dwq_status_t act(struct dwqi_group_run *run,
                        enum dwqi_group_action action)
{
    switch (action) {
    case DWQI_GA_SEND:
        return send_task(run);
    case DWQI_GA_RUN:
        return run_own(run);
    case DWQI_GA_MERGE:
    case DWQI_GA_REFUSE:
        return merge(run, action == DWQI_GA_REFUSE);
    case DWQI_GA_RENEW:
        return dwqi_team_send_renew(run->team);
    default: /* the report is there: poll gives it */
        return DWQ_OK;
    }
}

static dwq_status_t handle(struct dwqi_group_run *run,
                           enum dwqi_group_event event)
{
    struct dwqi_edge edge = dwqi_group_edge(run->state, event);

    if (!edge.allowed) {
        return DWQ_E_STATE;
    }
    run->state = edge.next;
    return act(run, edge.action);
}

/* What the state waits for. DWQ_E_AGAIN: not yet. */
static dwq_status_t await(struct dwqi_group_run *run)
{
    dwq_status_t status = DWQ_OK;

    switch (run->state) {
    case DWQI_GS_HELD:
        return run->held ? DWQ_E_AGAIN : handle(run, DWQI_GE_RELEASED);
    case DWQI_GS_REFUSED:
        return handle(run, DWQI_GE_IS_UP);
    case DWQI_GS_DOWN:
        status = dwqi_team_poll(run->team);
        if (status != DWQ_OK && status != DWQ_E_AGAIN) {
            return status;
        }
        return dwqi_team_is_down(run->team) ? handle(run, DWQI_GE_IS_DOWN)
                                            : DWQ_E_AGAIN;
    case DWQI_GS_UP:
        status = dwqi_team_poll(run->team);
        return status == DWQ_OK ? handle(run, DWQI_GE_IS_UP) : status;
    case DWQI_GS_RENEWING:
        status = dwqi_team_poll(run->team);
        status = status == DWQ_OK ? dwqi_team_renew(run->team) : status;
        return status == DWQ_OK ? handle(run, DWQI_GE_RENEWED) : status;
    default:
        return DWQ_E_STATE;
    }
}

static dwq_status_t poll(struct dwqi_runner *runner,
                         struct dwqi_report *report_out)
{
    struct dwqi_group_run *run = of(runner);
    dwq_status_t status;

    do {
        status = await(run);
    } while (status == DWQ_OK && run->state != DWQI_GS_IDLE);
    if (status != DWQ_OK) {
        return status;
    }
    *report_out = run->report;
    run->report = (struct dwqi_report){ .owner = NULL };
    return DWQ_OK;
}

static const struct dwqi_runner_ops group_ops = {
    .start = start,
    .fail = fail,
    .poll = poll,
};

void dwqi_group_run_init(struct dwqi_group_run *run, struct dwqi_team *team,
                         struct dwqi_executor *executor,
                         const struct dwqi_log *log)
{
    *run = (struct dwqi_group_run){
        .runner.ops = &group_ops, .team = team, .executor = executor, .log = log
    };
}

void dwqi_group_run_finish(struct dwqi_group_run *run)
{
    dwqi_done_finish(&run->own);
    if (run->report.release) {
        run->report.release(run->report.owner);
    }
}

bool dwqi_group_run_is_busy(const struct dwqi_group_run *run)
{
    return run->state != DWQI_GS_IDLE;
}

void dwqi_group_run_hold(struct dwqi_group_run *run, bool held)
{
    run->held = held;
}

bool dwqi_group_run_is_held(const struct dwqi_group_run *run)
{
    return run->held;
}
