/* Binding this process to hardware threads. */
#ifndef DWQI_TOPOLOGY_BIND_H
#define DWQI_TOPOLOGY_BIND_H

#include "libdwq/base/error.h"

/**
 * Bind this process (all of its threads), and check what came of it.
 *
 * @param pus    Numbers of the operating system, as in struct dwqi_seat.
 *
 * @return DWQ_OK       what is read back is what was asked for
 *         DWQ_E_ARG    no numbers, or one out of range
 *         DWQ_E_STATE  the machine forbids it, or the topology in use is not of
 *                      this system; fault_out says which: a reason for one
 *                      warning, and nothing was changed
 *         DWQ_E_NOMEM
 */
dwq_status_t dwqi_bind(const int *pus, int n_pus, struct dwqi_error *fault_out);

#endif
