/* The hub: a thread that waits for all lines at once. What it knows is behind one lock. */
#define _GNU_SOURCE /* accept4 */
#include "libdwq/process/lines_private.h"

#if defined __linux__ && !defined DWQI_SMPI

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "libdwq/base/ending.h"
#include "libdwq/base/plain.h"
#include "libdwq/item/transport.h"
#include "libdwq/process/launcher.h"
#include "libdwq/process/process.h"

enum line_state {
    LINE_STRANGE, /* it has not said HELLO */
    LINE_OPEN,
    LINE_KILLED, /* for another of its worker */
    LINE_LEFT
};

struct line {
    struct dwqi_line_in in;
    enum line_state state;
    int rank, worker;
    char who[232];
    char words[232]; /* why it is about to die; "": it said nothing */
    struct line *next, *prev;
};

struct news {
    struct dwqi_death death;
    struct news *next, *prev;
};

struct dwqi_hub {
    struct dwqi_lines *lines; /* that it is a part of */
    uint64_t secrets[2];
    int epoll, listener;
    int ending;   /* an eventfd: dwqi_lines_end() */
    int launcher; /* the connection to `dwq run`; -1: none */
    _Atomic bool is_ending;
    pthread_mutex_t lock;
    struct line *all;
    struct news *news;
    _Atomic int n_news;
    void (*wake)(void *arg);
    void *wake_arg;
    bool
        has_begun; /* a run that takes deaths; until then one is the end of the job */
};

/* --- Deaths ------------------------------------------------------------------ */

/* Nobody would take it: so it is the end of the job. */
static void end_job(const char *why)
{
    struct dwqi_witness *witness = dwqi_process_witness();

    if (!witness || dwqi_witness_claim(witness)) {
        dwqi_log_error(&(struct dwqi_log){ .line = NULL },
                       "%s: all ranks end now", why);
    }
    dwqi_flush_all();
    dwqi_witness_exit_now(1);
}

static void kill_worker(struct dwqi_hub *hub, int worker)
{
    const struct dwqi_word word = { .kind = DWQI_WORD_KILL };
    struct line *line;

    DL_FOREACH(hub->all, line)
    {
        if (worker > 0 && line->worker == worker && line->state == LINE_OPEN) {
            line->state = LINE_KILLED;
            dwqi_line_write(line->in.socket, &word);
        }
    }
}

static void tell_all(struct dwqi_hub *hub, enum dwqi_word_kind kind)
{
    const struct dwqi_word word = { .kind = kind, .secret = DWQI_STOP_ALL };
    struct line *line;

    DL_FOREACH(hub->all, line)
    {
        if (line->state == LINE_OPEN) {
            dwqi_line_write(line->in.socket, &word);
        }
    }
}

/* A run takes it; or none is under way, and the next one will not begin. */
static bool is_survived(const struct dwqi_hub *hub)
{
    return hub->wake || (hub->has_begun && !dwqi_process_witness());
}

/* With the lock. */
static void add_news(struct dwqi_hub *hub, const struct line *line)
{
    struct news *news = calloc(1, sizeof *news);

    atomic_store(&hub->lines->knows_deaths, true);
    tell_all(hub, DWQI_WORD_DEATH);
    kill_worker(hub, line->worker);
    if (!news || !is_survived(hub)) {
        end_job(line->words);
    }
    news->death =
        (struct dwqi_death){ .worker = line->worker, .rank = line->rank };
    snprintf(news->death.why, sizeof news->death.why, "%s", line->words);
    DL_APPEND(hub->news, news);
    atomic_fetch_add(&hub->n_news, 1);
    if (hub->wake) {
        hub->wake(hub->wake_arg);
    }
}

