/* What the files of the program scenario_calls share. */
#ifndef TESTS_MPI_CALLS_H
#define TESTS_MPI_CALLS_H

#include "tests/mpi/group_setup.h"

#define BUFFER (1 << 16) /* ints: MPI asks for its receiver first */

/* What a process of a run has: the `arg` of its functions. */
struct scene {
    struct scene *next;
    dwq_worker_t *worker; /* NULL: a broker inside, or the controller */
    int key;              /* of attributes */
    int n_deleted;        /* attributes */
    MPI_Comm kept;        /* of the last call that failed; or 0 */
    dwq_array_t arrays[4];
    int buffer[BUFFER + 1];
};

/* Run with a scene as the argument, and a worker function that fills its handle. */
void scene_play(dwq_options_t options);
/* Submit, collect, and look: the status is as expected, and after DWQ_OK the first
 * value of each rank is true. */
bool call_on(dwq_controller_t *c, const dwq_task_t *task,
             dwq_status_t expected);

/* calls.c */
void a_failed_call_leaves_nothing_for_the_next(void);
void a_failed_call_of_a_spawned_group_leaves_nothing(void);
void a_failed_call_in_a_call_leaves_nothing(void);
/* calls_memory.c */
void an_array_kept_by_a_call_is_not_sent_by_the_next(void);
void a_task_without_memory_on_a_rank_is_a_failed_call(void);
void a_result_without_memory_is_a_failed_call(void);
void in_one_process_a_task_without_memory_is_a_failed_call(void);
void the_total_time_of_a_group_is_that_of_its_calls(void);

#endif
