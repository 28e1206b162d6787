/* libdwq: a work queue of calls inside one MPI job. This header has it all but
 * what needs <mpi.h>; that is <dwq/mpi.h>. Structs end in reserved bytes, which later
 * versions turn into fields: those that a program passes in have zeros there, as an
 * initializer gives them. */
#ifndef DWQ_DWQ_H
#define DWQ_DWQ_H

#include <dwq/broker.h>
#include <dwq/controller.h>
#include <dwq/flat.h>
#include <dwq/function.h>
#include <dwq/options.h>
#include <dwq/plan.h>
#include <dwq/result.h>
#include <dwq/run.h>
#include <dwq/status.h>
#include <dwq/task.h>
#include <dwq/value.h>
#include <dwq/version.h>
#include <dwq/worker.h>

#endif
