/* The names of what may be asked of the placer. */
#ifndef DWQI_TOPOLOGY_PLAN_NAMES_H
#define DWQI_TOPOLOGY_PLAN_NAMES_H

#include <dwq/options.h>
#include <stdbool.h>
#include <stddef.h>

#include "topology/policy.h"

/* The tables of names; the values are those of the enumerations. */
enum dwqi_policy {
    DWQI_POLICY_DOMAIN,
    DWQI_POLICY_STRADDLE,
    DWQI_POLICY_BROKER,
    DWQI_POLICY_FILL,
    DWQI_POLICY_GROUPING,
    DWQI_POLICY_SHARES,
    DWQI_POLICY_FORMAT
};

enum plan_format {
    PLAN_TABLE,
    PLAN_DRAWING,
    PLAN_SVG,
    PLAN_JSON
};

/* A constant; "?" when there is no such value. */
const char *dwqi_policy_name(enum dwqi_policy policy, int value);
/* false: no such name. */
bool dwqi_policy_parse(enum dwqi_policy policy, const char *name,
                       int *value_out);
/* The names with ", " between. */
void dwqi_policy_names(enum dwqi_policy policy, char *text_out, size_t room);

/* "4", "auto" (auto:numa), "auto:DOMAIN", "auto:2-per-host". */
bool dwqi_size_parse(const char *text, struct dwqi_size *size_out);
void dwqi_size_print(const struct dwqi_size *size, char *text_out, size_t room);
/* A whole string as a number, in any of strtol's decimal forms. */
bool dwqi_text_to_int(const char *text, int min, int max, int *out);

#endif
