#define _GNU_SOURCE /* dl_iterate_phdr, RTLD_NODELETE */
#include "libdwq/process/components_mpi.h"

#if defined __linux__ && !defined DWQI_SMPI

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

/* The path of the component that speaks with the launcher, or "". */
static int find_component(struct dl_phdr_info *info, size_t size, void *path)
{
    (void)size;
    if (!strstr(info->dlpi_name, "/mca_pmix_")) {
        return 0;
    }
    snprintf(path, PATH_MAX, "%s", info->dlpi_name);
    return 1;
}

void dwqi_mpi_keep_components(void)
{
    char path[PATH_MAX] = "";
    void *component;

    dl_iterate_phdr(find_component, path);
    component =
        path[0] ? dlopen(path, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE) : NULL;
    if (component) {
        dlclose(component); /* not to be counted: it stays all the same */
    }
}

#else

void dwqi_mpi_keep_components(void)
{
}

#endif
