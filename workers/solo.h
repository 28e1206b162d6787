/* Runs tasks on this rank alone, at once. */
#ifndef DWQI_WORKERS_SOLO_H
#define DWQI_WORKERS_SOLO_H

#include "workers/executor.h"
#include "workers/runner.h"

struct dwqi_solo {
    struct dwqi_runner runner;
    struct dwqi_executor *executor; /* borrowed */
    struct dwqi_done done;          /* of the last task, until it was sent */
    struct dwqi_extent part;
};

void dwqi_solo_init(struct dwqi_solo *solo, struct dwqi_executor *executor);
/* What was run and never sent. */
void dwqi_solo_finish(struct dwqi_solo *solo);

/* The report of a part, which is taken. DWQ_OK, DWQ_E_NOMEM (and the part is
 * released). */
dwq_status_t dwqi_report_of_done(struct dwqi_done *done,
                                 struct dwqi_report *report_out);

#endif
