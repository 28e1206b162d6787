/* dwq-worker: a program that serves modules. It has no functions of its own; as
 * ranks of a job whose controller is another program, or spawned by such ranks, it
 * runs what that program's modules export, with that program's options. */
#include <dwq/dwq.h>
#include <string.h>

static void print_help(FILE *out)
{
    fprintf(
        out, "%s",
        "dwq-worker " DWQ_VERSION ": serves modules in a job of libdwq\n"
        "\n"
        "  mpirun -n 1 ./program : -n 4 dwq-worker [--module-path=FOLDERS]\n"
        "\n"
        "All options of the run are those of the program, which calls\n"
        "dwq_main() or dwq_run(): groups, their size and mode, worker and\n"
        "broker functions of modules, limits of time, run_args. Functions of\n"
        "the program itself are not here: name those of modules. The first\n"
        "run of the program is served. A rank of the program has to be the\n"
        "controller (DWQ_CONTROLLER_RANK; default 0).\n"
        "\n"
        "A program may spawn it, too (option spawn_executable); without\n"
        "spawn_args it gets no arguments. A broker that is a dwq-worker\n"
        "spawns dwq-worker unless spawn_executable says otherwise.\n"
        "\n"
        "  --module-path=FOLDERS  where modules are, with ':' between, if\n"
        "                         neither the program's option module_path\n"
        "                         nor its DWQ_MODULE_PATH says so; a relative\n"
        "                         folder of the program's is taken from where\n"
        "                         the program was started\n"
        "  --help                 this text\n");
}

/* The text behind "--name=", or NULL. */
static const char *value_of(const char *argument, const char *name)
{
    size_t length = strlen(name);

    return strncmp(argument, name, length) == 0 ? argument + length : NULL;
}

/* An exit code; -1: go on. Where a broker waits for this process, no argument is
 * worth an end that the broker could not be told of. */
static int read_arguments(int argc, char **argv, bool spawned,
                          dwq_options_t *options)
{
    for (int i = 1; i < argc; i++) {
        const char *value = value_of(argv[i], "--module-path=");

        if (value) {
            options->module_path = value;
        } else if (value_of(argv[i], "--dwq-")) { /* the library's own */
            continue;
        } else if (!spawned && strcmp(argv[i], "--help") == 0) {
            print_help(stdout);
            return 0;
        } else {
            fprintf(stderr, "dwq-worker: unknown argument '%s'%s\n", argv[i],
                    spawned ? ", and is ignored" : "");
            if (!spawned) {
                print_help(stderr);
                return 2;
            }
        }
    }
    return -1;
}

int main(int argc, char **argv)
{
    /* What the program asks for is not known when MPI starts. */
    dwq_options_t options = { .thread_level = 3 /* MPI_THREAD_MULTIPLE */ };
    bool spawned = false;
    int code;

    for (int i = 1; i < argc; i++) {
        spawned = spawned || value_of(argv[i], "--dwq-spawned=");
    }
    code = read_arguments(argc, argv, spawned, &options);
    return code >= 0 ? code : dwq_worker_main(argc, argv, &options);
}
