/* One task on a group: down, the broker's own share, parts up, one result. */
#ifndef DWQI_BROKERS_GROUP_RUN_H
#define DWQI_BROKERS_GROUP_RUN_H

#include "brokers/group_fsm.h"
#include "brokers/merge.h"
#include "libdwq/group/team.h"
#include "workers/executor.h"
#include "workers/runner.h"

struct dwqi_group_run {
    struct dwqi_runner runner;
    struct dwqi_team *team;         /* borrowed */
    struct dwqi_executor *executor; /* borrowed; NULL: beside the group */
    const struct dwqi_log *log;     /* borrowed */
    enum dwqi_group_state state;
    bool held;     /* no task may start now: what is given waits */
    uint64_t lost; /* bytes of a task that there was no memory for, or 0 */
    const void *item;
    struct dwqi_task_head head;
    struct dwqi_done own; /* this rank's part */
    /* Of a call that failed, until all have renewed. */
    struct dwqi_report report;

    /* NULL, or called when all parts are here, before the result is made. */
    dwq_status_t (*before_report)(void *arg);
    void *before_report_arg;
};

void dwqi_group_run_init(struct dwqi_group_run *run, struct dwqi_team *team,
                         struct dwqi_executor *executor,
                         const struct dwqi_log *log);
void dwqi_group_run_finish(struct dwqi_group_run *run);
bool dwqi_group_run_is_busy(const struct dwqi_group_run *run);
/* Whether a task that is given from now on has to wait. Not while one runs. */
void dwqi_group_run_hold(struct dwqi_group_run *run, bool held);
bool dwqi_group_run_is_held(const struct dwqi_group_run *run);

#endif
