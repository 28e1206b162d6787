/* The placer's workspace. Cores of a host are kept in an order in which each of
 * its parts (L3 cache, NUMA node, package) is one interval; "position" is a
 * place in that order. What is placed is written to the plan at once, and taken
 * back by `undo` when the rest of its group finds no room. */
#ifndef DWQI_TOPOLOGY_PLACER_PRIVATE_H
#define DWQI_TOPOLOGY_PLACER_PRIVATE_H

#include "libdwq/base/arena.h"
#include "topology/placer.h"

#define MAX_LEVELS 4

/* The parts of one kind: node i is positions first[i] .. first[i + 1] - 1. */
struct level {
    enum dwqi_domain kind;
    int n_nodes;
    int *first;
    int *node_of; /* by position */
    int base;     /* of its nodes in arrays over all nodes of the tree */
};

/* What a rank may use of a machine. */
struct mask {
    int n_cores;            /* that may be used, at least in part */
    int low, high;          /* no other positions than these */
    unsigned char *allowed; /* by position; NULL: all of them */
};

/* Of one machine; `levels` from the inside to the outside, each part of a level
 * inside one of the next. The last level is the host. */
struct tree {
    const struct dwqi_machine *machine;
    int *order; /* position -> index into machine->cores */
    int n_levels, n_nodes;
    struct level levels[MAX_LEVELS];
    struct mask **masks; /* by set of the cluster; NULL until they are needed */
    bool has_spare;      /* a core with more than one thread */
};

struct work_host {
    struct tree *tree;
    int first_core; /* of its positions in arrays over all cores */
    int first_node; /* of its nodes in arrays over all nodes */
    int first_rank,
        n_ranks;    /* slice of work->ranks; the tightest bound first */
    int next_rank;  /* those before it are used */
    int n_free;     /* cores */
    int n_unused;   /* ranks */
    int width;      /* of a group, in ranks; 0: no group here */
    int most_level; /* the widest part that a group may use */
    int class_;     /* the order of hosts: see fill.c; -1: no groups */
    bool by_thread; /* its cores are hardware threads */
    bool oversubscribed;
    bool is_full;
    bool would_straddle; /* no groups: each would, and is not to */
    bool no_broker;      /* seats no broker of a group elsewhere */
    int *quota; /* DWQI_SIZE_DOMAIN: ranks of each node's group, or NULL */
};

/* Where the members of one group could sit in one interval of one host. */
struct attempt {
    int host, low, high;
    int n_members;
    int *ranks;                /* of the members; -1: to be spawned */
    const struct mask **masks; /* of the members */
    int *slot_at;          /* by position - low: member * threads + i, or -1 */
    unsigned char *closed; /* by position - low: not for this group */
    int *seen;             /* by position - low: the round of the search */
    int *core_of;          /* by slot, in commit */
    int round;
    int next_free;  /* those before it are taken, for ranks that may use all */
    int first_seat; /* of the group: its broker, if it is a member */
    bool whole;     /* do not narrow it; narrowed: the last try was */
    bool narrowed;
};

/* Which host the next broker of a group elsewhere is looked for on. */
struct broker_hosts {
    int last;       /* that had one, or -1 */
    int given_back; /* where a group found no broker, or -1: may be passed by */
    int cheap;      /* no host before it has one that costs no group */
    int dear;       /* no host behind it has one at all */
};

struct work {
    struct dwqi_arena arena; /* what follows, but for the plan and by seat */
    const struct dwqi_cluster *cluster;
    struct dwqi_place_request request;
    bool controller_on_thread;
    bool controller_shares; /* it is seated when all others are */
    bool fits;         /* hosts with few ranks too many are planned by rule; */
    int n_fitted;      /* such hosts */
    bool any_holds;    /* a host could hold a whole group */
    bool any_broker;   /* a host may have the broker of a group elsewhere */
    bool brokers_roam; /* and has it where that costs no group */
    int only_host;     /* groups on this one alone; -1: on all */
    const bool *unbound; /* by host: planned as oversubscribed; or NULL */

    struct tree *trees; /* by machine; then, of hardware threads as cores */
    struct dwqi_machine *threads; /* by machine: of the latter */
    struct work_host *hosts;
    int *ranks;                /* world ranks, by host */
    unsigned char *rank_used;  /* by world rank */
    unsigned char *rank_stuck; /* as the broker of a group elsewhere */
    unsigned char *core_used;  /* by host and position */
    unsigned char *core_lent;  /* threads given to others: the last ones */
    int *node_free, *node_groups;
    unsigned char *node_failed;
    int *thread_of_seat; /* by seat: a lent thread of its core, or -1 */
    bool narrowed_bound; /* bound ranks to fewer parts than they might have */
    bool unbound_last;   /* of a group over several hosts */
    bool keep_broker;    /* a rank on hosts with spare threads, then */
    int *room;           /* by host, of groups over several: ranks of them */
    int *picked;         /* hosts of such a group */
    int n_picked;
    int n_cores, n_nodes;
    int limit; /* groups at most */

    struct attempt attempt;
    struct dwqi_placement plan; /* cores are positions until it is finished */
    int group_room, seat_room, core_room;
    struct broker_hosts broker_hosts;
    bool no_memory; /* what was placed since is not to be used */
};

/* tree.c */
/* All of a tree lies in the arena. false: out of memory. */
bool dwqi_tree_init(struct tree *tree, const struct dwqi_machine *machine,
                    struct dwqi_arena *arena);