static void lose(struct dwqi_hub *hub, struct line *line)
{
    pthread_mutex_lock(&hub->lock);
    /* A child of fork() may hold it, too: it would be told of for ever. */
    epoll_ctl(hub->epoll, EPOLL_CTL_DEL, line->in.socket, NULL);
    close(line->in.socket);
    DL_DELETE(hub->all, line);
    if (line->state == LINE_OPEN && !atomic_load(&hub->lines->has_left)) {
        if (!line->words[0]) {
            dwqi_plain_format(line->words, sizeof line->words,
                              "%s died without a word (SIGKILL, as where "
                              "memory is short, or its host is gone)",
                              line->who);
        }
        add_news(hub, line);
    }
    pthread_mutex_unlock(&hub->lock);
    free(line);
}

/* --- Words ------------------------------------------------------------------- */

static bool hear_hello(struct dwqi_hub *hub, struct line *line)
{
    const struct dwqi_word *word = &line->in.word;
    const struct dwqi_word welcome = { .kind = DWQI_WORD_WELCOME,
                                       .secret = hub->secrets[1] };

    if (word->kind != DWQI_WORD_HELLO || word->secret != hub->secrets[0]) {
        return false;
    }
    line->rank = word->rank;
    line->worker = word->worker;
    dwqi_plain_format(line->who, sizeof line->who, "%s", word->text);
    dwqi_line_watch_peer(line->in.socket);
    line->state = LINE_OPEN;
    return dwqi_line_write(line->in.socket, &welcome);
}

/* False: it cannot be. */
static bool hear(struct dwqi_hub *hub, struct line *line)
{
    const struct dwqi_word *word = &line->in.word;
    bool good = true;

    pthread_mutex_lock(&hub->lock);
    if (line->state == LINE_STRANGE) {
        good = hear_hello(hub, line);
    } else if (word->kind == DWQI_WORD_WORKER) {
        line->worker = word->worker;
    } else if (word->kind == DWQI_WORD_WORDS) {
        dwqi_plain_format(line->words, sizeof line->words, "%s", word->text);
    } else if (word->kind == DWQI_WORD_LEAVE) {
        line->state = line->state == LINE_OPEN ? LINE_LEFT : line->state;
    }
    pthread_mutex_unlock(&hub->lock);
    return good;
}

static void listen_to(struct dwqi_hub *hub, struct line *line)
{
    dwq_status_t status;

    while ((status = dwqi_line_read(&line->in)) == DWQ_OK && hear(hub, line)) {
    }
    if (status != DWQ_E_AGAIN) {
        lose(hub, line);
    }
}

/* --- The end ------------------------------------------------------------------ */

/* Nobody takes it where no run is under way. */
static void hear_end(struct dwqi_hub *hub)
{
    uint64_t n;

    if (read(hub->ending, &n, sizeof n) != (ssize_t)sizeof n) {
        return;
    }
    pthread_mutex_lock(&hub->lock);
    if (hub->wake) {
        tell_all(hub, DWQI_WORD_STOP);
        atomic_store(&hub->is_ending, true);
        hub->wake(hub->wake_arg);
    }
    pthread_mutex_unlock(&hub->lock);
}

