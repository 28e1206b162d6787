/* The options of a run, with environment and defaults filled in: one table that
 * knows each one's name, environment name, and what it may be. */
#ifndef DWQI_RUN_OPTIONS_H
#define DWQI_RUN_OPTIONS_H

#include <dwq/options.h>

#include "libdwq/base/buffer.h"
#include "libdwq/base/error.h"
#include "libdwq/base/log.h"

#define DWQI_CONTROLLER_RANK_ENV "DWQ_CONTROLLER_RANK"

/**
 * Fill in the environment and the defaults, and check each value.
 *
 * @param options_out  A copy with every field resolved: idle_wait in seconds (0:
 *                     never sleep), module_path set.
 *
 * @return DWQ_OK, DWQ_E_OPTION (fault_out)
 */
dwq_status_t dwqi_options_resolve(const dwq_options_t *options,
                                  dwq_options_t *options_out,
                                  struct dwqi_error *fault_out);

/* None with more than one rank per worker means split; 0 ranks means 1. */
dwq_grouping_t dwqi_options_grouping(const dwq_options_t *resolved);
int dwqi_options_nprocs(const dwq_options_t *resolved);

/* Whether a run of groups is to be placed on the machine's parts. */
bool dwqi_options_placed(const dwq_options_t *resolved);

/* Combinations that cannot be, for a job of `size` ranks. */
dwq_status_t dwqi_options_check(const dwq_options_t *resolved, int size,
                                struct dwqi_error *fault_out);

/* The names of options that are set and of no use in this run, with ", "
 * between; "" when there are none. */
void dwqi_options_unused(const dwq_options_t *resolved, int size,
                         struct dwqi_error *names_out);

/* What has to be the same on all ranks: lines "name=value". DWQ_E_NOMEM;
 * DWQ_E_OPTION: run_args is not valid. */
dwq_status_t dwqi_options_text(const dwq_options_t *resolved,
                               struct dwqi_buffer *text,
                               struct dwqi_error *fault_out);

/* Those that are set, for people to read: "name=value, name=value", and run_args. */
void dwqi_options_list(const dwq_options_t *resolved, struct dwqi_buffer *text);

/* The first line in which two texts differ: name, and both values. */
void dwqi_options_difference(const char *mine, const char *theirs, int my_rank,
                             int their_rank, struct dwqi_error *fault_out);

/* The controller's rank from the environment. DWQ_E_OPTION: not a rank. */
dwq_status_t dwqi_options_controller_rank(int size, int *rank_out,
                                          struct dwqi_error *fault_out);

#endif
