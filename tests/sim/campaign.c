/* Many seeds, or one again:
 *
 *     campaign 100000          seeds 1 .. 100000
 *     campaign 5000 700001     5000 seeds from 700001
 *     campaign replay 42       seed 42 alone, with the library's log
 *     campaign groups ...      the same with groups behind brokers
 *
 * Prints one line per failing seed, and a summary; exits 1 if any failed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/scenario.h"
#include <dwq/status.h>

static int usage(void)
{
    fprintf(stderr, "usage: campaign [groups] N [FIRST] | "
                    "campaign [groups] replay SEED\n");
    return 2;
}

static int replay(scenario_fn *run, const char *text)
{
    uint64_t seed = strtoull(text, NULL, 10);
    struct scenario_outcome outcome;

    run(seed, true, &outcome);
    printf("seed %" PRIu64 ": %s\n", seed, outcome.ok ? "ok" : outcome.fault);
    return outcome.ok ? 0 : 1;
}

static void add(struct scenario_outcome *sum, const struct scenario_outcome *o)
{
    sum->n_tasks += o->n_tasks;
    sum->n_messages += o->n_messages;
    sum->n_corrupted += o->n_corrupted;
    for (size_t i = 0; i < sizeof o->n_by_status / sizeof o->n_by_status[0];
         i++) {
        sum->n_by_status[i] += o->n_by_status[i];
    }
}

int main(int argc, char **argv)
{
    struct scenario_outcome sum = { .ok = true }, outcome;
    scenario_fn *run = scenario_run;
    uint64_t n, first, n_failed = 0;

    if (argc >= 2 && strcmp(argv[1], "groups") == 0) {
        run = scenario_groups_run;
        argc--;
        argv++;
    }
    if (argc == 3 && strcmp(argv[1], "replay") == 0) {
        return replay(run, argv[2]);
    }
    n = argc >= 2 ? strtoull(argv[1], NULL, 10) : 0;
    first = argc >= 3 ? strtoull(argv[2], NULL, 10) : 1;
    if (n == 0 || argc > 3) {
        return usage();
    }
    for (uint64_t seed = first; seed < first + n; seed++) {
        run(seed, false, &outcome);
        add(&sum, &outcome);
        if (!outcome.ok) {
            n_failed++;
            printf("seed %" PRIu64 ": %s\n", seed, outcome.fault);
        }
    }
    printf("%" PRIu64 " seeds, %" PRIu64 " failed: %" PRIu64 " tasks, %" PRIu64
           " messages, %" PRIu64 " of them corrupted\n",
           n, n_failed, sum.n_tasks, sum.n_messages, sum.n_corrupted);
    for (int i = 0; i < 32; i++) {
        if (sum.n_by_status[i] > 0) {
            printf("  %-16s %" PRIu64 "\n", dwq_status_name((dwq_status_t)-i),
                   sum.n_by_status[i]);
        }
    }
    return n_failed > 0;
}
