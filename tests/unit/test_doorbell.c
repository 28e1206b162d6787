/* Bells and ringers: between threads, between processes, and where there are
 * none. A wake-up that is lost shows as a wait of WAIT seconds. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libdwq/base/clock.h"
#include "libdwq/item/transport.h"
#include "libdwq/wait/backoff.h"

#define WAIT 20. /* seconds: far longer than the test may take */
#define SOON 10.

static struct dwqi_bell *make_bell(void)
{
    struct dwqi_bell *bell = dwqi_bell_create();

    cr_assert_not_null(bell, "this system has memfd_create and futexes");
    return bell;
}

static struct dwqi_ringers *ringers_of(struct dwqi_bell *bell)
{
    struct dwqi_bell_address address = dwqi_bell_address(bell);

    dwqi_bell_expect(bell, 1);
    return dwqi_ringers_create(&address, 1);
}

static int count_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int n = 0;

    while (folder && readdir(folder)) {
        n++;
    }
    closedir(folder);
    return n;
}

Test(doorbell, a_wait_ends_at_its_bound)
{
    struct dwqi_bell *bell = make_bell();
    double begin = dwqi_clock_now(), seconds;

    dwqi_bell_arm(bell);
    dwqi_bell_wait(bell, 0.05);
    seconds = dwqi_clock_now() - begin;
    cr_assert(seconds > 0.04 && seconds < SOON, "%g s", seconds);
    dwqi_bell_destroy(bell);
}

Test(doorbell, a_ring_before_the_wait_is_not_lost)
{
    struct dwqi_bell *bell = make_bell();
    struct dwqi_ringers *ringers = ringers_of(bell);
    double begin = dwqi_clock_now();

    dwqi_bell_arm(bell);
    dwqi_ringers_ring(ringers, 0);
    dwqi_bell_wait(bell, WAIT);
    cr_assert_lt(dwqi_clock_now() - begin, SOON);
    dwqi_ringers_destroy(ringers);
    dwqi_bell_destroy(bell);
}

Test(doorbell, a_ring_while_awake_leaves_nothing_behind)
{
    struct dwqi_bell *bell = make_bell();
    struct dwqi_ringers *ringers = ringers_of(bell);
    double begin = dwqi_clock_now();

    dwqi_ringers_ring(ringers, 0);
    dwqi_bell_arm(bell);
    dwqi_bell_disarm(bell);
    dwqi_ringers_ring(ringers, 0);
    dwqi_bell_arm(bell);
    dwqi_bell_wait(bell, 0.02);
    cr_assert_gt(dwqi_clock_now() - begin, 0.01, "it slept");
    dwqi_ringers_destroy(ringers);
    dwqi_bell_destroy(bell);
}

/* --- Threads in the place of ranks ----------------------------------------- */

#define N_TURNS 5000

struct rank {
    struct dwqi_bell *bell;
    struct dwqi_ringers *ringers; /* of the other */
    atomic_int *inbox;            /* messages that came, in all */
    atomic_int *outbox;
};

/* Wait for message number n as the transport does: arm, poll, wait. */
static void await_message(struct rank *rank, int n)
{
    struct dwqi_backoff backoff;

    dwqi_backoff_init(&backoff, WAIT, false);
    dwqi_backoff_set_bell(&backoff, rank->bell, WAIT);
    backoff.spins = (unsigned)n % 3; /* sleep at once, or nearly */
    backoff.yields = 0;
    backoff.step = WAIT;
    while (atomic_load_explicit(rank->inbox, memory_order_relaxed) < n) {
        dwqi_backoff_pause(&backoff, INFINITY, true);
    }
    dwqi_backoff_reset(&backoff);
}

static void send_message(struct rank *rank)
{
    atomic_fetch_add_explicit(rank->outbox, 1, memory_order_relaxed);
    dwqi_ringers_ring(rank->ringers, 0);
}

static void *answer(void *arg)
{
    struct rank *rank = arg;

    for (int i = 1; i <= N_TURNS; i++) {
        await_message(rank, i);
        send_message(rank);
    }
    return NULL;
}

Test(doorbell, no_wake_up_is_lost_between_threads, .timeout = 60)
{
    struct dwqi_bell *bells[2] = { make_bell(), make_bell() };
    atomic_int boxes[2] = { 0, 0 };
    struct rank ranks[2] = {
        { bells[0], ringers_of(bells[1]), &boxes[0], &boxes[1] },
        { bells[1], ringers_of(bells[0]), &boxes[1], &boxes[0] },
    };
    double begin = dwqi_clock_now();
    pthread_t thread;

    cr_assert_eq(pthread_create(&thread, NULL, answer, &ranks[1]), 0);
    for (int i = 1; i <= N_TURNS; i++) {
        send_message(&ranks[0]);
        await_message(&ranks[0], i);
    }
    pthread_join(thread, NULL);
    cr_assert_lt(dwqi_clock_now() - begin, SOON, "a wake-up was lost");
    for (int i = 0; i < 2; i++) {
        dwqi_ringers_destroy(ranks[i].ringers);
        dwqi_bell_destroy(bells[i]);
    }
}

