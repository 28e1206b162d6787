/* Which variables of the environment are a launcher's. */
#ifndef BENCH_ENVIRONMENT_H
#define BENCH_ENVIRONMENT_H

/* A launcher that this process is a rank of would take the jobs of this process for
 * its own: remove what the launcher set, keep what the user did. */
void environment_leave_job(void);
/* What launchers could change, for environment_restore() in a rank. */
void environment_save(void);
/* The environment at environment_save(): for a program that is no rank. On another
 * host, which was not told, environment_leave_job() has to do. */
void environment_restore(void);

#endif
