/* A run whose groups are spawned: what a broker checks, starts and tells, and what a
 * spawned process makes of it. All a spawned rank is told goes over the merged
 * communicator; its command line has only the marker.
 *
 *     broker                        spawned ranks
 *         |---------- spawn ----------->|  main() runs, dwq_run() joins
 *         |-------- settings ---------->|
 *         |<------ agreement ---------->|  functions found, options right
 *         |     (all brokers agree)     |
 *         |----------- go ------------->|  or not: they return
 */
#define _DEFAULT_SOURCE /* gethostname */
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libdwq/base/clock.h"
#include "libdwq/base/memory.h"
#include "libdwq/mpi/spawn.h"
#include "libdwq/process/process.h"
#include "libdwq/run/run_private.h"

static int n_spawned_of(const struct run *run, int group)
{
    const dwq_plan_group_t *g = &run->plan.groups[group - 1];

    return g->broker_is_worker ? g->n_ranks - 1 : g->n_ranks;
}

static int n_spawned(const struct run *run)
{
    return n_spawned_of(run, run->worker_id);
}

/* Of all groups; INT_MAX: too many. */
static int n_spawned_in_all(const struct run *run)
{
    int n = run->facts.size;

    for (int g = 1; g <= run->plan.shown.n_groups; g++) {
        if (n_spawned_of(run, g) >= INT_MAX - n) {
            return INT_MAX;
        }
        n += n_spawned_of(run, g);
    }
    return n;
}

static dwq_status_t refuse(struct dwqi_error *fault, const char *option,
                           const char *why, const char *what)
{
    return dwqi_error_set(fault, DWQ_E_OPTION, "option %s: %s%s", option, why,
                          what);
}

/* --- The broker: before ------------------------------------------------------- */

dwq_status_t dwqi_run_check_spawn(struct run *run, struct dwqi_error *fault)
{
    const dwq_options_t *o = &run->options;
    int n_slots = n_spawned_in_all(run);
    dwq_status_t status;

    if (n_spawned(run) == 0) {
        return DWQ_OK;
    }
    if (n_slots == INT_MAX) {
        return dwqi_error_set(fault, DWQ_E_OPTION,
                              "option nprocs_per_worker is %d: the job would "
                              "have more than %d ranks",
                              o->nprocs_per_worker, INT_MAX - 1);
    }
    status = dwqi_spawn_check(n_slots, fault);
    if (status != DWQ_OK) {
        return status;
    }
    if (!dwqi_spawn_find_program(o->spawn_executable, run->program)) {
        return refuse(fault, "spawn_executable",
                      "no executable program is called ",
                      o->spawn_executable ? o->spawn_executable : "(this one)");
    }
    if (run->ordinal == 0 && dwqi_spawn_is_this_program(run->program)) {
        /* It would come to this process's runs, of which a nested one is none. */
        return refuse(fault, "grouping", "a run in a call cannot spawn ",
                      "this program");
    }
    return DWQ_OK;
}

/* --- The broker: arguments ------------------------------------------------------ */

struct arguments {
    const char **list; /* ends with NULL */
    char *own;         /* of this process, if they were asked for there */
    char marker[80];
    const char *library[2]; /* the marker and NULL */
};

static bool holds_marker(const char *const *list, const char *marker)
{
    while (*list && strcmp(*list, marker) != 0) {
        list++;
    }
    return *list != NULL;
}

/* n arguments, then the marker. */
static dwq_status_t append(struct arguments *a, const char *const *first,
                           size_t n)
{
    a->list = calloc(n + 2, sizeof *a->list);
    if (!a->list) {
        return DWQ_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        a->list[i] = first[i];
    }
    a->list[n] = a->marker;
    return DWQ_OK;
}

/* The arguments of this process, where main() did not hand them on. */
static dwq_status_t append_own(struct arguments *a)
{
    size_t size = 0, n = 0;
    const char **list;
    dwq_status_t status;

    a->own = dwqi_spawn_own_arguments(&size);
    list = a->own ? calloc(size + 1, sizeof *list) : NULL;
    if (!list) {
        return DWQ_E_NOMEM;
    }
    for (size_t at = 0; at < size; at += strlen(a->own + at) + 1) {
        list[n++] = a->own + at;
    }
    status = append(a, list + (n > 0), n > 0 ? n - 1 : 0);
    free(list);
    return status;
}

/* It takes arguments of its own alone: those of this program are none. */
static bool is_dwq_worker(const char *program)
{
    const char *slash = strrchr(program, '/');

    return slash && strcmp(slash, "/dwq-worker") == 0;
}

