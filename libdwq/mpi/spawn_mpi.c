#define _XOPEN_SOURCE 700 /* realpath */
#include "libdwq/mpi/spawn.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libdwq/base/plain.h"
#include "libdwq/mpi/group_private.h"
#include "libdwq/process/watchdog.h"

/* --- What this process is --------------------------------------------------- */

bool dwqi_spawn_read_marker(const char *argument,
                            struct dwqi_spawn_marker *marker_out)
{
    size_t length = strlen(DWQI_SPAWN_MARKER);
    struct dwqi_spawn_marker marker;
    int used = 0;

    if (strncmp(argument, DWQI_SPAWN_MARKER, length) != 0 ||
        sscanf(argument + length, "%d:%" SCNx64 "%n", &marker.run,
               &marker.token, &used) != 2 ||
        argument[length + (size_t)used] != '\0') {
        return false;
    }
    if (marker_out) {
        *marker_out = marker;
    }
    return true;
}

static bool own_path(char path[PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

    path[n > 0 ? n : 0] = '\0';
    return n > 0;
}

bool dwqi_spawn_is_this_program(const char *path)
{
    char own[PATH_MAX];

    return own_path(own) && strcmp(own, path) == 0;
}

/* A file of /proc: what is there, with a '\0' behind it; NULL: it cannot be read. */
static char *read_proc(const char *path, size_t *size_out)
{
    FILE *file = fopen(path, "r");
    size_t size = 0, room = 4096, n;
    char *data = malloc(room);

    while (file && data &&
           (n = fread(data + size, 1, room - size - 1, file)) > 0) {
        size += n;
        if (size + 1 == room) {
            char *more = realloc(data, room *= 2);

            if (!more) {
                free(data);
            }
            data = more;
        }
    }
    if (!file) {
        free(data);
        return NULL;
    }
    fclose(file);
    if (data) {
        data[size] = '\0';
        *size_out = size;
    }
    return data;
}

char *dwqi_spawn_own_arguments(size_t *size_out)
{
    return read_proc("/proc/self/cmdline", size_out);
}

/* Without memory, too: what is spawned, and does not know it, would start a run of its
 * own. */
static bool find_marker(struct dwqi_spawn_marker *marker_out)
{
    int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    char block[1024], argument[96]; /* of a longer one the beginning */
    size_t length = 0;
    ssize_t n = 0;
    bool found = false;

    while (!found && file >= 0 && (n = read(file, block, sizeof block)) > 0) {
        for (ssize_t i = 0; i < n && !found; i++) {
            length -= length == sizeof argument;
            argument[length++] = block[i];
            if (block[i] == '\0') {
                found = dwqi_spawn_read_marker(argument, marker_out);
                length = 0;
            }
        }
    }
    if (file >= 0) {
        close(file);
    }
    return found;
}

bool dwqi_spawn_is_marked(void)
{
    return find_marker(NULL);
}

bool dwqi_spawned(struct dwqi_spawn_marker *marker_out)
{
    MPI_Comm parent = MPI_COMM_NULL;

    /* There is no parent any more when broker and group have parted. */
    MPI_Comm_get_parent(&parent);
    return (parent != MPI_COMM_NULL || dwqi_process_has_joined()) &&
           find_marker(marker_out);
}

/* --- Whether it can work ------------------------------------------------------ */

/* A variable in the environment of the process that started this one: mpirun, or a
 * daemon of it. */
static bool launcher_has(const char *name)
{
    char path[64];
    size_t size = 0, length = strlen(name);
    char *all;
    bool found = false;

    snprintf(path, sizeof path, "/proc/%ld/environ", (long)getppid());
    all = read_proc(path, &size);
    if (!all) {
        return getenv(name) != NULL;
    }
    for (size_t at = 0; at < size && !found; at += strlen(all + at) + 1) {
        found = strncmp(all + at, name, length) == 0 && all[at + length] == '=';
    }
    free(all);
    return found;
}

/* Open MPI 4 with PMIx 4: spawned processes wait for ever, at random, unless the
 * launcher's libevent does without epoll (compare openpmix issue 2735). */
static bool spawn_hangs(void)
{
    char version[MPI_MAX_LIBRARY_VERSION_STRING];
    const char *pmix = getenv("PMIX_VERSION");
    int length;

    MPI_Get_library_version(version, &length);
    return strncmp(version, "Open MPI v4.", 12) == 0 && pmix &&
           strncmp(pmix, "4.", 2) == 0 && !launcher_has("EVENT_NOEPOLL");
}

/* Started by srun itself, and by no mpirun under it. */
static bool is_of_slurm(void)
{
    const char *job = getenv("PMIX_NAMESPACE");

    return job && strncmp(job, "slurm.", 6) == 0;
}

/* Open MPI 4 sets it for --oversubscribe. */
static bool may_oversubscribe(void)
{
    const char *text = getenv("OMPI_MCA_rmaps_base_oversubscribe");

    return text && (strcmp(text, "1") == 0 || strcmp(text, "true") == 0);
}

static int slots_of_launcher(void)
{
    int *size = NULL, found = 0;

    MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_UNIVERSE_SIZE, &size, &found);
    return found && size ? *size : INT_MAX;
}

