/* What is known of a process that ends in the middle of a run: who it is, and the call
 * that it is in. The text is in place, so that it can lie in memory that others read
 * when the process is gone (process/board.h), and be written by a signal's handler. */
#ifndef DWQI_BASE_LAST_WORDS_H
#define DWQI_BASE_LAST_WORDS_H

#include <stdint.h>

struct dwqi_last_words {
    int32_t process; /* its id; 0: it is not in the run (any more) */
    int32_t told;    /* not 0: a signal told it to end */
    uint64_t id;     /* of the task that runs */
    char who[48];    /* "rank 3 (worker 2)"; "": nobody said */
    char host[64];
    char function[96]; /* that runs, cut to this size; "": none does */
};

#endif