static void hear_launcher(struct dwqi_hub *hub)
{
    struct dwqi_launcher_word word;
    ssize_t n = recv(hub->launcher, &word, sizeof word, MSG_DONTWAIT);

    if (n == (ssize_t)sizeof word && word.secret == dwqi_launcher_secret()) {
        dwqi_hub_end(hub);
        return;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    epoll_ctl(hub->epoll, EPOLL_CTL_DEL, hub->launcher, NULL);
    if (!atomic_load(&hub->lines->has_left)) {
        end_job("`dwq run`, which started the job, is gone");
    }
}

static void accept_all(struct dwqi_hub *hub)
{
    const struct timespec moment = { .tv_nsec = 10 * 1000 * 1000 };
    int fd;

    while ((fd = accept4(hub->listener, NULL, NULL,
                         SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        struct line *line = calloc(1, sizeof *line);
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = line };

        if (!line || epoll_ctl(hub->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
            close(fd); /* it cannot connect, and says so */
            free(line);
            continue;
        }
        line->in.socket = fd;
        pthread_mutex_lock(&hub->lock);
        DL_APPEND(hub->all, line);
        pthread_mutex_unlock(&hub->lock);
    }
    if (errno != EAGAIN && errno != EINTR) {
        nanosleep(&moment, NULL); /* out of files: who connects waits */
    }
}

/* As long as the process lives. */
static void *serve(void *arg)
{
    struct dwqi_hub *hub = arg;
    struct epoll_event events[64];

    for (;;) {
        int n = epoll_wait(hub->epoll, events, 64, -1);

        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == &hub->listener) {
                accept_all(hub);
            } else if (events[i].data.ptr == &hub->ending) {
                hear_end(hub);
            } else if (events[i].data.ptr == &hub->launcher) {
                hear_launcher(hub);
            } else {
                listen_to(hub, events[i].data.ptr);
            }
        }
    }
    return NULL;
}

/* --- Its address ----------------------------------------------------------------- */

/* Loopback comes last: on another host somebody else listens there. */
static void list_addresses(struct dwqi_hub_address *address)
{
    struct ifaddrs *all = NULL;

    if (getifaddrs(&all) != 0) {
        all = NULL;
    }
    for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
        if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET &&
            (i->ifa_flags & IFF_UP) && !(i->ifa_flags & IFF_LOOPBACK) &&
            address->n < DWQI_HUB_ADDRESSES - 1) {
            address->ip[address->n++] =
                ((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr.s_addr;
        }
    }
    if (all) {
        freeifaddrs(all);
    }
    address->ip[address->n++] = htonl(INADDR_LOOPBACK);
}

/* `what` is that member of the hub. */
static bool watch(struct dwqi_hub *hub, int *what)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = what };

    return epoll_ctl(hub->epoll, EPOLL_CTL_ADD, *what, &event) == 0;
}

static bool listen_at(struct dwqi_hub *hub, struct dwqi_hub_address *address)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t size = sizeof at;

    hub->listener =
        socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    hub->epoll = epoll_create1(EPOLL_CLOEXEC);
    hub->ending = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    hub->launcher = -1;
    if (hub->listener < 0 || hub->epoll < 0 || hub->ending < 0 ||
        bind(hub->listener, (struct sockaddr *)&at, size) != 0 ||
        listen(hub->listener, 4096) != 0 ||
        getsockname(hub->listener, (struct sockaddr *)&at, &size) != 0 ||
        !watch(hub, &hub->listener) || !watch(hub, &hub->ending) ||
        getrandom(hub->secrets, sizeof hub->secrets, GRND_NONBLOCK) !=
            (ssize_t)sizeof hub->secrets) {
        return false;
    }
    *address = (struct dwqi_hub_address){ .port = ntohs(at.sin_port) };
    memcpy(address->secrets, hub->secrets, sizeof hub->secrets);
    list_addresses(address);
    return true;
}

/* A line for each rank. */
static void allow_many_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
        limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void close_all(struct dwqi_hub *hub)
{
    struct line *line;

    close(hub->epoll);
    close(hub->listener);
    close(hub->ending);
    DL_FOREACH(hub->all, line)
    {
        close(line->in.socket);
    }
}

struct dwqi_hub *dwqi_hub_create(struct dwqi_lines *lines,
                                 struct dwqi_hub_address *address_out,
                                 struct dwqi_error *error)
{
    struct dwqi_hub *hub = calloc(1, sizeof *hub);
    pthread_t thread;

