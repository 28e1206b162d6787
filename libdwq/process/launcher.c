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

static struct dwqi_verdict make_verdict(uint64_t secret)
{
    const char *job = getenv("PMIX_NAMESPACE");
    struct dwqi_verdict verdict = { .secret = secret };

    snprintf(verdict.job, sizeof verdict.job, "%s", job ? job : "");
    return verdict;
}

void dwqi_launcher_greet(void)
{
    struct dwqi_hub_address address;
    struct dwqi_verdict verdict;
    int fd = -1;

    if (dwqi_process_launcher() >= 0 || !read_address(&address)) {
        return;
    }
    for (uint32_t i = 0; i < address.n && fd < 0; i++) {
        fd = dwqi_line_dial(address.ip[i], address.port);
    }
    verdict = make_verdict(address.secrets[0]);
    if (fd >= 0 && dwqi_line_send(fd, &verdict, sizeof verdict)) {
        dwqi_process_set_launcher(fd);
    }
}

void dwqi_launcher_tell(int code)
{
    int fd = dwqi_process_launcher();
    struct dwqi_hub_address address;
    struct dwqi_verdict verdict;

    if (fd >= 0 && read_address(&address)) {
        verdict = make_verdict(address.secrets[0]);
        verdict.is_over = 1;
        verdict.code = code;
        dwqi_line_send(fd, &verdict, sizeof verdict);
    }
}
