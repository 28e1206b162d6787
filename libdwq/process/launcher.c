#include "libdwq/process/launcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/process/lines_private.h"
#include "libdwq/process/process.h"

static bool read_address(struct dwqi_hub_address *address)
{
    const char *text = getenv(DWQI_LAUNCHER_ENV);
    char *end;

    *address = (struct dwqi_hub_address){ .n = 0 };
    if (!text || !*text) {
        return false;
    }
    address->port = (int32_t)strtoul(text, &end, 16);
    address->secrets[0] = strtoull(end, &end, 16);
    while (*end == ' ' && address->n < DWQI_HUB_ADDRESSES) {
        address->ip[address->n++] = (uint32_t)strtoul(end, &end, 16);
    }
    return address->n > 0;
}

static bool say(int connection, enum dwqi_launcher_word_kind kind, int code)
{
    const char *job = getenv("PMIX_NAMESPACE");
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    struct dwqi_hub_address address;
    struct dwqi_launcher_word word = { .kind = kind,
                                       .rank = rank ? atoi(rank) : -1,
                                       .code = code };

    snprintf(word.job, sizeof word.job, "%s", job ? job : "");
    if (connection < 0 || !read_address(&address)) {
        return false;
    }
    word.secret = address.secrets[0];
    return dwqi_line_send(connection, &word, sizeof word);
}

void dwqi_launcher_greet(void)
{
    struct dwqi_hub_address address;
    int fd = -1;

    if (!read_address(&address)) {
        return;
    }
    for (uint32_t i = 0; i < address.n && fd < 0; i++) {
        fd = dwqi_line_dial(address.ip[i], address.port);
    }
    if (say(fd, DWQI_LAUNCHER_RANK, 0)) {
        dwqi_process_set_launcher(fd, false);
    }
}

void dwqi_launcher_begin(void)
{
    bool leads;
    int fd = dwqi_process_launcher(&leads);

    if (!leads && say(fd, DWQI_LAUNCHER_BEGUN, 0)) {
        dwqi_process_set_launcher(fd, true);
        dwqi_lines_hear_launcher(dwqi_process_lines(), fd);
    }
}

uint64_t dwqi_launcher_secret(void)
{
    struct dwqi_hub_address address;

    return read_address(&address) ? address.secrets[0] : 0;
}

void dwqi_launcher_leave(int code)
{
    bool leads;
    int fd = dwqi_process_launcher(&leads);

    say(fd, leads ? DWQI_LAUNCHER_OVER : DWQI_LAUNCHER_BYE, code);
}