    if (!hub) {
        dwqi_error_set(error, DWQ_E_NOMEM, "%s", dwq_status_text(DWQ_E_NOMEM));
        return NULL;
    }
    hub->lines = lines;
    pthread_mutex_init(&hub->lock, NULL);
    allow_many_files();
    if (!listen_at(hub, address_out)) {
        dwqi_error_set(error, DWQ_E_MPI, "cannot listen by TCP: %s",
                       dwqi_plain_error(errno));
    } else if (!dwqi_lines_start_thread(&thread, serve, hub)) {
        dwqi_error_set(error, DWQ_E_NOMEM, "no thread could be started");
    } else {
        pthread_detach(thread);
        return hub;
    }
    close_all(hub);
    pthread_mutex_destroy(&hub->lock);
    free(hub);
    return NULL;
}

/* --- What its process asks for ----------------------------------------------------- */

void dwqi_hub_end(struct dwqi_hub *hub)
{
    const uint64_t one = 1;
    ssize_t ignored = write(hub->ending, &one, sizeof one);

    (void)ignored;
}

bool dwqi_lines_take_end(struct dwqi_lines *lines)
{
    return dwqi_lines_is_hub(lines) &&
           atomic_load_explicit(&lines->hub->is_ending, memory_order_relaxed) &&
           atomic_exchange(&lines->hub->is_ending, false);
}

void dwqi_lines_hear_launcher(struct dwqi_lines *lines, int connection)
{
    if (dwqi_lines_is_hub(lines) && lines->hub->launcher < 0 &&
        connection >= 0) {
        lines->hub->launcher = connection;
        watch(lines->hub, &lines->hub->launcher);
    }
}

void dwqi_lines_stop(struct dwqi_lines *lines, int worker, uint64_t id)
{
    const struct dwqi_word word = { .kind = DWQI_WORD_STOP, .secret = id };
    struct line *line;

    if (!dwqi_lines_is_hub(lines)) {
        return;
    }
    pthread_mutex_lock(&lines->hub->lock);
    DL_FOREACH(lines->hub->all, line)
    {
        if (line->worker == worker && line->state == LINE_OPEN) {
            dwqi_line_write(line->in.socket, &word);
        }
    }
    pthread_mutex_unlock(&lines->hub->lock);
}

void dwqi_hub_leave(struct dwqi_hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    atomic_store(&hub->lines->has_left, true);
    tell_all(hub, DWQI_WORD_LEAVE);
    pthread_mutex_unlock(&hub->lock);
}

void dwqi_hub_in_child(struct dwqi_hub *hub)
{
    if (pthread_mutex_trylock(&hub->lock) ==
        0) { /* else nobody gives it back */
        close_all(hub);
    }
}

void dwqi_lines_set_wake(struct dwqi_lines *lines, void (*wake)(void *arg),
                         void *arg)
{
    if (dwqi_lines_is_hub(lines)) {
        pthread_mutex_lock(&lines->hub->lock);
        lines->hub->has_begun = lines->hub->has_begun || wake;
        lines->hub->wake = wake;
        lines->hub->wake_arg = arg;
        pthread_mutex_unlock(&lines->hub->lock);
    }
}

bool dwqi_lines_take_death(struct dwqi_lines *lines,
                           struct dwqi_death *death_out)
{
    struct dwqi_hub *hub = lines ? lines->hub : NULL;
    struct news *news;

    if (!hub || atomic_load_explicit(&hub->n_news, memory_order_acquire) == 0) {
        return false;
    }
    pthread_mutex_lock(&hub->lock);
    news = hub->news;
    if (news) {
        DL_DELETE(hub->news, news);
        atomic_fetch_sub(&hub->n_news, 1);
    }
    pthread_mutex_unlock(&hub->lock);
    if (news) {
        *death_out = news->death;
    }
    free(news);
    return news != NULL;
}

void dwqi_lines_kill_worker(struct dwqi_lines *lines, int worker)
{
    if (dwqi_lines_is_hub(lines)) {
        pthread_mutex_lock(&lines->hub->lock);
        atomic_store(&lines->knows_deaths, true);
        kill_worker(lines->hub, worker);
        tell_all(lines->hub, DWQI_WORD_DEATH);
        pthread_mutex_unlock(&lines->hub->lock);
    }
}

#endif
