/* The ranks of one run over MPI. Collectives are the non-blocking ones, polled
 * with our own backoff: MPI's blocking ones spin, which costs milliseconds per
 * hop where ranks share cores. */
#include "libdwq/wire/world.h"

#include <inttypes.h>
#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libdwq/base/clock.h"
#include "libdwq/base/log.h"
#include "libdwq/wire/components_mpi.h"
#include "libdwq/wire/doorbell_mpi.h"
#include "libdwq/wire/spawn.h"
#include "libdwq/wire/transport_mpi.h"
#include "libdwq/wire/world_private.h"

static dwq_status_t status_of(int mpi_code)
{
    return mpi_code == MPI_SUCCESS ? DWQ_OK : DWQ_E_MPI;
}

/* Open MPI 5.0.7 writes a name that is longer than "MPI_COMM_SELF" behind the end of
 * its memory: 13 characters are all there is. */
#define PROCESS_NAME "dwq%1x%03x%06x"
#define PROCESS_SCAN "dwq%1x%3x%6x"
#define STARTED 1u
#define RUNNING 2u
#define JOINED 4u
#define RUNS_MAX 0xffffffu
#define WORDS_MAX 0xffeu /* the name has the key + 1, or 0 */

struct dwqi_process dwqi_process_get(void)
{
    char name[MPI_MAX_OBJECT_NAME];
    unsigned flags = 0, words = 0, runs = 0;
    int length;

    MPI_Comm_get_name(MPI_COMM_SELF, name, &length);
    if (sscanf(name, PROCESS_SCAN, &flags, &words, &runs) != 3) {
        flags = words = runs = 0;
    }
    return (struct dwqi_process){ .started = (flags & STARTED) != 0,
                                  .running = (flags & RUNNING) != 0,
                                  .joined = (flags & JOINED) != 0,
                                  .runs = (int)runs,
                                  .words = (int)words - 1 };
}

void dwqi_process_set(struct dwqi_process p)
{
    char name[MPI_MAX_OBJECT_NAME];
    unsigned flags = (p.started ? STARTED : 0) | (p.running ? RUNNING : 0) |
                     (p.joined ? JOINED : 0);

    snprintf(name, sizeof name, PROCESS_NAME, flags, (unsigned)(p.words + 1),
             (unsigned)p.runs & RUNS_MAX);
    MPI_Comm_set_name(MPI_COMM_SELF, name);
}

bool dwqi_mpi_is_up(void)
{
    int initialized, finalized;

    MPI_Initialized(&initialized);
    MPI_Finalized(&finalized);
    return initialized && !finalized;
}

/* --- Last words ----------------------------------------------------------- */

static void keep_words(struct dwqi_world *world)
{
    struct dwqi_process p = dwqi_process_get();

    if (MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, MPI_COMM_NULL_DELETE_FN,
                               &p.words, NULL) != MPI_SUCCESS) {
        return;
    }
    if (p.words < 0 || p.words > (int)WORDS_MAX) {
        MPI_Comm_free_keyval(&p.words);
        return;
    }
    MPI_Comm_set_attr(MPI_COMM_SELF, p.words, &world->words);
    dwqi_process_set(p);
}

/* Those of the run around this one count again, if there is one. */
static void forget_words(const struct dwqi_world *world)
{
    struct dwqi_process p = dwqi_process_get();

    if (p.words >= 0 && p.words != world->outer.words) {
        MPI_Comm_delete_attr(MPI_COMM_SELF, p.words);
        MPI_Comm_free_keyval(&p.words);
        p.words = world->outer.words;
        dwqi_process_set(p);
    }
}

/* One line in one write: what others say at the same time must not come between. */
static void say_words(void)
{
    int key = dwqi_process_get().words, found = 0;
    struct dwqi_last_words *words = NULL;
    struct dwqi_log log = { .line = NULL };
    char task[512] = "";

    if (key >= 0) {
        MPI_Comm_get_attr(MPI_COMM_SELF, key, &words, &found);
    }
    snprintf(log.who, sizeof log.who, "%s",
             found && words->who ? words->who : "a rank");
    if (found && words->function) {
        snprintf(task, sizeof task, ", in task %" PRIu64 ", function '%s'",
                 words->id, words->function);
    }
    dwqi_log_error(&log, "exit() in the middle of a run%s: all ranks end now",
                   task);
}