static dwq_status_t make_arguments(const struct run *run, uint64_t token,
                                   struct arguments *a,
                                   struct dwqi_error *fault)
{
    const dwq_options_t *o = &run->options;
    const char *const *given = o->spawn_args;
    size_t n = 0;

    /* Another program serves in its first run. */
    bool same = dwqi_spawn_is_this_program(run->program);

    *a = (struct arguments){ .list = NULL };
    snprintf(a->marker, sizeof a->marker, DWQI_SPAWN_MARKER "%d:%" PRIx64,
             same ? run->ordinal : 1, token);
    a->library[0] = a->marker;
    if (o->spawn_args_function) {
        given = o->spawn_args_function(a->library, o->arg);
        if (!given || !holds_marker(given, a->marker)) {
            return refuse(fault, "spawn_args_function",
                          "its list has to hold the library's argument ",
                          a->marker);
        }
        while (given[n]) {
            n++;
        }
        a->list = calloc(n + 1, sizeof *a->list);
        if (a->list) {
            memcpy(a->list, given, n * sizeof *a->list);
        }
        return a->list ? DWQ_OK : DWQ_E_NOMEM;
    }
    if (given) {
        while (given[n]) {
            n++;
        }
        return append(a, given, n);
    }
    if (!same && is_dwq_worker(run->program)) {
        return append(a, NULL, 0);
    }
    if (!o->argv) {
        return append_own(a);
    }
    n = o->argc > 1 ? (size_t)o->argc - 1 : 0;
    return append(a, (const char *const *)(void *)(o->argv + 1), n);
}

