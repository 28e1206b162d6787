/* Spawned groups without MPI, or with one that spawns nothing: there are none. */
#include "libdwq/mpi/spawn.h"

bool dwqi_spawn_read_marker(const char *argument,
                            struct dwqi_spawn_marker *marker_out)
{
    (void)argument;
    (void)marker_out;
    return false;
}

bool dwqi_spawn_is_marked(void)
{
    return false;
}

bool dwqi_spawned(struct dwqi_spawn_marker *marker_out)
{
    (void)marker_out;
    return false;
}

bool dwqi_spawn_is_this_program(const char *path)
{
    (void)path;
    return false;
}

char *dwqi_spawn_own_arguments(size_t *size_out)
{
    (void)size_out;
    return NULL;
}

dwq_status_t dwqi_spawn_check(int n_slots, struct dwqi_error *reason_out)
{
    (void)n_slots;
    return dwqi_error_set(
        reason_out, DWQ_E_OPTION,
        "option grouping is spawn, and the MPI of this build has no "
        "MPI_Comm_spawn: use grouping split");
}

bool dwqi_spawn_find_program(const char *name, char path[PATH_MAX])
{
    (void)name;
    (void)path;
    return false;
}

dwq_status_t dwqi_group_spawn(struct dwqi_world *world,
                              const struct dwqi_spawn *spawn,
                              const struct dwqi_log *log,
                              struct dwqi_group **group_out)
{
    (void)world;
    (void)spawn;
    (void)log;
    *group_out = NULL;
    return DWQ_E_STATE;
}

dwq_status_t dwqi_group_join(struct dwqi_world *world,
                             struct dwqi_group **group_out)
{
    (void)world;
    *group_out = NULL;
    return DWQ_E_STATE;
}

dwq_status_t dwqi_group_complete(struct dwqi_group *group, bool inside)
{
    (void)group;
    (void)inside;
    return DWQ_OK;
}
