/* What `dwq run` is asked for, and mpirun is told. */
#define _GNU_SOURCE /* strdup, popen */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libdwq/command/command.h"
#include "libdwq/command/run.h"

static const char help[] =
    "dwq run: starts a program of libdwq as an MPI job, by mpirun\n"
    "\n"
    "  dwq run [-n RANKS] [--hosts LIST | --hostfile FILE] [-v]\n"
    "          [--mpirun OPTION]... PROGRAM ARGUMENT...\n"
    "\n"
    "  -n RANKS         processes (default: as mpirun, one per core or slot)\n"
    "  --hosts LIST     node1,node2:4 (ranks)\n"
    "  --hostfile FILE  the same, a line for each: node2 slots=4\n"
    "  --mpirun OPTION  one more argument for mpirun; may be repeated\n"
    "  -v               print the command, and run it\n"
    "  --dry-run        print the command only\n"
    "\n"
    "The job outlives the death of any rank but the controller's: its worker "
    "is\n"
    "lost, and what it ran is run again. More ranks than cores are allowed, "
    "groups\n"
    "can be spawned, and no rank is bound (the library does that: option "
    "bind).\n"
    "SIGTERM or SIGUSR1 asks running calls to stop, and no more are started; "
    "a\n"
    "second one ends the job at once, as SIGINT does. The exit code is the\n"
    "controller's, or 128 + signal; 1 when the controller died.\n";

/* --- Arguments ------------------------------------------------------------------- */

static void add(struct launcher *l, const char *argument)
{
    if (l->n == ARGUMENTS_MAX - 1) {
        fprintf(stderr, "dwq run: more than %d arguments\n", ARGUMENTS_MAX - 2);
        exit(COMMAND_BAD);
    }
    l->arguments[l->n++] = (char *)(uintptr_t)argument;
}

static void add_two(struct launcher *l, const char *option, const char *value)
{
    if (value) {
        add(l, option);
        add(l, value);
    }
}

/* Whether the option is `name`: *value_out is then what follows it. */
static bool is_option(char **argv, int *i, const char *name,
                      const char **value_out)
{
    size_t length = strlen(name);

    if (strncmp(argv[*i], name, length) == 0 && argv[*i][length] == '=') {
        *value_out = argv[*i] + length + 1;
        return true;
    }
    if (strcmp(argv[*i], name) != 0) {
        return false;
    }
    *value_out = argv[++*i];
    if (!*value_out) {
        fprintf(stderr, "dwq run: %s takes a value\n", name);
        exit(COMMAND_BAD);
    }
    return true;
}

static void check_ranks(const char *text)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (*end || n < 1 || n > 10000000) {
        fprintf(stderr, "dwq run: -n %s: it takes a number from 1 on\n", text);
        exit(COMMAND_BAD);
    }
}

/* What is given to mpirun as it is comes first. */
static bool read_arguments(struct launcher *l, char **argv, bool *dry_out)
{
    const char *value;
    int i = 1;

    for (; argv[i] && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        if (is_option(argv, &i, "-n", &l->ranks)) {
            check_ranks(l->ranks);
        } else if (is_option(argv, &i, "--mpirun", &value)) {
            add(l, value);
        } else if (strcmp(argv[i], "-v") == 0) {
            l->verbose = true;
        } else if (strcmp(argv[i], "--dry-run") == 0) {
            l->verbose = *dry_out = true;
        } else if (!is_option(argv, &i, "--hosts", &l->hosts) &&
                   !is_option(argv, &i, "--hostfile", &l->hostfile)) {
            fprintf(stderr, "dwq run: there is no option '%s'\n\n%s", argv[i],
                    help);
            return false;
        }
    }
    l->program = argv + i;
    if (!argv[i]) {
        fprintf(stderr, "dwq run: which program?\n\n%s", help);
    }
    return argv[i] != NULL;
}

static bool can_run(const char *path)
{
    struct stat file;

    return access(path, X_OK) == 0 && stat(path, &file) == 0 &&
           S_ISREG(file.st_mode);
}