/* --- Processes ---------------------------------------------------------------- */

Test(doorbell, rings_across_processes)
{
    struct dwqi_bell *bell = make_bell();
    double begin = dwqi_clock_now();
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        struct dwqi_ringers *ringers = ringers_of(bell);
        struct timespec pause = { .tv_nsec = 50000000 };

        nanosleep(&pause, NULL); /* the other is asleep by then */
        dwqi_ringers_ring(ringers, 0);
        _exit(0);
    }
    dwqi_bell_expect(bell, 1);
    dwqi_bell_arm(bell);
    dwqi_bell_wait(bell, WAIT);
    cr_assert_lt(dwqi_clock_now() - begin, SOON);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert_eq(status, 0);
    cr_assert(dwqi_bell_is_reached(bell));
    dwqi_bell_destroy(bell);
}

Test(doorbell, an_address_that_is_stale_is_not_written_to)
{
    struct dwqi_bell *bell = make_bell();
    struct dwqi_bell_address wrong = dwqi_bell_address(bell);
    struct dwqi_ringers *ringers;
    double begin = dwqi_clock_now();

    wrong.secret++;
    ringers = dwqi_ringers_create(&wrong, 1);
    dwqi_bell_arm(bell);
    dwqi_ringers_ring(ringers, 0);
    dwqi_ringers_ring(ringers, 0);
    dwqi_bell_wait(bell, 0.02);
    cr_assert_gt(dwqi_clock_now() - begin, 0.01, "it was not rung");
    dwqi_ringers_destroy(ringers);
    wrong.file = open("/dev/null", O_RDWR);
    ringers = dwqi_ringers_create(&wrong, 1);
    dwqi_ringers_ring(ringers, 0);
    dwqi_ringers_destroy(ringers);
    dwqi_bell_destroy(bell);
}

Test(doorbell, leaves_no_files_open)
{
    int before = count_files();
    struct dwqi_bell *bell = make_bell();
    struct dwqi_ringers *ringers = ringers_of(bell);

    dwqi_bell_arm(bell);
    dwqi_ringers_ring(ringers, 0);
    cr_assert_eq(count_files(), before + 1, "its own memory");
    dwqi_ringers_destroy(ringers);
    dwqi_bell_destroy(bell);
    cr_assert_eq(count_files(), before);
}

/* --- Without -------------------------------------------------------------------- */

Test(doorbell, can_be_switched_off)
{
    setenv("DWQ_DOORBELL", "0", 1);
    cr_assert_null(dwqi_bell_create());
    setenv("DWQ_DOORBELL", "1", 1);
    dwqi_bell_destroy(make_bell());
}

Test(doorbell, peers_without_a_bell_or_elsewhere_are_not_reached)
{
    struct dwqi_bell *bell = make_bell();
    struct dwqi_bell_address addresses[2] = { dwqi_bell_address(bell),
                                              dwqi_bell_address(NULL) };
    struct dwqi_ringers *ringers = dwqi_ringers_create(addresses, 2);

    dwqi_bell_expect(bell, 1);
    cr_assert(dwqi_bell_is_reached(bell));
    dwqi_ringers_ring(ringers, 1);
    dwqi_ringers_destroy(ringers);
    addresses[0].host++;
    dwqi_bell_expect(bell, 1);
    ringers = dwqi_ringers_create(addresses, 1);
    cr_assert_not(dwqi_bell_is_reached(bell));
    dwqi_ringers_ring(ringers, 0);
    dwqi_ringers_destroy(ringers);
    cr_assert_not(dwqi_bell_is_reached(NULL));
    dwqi_ringers_ring(NULL, 0);
    dwqi_ringers_destroy(NULL);
    dwqi_bell_destroy(bell);
    dwqi_bell_destroy(NULL);
}

Test(doorbell, a_task_is_claimed_once_by_the_worker_or_by_the_controller)
{
    struct dwqi_bell *bell = make_bell();
    struct dwqi_ringers *ringers = ringers_of(bell);
    _Atomic uint32_t *workers = &dwqi_bell_desk(bell)->n_claimed;
    _Atomic uint32_t *controllers = &dwqi_ringers_desk(ringers, 0)->n_claimed;

    cr_assert_neq(workers, controllers, "mapped twice");
    cr_assert_eq(*workers, 0);
    cr_assert(dwqi_claim(workers, 0));
    cr_assert_not(dwqi_claim(controllers, 0));
    cr_assert(dwqi_claim(controllers, 1));
    cr_assert_not(dwqi_claim(workers, 1));
    cr_assert_not(dwqi_claim(controllers, 3), "nobody has the one before it");
    cr_assert_eq(*workers, 2);
    cr_assert_null(dwqi_bell_desk(NULL));
    cr_assert_null(dwqi_ringers_desk(NULL, 0));
    dwqi_ringers_destroy(ringers);
    dwqi_bell_destroy(bell);
}

