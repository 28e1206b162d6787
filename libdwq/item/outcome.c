#include "libdwq/item/outcome.h"

#include <stdlib.h>
#include <string.h>

/* Bytes for the views of a small result: those of one part and three values. */
#define ROOM 432

struct dwqi_outcome {
    struct dwqi_arena arena;
    void *memory; /* of the parts, if it is not `room` */
    int n_ranks;
    struct dwqi_part_view *parts; /* in the arena */
    dwq_status_t status;
    int code;
    int failed_rank;      /* first that failed, or -1 */
    int rank;             /* slowest */
    uint64_t n_processed; /* by its worker so far */
    double total_time;    /* seconds of these */
    const char *message;
    /* The arena begins here, and a copy of the parts follows. */
    _Alignas(16) unsigned char room[];
};

/* Every part but the first has to be of the same attempt and count as the first. */
dwq_status_t dwqi_result_size(const void *item, size_t available,
                              struct dwqi_part_head *first_out,
                              size_t *size_out)
{
    struct dwqi_part_head first, head;
    size_t size;
    dwq_status_t status = dwqi_part_head_read(item, available, &first);

    if (status != DWQ_OK) {
        return status;
    }
    if (first.n_parts == 0) {
        return DWQ_E_MESSAGE;
    }
    size = first.size;
    for (uint32_t i = 1; i < first.n_parts; i++) {
        status = dwqi_part_head_read((const char *)item + size,
                                     available - size, &head);
        if (status != DWQ_OK) {
            return status;
        }
        if (head.id != first.id || head.attempt != first.attempt ||
            head.n_parts != first.n_parts) {
            return DWQ_E_MESSAGE;
        }
        size += head.size;
    }
    *first_out = first;
    *size_out = size;
    return DWQ_OK;
}

/* Ranks look by themselves whether they are to stop: one that was tells it of all. */
static dwq_status_t worse(dwq_status_t status, int32_t of_part)
{
    return of_part == DWQ_E_TIME_LIMIT || status == DWQ_E_TIME_LIMIT
               ? DWQ_E_TIME_LIMIT
           : of_part == DWQ_E_CANCELLED || status == DWQ_E_CANCELLED
               ? DWQ_E_CANCELLED
           : of_part == DWQ_E_WORKER || status == DWQ_E_WORKER ? DWQ_E_WORKER
                                                               : DWQ_E_TASK;
}

/* Status; first failing rank; slowest rank. */
static void summarize(struct dwqi_outcome *outcome)
{
    outcome->failed_rank = -1;
    outcome->message = "";
    for (int i = 0; i < outcome->n_ranks; i++) {
        const struct dwqi_part_view *part = &outcome->parts[i];

        if (part->head.status != DWQ_OK) {
            outcome->status = worse(outcome->status, part->head.status);
        }
        if (part->head.status != DWQ_OK && outcome->failed_rank < 0) {
            outcome->failed_rank = i;
            outcome->code = part->head.code;
            outcome->message = part->message;
        }
        if (part->head.this_time >
            outcome->parts[outcome->rank].head.this_time) {
            outcome->rank = i;
        }
    }
}

static dwq_status_t unpack_parts(struct dwqi_outcome *outcome,
                                 const void *parts, size_t size)
{
    struct dwqi_part_head head;
    dwq_status_t status = dwqi_part_head_read(parts, size, &head);
    size_t n = status == DWQ_OK ? head.n_parts : 0, at = 0;

    if (n == 0 || n > size / sizeof head) {
        return DWQ_E_MESSAGE;
    }
    outcome->parts =
        dwqi_arena_alloc(&outcome->arena, n, sizeof *outcome->parts);
    if (!outcome->parts) {
        return DWQ_E_NOMEM;
    }
    for (size_t i = 0; i < n && status == DWQ_OK; i++) {
        const char *part = (const char *)parts + at;

        if (i > 0) {
            status = dwqi_part_head_read(part, size - at, &head);
        }
        if (status == DWQ_OK) {
            status = dwqi_part_unpack(part, &head, &outcome->arena,
                                      &outcome->parts[i]);
        }
        at += head.size;
    }
    outcome->n_ranks = (int)n;
    return status;
}

/* One block for all of a small result: outcome, views, and a copy of the parts
 * (size 0: none) at a multiple of 64. */
