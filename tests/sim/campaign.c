/* Many seeds, or one again:
 *
 *     campaign 100000          seeds 1 .. 100000
 *     campaign 5000 700001     5000 seeds from 700001
 *     campaign replay 42       seed 42 alone, with the library's log
 *     campaign groups ...      the same with groups behind brokers
 *     campaign [groups] lost ...   some workers die
 *     campaign memory 100      seeds 1 .. 100, each again and again: every allocation of
 *                              the run fails in one of them
 *     campaign replay 42 7     seed 42, and its 7th allocation fails
 *
 * Prints one line per failing seed, and a summary; exits 1 if any failed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/scenario.h"
#include <dwq/status.h>

void scenario_line(const char *line, void *outcome)
{
    struct scenario_outcome *out = outcome;

    if (out->verbose) {
        fprintf(stderr, "%s\n", line);
    }
    if (out->ok && strstr(line, "a fault of the library")) {
        out->ok = false;
        snprintf(out->fault, sizeof out->fault, "%s", line);
    }
}

static int usage(void)
{
    fprintf(stderr, "usage: campaign [groups] [lost] [memory] N [FIRST] | "
                    "campaign [groups] [lost] replay SEED [ALLOCATION]\n");
    return 2;
}

struct campaign {
    scenario_fn *run;
    bool kills;
    struct scenario_outcome sum;
    uint64_t n_runs, n_failed, n_gave_up;
};

static int replay(const struct campaign *c, const char *text, const char *fails)
{
    uint64_t seed = strtoull(text, NULL, 10);
    struct scenario_outcome outcome;

    c->run(seed,
           &(struct scenario_way){ .verbose = true,
                                   .kills = c->kills,
                                   .fails = fails ? atol(fails) : 0 },
           &outcome);
    printf("seed %" PRIu64 ": %s\n", seed, outcome.ok ? "ok" : outcome.fault);
    return outcome.ok ? 0 : 1;
}

static void add(struct scenario_outcome *sum, const struct scenario_outcome *o)
{
    sum->n_tasks += o->n_tasks;
    sum->n_messages += o->n_messages;
    sum->n_corrupted += o->n_corrupted;
    sum->n_killed += o->n_killed;
    for (size_t i = 0; i < sizeof o->n_by_status / sizeof o->n_by_status[0];
         i++) {
        sum->n_by_status[i] += o->n_by_status[i];
    }
}

static long play(struct campaign *c, uint64_t seed, long fails)
{
    struct scenario_outcome outcome;

    c->run(seed, &(struct scenario_way){ .kills = c->kills, .fails = fails },
           &outcome);
    add(&c->sum, &outcome);
    c->n_runs++;
    c->n_gave_up += outcome.gave_up;
    if (!outcome.ok) {
        c->n_failed++;
        printf("seed %" PRIu64, seed);
        printf(fails ? " %ld: %s\n" : "%.0ld: %s\n", fails, outcome.fault);
    }
    return outcome.n_allocations;
}

static bool take(int *argc, char ***argv, const char *word)
{
    bool is_there = *argc >= 2 && strcmp((*argv)[1], word) == 0;

    *argc -= is_there;
    *argv += is_there;
    return is_there;
}

int main(int argc, char **argv)
{
    struct campaign c = { .run = scenario_run };
    struct scenario_outcome sum;
    bool memory;
    uint64_t n, first;

    if (take(&argc, &argv, "groups")) {
        c.run = scenario_groups_run;
    }
    c.kills = take(&argc, &argv, "lost");
    if (argc >= 3 && argc <= 4 && strcmp(argv[1], "replay") == 0) {
        return replay(&c, argv[2], argv[3]);
    }
    memory = take(&argc, &argv, "memory");
    n = argc >= 2 ? strtoull(argv[1], NULL, 10) : 0;
    first = argc >= 3 ? strtoull(argv[2], NULL, 10) : 1;
    if (n == 0 || argc > 3) {
        return usage();
    }
    for (uint64_t seed = first; seed < first + n; seed++) {
        long n_allocations = play(&c, seed, 0);

        for (long i = 1; memory && i <= n_allocations; i++) {
            play(&c, seed, i);
        }
        fflush(stdout);
    }
    sum = c.sum;
    printf("%" PRIu64 " seeds, %" PRIu64 " runs, %" PRIu64 " failed: %" PRIu64
           " tasks, %" PRIu64 " messages, %" PRIu64 " of them corrupted\n",
           n, c.n_runs, c.n_failed, sum.n_tasks, sum.n_messages,
           sum.n_corrupted);
    if (c.kills) {
        printf("%" PRIu64 " workers died\n", sum.n_killed);
    }
    if (memory) {
        printf("%" PRIu64 " runs given up for lack of memory\n", c.n_gave_up);
    }
    for (int i = 0; i < 32; i++) {
        if (sum.n_by_status[i] > 0) {
            printf("  %-16s %" PRIu64 "\n", dwq_status_name((dwq_status_t)-i),
                   sum.n_by_status[i]);
        }
    }
    return c.n_failed > 0;
}
