/* A module with a function for dwq-bench --sweep-function. */
#include <dwq/dwq.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* nap(ms, mode): for so long; no mode but "good" is known. It says so, and does not end
 * the line. */
static int nap(dwq_call_t *call, void *arg)
{
    const char *mode;
    double ms;

    (void)arg;
    if (!dwq_kwarg(call, "ms", &ms) || !dwq_kwarg(call, "mode", &mode)) {
        return dwq_call_fail(call, 1, "nap(ms, mode)");
    }
    printf("napping");
    fflush(stdout);
    for (clock_t end = clock() + (clock_t)(ms * CLOCKS_PER_SEC / 1000);
         clock() < end;) {
    }
    return strcmp(mode, "good") == 0 ? 0 : dwq_call_fail(call, 2, "a bad mode");
}

static const dwq_function_t functions[] = {
    { .name = "nap", .function = nap },
    { .name = NULL },
};

DWQ_MODULE(.functions = functions);
