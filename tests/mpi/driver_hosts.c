/* Hosts of any name: each rank starts in a name space of its own, and calls its host
 * by its number in the job. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mpi/launch.h"

/* $0 is the scenario. */
static const char rename_and_start[] =
    "set -- fat.example.org fat.example.org fat.example.org "
    "n2.example.org n2.example.org n2.elsewhere.org n2.elsewhere.org bare bare"
    "; shift \"$OMPI_COMM_WORLD_RANK\"; hostname \"$1\""
    "; exec \"$DWQ_TEST_PROGRAMS/scenario_host_names\" \"$0\"";

Test(hosts, hosts_are_found_with_and_without_their_domain, .timeout = 400)
{
    static const char *const start[] = { "unshare", "--uts", "sh", "-c", NULL };
    struct launched job;

    if (system("unshare --uts true 2>/dev/null") != 0) {
        cr_skip_test("no name spaces for host names here");
    }
    setenv("DWQ_TOPOLOGY", "pack:1 numa:1 core:4 pu:1", 1);
    launch(
        &(struct launch){ .program = rename_and_start,
                          .argument =
                              "hosts_are_found_with_and_without_their_domain",
                          .ranks = 9,
                          .launcher = start },
        &job);
    cr_expect(!job.timed_out && job.status == 0, "status %d\n%s", job.status,
              job.output);
    free(job.output);
}
