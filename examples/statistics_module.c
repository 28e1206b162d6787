/* The module "statistics": a shared object that workers load at first use. It
 * takes arrays of 32-bit or 64-bit integers, floats or doubles. */
#include <dwq/dwq.h>

#include <stdlib.h>
#include <string.h>

/* The elements as new doubles; NULL without memory or for another type. */
static double *to_doubles(const dwq_array_t *array)
{
    size_t n = dwq_array_count(array);
    double *values = malloc((n > 0 ? n : 1) * sizeof *values);

    if (!values) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        switch (array->type) {
        case DWQ_INT32:
            values[i] = ((const int32_t *)array->data)[i];
            break;
        case DWQ_INT64:
            values[i] = (double)((const int64_t *)array->data)[i];
            break;
        case DWQ_FLOAT:
            values[i] = ((const float *)array->data)[i];
            break;
        case DWQ_DOUBLE:
            values[i] = ((const double *)array->data)[i];
            break;
        default:
            free(values);
            return NULL;
        }
    }
    return values;
}

static int mean(dwq_call_t *call, void *arg)
{
    dwq_array_t array;
    double *values;
    double sum = 0;
    size_t n;

    (void)arg;
    if (!dwq_arg(call, 0, &array) || dwq_array_count(&array) == 0) {
        return dwq_call_fail(call, 1,
                             "mean(x): x must be an array with "
                             "elements");
    }
    values = to_doubles(&array);
    if (!values) {
        return dwq_call_fail(call, 2,
                             "mean(x): no memory, or x is neither "
                             "integers nor reals");
    }
    n = dwq_array_count(&array);
    for (size_t i = 0; i < n; i++) {
        sum += values[i];
    }
    free(values);
    return dwq_call_return(call, DWQ_VALUES(sum / (double)n));
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a > b) - (a < b);
}

/* Definition 7 of Hyndman and Fan, "Sample quantiles in statistical packages",
 * The American Statistician 50 (1996): linear between order statistics; or the
 * order statistic below. */
static double sample_quantile(const double *sorted, size_t n, double q,
                              bool linear)
{
    double place = q * (double)(n - 1);
    size_t below = (size_t)place;

    if (!linear || below + 1 >= n) {
        return sorted[below];
    }
    return sorted[below] +
           (place - (double)below) * (sorted[below + 1] - sorted[below]);
}

static int quantile(dwq_call_t *call, void *arg)
{
    const char *method = "linear";
    double q = 0.5;
    dwq_array_t array;
    double *values;
    double answer;
    size_t n;

    (void)arg;
    if (!dwq_arg(call, 0, &array) || dwq_array_count(&array) == 0) {
        return dwq_call_fail(call, 1,
                             "quantile(x, q=0.5, method='linear'): x "
                             "must be an array with elements");
    }
    dwq_kwarg(call, "q", &q);
    dwq_kwarg(call, "method", &method);
    if (!(q >= 0 && q <= 1)) {
        return dwq_call_fail(call, 1, "quantile: q must be in 0..1, is %g", q);
    }
    if (strcmp(method, "linear") != 0 && strcmp(method, "lower") != 0) {
        return dwq_call_fail(call, 1, "quantile: no method '%s'", method);
    }
    values = to_doubles(&array);
    if (!values) {
        return dwq_call_fail(call, 2,
                             "quantile: no memory, or x is neither "
                             "integers nor reals");
    }
    n = dwq_array_count(&array);
    qsort(values, n, sizeof *values, compare);
    answer = sample_quantile(values, n, q, strcmp(method, "linear") == 0);
    free(values);
    return dwq_call_return(call, DWQ_VALUES(answer));
}

static const dwq_function_t functions[] = {
    { .name = "mean", .function = mean },
    { .name = "quantile", .function = quantile },
    { .name = NULL },
};

DWQ_MODULE(.functions = functions);
