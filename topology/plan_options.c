#include "topology/plan_options.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/plain.h"
#include "topology/text.h"

enum setting {
    SET_HOSTS,
    SET_FILE,
    SET_NPROCS,
    SET_BROKER,
    SET_STRADDLE,
    SET_THREADS,
    SET_PACK,
    SET_SPREAD,
    SET_MAX_WORKERS,
    SET_RANKS,
    SET_GROUPING,
    SET_CONTROLLER,
    SET_SHARES,
    SET_FORMAT,
    SET_TABLE,
    SET_DRAW,
    SET_JSON,
    SET_SVG,
    SET_COMPARE,
    SET_HELP
};

static const struct row {
    const char *name;
    enum setting setting;
    const char *value; /* NULL: it has none */
    const char *help;
} rows[] = {
    { "--hosts", SET_HOSTS, "TEXT",
      "the cluster: 'n[01-16]:pack:2 numa:2 core:16 pu:2; ...', or\n"
      "names:FILE.xml (default: the job that a launcher starts this\n"
      "program as, as a run of it would be placed: every rank has to\n"
      "run it, or MPI waits for the others; or this machine)" },
    { "--file", SET_FILE, "FILE", "the same from a file, one entry a line" },
    { "--nprocs", SET_NPROCS, "SIZE",
      "ranks per group, auto:core, l3, numa, package or host, or\n"
      "auto:N-per-host (default auto:numa)" },
    { "--broker", SET_BROKER, "WHERE",
      "inside, beside (default), or on a spare hardware thread: thread" },
    { "--straddle", SET_STRADDLE, "WHEN",
      "may groups straddle parts: never, if-must (default), freely" },
    { "--threads", SET_THREADS, "N", "cores of each rank (default 1)" },
    { "--pack", SET_PACK, NULL, "one host after the other (default)" },
    { "--spread", SET_SPREAD, NULL, "hosts and their parts in turn" },
    { "--max-workers", SET_MAX_WORKERS, "N", "groups at most" },
    { "--ranks-per-host", SET_RANKS, "N",
      "ranks that the launcher starts on each host (default: one\n"
      "per core; with spawn: as many as groups fit)" },
    { "--grouping", SET_GROUPING, "HOW", "split (default) or spawn" },
    { "--controller-rank", SET_CONTROLLER, "RANK",
      "default DWQ_CONTROLLER_RANK, or 0; negative: the last" },
    { "--controller", SET_SHARES, "HOW",
      "own: a core of its own (default); share: one of a group's,\n"
      "where no other is left" },
    { "--format", SET_FORMAT, "FORMAT",
      "table (default), drawing, svg or json" },
    { "--table", SET_TABLE, NULL, "--format table" },
    { "--draw", SET_DRAW, NULL, "--format drawing" },
    { "--json", SET_JSON, NULL, "--format json" },
    { "--svg", SET_SVG, "FILE", "write SVG to a file, beside the output" },
    { "--compare-blocks", SET_COMPARE, NULL,
      "what consecutive blocks of ranks would have done: a table\n"
      "over a set of clusters, or over the given one" },
    { "--help", SET_HELP, NULL, "this text" },
};
#define N_ROWS (sizeof rows / sizeof rows[0])

void dwqi_plan_options_help(FILE *out)
{
    fprintf(out, "dwq-plan %s: how libdwq places groups of ranks\n\n",
            DWQ_VERSION);
    for (size_t i = 0; i < N_ROWS; i++) {
        const char *line = rows[i].help;
        char name[40];

        snprintf(name, sizeof name, "%s %s", rows[i].name,
                 rows[i].value ? rows[i].value : "");
        fprintf(out, "  %-22s", name);
        while (line) {
            const char *end = strchr(line, '\n');

            fprintf(out, " %.*s\n", end ? (int)(end - line) : INT_MAX, line);
            line = end ? end + 1 : NULL;
            if (line) {
                fprintf(out, "  %-22s", "");
            }
        }
    }
}

static bool fail(struct dwqi_error *fault, const char *name, const char *value,
                 const char *expected)
{
    dwqi_error_set(fault, DWQ_E_ARG, "%s '%.*s': expected %s", name,
                   dwqi_plain_fit(value, 100), value, expected);
    return false;
}

static bool read_number(const char *name, const char *value, int min, int *out,
                        struct dwqi_error *fault)
{
    char expected[64];

    if (dwqi_text_to_int(value, min, INT_MAX, out)) {
        return true;
    }
    snprintf(expected, sizeof expected,
             min == INT_MIN ? "a number" : "a number from %d on", min);
    return fail(fault, name, value, expected);
}

static bool read_name(enum dwqi_policy policy, const char *name,
                      const char *value, int *out, struct dwqi_error *fault)
{
    char names[128];

    if (dwqi_policy_parse(policy, value, out)) {
        return true;
    }
    dwqi_policy_names(policy, names, sizeof names);
    return fail(fault, name, value, names);
}

static bool read_format(const char *value, struct plan_options *options,
                        struct dwqi_error *fault)
{
    static const char *const formats[] = { [PLAN_TABLE] = "table",
                                           [PLAN_DRAWING] = "drawing",
                                           [PLAN_SVG] = "svg",
                                           [PLAN_JSON] = "json" };

    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(value, formats[i]) == 0) {
            options->format = (enum plan_format)i;
            return true;
        }
    }
    return fail(fault, "--format", value, "table, drawing, svg or json");
}

static bool read_grouping(const char *value, struct plan_options *options,
                          struct dwqi_error *fault)
{
    bool spawn = strcmp(value, "spawn") == 0;