static uint64_t draw_token(const struct run *run)
{
    uint64_t z = (uint64_t)(1e9 * dwqi_clock_now()) ^ (uint64_t)getpid() << 32 ^
                 (uint64_t)run->rank << 48;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* --- Settings ---------------------------------------------------------------------- */

static dwq_status_t bcast_in_group(struct run *run, void *data, size_t size)
{
    return dwqi_ranks_bcast(dwqi_group_ranks(run->group), 0, data, size);
}

static const struct dwqi_run_way in_group = { bcast_in_group,
                                              dwqi_run_agree_in_group };

static dwq_status_t pack_settings(struct run *run, uint64_t token,
                                  struct dwqi_pack *pack_out,
                                  struct dwqi_error *fault)
{
    struct dwqi_buffer seats = { .data = NULL };
    dwq_kwarg_t more[6] = {
        { "token", dwq_value_uint(token) },
        { "size", dwq_value_int(run->facts.size) },
        { "n_workers", dwq_value_int(run->facts.n_workers) },
        { "worker", dwq_value_int(run->worker_id) },
    };
    size_t n = 4;
    dwq_status_t status;

    if (run->placed && run->options.bind) {
        dwqi_run_list_seats(run, &seats);
        dwqi_buffer_append(&seats, "", 1);
        more[n++] = (dwq_kwarg_t){ "seats",
                                   dwq_value_string((const char *)seats.data) };
    }
    if (run->facts.survives) {
        more[n++] =
            (dwq_kwarg_t){ "hub",
                           dwq_value_bytes((dwq_bytes_t){
                               .data = dwqi_lines_address(dwqi_process_lines()),
                               .size = sizeof(struct dwqi_hub_address) }) };
    }
    status = seats.failed
                 ? DWQ_E_NOMEM
                 : dwqi_run_pack_options(run, (dwq_kwargs_t){ n, more },
                                         pack_out, fault);
    dwqi_buffer_finish(&seats);
    return status;
}

/* What a spawned rank has from its broker takes the place of its own options. */
static dwq_status_t use_settings(struct run *run, const dwq_options_t *given,
                                 const struct dwqi_told *told, uint64_t token,
                                 struct dwqi_error *fault)
{
    dwq_kwargs_t s = told->options;
    uint64_t theirs = 0;
    dwq_status_t status = dwqi_run_take_options(run, given, told);

    if (status != DWQ_OK) {
        return status;
    }
    dwq_read_uint64(dwq_map_find(s, "token"), &theirs);
    if (theirs != token) {
        return refuse(fault, "spawn_args",
                      "a spawned process has the marker of another run", "");
    }
    dwq_read_int(dwq_map_find(s, "size"), &run->facts.size);
    dwq_read_int(dwq_map_find(s, "n_workers"), &run->facts.n_workers);
    dwq_read_int(dwq_map_find(s, "worker"), &run->worker_id);
    dwq_read_string(dwq_map_find(s, "seats"), &run->spawned_seats);
    run->facts.survives =
        dwq_read_bytes(dwq_map_find(s, "hub"), &run->told_hub);
    return DWQ_OK;
}

/* --- The broker: spawning ------------------------------------------------------------ */

/* Without a plan: on this host. MPI would fill its hosts one after the other, whoever
 * asks. */
static void append_own_host(const struct run *run, struct dwqi_buffer *hosts)
{
    char text[300] = "";

    if (gethostname(text, 256) == 0) {
        snprintf(text + strlen(text), 16, ":%d", n_spawned(run));
        dwqi_buffer_append(hosts, text, strlen(text));
    }
}

/* Start the processes, where the plan wants them. */
static dwq_status_t spawn_ranks(struct run *run, const char *const *args)
{
    struct dwqi_buffer hosts = { .data = NULL };
    struct dwqi_spawn spawn = { .program = run->program,
                                .args = args,
                                .n = n_spawned(run) };
    dwq_status_t status;

    if (run->placed) {
        dwqi_placed_group_hosts(&run->cluster, &run->placement,
                                run->worker_id - 1, &hosts);
    } else if (dwqi_world_spans_hosts(run->world)) {
        append_own_host(run, &hosts);
    }
    if (hosts.size > 0) {
        dwqi_buffer_append(&hosts, "", 1);
        spawn.host = (const char *)hosts.data;
    }
    status = hosts.failed
                 ? DWQ_E_NOMEM
                 : dwqi_group_spawn(run->world, &spawn, &run->log, &run->group);
    dwqi_buffer_finish(&hosts);
    return status;
}

static dwq_status_t start_group(struct run *run, struct dwqi_error *fault)
{
    uint64_t token = draw_token(run);
    struct arguments arguments;
    struct dwqi_pack settings;
    dwq_status_t status = pack_settings(run, token, &settings, fault);

    if (status != DWQ_OK) {
        return status;
    }
    status = make_arguments(run, token, &arguments, fault);
    if (status == DWQ_OK) {
        status = spawn_ranks(run, arguments.list);
        if (status != DWQ_OK && status != DWQ_E_NOMEM) {
            dwqi_error_set(fault, DWQ_E_OPTION,
                           "the spawn of %d ranks of %s failed", n_spawned(run),
                           run->program);
        }
    }
    free(arguments.list);
    free(arguments.own);
    if (status == DWQ_OK) {
        status = dwqi_run_tell(run, &in_group, settings.block,
                               settings.block_size, fault);
    }
    dwqi_pack_finish(&settings);
    return status == DWQ_OK ? dwqi_run_agree_in_group(run, DWQ_OK, fault)
                            : status;
}

/* Up to spawn_startup_wait seconds, differently on every broker. */
static void wait_a_while(const struct run *run)
{
    double most = run->options.spawn_startup_wait;
    double seconds = most * (double)(draw_token(run) >> 11) * 0x1p-53;
    struct timespec pause = { .tv_sec = (time_t)seconds };

    pause.tv_nsec = (long)((seconds - (double)pause.tv_sec) * 1e9);
    if (most > 0) {
        nanosleep(&pause, NULL);
    }
}

dwq_status_t dwqi_run_spawn(struct run *run, struct dwqi_error *fault)
{
    bool broker = run->kind == DWQI_ROLE_BROKER;
    dwq_status_t status = DWQ_OK, met = DWQ_OK;

    if (broker && n_spawned(run) > 0) {
        wait_a_while(run);
    }
    if (!run->options.sequential_spawn) {
        return broker ? start_group(run, fault) : DWQ_OK;
    }
    for (int g = 1; g <= run->plan.shown.n_groups && met == DWQ_OK; g++) {
        if (broker && run->worker_id == g) {
            status = start_group(run, fault);
        }
        met = dwqi_ranks_barrier(dwqi_world_ranks(run->world), INFINITY);
    }
    return status == DWQ_OK ? met : status;
}

dwq_status_t dwqi_run_tell_spawned(struct run *run, bool go)
{
    dwq_status_t status = DWQ_OK;
    int word = go;

    if (run->group) {
        status = dwqi_ranks_bcast(dwqi_group_ranks(run->group), 0, &word,
                                  sizeof word);
    }
    if (status == DWQ_OK && go && run->group) {
        status = dwqi_group_complete(run->group, run->options.broker_is_worker);
    }
    return status == DWQ_OK && go
               ? dwqi_group_set_brokers(run->group, run->world, run->worker_id)
               : status;
}

/* --- The spawned process ---------------------------------------------------------------- */

static dwq_status_t connect_to_hub(struct run *run, struct dwqi_error *fault)
{
    struct dwqi_hub_address hub = { .port = 0 };

    if (run->told_hub.size == sizeof hub) {
        memcpy(&hub, run->told_hub.data, sizeof hub);
    }
    return dwqi_run_connect(run, &hub, fault) == DWQ_OK ? DWQ_OK : DWQ_E_OPTION;
}

static dwq_status_t prepare(struct run *run, const dwq_options_t *given,
                            const struct dwqi_told *told, uint64_t token,
                            struct dwqi_error *fault)
{
    dwq_options_t own;
    dwq_status_t status;

    if (!given) {
        return dwqi_error_set(fault, DWQ_E_OPTION,
                              "options is NULL in a spawned process");
    }
    own = *given;
    status = run->follows ? DWQ_OK : dwqi_options_resolve(given, &own, fault);
    if (status == DWQ_OK) {
        status = use_settings(run, &own, told, token, fault);
    }
    if (status != DWQ_OK) {
        return status;
    }
    run->kind = DWQI_ROLE_LEAF;
    run->rank = -1;
    run->log.verbose = run->options.verbose;
    /* Its rank in the world is one of its own: that of each group begins at 0. */
    snprintf(run->log.who, sizeof run->log.who, "group %d, rank %d (spawned)",
             run->worker_id,
             dwqi_ranks_rank(dwqi_group_ranks(run->group)) -
                 !run->options.broker_is_worker);
    dwqi_world_set_idle_wait(run->world, run->options.idle_wait);
    dwqi_world_make_bell(run->world);
    run->facts = (dwq_world_t){ .is_worker = true,
                                .spawned = true,
                                .workers_available = true,
                                .size = run->facts.size,
                                .rank = -1,
                                .n_workers = run->facts.n_workers,
                                .survives = run->facts.survives };
    status = run->facts.survives ? connect_to_hub(run, fault) : DWQ_OK;
    return status == DWQ_OK ? dwqi_run_find_functions(run, fault) : status;
}

dwq_status_t dwqi_run_join(struct run *run, const dwq_options_t *given,
                           uint64_t token)
{
    struct dwqi_error *fault = &run->error;
    struct dwqi_told told;
    size_t size;
    int go = 0;
    dwq_status_t status = dwqi_group_join(run->world, &run->group);

    if (status != DWQ_OK) {
        dwqi_run_give_up(run, status); /* its broker waits */
    }
    status = dwqi_run_hear(run, &in_group, &run->settings, &size, fault);
    if (status == DWQ_OK) {
        status = dwqi_run_read_options(run, size, &told);
        if (status == DWQ_OK) {
            status = prepare(run, given, &told, token, fault);
        }
        status = dwqi_run_agree_in_group(run, status, fault);
    }
    if (status == DWQ_E_MPI || dwqi_ranks_bcast(dwqi_group_ranks(run->group), 0,
                                                &go, sizeof go) != DWQ_OK) {
        return DWQ_E_MPI;
    }
    if (!go) { /* a rank of the job says why */
        return status == DWQ_OK ? dwqi_error_complete(fault, DWQ_E_OPTION)
                                : status;
    }
    status = dwqi_group_complete(run->group, run->options.broker_is_worker);
    return status == DWQ_OK && run->spawned_seats
               ? dwqi_run_bind_spawned(run, run->spawned_seats)
               : status;
}

void dwqi_run_never_joined(void)
{
    struct run run = { .log.who = "a spawned rank" };
    struct dwqi_error fault = { .text = "" };
    struct dwqi_spawn_marker marker;
    size_t size;
    dwq_status_t status;
    int go;

    if (!dwqi_mpi_is_up() || !dwqi_spawned(&marker) ||
        dwqi_process_has_joined()) {
        return;
    }
    dwqi_error_set(&fault, DWQ_E_OPTION,
                   "a spawned process ended without its dwq_run() number %d",
                   marker.run);
    status = dwqi_world_open(NULL, &run.world);
    if (status == DWQ_OK) {
        status = dwqi_group_join(run.world, &run.group);
    }
    if (status != DWQ_OK) {
        dwqi_run_give_up(&run, status);
    }
    status = dwqi_run_hear(&run, &in_group, &run.settings, &size, &fault);
    if (status == DWQ_OK) {
        status = dwqi_run_agree_in_group(&run, DWQ_E_OPTION, &fault);
    }
    if (status != DWQ_E_MPI) {
        dwqi_ranks_bcast(dwqi_group_ranks(run.group), 0, &go, sizeof go);
    }
    dwqi_group_close(run.group);
    dwqi_world_close(run.world);
    dwqi_arena_finish(&run.settings_arena);
    free(run.settings);
}
