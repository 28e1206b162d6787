/* Clusters larger than any at hand: the program bench/smpi/scale.c on simulated
 * hosts (SimGrid), where each message that the controller sends or receives costs
 * half of what a call, in messages of its own, costs it here. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/calls.h"
#include "bench/questions.h"

#define RANKS_PER_HOST 8 /* and the controller on the first host */
#define TIMEOUT 7200.    /* seconds of a simulation */
#define CONFIG "--cfg=smpi/"
#define RUN_NAME "%d ranks, groups of %d, %g s"

/* --- In the job: CALLS ---------------------------------------------------- */

static int controller(dwq_controller_t *controller, void *arg)
{
    int n = (int)arg_number(arg, 0);
    double start;

    stream_echo(controller, n / 10 + 1);
    start = processor_time();
    stream_echo(controller, n);
    printf("call_s %.9g\n", (processor_time() - start) / n);
    return 0;
}

static int measure(int argc, char **argv)
{
    return run_calls(controller, argc, argv,
                     &(dwq_options_t){ .prefetch = DWQ_PREFETCH_OFF });
}

/* --- The simulated cluster ------------------------------------------------- */

struct cluster {
    int hosts;
    char folder[200];
    char platform[256], hostfile[256], event[48];
};

static bool write_platform(const struct cluster *c)
{
    FILE *out = fopen(c->platform, "w");

    if (!out) {
        return false;
    }
    fprintf(out,
            "<?xml version='1.0'?>\n"
            "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
            "<platform version=\"4.1\">\n"
            "  <cluster id=\"cluster\" prefix=\"n\" suffix=\"\" "
            "radical=\"0-%d\" speed=\"10Gf\" bw=\"12.5GBps\" lat=\"1us\"/>\n"
            "</platform>\n",
            c->hosts - 1);
    return fclose(out) == 0;
}

/* One line per rank. */
static bool write_hosts(const struct cluster *c)
{
    FILE *out = fopen(c->hostfile, "w");

    if (!out) {
        return false;
    }
    fprintf(out, "n0\n");
    for (int r = 0; r < c->hosts * RANKS_PER_HOST; r++) {
        fprintf(out, "n%d\n", r / RANKS_PER_HOST);
    }
    return fclose(out) == 0;
}

static void cluster_finish(const struct cluster *c)
{
    unlink(c->platform);
    unlink(c->hostfile);
    rmdir(c->folder);
}

static bool cluster_make(struct cluster *c, int hosts, double event)
{
    const char *tmp = getenv("TMPDIR");

    *c = (struct cluster){ .hosts = hosts };
    snprintf(c->folder, sizeof c->folder, "%s/dwq-scale-XXXXXX",
             tmp && tmp[0] ? tmp : "/tmp");
    if (!mkdtemp(c->folder)) {
        return false;
    }
    snprintf(c->platform, sizeof c->platform, "%s/platform.xml", c->folder);
    snprintf(c->hostfile, sizeof c->hostfile, "%s/hosts", c->folder);
    snprintf(c->event, sizeof c->event, "DWQ_SCALE_EVENT=%.9g", event);
    if (!write_platform(c) || !write_hosts(c)) {
        cluster_finish(c);
        return false;
    }
    return true;
}

/* --- Asking ---------------------------------------------------------------- */

/* Collectives by trees: what SMPI takes by default asks who shares a host, from each
 * to each, for every new communicator. Code and polls take no time of their own (so
 * runs repeat exactly, and what the controller polls is in its charge), sleeps do; a
 * transfer that is polled without sleeping would never end, but these calls have
 * none. The library has no state at file scope, so that ranks share the program. */
static void simulate(struct bench *bench, const struct cluster *c, int ranks,
                     double seconds, struct job_result *result_out)
{
    char np[24], group[24], call[24], program[4096];
    const char *const command[] = {
        "smpirun",
        "-np",
        number(np, (long long)c->hosts * RANKS_PER_HOST + 1),
        "-platform",
        c->platform,
        "-hostfile",
        c->hostfile,
        CONFIG "privatization:no",
        CONFIG "simulate-computation:no",
        CONFIG "host-speed:10Gf",
        CONFIG "test:0",
        CONFIG "allreduce:redbcast",
        CONFIG "barrier:ompi_tree",
        CONFIG "bcast:binomial_tree",
        CONFIG "reduce:binomial",
        "--log=root.thresh:warning",
        program,
        number(group, ranks),
        call,
        NULL,
    };
    struct job job = { .command = command,
                       .env = { c->event, NULL },
                       .timeout = TIMEOUT };

    snprintf(call, sizeof call, "%.9g", seconds);
    snprintf(program, sizeof program, "%s/bench/smpi/dwq-scale.so",
             bench->smpi);
    job_run(bench, &job, result_out);
    progress_step(bench);
}

