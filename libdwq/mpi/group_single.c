/* Groups without MPI: there are none. */
#include "libdwq/mpi/group.h"

dwq_status_t dwqi_group_split(struct dwqi_world *world, int number, int place,
                              bool inside, const struct dwqi_log *log,
                              struct dwqi_group **group_out)
{
    (void)log;
    (void)world;
    (void)number;
    (void)place;
    (void)inside;
    *group_out = NULL;
    return DWQ_OK;
}

void dwqi_group_close(struct dwqi_group *group)
{
    (void)group;
}

dwq_status_t dwqi_group_renew(struct dwqi_group *group)
{
    (void)group;
    return DWQ_E_STATE;
}

struct dwqi_ranks *dwqi_group_ranks(struct dwqi_group *group)
{
    (void)group;
    return NULL;
}

dwq_status_t dwqi_group_set_brokers(struct dwqi_group *group,
                                    struct dwqi_world *world, int number)
{
    (void)group, (void)world, (void)number;
    return DWQ_OK;
}

const void *dwqi_group_comm(const struct dwqi_group *group)
{
    (void)group;
    return NULL;
}

const void *dwqi_group_merged_comm(const struct dwqi_group *group)
{
    (void)group;
    return NULL;
}

const void *dwqi_group_brokers_comm(const struct dwqi_group *group)
{
    (void)group;
    return NULL;
}

dwq_status_t dwqi_group_transport(struct dwqi_group *group,
                                  const struct dwqi_log *log,
                                  struct dwqi_transport **transport_out)
{
    (void)group;
    (void)log;
    *transport_out = NULL;
    return DWQ_E_STATE;
}

dwq_status_t dwqi_group_coll(struct dwqi_group *group,
                             const struct dwqi_log *log,
                             struct dwqi_coll **coll_out)
{
    (void)group;
    (void)log;
    *coll_out = NULL;
    return DWQ_E_STATE;
}
