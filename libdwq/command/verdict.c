#define _DEFAULT_SOURCE /* getifaddrs */
#include "libdwq/command/verdict.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define ADDRESSES 8

static void list_addresses(struct verdict *v)
{
    size_t used = strlen(v->address);
    struct ifaddrs *all = NULL;
    int n = 1;

    if (getifaddrs(&all) != 0) {
        all = NULL;
    }
    for (const struct ifaddrs *i = all; i && n < ADDRESSES; i = i->ifa_next) {
        if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET &&
            (i->ifa_flags & IFF_UP) && !(i->ifa_flags & IFF_LOOPBACK)) {
            used += (size_t)snprintf(
                v->address + used, sizeof v->address - used, " %x",
                ((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr.s_addr);
            n++;
        }
    }
    if (all) {
        freeifaddrs(all);
    }
    /* The last one: on another host somebody else listens there. */
    snprintf(v->address + used, sizeof v->address - used, " %x",
             htonl(INADDR_LOOPBACK));
}

bool verdict_listen(struct verdict *v)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t size = sizeof at;

    *v = (struct verdict){ .state = VERDICT_NOBODY };
    v->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (v->listener < 0 ||
        bind(v->listener, (struct sockaddr *)&at, size) != 0 ||
        listen(v->listener, 4096) != 0 ||
        getsockname(v->listener, (struct sockaddr *)&at, &size) != 0 ||
        getrandom(&v->secret, sizeof v->secret, 0) !=
            (ssize_t)sizeof v->secret) {
        return false;
    }
    fcntl(v->listener, F_SETFD, FD_CLOEXEC);
    snprintf(v->address, sizeof v->address, "%x %llx", ntohs(at.sin_port),
             (unsigned long long)v->secret);
    list_addresses(v);
    return true;
}

/* --- Guests ---------------------------------------------------------------- */

static void drop(struct verdict *v, int i)
{
    close(v->guests[i].socket);
    v->guests[i] = v->guests[--v->n_guests];
}

static bool add_guest(struct verdict *v, int fd, int rank)
{
    if (v->n_guests == v->room) {
        int room = v->room > 0 ? 2 * v->room : 64;
        struct guest *guests =
            realloc(v->guests, (size_t)room * sizeof *guests);

        if (!guests) {
            return false;
        }
        v->guests = guests;
        v->room = room;
    }
    v->guests[v->n_guests++] = (struct guest){ .socket = fd, .rank = rank };
    return true;
}

/* A first word without the secret is a stranger's. Who comes when the run has begun is
 * the run's. */
static void greet(struct verdict *v)
{
    const struct timeval most = { .tv_sec = 1 };
    struct dwqi_launcher_word word;
    int fd = accept(v->listener, NULL, NULL);

    if (fd < 0) {
        return;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    if (v->state > VERDICT_STARTING ||
        recv(fd, &word, sizeof word, MSG_WAITALL) != (ssize_t)sizeof word ||
        word.secret != v->secret || !add_guest(v, fd, word.rank)) {
        close(fd);
        return;
    }
    v->state = VERDICT_STARTING;
    memcpy(v->job, word.job, sizeof v->job);
    v->job[sizeof v->job - 1] = '\0';
}

/* Those who are the run's are listened to no more. */
static void begin(struct verdict *v, int leader)
{
    v->guests[leader].leads = true;
    v->state = VERDICT_BEGUN;
    for (int i = v->n_guests - 1; i >= 0; i--) {
        if (!v->guests[i].leads) {
            drop(v, i);
        }
    }
}

/* Its line has broken, and it said nothing before. */
static void lose(struct verdict *v, int i)
{
    if (v->guests[i].leads) {
        v->state = VERDICT_LOST;
    } else if (v->state == VERDICT_STARTING) {
        v->state = VERDICT_BROKEN;
        v->rank = v->guests[i].rank;
    }
    drop(v, i);
}

/* Whether the guest is still there. */
static bool hear(struct verdict *v, int i)
{
    struct dwqi_launcher_word word;
    ssize_t n = recv(v->guests[i].socket, &word, sizeof word, MSG_WAITALL);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    if (n != (ssize_t)sizeof word || word.secret != v->secret) {
        lose(v, i);
    } else if (word.kind == DWQI_LAUNCHER_BEGUN) {
        begin(v, i);
        return true;
    } else {
        if (word.kind == DWQI_LAUNCHER_OVER) {
            v->state = VERDICT_GIVEN;
            v->code = word.code;
        }
        v->n_left++;
        drop(v, i);
    }
    return false;
}

int verdict_n_files(const struct verdict *v)
{
    return 1 + v->n_guests;
}

void verdict_list_files(const struct verdict *v, struct pollfd *fds)
{
    fds[0] = (struct pollfd){ .fd = v->listener, .events = POLLIN };
    for (int i = 0; i < v->n_guests; i++) {
        fds[1 + i] =
            (struct pollfd){ .fd = v->guests[i].socket, .events = POLLIN };
    }
}

/* From the end, as the last takes the place of each that goes; who came meanwhile was not
 * looked at. */
void verdict_hear(struct verdict *v, const struct pollfd *fds)
{
    int n = v->n_guests;

    for (int i = n - 1; i >= 0 && v->n_guests == n; i--) {
        if (fds[1 + i].revents && !hear(v, i)) {
            return; /* the others are looked at again */
        }
    }
    if (v->n_guests == n && fds[0].revents) {
        greet(v);
    }
}

bool verdict_ask_end(const struct verdict *v)
{
    const struct dwqi_launcher_word word = { .secret = v->secret,
                                             .kind = DWQI_LAUNCHER_END };

    return v->state == VERDICT_BEGUN && v->n_guests == 1 &&
           send(v->guests[0].socket, &word, sizeof word, MSG_NOSIGNAL) ==
               (ssize_t)sizeof word;
}

void verdict_hear_rest(struct verdict *v)
{
    struct pollfd fds[1 + 64];
    int n = 1;

    while (n > 0 && verdict_n_files(v) <= 64) {
        verdict_list_files(v, fds);
        n = poll(fds, (nfds_t)verdict_n_files(v), 0);
        if (n > 0) {
            verdict_hear(v, fds);
        }
    }
}

void verdict_close(struct verdict *v)
{
    while (v->n_guests > 0) {
        drop(v, v->n_guests - 1);
    }
    free(v->guests);
    if (v->listener >= 0) {
        close(v->listener);
    }
}
