#include "workers/results.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* Bytes that are kept, for more results to come. */
#define KEPT_MAX ((size_t)64 * 1024 * 1024)
/* Seconds between two looks whether the controller listens again, which rings then. */
#define LOOK_TIME 2e-2
/* Seconds that one of several takes, said of all but the last: they travel together. */
#define TOGETHER 1e-9

struct dwqi_kept_result {
    struct dwqi_report report;
    struct dwqi_extent copy; /* of a small one: what `bytes` has */
    struct dwqi_kept_result *next, *prev;
    unsigned char bytes[];
};

/* Messages beside its first one. */
static uint32_t n_bodies(const struct dwqi_report *report)
{
    return report->size > DWQI_INLINE_MAX ? (uint32_t)report->n_parts : 0;
}

static dwq_status_t send_now(struct dwqi_results *r,
                             const struct dwqi_report *report, double next_in)
{
    uint32_t bodies = n_bodies(report);

    if (bodies > 0 && r->n_large < DWQI_LARGE_MAX) {
        r->large[r->n_large].number = r->n_sent;
        r->large[r->n_large++].n_bodies = bodies;
        r->n_bodies += bodies;
    }
    r->n_sent++;
    return dwqi_send(r->transport, r->controller,
                     &(struct dwqi_outgoing){ .tag = DWQI_DONE,
                                              .n_items = 1,
                                              .parts = report->parts,
                                              .n_parts = report->n_parts,
                                              .next_in = next_in,
                                              .release = report->release,
                                              .owner = report->owner });
}

static void forget_heard(struct dwqi_results *r)
{
    int n = 0;

    while (n < r->n_large && (int32_t)(r->n_heard - r->large[n].number) > 0) {
        r->n_bodies -= r->large[n++].n_bodies;
    }
    r->n_large -= n;
    memmove(r->large, r->large + n, (size_t)r->n_large * sizeof r->large[0]);
}

/* Whether this one may leave, behind `ahead` others: MPI has room for it, or has nothing. */
static bool has_room(struct dwqi_results *r, const struct dwqi_report *report,
                     uint32_t ahead)
{
    uint32_t n_unheard = r->n_sent + ahead - r->n_heard;

    /* What the controller writes is read seldom. */
    if (n_unheard < DWQI_UNHEARD_MAX / 2 &&
        r->n_bodies + n_bodies(report) == 0) {
        return true;
    }
    if (!r->desk ||
        !atomic_load_explicit(&r->desk->is_counted, memory_order_acquire)) {
        r->n_heard = r->n_sent; /* nobody counts */
        forget_heard(r);
        return true;
    }
    r->n_heard = atomic_load_explicit(&r->desk->n_heard, memory_order_acquire);
    n_unheard = r->n_sent + ahead - r->n_heard;
    forget_heard(r);
    return n_unheard == 0 ||
           (r->n_large < DWQI_LARGE_MAX &&
            n_unheard + r->n_bodies + n_bodies(report) < DWQI_UNHEARD_MAX);
}

/* A small one is copied: the next one will be where it is. Without memory MPI keeps it. */
static dwq_status_t keep(struct dwqi_results *r,
                         const struct dwqi_report *report)
{
    size_t size = dwqi_parts_size(report->parts, report->n_parts);
    bool small = size <= DWQI_INLINE_MAX;
    struct dwqi_kept_result *kept = malloc(sizeof *kept + (small ? size : 0));

    if (!kept) {
        return send_now(r, report, 0);
    }
    kept->report = *report;
    if (small) {
        dwqi_parts_copy(report->parts, report->n_parts, kept->bytes);
        report->release(report->owner);
        kept->copy = (struct dwqi_extent){ kept->bytes, size };
        kept->report.parts = &kept->copy;
        kept->report.n_parts = 1;
        kept->report.release = NULL;
    }
    DL_APPEND(r->kept, kept);
    r->n_kept_bytes += report->size;
    atomic_store_explicit(&r->desk->keeps, true, memory_order_relaxed);
    return DWQ_OK;
}

dwq_status_t dwqi_results_send(struct dwqi_results *r,
                               const struct dwqi_report *report, double next_in)
{
    return r->kept || !has_room(r, report, 0) ? keep(r, report)
                                              : send_now(r, report, next_in);
}

dwq_status_t dwqi_results_push(struct dwqi_results *r, bool all)
{
    bool any = r->kept != NULL;
    dwq_status_t status = DWQ_OK;

    while (status == DWQ_OK && r->kept &&
           (all || has_room(r, &r->kept->report, 0))) {
        struct dwqi_kept_result *kept = r->kept;
        bool more;

        DL_DELETE(r->kept, kept);
        more = r->kept && (all || has_room(r, &r->kept->report, 1));
        r->n_kept_bytes -= kept->report.size;
        r->is_moving |= n_bodies(&kept->report) > 0;
        status = send_now(r, &kept->report, more ? TOGETHER : 0);
        free(kept);
    }
    if (any && !r->kept && r->desk) {
        atomic_store_explicit(&r->desk->keeps, false, memory_order_relaxed);
    }
    return status == DWQ_OK && all && any ? dwqi_flush(r->transport) : status;
}

bool dwqi_results_are_many(const struct dwqi_results *r)
{
    return r->n_kept_bytes > KEPT_MAX;
}

dwq_status_t dwqi_results_settle(struct dwqi_results *r)
{
    if (!r->is_moving) {
        return DWQ_OK;
    }
    r->is_moving = false;
    return dwqi_flush(r->transport);
}

double dwqi_results_look_again(const struct dwqi_results *r)
{
    return r->kept ? dwqi_now(r->transport) + LOOK_TIME : 0;
}

void dwqi_results_finish(struct dwqi_results *r)
{
    struct dwqi_kept_result *kept, *next;

    DL_FOREACH_SAFE(r->kept, kept, next)
    {
        if (kept->report.release) {
            kept->report.release(kept->report.owner);
        }
        free(kept);
    }
    r->kept = NULL;
}
