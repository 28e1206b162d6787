/* The broker's handle: what options.broker gets. Brokers serve groups of ranks;
 * until groups are there (see NEWS.md) a run that asks for them is refused. */
#ifndef DWQ_BROKER_H
#define DWQ_BROKER_H

#include <dwq/run.h>

#endif
