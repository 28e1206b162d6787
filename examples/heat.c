/* A sweep over heated plates: five materials on eight grids, one call for each,
 * run by a rank or by a group of ranks. Results are collected in the order of the
 * calls, and are the same to the last bit for any number of ranks. */
#include "examples/group_options.h"
#include "examples/heat_call.h"
#include "examples/heat_picture.h"
#include "examples/heat_plate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define N_MATERIALS 5
#define N_GRIDS 8
#define N_CALLS (N_MATERIALS * N_GRIDS)
#define WIDTH 0.10   /* m */
#define HEIGHT 0.08  /* m */
#define DURATION 2.0 /* s */
#define COLDEST 0.   /* degrees C */
#define HOTTEST 100.
#define PLOTTED (4 * N_GRIDS - 1) /* iron on the finest grid */

static const struct material {
    const char *name;
    double diffusivity; /* m^2/s, near room temperature, rounded */
} materials[N_MATERIALS] = {
    { "copper", 1.11e-4 }, { "aluminium", 9.7e-5 },       { "brass", 3.4e-5 },
    { "iron", 2.3e-5 },    { "stainless steel", 4.2e-6 },
};

static const char usage[] =
    "usage: heat [-h] [-o FILE] [--refine N] [GROUPS...]\n"
    "Heats plates of five materials on eight grids; prints a table and a\n"
    "report, and draws the iron plate on the finest grid.\n"
    "  -o, --output FILE   where to draw, default heat.png\n"
    "  --refine N          N times the points in each direction (1 to "
    "64)\n" GROUP_USAGE "  -h, --help          this text\n";

/* What the command line says; every rank has it, the controller acts on it. */
struct settings {
    bool help;
    bool bad;
    const char *output;
    size_t refine;
    struct heat_start start;
};

/* The plate at a moment: what its points tell. */
struct summary {
    double centre; /* degrees C, as the others */
    double mean;
    double hottest;
    uint64_t bits; /* of all points: differs when any bit of them does */
};

/* Smooth, 1 in the middle and 0 from `radius` on; without the math library, whose
 * last bit may differ between machines. */
static double bump(double x, double y, double radius)
{
    double height = 1 - (x * x + y * y) / (radius * radius);

    return height > 0 ? height * height : 0;
}

/* At time 0, 20 degrees with a hot and a cold spot; the edge on the left is hot,
 * the others stay at 20. */
static double temperature(double x, double y)
{
    if (x == 0) {
        return 80;
    }
    return 20 + (HOTTEST - 20) * bump(x - 0.040, y - 0.030, 0.025) -
           (20 - COLDEST) * bump(x - 0.070, y - 0.055, 0.020);
}

/* Squares of 20, 13.3, 10 ... 4.4 mm, divided by `refine`; the centre of the plate
 * is a point of each grid. */
static struct heat_plate plate_of(const struct settings *settings, size_t call)
{
    size_t n = (2 * (call % N_GRIDS) + 4) * settings->refine;

    return (struct heat_plate){
        .rows = 4 * n - 1,
        .columns = 5 * n - 1,
        .height = HEIGHT,
        .width = WIDTH,
        .diffusivity = materials[call / N_GRIDS].diffusivity,
        .duration = DURATION,
    };
}

/* Cells x steps, at about a nanosecond each. The unit does not matter, only that
 * it is the same for all. */
static dwq_status_t submit(dwq_controller_t *controller,
                           const struct settings *settings, size_t call,
                           uint64_t *id_out)
{
    struct heat_plate plate = plate_of(settings, call);

    return dwq_controller_submit_call(
        controller,
        &(dwq_task_t){
            .function = "heat",
            DWQ_ARGS(plate.rows, plate.columns),
            DWQ_KWARGS({ "height", dwq_value(plate.height) },
                       { "width", dwq_value(plate.width) },
                       { "diffusivity", dwq_value(plate.diffusivity) },
                       { "duration", dwq_value(plate.duration) }),
            .time_est = 1e-9 * heat_cost(&plate),
        },
        id_out);
}

/* The strips of the ranks, one after the other. Gives NULL, or why not. */
static const char *join(const dwq_result_t *result,
                        const struct heat_plate *plate, double *field_out)
{
    size_t rows = 0;

    if (result->status != DWQ_OK) {
        return result->message;
    }
    for (int rank = 0; rank < result->n_ranks; rank++) {
        dwq_array_t strip;

        if (!dwq_result_get(result, rank, 0, &strip) ||
            strip.type != DWQ_DOUBLE || strip.ndim != 2 ||
            strip.shape[1] != plate->columns ||
            strip.shape[0] > plate->rows - rows) {
            return "a rank returned something else than rows of the plate";
        }
        memcpy(field_out + rows * plate->columns, strip.data,
               dwq_array_size(&strip));
        rows += strip.shape[0];
    }
    return rows == plate->rows ? NULL : "rows are missing";
}

