/* One row of the table, on every rank of its job: `scenario_table NAME`, where the
 * name has all settings but the number of ranks. Exits 0 when all checks held. */
#include <stdlib.h>

#include "tests/mpi/table_cases.h"
#include "tests/mpi/table_functions.h"
#include "tests/mpi/table_rows.h"

struct job {
    struct table_row row;
    int n_results;   /* on the controller */
    int n_refusals;  /* lines logged that say what is needed */
    char needed[80]; /* what such a line has to say */
};

static int controller(dwq_controller_t *c, void *arg)
{
    struct job *job = arg;
    int n_groups = table_n_groups(&job->row);

    CHECK(dwq_controller_world(c).n_workers == n_groups);
    job->n_results = table_play(c, job->row.nprocs);
    return 0;
}

static void hear(const char *line, void *arg)
{
    struct job *job = arg;

    job->n_refusals += strstr(line, "nprocs_per_worker") != NULL &&
                       strstr(line, job->needed) != NULL;
    fprintf(stderr, "%s\n", line);
}

static int sum_over_ranks(int mine)
{
    int sum = -1;

    MPI_Allreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    return sum;
}

/* Every rank knows what came of it; so no rank can miss it alone. */
static void check_end(struct job *job, dwq_status_t status)
{
    int n_groups = table_n_groups(&job->row);
    int n_results = sum_over_ranks(job->n_results);
    int n_refusals = sum_over_ranks(job->n_refusals);

    if (n_groups == 0) {
        CHECK(status == DWQ_E_OPTION);
        CHECK(n_refusals == 1 && n_results == 0);
    } else {
        CHECK(status == DWQ_OK);
        CHECK(n_results == table_n_results(n_groups) && n_refusals == 0);
    }
}

static void play(struct job *job)
{
    const struct table_row *row = &job->row;
    int code = 99;
    dwq_status_t status = dwq_run(
        &(dwq_options_t){
            .controller = controller,
            .functions = table_functions,
            .grouping = row->spawn ? DWQ_GROUPING_SPAWN : DWQ_GROUPING_SPLIT,
            .nprocs_per_worker = row->nprocs,
            .collective_mode =
                row->sendrecv ? DWQ_COLLECTIVE_SENDRECV : DWQ_COLLECTIVE_GATHER,
            .broker_is_worker = row->inside,
            .max_workers = table_max_workers(row),
            .arg = job,
            .log = hear,
            .log_arg = job },
        &code);

    CHECK(code == (status == DWQ_OK ? 0 : 99));
    check_end(job, status);
}

int main(int argc, char **argv)
{
    struct job job = { .n_results = 0 };
    dwq_world_t world = { .spawned = false };

    scenario_begin();
    if (argc < 2 || !table_row_parse(argv[1], &job.row) ||
        dwq_world(&world) != DWQ_OK) {
        fprintf(stderr, "usage: %s NAME\n", argv[0]);
        return 2;
    }
    if (world.spawned) { /* serves its group, and is no rank of the table */
        CHECK(dwq_run(&(dwq_options_t){ .functions = table_functions }, NULL) ==
              DWQ_OK);
        return scenario_end();
    }
    job.row.ranks = world.size;
    snprintf(job.needed, sizeof job.needed, "need %d ranks, and %d are present",
             table_needed(&job.row), world.size);
    play(&job);
    return scenario_end();
}
