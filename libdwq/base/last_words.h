/* What is known of a process that ends in the middle of a run: who it is, and the call
 * that it is in. */
#ifndef DWQI_BASE_LAST_WORDS_H
#define DWQI_BASE_LAST_WORDS_H

#include <stdint.h>

struct dwqi_last_words {
    const char *who;      /* "rank 3 (worker 2)"; NULL: nobody said; borrowed */
    const char *function; /* that runs; NULL: none does; borrowed */
    uint64_t id;          /* of its task */
};

#endif
