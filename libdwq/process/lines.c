/* What both ends of a line do, and all that is not the hub's. */
#define _GNU_SOURCE /* TCP_USER_TIMEOUT */
#include "libdwq/process/lines_private.h"

#include <stdlib.h>

#if defined __linux__ && !defined DWQI_SMPI

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libdwq/base/plain.h"
#include "libdwq/process/process.h"

#define CONNECT_MAX 2000 /* milliseconds, for each address of the hub */
#define STACK_SIZE ((size_t)256 * 1024)

/* --- Words ----------------------------------------------------------------- */

dwq_status_t dwqi_line_read(struct dwqi_line_in *line)
{
    ssize_t n;

    if (line->got == sizeof line->word) {
        line->got = 0;
    }
    do {
        n = recv(line->socket, (char *)&line->word + line->got,
                 sizeof line->word - line->got, 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return DWQ_E_AGAIN;
    }
    if (n <= 0) {
        return DWQ_E_MPI;
    }
    line->got += (size_t)n;
    if (line->got < sizeof line->word) {
        return DWQ_E_AGAIN;
    }
    line->word.text[sizeof line->word.text - 1] = '\0';
    return DWQ_OK;
}

bool dwqi_line_send(int socket, const void *bytes, size_t size)
{
    return send(socket, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT) ==
           (ssize_t)size;
}

bool dwqi_line_write(int socket, const struct dwqi_word *word)
{
    return dwqi_line_send(socket, word, sizeof *word);
}

void dwqi_line_watch_peer(int socket)
{
    int on = 1, idle = 1, count = DWQI_LINE_SILENCE - 1;
    unsigned silence = 1000 * DWQI_LINE_SILENCE;

    setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &idle, sizeof idle);
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence, sizeof silence);
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool dwqi_lines_start_thread(pthread_t *thread_out, void *(*run)(void *),
                             void *arg)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    int answer;

    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    answer = pthread_create(thread_out, &attributes, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return answer == 0;
}

/* --- A line to the hub ------------------------------------------------------- */

/* The hub is no more: so is the job. */
static void end(const struct dwqi_lines *lines)
{
    struct dwqi_witness *witness = dwqi_process_witness();

    if (atomic_load(&lines->has_left)) {
        return;
    }
    if (witness) {
        dwqi_witness_say_orphaned(witness);
    }
    dwqi_witness_exit_now(1);
}

static void hear_stop(struct dwqi_lines *lines, uint64_t id)
{
    pthread_mutex_lock(&lines->lock);
    if (lines->stop) {
        atomic_store(lines->stop, id);
    }
    pthread_mutex_unlock(&lines->lock);
}

static void *listen_to_hub(void *arg)
{
    struct dwqi_lines *lines = arg;
    dwq_status_t status;

    while ((status = dwqi_line_read(&lines->line)) != DWQ_E_MPI) {
        if (status == DWQ_E_AGAIN) {
            continue; /* the rest of it comes */
        }
        switch (lines->line.word.kind) {
        case DWQI_WORD_DEATH:
            atomic_store(&lines->knows_deaths, true);
            break;
        case DWQI_WORD_KILL:
            kill(getpid(), SIGKILL);
            break;
        case DWQI_WORD_STOP:
            hear_stop(lines, lines->line.word.secret);
            break;
        case DWQI_WORD_LEAVE:
            atomic_store(&lines->has_left, true);
            break;
        default:
            break;
        }
    }
    end(lines);
    return NULL;
}

static bool wait_for(int socket, short what)
{
    struct pollfd fd = { .fd = socket, .events = what };
    int answer;

    do {
        answer = poll(&fd, 1, CONNECT_MAX);
    } while (answer < 0 && errno == EINTR);
    return answer == 1;
}

int dwqi_line_dial(uint32_t ip, int port)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = ip };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int fault = 0;
    socklen_t size = sizeof fault;

    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) != 0 &&
        (errno != EINPROGRESS || !wait_for(fd, POLLOUT) ||
         getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &size) != 0 || fault)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* It is the hub who listens there, and it knows this process. */
