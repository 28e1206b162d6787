#include "tests/sim/work.h"

#include <stdlib.h>

#define PERIOD 97

static bool has(int64_t mask, int rank)
{
    return rank >= 0 && (mask >> rank & 1) != 0;
}

static double element(size_t array, size_t i)
{
    return (double)((array + i) % PERIOD);
}

void work_data_init(struct work_data *data)
{
    for (size_t i = 0; i < WORK_DATA_MAX + WORK_ARRAYS_MAX; i++) {
        data->doubles[i] = element(0, i);
        data->bytes[i] = (int8_t)element(0, i);
    }
}

/* --- Drawing ---------------------------------------------------------------- */

static double unit(uint64_t *random)
{
    return dwqi_random_unit(random);
}

static size_t pick(uint64_t *random, size_t n)
{
    return dwqi_random(random) % n;
}

static int64_t draw_mask(uint64_t *random, double share)
{
    return unit(random) < share ? (int64_t)pick(random, 32) : 0;
}

static struct work_array draw_array(uint64_t *random)
{
    static const size_t rows[] = { 0, 1, 2, 3, 4, 5, 7, 40 };
    static const size_t cols[] = { 0, 1, 1, 3, 8, 8, 64, 300 };
    struct work_array array = { .rows = rows[pick(random, 8)],
                                .cols = cols[pick(random, 8)],
                                .scattered = unit(random) < 0.7,
                                .small = unit(random) < 0.3,
                                .borrowed = unit(random) < 0.5 };

    if (unit(random) < 0.04) { /* one that stays where it is */
        array.rows = 3 + pick(random, 12);
        array.cols = WORK_DATA_MAX / array.rows;
        array.small = false;
    }
    return array;
}

static int64_t draw_large(uint64_t *random)
{
    switch (pick(random, 4)) {
    case 0: /* around what a frame of the gather mode holds */
        return 100 + (int64_t)pick(random, 30);
    case 1: /* around what a frame of the transport holds */
        return 480 + (int64_t)pick(random, 40);
    case 2:
        return (int64_t)pick(random, 3000);
    default:
        return 8192 + (int64_t)pick(random, 3000); /* an extent */
    }
}

static double draw_seconds(uint64_t *random)
{
    switch (pick(random, 4)) {
    case 0:
        return 2e-6 * unit(random);
    case 1:
        return 1e-4 * unit(random);
    case 2:
        return 1e-5;
    default:
        return unit(random) < 0.05 ? unit(random) : 5e-3 * unit(random);
    }
}

void work_draw(struct work *work, double arrays, uint64_t *random)
{
    *work = (struct work){
        .x = 1 + (double)pick(random, 1000),
        .seconds = draw_seconds(random),
        .fails = draw_mask(random, 0.1),
        .silent = draw_mask(random, 0.1),
        .large = draw_mask(random, 0.15),
        .n_large = draw_large(random),
        .updates = draw_mask(random, 0.05),
        .owned = unit(random) < 0.5,
    };
    if (unit(random) >= arrays) {
        return;
    }
    work->n_arrays = 1 + (int)pick(random, 4);
    if (unit(random) < 0.1) { /* a table that fills more than a frame */
        work->n_arrays = WORK_ARRAYS_MAX;
    }
    for (int i = 0; i < work->n_arrays; i++) {
        work->arrays[i] = draw_array(random);
    }
}

/* --- Submitting -------------------------------------------------------------- */

static dwq_value_t array_value(const struct work *work,
                               const struct work_data *data, int k)
{
    const struct work_array *a = &work->arrays[k];
    const void *elements = a->small ? (const void *)(data->bytes + k)
                                    : (const void *)(data->doubles + k);
    dwq_array_t array = dwq_array(a->small ? DWQ_INT8 : DWQ_DOUBLE, elements, 2,
                                  (size_t[]){ a->rows, a->cols });

    if (a->scattered) {
        array = dwq_scatter(array);
    }
    return dwq_value_array(a->borrowed ? dwq_borrow(array) : array);
}

/* Every third array stands in a list, every third in a map in that list, every
 * third in a named argument. */
static void place_arrays(const struct work *work, const struct work_data *data,
                         struct work_task *out)
{
    static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g",
                                         "h", "i", "j", "k", "l", "m", "n" };
    size_t n_list = 0, n_map = 0, n_named = 0;

    for (int k = 0; k < work->n_arrays; k++) {
        dwq_value_t value = array_value(work, data, k);

        if (k % 3 == 0) {
            out->list[n_list++] = value;
        } else if (k % 3 == 1) {
            out->map[n_map] = (dwq_kwarg_t){ names[n_map], value };
            n_map++;
        } else {
            out->kwargs[n_named] = (dwq_kwarg_t){ names[n_named], value };
            n_named++;
        }
    }
    out->list[n_list++] =
        dwq_value_map((dwq_kwargs_t){ n_map, n_map ? out->map : NULL });
    out->args[10] = dwq_value_list((dwq_values_t){ n_list, out->list });
    out->task.kwargs = (dwq_kwargs_t){ n_named, out->kwargs };
}

