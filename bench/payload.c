/* Large arrays there and back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/calls.h"
#include "bench/questions.h"

/* --- In the job: BYTES CALLS BORROW ------------------------------------------ */

static void one_call(dwq_controller_t *controller, dwq_array_t array,
                     bool borrow)
{
    dwq_task_t task = { .function = borrow ? "alloc" : "copy",
                        DWQ_ARGS(borrow ? dwq_borrow(array) : array) };
    dwq_result_t result;
    dwq_array_t back;

    if (dwq_controller_submit_call(controller, &task, NULL) != DWQ_OK ||
        dwq_controller_get_next_result(controller, &result) != DWQ_OK ||
        !dwq_result_get(&result, 0, 0, &back) ||
        dwq_array_size(&back) != dwq_array_size(&array)) {
        fprintf(stderr, "payload: no result\n");
        dwq_controller_abort(controller);
        exit(1);
    }
    dwq_result_clear(&result);
}

static int controller(dwq_controller_t *controller, void *arg)
{
    size_t size = (size_t)arg_number(arg, 0);
    int n = (int)arg_number(arg, 1);
    bool borrow = arg_number(arg, 2) > 0;
    char *data = calloc(1, size);
    dwq_array_t array = dwq_array(DWQ_UINT8, data, 1, (size_t[]){ size });
    double start = 0;

    for (int i = -n / 4 - 1; i < n; i++) {
        start = i == 0 ? now() : start;
        one_call(controller, array, borrow);
    }
    printf("bytes_per_s %.9g\n", 2 * (double)size * n / (now() - start));
    free(data);
    return 0;
}

static int measure(int argc, char **argv)
{
    return run_calls(controller, argc, argv, NULL);
}

/* --- Asking ------------------------------------------------------------------- */

static void report(struct bench *bench, size_t size, const char *series,
                   const struct samples *ours, const struct samples *bare,
                   double bar)
{
    struct figure figure = {
        .question = "payload", .ranks = 2, .unit = "B/s", .x = (double)size
    };

    snprintf(figure.name, sizeof figure.name, "%zu KiB, %s", size / 1024,
             series);
    snprintf(figure.series, sizeof figure.series, "%s", series);
    figure_side(&figure, SIDE_OURS, ours);
    figure_side(&figure, SIDE_BARE, bare);
    figure_ratio(&figure, SIDE_BARE, size >= 65536 ? BAR_AT_LEAST : BAR_NONE,
                 bar);
    figure_measured(bench, &figure);
}

static void ask_size(struct bench *bench, size_t size, bool cma)
{
    static const char *const names[] = { "bytes_per_s" };
    /* Open MPI 4; and 5, where what can copy once is a framework of its own. */
    const char *env = cma ? "OMPI_MCA_btl_vader_single_copy_mechanism=cma"
                          : "OMPI_MCA_btl_vader_single_copy_mechanism=none";
    const char *env_5 = cma ? "OMPI_MCA_smsc=^knem,xpmem,accelerator"
                            : "OMPI_MCA_smsc=^cma,knem,xpmem,accelerator";
    char bytes[24], calls[24];
    struct job jobs[] = {
        { .np = 2,
          .args = { "payload", bytes, calls, "0" },
          .env = { env, env_5 } },
        { .np = 2,
          .args = { "payload", bytes, calls, "1" },
          .env = { env, env_5 } },
        { .np = 2,
          .side = SIDE_BARE,
          .args = { "payload", bytes, calls },
          .env = { env, env_5 } },
    };
    struct samples samples[3] = { { .n = 0 } };
    long long n = ((long long)256 << 20) / (long long)size;

    number(bytes, (long long)size);
    number(calls, bench->tiny ? 2 : n > 10000 ? 10000 : n);
    jobs_alternate(bench, jobs, 3, names, 1, samples);
    report(bench, size, cma ? "copied, CMA" : "copied, no CMA", &samples[0],
           &samples[2], 0.5);
    report(bench, size, cma ? "borrowed, CMA" : "borrowed, no CMA", &samples[1],
           &samples[2], 0.8);
    for (int i = 0; i < 3; i++) {
        samples_finish(&samples[i]);
    }
}

static void ask(struct bench *bench)
{
    static const int bits[] = { 10, 13, 16, 18, 20, 22, 24, 26 };
    int n = scaled(bench, 8, 3);

    progress_begin(bench, "payload", bench->rounds * 3 * 2 * n);
    for (int cma = 1; cma >= 0; cma--) {
        for (int i = 0; i < n; i++) {
            ask_size(bench, (size_t)1 << bits[i], cma);
        }
    }
    progress_end(bench);
}

const struct question question_payload = {
    .name = "payload",
    .title = "Arrays there and back, np=2",
    .ask = ask,
    .measure = measure,
};
