/* dwq-worker: a program that serves modules. It has no functions of its own; as
 * ranks of a job whose controller is another program it runs what that one's
 * modules export:
 *
 *     mpirun -n 1 ./simulation : -n 8 dwq-worker
 *
 * Options that the other program sets have to be given here, too: `--help`. */
#include <dwq/dwq.h>
#include <stdlib.h>
#include <string.h>

struct setting {
    const char *name;
    const char *help;
};

static const struct setting settings[] = {
    { "--module-path=FOLDERS", "where modules are (default DWQ_MODULE_PATH)" },
    { "--worker-module=NAME", "the module whose worker function runs" },
    { "--worker-name=NAME", "its worker function" },
    { "--max-workers=N", "as in the controller's options" },
    { "--time-limit=SECONDS", "the same" },
    { "--time-limit-grace=SECONDS", "the same" },
};

static void print_help(FILE *out)
{
    fprintf(out, "dwq-worker %s: serves modules in a job of libdwq\n\n",
            DWQ_VERSION);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        fprintf(out, "  %-28s %s\n", settings[i].name, settings[i].help);
    }
}

/* The text behind "--name=", or NULL. */
static const char *value_of(const char *argument, const char *name)
{
    size_t length = strlen(name);

    return strncmp(argument, name, length) == 0 ? argument + length : NULL;
}

/* A number and nothing else. */
static bool read_number(const char *text, double *out)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end != '\0' || !(value >= 0 && value <= 1e9)) {
        return false;
    }
    *out = value;
    return true;
}

static bool read_argument(const char *argument, dwq_options_t *options)
{
    const char *value;
    double number = 0;

    if ((value = value_of(argument, "--module-path=")) != NULL) {
        options->module_path = value;
    } else if ((value = value_of(argument, "--worker-module=")) != NULL) {
        options->worker_module = value;
    } else if ((value = value_of(argument, "--worker-name=")) != NULL) {
        options->worker_name = value;
    } else if ((value = value_of(argument, "--time-limit-grace=")) != NULL) {
        return read_number(value, &options->time_limit_grace);
    } else if ((value = value_of(argument, "--time-limit=")) != NULL) {
        return read_number(value, &options->time_limit);
    } else if ((value = value_of(argument, "--max-workers=")) != NULL) {
        if (!read_number(value, &number) || number != (int)number) {
            return false;
        }
        options->max_workers = (int)number;
    } else {
        return false;
    }
    return true;
}

/* Alone there is nothing to do: the controller is another program. */
static int no_controller(dwq_controller_t *controller, void *arg)
{
    (void)controller;
    (void)arg;
    fprintf(stderr, "dwq-worker: this process became the controller, which has "
                    "to be the program that submits calls (start that one as "
                    "rank 0, or set DWQ_CONTROLLER_RANK)\n");
    return 1;
}

int main(int argc, char **argv)
{
    dwq_options_t options = { .controller = no_controller };

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_help(stdout);
            return 0;
        }
        if (strncmp(argv[i], "--dwq-", 6) == 0) {
            continue; /* the library's own */
        }
        if (!read_argument(argv[i], &options)) {
            fprintf(stderr,
                    "dwq-worker: '%s' is not an argument that it takes\n",
                    argv[i]);
            print_help(stderr);
            return 2;
        }
    }
    return dwq_main(argc, argv, &options);
}
