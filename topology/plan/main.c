/* dwq-plan: prints how groups of ranks would be placed on the job that it is, on this
 * machine, or on a described cluster. `--help`. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libdwq/base/plain.h"
#include "topology/discover.h"
#include "topology/plan/draw.h"
#include "topology/plan/options.h"
#include "topology/text.h"

#define EXIT_BAD 2 /* arguments, input, or a request that cannot be met */

static int complain(const char *what, const char *why)
{
    char line[1024];

    dwqi_plain_format(line, sizeof line, "%s%s%s", what, *what ? ": " : "",
                      why);
    fprintf(stderr, "dwq-plan: %s\n", line);
    return EXIT_BAD;
}

static int out_of_memory(void)
{
    complain("", dwq_status_text(DWQ_E_NOMEM));
    return 1;
}

/* The whole file as a string; NULL: errno (EILSEQ: it is no text). */
static char *read_file(const char *name)
{
    struct dwqi_buffer text = { .data = NULL };
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");
    char chunk[4096];
    size_t n;
    bool failed;

    if (!file) {
        return NULL;
    }
    while ((n = fread(chunk, 1, sizeof chunk, file)) > 0) {
        dwqi_buffer_append(&text, chunk, n);
    }
    failed = ferror(file) != 0;
    if (file != stdin) {
        fclose(file);
    }
    if (!failed && text.size > 0 && memchr(text.data, 0, text.size)) {
        errno = EILSEQ; /* what is behind it would not be read */
        failed = true;
    }
    if (failed) {
        dwqi_buffer_finish(&text);
        return NULL;
    }
    return dwqi_text_take(&text);
}

#define RANKS_LIMIT 10000000 /* of all hosts */

static bool too_many_ranks(const struct plan_options *options,
                           const struct dwqi_cluster *cluster)
{
    return cluster->n_hosts > 0 &&
           options->ranks_per_host > RANKS_LIMIT / cluster->n_hosts;
}

static int read_hosts(const struct plan_options *options,
                      struct dwqi_cluster *cluster)
{
    struct dwqi_error fault;
    char *text = options->file ? read_file(options->file) : NULL;
    dwq_status_t status;

    if (options->file && !text) {
        return complain(options->file, errno == EILSEQ
                                           ? "a NUL byte: it is no text"
                                           : strerror(errno));
    }
    status = dwqi_hosts_parse(text ? text : options->hosts, cluster, &fault);
    if (status == DWQ_OK && too_many_ranks(options, cluster)) {
        free(text);
        return complain("--ranks-per-host",
                        "more than 10000000 ranks on all hosts");
    }
    if (status == DWQ_OK) {
        status = dwqi_plan_add_ranks(options, cluster, NULL);
    }
    free(text);
    if (status == DWQ_E_NOMEM) {
        return out_of_memory();
    }
    return status == DWQ_OK
               ? 0
               : complain(options->file ? options->file : "--hosts",
                          fault.text);
}

/* Only what this process may use. */
static int look_here(const struct plan_options *options,
                     struct dwqi_cluster *cluster)
{
    struct dwqi_machine machine = { .cores = NULL };
    struct dwqi_cpuset allowed = { .words = NULL };
    struct dwqi_error fault;
    char name[DWQI_HOST_NAME_LIMIT] = "";
    dwq_status_t status;
    bool this_system;

    if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') {
        snprintf(name, sizeof name, "localhost");
    }
    status = dwqi_discover(name, &machine, &this_system, &fault);
    if (status != DWQ_OK) {
        return status == DWQ_E_NOMEM ? out_of_memory()
                                     : complain("this machine", fault.text);
    }
    status = dwqi_cluster_add_host(cluster, name, &machine, this_system);
    if (status == DWQ_OK) {
        bool known = dwqi_discover_allowed(&allowed) == DWQ_OK;

        status = dwqi_plan_add_ranks(options, cluster, known ? &allowed : NULL);
    }
    dwqi_cpuset_finish(&allowed);
    dwqi_machine_finish(&machine);
    return status == DWQ_OK ? 0 : out_of_memory();
}

static int write_text(FILE *file, const char *name, struct dwqi_buffer *text)
{
    bool ok = !text->failed &&
              fwrite(text->data, 1, text->size, file) == text->size &&
              fflush(file) == 0;

    return ok ? 0
              : complain(name, text->failed ? dwq_status_text(DWQ_E_NOMEM)
                                            : strerror(errno));
}