/* Where slots are shared: as many in each as anybody means. Each process costs tens of
 * megabytes; a spawn of too many takes the host with it. */
#define MOST_IN_A_SLOT 256

static bool is_too_many(int n_slots, int slots)
{
    return n_slots / MOST_IN_A_SLOT > (slots > 1 ? slots : 1);
}

/* Seconds that MPI may take to start processes, and these to come to dwq_run(): they
 * may read a large mesh before. DWQ_SPAWN_TIMEOUT says otherwise for both. */
#define START_MAX 120
#define MEET_MAX 1200
#define TIMEOUT_ENV "DWQ_SPAWN_TIMEOUT"

/* false: the environment has no such number. */
static bool read_timeout(double *seconds)
{
    const char *text = getenv(TIMEOUT_ENV);

    return !text || *text == '\0' ||
           (dwqi_plain_is_number(text, seconds) && *seconds > 0 &&
            *seconds <= 1e6);
}

static double spawn_timeout(double otherwise)
{
    double seconds = otherwise;

    return read_timeout(&seconds) ? seconds : otherwise;
}

dwq_status_t dwqi_spawn_check(int n_slots, struct dwqi_error *reason_out)
{
    const char *anyway = getenv("DWQ_SPAWN_ANYWAY");
    bool forced = anyway && strcmp(anyway, "1") == 0;
    int slots = slots_of_launcher();
    double seconds;

    if (!read_timeout(&seconds)) {
        return dwqi_error_set(
            reason_out, DWQ_E_OPTION,
            "environment %s is '%.*s': it takes seconds above 0, "
            "up to 1000000",
            TIMEOUT_ENV, dwqi_plain_fit(getenv(TIMEOUT_ENV), 80),
            getenv(TIMEOUT_ENV));
    }
    if (is_of_slurm() && !forced) {
        return dwqi_error_set(
            reason_out, DWQ_E_OPTION,
            "option grouping is spawn, and srun has no way to start more "
            "processes for MPI: start the job in its allocation as "
            "EVENT_NOEPOLL=1 mpirun ..., use option grouping split, or "
            "set DWQ_SPAWN_ANYWAY=1 to try it");
    }
    if (spawn_hangs() && !forced) {
        return dwqi_error_set(
            reason_out, DWQ_E_OPTION,
            "option grouping is spawn, which is known to hang at random "
            "with this MPI (Open MPI 4 with PMIx 4): start the job as "
            "EVENT_NOEPOLL=1 mpirun ... (with several hosts also --mca "
            "orte_launch_agent \"env EVENT_NOEPOLL=1 orted\"), or set "
            "DWQ_SPAWN_ANYWAY=1 to try it");
    }
    if (n_slots > slots && !may_oversubscribe()) {
        return dwqi_error_set(
            reason_out, DWQ_E_OPTION,
            "option grouping is spawn, which needs %d slots with the "
            "spawned ranks, and the launcher has %d: start the job with "
            "--oversubscribe (Open MPI 5: and with "
            "OMPI_MCA_rmaps_base_oversubscribe=1), with more slots, or set "
            "max_workers",
            n_slots, slots);
    }
    if (is_too_many(n_slots, slots) && !forced) {
        return dwqi_error_set(
            reason_out, DWQ_E_OPTION,
            "option grouping is spawn, which makes %d processes with the "
            "spawned ranks, and the launcher has %d slots: no more than "
            "%d share a slot. Set nprocs_per_worker or max_workers to "
            "less, start the job with more slots, or set "
            "DWQ_SPAWN_ANYWAY=1 to try it",
            n_slots, slots, MOST_IN_A_SLOT);
    }
    return DWQ_OK;
}

