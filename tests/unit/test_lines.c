/* Lines between processes: who dies is heard of, by words or without. The others are forked
 * here; each ends by itself, or by an alarm. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libdwq/item/transport.h"
#include "libdwq/process/lines.h"
#include "libdwq/process/witness.h"

#define MOST 10 /* seconds of a wait */

struct hub {
    struct dwqi_lines *lines;
    struct dwqi_hub_address address;
    atomic_int n_woken;
};

static void count(void *arg)
{
    struct hub *hub = arg;

    atomic_fetch_add(&hub->n_woken, 1);
}

static void rest(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 1000 * 1000 }, NULL);
}

static void set_up(struct hub *hub)
{
    struct dwqi_error error = { .text = "" };

    *hub = (struct hub){ .n_woken = 0 };
    hub->lines = dwqi_lines_listen(&hub->address, &error);
    cr_assert(hub->lines, "%s", error.text);
    dwqi_lines_set_wake(hub->lines, count, hub);
}

static struct dwqi_death await_death(const struct hub *hub)
{
    struct dwqi_death death = { .worker = -1 };

    for (int i = 0;
         i < MOST * 1000 && !dwqi_lines_take_death(hub->lines, &death); i++) {
        rest();
    }
    return death;
}

/* How a process ended, as wait() has it. */
static int end_of(pid_t process)
{
    int status = -1;

    waitpid(process, &status, 0);
    return status;
}