void work_make(const struct work *work, const struct work_data *data,
               struct work_task *out)
{
    size_t n = 0;

    out->task = (dwq_task_t){ .function = "work" };
    out->args[n++] = dwq_value_double(work->x);
    out->args[n++] = dwq_value_double(work->seconds);
    out->args[n++] = dwq_value_int(work->index);
    out->args[n++] = dwq_value_int(work->fails);
    out->args[n++] = dwq_value_int(work->silent);
    out->args[n++] = dwq_value_int(work->large);
    out->args[n++] = dwq_value_int(work->n_large);
    out->args[n++] = dwq_value_int(work->updates);
    out->args[n++] = dwq_value_bool(work->owned);
    out->args[n++] = dwq_value_int(work->n_arrays);
    place_arrays(work, data, out);
    out->task.args = (dwq_values_t){ n + 1, out->args };
}

/* --- Running ----------------------------------------------------------------- */

/* What a rank sees of the arrays. */
struct seen {
    int64_t n_arrays, n_rows, n_crooked;
    double sum;
};

static void see_array(struct seen *seen, const dwq_array_t *array)
{
    size_t n = dwq_array_count(array);

    seen->n_arrays++;
    seen->n_rows += (int64_t)array->shape[0];
    seen->n_crooked += n > 0 && (uintptr_t)array->data % 64 != 0;
    for (size_t i = 0; i < n; i++) {
        seen->sum += array->type == DWQ_INT8 ? ((const int8_t *)array->data)[i]
                                             : ((const double *)array->data)[i];
    }
}

static void see_entries(struct seen *seen, dwq_kwargs_t entries);

static void see_values(struct seen *seen, dwq_values_t values)
{
    for (size_t i = 0; i < values.n; i++) {
        const dwq_value_t *value = &values.items[i];

        if (value->kind == DWQ_KIND_ARRAY) {
            see_array(seen, &value->u.array);
        } else if (value->kind == DWQ_KIND_LIST) {
            see_values(seen, value->u.list);
        } else if (value->kind == DWQ_KIND_MAP) {
            see_entries(seen, value->u.map);
        }
    }
}

static void see_entries(struct seen *seen, dwq_kwargs_t entries)
{
    for (size_t i = 0; i < entries.n; i++) {
        see_values(seen, (dwq_values_t){ 1, &entries.items[i].value });
    }
}

static bool read_work(dwq_call_t *call, struct work *work)
{
    return dwq_arg(call, 0, &work->x) && dwq_arg(call, 1, &work->seconds) &&
           dwq_arg(call, 2, &work->index) && dwq_arg(call, 3, &work->fails) &&
           dwq_arg(call, 4, &work->silent) && dwq_arg(call, 5, &work->large) &&
           dwq_arg(call, 6, &work->n_large) &&
           dwq_arg(call, 7, &work->updates) && dwq_arg(call, 8, &work->owned) &&
           work->seconds >= 0 && work->seconds < 10 && work->n_large >= 0 &&
           work->n_large < (1 << 20) && dwq_call_arg(call, 10) &&
           dwq_call_arg(call, 10)->kind == DWQ_KIND_LIST;
}

static double large_element(const struct work *work, int rank, size_t i)
{
    return work->x + rank + (double)(i % PERIOD);
}

static int give_large(dwq_call_t *call, const struct work *work,
                      dwq_values_t values)
{
    size_t n = (size_t)work->n_large;
    int rank = dwq_call_rank(call), code;
    double *plain = NULL;
    dwq_array_t array;

    if (work->owned) {
        array = dwq_call_alloc(call, DWQ_DOUBLE, 1, &n);
    } else {
        plain = malloc((n + 1) * sizeof *plain);
        array = dwq_array(DWQ_DOUBLE, plain, 1, &n);
    }
    if (!array.data) {
        return dwq_call_fail(call, DWQ_E_NOMEM, "no memory");
    }
    for (size_t i = 0; i < n; i++) {
        ((double *)array.data)[i] = large_element(work, rank, i);
    }
    code = dwq_call_return(call,
                           DWQ_VALUES(values.items[0], values.items[1],
                                      values.items[2], values.items[3], array));
    free(plain);
    return code;
}

