/* A failing case is made smaller as long as it fails: fewer hosts, ranks, cores,
 * and the plainest request. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/placement.h"

/* Keeps the smaller case if it fails, too. */
static bool keep(struct placement_case *c, struct placement_case *smaller,
                 bool (*fails)(const struct placement_case *c))
{
    bool ok = smaller->request.controller <
                  (smaller->n_ranks > 0 ? smaller->n_ranks : 1) &&
              fails(smaller);

    if (ok) {
        struct placement_case old = *c;

        *c = *smaller;
        *smaller = old;
    }
    case_finish(smaller);
    return ok;
}

static struct placement_case without_ranks(const struct placement_case *c,
                                           int first, int n)
{
    struct placement_case less = case_copy(c);

    memmove(less.ranks + first, less.ranks + first + n,
            (size_t)(c->n_ranks - first - n) * sizeof *less.ranks);
    less.n_ranks -= n;
    if (less.request.controller >= first) {
        less.request.controller = less.request.controller >= first + n
                                      ? less.request.controller - n
                                      : 0;
    }
    return less;
}

static struct placement_case without_hosts(const struct placement_case *c,
                                           int first, int n)
{
    struct placement_case less = case_copy(c);
    int n_ranks = 0, controller = 0;

    for (int r = 0; r < c->n_ranks; r++) {
        struct case_rank rank = c->ranks[r];

        if (rank.host >= first && rank.host < first + n) {
            continue;
        }
        controller = r == c->request.controller ? n_ranks : controller;
        rank.host -= rank.host >= first + n ? n : 0;
        less.ranks[n_ranks++] = rank;
    }
    less.n_ranks = n_ranks;
    less.request.controller = controller;
    memmove(less.hosts + first, less.hosts + first + n,
            (size_t)(c->n_hosts - first - n) * sizeof *less.hosts);
    less.n_hosts -= n;
    return less;
}

/* Halves, then quarters, ... then one by one. */
static bool drop_some(struct placement_case *c,
                      bool (*fails)(const struct placement_case *c), bool hosts)
{
    bool any = false;
    int count = hosts ? c->n_hosts : c->n_ranks;

    for (int n = count / 2 > 0 ? count / 2 : 1; n > 0; n /= 2) {
        int first = 0;

        while (first + n <= (hosts ? c->n_hosts - 1 : c->n_ranks)) {
            struct placement_case less =
                hosts ? without_hosts(c, first, n) : without_ranks(c, first, n);

            if (keep(c, &less, fails)) {
                any = true;
            } else {
                first += n;
            }
        }
    }
    return any;
}

static bool drop_cores(struct placement_case *c,
                       bool (*fails)(const struct placement_case *c))
{
    bool any = false;

    for (int h = 0; h < c->n_hosts; h++) {
        for (int i = c->hosts[h].machine->n_cores - 1; i >= 0; i--) {
            uint64_t bit = (uint64_t)1 << (i % 64);
            struct placement_case less;

            if (c->hosts[h].removed[i / 64] & bit) {
                continue;
            }
            less = case_copy(c);
            less.hosts[h].removed[i / 64] |= bit;
            any = keep(c, &less, fails) || any;
        }
    }
    return any;
}

static bool unbind(struct placement_case *c,
                   bool (*fails)(const struct placement_case *c))
{
    bool any = false;

    for (int r = 0; r < c->n_ranks; r++) {
        struct placement_case less;

        if (c->ranks[r].low < 0) {
            continue;
        }
        less = case_copy(c);
        less.ranks[r].low = less.ranks[r].high = -1;
        any = keep(c, &less, fails) || any;
    }
    return any;
}

/* The same field of the request as in `plain`. */
static bool use_plain(struct placement_case *c,
                      bool (*fails)(const struct placement_case *c), int field)
{
    struct placement_case less = case_copy(c);
    struct dwqi_place_request *request = &less.request;
    struct dwqi_place_request before = *request;

    switch (field) {
    case 0:
        request->max_workers = 0;
        break;
    case 1:
        request->fill = DWQI_FILL_PACK;
        break;
    case 2:
        request->broker = DWQI_BROKER_INSIDE;
        break;
    case 3:
        request->straddle = DWQI_STRADDLE_IF_MUST;
        break;
    case 4:
        request->threads = 1;
        break;
    case 5:
        request->controller = 0;
        break;
    case 6:
        request->grouping = DWQ_GROUPING_SPLIT;
        break;
    default:
        if (request->size.kind == DWQI_SIZE_FIXED && request->size.n > 1) {
            request->size.n--;
        }
        break;
    }
    if (memcmp(&before, request, sizeof before) == 0) {
        case_finish(&less);
        return false;
    }
    return keep(c, &less, fails);
}

void case_shrink(struct placement_case *c,
                 bool (*fails)(const struct placement_case *c))
{
    bool again = true;

    while (again) {
        again = drop_some(c, fails, true);
        again = drop_some(c, fails, false) || again;
        again = drop_cores(c, fails) || again;
        again = unbind(c, fails) || again;
        for (int field = 0; field < 8; field++) {
            again = use_plain(c, fails, field) || again;
        }
    }
}