/* --- The program ---------------------------------------------------------------- */

/* Whether execve() would take a file: what it refuses ends the whole job. A script
 * names its interpreter in its first line; a binary is no text. */
static bool is_loadable(const char *path)
{
    char head[PATH_MAX + 3] = "";
    FILE *file = fopen(path, "r");
    size_t n = file ? fread(head, 1, sizeof head - 1, file) : 0;
    char *name = head + 2;

    if (!file) {
        return true; /* it may be executed all the same */
    }
    fclose(file);
    if (strncmp(head, "#!", 2) != 0) {
        return memchr(head, '\0', n) != NULL;
    }
    name += strspn(name, " \t");
    name[strcspn(name, " \t\r\n")] = '\0';
    return access(name, X_OK) == 0;
}

/* A file that can be executed, and no folder. */
static bool is_program(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISREG(info.st_mode) &&
           access(path, X_OK) == 0 && is_loadable(path);
}

/* folder/name as an absolute path, if it can be executed. */
static bool is_executable_in(const char *folder, int length, const char *name,
                             char path[PATH_MAX])
{
    char joined[PATH_MAX];
    int n = snprintf(joined, sizeof joined, "%.*s/%s", length, folder, name);

    return n > 0 && (size_t)n < sizeof joined && realpath(joined, path) &&
           is_program(path);
}

static bool is_in_path(const char *name, char path[PATH_MAX])
{
    const char *folders = getenv("PATH");
    bool found = false;

    while (folders && *folders && !found) {
        int length = (int)strcspn(folders, ":");

        /* An empty one is the current folder. */
        found = is_executable_in(length > 0 ? folders : ".",
                                 length > 0 ? length : 1, name, path);
        folders += length + (folders[length] == ':');
    }
    return found;
}

static bool is_beside(const char *name, char path[PATH_MAX])
{
    char own[PATH_MAX];
    const char *slash = own_path(own) ? strrchr(own, '/') : NULL;

    return slash && is_executable_in(own, (int)(slash - own), name, path);
}

bool dwqi_spawn_find_program(const char *name, char path[PATH_MAX])
{
    if (name && !strchr(name, '/')) {
        return is_in_path(name, path) || is_beside(name, path);
    }
    /* This one may have been removed. */
    return (name ? realpath(name, path) != NULL : own_path(path)) &&
           is_program(path);
}

/* --- Broker and spawned ranks ------------------------------------------------------ */

/* Both sides meet, waiting cheaply, then become one communicator in which the broker
 * is rank 0. */
static dwq_status_t merge(struct dwqi_group *group, bool is_broker)
{
    struct dwqi_world *world = group->world;
    MPI_Comm merged;
    dwq_status_t status = dwqi_world_meet(world, group->parent);

    if (status == DWQ_OK && MPI_Intercomm_merge(group->parent, !is_broker,
                                                &merged) != MPI_SUCCESS) {
        return DWQ_E_MPI;
    }
    if (status != DWQ_OK) {
        return status;
    }
    dwqi_ranks_take(&group->ranks, merged);
    return (group->ranks.rank == 0) == is_broker
               ? dwqi_world_share_board(world, &group->ranks)
               : DWQ_E_MPI;
}