/* The machine with each hardware thread as a core. */
bool dwqi_tree_threads(const struct dwqi_machine *machine,
                       struct dwqi_machine *out, struct dwqi_arena *arena);
/* NULL: out of memory. Set -1 is everything. */
const struct mask *dwqi_tree_mask(struct tree *tree,
                                  const struct dwqi_cluster *cluster, int set,
                                  struct dwqi_arena *arena);
/* The level of that kind, or -1: the machine has none. */
int dwqi_tree_level(const struct tree *tree, enum dwqi_domain kind);
/* NUMA nodes, packages and the host count as straddled; L3 caches do not. */
static inline bool dwqi_level_is_hard(const struct level *level)
{
    return level->kind > DWQI_DOMAIN_L3;
}

/* work.c */
/* With cluster, request, fits, unbound set. */
dwq_status_t dwqi_work_init(struct work *work);
void dwqi_work_finish(struct work *work);
/* n items of zeros, until the end of the work; NULL: no memory, which is noted. */
void *dwqi_work_array(struct work *work, int n, size_t size);
/* Ranks of a group that are there already. */
bool dwqi_work_is_split(const struct work *work);
/* A group's broker is a rank more than its members. */
bool dwqi_work_has_extra(const struct work *work);
/* World ranks that are brokers of groups to be spawned; without them brokers are
 * made up. */
bool dwqi_work_has_brokers(const struct work *work);
const struct mask *dwqi_work_mask(struct work *work, int host, int rank);
/* No rank of the host is bound. */
bool dwqi_work_is_plain(struct work *work, int host);

/* seat.c */
/* Looks for members on the free cores of an interval, in as few of its parts as
 * can be: up to `width`. Returns how many; nothing is taken yet. */
int dwqi_try(struct work *work, int host, int low, int high, int width);
/* Takes what the last try found. */
void dwqi_commit(struct work *work);
/* A seat for one process. rank -1: to be spawned. position -1: no core. */
void dwqi_add_seat(struct work *work, int rank, int host, int position);
/* The seat without a core has this one: its own, a thread of it, or shared. */
void dwqi_settle_seat(struct work *work, int number, int position, bool own,
                      int thread);
/* Appends a core to the last seat, without taking it. false: no memory. */
bool dwqi_pool_core(struct work *work, int position);
/* Takes back the seats from this number on. */
void dwqi_undo(struct work *work, int first_seat);
/* A thread of the core that the rank may use is left, when some are lent and n_more
 * are. */
bool dwqi_has_thread(const struct work *work, int host, int rank, int position,
                     int n_more);
/* The first rank of a host that is not used, from *at on, which moves behind it;
 * -1: none. */
int dwqi_next_rank(const struct work *work, int host, int *at);

/* narrow.c */
/* Closes all cores of the attempt's interval but so many, which are in as few
 * parts of each kind as can be. */
void dwqi_narrow(struct work *work, int n_cores);

/* spare.c */
/* A free core for one rank, where it costs no group if that can be; low, high:
 * an interval to prefer. -1: none. */
int dwqi_spare_core(const struct work *work, int host, const struct mask *mask,
                    int low, int high);
/* Adds a seat on a spare thread of the core there, if it has one. */
bool dwqi_lend_thread(struct work *work, int rank, int host, int position);
/* The controller's core, when all others have theirs. */
void dwqi_settle_controller(struct work *work);
/* Adds the seat of a broker that is a rank more than the group's members, which
 * are the seats from first_seat on, on `host`. */
bool dwqi_add_broker(struct work *work, int first_seat, int host, int low,
                     int high);
/* Takes back the seats of a group on that host that has found no broker. */
void dwqi_give_back(struct work *work, int first_seat, int host);
/* The search for brokers on other hosts begins anew. */
void dwqi_reset_brokers(struct work *work);

/* group.c */
/* Members, broker: one group of `least` to `width` ranks in the interval, or
 * nothing. */
bool dwqi_place_group(struct work *work, int host, int low, int high, int width,
                      int least);
/* One group of the next ranks of an oversubscribed host, without cores. */
bool dwqi_place_unbound(struct work *work, int host, int width);
/* Groups that no host holds, on one host after the other. */
void dwqi_place_across(struct work *work);

/* measure.c */
/* What each host can hold, and how wide its groups are. */
void dwqi_measure_hosts(struct work *work);
/* Of each host the tightest bound ones first. */
void dwqi_sort_ranks(struct work *work);

/* fill.c */
void dwqi_fill_hosts(struct work *work);

/* finish.c */
/* Numbers the groups, lists what is idle, turns positions into numbers. */
dwq_status_t dwqi_work_plan(struct work *work, struct dwqi_placement *out);

/* explain.c */
/* Which part of the request left no group. */
void dwqi_explain(struct work *work, struct dwqi_error *why_out);
/* Adds to it what the launcher has to do with it, if it has. */
void dwqi_name_launcher(const struct work *work, struct dwqi_error *why_out);
bool dwqi_request_is_valid(const struct dwqi_cluster *cluster,
                           const struct dwqi_place_request *request,
                           struct dwqi_error *why_out);
void dwqi_place_blame(struct dwqi_error *why_out, enum dwqi_place_part part,
                      const char *format, ...) DWQ_PRINTF(3, 4);

#endif
