/* Open MPI 4 unloads its components in MPI_Finalize while a thread of its own may still
 * run the one that speaks with the launcher: a rare crash at the end of a job
 * (open-mpi/ompi issue 10117). */
#ifndef DWQI_PROCESS_COMPONENTS_MPI_H
#define DWQI_PROCESS_COMPONENTS_MPI_H

/* MPI is up: that component stays in memory until the process ends. */
void dwqi_mpi_keep_components(void);

#endif
