#include "bench/cases.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASES_MAX 1000000

static bool complain(const char *text, const char *why)
{
    fprintf(stderr, "dwq-bench: '%s': %s\n", text, why);
    return false;
}

/* --- Reading -------------------------------------------------------------------- */

static bool read_values(struct parameter *p, char *values)
{
    for (char *end; values; values = end) {
        end = strchr(values, ',');
        if (end) {
            *end++ = '\0';
        }
        if (!*values) {
            return complain(p->name, "an empty value");
        }
        if (p->n == PARAMETER_VALUES_MAX) {
            return complain(p->name, "too many values");
        }
        p->values[p->n++] = values;
    }
    return true;
}

static bool read_parameter(struct cases *cases, char *text)
{
    struct parameter *p = &cases->parameters[cases->n_parameters];
    char *values = strchr(text, '=');

    if (!values || values == text || !values[1]) {
        return complain(text, "not NAME=VALUE,VALUE,...");
    }
    if (cases->n_parameters == PARAMETERS_MAX) {
        return complain(text, "too many parameters");
    }
    *values++ = '\0';
    p->name = text;
    for (size_t i = 0; i < cases->n_parameters; i++) {
        if (strcmp(cases->parameters[i].name, text) == 0) {
            return complain(text, "stands there twice");
        }
    }
    if (!read_values(p, values)) {
        return false;
    }
    cases->n_parameters++;
    cases->n *= p->n;
    return cases->n <= CASES_MAX || complain(text, "too many combinations");
}

bool cases_read(struct cases *cases, char **parameters, int n)
{
    *cases = (struct cases){ .n = 1 };
    cases->parameters = calloc(PARAMETERS_MAX, sizeof *cases->parameters);
    for (int i = 0; cases->parameters && i < n; i++) {
        if (!read_parameter(cases, parameters[i])) {
            cases_finish(cases);
            return false;
        }
    }
    return cases->parameters != NULL;
}

void cases_finish(struct cases *cases)
{
    free(cases->parameters);
    *cases = (struct cases){ .n = 0 };
}

/* --- A combination ----------------------------------------------------------------- */

const char *cases_value(const struct cases *cases, size_t number, size_t p)
{
    for (size_t i = cases->n_parameters; i-- > p + 1;) {
        number /= cases->parameters[i].n;
    }
    return cases->parameters[p].values[number % cases->parameters[p].n];
}

void cases_text(const struct cases *cases, size_t number, size_t but,
                char *text_out, size_t size)
{
    size_t used = 0;

    text_out[0] = '\0';
    for (size_t p = 0; p < cases->n_parameters && used < size; p++) {
        if (p != but) {
            used += (size_t)snprintf(
                text_out + used, size - used, "%s%s=%s", used > 0 ? " " : "",
                cases->parameters[p].name, cases_value(cases, number, p));
        }
    }
}

static bool is_number(const char *text)
{
    char *end;

    return isfinite(strtod(text, &end)) && *end == '\0';
}

size_t cases_numeric(const struct cases *cases)
{
    for (size_t p = 0; p < cases->n_parameters; p++) {
        const struct parameter *parameter = &cases->parameters[p];
        size_t n = 0;

        while (n < parameter->n && is_number(parameter->values[n])) {
            n++;
        }
        if (n == parameter->n) {
            return p;
        }
    }
    return cases->n_parameters;
}

/* --- Its command ---------------------------------------------------------------------- */

/* The parameter whose {NAME} stands at `at`, or n_parameters. */
static size_t named_at(const struct cases *cases, const char *at)
{
    for (size_t p = 0; *at == '{' && p < cases->n_parameters; p++) {
        size_t length = strlen(cases->parameters[p].name);

        if (strncmp(at + 1, cases->parameters[p].name, length) == 0 &&
            at[1 + length] == '}') {
            return p;
        }
    }
    return cases->n_parameters;
}

bool cases_fill(const struct cases *cases, size_t number, const char *command,
                char text_out[static COMMAND_MAX])
{
    size_t used = 0;

    for (const char *at = command; *at;) {
        size_t p = named_at(cases, at), length = 1;
        const char *from = at;

        if (p < cases->n_parameters) {
            from = cases_value(cases, number, p);
            length = strlen(from);
            at += strlen(cases->parameters[p].name) + 2;
        } else {
            at++;
        }
        if (used + length >= COMMAND_MAX) {
            return false;
        }
        memcpy(text_out + used, from, length);
        used += length;
    }
    text_out[used] = '\0';
    return true;
}

bool cases_check_command(const struct cases *cases, const char *command)
{
    bool named[PARAMETERS_MAX + 1] = { false };
    char text[COMMAND_MAX];

    for (const char *at = command; *at; at++) {
        named[named_at(cases, at)] = true;
    }
    if (!command[0]) {
        return complain(command, "no command");
    }
    for (size_t p = 0; p < cases->n_parameters; p++) {
        if (!named[p]) {
            return complain(cases->parameters[p].name,
                            "the command has no place for it");
        }
    }
    for (size_t i = 0; i < cases->n; i++) {
        if (!cases_fill(cases, i, command, text)) {
            return complain(command, "too long a command");
        }
    }
    return true;
}
