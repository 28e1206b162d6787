#include "topology/plan/hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libdwq/base/plain.h"
#include "topology/text.h"

struct entry {
    struct dwqi_cluster *cluster;
    struct dwqi_intern names; /* each is there once */
    struct dwqi_machine machine;
    const char
        *own; /* what makes the machine of each host; NULL: one for all */
    struct dwqi_error *fault;
};

static dwq_status_t fail(struct dwqi_error *fault, const char *word,
                         size_t size, const char *why)
{
    return dwqi_error_set(fault, DWQ_E_OPTION, "'%.*s': %s",
                          dwqi_plain_fit(word, size < 80 ? size : 80), word,
                          why);
}

static dwq_status_t add_machine(struct entry *entry, const char *name)
{
    struct dwqi_machine own;
    dwq_status_t status;

    if (!entry->own) {
        return dwqi_cluster_add_host(entry->cluster, name, &entry->machine,
                                     false);
    }
    status = dwqi_discover_text(entry->own, name, &own, entry->fault);
    if (status == DWQ_OK) {
        status = dwqi_cluster_add_host(entry->cluster, name, &own, false);
        dwqi_machine_finish(&own);
    }
    return status;
}

static dwq_status_t add_host(struct entry *entry, const char *name)
{
    int known = entry->names.n_keys;
    int number = dwqi_intern(&entry->names, name, strlen(name));
    dwq_status_t status;

    if (number < 0) {
        return DWQ_E_NOMEM;
    }
    if (number < known) {
        return fail(entry->fault, name, strlen(name),
                    "a host that is there twice");
    }
    if (number >= DWQI_HOST_COUNT_LIMIT) {
        return fail(entry->fault, name, strlen(name), "too many hosts");
    }
    status = add_machine(entry, name);
    return status == DWQ_E_ARG
               ? fail(entry->fault, name, strlen(name), "not a name of a host")
               : status;
}

/* "01-16" or "7" of a bracket; the digits of the first number say how many the
 * others have. */
static bool read_range(struct dwqi_reader *reader, int *first, int *last,
                       int *digits)
{
    const char *begin = reader->at;

    if (!dwqi_reader_number(reader, 999999999, first)) {
        return false;
    }
    *digits = (int)(reader->at - begin);
    *last = *first;
    return !dwqi_reader_skip(reader, '-') ||
           (dwqi_reader_number(reader, 999999999, last) && *last >= *first &&
            *last - *first < DWQI_HOST_COUNT_LIMIT);
}

/* prefix[ranges]suffix */
static dwq_status_t add_bracket(struct entry *entry, const char *name,
                                size_t size)
{
    const char *open = memchr(name, '[', size),
               *close = memchr(name, ']', size);
    struct dwqi_reader reader = { .at = open + 1, .end = close };
    char host[DWQI_HOST_NAME_LIMIT];
    dwq_status_t status = DWQ_OK;
    int first, last, digits;

    if (!close || close < open ||
        memchr(close, '[', (size_t)(name + size - close))) {
        return fail(entry->fault, name, size, "brackets do not match");
    }
    do {
        if (!read_range(&reader, &first, &last, &digits)) {
            return fail(entry->fault, name, size,
                        "not numbers or ranges in brackets (n[01-16,20])");
        }
        for (int i = first; i <= last && status == DWQ_OK; i++) {
            int n = snprintf(host, sizeof host, "%.*s%0*d%.*s",
                             (int)(open - name), name, digits, i,
                             (int)(name + size - close - 1), close + 1);

            status = n > 0 && (size_t)n < sizeof host
                         ? add_host(entry, host)
                         : fail(entry->fault, name, size, "too long a name");
        }
    } while (status == DWQ_OK && dwqi_reader_skip(&reader, ','));
    if (status == DWQ_OK && reader.at != reader.end) {
        return fail(entry->fault, name, size,
                    "not numbers or ranges in brackets (n[01-16,20])");
    }
    return status;
}

static dwq_status_t add_name(struct entry *entry, const char *name, size_t size)
{
    char host[DWQI_HOST_NAME_LIMIT];

    if (memchr(name, '[', size)) {
        return add_bracket(entry, name, size);
    }
    if (size == 0 || size >= sizeof host) {
        return fail(entry->fault, name, size, "not a name of a host");
    }
    memcpy(host, name, size);
    host[size] = '\0';
    return add_host(entry, host);
}

/* Up to the next `stop` that is outside of brackets. */
static size_t outside_brackets(const char *text, size_t size, char stop)
{
    size_t i = 0;
    int depth = 0;

    while (i < size && (depth > 0 || text[i] != stop)) {
        depth += (text[i] == '[') - (text[i] == ']');
        i++;
    }
    return i;
}

static dwq_status_t add_names(struct entry *entry, const char *names,
                              size_t size)
{
    dwq_status_t status = DWQ_OK;
    size_t at = 0;

    while (at <= size && status == DWQ_OK) {
        size_t n = outside_brackets(names + at, size - at, ',');

        status = add_name(entry, names + at, n);
        at += n + 1;
    }
    return status;
}

static dwq_status_t add_entry(struct entry *entry, char *text)
{
    size_t size = strlen(text), names = outside_brackets(text, size, ':');
    dwq_status_t status;

    if (names == size) {
        return fail(entry->fault, text, size,
                    "no ':' between the names of hosts and what they are");
    }
    text[names] = '\0';
    entry->own = strchr(text + names + 1, '%') ? text + names + 1 : NULL;
    if (entry->own) { /* "%h" */
        return add_names(entry, text, names);
    }
    status = dwqi_discover_text(text + names + 1, text, &entry->machine,
                                entry->fault);
    if (status == DWQ_OK) {
        status = add_names(entry, text, names);
        dwqi_machine_finish(&entry->machine);
    }
    return status;
}

/* Without blanks around it, and without a comment. */
static char *trim(char *text)
{
    size_t size;

    text += strspn(text, " \t\r");
    size = strcspn(text, "#");
    while (size > 0 && strchr(" \t\r", text[size - 1])) {
        size--;
    }
    text[size] = '\0';
    return text;
}

/* A comment ends with its line, whatever is in it. */
static char *next_entry(char **at)
{
    char *entry = *at;
    size_t size = strcspn(entry, ";#\n");

    if (entry[size] == '#') {
        size = strcspn(entry, "\n");
    }
    *at = entry[size] == '\0' ? NULL : entry + size + 1;
    entry[size] = '\0';
    return trim(entry);
}

dwq_status_t dwqi_hosts_parse(const char *text, struct dwqi_cluster *cluster,
                              struct dwqi_error *fault_out)
{
    struct entry entry = { .cluster = cluster, .fault = fault_out };
    dwq_status_t status = DWQ_OK;
    char *copy = strdup(text), *at = copy;
    int before = cluster->n_hosts;

    if (!copy) {
        return DWQ_E_NOMEM;
    }
    while (at && status == DWQ_OK) {
        char *one = next_entry(&at);

        if (*one != '\0') {
            status = add_entry(&entry, one);
        }
    }
    if (status == DWQ_OK && cluster->n_hosts == before) {
        status = dwqi_error_set(fault_out, DWQ_E_OPTION, "no hosts in '%.*s'",
                                dwqi_plain_fit(text, 80), text);
    }
    dwqi_intern_finish(&entry.names);
    free(copy);
    return status;
}
