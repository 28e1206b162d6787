/* The end of a process: what is written before it, and what the shell sees of it. */
#ifndef DWQI_BASE_ENDING_H
#define DWQI_BASE_ENDING_H

#include <stdbool.h>

/* Write what stdout and stderr hold back, unless another thread is in them. */
void dwqi_flush_standard(void);

/* Write what all streams hold back, before the process ends. fflush(NULL) would wait
 * for a stream that another thread sits in (a read of stdin): here that is given up
 * after a moment. False: then nothing may touch stdio any more, not even exit(). */
bool dwqi_flush_all(void);

/* `code` as an exit code: 0 is 0, and all others are 1 to 255. The lowest 8 bits, which
 * are all that a shell sees, or 1 where these are 0. */
int dwqi_exit_code(int code);

#endif
