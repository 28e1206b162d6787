/* This process as a cell: a call runs when it is given, in whoever gives it, as if it had
 * come and gone in messages. Its transport carries nothing: there is nobody else. */
#ifndef DWQI_QUEUE_HERE_H
#define DWQI_QUEUE_HERE_H

#include "libdwq/item/transport.h"

struct dwqi_executor;

struct dwqi_here {
    struct dwqi_transport transport;
    struct dwqi_executor *executor; /* borrowed; NULL: the cells are others */
};

#endif