/* Always in the order of the points, whoever computed them. */
static struct summary summarize(const double *field,
                                const struct heat_plate *plate)
{
    size_t n = plate->rows * plate->columns;
    const unsigned char *bytes = (const unsigned char *)field;
    struct summary summary = {
        .centre = field[plate->rows / 2 * plate->columns + plate->columns / 2],
        .hottest = field[0],
        .bits = 0xcbf29ce484222325u,
    };
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        sum += field[i];
        summary.hottest =
            field[i] > summary.hottest ? field[i] : summary.hottest;
    }
    summary.mean = sum / (double)n;
    for (size_t i = 0; i < n * sizeof *field; i++) { /* FNV-1a */
        summary.bits = (summary.bits ^ bytes[i]) * 0x100000001b3u;
    }
    return summary;
}

static void print_row(const char *name, const struct heat_plate *plate,
                      const struct summary *summary)
{
    printf("%-16s %4zu x %-4zu %7.0f %11.6f %11.6f %11.6f  %016" PRIx64 "\n",
           name, plate->columns, plate->rows, heat_steps(plate),
           summary->centre, summary->mean, summary->hottest, summary->bits);
}

static int draw(const struct settings *settings, const double *field,
                const struct heat_plate *plate)
{
    if (heat_picture_write(settings->output, field, plate->rows, plate->columns,
                           COLDEST, HOTTEST) != 0) {
        fprintf(stderr, "heat: %s: %s\n", settings->output, strerror(errno));
        return 1;
    }
    return 0;
}

/* Print a call's row, and draw the one that is to be drawn. Nonzero for a failed
 * call or picture. */
static int show(const struct settings *settings, size_t call,
                const dwq_result_t *result)
{
    struct heat_plate plate = plate_of(settings, call);
    const char *name = materials[call / N_GRIDS].name;
    double *field = calloc(plate.rows * plate.columns, sizeof *field);
    const char *reason = field ? join(result, &plate, field) : "out of memory";
    int code = reason != NULL;

    if (reason) {
        printf("%-16s %4zu x %-4zu failed: %s\n", name, plate.columns,
               plate.rows, reason);
    } else {
        struct summary summary = summarize(field, &plate);

        print_row(name, &plate, &summary);
        code = call == PLOTTED ? draw(settings, field, &plate) : 0;
    }
    free(field);
    return code;
}

static int run(dwq_controller_t *controller, const struct settings *settings)
{
    uint64_t ids[N_CALLS];
    dwq_result_t result;
    int n_bad = 0;

    for (size_t i = 0; i < N_CALLS; i++) {
        if (submit(controller, settings, i, &ids[i]) != DWQ_OK) {
            return 1;
        }
    }
    printf("Plates of 100 mm x 80 mm after %g s; temperatures in degrees C.\n\n"
           "%-16s %11s %7s %11s %11s %11s  %s\n",
           DURATION, "material", "grid", "steps", "centre", "mean", "hottest",
           "bits");
    for (size_t i = 0; i < N_CALLS; i++) {
        if (dwq_controller_get_result(controller, ids[i], &result) != DWQ_OK) {
            return 1;
        }
        n_bad += show(settings, i, &result);
        dwq_result_clear(&result);
    }
    printf("\npicture: %s\n\nreport\n", settings->output);
    return dwq_controller_info(controller, stdout) != DWQ_OK || n_bad > 0;
}

static int controller(dwq_controller_t *controller, void *arg)
{
    const struct settings *settings = arg;

    if (settings->help || settings->bad) {
        fputs(usage, settings->help ? stdout : stderr);
        return settings->help ? 0 : 2;
    }
    return run(controller, settings);
}

static void parse(int argc, char **argv, struct settings *settings,
                  dwq_options_t *options)
{
    static const struct option known[] = {
        { "help", no_argument, NULL, 'h' },
        { "output", required_argument, NULL, 'o' },
        { "refine", required_argument, NULL, 'r' },
        GROUP_OPTIONS,
        { NULL, 0, NULL, 0 },
    };
    int option;

    opterr = 0; /* one process says it, by its usage */
    while ((option = getopt_long(argc, argv, "ho:", known, NULL)) != -1) {
        switch (option) {
        case 'h':
            settings->help = true;
            break;
        case 'o':
            settings->output = optarg;
            break;
        case 'r':
            settings->refine = strtoul(optarg, NULL, 10);
            settings->bad |= settings->refine < 1 || settings->refine > 64;
            break;
        default:
            settings->bad |= !group_option(option, optarg, options);
        }
    }
    settings->bad |= optind < argc;
}

int main(int argc, char **argv)
{
    struct settings settings = { .output = "heat.png",
                                 .refine = 1,
                                 .start = { temperature } };
    const dwq_function_t functions[] = {
        { .name = "heat", .function = heat_call, .arg = &settings.start },
        { .name = NULL },
    };
    dwq_options_t options = {
        .controller = controller,
        .functions = functions,
        .arg = &settings,
        .queue_order = DWQ_ORDER_LONGEST_FIRST, /* uneven work ends sooner */
    };

    parse(argc, argv, &settings, &options);
    return dwq_main(argc, argv, &options);
}