static int write_svg(const char *name, const struct dwqi_cluster *cluster,
                     const struct dwqi_placement *plan)
{
    struct dwqi_buffer text = { .data = NULL };
    FILE *file = strcmp(name, "-") == 0 ? stdout : fopen(name, "w");
    int code;

    if (!file) {
        return complain(name, strerror(errno));
    }
    dwqi_draw_svg(cluster, plan, &text);
    code = write_text(file, name, &text);
    if (file != stdout && fclose(file) != 0 && code == 0) {
        code = complain(name, strerror(errno));
    }
    dwqi_buffer_finish(&text);
    return code;
}

static int print_plan(const struct plan_options *options,
                      const struct dwqi_cluster *cluster,
                      const struct dwqi_placement *plan)
{
    struct dwqi_buffer text = { .data = NULL };
    int code;

    switch (options->format) {
    case PLAN_TABLE:
        dwqi_draw_table(cluster, plan, &text);
        break;
    case PLAN_DRAWING:
        dwqi_draw_terminal(cluster, plan, isatty(STDOUT_FILENO) == 1, &text);
        break;
    case PLAN_SVG:
        dwqi_draw_svg(cluster, plan, &text);
        break;
    case PLAN_JSON:
        dwqi_draw_json(cluster, plan, &text);
        break;
    }
    code = write_text(stdout, "standard output", &text);
    dwqi_buffer_finish(&text);
    return code;
}

int dwqi_plan_show(const struct plan_options *options,
                   const struct dwqi_cluster *cluster,
                   const struct dwqi_placement *plan)
{
    int code =
        options->svg_file ? write_svg(options->svg_file, cluster, plan) : 0;

    return code == 0 &&
                   !(options->svg_file && strcmp(options->svg_file, "-") == 0)
               ? print_plan(options, cluster, plan)
               : code;
}

static int make_plan(struct plan_options *options,
                     const struct dwqi_cluster *cluster)
{
    struct dwqi_placement plan;
    struct dwqi_error fault;
    dwq_status_t status;
    int code;

    options->request.controller =
        dwqi_plan_controller(options, cluster->n_ranks);
    status = dwqi_place(cluster, &options->request, &plan, &fault);
    if (status != DWQ_OK) {
        return status == DWQ_E_OPTION ? complain("no plan", fault.text)
                                      : out_of_memory();
    }
    if (plan.n_oversubscribed > 0) {
        fprintf(stderr,
                "dwq-plan: warning: %d host%s more processes than cores: "
                "nothing is bound there\n",
                plan.n_oversubscribed,
                plan.n_oversubscribed == 1 ? " has" : "s have");
    }
    code = dwqi_plan_show(options, cluster, &plan);
    dwqi_placement_finish(&plan);
    return code;
}

/* What is asked for has nothing to do with a job. */
static bool is_described(const struct plan_options *options)
{
    return options->hosts || options->file || options->ranks_per_host > 0 ||
           options->compare || options->help;
}

static int plan_described(struct plan_options *options)
{
    struct dwqi_cluster cluster = { .hosts = NULL };
    int code;

    if (options->help) {
        dwqi_plan_options_help(stdout);
        return 0;
    }
    if (options->compare && !options->hosts && !options->file) {
        return dwqi_plan_compare(options);
    }
    code = options->hosts || options->file ? read_hosts(options, &cluster)
                                           : look_here(options, &cluster);
    if (code == 0) {
        code = options->compare ? dwqi_plan_compare_one(options, &cluster)
                                : make_plan(options, &cluster);
    }
    dwqi_cluster_finish(&cluster);
    return code;
}

/* All ranks of a job have the same arguments: what needs no other rank is said by
 * the first alone, without MPI, where the launcher says that there are several. */
int main(int argc, char **argv)
{
    struct plan_options options;
    struct dwqi_error fault;
    int code;
    bool silent, launched = dwqi_plan_launched(&silent);

    if (!dwqi_plan_options_read(argc, argv, &options, &fault)) {
        /* A launcher ends the job at the first bad exit: that of who says it. */
        return silent ? 0 : complain("", fault.text);
    }
    if (is_described(&options)) {
        return silent ? 0 : plan_described(&options);
    }
    if (launched && dwqi_plan_job(&options, &code)) {
        return code;
    }
    return plan_described(&options);
}
