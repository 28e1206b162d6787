/* What questions are made of. A question has two sides in one file: `ask` runs
 * in dwq-bench, starts jobs and makes figures of what they print; `measure`
 * runs in such a job, on every rank (dwq-bench --measure NAME ARGUMENTS...).
 *
 * A figure compares the same work done by us, by bare MPI, and by a peer, in
 * jobs that alternate, so that what else the machine does meets all alike. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stdio.h>

#include "bench/samples.h"

enum side {
    SIDE_OURS,
    SIDE_BARE,
    SIDE_PEER,
    SIDE_OLD, /* ours of an older build (--compare DIR) */
    SIDE_COUNT
};

enum bar_kind {
    BAR_NONE,
    BAR_AT_LEAST,
    BAR_AT_MOST
};

struct summary {
    size_t n; /* jobs; 0: not measured */
    double median, p25, p75;
};

#define TEXT_MAX 64
#define NOTE_MAX 200
#define UNIT_MAX 16

struct figure {
    char question[TEXT_MAX];
    char name[NOTE_MAX];
    char unit[UNIT_MAX];
    int ranks;           /* of its jobs, with spawned ones; 0: no MPI */
    bool oversubscribed; /* more ranks than cores */
    struct summary sides[SIDE_COUNT];
    double x; /* where it stands in a plot (report.py); NAN: in none */
    char series[TEXT_MAX]; /* which curve of its question */
    enum bar_kind bar_kind;
    double bar;
    double value; /* what is held against the bar: a ratio, or ours */
    char value_unit[UNIT_MAX]; /* "x bare" for a ratio */
    /* Beside an older build: where the ratio may be as well, for noise; and what is
     * added to both before it, as one near 0 says nothing. */
    double ratio, low, high;
    double offset;
    char note[NOTE_MAX];
};

struct facts {
    char host[TEXT_MAX], cpu[NOTE_MAX], kernel[NOTE_MAX], date[TEXT_MAX];
    char mpi[NOTE_MAX], library[TEXT_MAX], compiler[NOTE_MAX];
    int cores;
    double load; /* of the last minute, at the start */
};

struct bench {
    const char *self;   /* path of this program */
    const char *folder; /* of raw_mpi and the peers' programs */
    const char *smpi;   /* a build with -Dmpi=smpi; NULL: none */
    char *against;      /* the program of an older build; NULL: none */
    bool tiny;          /* counts so small that only the form is right */
    int rounds;         /* jobs of each side per figure */
    int cores;
    bool has_mpi4py;
    bool is_open_mpi_4; /* whose spawn needs EVENT_NOEPOLL */
    FILE *json;         /* or NULL */
    struct figure *figures;
    size_t n_figures, capacity;
    int n_failed_jobs;
    char incomplete[NOTE_MAX]; /* why figures are missing; "": none are */
    /* The progress bar. */
    bool on_terminal;
    const char *doing;
    int step, n_steps;
};

struct question {
    const char *name;
    const char *title;
    void (*ask)(struct bench *bench);      /* NULL: it is no question to ask */
    int (*measure)(int argc, char **argv); /* an exit code; or NULL */
};

extern const struct question *const questions[]; /* ends with NULL */

/* --- Jobs ---------------------------------------------------------------- */

#define ARGS_MAX 24
#define EXTRA_ROUNDS 3
#define WORSE 1.05 /* x the older build's time, or as much less of a rate */

struct job {
    int np;                     /* ranks; 0: no mpirun */
    const char *const *command; /* ends with NULL; or NULL: by np, side, args */
    enum side side;
    const char *args[ARGS_MAX]; /* of the program; ends with NULL */
    const char *env[8];         /* NAME=VALUE, or NAME= to unset; NULL ends */
    bool spawns;                /* its ranks start others, of this job too */
    bool
        untold; /* MPI is not told that ranks share cores, and so never yields */
    double timeout; /* seconds; 0: 120 */
    /* Called with each line that the job prints; may be NULL. */
    void (*pass_line)(struct bench *bench, const char *line, void *arg);
    void *pass_arg;
};

struct printed {
    char name[TEXT_MAX];
    double value;
};

struct job_result {
    bool ok;
    double wall; /* seconds, of the whole job */
    size_t n;
    struct printed *lines; /* of "NAME VALUE"; malloc'ed */
};

/* SIGINT, SIGTERM and SIGHUP wait until the job that runs is ended, so that nothing of
 * it is left, and what was measured is written; jobs_release_signals() ends the
 * program then. */
void jobs_hold_signals(void);
void jobs_release_signals(void);
bool jobs_interrupted(void);
/* Run it to its end. Complains when it fails. Fails at once when interrupted. */
void job_run(struct bench *bench, const struct job *job,
             struct job_result *result_out);
void job_result_finish(struct job_result *result);
/* NAN if the job printed no such line. */
double job_value(const struct job_result *result, const char *name);

/**
 * The usual question: run these jobs in turn, bench->rounds times. Against an older
 * build only our jobs are run, by both builds in turn, and up to EXTRA_ROUNDS as often
 * where noise leaves open whether they differ.
 *
 * @param jobs     n_jobs of them.
 * @param names    n_names of lines that each job prints; "wall" is the job's.
 * @param samples  [n_jobs * n_names], zeroed: all values, jobs outermost.
 */
void jobs_alternate(struct bench *bench, const struct job *jobs, size_t n_jobs,
                    const char *const *names, size_t n_names,
                    struct samples *samples);

/* An integer as text, in `text`. */
const char *number(char text[static 24], long long value);
/* `full`, or so few of it that a run only shows that it works. */
int scaled(const struct bench *bench, int full, int tiny);

/* --- Figures ------------------------------------------------------------- */

void figure_side(struct figure *figure, enum side side,
                 const struct samples *samples);
/* Hold ours / theirs (of medians) against a bar. */
void figure_ratio(struct figure *figure, enum side theirs, enum bar_kind kind,
                  double bar);
/* Hold our median against a bar, if there is one. */
void figure_absolute(struct figure *figure, enum bar_kind kind, double bar);
/* One of this run, on this machine: print and report it, unless an interruption came
 * before its first job. */
void figure_measured(struct bench *bench, struct figure *figure);
/* Whether it is beside an older build. */
bool figure_is_compared(const struct figure *figure);
/* Print it as JSON, and keep a copy. */
void figure_report(struct bench *bench, const struct figure *figure);
/* "met", "missed", "not measured"; "" without a bar; "unclear": an older build's
 * figure is better by more than the bar allows, but not by more than noise. */
const char *figure_verdict(const struct figure *figure);
bool figure_missed(const struct figure *figure);

/* --- Progress ------------------------------------------------------------ */

void progress_begin(struct bench *bench, const char *doing, int n_steps);
void progress_step(struct bench *bench);
void progress_end(struct bench *bench);

/* --- In a measuring job -------------------------------------------------- */

double now(void);
/* Bytes that this process has in memory. */
double resident_bytes(void);
/* Seconds of processor time of this process. */
double processor_time(void);

#endif
