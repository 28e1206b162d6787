/* Groups whose ranks a broker starts with MPI_Comm_spawn, and how a process knows
 * that it was started so. */
#ifndef DWQI_MPI_SPAWN_H
#define DWQI_MPI_SPAWN_H

#include <limits.h>

#include "libdwq/base/error.h"
#include "libdwq/mpi/group.h"

/* The argument that tells a spawned process what it is: this, then "RUN:TOKEN". */
#define DWQI_SPAWN_MARKER "--dwq-spawned="

struct dwqi_spawn_marker {
    int run;        /* which dwq_run() of the process serves, counted from 1 */
    uint64_t token; /* the broker knows it, too */
};

/* Whether an argument is a marker; *marker_out may be NULL. */
bool dwqi_spawn_read_marker(const char *argument,
                            struct dwqi_spawn_marker *marker_out);
/* Whether this process was spawned by a broker: it has a parent, and the marker
 * among its arguments (the process's own, whatever main() made of them). MPI has to
 * run. */
bool dwqi_spawn_is_marked(void); /* the marker alone; MPI need not run */
bool dwqi_spawned(struct dwqi_spawn_marker *marker_out);

/* Whether a path is that of this program. */
bool dwqi_spawn_is_this_program(const char *path);
/* The arguments of this process, each with a '\0' behind it, the program's name
 * first. malloc()ed; NULL: they are not to be had. */
char *dwqi_spawn_own_arguments(size_t *size_out);

/**
 * Whether spawning can work here at all: a spawn that fails ends the job, or hangs.
 *
 * @param n_slots  Processes in all, spawned ones included.
 *
 * @return DWQ_OK; DWQ_E_OPTION, with what is wrong and what to use instead
 */
dwq_status_t dwqi_spawn_check(int n_slots, struct dwqi_error *reason_out);

/* The absolute path of a program: NULL is this one; a name without '/' is looked up
 * in PATH, then beside this program. false: there is no such program that can be
 * executed. */
bool dwqi_spawn_find_program(const char *name, char path[PATH_MAX]);

struct dwqi_spawn {
    const char *program;
    const char *const *args; /* ends with NULL; without the program's name */
    int n; /* processes; 0: the broker is alone in its group */
    const char
        *host; /* where: "node2:2,node3", in this order; NULL: anywhere */
};

/* The broker: start them. Not complete yet. DWQ_E_MPI: it failed. */
dwq_status_t dwqi_group_spawn(struct dwqi_world *world,
                              const struct dwqi_spawn *spawn,
                              const struct dwqi_log *log,
                              struct dwqi_group **group_out);
/* A spawned process: join its broker. Not complete yet. */
dwq_status_t dwqi_group_join(struct dwqi_world *world,
                             struct dwqi_group **group_out);
/* Make the user's communicators. Collective over the merged ranks. */
dwq_status_t dwqi_group_complete(struct dwqi_group *group, bool inside);

#endif
