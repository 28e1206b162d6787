#include "brokers/ready_data.h"

#include <stdlib.h>
#include <string.h>

#include "libdwq/base/memory.h"

/* The value in an item; nil when it is empty or cannot be read. */
static dwq_value_t unpack(const void *item, size_t size,
                          struct dwqi_arena *arena)
{
    dwq_values_t values = { 0, NULL };
    dwq_kwargs_t kwargs;

    if (size == 0 ||
        dwqi_values_unpack(item, size, arena, &values, &kwargs) != DWQ_OK ||
        values.n != 1) {
        return dwq_value_nil();
    }
    return values.items[0];
}

/* Entries are aligned for arrays only if their items are. */
static void *aligned_copy(struct dwqi_extent item)
{
    void *copy = item.size > 0 ? dwqi_memory_get(DWQI_ALIGN, item.size) : NULL;

    if (copy) {
        memcpy(copy, item.data, item.size);
    }
    return copy;
}

dwq_status_t dwqi_ready_data_pass(const struct dwqi_team *team,
                                  struct dwqi_extent own,
                                  struct dwqi_role *server)
{
    bool beside = dwqi_team_rank(team) < 0;
    size_t n = (size_t)dwqi_team_n_ranks(team);
    dwq_value_t *entries = malloc((n + 1) * sizeof *entries);
    void *mine = aligned_copy(own);
    struct dwqi_arena arena = { .chunks = NULL };
    dwq_status_t status =
        entries && (mine || own.size == 0) ? DWQ_OK : DWQ_E_NOMEM;

    for (size_t r = 0; r < n && status == DWQ_OK; r++) {
        const struct dwqi_team_word *word = dwqi_team_word(team, (int)r);

        entries[r] = unpack(word->data, word->data_size, &arena);
    }
    if (status == DWQ_OK) {
        entries[beside ? n : 0] = unpack(mine, own.size, &arena);
        status = server->ops->set_ready_data(
            server,
            dwq_value_list((dwq_values_t){ beside ? n + 1 : n, entries }));
    }
    dwqi_arena_finish(&arena);
    free(mine);
    free(entries);
    /* Data that is too deep for a list is the user's error, logged, and no more. */
    return status == DWQ_E_ARG ? DWQ_OK : status;
}