static bool greet(struct dwqi_line_in *line,
                  const struct dwqi_hub_address *address,
                  const struct dwqi_word *hello)
{
    dwq_status_t status = DWQ_E_AGAIN;

    if (!dwqi_line_write(line->socket, hello)) {
        return false;
    }
    while (status == DWQ_E_AGAIN && wait_for(line->socket, POLLIN)) {
        status = dwqi_line_read(line);
    }
    return status == DWQ_OK && line->word.kind == DWQI_WORD_WELCOME &&
           line->word.secret == address->secrets[1];
}

static bool reach(struct dwqi_line_in *line,
                  const struct dwqi_hub_address *address,
                  const struct dwqi_word *hello)
{
    for (uint32_t i = 0; i < address->n && i < DWQI_HUB_ADDRESSES; i++) {
        *line = (struct dwqi_line_in){ .socket = dwqi_line_dial(
                                           address->ip[i], address->port) };
        if (line->socket >= 0 && greet(line, address, hello)) {
            return true;
        }
        if (line->socket >= 0) {
            close(line->socket);
        }
    }
    return false;
}

static struct dwqi_word word_of(enum dwqi_word_kind kind, const char *text,
                                size_t size)
{
    struct dwqi_word word = { .kind = kind };

    word.size =
        (uint32_t)(size < sizeof word.text - 1 ? size : sizeof word.text - 1);
    memcpy(word.text, text, word.size);
    return word;
}

struct dwqi_lines *dwqi_lines_connect(const struct dwqi_hub_address *address,
                                      int rank, int worker, const char *who,
                                      struct dwqi_error *error)
{
    struct dwqi_lines *lines = calloc(1, sizeof *lines);
    struct dwqi_word hello = word_of(DWQI_WORD_HELLO, who, strlen(who));
    pthread_t thread;

    hello.rank = rank;
    hello.worker = worker;
    hello.secret = address->secrets[0];
    if (!lines) {
        dwqi_error_set(error, DWQ_E_NOMEM, "%s", dwq_status_text(DWQ_E_NOMEM));
        return NULL;
    }
    lines->address = *address;
    pthread_mutex_init(&lines->lock, NULL);
    if (!reach(&lines->line, address, &hello)) {
        dwqi_error_set(error, DWQ_E_MPI,
                       "no connection to the controller's process by TCP, "
                       "port %d",
                       (int)address->port);
        free(lines);
        return NULL;
    }
    dwqi_line_watch_peer(lines->line.socket);
    fcntl(lines->line.socket, F_SETFL,
          fcntl(lines->line.socket, F_GETFL) & ~O_NONBLOCK);
    if (!dwqi_lines_start_thread(&thread, listen_to_hub, lines)) {
        dwqi_error_set(error, DWQ_E_NOMEM, "no thread could be started");
        close(lines->line.socket);
        free(lines);
        return NULL;
    }
    pthread_detach(thread);
    return lines;
}

/* --- Both ------------------------------------------------------------------- */

struct dwqi_lines *dwqi_lines_listen(struct dwqi_hub_address *address_out,
                                     struct dwqi_error *error)
{
    struct dwqi_lines *lines = calloc(1, sizeof *lines);

    if (!lines) {
        dwqi_error_set(error, DWQ_E_NOMEM, "%s", dwq_status_text(DWQ_E_NOMEM));
        return NULL;
    }
    lines->line.socket = -1;
    lines->hub = dwqi_hub_create(lines, address_out, error);
    if (!lines->hub) {
        free(lines);
        return NULL;
    }
    lines->address = *address_out;
    return lines;
}

const struct dwqi_hub_address *dwqi_lines_address(
    const struct dwqi_lines *lines)
{
    return &lines->address;
}

bool dwqi_lines_is_hub(const struct dwqi_lines *lines)
{
    return lines && lines->hub;
}

void dwqi_lines_in_child(struct dwqi_lines *lines)
{
    if (lines && lines->hub) {
        dwqi_hub_in_child(lines->hub);
    } else if (lines) {
        close(lines->line.socket);
    }
}

void dwqi_lines_leave(struct dwqi_lines *lines)
{
    struct dwqi_word word = { .kind = DWQI_WORD_LEAVE };

    if (!lines) {
        return;
    }
    if (lines->hub) {
        dwqi_hub_leave(lines->hub);
    } else {
        dwqi_line_write(lines->line.socket, &word);
        atomic_store(&lines->has_left, true);
    }
}

