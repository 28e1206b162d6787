/* Cells that serve no more. */
#ifndef DWQI_QUEUE_LOST_H
#define DWQI_QUEUE_LOST_H

#include "libdwq/queue/dispatcher.h"

/* End all that a worker holds. */
void dwqi_dispatcher_drop_held(struct dwqi_dispatcher *d, int worker,
                               enum dwqi_task_event event, const char *message);
/* It takes no more tasks: it has withdrawn. What it holds is over. */
void dwqi_dispatcher_let_go(struct dwqi_dispatcher *d, int worker,
                            const char *reason);
/* The same: it said what cannot be. */
void dwqi_dispatcher_distrust(struct dwqi_dispatcher *d, int worker,
                              const char *why);
/* An attempt of it was lost with its worker, or given up there. */
void dwqi_dispatcher_note_loss(struct dwqi_task *task, const char *why);
/* Its ranks are no more: what it held runs again elsewhere, or is over. DWQ_OK,
 * DWQ_E_STATE. */
dwq_status_t dwqi_dispatcher_lose_cell(struct dwqi_dispatcher *d, int worker,
                                       const char *why);

#endif