/* A program that does not start MPI leaves MPI_Comm_spawn waiting for ever. */
static dwq_status_t start_processes(struct dwqi_group *group,
                                    const struct dwqi_spawn *spawn)
{
    struct dwqi_watchdog *watchdog;
    char message[512];
    MPI_Info info;
    int code;

    dwqi_plain_format(
        message, sizeof message,
        "MPI_Comm_spawn of %.*s has not come back within %g s: does that "
        "program start MPI? The job ends now",
        dwqi_plain_fit(spawn->program, 300), spawn->program,
        spawn_timeout(START_MAX));
    watchdog = dwqi_watchdog_start(spawn_timeout(START_MAX), message);

    MPI_Info_create(&info);
    /* Slots of processes that left are free only when they were reaped: what is
     * needed was counted by dwqi_spawn_check(). */
    MPI_Info_set(info, "map_by",
                 spawn->host ? "slot:OVERSUBSCRIBE" : ":OVERSUBSCRIBE");
    MPI_Info_set(info, "bind_to", "none");
    if (spawn->host) {
        MPI_Info_set(info, "host", spawn->host);
    }
    code = MPI_Comm_spawn(spawn->program, (char **)(void *)spawn->args,
                          spawn->n, info, 0, group->world->self, &group->parent,
                          MPI_ERRCODES_IGNORE);
    dwqi_watchdog_stop(watchdog);
    MPI_Info_free(&info);
    if (code != MPI_SUCCESS) {
        group->parent = MPI_COMM_NULL; /* what MPI left there is of no use */
        return DWQ_E_MPI;
    }
    return DWQ_OK;
}

/* One that starts MPI, but does not come to its dwq_run(), is never met. */
static dwq_status_t meet_processes(struct dwqi_group *group,
                                   const struct dwqi_spawn *spawn)
{
    struct dwqi_watchdog *watchdog;
    char message[512];
    dwq_status_t status;

    dwqi_plain_format(
        message, sizeof message,
        "the spawned ranks of %.*s have not come to dwq_run() within "
        "%g s (environment DWQ_SPAWN_TIMEOUT): does that program call "
        "it? The job ends now",
        dwqi_plain_fit(spawn->program, 300), spawn->program,
        spawn_timeout(MEET_MAX));
    watchdog = dwqi_watchdog_start(spawn_timeout(MEET_MAX), message);
    status = merge(group, true);
    dwqi_watchdog_stop(watchdog);
    return status;
}

dwq_status_t dwqi_group_spawn(struct dwqi_world *world,
                              const struct dwqi_spawn *spawn,
                              const struct dwqi_log *log,
                              struct dwqi_group **group_out)
{
    struct dwqi_group *group = dwqi_group_new(world);
    dwq_status_t status;

    if (!group) {
        return DWQ_E_NOMEM;
    }
    if (spawn->n == 0) {
        status =
            dwqi_world_duplicate(world, world->self, true, &group->ranks.comm);
        if (status == DWQ_OK) {
            dwqi_ranks_take(&group->ranks, group->ranks.comm);
        }
    } else {
        dwqi_log_info(log, "spawns %d of %s", spawn->n, spawn->program);
        MPI_Comm_set_errhandler(world->self, MPI_ERRORS_RETURN);
        status = start_processes(group, spawn);
        MPI_Comm_set_errhandler(world->self, world->user_errors);
        if (status == DWQ_OK) {
            MPI_Comm_set_errhandler(group->parent, MPI_ERRORS_RETURN);
            status = meet_processes(group, spawn);
        }
    }
    if (status != DWQ_OK) {
        dwqi_group_close(group);
        return status;
    }
    *group_out = group;
    return DWQ_OK;
}

dwq_status_t dwqi_group_join(struct dwqi_world *world,
                             struct dwqi_group **group_out)
{
    struct dwqi_group *group = dwqi_group_new(world);
    dwq_status_t status;

    if (!group) {
        return DWQ_E_NOMEM;
    }
    dwqi_process_set_joined();
    MPI_Comm_get_parent(&group->parent);
    MPI_Comm_set_errhandler(group->parent, MPI_ERRORS_RETURN);
    status = merge(group, false);
    if (status != DWQ_OK) {
        dwqi_group_close(group);
        return status;
    }
    *group_out = group;
    return DWQ_OK;
}

dwq_status_t dwqi_group_complete(struct dwqi_group *group, bool inside)
{
    return dwqi_group_finish_merged(group, inside);
}
