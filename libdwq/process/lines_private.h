/* The inside of both ends, for lines.c and lines_hub.c. */
#ifndef DWQI_PROCESS_LINES_PRIVATE_H
#define DWQI_PROCESS_LINES_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "libdwq/process/lines.h"

enum dwqi_word_kind {
    DWQI_WORD_HELLO = 1,
    DWQI_WORD_WELCOME,
    DWQI_WORD_WORKER,
    DWQI_WORD_WORDS,
    DWQI_WORD_DEATH,
    DWQI_WORD_KILL,
    DWQI_WORD_STOP,
    DWQI_WORD_LEAVE
};

/* All words have one size: a part of one is never more than the rest of it away. */
struct dwqi_word {
    uint32_t kind; /* enum dwqi_word_kind */
    int32_t rank, worker;
    uint32_t size;   /* of the text */
    uint64_t secret; /* STOP: the id of a task */
    char text[232];
};
_Static_assert(sizeof(struct dwqi_word) == 256, "wire struct");

/* One connection, as whoever reads it has it. */
struct dwqi_line_in {
    int socket;
    size_t got; /* bytes of `word` */
    struct dwqi_word word;
};

/* DWQ_OK: line->word is whole; DWQ_E_AGAIN: not yet; DWQ_E_MPI: the line is no more. */
dwq_status_t dwqi_line_read(struct dwqi_line_in *line);
/* A connection; -1: nobody listens there. */
int dwqi_line_dial(uint32_t ip, int port);
/* All of it, or nothing is heard of it. For handlers of signals, too. */
bool dwqi_line_send(int socket, const void *bytes, size_t size);
bool dwqi_line_write(int socket, const struct dwqi_word *word);
/* Silence for too long breaks it. */
void dwqi_line_watch_peer(int socket);
/* A thread that no signal of the program's comes to. */
bool dwqi_lines_start_thread(pthread_t *thread_out, void *(*run)(void *),
                             void *arg);

struct dwqi_hub;
void dwqi_hub_end(struct dwqi_hub *hub);
void dwqi_hub_leave(struct dwqi_hub *hub);
void dwqi_hub_in_child(struct dwqi_hub *hub);

struct dwqi_lines {
    struct dwqi_hub *hub; /* or NULL */
    struct dwqi_hub_address address;
    struct dwqi_line_in line;
    _Atomic bool has_left; /* either end has said so */
    _Atomic bool knows_deaths;
    pthread_mutex_t lock; /* of the next one: the thread writes there */
    _Atomic uint64_t *stop;
};

struct dwqi_hub *dwqi_hub_create(struct dwqi_lines *lines,
                                 struct dwqi_hub_address *address_out,
                                 struct dwqi_error *error);

#endif
