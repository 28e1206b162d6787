#include "topology/plan/options.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/plain.h"
#include "topology/plan/names.h"

enum kind {
    TEXT,   /* const char * */
    NUMBER, /* int, from..to */
    NAME,   /* int, one of the policy's names */
    SIZE,   /* struct dwqi_size */
    FLAG    /* int, to which it sets what has no value */
};

static const struct row {
    const char *name;
    const char *value; /* NULL: it has none */
    enum kind kind;
    size_t at; /* of what it sets, in struct plan_options */
    int from, to;
    const char *help;
} rows[] = {
#define AT(field) offsetof(struct plan_options, field)
    { "--hosts", "TEXT", TEXT, AT(hosts), 0, 0,
      "the cluster: 'n[01-16]:pack:2 numa:2 core:16 pu:2; ...', or\n"
      "names:FILE.xml (default: the job that a launcher starts this\n"
      "program as, as a run of it would be placed: every rank has to\n"
      "run it, or MPI waits for the others; or this machine)" },
    { "--file", "FILE", TEXT, AT(file), 0, 0,
      "the same from a file, one entry a line" },
    { "--nprocs", "SIZE", SIZE, AT(request.size), 0, 0,
      "ranks per group, auto:core, l3, numa, package or host, or\n"
      "auto:N-per-host (default auto:numa)" },
    { "--broker", "WHERE", NAME, AT(request.broker), DWQI_POLICY_BROKER, 0,
      "inside, beside (default), or on a spare hardware thread: thread" },
    { "--straddle", "WHEN", NAME, AT(request.straddle), DWQI_POLICY_STRADDLE, 0,
      "may groups straddle parts: never, if-must (default), freely" },
    { "--threads", "N", NUMBER, AT(request.threads), 1, INT_MAX,
      "cores of each rank (default 1)" },
    { "--pack", NULL, FLAG, AT(request.fill), DWQI_FILL_PACK, 0,
      "one host after the other (default)" },
    { "--spread", NULL, FLAG, AT(request.fill), DWQI_FILL_SPREAD, 0,
      "hosts and their parts in turn" },
    { "--max-workers", "N", NUMBER, AT(request.max_workers), INT_MIN, INT_MAX,
      "groups at most" },
    { "--ranks-per-host", "N", NUMBER, AT(ranks_per_host), 1, PLAN_RANKS_LIMIT,
      "ranks that the launcher starts on each host (default: one\n"
      "per core; with spawn: as many as groups fit)" },
    { "--grouping", "HOW", NAME, AT(request.grouping), DWQI_POLICY_GROUPING, 0,
      "split (default) or spawn" },
    { "--controller-rank", "RANK", NUMBER, AT(controller), INT_MIN, INT_MAX,
      "default DWQ_CONTROLLER_RANK, or 0; negative: the last" },
    { "--controller", "HOW", NAME, AT(shares), DWQI_POLICY_SHARES, 0,
      "own: a core of its own (default); share: one of a group's,\n"
      "where no other is left" },
    { "--format", "FORMAT", NAME, AT(format), DWQI_POLICY_FORMAT, 0,
      "table (default), drawing, svg or json" },
    { "--table", NULL, FLAG, AT(format), PLAN_TABLE, 0, "--format table" },
    { "--draw", NULL, FLAG, AT(format), PLAN_DRAWING, 0, "--format drawing" },
    { "--json", NULL, FLAG, AT(format), PLAN_JSON, 0, "--format json" },
    { "--svg", "FILE", TEXT, AT(svg_file), 0, 0,
      "write SVG to a file, beside the output" },
    { "--compare-blocks", NULL, FLAG, AT(compare), 1, 0,
      "what consecutive blocks of ranks would have done: a table\n"
      "over a set of clusters, or over the given one" },
    { "--help", NULL, FLAG, AT(help), 1, 0, "this text" },
#undef AT
};
#define N_ROWS (sizeof rows / sizeof rows[0])

_Static_assert(sizeof(enum dwqi_fill) == sizeof(int) &&
                   sizeof(dwq_grouping_t) == sizeof(int),
               "names are set as int");

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
    dwqi_error_set(fault, DWQ_E_OPTION, "%s '%.*s': expected %s", name,
                   dwqi_plain_fit(value, 100), value, expected);
    return false;
}

static bool read_number(const char *name, const char *value, int from, int to,
                        int *out, struct dwqi_error *fault)
{
    char expected[64];

    if (dwqi_text_to_int(value, from, to, out)) {
        return true;
    }
    if (to < INT_MAX) {
        snprintf(expected, sizeof expected, "a number from %d to %d", from, to);
    } else {
        snprintf(expected, sizeof expected,
                 from == INT_MIN ? "a number" : "a number from %d on", from);
    }
    return fail(fault, name, value, expected);
}

static bool read_name(const struct row *row, const char *value, int *out,
                      struct dwqi_error *fault)
{
    char names[128];

    if (dwqi_policy_parse((enum dwqi_policy)row->from, value, out)) {
        return true;
    }
    dwqi_policy_names((enum dwqi_policy)row->from, names, sizeof names);
    return fail(fault, row->name, value, names);
}

static bool apply(const struct row *row, const char *value,
                  struct plan_options *options, struct dwqi_error *fault)
{
    void *at = (char *)options + row->at;

    options->given |= 1u << (row - rows);
    switch (row->kind) {
    case TEXT:
        *(const char **)at = value;
        return true;
    case NUMBER:
        return read_number(row->name, value, row->from, row->to, at, fault);
    case NAME:
        return read_name(row, value, at, fault);
    case SIZE:
        return dwqi_size_parse(value, at) ||
               fail(fault, row->name, value,
                    "a number of ranks, auto:core, l3, numa, package or host, "
                    "or auto:N-per-host");
    default:
        *(int *)at = row->from;
        return true;
    }
}

bool dwqi_plan_is_given(const struct plan_options *options, const void *field)
{
    size_t at = (size_t)((const char *)field - (const char *)options);

    for (size_t i = 0; i < N_ROWS; i++) {
        if (rows[i].at == at && (options->given >> i & 1) != 0) {
            return true;
        }
    }
    return false;
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
    dwqi_error_set(fault, DWQ_E_ARG, "unknown argument '%.*s' (see --help)",
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
        !read_number("DWQ_CONTROLLER_RANK", controller, INT_MIN, INT_MAX,
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
    options.request.controller_shares = options.shares;
    *options_out = options;
    return true;
}
