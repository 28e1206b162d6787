/* Seconds that only go forward. */
#ifndef DWQI_BASE_CLOCK_H
#define DWQI_BASE_CLOCK_H

double dwqi_clock_now(void);

#endif
