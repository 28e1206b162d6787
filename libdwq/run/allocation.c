#include "libdwq/run/allocation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libdwq/base/plain.h"

#define USUAL_MARGIN 30.
/* A run that begins at the end has this long at least: 0 would be no limit. */
#define LEAST 1e-3

/* --- Who knows ------------------------------------------------------------- */

static dwq_status_t by_user(const char *text, double since_first,
                            struct dwqi_allocation *out,
                            struct dwqi_error *fault)
{
    double seconds;

    if (strcmp(text, "none") == 0) {
        *out = (struct dwqi_allocation){ INFINITY, "DWQ_TIME_LIMIT" };
        return DWQ_OK;
    }
    if (!dwqi_plain_is_number(text, &seconds) || !(seconds > 0)) {
        return dwqi_error_set(
            fault, DWQ_E_OPTION,
            "environment DWQ_TIME_LIMIT is '%.*s': it takes seconds from the "
            "start of the first run, or none",
            dwqi_plain_fit(text, 80), text);
    }
    *out = (struct dwqi_allocation){ seconds - since_first, "DWQ_TIME_LIMIT" };
    return DWQ_OK;
}

/* Of a clock that all hosts have alike. */
static bool by_unix_time(const char *text, double *left_out)
{
    double end;

    if (!text || !dwqi_plain_is_number(text, &end)) {
        return false;
    }
    *left_out = end - (double)time(NULL);
    return true;
}

/* An older Slurm, by the command that knows; it may have 2 seconds. The end is in the
 * time of this place: 2026-12-01T04:05:06. */
static bool by_squeue(const char *job, double *left_out)
{
    char command[160], line[64] = "";
    struct tm end = { .tm_isdst = -1 };
    FILE *from;
    bool got;

    if (!job || strspn(job, "0123456789_") != strlen(job) || strlen(job) > 40) {
        return false;
    }
    snprintf(command, sizeof command,
             "timeout 2 squeue -h -j %s -o %%e 2>/dev/null", job);
    from = popen(command, "r");
    got = from && fgets(line, sizeof line, from) &&
          sscanf(line, "%d-%d-%dT%d:%d:%d", &end.tm_year, &end.tm_mon,
                 &end.tm_mday, &end.tm_hour, &end.tm_min, &end.tm_sec) == 6;
    if (from) {
        pclose(from);
    }
    if (got) {
        end.tm_year -= 1900;
        end.tm_mon -= 1;
        *left_out = difftime(mktime(&end), time(NULL));
    }
    return got;
}

dwq_status_t dwqi_allocation_find(double since_first,
                                  struct dwqi_allocation *out,
                                  struct dwqi_error *fault)
{
    const char *text = getenv("DWQ_TIME_LIMIT");

    *out = (struct dwqi_allocation){ .left = INFINITY };
    if (text && *text) {
        return by_user(text, since_first, out, fault);
    }
    if (by_unix_time(getenv("SLURM_JOB_END_TIME"), &out->left)) {
        out->source = "SLURM_JOB_END_TIME";
    } else if (by_squeue(getenv("SLURM_JOB_ID"), &out->left)) {
        out->source = "squeue";
    }
    return DWQ_OK;
}

/* --- What follows ------------------------------------------------------------ */

struct dwqi_allocation_limits dwqi_allocation_limits(double left, double margin,
                                                     double grace)
{
    double most;

    left = fmax(left, 0);
    margin = margin > 0 ? fmin(margin, left) : fmin(USUAL_MARGIN, left / 4);
    most = fmax(margin / 2, LEAST);
    return (struct dwqi_allocation_limits){
        .limit = fmax(left - margin, LEAST),
        .grace = grace > 0 ? fmin(grace, most) : most,
        .gone = fmax(left - margin / 6, LEAST),
    };
}
