/* Tasks for simulated groups, drawn from a seed, and what must come of them: they
 * fail on some ranks, return nothing on others, and carry scattered arrays in lists
 * and maps. */
#ifndef TESTS_SIM_WORK_H
#define TESTS_SIM_WORK_H

#include "tests/sim/groups.h"
#include <dwq/controller.h>

#define WORK_ARRAYS_MAX 24
#define WORK_DATA_MAX ((size_t)16 * 1024) /* elements of one array */

/* Element i of array k is (k + i) % 97. */
struct work_array {
    size_t rows, cols;
    bool scattered, small; /* int8 instead of double */
    bool borrowed;
};

/* The bits of a mask are ranks of the group. */
struct work {
    double x, seconds;
    int64_t index; /* of whoever submitted it */
    int64_t fails, silent, large, updates;
    int64_t n_large; /* elements */
    bool owned;      /* large arrays come of dwq_call_alloc() */
    int n_arrays;
    struct work_array arrays[WORK_ARRAYS_MAX];
};

/* What the arrays are made of; borrowed by tasks. */
struct work_data {
    double doubles[WORK_DATA_MAX + WORK_ARRAYS_MAX];
    int8_t bytes[WORK_DATA_MAX + WORK_ARRAYS_MAX];
};

/* A task, and the values that it points to. */
struct work_task {
    dwq_task_t task;
    dwq_value_t args[11];
    dwq_value_t plain[WORK_ARRAYS_MAX];
    dwq_value_t list[WORK_ARRAYS_MAX + 1];
    dwq_kwarg_t map[WORK_ARRAYS_MAX];
    dwq_kwarg_t kwargs[WORK_ARRAYS_MAX];
};

void work_data_init(struct work_data *data);
/* `arrays`: how often there are some, 0..1. */
void work_draw(struct work *work, double arrays, uint64_t *random);
void work_make(const struct work *work, const struct work_data *data,
               struct work_task *out);

/* The function; its arg is a sim_rank. */
int work_run(dwq_call_t *call, void *arg);
#define WORK_FUNCTION          \
    {                          \
        "work", work_run, NULL \
    }

/* What is wrong with a result of n ranks, or NULL; DWQ_OK and DWQ_E_TASK are looked
 * at, anything else is not. */
const char *work_fault(const struct work *work, const dwq_result_t *result,
                       int n_ranks);

#endif
