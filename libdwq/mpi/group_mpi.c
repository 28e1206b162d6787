#include <stdlib.h>

#include "libdwq/mpi/coll_mpi.h"
#include "libdwq/mpi/group_private.h"

struct dwqi_group *dwqi_group_new(struct dwqi_world *world)
{
    struct dwqi_group *group = calloc(1, sizeof *group);

    if (group) {
        group->world = world;
        group->parent = MPI_COMM_NULL;
        group->ranks.world = world;
        group->ranks.comm = group->user_brokers = MPI_COMM_NULL;
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
        dwqi_world_duplicate(world, group->ranks.comm, false, &merged);

    if (status != DWQ_OK) {
        return status;
    }
    dwqi_user_comm_replace(&group->user_merged, merged);
    if (group->inside) {
        status =
            dwqi_world_duplicate(world, group->ranks.comm, false, &members);
    } else {
        status = dwqi_ranks_split(&group->ranks,
                                  group->ranks.rank > 0 ? 1 : MPI_UNDEFINED,
                                  group->ranks.rank, &members);
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
    group->inside = inside;
    group->world->beside = inside ? MPI_COMM_NULL : group->ranks.comm;
    return dwqi_group_renew(group);
}

dwq_status_t dwqi_group_set_brokers(struct dwqi_group *group,
                                    struct dwqi_world *world, int number)
{
    MPI_Comm brokers = MPI_COMM_NULL;
    dwq_status_t status = dwqi_ranks_split(
        &world->ranks, number > 0 ? 1 : MPI_UNDEFINED, number, &brokers);

    if (status == DWQ_OK && brokers != MPI_COMM_NULL) {
        MPI_Comm_set_errhandler(brokers, world->user_errors);
        group->user_brokers = brokers;
    }
    return status;
}

dwq_status_t dwqi_group_split(struct dwqi_world *world, int number, int place,
                              bool inside, const struct dwqi_log *log,
                              struct dwqi_group **group_out)
{
    struct dwqi_group *group = dwqi_group_new(world);
    bool member = number > 0, broker = member && place == 0;
    MPI_Comm merged;
    dwq_status_t status =
        dwqi_ranks_all_have(&world->ranks, group != NULL, log);

    if (status == DWQ_OK) {
        status = dwqi_ranks_split(
            &world->ranks, member ? number : MPI_UNDEFINED, place, &merged);
    }
    if (status == DWQ_OK && member) {
        dwqi_ranks_take(&group->ranks, merged);
    }
    if (status == DWQ_OK) {
        status = dwqi_group_set_brokers(group, world, broker ? number : 0);
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
        free_comm(&group->user_brokers);
        dwqi_user_comm_finish(&group->user_group);
        dwqi_user_comm_finish(&group->user_merged);
        group->world->beside = MPI_COMM_NULL;
        dwqi_ranks_finish(&group->ranks);
        part(group);
        free(group);
    }
}

struct dwqi_ranks *dwqi_group_ranks(struct dwqi_group *group)
{
    return &group->ranks;
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
    dwq_status_t status = dwqi_world_hang_bells(group->world, &group->ranks);

    return status == DWQ_OK
               ? dwqi_world_transport_to(group->world, &group->ranks, log,
                                         transport_out)
               : status;
}

dwq_status_t dwqi_group_coll(struct dwqi_group *group,
                             const struct dwqi_log *log,
                             struct dwqi_coll **coll_out)
{
    return dwqi_coll_mpi_create(group->ranks.comm, group->ranks.ringers, log,
                                coll_out);
}
