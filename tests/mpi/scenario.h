/* What the programs of this folder share. A program is a table of scenarios;
 * `program NAME` plays one on every rank of its job and exits 0 when all its
 * checks held. SIGUSR2 (the driver sends it after a timeout) prints where this
 * rank is. */
#ifndef TESTS_MPI_SCENARIO_H
#define TESTS_MPI_SCENARIO_H

#include <dwq/mpi.h>
#include <stdio.h>
#include <string.h>

#include "tests/temporary.h"

/* The address sanitizer keeps freed memory for a while. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED false
#endif

struct scenario {
    const char *name;
    void (*play)(void);
};

/* Ends with name NULL. Arguments after the first are the library's. */
int scenario_main(int argc, char **argv, const struct scenario *scenarios);
/* The two halves of that, for programs that are no table: begin listens to
 * SIGUSR2; end finalizes, and gives the exit code. */
void scenario_begin(void);
int scenario_end(void);
/* Checks of this rank that did not hold so far. */
int scenario_n_failed(void);

/* Count and print a check that did not hold. */
void scenario_failed(const char *file, int line, const char *what);
#define CHECK(condition)                                     \
    do {                                                     \
        if (!(condition)) {                                  \
            scenario_failed(__FILE__, __LINE__, #condition); \
        }                                                    \
    } while (0)

/* dwq_run() with `controller` and the functions below, on options otherwise
 * zero; checks that it answers DWQ_OK. Returns the exit code. */
int scenario_run(int (*controller)(dwq_controller_t *controller, void *arg));
int scenario_run_options(const dwq_options_t *options);

/* Functions: "square"(x), "sleep"(seconds) gives seconds, "fail"(code),
 * "nothing"(), "echo"(anything...), "sum"(array of double), "worker"() gives the
 * rank in MPI_COMM_WORLD, "wait_for"(path) until that file is there. */
extern const dwq_function_t scenario_functions[];

/* Submit square(x) and check that it was taken; the id. */
uint64_t submit_square(dwq_controller_t *controller, double x, int worker);
uint64_t submit_sleep(dwq_controller_t *controller, double seconds, int worker);
/* Collect all that is left; how many, and how many with that status. */
int collect_all(dwq_controller_t *controller, dwq_status_t status,
                int *n_with_status_out);
void sleep_seconds(double seconds);
/* A file that "wait_for" waits for, on this host: its name, in `path`. So a test
 * says what comes after what, and no time does. */
#define FLAG_SIZE TEMPORARY_SIZE
void flag_make(char *path, bool raised);
void flag_raise(const char *path);
void flag_remove(const char *path);
/* Kilobytes that this process has in memory (proc(5), statm). */
long resident_kib(void);
int world_rank(void);
int world_size(void);

#endif
