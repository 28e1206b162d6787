/* What the processes of a job tell `dwq run`, which started it: mpirun's exit code says
 * nothing where the job outlives some of its ranks, mpirun may not end at all, and it waits
 * for ever when a rank dies in MPI_Init(). */
#ifndef DWQI_PROCESS_LAUNCHER_H
#define DWQI_PROCESS_LAUNCHER_H

#include <stdint.h>

/* In the environment of all ranks: "PORT SECRET IP ...", all in hexadecimal digits; the
 * addresses as on the wire. */
#define DWQI_LAUNCHER_ENV "DWQ_LAUNCHER"

enum dwqi_launcher_word_kind {
    DWQI_LAUNCHER_RANK =
        1, /* before MPI starts: if this line breaks, the process died */
    DWQI_LAUNCHER_BEGUN, /* the controller's: its run deals with deaths from now on */
    DWQI_LAUNCHER_BYE, /* it ends as it should */
    DWQI_LAUNCHER_OVER, /* the same, of the controller's: the code is the job's */
    DWQI_LAUNCHER_END   /* to the controller: the run is to end now */
};

/* By TCP, one line for each process. */
struct dwqi_launcher_word {
    uint64_t secret;
    int32_t kind; /* enum dwqi_launcher_word_kind */
    int32_t rank; /* of its job; -1: not known */
    int32_t code; /* OVER */
    char job[44]; /* as MPI names it: files have it in their names */
};
_Static_assert(sizeof(struct dwqi_launcher_word) == 64, "wire struct");

/* Once, before MPI starts. Where nobody listens: nothing. */
void dwqi_launcher_greet(void);
/* This process is the controller's, and its run begins. */
void dwqi_launcher_begin(void);
/* What its words have to have. */
uint64_t dwqi_launcher_secret(void);
/* It exits with this code. */
void dwqi_launcher_leave(int code);

#endif
