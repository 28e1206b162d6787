/* What may be asked of the placer. */
#ifndef DWQI_TOPOLOGY_POLICY_H
#define DWQI_TOPOLOGY_POLICY_H

enum dwqi_domain { /* from the inside to the outside */
    DWQI_DOMAIN_CORE,
    DWQI_DOMAIN_L3,
    DWQI_DOMAIN_NUMA,
    DWQI_DOMAIN_PACKAGE,
    DWQI_DOMAIN_HOST
};

/* A group fits into a NUMA node, package or host when that could hold it if
 * only the controller were there. */
enum dwqi_straddle {
    DWQI_STRADDLE_IF_MUST, /* a group that fits into one stays in one */
    DWQI_STRADDLE_NEVER,   /* every group is in one NUMA node and package, or in
                            * one of the domain that the size was asked by */
    DWQI_STRADDLE_FREELY   /* as IF_MUST, then groups of what is left over */
};

enum dwqi_broker_place {
    DWQI_BROKER_BESIDE, /* a rank more than the group's, on a core of its own; on
                         * another host where that gives more groups */
    DWQI_BROKER_INSIDE, /* the first rank of its group */
    DWQI_BROKER_THREAD  /* a rank more, on a spare hardware thread */
};

enum dwqi_fill {
    DWQI_FILL_PACK,  /* one host and one part after the other */
    DWQI_FILL_SPREAD /* over hosts and parts in turn */
};

enum dwqi_size_kind {
    DWQI_SIZE_FIXED,    /* n ranks */
    DWQI_SIZE_DOMAIN,   /* one group per domain */
    DWQI_SIZE_PER_HOST, /* n groups per host, as wide as they can be */
};

struct dwqi_size {
    enum dwqi_size_kind kind;
    int n;                   /* FIXED, PER_HOST */
    enum dwqi_domain domain; /* DOMAIN */
};

#endif