/* No more descriptors for this process, but those it has. */
static struct rlimit forbid_files(void)
{
    struct rlimit before, none = { 0, 0 };

    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none.rlim_max = before.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    return before;
}

Test(doorbell, a_bell_that_cannot_be_rung_keeps_the_sleep_short)
{
    struct dwqi_bell *bell = make_bell();
    struct dwqi_backoff backoff;
    struct rlimit before = forbid_files();
    struct dwqi_ringers *ringers = ringers_of(bell);

    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    cr_assert_not(dwqi_bell_is_reached(bell));
    dwqi_backoff_init(&backoff, 1e-4, true);
    dwqi_backoff_set_bell(&backoff, bell, WAIT);
    for (int i = 0; i < 200; i++) {
        dwqi_backoff_pause(&backoff, INFINITY, true);
        cr_assert_leq(backoff.step, 1e-4);
    }
    dwqi_ringers_destroy(ringers);
    dwqi_bell_destroy(bell);
}

Test(doorbell, what_could_not_be_reached_is_tried_again)
{
    struct dwqi_bell *bell = make_bell();
    struct rlimit before = forbid_files();
    struct dwqi_ringers *ringers = ringers_of(bell);

    for (int i = 0; i < 100; i++) {
        dwqi_ringers_ring(ringers, 0);
    }
    cr_assert_not(dwqi_bell_is_reached(bell));
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    for (int i = 0; i < 100; i++) {
        dwqi_ringers_ring(ringers, 0);
    }
    cr_assert(dwqi_bell_is_reached(bell));
    dwqi_ringers_destroy(ringers);
    dwqi_bell_destroy(bell);
}

/* What is mapped at the start needs no descriptor later. */
Test(doorbell, rings_without_a_free_descriptor)
{
    struct dwqi_bell *bell = make_bell();
    struct dwqi_ringers *ringers = ringers_of(bell);
    struct rlimit before = forbid_files();
    double begin = dwqi_clock_now();

    dwqi_bell_arm(bell);
    dwqi_ringers_ring(ringers, 0);
    dwqi_bell_wait(bell, WAIT);
    cr_assert_lt(dwqi_clock_now() - begin, SOON);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    dwqi_ringers_destroy(ringers);
    dwqi_bell_destroy(bell);
}

Test(doorbell, a_descriptor_that_the_user_closed_is_not_closed_again)
{
    struct dwqi_bell *bell = make_bell();
    int number = dwqi_bell_address(bell).file;

    close(number);
    cr_assert_eq(open("/dev/null", O_RDWR), number, "the lowest that is free");
    dwqi_bell_destroy(bell);
    cr_assert_neq(fcntl(number, F_GETFD), -1);
    close(number);
}

/* --- The wait primitive --------------------------------------------------------- */

Test(doorbell, a_rank_that_waits_arms_polls_once_and_sleeps_longer_and_longer)
{
    struct dwqi_bell *bell = make_bell();
    struct dwqi_ringers *ringers = ringers_of(bell);
    struct dwqi_backoff backoff;
    double begin;

    dwqi_backoff_init(&backoff, 1e-3, true);
    dwqi_backoff_set_bell(&backoff, bell, 0.008);
    for (unsigned i = 0; i < backoff.spins + backoff.yields; i++) {
        dwqi_backoff_pause(&backoff, INFINITY, true);
        cr_assert_not(backoff.armed);
    }
    dwqi_backoff_pause(&backoff, INFINITY, true);
    cr_assert(backoff.armed, "armed, and back for a poll");
    for (int i = 0; i < 12; i++) {
        dwqi_backoff_pause(&backoff, INFINITY, true);
    }
    cr_assert_eq(backoff.step, 0.008);
    while (!backoff.armed) {
        dwqi_backoff_pause(&backoff, INFINITY, true);
    }
    dwqi_backoff_reset(&backoff);
    cr_assert_not(backoff.armed);
    begin = dwqi_clock_now();
    dwqi_bell_wait(bell, WAIT);
    cr_assert_lt(dwqi_clock_now() - begin, SOON, "reset disarms the bell");
    dwqi_ringers_destroy(ringers);
    dwqi_bell_destroy(bell);
}

Test(doorbell, does_not_sleep_longer_than_what_remains)
{
    struct dwqi_bell *bell = make_bell();
    struct dwqi_backoff backoff;
    double begin = dwqi_clock_now();

    dwqi_backoff_init(&backoff, WAIT, true);
    dwqi_backoff_set_bell(&backoff, bell, WAIT);
    for (int i = 0; i < 100; i++) {
        dwqi_backoff_pause(&backoff, 1e-3, true);
    }
    cr_assert_lt(dwqi_clock_now() - begin, SOON);
    dwqi_bell_destroy(bell);
}