bool dwqi_lines_know_deaths(const struct dwqi_lines *lines)
{
    return lines &&
           atomic_load_explicit(&lines->knows_deaths, memory_order_relaxed);
}

void dwqi_lines_set_worker(struct dwqi_lines *lines, int worker)
{
    struct dwqi_word word = { .kind = DWQI_WORD_WORKER, .worker = worker };

    if (lines && !lines->hub) {
        dwqi_line_write(lines->line.socket, &word);
    }
}

void dwqi_lines_set_stop(struct dwqi_lines *lines, _Atomic uint64_t *where)
{
    if (lines && !lines->hub) {
        pthread_mutex_lock(&lines->lock);
        lines->stop = where;
        pthread_mutex_unlock(&lines->lock);
    }
}

void dwqi_lines_end(struct dwqi_lines *lines)
{
    if (lines && lines->hub) {
        dwqi_hub_end(lines->hub);
    }
}

bool dwqi_lines_say(struct dwqi_lines *lines, const char *why, int size)
{
    struct dwqi_word word;

    if (!lines || lines->hub) {
        return false;
    }
    word = word_of(DWQI_WORD_WORDS, why, (size_t)size);
    return dwqi_line_write(lines->line.socket, &word);
}

#else

bool dwqi_line_send(int socket, const void *bytes, size_t size)
{
    (void)socket, (void)bytes, (void)size;
    return false;
}

int dwqi_line_dial(uint32_t ip, int port)
{
    (void)ip, (void)port;
    return -1;
}

struct dwqi_lines *dwqi_lines_listen(struct dwqi_hub_address *address_out,
                                     struct dwqi_error *error)
{
    (void)address_out;
    dwqi_error_set(error, DWQ_E_STATE, "there are no lines on this system");
    return NULL;
}

struct dwqi_lines *dwqi_lines_connect(const struct dwqi_hub_address *address,
                                      int rank, int worker, const char *who,
                                      struct dwqi_error *error)
{
    (void)address, (void)rank, (void)worker, (void)who;
    dwqi_error_set(error, DWQ_E_STATE, "there are no lines on this system");
    return NULL;
}

const struct dwqi_hub_address *dwqi_lines_address(
    const struct dwqi_lines *lines)
{
    return (const void *)lines; /* nobody has lines */
}

bool dwqi_lines_is_hub(const struct dwqi_lines *lines)
{
    (void)lines;
    return false;
}

void dwqi_lines_in_child(struct dwqi_lines *lines)
{
    (void)lines;
}

void dwqi_lines_leave(struct dwqi_lines *lines)
{
    (void)lines;
}

bool dwqi_lines_know_deaths(const struct dwqi_lines *lines)
{
    (void)lines;
    return false;
}

void dwqi_lines_set_worker(struct dwqi_lines *lines, int worker)
{
    (void)lines, (void)worker;
}

bool dwqi_lines_say(struct dwqi_lines *lines, const char *why, int size)
{
    (void)lines, (void)why, (void)size;
    return false;
}

void dwqi_lines_set_wake(struct dwqi_lines *lines, void (*wake)(void *arg),
                         void *arg)
{
    (void)lines, (void)wake, (void)arg;
}

void dwqi_lines_set_stop(struct dwqi_lines *lines, _Atomic uint64_t *where)
{
    (void)lines, (void)where;
}

void dwqi_lines_stop(struct dwqi_lines *lines, int worker, uint64_t id)
{
    (void)lines, (void)worker, (void)id;
}

void dwqi_lines_end(struct dwqi_lines *lines)
{
    (void)lines;
}

bool dwqi_lines_take_end(struct dwqi_lines *lines)
{
    (void)lines;
    return false;
}

void dwqi_lines_hear_launcher(struct dwqi_lines *lines, int connection)
{
    (void)lines, (void)connection;
}

bool dwqi_lines_take_death(struct dwqi_lines *lines,
                           struct dwqi_death *death_out)
{
    (void)lines, (void)death_out;
    return false;
}

void dwqi_lines_kill_worker(struct dwqi_lines *lines, int worker)
{
    (void)lines, (void)worker;
}

#endif
