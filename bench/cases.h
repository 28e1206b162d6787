/* The combinations of a sweep: parameters, each with its values. */
#ifndef BENCH_CASES_H
#define BENCH_CASES_H

#include <stdbool.h>
#include <stddef.h>

#define PARAMETERS_MAX 8
#define PARAMETER_VALUES_MAX 1000
#define COMMAND_MAX 4096

struct parameter {
    const char *name;
    const char *values[PARAMETER_VALUES_MAX];
    size_t n;
};

struct cases {
    struct parameter *parameters; /* PARAMETERS_MAX */
    size_t n_parameters;
    size_t n; /* combinations */
};

/* n of NAME=VALUE,VALUE,...; keeps pointers into them, and cuts them. false: said
 * why not. */
bool cases_read(struct cases *cases, char **parameters, int n);
void cases_finish(struct cases *cases);

/* The last parameter changes fastest. */
const char *cases_value(const struct cases *cases, size_t number, size_t p);
/* "n=1 a=x" without parameter `but` (n_parameters: all). */
void cases_text(const struct cases *cases, size_t number, size_t but,
                char *text_out, size_t size);
/* The command with the values of a combination for each {NAME}. false: too long. */
bool cases_fill(const struct cases *cases, size_t number, const char *command,
                char text_out[static COMMAND_MAX]);
/* Whether cases_fill() will do for all. false: said why not. */
bool cases_check_command(const struct cases *cases, const char *command);
/* The first parameter of which all values are numbers, or n_parameters. */
size_t cases_numeric(const struct cases *cases);

#endif