int work_run(dwq_call_t *call, void *arg)
{
    struct sim_rank *rank = arg;
    struct work work;
    struct seen seen = { .sum = 0 };
    int r = dwq_call_rank(call);
    dwq_values_t values;

    if (!read_work(call, &work)) {
        return dwq_call_fail(call, 99, "bad arguments");
    }
    if (rank->group->config.entered) {
        rank->group->config.entered(rank->group->config.arg, rank, work.index);
    }
    see_values(&seen, dwq_call_arg(call, 10)->u.list);
    see_entries(&seen, dwq_call_kwargs(call));
    dwqi_sim_advance(rank->group->config.sim, rank->endpoint,
                     work.seconds * rank->slowness);
    if (has(work.updates, r)) {
        sim_rank_update_data(rank);
    }
    if (seen.n_crooked > 0) {
        return dwq_call_fail(call, 98, "an array that is not aligned");
    }
    if (has(work.fails, r)) {
        return dwq_call_fail(call, 7 + r, "x is %g", work.x);
    }
    if (has(work.silent, r)) {
        return 0;
    }
    values = DWQ_VALUES(2 * work.x + r, seen.n_arrays, seen.n_rows, seen.sum);
    return has(work.large, r) ? give_large(call, &work, values)
                              : dwq_call_return(call, values);
}

/* --- Checking ------------------------------------------------------------------ */

/* What rank r of n has to see, by the words of the contract: earlier ranks get the
 * remainder. */
static struct seen expected(const struct work *work, int r, int n)
{
    struct seen seen = { .n_arrays = work->n_arrays };

    for (int k = 0; k < work->n_arrays; k++) {
        const struct work_array *a = &work->arrays[k];

        for (size_t row = 0, owner = 0, left = 0; row < a->rows; row++) {
            if (left == 0 && row > 0) {
                owner++;
            }
            if (left == 0) {
                left = a->rows / (size_t)n + (owner < a->rows % (size_t)n);
            }
            left--;
            if (a->scattered && (int)owner != r) {
                continue;
            }
            seen.n_rows++;
            for (size_t i = 0; i < a->cols; i++) {
                seen.sum += element((size_t)k, row * a->cols + i);
            }
        }
    }
    return seen;
}

static const char *large_fault(const struct work *work,
                               const dwq_result_t *result, int r)
{
    dwq_array_t array;

    if (!dwq_result_get(result, r, 4, &array) ||
        dwq_array_count(&array) != (size_t)work->n_large) {
        return "a large array is not there";
    }
    if (work->n_large > 0 && (uintptr_t)array.data % 64 != 0) {
        return "a large array is not aligned";
    }
    for (size_t i = 0; i < (size_t)work->n_large; i++) {
        if (((const double *)array.data)[i] != large_element(work, r, i)) {
            return "a large array has other elements";
        }
    }
    return NULL;
}

static const char *rank_fault(const struct work *work,
                              const dwq_result_t *result, int r, int n)
{
    struct seen must = expected(work, r, n), is = { .sum = 0 };
    size_t n_values = dwq_result_n_values(result, r);
    double y;

    if (has(work->fails, r) || has(work->silent, r)) {
        return n_values == 0 ? NULL : "values of a rank that gave none";
    }
    if (n_values != (has(work->large, r) ? 5u : 4u)) {
        return "a rank has another number of values";
    }
    if (!dwq_result_get(result, r, 0, &y) || y != 2 * work->x + r) {
        return "the values of a rank are not its own";
    }
    if (!dwq_result_get(result, r, 1, &is.n_arrays) ||
        !dwq_result_get(result, r, 2, &is.n_rows) ||
        !dwq_result_get(result, r, 3, &is.sum) ||
        is.n_arrays != must.n_arrays || is.n_rows != must.n_rows ||
        is.sum != must.sum) {
        return "a rank saw other rows than its own";
    }
    return has(work->large, r) ? large_fault(work, result, r) : NULL;
}

const char *work_fault(const struct work *work, const dwq_result_t *result,
                       int n_ranks)
{
    int first = -1;
    const char *what = NULL;

    if (result->status != DWQ_OK && result->status != DWQ_E_TASK) {
        return NULL;
    }
    for (int r = n_ranks - 1; r >= 0; r--) {
        first = has(work->fails, r) ? r : first;
    }
    if (result->n_ranks != n_ranks) {
        return "a result of another number of ranks";
    }
    if (result->failed_rank != first ||
        (result->status == DWQ_OK) != (first < 0) ||
        (first >= 0 && result->code != 7 + first)) {
        return "another rank failed";
    }
    for (int r = 0; r < n_ranks && !what; r++) {
        what = rank_fault(work, result, r, n_ranks);
    }
    return what;
}