/* A process that exits in the middle of a run would wait for the others in
 * MPI_Finalize, and they for it. */
static void at_exit(void)
{
    if (dwqi_mpi_is_up() && dwqi_process_get().running) {
        say_words();
        fflush(NULL);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    dwqi_mpi_finish();
}

/* More ranks than cores on this host, of `size` in the job? The launcher tells how
 * many of the job are here; else assume all. What a broker spawned comes on top of
 * others. */
static bool is_crowded(int size)
{
    const char *text = getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
    long local = text ? strtol(text, NULL, 10) : 0;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (local <= 0) {
        local = size;
    }
    return local > cores || dwqi_spawn_is_marked();
}

/* Ranks that share cores: MPI's own waits, in the user's collectives, then cost
 * milliseconds unless they yield. Open MPI finds out by itself only when its slots
 * were counted right. The user's own setting wins. */
static void yield_if_crowded(void)
{
    if (is_crowded(1)) {
        setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
    }
}

dwq_status_t dwqi_mpi_start(int thread_level, void (*before_finish)(void))
{
    int initialized, finalized, provided;

    MPI_Finalized(&finalized);
    if (finalized) {
        return DWQ_E_STATE;
    }
    MPI_Initialized(&initialized);
    if (!initialized) {
        int wanted = thread_level == 0 ? MPI_THREAD_FUNNELED : thread_level;

        yield_if_crowded();
        if (MPI_Init_thread(NULL, NULL, wanted, &provided) != MPI_SUCCESS) {
            return DWQ_E_MPI;
        }
        dwqi_process_set((struct dwqi_process){ .started = 1, .words = -1 });
        atexit(at_exit);
        atexit(before_finish); /* what was registered last comes first */
    }
    dwqi_mpi_keep_components();
    return DWQ_OK;
}

int dwqi_mpi_thread_level(void)
{
    int level = 0;

    MPI_Query_thread(&level);
    return level;
}

void dwqi_mpi_finish(void)
{
    struct dwqi_process p;

    if (dwqi_mpi_is_up()) {
        p = dwqi_process_get();
        if (p.started && !p.running) {
            MPI_Finalize();
        }
    }
}

dwq_status_t dwqi_mpi_place(int *rank_out, int *size_out)
{
    int rank, size;

    if (MPI_Comm_rank(MPI_COMM_WORLD, &rank) != MPI_SUCCESS ||
        MPI_Comm_size(MPI_COMM_WORLD, &size) != MPI_SUCCESS) {
        return DWQ_E_MPI;
    }
    *rank_out = rank;
    *size_out = size;
    return DWQ_OK;
}

dwq_status_t dwqi_world_finish(struct dwqi_world *world, MPI_Request *request)
{
    struct dwqi_backoff backoff;
    int done = 0;

    dwqi_backoff_init(&backoff, world->idle_wait, world->crowded);
    for (;;) {
        if (MPI_Test(request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) {
            return DWQ_E_MPI;
        }
        if (done) {
            return DWQ_OK;
        }
        dwqi_backoff_pause(&backoff, INFINITY, true);
    }
}

dwq_status_t dwqi_world_meet(struct dwqi_world *world, MPI_Comm comm)
{
    MPI_Request request;

    if (MPI_Ibarrier(comm, &request) != MPI_SUCCESS) {
        return DWQ_E_MPI;
    }
    return dwqi_world_finish(world, &request);
}

dwq_status_t dwqi_world_duplicate(struct dwqi_world *world, MPI_Comm comm,
                                  bool of_library, MPI_Comm *copy_out)
{
    MPI_Request request;
    dwq_status_t status;

    if (MPI_Comm_idup(comm, copy_out, &request) != MPI_SUCCESS) {
        return DWQ_E_MPI;
    }
    status = dwqi_world_finish(world, &request);
    if (status == DWQ_OK) {
        MPI_Comm_set_errhandler(*copy_out, of_library ? MPI_ERRORS_RETURN
                                                      : MPI_ERRORS_ARE_FATAL);
    }
    return status;
}

/* A process that started MPI itself is left to its launcher when it exits. */
static void set_running(int running)
{
    struct dwqi_process p = dwqi_process_get();

    p.running = running;
    dwqi_process_set(p);
}

int dwqi_mpi_count_run(void)
{
    struct dwqi_process p = dwqi_process_get();

    if (p.running) {
        return 0;
    }
    p.runs++;
    dwqi_process_set(p);
    return p.runs;
}

dwq_status_t dwqi_world_open(const void *comm, struct dwqi_world **world_out)
{
    MPI_Comm parent = comm ? *(const MPI_Comm *)comm : MPI_COMM_WORLD;
    struct dwqi_world *world;
    dwq_status_t status;
    int between = 0;

    if (parent == MPI_COMM_NULL ||
        (MPI_Comm_test_inter(parent, &between), between)) {
        return DWQ_E_ARG;
    }
    world = calloc(1, sizeof *world);
    if (!world) {
        return DWQ_E_NOMEM;
    }
    world->idle_wait = 1e-3;
    world->all_reached = true;
    MPI_Comm_rank(parent, &world->rank);
    MPI_Comm_size(parent, &world->size);
    world->crowded = is_crowded(world->size);
    status = dwqi_world_duplicate(world, parent, true, &world->comm);
    if (status != DWQ_OK) {
        goto free_world;
    }
    status = status_of(MPI_Comm_dup(MPI_COMM_SELF, &world->self));
    if (status != DWQ_OK) {
        goto free_comm;
    }
    MPI_Comm_set_errhandler(world->self, MPI_ERRORS_RETURN);
    for (int inner = 0; inner <= 1 && status == DWQ_OK; inner++) {
        dwqi_user_comm_init(&world->alone[inner]);
        status = dwqi_world_renew_self(world, inner);
    }
    if (status != DWQ_OK) {
        goto free_self;
    }
    world->pool = dwqi_pool_create();
    world->outer = dwqi_process_get();
    keep_words(world);
    set_running(1);
    *world_out = world;
    return DWQ_OK;

free_self:
    MPI_Comm_free(&world->self);
free_comm:
    MPI_Comm_free(&world->comm);
free_world:
    free(world);
    return status;
}

void dwqi_world_close(struct dwqi_world *world)
{
    if (world) {
        set_running(world->outer.running);
        forget_words(world);
        dwqi_ringers_destroy(world->ringers);
        dwqi_bell_destroy(world->bell);
        dwqi_user_comm_finish(&world->alone[0]);
        dwqi_user_comm_finish(&world->alone[1]);
        MPI_Comm_free(&world->self);
        MPI_Comm_free(&world->comm);
        dwqi_pool_destroy(world->pool);
        free(world);
    }
}

int dwqi_world_rank(const struct dwqi_world *world)
{
    return world->rank;
}

int dwqi_world_size(const struct dwqi_world *world)
{
    return world->size;
}

const void *dwqi_world_self(const struct dwqi_world *world, bool inner)
{
    return &world->alone[inner].now;
}

dwq_status_t dwqi_world_renew_self(struct dwqi_world *world, bool inner)
{
    MPI_Comm fresh;

    if (MPI_Comm_dup(world->self, &fresh) != MPI_SUCCESS) {
        return DWQ_E_MPI;
    }
    MPI_Comm_set_errhandler(fresh, MPI_ERRORS_ARE_FATAL);
    dwqi_user_comm_replace(&world->alone[inner], fresh);
    return DWQ_OK;
}

void dwqi_world_set_idle_wait(struct dwqi_world *world, double idle_wait)
{
    world->idle_wait = idle_wait;
    dwqi_backoff_init(&world->backoff, idle_wait, world->crowded);
}

dwq_status_t dwqi_world_min(struct dwqi_world *world, int value, int *min_out)
{
    MPI_Request request;
    int min = value;
    dwq_status_t status = status_of(MPI_Iallreduce(
        &value, &min, 1, MPI_INT, MPI_MIN, world->comm, &request));

    if (status == DWQ_OK) {
        status = dwqi_world_finish(world, &request);
    }
    if (status == DWQ_OK) {
        *min_out = min;
    }
    return status;
}

dwq_status_t dwqi_world_bcast(struct dwqi_world *world, int root, void *data,
                              size_t size)
{
    MPI_Request request;
    dwq_status_t status;

    if (size > INT_MAX) {
        return DWQ_E_ARG;
    }
    status = status_of(
        MPI_Ibcast(data, (int)size, MPI_BYTE, root, world->comm, &request));
    return status == DWQ_OK ? dwqi_world_finish(world, &request) : status;
}

/* How many bytes come from each rank: n_out, and where they go: first. */
static dwq_status_t gather_sizes(struct dwqi_world *world, int size, int *n_out,
                                 int *first)
{
    MPI_Request request;
    dwq_status_t status = status_of(MPI_Iallgather(
        &size, 1, MPI_INT, n_out, 1, MPI_INT, world->comm, &request));

    if (status == DWQ_OK) {
        status = dwqi_world_finish(world, &request);
    }
    first[0] = 0;
    for (int r = 0; r < world->size && status == DWQ_OK; r++) {
        if (n_out[r] > INT_MAX - first[r]) {
            return DWQ_E_ARG;
        }
        first[r + 1] = first[r] + n_out[r];
    }
    return status;
}

dwq_status_t dwqi_world_gather_all(struct dwqi_world *world, const void *mine,
                                   size_t size, struct dwqi_gathered *out)
{
    struct dwqi_gathered got = { .data = NULL };
    int *n = calloc((size_t)world->size, sizeof *n);
    MPI_Request request;
    dwq_status_t status = DWQ_E_NOMEM;

    got.first = calloc((size_t)world->size + 1, sizeof *got.first);
    if (n && got.first) {
        status = gather_sizes(world, size < INT_MAX ? (int)size : INT_MAX, n,
                              got.first);
    }
    if (status == DWQ_OK) {
        got.data = malloc((size_t)got.first[world->size] + 1);
        status = got.data ? status_of(MPI_Iallgatherv(
                                mine, (int)size, MPI_BYTE, got.data, n,
                                got.first, MPI_BYTE, world->comm, &request))
                          : DWQ_E_NOMEM;
    }
    if (status == DWQ_OK) {
        status = dwqi_world_finish(world, &request);
    }
    free(n);
    if (status != DWQ_OK) {
        dwqi_gathered_finish(&got);
        return status;
    }
    *out = got;
    return DWQ_OK;
}

void dwqi_gathered_finish(struct dwqi_gathered *gathered)
{
    free(gathered->data);
    free(gathered->first);
    *gathered = (struct dwqi_gathered){ .data = NULL };
}

dwq_status_t dwqi_world_barrier(struct dwqi_world *world)
{
    return dwqi_world_meet(world, world->comm);
}

dwq_status_t dwqi_world_hang_bells(struct dwqi_world *world, MPI_Comm comm,
                                   struct dwqi_ringers **ringers_out)
{
    dwq_status_t status =
        dwqi_ringers_connect(comm, world->bell, &world->backoff, ringers_out);

    if (status == DWQ_OK) {
        world->all_reached =
            world->all_reached && dwqi_ringers_reach_all(*ringers_out);
        dwqi_backoff_set_bell(&world->backoff, world->bell,
                              world->all_reached ? DWQI_BELL_WAIT : 0);
    }
    return status;
}

void dwqi_world_make_bell(struct dwqi_world *world)
{
    if (world->idle_wait > 0) {
        world->bell = dwqi_bell_create();
    }
}

dwq_status_t dwqi_world_connect_bells(struct dwqi_world *world)
{
    dwqi_world_make_bell(world);
    return dwqi_world_hang_bells(world, world->comm, &world->ringers);
}

struct dwqi_last_words *dwqi_world_last_words(struct dwqi_world *world)
{
    return &world->words;
}

struct dwqi_pool *dwqi_world_pool(const struct dwqi_world *world)
{
    return world->pool;
}

dwq_status_t dwqi_world_transport(struct dwqi_world *world,
                                  const struct dwqi_log *log,
                                  struct dwqi_transport **transport_out)
{
    dwq_status_t status = dwqi_transport_mpi_create(
        world->comm, &world->backoff, world->pool, log, transport_out);

    if (status == DWQ_OK) {
        dwqi_transport_mpi_set_ringers(*transport_out, world->ringers);
    }
    return status;
}

void dwqi_world_abort(struct dwqi_world *world, int code)
{
    MPI_Abort(world->comm, code);
    abort(); /* MPI_Abort does not return */
}
