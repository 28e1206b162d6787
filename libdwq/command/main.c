/* dwq SUBCOMMAND: one command for what comes with the library. */
#include "libdwq/command/command.h"

#include <dwq/dwq.h>
#include <stdio.h>
#include <string.h>

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *what;
} commands[] = {
    { "run", command_run, "start a program of libdwq as an MPI job" },
};

#define N_COMMANDS (sizeof commands / sizeof commands[0])

static void print_help(FILE *out)
{
    fprintf(out, "dwq " DWQ_VERSION
                 ": work queues of parallel calls inside one MPI job\n\n"
                 "  dwq SUBCOMMAND [--help] ...\n\n");
    for (size_t i = 0; i < N_COMMANDS; i++) {
        fprintf(out, "  %-10s%s\n", commands[i].name, commands[i].what);
    }
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(name, "--version") == 0) {
        puts("dwq " DWQ_VERSION);
        return 0;
    }
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    if (*name) {
        fprintf(stderr, "dwq: there is no subcommand '%s'\n\n", name);
    }
    print_help(stderr);
    return COMMAND_BAD;
}
