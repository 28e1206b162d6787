/* Ends this process with a message when something that cannot be interrupted takes
 * too long. For calls inside MPI that may never come back. */
#ifndef DWQI_PROCESS_WATCHDOG_H
#define DWQI_PROCESS_WATCHDOG_H

struct dwqi_watchdog;

/* `message` (borrowed until stop) is printed to stderr after `seconds`, and the
 * process ends with status 1. NULL: it could not be started, and nobody watches. */
struct dwqi_watchdog *dwqi_watchdog_start(double seconds, const char *message);
void dwqi_watchdog_stop(struct dwqi_watchdog *watchdog);

#endif
