#define _GNU_SOURCE /* memfd_create */
#include "libdwq/process/board.h"

#include <stdlib.h>

#if defined __linux__ && !defined DWQI_SMPI

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libdwq/base/line.h"

#define PLACES 1024

struct shared {
    uint64_t secret;
    _Atomic uint32_t n_taken;
    _Atomic uint32_t is_said;
    struct dwqi_last_words
        words[PLACES]; /* pages that nobody takes cost none */
};

struct dwqi_board {
    struct shared *shared;
    struct dwqi_board_address address;
    ino_t inode; /* of the file: its number may stand for another by now */
};

static uint64_t host_number(void)
{
    char name[256] = "";
    uint64_t hash = 14695981039346656037u;

    gethostname(name, sizeof name - 1);
    for (const char *c = name; *c; c++) {
        hash = (hash ^ (unsigned char)*c) * 1099511628211u; /* FNV-1a */
    }
    return hash | 1;
}

/* The memory of an open file, if it is a board's. */
static struct dwqi_board *map(int fd, struct dwqi_board_address address)
{
    struct dwqi_board *board = calloc(1, sizeof *board);
    void *memory = MAP_FAILED;
    struct stat file;

    if (board && fstat(fd, &file) == 0 && S_ISREG(file.st_mode) &&
        file.st_size == sizeof(struct shared)) {
        memory = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
                      MAP_SHARED, fd, 0);
    }
    if (memory == MAP_FAILED) {
        free(board);
        close(fd);
        return NULL;
    }
    *board = (struct dwqi_board){ .shared = memory,
                                  .address = address,
                                  .inode = file.st_ino };
    board->address.process = (int32_t)getpid();
    board->address.file = fd;
    return board;
}

struct dwqi_board *dwqi_board_create(void)
{
    struct dwqi_board_address address = { .host = host_number() };
    struct dwqi_board *board;
    int fd = memfd_create("libdwq-board", MFD_CLOEXEC);

    if (fd < 0) {
        return NULL;
    }
    if (ftruncate(fd, sizeof(struct shared)) != 0 ||
        getrandom(&address.secret, sizeof address.secret, GRND_NONBLOCK) !=
            (ssize_t)sizeof address.secret) {
        close(fd);
        return NULL;
    }
    board = map(fd, address);
    if (board) {
        board->shared->secret = address.secret;
    }
    return board;
}

void dwqi_board_destroy(struct dwqi_board *board)
{
    struct stat file;

    if (board) {
        munmap(board->shared, sizeof *board->shared);
        if (fstat(board->address.file, &file) == 0 &&
            file.st_ino == board->inode) {
            close(board->address.file);
        }
        free(board);
    }
}

struct dwqi_board_address dwqi_board_address(const struct dwqi_board *board)
{
    return board ? board->address : (struct dwqi_board_address){ .host = 0 };
}

static struct dwqi_board *open_other(const struct dwqi_board_address *address)
{
    char path[64];
    struct dwqi_board *board;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)address->process,
             (int)address->file);
    fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    board = fd >= 0 ? map(fd, *address) : NULL;
    if (board && board->shared->secret != address->secret) {
        dwqi_board_destroy(board);
        return NULL;
    }
    return board;
}

struct dwqi_board *dwqi_board_join(struct dwqi_board *mine,
                                   const struct dwqi_board_address *addresses,
                                   int n)
{
    uint64_t here = host_number();

    for (int i = 0; i < n; i++) {
        struct dwqi_board *board;

        if (addresses[i].host != here) {
            continue;
        }
        if (mine && addresses[i].secret == mine->address.secret) {
            return mine;
        }
        board = open_other(&addresses[i]);
        if (board) {
            return board;
        }
    }
    return mine;
}

struct dwqi_last_words *dwqi_board_take_place(struct dwqi_board *board)
{
    uint32_t place = board ? atomic_fetch_add(&board->shared->n_taken, 1) : 0;

    return board && place < PLACES ? &board->shared->words[place] : NULL;
}

bool dwqi_board_claim(struct dwqi_board *board)
{
    return atomic_exchange(&board->shared->is_said, 1) == 0;
}

/* As proc(5) has it: 'Z' is one that its launcher has not buried yet. '\0': there is
 * none; '?': it cannot be seen. */
static char state_of(pid_t process)
{
    struct dwqi_line path = { .used = 0 };
    char text[256];
    char *state;
    ssize_t n;
    int fd;

    if (kill(process, 0) != 0) {
        return errno == ESRCH ? '\0' : '?';
    }
    dwqi_line_add(&path, "/proc/");
    dwqi_line_add_number(&path, (uint64_t)process);
    dwqi_line_add(&path, "/stat");
    path.text[path.used] = '\0';
    fd = open(path.text, O_RDONLY | O_CLOEXEC);
    n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    if (n <= 0) {
        return '?';
    }
    text[n] = '\0';
    state = strrchr(text, ')');
    return state ? state[2] : '?';
}

static bool is_dead(const struct dwqi_last_words *words)
{
    char state = state_of(words->process);

    return !words->told && (state == '\0' || state == 'Z' || state == 'X');
}

static bool is_stopped(const struct dwqi_last_words *words)
{
    return state_of(words->process) == 'T';
}

static bool is_in_call(const struct dwqi_last_words *words)
{
    return words->function[0] != '\0';
}

/* The first of the others that is so. */
static const struct dwqi_last_words *find(
    struct dwqi_board *board, bool (*is)(const struct dwqi_last_words *words))
{
    uint32_t n = atomic_load(&board->shared->n_taken);

    for (uint32_t i = 0; i < n && i < PLACES; i++) {
        const struct dwqi_last_words *words = &board->shared->words[i];

        if (words->process > 0 && words->process != (int32_t)getpid() &&
            is(words)) {
            return words;
        }
    }
    return NULL;
}

const struct dwqi_last_words *dwqi_board_find_dead(struct dwqi_board *board)
{
    return find(board, is_dead);
}

const struct dwqi_last_words *dwqi_board_find_stopped(struct dwqi_board *board)
{
    return find(board, is_stopped);
}

const struct dwqi_last_words *dwqi_board_find_busy(struct dwqi_board *board)
{
    return find(board, is_in_call);
}

#else

struct dwqi_board *dwqi_board_create(void)
{
    return NULL;
}

void dwqi_board_destroy(struct dwqi_board *board)
{
    (void)board;
}

struct dwqi_board_address dwqi_board_address(const struct dwqi_board *board)
{
    (void)board;
    return (struct dwqi_board_address){ .host = 0 };
}

struct dwqi_board *dwqi_board_join(struct dwqi_board *mine,
                                   const struct dwqi_board_address *addresses,
                                   int n)
{
    (void)addresses;
    (void)n;
    return mine;
}

struct dwqi_last_words *dwqi_board_take_place(struct dwqi_board *board)
{
    (void)board;
    return NULL;
}

bool dwqi_board_claim(struct dwqi_board *board)
{
    (void)board;
    return true;
}

const struct dwqi_last_words *dwqi_board_find_dead(struct dwqi_board *board)
{
    (void)board;
    return NULL;
}

const struct dwqi_last_words *dwqi_board_find_stopped(struct dwqi_board *board)
{
    (void)board;
    return NULL;
}

const struct dwqi_last_words *dwqi_board_find_busy(struct dwqi_board *board)
{
    (void)board;
    return NULL;
}

#endif
