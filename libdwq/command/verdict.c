#define _DEFAULT_SOURCE /* getifaddrs */
#include "libdwq/command/verdict.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
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

    *v = (struct verdict){ .controller = -1 };
    v->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (v->listener < 0 ||
        bind(v->listener, (struct sockaddr *)&at, size) != 0 ||
        listen(v->listener, 16) != 0 ||
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

/* A first word without the secret is a stranger's. */
static void greet(struct verdict *v, int fd)
{
    struct timeval most = { .tv_sec = 1 };
    struct dwqi_verdict word;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    if (recv(fd, &word, sizeof word, MSG_WAITALL) != (ssize_t)sizeof word ||
        word.secret != v->secret || v->controller >= 0) {
        close(fd);
        return;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    v->controller = fd;
    v->state = VERDICT_AWAITED;
    memcpy(v->job, word.job, sizeof v->job);
    v->job[sizeof v->job - 1] = '\0';
}

static void hear_controller(struct verdict *v)
{
    struct dwqi_verdict word;
    ssize_t n = recv(v->controller, &word, sizeof word, MSG_WAITALL);

    if (n == (ssize_t)sizeof word && word.secret == v->secret) {
        v->state = word.is_over ? VERDICT_GIVEN : v->state;
        v->code = word.code;
        return;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    close(v->controller);
    v->controller = -1;
    v->state = v->state == VERDICT_GIVEN ? VERDICT_GIVEN : VERDICT_LOST;
}

void verdict_hear(struct verdict *v)
{
    int fd;

    if (v->controller >= 0) {
        hear_controller(v);
    } else if (v->state == VERDICT_NOBODY &&
               (fd = accept(v->listener, NULL, NULL)) >= 0) {
        greet(v, fd);
    }
}

void verdict_hear_rest(struct verdict *v)
{
    fcntl(v->listener, F_SETFL, O_NONBLOCK);
    if (v->controller < 0) {
        verdict_hear(v);
    }
    while (v->controller >= 0 && v->state == VERDICT_AWAITED) {
        fcntl(v->controller, F_SETFL, O_NONBLOCK);
        errno = 0;
        hear_controller(v);
        if (errno == EAGAIN) {
            break;
        }
    }
}

void verdict_close(struct verdict *v)
{
    if (v->listener >= 0) {
        close(v->listener);
    }
    if (v->controller >= 0) {
        close(v->controller);
    }
}
