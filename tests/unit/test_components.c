/* What stays in memory when MPI is over. */
#include <criterion/criterion.h>
#include <mpi.h>
#include <stdio.h>
#include <string.h>

#include "libdwq/process/components_mpi.h"

static bool is_in_memory(const char *name)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[1024];
    bool found = false;

    cr_assert_not_null(maps);
    while (fgets(line, sizeof line, maps)) {
        found = found || strstr(line, name);
    }
    fclose(maps);
    return found;
}

Test(components, what_speaks_with_the_launcher_stays_in_memory, .timeout = 60)
{
    bool was_there;

    MPI_Init(NULL, NULL);
    was_there = is_in_memory("/mca_pmix_"); /* not in each build of MPI */
    dwqi_mpi_keep_components();
    MPI_Finalize();
    cr_assert_eq(is_in_memory("/mca_pmix_"), was_there);
}
