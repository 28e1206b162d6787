#include "workers/solo.h"

#include <stdlib.h>

#include "libdwq/item/transport.h"

/* --- A part that stays in memory until it has left ----------------------- */

struct kept {
    struct dwqi_done done;
    struct dwqi_extent parts[];
};

static void release_kept(void *owner)
{
    struct kept *kept = owner;

    dwqi_done_finish(&kept->done);
    free(kept);
}

dwq_status_t dwqi_report_of_done(struct dwqi_done *done,
                                 struct dwqi_report *report_out)
{
    const struct dwqi_pack *pack = &done->pack;
    size_t n = 1 + pack->n_extents;
    struct kept *kept = malloc(sizeof *kept + n * sizeof kept->parts[0]);

    if (!kept) {
        dwqi_done_finish(done);
        return DWQ_E_NOMEM;
    }
    kept->parts[0] = (struct dwqi_extent){ pack->block, pack->block_size };
    for (size_t i = 1; i < n; i++) {
        kept->parts[i] = pack->extents[i - 1];
    }
    kept->done = *done;
    *done = (struct dwqi_done){ .owned = NULL };
    *report_out = (struct dwqi_report){ .parts = kept->parts,
                                        .n_parts = n,
                                        .size = kept->done.pack.size,
                                        .release = release_kept,
                                        .owner = kept };
    return DWQ_OK;
}

/* --- The runner ---------------------------------------------------------- */

static struct dwqi_solo *of(struct dwqi_runner *runner)
{
    return (struct dwqi_solo *)(void *)runner;
}

static dwq_status_t solo_start(struct dwqi_runner *runner, const void *item,
                               const struct dwqi_task_head *head)
{
    struct dwqi_solo *solo = of(runner);

    return dwqi_executor_run(solo->executor, item, head, NULL, &solo->done);
}

static dwq_status_t solo_fail(struct dwqi_runner *runner,
                              const struct dwqi_task_head *head)
{
    struct dwqi_solo *solo = of(runner);

    return dwqi_executor_fail(solo->executor, head, head->size, &solo->done);
}

static void release_done(void *owner)
{
    dwqi_done_finish(owner);
}

static dwq_status_t solo_poll(struct dwqi_runner *runner,
                              struct dwqi_report *report_out)
{
    struct dwqi_solo *solo = of(runner);
    struct dwqi_done *done = &solo->done;

    if (done->pack.size > DWQI_INLINE_MAX || done->pack.n_extents > 0) {
        return dwqi_report_of_done(done, report_out);
    }
    /* It travels in a frame, and so has left when send returns. */
    solo->part =
        (struct dwqi_extent){ done->pack.block, done->pack.block_size };
    *report_out = (struct dwqi_report){ .parts = &solo->part,
                                        .n_parts = 1,
                                        .size = done->pack.size,
                                        .release = release_done,
                                        .owner = done };
    return DWQ_OK;
}

static const struct dwqi_runner_ops solo_ops = {
    .start = solo_start,
    .fail = solo_fail,
    .poll = solo_poll,
};

void dwqi_solo_init(struct dwqi_solo *solo, struct dwqi_executor *executor)
{
    *solo = (struct dwqi_solo){ .runner.ops = &solo_ops, .executor = executor };
}

void dwqi_solo_finish(struct dwqi_solo *solo)
{
    dwqi_done_finish(&solo->done);
}
