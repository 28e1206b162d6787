/* The table of options, shared by options.c and options_text.c. */
#ifndef DWQI_RUN_OPTIONS_PRIVATE_H
#define DWQI_RUN_OPTIONS_PRIVATE_H

#include "libdwq/run/options.h"

enum dwqi_option_kind {
    KIND_INT,
    KIND_BOOL,
    KIND_SECONDS, /* a double */
    KIND_STRING,
    KIND_STRINGS
};

/* Where an option is of use. */
enum dwqi_option_use {
    ANYWHERE,
    GROUPED, /* with groups of ranks */
    SPAWNED, /* with groups that are spawned */
    STARTING /* where ranks are started for them */
};

struct dwqi_option_row {
    const char *name;
    const char *environment; /* NULL: it is not read from there */
    enum dwqi_option_kind kind;
    size_t offset;
    enum dwqi_option_use use;
    double min, max; /* of numbers */
    const char *const
        *names; /* of an enumeration's values, from 0 on; or NULL */
};

/* Every option that holds data. */
extern const struct dwqi_option_row dwqi_option_rows[];
extern const size_t dwqi_n_option_rows;

const void *dwqi_option_at(const dwq_options_t *options,
                           const struct dwqi_option_row *row);
/* To something else than zero. */
bool dwqi_option_is_set(const dwq_options_t *options,
                        const struct dwqi_option_row *row);
/* 0 for strings. */
double dwqi_option_number(const dwq_options_t *options,
                          const struct dwqi_option_row *row);

#endif
