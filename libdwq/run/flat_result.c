/* Results for callers that do not know their layout. */
#include <dwq/flat.h>
#include <stdlib.h>

#include "libdwq/base/field.h"

static const struct dwqi_field fields[] = {
    DWQI_FIELD(dwq_result_t, id, DWQI_FIELD_UINT64),
    DWQI_FIELD(dwq_result_t, status, DWQI_FIELD_INT),
    DWQI_FIELD(dwq_result_t, code, DWQI_FIELD_INT),
    DWQI_FIELD(dwq_result_t, failed_rank, DWQI_FIELD_INT),
    DWQI_FIELD(dwq_result_t, n_ranks, DWQI_FIELD_INT),
    DWQI_FIELD(dwq_result_t, worker, DWQI_FIELD_INT),
    DWQI_FIELD(dwq_result_t, rank, DWQI_FIELD_INT),
    DWQI_FIELD(dwq_result_t, attempts, DWQI_FIELD_INT),
    DWQI_FIELD(dwq_result_t, n_processed, DWQI_FIELD_UINT64),
    DWQI_FIELD(dwq_result_t, this_time, DWQI_FIELD_DOUBLE),
    DWQI_FIELD(dwq_result_t, time_over_est, DWQI_FIELD_DOUBLE),
    DWQI_FIELD(dwq_result_t, total_time, DWQI_FIELD_DOUBLE),
    DWQI_FIELD(dwq_result_t, message, DWQI_FIELD_STRING),
    { NULL, DWQI_FIELD_INT, 0 },
};

_Static_assert(sizeof(dwq_status_t) == sizeof(int),
               "the table reads a status as an int");

dwq_result_t *dwq_result_create(void)
{
    dwq_result_t *result = calloc(1, sizeof *result);

    if (result) {
        result->message = "";
    }
    return result;
}

void dwq_result_destroy(dwq_result_t *result)
{
    dwq_result_clear(result);
    free(result);
}

bool dwq_result_int(const dwq_result_t *result, const char *field, int64_t *out)
{
    return result && out && dwqi_field_get_int(fields, result, field, out);
}

static const void *find(const dwq_result_t *result, const char *field,
                        enum dwqi_field_kind kind)
{
    return result ? dwqi_field_at(fields, (void *)result, field, kind) : NULL;
}

bool dwq_result_double(const dwq_result_t *result, const char *field,
                       double *out)
{
    const double *at = find(result, field, DWQI_FIELD_DOUBLE);

    if (!at || !out) {
        return false;
    }
    *out = *at;
    return true;
}

bool dwq_result_string(const dwq_result_t *result, const char *field,
                       const char **out)
{
    const char *const *at = find(result, field, DWQI_FIELD_STRING);

    if (!at || !out) {
        return false;
    }
    *out = *at;
    return true;
}
