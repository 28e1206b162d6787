/* A program that was started without a launcher, where a batch system gave it room for
 * several processes: it works, by itself, beside cores that wait. Said in one warning. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/run/run_private.h"

/* As this process was started: MPI adds some of what launchers set, also where there
 * was none. */
static bool was_given(const char *name)
{
    FILE *file = fopen("/proc/self/environ", "r");
    size_t length = strlen(name), room = 0;
    char *entry = NULL;
    bool found = false;

    if (!file) {
        return getenv(name) != NULL;
    }
    while (!found && getdelim(&entry, &room, '\0', file) > 0) {
        found = strncmp(entry, name, length) == 0 && entry[length] == '=';
    }
    free(entry);
    fclose(file);
    return found;
}

/* Slurm's own steps, of a shell or a batch script, have the highest numbers. */
#define FIRST_OWN_STEP 0xfffffff0u

static bool was_launched(void)
{
    static const char *const names[] = { "OMPI_COMM_WORLD_RANK", "PMI_RANK",
                                         "PMIX_RANK" };
    const char *step = getenv("SLURM_STEP_ID");
    bool launched = step && strtoul(step, NULL, 10) < FIRST_OWN_STEP;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        launched = launched || was_given(names[i]);
    }
    return launched;
}

void dwqi_run_warn_alone(const struct run *run)
{
    /* The first that is set decides: how many tasks were asked for, else cores. */
    static const struct {
        const char *job, *number;
    } systems[] = {
        { "SLURM_JOB_ID", "SLURM_NTASKS" },
        { "SLURM_JOB_ID", "SLURM_CPUS_ON_NODE" },
        { "PBS_JOBID", "PBS_NP" },
        { "PBS_JOBID", "NCPUS" },
        { "LSB_JOBID", "LSB_DJOB_NUMPROC" },
        { "SGE_ROOT", "NSLOTS" },
    };

    for (size_t i = 0; i < sizeof systems / sizeof systems[0]; i++) {
        const char *number = getenv(systems[i].number);

        if (getenv(systems[i].job) && number) {
            if (strtol(number, NULL, 10) > 1 && !was_launched()) {
                dwqi_log_warning(&run->log,
                                 "one process in an allocation for several "
                                 "(%s=%s): it has no workers, and runs each "
                                 "call itself. Start it with mpirun or srun "
                                 "--mpi=pmix (-n 1, if that is meant)",
                                 systems[i].number, number);
            }
            return;
        }
    }
}
