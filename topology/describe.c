#include "topology/describe.h"

#include <stdlib.h>
#include <string.h>

#include "topology/text.h"

static const char version[] = "dwq-host-1";

/* --- Writing ------------------------------------------------------------ */

/* Whether `next` continues the run: the same parts, and each thread `step`
 * above that of the core before. */
static bool continues(const struct dwqi_machine *machine,
                      const struct dwqi_core *core,
                      const struct dwqi_core *next, int step)
{
    if (next->number != core->number + 1 || next->package != core->package ||
        next->numa != core->numa || next->l3 != core->l3 ||
        next->n_pus != core->n_pus) {
        return false;
    }
    for (int i = 0; i < core->n_pus; i++) {
        if (machine->pus[next->first_pu + i] !=
            machine->pus[core->first_pu + i] + step) {
            return false;
        }
    }
    return true;
}

static int print_run(const struct dwqi_machine *machine, int first,
                     struct dwqi_buffer *text)
{
    const struct dwqi_core *core = &machine->cores[first];
    int step = 1, last = first;

    if (first + 1 < machine->n_cores) {
        int gap = machine->pus[core[1].first_pu] - machine->pus[core->first_pu];

        step = gap > 0 ? gap : 1;
    }
    while (last + 1 < machine->n_cores &&
           continues(machine, &machine->cores[last], &machine->cores[last + 1],
                     step)) {
        last++;
    }
    if (last == first) {
        step = 1;
    }
    dwqi_text_add(text, " %d-%d/%d/%d/", core->number,
                  machine->cores[last].number, core->package, core->numa);
    dwqi_text_add(text, core->l3 < 0 ? "-" : "%d", core->l3);
    for (int i = 0; i < core->n_pus; i++) {
        dwqi_text_add(text, i > 0 ? ",%d" : ":%d",
                      machine->pus[core->first_pu + i]);
    }
    dwqi_text_add(text, "+%d", step);
    return last + 1;
}

void dwqi_machine_print(const struct dwqi_machine *machine,
                        struct dwqi_buffer *text)
{
    for (int i = 0; i < machine->n_cores;) {
        i = print_run(machine, i, text);
    }
}

dwq_status_t dwqi_host_encode(const char *name,
                              const struct dwqi_machine *machine,
                              bool this_system, struct dwqi_buffer *bytes)
{
    dwqi_text_add(bytes, "%s %s %s", version, name,
                  this_system ? "system" : "described");
    dwqi_machine_print(machine, bytes);
    return bytes->failed ? DWQ_E_NOMEM : DWQ_OK;
}

/* --- Reading ------------------------------------------------------------ */

struct run {
    int first, last;
    struct dwqi_core core;
    int *pus; /* of the first core */
    int step;
};

/* " first-last/package/numa/l3:" */
static bool read_parts(struct dwqi_reader *reader, struct run *run)
{
    const int max = DWQI_CORE_LIMIT - 1;
    struct dwqi_core *core = &run->core;

    core->l3 = -1;
    return dwqi_reader_skip(reader, ' ') &&
           dwqi_reader_number(reader, max, &run->first) &&
           dwqi_reader_skip(reader, '-') &&
           dwqi_reader_number(reader, max, &run->last) &&
           run->last >= run->first && dwqi_reader_skip(reader, '/') &&
           dwqi_reader_number(reader, max, &core->package) &&
           dwqi_reader_skip(reader, '/') &&
           dwqi_reader_number(reader, max, &core->numa) &&
           dwqi_reader_skip(reader, '/') &&
           (dwqi_reader_skip(reader, '-') ||
            dwqi_reader_number(reader, max, &core->l3)) &&
           dwqi_reader_skip(reader, ':');
}

/* "0,64+1" */
static bool read_pus(struct dwqi_reader *reader, struct run *run)
{
    const int max = DWQI_PU_LIMIT - 1;

    run->core.n_pus = 0;
    do {
        if (run->core.n_pus == DWQI_PU_LIMIT ||
            !dwqi_reader_number(reader, max, &run->pus[run->core.n_pus++])) {
            return false;
        }
    } while (dwqi_reader_skip(reader, ','));
    return dwqi_reader_skip(reader, '+') &&
           dwqi_reader_number(reader, max, &run->step);
}

