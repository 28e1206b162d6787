/* What the controller's process tells `dwq run`, which started the job: mpirun's exit code
 * says nothing where the job outlives some of its ranks, and mpirun may not end at all. */
#ifndef DWQI_PROCESS_LAUNCHER_H
#define DWQI_PROCESS_LAUNCHER_H

#include <stdint.h>

/* In the environment of all ranks: "PORT SECRET IP ...", all in hexadecimal digits; the
 * addresses as on the wire. */
#define DWQI_LAUNCHER_ENV "DWQ_LAUNCHER"

/* By TCP, as often as there is something to say. */
struct dwqi_verdict {
    uint64_t secret;
    int32_t is_over; /* 0: the process is the controller's, and lives */
    int32_t code;    /* with which it exits */
    char job
        [48]; /* as the launcher names it: files of MPI have it in their names */
};
_Static_assert(sizeof(struct dwqi_verdict) == 64, "wire struct");

/* This process is the controller's. The second time, or where nobody listens: nothing. */
void dwqi_launcher_greet(void);
/* It exits with this code. */
void dwqi_launcher_tell(int code);

#endif