    options->request.grouping = spawn ? DWQ_GROUPING_SPAWN : DWQ_GROUPING_SPLIT;
    return spawn || strcmp(value, "split") == 0 ||
           fail(fault, "--grouping", value, "split or spawn");
}

static bool read_sharing(const char *value, struct plan_options *options,
                         struct dwqi_error *fault)
{
    bool shares = strcmp(value, "share") == 0;

    options->request.controller_shares = shares;
    return shares || strcmp(value, "own") == 0 ||
           fail(fault, "--controller", value, "own or share");
}

static bool apply_flag(enum setting setting, struct plan_options *options)
{
    switch (setting) {
    case SET_PACK:
        options->request.fill = DWQI_FILL_PACK;
        break;
    case SET_SPREAD:
        options->request.fill = DWQI_FILL_SPREAD;
        break;
    case SET_TABLE:
        options->format = PLAN_TABLE;
        break;
    case SET_DRAW:
        options->format = PLAN_DRAWING;
        break;
    case SET_JSON:
        options->format = PLAN_JSON;
        break;
    case SET_COMPARE:
        options->compare = true;
        break;
    default:
        options->help = true;
        break;
    }
    return true;
}

static bool apply(const struct row *row, const char *value,
                  struct plan_options *options, struct dwqi_error *fault)
{
    struct dwqi_place_request *request = &options->request;
    int number;

    options->size_given |= row->setting == SET_NPROCS;
    options->straddle_given |= row->setting == SET_STRADDLE;
    options->fill_given |=
        row->setting == SET_PACK || row->setting == SET_SPREAD;
    options->threads_given |= row->setting == SET_THREADS;
    switch (row->setting) {
    case SET_HOSTS:
        options->hosts = value;
        return true;
    case SET_FILE:
        options->file = value;
        return true;
    case SET_SVG:
        options->svg_file = value;
        return true;
    case SET_NPROCS:
        return dwqi_size_parse(value, &request->size) ||
               fail(fault, row->name, value,
                    "a number of ranks, auto:core, l3, numa, package or host, "
                    "or auto:N-per-host");
    case SET_BROKER:
        if (!read_name(DWQI_POLICY_BROKER, row->name, value, &number, fault)) {
            return false;
        }
        request->broker = (enum dwqi_broker_place)number;
        return true;
    case SET_STRADDLE:
        if (!read_name(DWQI_POLICY_STRADDLE, row->name, value, &number,
                       fault)) {
            return false;
        }
        request->straddle = (enum dwqi_straddle)number;
        return true;
    case SET_THREADS:
        return read_number(row->name, value, 1, &request->threads, fault);
    case SET_MAX_WORKERS:
        return read_number(row->name, value, INT_MIN, &request->max_workers,
                           fault);
    case SET_RANKS:
        return dwqi_text_to_int(value, 1, PLAN_RANKS_LIMIT,
                                &options->ranks_per_host) ||
               fail(fault, row->name, value,
                    "a number from 1 to " PLAN_RANKS_LIMIT_TEXT);
    case SET_CONTROLLER:
        return read_number(row->name, value, INT_MIN, &options->controller,
                           fault);
    case SET_SHARES:
        return read_sharing(value, options, fault);
    case SET_GROUPING:
        return read_grouping(value, options, fault);
    case SET_FORMAT:
        return read_format(value, options, fault);
    default:
        return apply_flag(row->setting, options);
    }
}

/* "--name value", "--name=value" or "--name". */
static bool read_argument(int argc, char **argv, int *at,
                          struct plan_options *options,
                          struct dwqi_error *fault)
{
    const char *argument = argv[*at];
    size_t size = strcspn(argument, "=");

    for (size_t i = 0; i < N_ROWS; i++) {
        const struct row *row = &rows[i];
        const char *value = argument[size] ? argument + size + 1 : NULL;

        if (strlen(row->name) != size ||
            strncmp(row->name, argument, size) != 0) {
            continue;
        }
        if (row->value && !value) {
            value = *at + 1 < argc ? argv[++*at] : NULL;
        }
        if (!row->value != !value) {
            dwqi_error_set(fault, DWQ_E_ARG, "%s %s", row->name,
                           row->value ? "needs a value" : "takes no value");
            return false;
        }
        return apply(row, value, options, fault);
    }
    dwqi_error_set(fault, DWQ_E_ARG,
                   "'%.*s' is not an argument that it takes (see --help)",
                   dwqi_plain_fit(argument, 100), argument);
    return false;
}

bool dwqi_plan_options_read(int argc, char **argv,
                            struct plan_options *options_out,
                            struct dwqi_error *fault_out)
{
    const char *controller = getenv("DWQ_CONTROLLER_RANK");
    struct plan_options options = { .request = {
                                        .grouping = DWQ_GROUPING_SPLIT,
                                        .threads = 1,
                                    } };

    dwqi_size_parse("auto:numa", &options.request.size);
    if (controller && *controller != '\0' &&
        !read_number("DWQ_CONTROLLER_RANK", controller, INT_MIN,
                     &options.controller, fault_out)) {
        return false;
    }
    for (int i = 1; i < argc; i++) {
        if (!read_argument(argc, argv, &i, &options, fault_out)) {
            return false;
        }
    }
    if (options.hosts && options.file) {
        snprintf(fault_out->text, sizeof fault_out->text,
                 "--hosts and --file: only one of them");
        return false;
    }
    *options_out = options;
    return true;
}