/* The threads are seen once each: `seen` says so. */
static const char *add_run(struct dwqi_machine *machine, struct run *run,
                           struct dwqi_cpuset *seen, dwq_status_t *status_out)
{
    for (int number = run->first; number <= run->last; number++) {
        run->core.number = number;
        for (int i = 0; i < run->core.n_pus; i++) {
            if (dwqi_cpuset_has(seen, run->pus[i])) {
                *status_out = DWQ_E_MESSAGE;
                return "a hardware thread that belongs to two cores";
            }
            if (run->pus[i] < DWQI_PU_LIMIT &&
                !dwqi_cpuset_add(seen, run->pus[i])) {
                *status_out = DWQ_E_NOMEM;
                return "out of memory";
            }
        }
        *status_out = dwqi_machine_add(machine, &run->core, run->pus);
        if (*status_out != DWQ_OK) {
            *status_out =
                *status_out == DWQ_E_ARG ? DWQ_E_MESSAGE : DWQ_E_NOMEM;
            return "cores or threads out of order or out of range";
        }
        for (int i = 0; i < run->core.n_pus; i++) {
            run->pus[i] += run->step;
        }
    }
    return NULL;
}

static const char *read_machine(struct dwqi_reader *reader,
                                struct dwqi_machine *machine,
                                dwq_status_t *status_out)
{
    struct run run = { .pus = malloc(DWQI_PU_LIMIT * sizeof(int)) };
    struct dwqi_cpuset seen = { .words = NULL };
    const char *why = NULL;

    *status_out = run.pus ? DWQ_OK : DWQ_E_NOMEM;
    while (reader->at < reader->end && *status_out == DWQ_OK) {
        if (!read_parts(reader, &run) || !read_pus(reader, &run)) {
            *status_out = DWQ_E_MESSAGE;
            why = "a run of cores that cannot be read";
        } else {
            why = add_run(machine, &run, &seen, status_out);
        }
    }
    dwqi_cpuset_finish(&seen);
    free(run.pus);
    return *status_out == DWQ_E_NOMEM ? "out of memory" : why;
}

/* A word up to a space or the end; false when there is none or it is too
 * long. */
static bool read_word(struct dwqi_reader *reader, char *word, size_t room)
{
    size_t size = 0;

    while (reader->at + size < reader->end && reader->at[size] != ' ') {
        size++;
    }
    if (size == 0 || size >= room || memchr(reader->at, '\0', size)) {
        return false;
    }
    memcpy(word, reader->at, size);
    word[size] = '\0';
    reader->at += size;
    return true;
}

static const char *read_head(struct dwqi_reader *reader, char *name,
                             bool *this_system_out)
{
    char word[16];

    if (!read_word(reader, word, sizeof word) || strcmp(word, version) != 0) {
        return "not a host, or another version";
    }
    if (!dwqi_reader_skip(reader, ' ') ||
        !read_word(reader, name, DWQI_HOST_NAME_LIMIT)) {
        return "no name, or one that is too long";
    }
    if (!dwqi_reader_skip(reader, ' ') ||
        !read_word(reader, word, sizeof word) ||
        (strcmp(word, "system") != 0 && strcmp(word, "described") != 0)) {
        return "neither a system nor described";
    }
    *this_system_out = strcmp(word, "system") == 0;
    return NULL;
}

dwq_status_t dwqi_host_decode(struct dwqi_cluster *cluster, const void *bytes,
                              size_t size, const char **why_out)
{
    struct dwqi_reader reader = { .at = bytes };
    struct dwqi_machine machine = { .cores = NULL };
    char name[DWQI_HOST_NAME_LIMIT];
    dwq_status_t status;
    bool this_system;

    if (size == 0 || size > DWQI_DESCRIPTION_LIMIT) {
        *why_out = "empty, or longer than any host";
        return DWQ_E_MESSAGE;
    }
    reader.end = reader.at + size;
    *why_out = read_head(&reader, name, &this_system);
    if (*why_out) {
        return DWQ_E_MESSAGE;
    }
    *why_out = read_machine(&reader, &machine, &status);
    if (status == DWQ_OK) {
        status = dwqi_cluster_add_host(cluster, name, &machine, this_system);
        if (status != DWQ_OK) {
            *why_out = "a name that no host has";
            status = status == DWQ_E_ARG ? DWQ_E_MESSAGE : status;
        }
    }
    dwqi_machine_finish(&machine);
    return status;
}