/* A rank that has said hello when this comes back, and then plays. */
static pid_t start(const struct hub *hub, int rank, int worker,
                   void (*play)(struct dwqi_lines *lines))
{
    int ends[2];
    char byte = 0;
    pid_t process;

    cr_assert_eq(pipe(ends), 0);
    process = fork();
    if (process == 0) {
        struct dwqi_error error;
        struct dwqi_lines *lines;

        alarm(MOST);
        lines = dwqi_lines_connect(&hub->address, rank, worker,
                                   rank == 1 ? "rank 1 on host h" : "another",
                                   &error);
        if (!lines || write(ends[1], &byte, 1) != 1) {
            dwqi_witness_exit_now(99);
        }
        play(lines);
        dwqi_witness_exit_now(98);
    }
    cr_assert_eq(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    close(ends[1]);
    return process;
}

static void die_silently(struct dwqi_lines *lines)
{
    (void)lines;
    raise(SIGKILL);
}

static void die_with_words(struct dwqi_lines *lines)
{
    static const char words[] = "rank 1: signal 11 (SIGSEGV)";

    dwqi_lines_say(lines, words, (int)sizeof words - 1);
    dwqi_witness_exit_now(0);
}

static void leave(struct dwqi_lines *lines)
{
    dwqi_lines_leave(lines);
    dwqi_witness_exit_now(0);
}

static void wait_for_ever(struct dwqi_lines *lines)
{
    (void)lines;
    for (;;) {
        pause();
    }
}

static void wait_for_a_death(struct dwqi_lines *lines)
{
    while (!dwqi_lines_know_deaths(lines)) {
        rest();
    }
    dwqi_witness_exit_now(7);
}

static void wait_for_a_stop(struct dwqi_lines *lines)
{
    _Atomic uint64_t which = 0;

    dwqi_lines_set_stop(lines, &which);
    while (atomic_load(&which) != 42) {
        rest();
    }
    while (atomic_load(&which) != DWQI_STOP_ALL) {
        rest();
    }
    dwqi_witness_exit_now(7);
}

Test(lines, a_process_that_is_killed_is_heard_of)
{
    struct hub hub;
    struct dwqi_death death;

    set_up(&hub);
    end_of(start(&hub, 1, 3, die_silently));
    death = await_death(&hub);
    cr_assert_eq(death.worker, 3);
    cr_assert_eq(death.rank, 1);
    cr_assert(strstr(death.why, "rank 1 on host h died without a word"), "%s",
              death.why);
    cr_assert_eq(hub.n_woken, 1);
    cr_assert(dwqi_lines_know_deaths(hub.lines));
    cr_assert_not(dwqi_lines_take_death(hub.lines, &death), "once");
}

Test(lines, last_words_are_heard)
{
    struct hub hub;

    set_up(&hub);
    end_of(start(&hub, 1, 3, die_with_words));
    cr_assert_str_eq(await_death(&hub).why, "rank 1: signal 11 (SIGSEGV)");
}

/* One that waits for the dead would wait for ever. */
Test(lines, the_others_of_its_worker_die_and_the_rest_hear)
{
    struct hub hub;
    struct dwqi_death death;
    pid_t mate, other;

    set_up(&hub);
    mate = start(&hub, 2, 3, wait_for_ever);
    other = start(&hub, 4, 5, wait_for_a_death);
    end_of(start(&hub, 1, 3, die_silently));
    cr_assert_eq(await_death(&hub).rank, 1);
    cr_assert_eq(WTERMSIG(end_of(mate)), SIGKILL);
    cr_assert_eq(WEXITSTATUS(end_of(other)), 7);
    death = await_death(&hub); /* it ended without leaving: a death, too */
    cr_assert_eq(death.worker, 5, "the killed one is no news: %s", death.why);
}

Test(lines, who_leaves_has_not_died)
{
    struct hub hub;
    struct dwqi_death death;

    set_up(&hub);
    end_of(start(&hub, 1, 3, leave));
    end_of(start(&hub, 2, 4, die_silently));
    cr_assert_eq(await_death(&hub).rank, 2, "the first is no news");
    cr_assert_not(dwqi_lines_take_death(hub.lines, &death));
}

Test(lines, a_worker_that_is_waited_for_no_longer_is_ended)
{
    struct hub hub;
    struct dwqi_death death;
    pid_t process;

    set_up(&hub);
    process = start(&hub, 1, 3, wait_for_ever);
    dwqi_lines_kill_worker(hub.lines, 3);
    cr_assert_eq(WTERMSIG(end_of(process)), SIGKILL);
    cr_assert_not(dwqi_lines_take_death(hub.lines, &death));
    cr_assert(dwqi_lines_know_deaths(hub.lines), "nobody may wait for it");
}

Test(lines, a_stop_comes_to_the_ranks_of_its_worker)
{
    struct hub hub;
    pid_t process;

    set_up(&hub);
    process = start(&hub, 1, 3, wait_for_a_stop);
    dwqi_lines_stop(hub.lines, 4, 41);
    for (int i = 0; i < 100; i++) { /* until it looks */
        dwqi_lines_stop(hub.lines, 3, 42);
        rest();
    }
    dwqi_lines_end(hub.lines);
    cr_assert_eq(WEXITSTATUS(end_of(process)), 7);
    cr_assert(dwqi_lines_take_end(hub.lines));
    cr_assert_not(dwqi_lines_take_end(hub.lines), "once");
}

Test(lines, a_stranger_is_refused)
{
    struct hub hub;
    struct dwqi_error error = { .text = "" };

    set_up(&hub);
    hub.address.secrets[0]++;
    cr_assert_not(dwqi_lines_connect(&hub.address, 1, 1, "x", &error));
    cr_assert(strstr(error.text, "no connection"), "%s", error.text);
    hub.address.secrets[0]--;
    hub.address.secrets[1]++; /* and a hub that is none */
    cr_assert_not(dwqi_lines_connect(&hub.address, 1, 1, "x", &error));
}

static void be_hub(int out)
{
    struct hub hub;

    alarm(MOST);
    set_up(&hub);
    if (write(out, &hub.address, sizeof hub.address) !=
        (ssize_t)sizeof hub.address) {
        dwqi_witness_exit_now(99);
    }
    wait_for_ever(NULL);
}

Test(lines, when_the_hub_dies_all_end)
{
    struct hub hub = { .n_woken = 0 };
    int ends[2];
    pid_t process, other;

    cr_assert_eq(pipe(ends), 0);
    process = fork();
    if (process == 0) {
        be_hub(ends[1]);
    }
    cr_assert_eq(read(ends[0], &hub.address, sizeof hub.address),
                 (ssize_t)sizeof hub.address);
    other = start(&hub, 1, 3, wait_for_ever);
    kill(process, SIGKILL);
    end_of(process);
    cr_assert_eq(WEXITSTATUS(end_of(other)), 1);
}
