#include "brokers/merge.h"

#include <stdlib.h>
#include <string.h>

struct dwqi_merge {
    struct dwqi_extent *extents;
    size_t n_extents, size;
    bool has_failed;
    void **memories; /* [2 * n_ranks] */
    size_t n_memories;
    struct dwqi_done own;
};

static size_t wire_size(const struct dwqi_merge_input *input)
{
    size_t size = 0;

    for (size_t i = 0; i < input->n_extents; i++) {
        size += dwqi_align(input->extents[i].size);
    }
    return size;
}

/* Whether the rank's part is what it says. Its values are read by the controller. */
static bool is_sound(const struct dwqi_merge_input *input,
                     const struct dwqi_task_head *task, int n,
                     struct dwqi_part_head *head_out)
{
    size_t size = wire_size(input);

    return input->n_extents > 0 && input->extents[0].size >= sizeof *head_out &&
           dwqi_part_head_read(input->extents[0].data, size, head_out) ==
               DWQ_OK &&
           head_out->size == size && head_out->id == task->id &&
           head_out->attempt == task->attempt &&
           head_out->n_parts == (uint32_t)n;
}

void dwqi_merge_take(struct dwqi_merge *merge, void *memory)
{
    if (memory) {
        merge->memories[merge->n_memories++] = memory;
    }
}

void dwqi_merge_take_done(struct dwqi_merge *merge, struct dwqi_done *done)
{
    merge->own = *done;
    *done = (struct dwqi_done){ .owned = NULL };
}

static void add(struct dwqi_merge *merge, const void *data, size_t size)
{
    merge->extents[merge->n_extents++] = (struct dwqi_extent){ data, size };
    merge->size += dwqi_align(size);
}

static dwq_status_t add_failure(struct dwqi_merge *merge,
                                const struct dwqi_task_head *task, int n,
                                int code, const char *why_failed)
{
    struct dwqi_part_head head = { .id = task->id,
                                   .status = DWQ_E_TASK,
                                   .code = code,
                                   .n_parts = (uint32_t)n,
                                   .attempt = task->attempt };
    struct dwqi_scratch scratch = { .pool = NULL };
    struct dwqi_pack pack;
    const char *why;
    void *copy;
    dwq_status_t status = dwqi_pack_part(
        &head, why_failed, (dwq_values_t){ 0, NULL }, &scratch, &pack, &why);

    dwqi_scratch_finish(&scratch);
    if (status != DWQ_OK) {
        return status;
    }
    copy = dwqi_pool_get(NULL, pack.size);
    if (copy) {
        dwqi_pack_copy(&pack, copy);
        dwqi_merge_take(merge, copy);
        add(merge, copy, pack.size);
    }
    dwqi_pack_finish(&pack);
    return copy ? DWQ_OK : DWQ_E_NOMEM;
}

static dwq_status_t add_copy(struct dwqi_merge *merge,
                             const struct dwqi_merge_input *input)
{
    size_t size = wire_size(input), at = 0;
    unsigned char *copy = dwqi_pool_get(NULL, size);

    if (!copy) {
        return DWQ_E_NOMEM;
    }
    for (size_t i = 0; i < input->n_extents; i++) {
        size_t bytes = input->extents[i].size;

        memcpy(copy + at, input->extents[i].data, bytes);
        memset(copy + at + bytes, 0, dwqi_align(bytes) - bytes);
        at += dwqi_align(bytes);
    }
    dwqi_merge_take(merge, copy);
    add(merge, copy, size);
    return DWQ_OK;
}

static dwq_status_t add_input(struct dwqi_merge *merge,
                              const struct dwqi_task_head *task, int n,
                              const struct dwqi_merge_input *input,
                              const char *why)
{
    struct dwqi_part_head head;

    if (input->lost) {
        merge->has_failed = true;
        return add_failure(merge, task, n, DWQ_E_NOMEM, input->lost);
    }
    if (!is_sound(input, task, n, &head)) {
        merge->has_failed = true;
        return add_failure(merge, task, n, DWQ_E_MESSAGE, why);
    }
    merge->has_failed = merge->has_failed || head.status != DWQ_OK;
    if (!input->stays) {
        return add_copy(merge, input) == DWQ_OK
                   ? DWQ_OK
                   : add_failure(merge, task, n, DWQ_E_NOMEM,
                                 "no memory for what this rank returned");
    }
    for (size_t i = 0; i < input->n_extents; i++) {
        add(merge, input->extents[i].data, input->extents[i].size);
    }
    return DWQ_OK;
}

dwq_status_t dwqi_merge_create(const struct dwqi_task_head *task,
                               const struct dwqi_merge_input *inputs, int n,
                               const char *why, struct dwqi_merge **merge_out)
{
    struct dwqi_merge *merge = calloc(1, sizeof *merge);
    size_t n_extents = 0;
    dwq_status_t status = DWQ_OK;

    for (int r = 0; r < n; r++) {
        n_extents += inputs[r].n_extents + 1;
    }
    if (merge) {
        merge->extents = calloc(n_extents + 1, sizeof *merge->extents);
        merge->memories = calloc(2 * (size_t)n, sizeof(void *));
    }
    if (!merge || !merge->extents || !merge->memories) {
        status = DWQ_E_NOMEM;
    }
    for (int r = 0; r < n && status == DWQ_OK; r++) {
        status = add_input(merge, task, n, &inputs[r], why);
    }
    if (status != DWQ_OK) {
        dwqi_merge_destroy(merge);
        return status;
    }
    *merge_out = merge;
    return DWQ_OK;
}

bool dwqi_merge_has_failed(const struct dwqi_merge *merge)
{
    return merge->has_failed;
}

const struct dwqi_extent *dwqi_merge_extents(const struct dwqi_merge *merge,
                                             size_t *n_out, size_t *size_out)
{
    *n_out = merge->n_extents;
    *size_out = merge->size;
    return merge->extents;
}

void dwqi_merge_destroy(struct dwqi_merge *merge)
{
    if (merge) {
        for (size_t i = 0; i < merge->n_memories; i++) {
            dwqi_pool_give(merge->memories[i]);
        }
        dwqi_done_finish(&merge->own);
        free(merge->memories);
        free(merge->extents);
        free(merge);
    }
}
