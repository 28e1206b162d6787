#define _GNU_SOURCE /* environ */
#include "bench/environment.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAVED "DWQ_BENCH_ENVIRONMENT"
#define BETWEEN '\x1f'

/* Beginnings of NAME=VALUE, ended by NULL. */

/* What mpirun tells its ranks. The user's OMPI_MCA_* and OMPI_ALLOW_* are beside
 * these. */
static const char *const of_job[] = {
    "OMPI_COMM_WORLD_",
    "OMPI_MCA_ess",
    "OMPI_MCA_orte_",
    "OMPI_MCA_pmix=",
    "OMPI_MCA_initial_wdir=",
    "OMPI_MCA_shmem_RUNTIME_QUERY_hint=",
    "OMPI_MCA_mpi_oversubscribe=",
    "OMPI_COMMAND=",
    "OMPI_ARGV=",
    "OMPI_NUM_APP_CTX=",
    "OMPI_APP_CTX_NUM_PROCS=",
    "OMPI_FIRST_RANKS=",
    "OMPI_UNIVERSE_SIZE=",
    "OMPI_FILE_LOCATION=",
    "PMIX_",
    "PRTE_",
    "OPAL_",
    NULL,
};

/* What mpirun or dwq-bench may set for a job. */
static const char *const of_launching[] = {
    "OMPI_",
    "PMIX_",
    "PRTE_",
    "ORTE_",
    "OPAL_",
    "PSM2_DEVICES=",
    "HFI_NO_BACKTRACE=",
    "IPATH_NO_BACKTRACE=",
    "EVENT_NOEPOLL=",
    SAVED "=",
    NULL,
};

static bool begins(const char *entry, const char *const *beginnings)
{
    for (size_t i = 0; beginnings[i]; i++) {
        if (strncmp(entry, beginnings[i], strlen(beginnings[i])) == 0) {
            return true;
        }
    }
    return false;
}

static void remove_all(const char *const *beginnings)
{
    for (size_t i = 0; environ[i];) {
        const char *equals = strchr(environ[i], '=');
        char *name = equals && begins(environ[i], beginnings)
                         ? strndup(environ[i], (size_t)(equals - environ[i]))
                         : NULL;
        bool gone = name && unsetenv(name) == 0;

        free(name);
        i += gone ? 0 : 1;
    }
}

void environment_leave_job(void)
{
    if (getenv("OMPI_COMM_WORLD_RANK") || getenv("PMIX_RANK")) {
        remove_all(of_job);
    }
}

void environment_save(void)
{
    char *text = NULL;
    size_t size;
    FILE *out;

    unsetenv(SAVED);
    out = open_memstream(&text, &size);
    for (size_t i = 0; out && environ[i]; i++) {
        if (begins(environ[i], of_launching)) {
            fprintf(out, "%s%c", environ[i], BETWEEN);
        }
    }
    if (out && fclose(out) == 0) {
        setenv(SAVED, text, 1);
    }
    free(text);
}

void environment_restore(void)
{
    char *saved = getenv(SAVED) ? strdup(getenv(SAVED)) : NULL;
    char *end;

    if (!saved) {
        environment_leave_job();
        return;
    }
    remove_all(of_launching);
    for (char *entry = saved; (end = strchr(entry, BETWEEN)); entry = end + 1) {
        char *value = strchr(entry, '=');

        *end = '\0';
        if (value) {
            *value = '\0';
            setenv(entry, value + 1, 1);
        }
    }
    free(saved);
}
