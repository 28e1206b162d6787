#include "topology/plan/names.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topology/text.h"

struct row {
    enum dwqi_policy policy;
    int value;
    const char *name;
};

/* The first name of a value is the one that is printed. */
static const struct row rows[] = {
    { DWQI_POLICY_DOMAIN, DWQI_DOMAIN_CORE, "core" },
    { DWQI_POLICY_DOMAIN, DWQI_DOMAIN_L3, "l3" },
    { DWQI_POLICY_DOMAIN, DWQI_DOMAIN_NUMA, "numa" },
    { DWQI_POLICY_DOMAIN, DWQI_DOMAIN_PACKAGE, "package" },
    { DWQI_POLICY_DOMAIN, DWQI_DOMAIN_PACKAGE, "pack" },
    { DWQI_POLICY_DOMAIN, DWQI_DOMAIN_PACKAGE, "socket" },
    { DWQI_POLICY_DOMAIN, DWQI_DOMAIN_HOST, "host" },
    { DWQI_POLICY_DOMAIN, DWQI_DOMAIN_HOST, "node" },
    { DWQI_POLICY_STRADDLE, DWQI_STRADDLE_NEVER, "never" },
    { DWQI_POLICY_STRADDLE, DWQI_STRADDLE_IF_MUST, "if-must" },
    { DWQI_POLICY_STRADDLE, DWQI_STRADDLE_FREELY, "freely" },
    { DWQI_POLICY_BROKER, DWQI_BROKER_INSIDE, "inside" },
    { DWQI_POLICY_BROKER, DWQI_BROKER_BESIDE, "beside" },
    { DWQI_POLICY_BROKER, DWQI_BROKER_THREAD, "thread" },
    { DWQI_POLICY_FILL, DWQI_FILL_PACK, "pack" },
    { DWQI_POLICY_FILL, DWQI_FILL_SPREAD, "spread" },
    { DWQI_POLICY_GROUPING, DWQ_GROUPING_SPLIT, "split" },
    { DWQI_POLICY_GROUPING, DWQ_GROUPING_SPAWN, "spawn" },
    { DWQI_POLICY_SHARES, 0, "own" },
    { DWQI_POLICY_SHARES, 1, "share" },
    { DWQI_POLICY_FORMAT, PLAN_TABLE, "table" },
    { DWQI_POLICY_FORMAT, PLAN_DRAWING, "drawing" },
    { DWQI_POLICY_FORMAT, PLAN_SVG, "svg" },
    { DWQI_POLICY_FORMAT, PLAN_JSON, "json" },
};
#define N_ROWS (sizeof rows / sizeof rows[0])

const char *dwqi_policy_name(enum dwqi_policy policy, int value)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        if (rows[i].policy == policy && rows[i].value == value) {
            return rows[i].name;
        }
    }
    return "?";
}

bool dwqi_policy_parse(enum dwqi_policy policy, const char *name,
                       int *value_out)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        if (rows[i].policy == policy && strcmp(rows[i].name, name) == 0) {
            *value_out = rows[i].value;
            return true;
        }
    }
    return false;
}

void dwqi_policy_names(enum dwqi_policy policy, char *text_out, size_t room)
{
    size_t size = 0;

    text_out[0] = '\0';
    for (size_t i = 0; i < N_ROWS && size < room; i++) {
        if (rows[i].policy == policy &&
            strcmp(dwqi_policy_name(policy, rows[i].value), rows[i].name) ==
                0) {
            size += (size_t)snprintf(text_out + size, room - size, "%s%s",
                                     size > 0 ? ", " : "", rows[i].name);
        }
    }
}

bool dwqi_text_to_int(const char *text, int min, int max, int *out)
{
    char *end;
    long number;

    errno = 0;
    number = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < min ||
        number > max) {
        return false;
    }
    *out = (int)number;
    return true;
}

/* "2-per-host" */
static bool parse_per_host(const char *text, struct dwqi_size *size)
{
    struct dwqi_reader reader = { .at = text, .end = text + strlen(text) };

    size->kind = DWQI_SIZE_PER_HOST;
    return dwqi_reader_number(&reader, INT_MAX, &size->n) && size->n > 0 &&
           strcmp(reader.at, "-per-host") == 0;
}

bool dwqi_size_parse(const char *text, struct dwqi_size *size_out)
{
    struct dwqi_size size = { .kind = DWQI_SIZE_DOMAIN,
                              .domain = DWQI_DOMAIN_NUMA };
    int domain;

    if (strncmp(text, "auto:", 5) == 0) {
        if (dwqi_policy_parse(DWQI_POLICY_DOMAIN, text + 5, &domain)) {
            size.domain = (enum dwqi_domain)domain;
        } else if (!parse_per_host(text + 5, &size)) {
            return false;
        }
    } else if (strcmp(text, "auto") != 0) {
        size.kind = DWQI_SIZE_FIXED;
        if (!dwqi_text_to_int(text, 1, INT_MAX, &size.n)) {
            return false;
        }
    }
    *size_out = size;
    return true;
}

void dwqi_size_print(const struct dwqi_size *size, char *text_out, size_t room)
{
    switch (size->kind) {
    case DWQI_SIZE_FIXED:
        snprintf(text_out, room, "%d", size->n);
        break;
    case DWQI_SIZE_DOMAIN:
        snprintf(text_out, room, "auto:%s",
                 dwqi_policy_name(DWQI_POLICY_DOMAIN, (int)size->domain));
        break;
    case DWQI_SIZE_PER_HOST:
        snprintf(text_out, room, "auto:%d-per-host", size->n);
        break;
    }
}
