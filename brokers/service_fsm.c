#include "brokers/service_fsm.h"

/* Each client has a port of its own, which the group opens when it has accepted the
 * one before. A client that committed itself is in MPI_Comm_connect: nothing but the accept leads
 * out of ACCEPTING, and a group leaves only when nothing is offered. A client always
 * answers an offer, since it says COMMIT or CANCEL to each of its requests. */
static const struct dwqi_edge edges[DWQI_SS_COUNT][DWQI_SE_COUNT] = {
    [DWQI_SS_UNPUBLISHED] = {
        [DWQI_SE_PUBLISH] = { true, DWQI_SS_OPEN, DWQI_SA_NONE },
        [DWQI_SE_LEAVE] = { true, DWQI_SS_GONE, DWQI_SA_REFUSE_ALL },
    },
    [DWQI_SS_OPEN] = {
        [DWQI_SE_NEXT] = { true, DWQI_SS_OFFERED, DWQI_SA_SEND_OFFER },
        [DWQI_SE_LEAVE] = { true, DWQI_SS_GONE, DWQI_SA_REFUSE_ALL },
    },
    [DWQI_SS_OFFERED] = {
        [DWQI_SE_COMMIT] = { true, DWQI_SS_ACCEPTING, DWQI_SA_SEND_ACCEPT },
        [DWQI_SE_CANCEL] = { true, DWQI_SS_OPEN, DWQI_SA_NONE },
    },
    [DWQI_SS_ACCEPTING] = {
        [DWQI_SE_PUBLISH] = { true, DWQI_SS_RENEWED, DWQI_SA_NONE },
        [DWQI_SE_ACCEPTED] = { true, DWQI_SS_UNPUBLISHED, DWQI_SA_NONE },
    },
    [DWQI_SS_RENEWED] = {
        [DWQI_SE_ACCEPTED] = { true, DWQI_SS_OPEN, DWQI_SA_NONE },
    },
    [DWQI_SS_GONE] = {
        /* Its ranks publish after their broker withdrew. */
        [DWQI_SE_PUBLISH] = { true, DWQI_SS_GONE, DWQI_SA_NONE },
        [DWQI_SE_LEAVE] = { true, DWQI_SS_GONE, DWQI_SA_NONE },
    },
};

struct dwqi_edge dwqi_service_edge(enum dwqi_service_state state,
                                   enum dwqi_service_event event)
{
    return dwqi_edge_find(&edges[0][0], DWQI_SE_COUNT, (int)state, (int)event);
}
