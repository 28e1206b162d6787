/* What MPI does at the end of a process that gives up in a run: MPI_Finalize() and
 * MPI_Abort() of the whole process, as the library exports them (MPI's own are behind
 * their PMPI_ names), and errors of the user's communicators. */
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

#include "libdwq/process/lines.h"
#include "libdwq/process/process.h"
#include "libdwq/process/witness_mpi.h"

/* Where the others outlive this process, it ends alone. */
static void abort_all(int code)
{
    const struct dwqi_lines *lines = dwqi_process_lines();

    if (!lines || dwqi_lines_is_hub(lines)) {
        PMPI_Abort(MPI_COMM_WORLD, code ? code : 1);
    }
    dwqi_witness_exit_now(1); /* MPI_Abort does not come back */
}

#ifndef DWQI_SMPI /* a process there is many ranks */

/* Fortran's go to MPI's own, past these. */
DWQ_API void mpi_finalize_(MPI_Fint *error);
DWQ_API void mpi_abort_(MPI_Fint *comm, MPI_Fint *code, MPI_Fint *error);

/* In a child of fork() MPI's own would wait for threads that are not there, or end the
 * job of its parent. */
DWQ_API int MPI_Finalize(void)
{
    if (!dwqi_process_is_ours()) {
        return MPI_SUCCESS;
    }
    dwqi_witness_give_up(0, "called MPI_Finalize");
    if (dwqi_lines_know_deaths(dwqi_process_lines()) &&
        !dwqi_process_witness()) {
        return MPI_SUCCESS; /* it would wait for the dead */
    }
    return PMPI_Finalize(); /* departure_mpi.c says it where others wait */
}

void mpi_finalize_(MPI_Fint *error)
{
    *error = MPI_Finalize();
}

DWQ_API int MPI_Abort(MPI_Comm comm, int code)
{
    struct dwqi_witness *witness = dwqi_process_witness();
    char text[64];

    if (!dwqi_process_is_ours()) {
        dwqi_witness_exit_now(code ? code : 1);
    }
    if (witness) {
        snprintf(text, sizeof text, "called MPI_Abort(%d)", code);
        dwqi_witness_say(witness, text);
        abort_all(code);
    }
    return PMPI_Abort(comm, code);
}

void mpi_abort_(MPI_Fint *comm, MPI_Fint *code, MPI_Fint *error)
{
    *error = MPI_Abort(MPI_Comm_f2c(*comm), *code);
}

#endif

/* MPI's own fatal handler says neither task nor function. */
static void on_error(MPI_Comm *comm, int *code, ...)
{
    struct dwqi_witness *witness = dwqi_process_witness();
    char text[MPI_MAX_ERROR_STRING + 32], name[MPI_MAX_ERROR_STRING] = "";
    int length;

    (void)comm;
    MPI_Error_string(*code, name, &length);
    snprintf(text, sizeof text, "an MPI call failed: %s", name);
    if (witness) {
        dwqi_witness_say(witness, text);
    } else {
        fprintf(stderr, "libdwq: error: %s: all ranks end now\n", text);
    }
    abort_all(*code);
}

void dwqi_witness_make_errhandler(MPI_Errhandler *handler_out)
{
    if (MPI_Comm_create_errhandler(on_error, handler_out) != MPI_SUCCESS) {
        *handler_out = MPI_ERRORS_ARE_FATAL;
    }
}

void dwqi_witness_free_errhandler(MPI_Errhandler *handler)
{
    if (*handler != MPI_ERRORS_ARE_FATAL) {
        MPI_Errhandler_free(handler);
    }
}