static struct dwqi_outcome *outcome_alloc(size_t size, unsigned char **copy_out)
{
    size_t extra = size > 0 ? size + DWQI_ALIGN : 0;
    struct dwqi_outcome *outcome =
        size <= SIZE_MAX / 2 ? malloc(sizeof *outcome + ROOM + extra) : NULL;
    uintptr_t copy;

    if (outcome) {
        *outcome = (struct dwqi_outcome){ .memory = NULL };
        dwqi_arena_begin(&outcome->arena, outcome->room, ROOM);
        copy = (uintptr_t)(outcome->room + ROOM);
        *copy_out = outcome->room + ROOM + (-copy & (DWQI_ALIGN - 1));
    }
    return outcome;
}

dwq_status_t dwqi_outcome_create(const void *parts, size_t size, void *memory,
                                 struct dwqi_outcome **outcome_out)
{
    unsigned char *copy;
    struct dwqi_outcome *outcome = outcome_alloc(memory ? 0 : size, &copy);
    dwq_status_t status;

    if (!outcome) {
        return DWQ_E_NOMEM;
    }
    if (!memory) {
        memcpy(copy, parts, size);
        parts = copy;
    }
    status = unpack_parts(outcome, parts, size);
    if (status != DWQ_OK) {
        dwqi_outcome_destroy(outcome);
        return status;
    }
    outcome->memory = memory;
    summarize(outcome);
    *outcome_out = outcome;
    return DWQ_OK;
}

struct dwqi_outcome *dwqi_outcome_create_local(dwq_status_t status,
                                               const char *message)
{
    size_t size = strlen(message) + 1;
    unsigned char *copy;
    struct dwqi_outcome *outcome = outcome_alloc(size, &copy);

    if (!outcome) {
        return NULL;
    }
    outcome->message = memcpy(copy, message, size);
    outcome->status = status;
    outcome->failed_rank = -1;
    return outcome;
}

void dwqi_outcome_destroy(struct dwqi_outcome *outcome)
{
    if (outcome) {
        dwqi_arena_finish(&outcome->arena);
        dwqi_pool_give(outcome->memory);
        free(outcome);
    }
}

void dwqi_outcome_set_totals(struct dwqi_outcome *outcome, uint64_t n_processed,
                             double total_time)
{
    outcome->n_processed = n_processed;
    outcome->total_time = total_time;
}

const char *dwqi_outcome_message(const struct dwqi_outcome *outcome)
{
    return outcome->message;
}

dwq_status_t dwqi_outcome_status(const struct dwqi_outcome *outcome)
{
    return outcome->status;
}

double dwqi_outcome_time(const struct dwqi_outcome *outcome)
{
    return outcome->n_ranks > 0 ? outcome->parts[outcome->rank].head.this_time
                                : 0;
}

void dwqi_outcome_give(struct dwqi_outcome *outcome, double time_est,
                       dwq_result_t *result_out)
{
    if (!outcome) {
        *result_out = (dwq_result_t){
            .status = DWQ_E_NOMEM,
            .failed_rank = -1,
            .message = "no memory for the result",
        };
        return;
    }
    *result_out = (dwq_result_t){
        .status = outcome->status,
        .code = outcome->code,
        .failed_rank = outcome->failed_rank,
        .n_ranks = outcome->n_ranks,
        .rank = outcome->rank,
        .message = outcome->message,
        .this_time = dwqi_outcome_time(outcome),
        .time_over_est = dwqi_over_est(dwqi_outcome_time(outcome), time_est),
        .n_processed = outcome->n_processed,
        .total_time = outcome->total_time,
        .owner = outcome,
    };
}

size_t dwq_result_n_values(const dwq_result_t *result, int rank)
{
    const struct dwqi_outcome *outcome = result ? result->owner : NULL;

    return outcome && rank >= 0 && rank < outcome->n_ranks
               ? outcome->parts[rank].values.n
               : 0;
}

const dwq_value_t *dwq_result_value(const dwq_result_t *result, int rank,
                                    size_t index)
{
    const struct dwqi_outcome *outcome = result ? result->owner : NULL;

    return index < dwq_result_n_values(result, rank)
               ? &outcome->parts[rank].values.items[index]
               : NULL;
}

void dwq_result_clear(dwq_result_t *result)
{
    if (result) {
        dwqi_outcome_destroy(result->owner);
        result->owner = NULL;
        result->message = "";
        result->n_ranks = 0;
    }
}
