/* The last words of all ranks of a host, in memory that they share: who is left reads
 * what one that died without a word was doing. The memory has no name in any file
 * system. Without Linux there is none, and a NULL board does nothing. */
#ifndef DWQI_PROCESS_BOARD_H
#define DWQI_PROCESS_BOARD_H

#include <stdbool.h>
#include <stddef.h>

#include "libdwq/base/last_words.h"

struct dwqi_board;

/* Where a board is, as others are told; all zero: there is none. */
struct dwqi_board_address {
    uint64_t host;   /* of its name: only what has the same can be reached */
    uint64_t secret; /* stands in the memory, too */
    int32_t process;
    int32_t file;
};
_Static_assert(sizeof(struct dwqi_board_address) == 24, "wire struct");

/* Of this rank alone; NULL when there cannot be one. */
struct dwqi_board *dwqi_board_create(void);
void dwqi_board_destroy(struct dwqi_board *board);
struct dwqi_board_address dwqi_board_address(const struct dwqi_board *board);

/* The first board of these that can be reached from here, the same for all ranks of a
 * host: `mine` if it is that one, or if there is none; else one more. */
struct dwqi_board *dwqi_board_join(struct dwqi_board *mine,
                                   const struct dwqi_board_address *addresses,
                                   int n);

/* A place for the words of one more process; NULL: there is none left. */
struct dwqi_last_words *dwqi_board_take_place(struct dwqi_board *board);

/* For handlers of signals, too. Whether nobody of this host has said yet why the run
 * ends: the caller is to say it. */
bool dwqi_board_claim(struct dwqi_board *board);
/* The words of one that is gone, and was not told to go; NULL: none is. */
const struct dwqi_last_words *dwqi_board_find_dead(struct dwqi_board *board);
/* The words of one that a signal or a debugger has stopped, or that is in a call. */
const struct dwqi_last_words *dwqi_board_find_stopped(struct dwqi_board *board);
const struct dwqi_last_words *dwqi_board_find_busy(struct dwqi_board *board);

#endif