static double bar_of(int hosts, int ranks, double seconds)
{
    if (hosts < 1024 || ranks != 8) {
        return 0;
    }
    return seconds >= 1 ? 0.98 : seconds >= 0.1 ? 0.9 : 0;
}

static void report_run(struct bench *bench, const struct cluster *c, int ranks,
                       double seconds, const struct job_result *result)
{
    struct figure figure = { .question = "scale", .unit = "of ideal" };
    struct samples samples = { .n = 0 };
    double efficiency = job_value(result, "efficiency");
    double bar = bar_of(c->hosts, ranks, seconds);

    if (!isnan(efficiency)) {
        samples_add(&samples, efficiency);
    }
    snprintf(figure.name, sizeof figure.name, RUN_NAME,
             c->hosts * RANKS_PER_HOST, ranks, seconds);
    snprintf(figure.series, sizeof figure.series, "groups of %d, %g s", ranks,
             seconds);
    figure.x = c->hosts * RANKS_PER_HOST;
    figure_side(&figure, SIDE_OURS, &samples);
    figure_absolute(&figure, bar > 0 ? BAR_AT_LEAST : BAR_NONE, bar);
    snprintf(figure.note, sizeof figure.note,
             "%d hosts; makespan %.4g s, start %.3g s; simulated in %.0f s",
             c->hosts, job_value(result, "makespan_s"),
             job_value(result, "start_s"), result->wall);
    figure_measured(bench, &figure);
    samples_finish(&samples);
}

/* The bars stand in the table all the same. */
static void report_unmeasured(struct bench *bench)
{
    static const double times[] = { 0.1, 1 };
    const struct cluster cluster = { .hosts = 1024 };

    for (int t = 0; t < 2; t++) {
        struct figure figure = { .question = "scale",
                                 .unit = "of ideal",
                                 .x = NAN,
                                 .note = "no build with -Dmpi=smpi was named "
                                         "(--smpi)" };

        snprintf(figure.name, sizeof figure.name, RUN_NAME,
                 cluster.hosts * RANKS_PER_HOST, 8, times[t]);
        figure_absolute(&figure, BAR_AT_LEAST,
                        bar_of(cluster.hosts, 8, times[t]));
        figure_measured(bench, &figure);
    }
}

static void ask_cluster(struct bench *bench, int hosts, double event)
{
    static const int groups[] = { 1, 8, 32 };
    static const double times[] = { 0.01, 0.1, 1 };
    struct cluster cluster;

    if (!cluster_make(&cluster, hosts, event)) {
        fprintf(stderr, "dwq-bench: files for a simulated cluster: %s\n",
                strerror(errno));
        bench->n_failed_jobs++;
        return;
    }
    for (int g = 0; g < 3; g++) {
        for (int t = 0; t < scaled(bench, 3, 1); t++) {
            struct job_result result;

            simulate(bench, &cluster, groups[g], times[t], &result);
            report_run(bench, &cluster, groups[g], times[t], &result);
            job_result_finish(&result);
        }
    }
    cluster_finish(&cluster);
}

/* Processor seconds of the controller per call; NAN: not measured. */
static double ask_cost(struct bench *bench)
{
    static const char *const names[] = { "call_s" };
    char calls[24];
    struct job job = { .np = 5, .args = { "scale", calls } };
    struct samples samples = { .n = 0 };
    struct figure figure = { .question = "scale",
                             .name = "np=5, processor time per call",
                             .ranks = 5,
                             .unit = "s",
                             .x = NAN };
    double cost;

    number(calls, scaled(bench, 100000, 500));
    jobs_alternate(bench, &job, 1, names, 1, &samples);
    cost = samples_median(&samples);
    figure_side(&figure, SIDE_OURS, &samples);
    figure_absolute(&figure, BAR_NONE, 0);
    snprintf(figure.note, sizeof figure.note,
             "of the controller, a message each way per call, and what it "
             "polls meanwhile");
    figure_measured(bench, &figure);
    samples_finish(&samples);
    return cost;
}

static void ask(struct bench *bench)
{
    static const int hosts[] = { 16, 128, 1024 };
    int n = bench->smpi ? scaled(bench, 3, 1) : 0;
    double cost;

    progress_begin(bench, "scale", bench->rounds + n * 3 * scaled(bench, 3, 1));
    cost = ask_cost(bench);
    if (!bench->smpi) {
        report_unmeasured(bench);
    }
    for (int i = 0; i < n && !isnan(cost); i++) {
        ask_cluster(bench, hosts[i], cost / 2);
    }
    progress_end(bench);
}

const struct question question_scale = {
    .name = "scale",
    .title = "Efficiency on simulated clusters: work done / (ranks x makespan)",
    .ask = ask,
    .measure = measure,
};
