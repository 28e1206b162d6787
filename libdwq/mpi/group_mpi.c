#include <stdlib.h>

#include "libdwq/mpi/coll_mpi.h"
#include "libdwq/mpi/group_private.h"
#include "libdwq/mpi/transport_mpi.h"

static dwq_status_t status_of(int mpi_code)
{
    return mpi_code == MPI_SUCCESS ? DWQ_OK : DWQ_E_MPI;
}

/* All meet first, waiting cheaply: MPI_Comm_split spins. */
static dwq_status_t split(struct dwqi_world *world, MPI_Comm comm, int color,
                          int key, MPI_Comm *part_out)
{
    dwq_status_t status = dwqi_world_meet(world, comm);

    return status == DWQ_OK
               ? status_of(MPI_Comm_split(comm, color, key, part_out))
               : status;
}

struct dwqi_group *dwqi_group_new(struct dwqi_world *world)
{
    struct dwqi_group *group = calloc(1, sizeof *group);

    if (group) {
        group->world = world;
        group->parent = MPI_COMM_NULL;
        group->merged = group->user_brokers = MPI_COMM_NULL;
        dwqi_user_comm_init(&group->user_merged);
        dwqi_user_comm_init(&group->user_group);
    }
    return group;
}

dwq_status_t dwqi_group_renew(struct dwqi_group *group)
{
    struct dwqi_world *world = group->world;
    MPI_Comm merged, members = MPI_COMM_NULL;
    dwq_status_t status =
        dwqi_world_duplicate(world, group->merged, false, &merged);

    if (status != DWQ_OK) {
        return status;
    }
    dwqi_user_comm_replace(&group->user_merged, merged);
    if (group->inside) {
        status = dwqi_world_duplicate(world, group->merged, false, &members);
    } else {
        status =
            split(world, group->merged, group->rank > 0 ? 1 : MPI_UNDEFINED,
                  group->rank, &members);
        if (status == DWQ_OK && members != MPI_COMM_NULL) {
            MPI_Comm_set_errhandler(members, world->user_errors);
        }
    }
    if (status == DWQ_OK) {
        dwqi_user_comm_replace(&group->user_group, members);
    }
    return status;
}

dwq_status_t dwqi_group_finish_merged(struct dwqi_group *group, bool inside)
{
    MPI_Comm_set_errhandler(group->merged, MPI_ERRORS_RETURN);
    MPI_Comm_rank(group->merged, &group->rank);
    MPI_Comm_size(group->merged, &group->size);
    group->inside = inside;
    group->world->beside = inside ? MPI_COMM_NULL : group->merged;
    return dwqi_group_renew(group);
}

dwq_status_t dwqi_group_split(struct dwqi_world *world, int number, int place,
                              bool inside, const struct dwqi_log *log,
                              struct dwqi_group **group_out)
{
    struct dwqi_group *group = dwqi_group_new(world);
    bool member = number > 0, broker = member && place == 0;
    dwq_status_t status =
        dwqi_world_all_have(world, world->comm, group != NULL, log);

    if (status == DWQ_OK) {
        status = split(world, world->comm, member ? number : MPI_UNDEFINED,
                       place, &group->merged);
    }
    if (status == DWQ_OK) {
        status = split(world, world->comm, broker ? 1 : MPI_UNDEFINED, number,
                       &group->user_brokers);
    }
    if (status == DWQ_OK && broker) {
        MPI_Comm_set_errhandler(group->user_brokers, world->user_errors);
    }
    if (status == DWQ_OK && member) {
        status = dwqi_group_finish_merged(group, inside);
    }
    if (status != DWQ_OK || !member) {
        dwqi_group_close(group);
        group = NULL;
    }
    *group_out = group;
    return status;
}

static void free_comm(MPI_Comm *comm)
{
    if (*comm != MPI_COMM_NULL) {
        MPI_Comm_free(comm);
    }
}

/* Broker and spawned ranks part: both disconnect, at one time, so that neither
 * spins for long. */
static void part(struct dwqi_group *group)
{
    if (group->parent != MPI_COMM_NULL) {
        dwqi_world_meet(group->world, group->parent);
        MPI_Comm_disconnect(&group->parent);
    }
}

void dwqi_group_close(struct dwqi_group *group)
{
    if (group) {
        dwqi_ringers_destroy(group->ringers);
        free_comm(&group->user_brokers);
        dwqi_user_comm_finish(&group->user_group);
        dwqi_user_comm_finish(&group->user_merged);
        group->world->beside = MPI_COMM_NULL;
        free_comm(&group->merged);
        part(group);
        free(group);
    }
}

int dwqi_group_size(const struct dwqi_group *group)
{
    return group->size;
}

int dwqi_group_rank(const struct dwqi_group *group)
{
    return group->rank;
}

static const void *if_there(const MPI_Comm *comm)
{
    return *comm == MPI_COMM_NULL ? NULL : comm;
}

const void *dwqi_group_comm(const struct dwqi_group *group)
{
    return if_there(&group->user_group.now);
}

const void *dwqi_group_merged_comm(const struct dwqi_group *group)
{
    return if_there(&group->user_merged.now);
}

const void *dwqi_group_brokers_comm(const struct dwqi_group *group)
{
    return if_there(&group->user_brokers);
}

dwq_status_t dwqi_group_transport(struct dwqi_group *group,
                                  const struct dwqi_log *log,
                                  struct dwqi_transport **transport_out)
{
    dwq_status_t status =
        dwqi_world_hang_bells(group->world, group->merged, &group->ringers);

    if (status == DWQ_OK) {
        status =
            dwqi_transport_mpi_create(group->merged, &group->world->backoff,
                                      group->world->pool, log, transport_out);
    }
    if (status == DWQ_OK) {
        dwqi_transport_mpi_set_ringers(*transport_out, group->ringers);
    }
    return status;
}

dwq_status_t dwqi_group_coll(struct dwqi_group *group,
                             const struct dwqi_log *log,
                             struct dwqi_coll **coll_out)
{
    return dwqi_coll_mpi_create(group->merged, group->ringers, log, coll_out);
}