/* mpirun would wait for ever for the ranks of a program that is not there. */
static bool is_there(const char *program)
{
    const char *path = getenv("PATH");
    char file[4096];

    if (strchr(program, '/')) {
        return can_run(program);
    }
    while (path && *path) {
        int length = (int)strcspn(path, ":");

        snprintf(file, sizeof file, "%.*s/%s", length, path, program);
        if (can_run(file)) {
            return true;
        }
        path += length + (path[length] == ':');
    }
    return false;
}

/* 4 or 5; 0: there is none, or it is not Open MPI's. */
static int find_version(void)
{
    FILE *pipe = popen("mpirun --version 2>/dev/null", "r");
    char line[256] = "";
    int major = 0;

    if (pipe) {
        if (!fgets(line, sizeof line, pipe) ||
            sscanf(line, "mpirun (Open MPI) %d", &major) != 1) {
            major = 0;
        }
        pclose(pipe);
    }
    return major;
}

/* EVENT_NOEPOLL: without it spawning hangs in Open MPI 4 (and 5 fails with it). */
void run_set_environment(const struct launcher *l)
{
    if (l->major == 4) {
        setenv("EVENT_NOEPOLL", "1", 1);
    }
    if (geteuid() == 0) {
        setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
        setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
        setenv("PRTE_ALLOW_RUN_AS_ROOT", "1", 0);
        setenv("PRTE_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
    }
    setenv("OMPI_MCA_rmaps_base_oversubscribe", "1", 0);
    setenv(DWQI_LAUNCHER_ENV, l->verdict.address, 1);
    setenv("DWQ_SURVIVES", "1", 0);
}

static void make_command(struct launcher *l)
{
    char *own[64];
    int n_own = l->n;

    for (int i = 0; i < n_own && i < 64; i++) {
        own[i] = l->arguments[i];
    }
    l->n = 0;
    add(l, "mpirun");
    add(l, "--enable-recovery");
    if (l->major == 4) {
        add(l, "--oversubscribe");
        add_two(l, "--mca", "orte_launch_agent");
        add(l, "env EVENT_NOEPOLL=1 orted");
    } else {
        add_two(l, "--map-by", ":OVERSUBSCRIBE");
    }
    add_two(l, "--bind-to", "none");
    add_two(l, "-x", DWQI_LAUNCHER_ENV);
    add_two(l, "-x", "DWQ_SURVIVES");
    add_two(l, "-n", l->ranks);
    add_two(l, "--host", l->hosts);
    add_two(l, "--hostfile", l->hostfile);
    for (int i = 0; i < n_own && i < 64; i++) {
        add(l, own[i]);
    }
    for (char **p = l->program; *p; p++) {
        add(l, *p);
    }
    l->arguments[l->n] = NULL;
}

/* As a shell would take it. */
static void print_command(const struct launcher *l)
{
    if (l->major == 4) {
        fprintf(stderr, "EVENT_NOEPOLL=1 ");
    }
    for (int i = 0; i < l->n; i++) {
        const char *a = l->arguments[i];
        bool plain = *a && strspn(a, "abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-_=./:,+@%") == strlen(a);

        if (i > 0) {
            fputc(' ', stderr);
        }
        if (plain) {
            fputs(a, stderr);
            continue;
        }
        fputc('\'', stderr);
        for (; *a; a++) {
            fputs(*a == '\'' ? "'\\''" : (char[]){ *a, '\0' }, stderr);
        }
        fputc('\'', stderr);
    }
    fputc('\n', stderr);
}

int run_read(struct launcher *l, int argc, char **argv)
{
    bool dry = false;

    if (argc > 1 &&
        (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(help, stdout);
        return 0;
    }
    if (!read_arguments(l, argv, &dry)) {
        return COMMAND_BAD;
    }
    if (!is_there(l->program[0])) {
        fprintf(stderr, "dwq run: %s is no program that can be started here\n",
                l->program[0]);
        return 127;
    }
    l->major = find_version();
    if (l->major < 4) {
        fprintf(stderr, "dwq run: there is no mpirun of Open MPI 4 or 5 in "
                        "PATH\n");
        return COMMAND_BAD;
    }
    make_command(l);
    if (l->verbose) {
        print_command(l);
    }
    return dry ? 0 : -1;
}
