/* Words of the command line become fields of dwq_options_t. */
#include "examples/group_options.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Gives the place of `word` among the names, which end with NULL; or -1. */
static int find(const char *word, const char *const *names)
{
    for (int i = 0; names[i]; i++) {
        if (strcmp(word, names[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static bool read_count(const char *word, int *count_out)
{
    char *end;
    long count = strtol(word, &end, 10);

    if (end == word || *end != '\0' || count < 1 || count > INT_MAX) {
        return false;
    }
    *count_out = (int)count;
    return true;
}

bool group_option(int option, const char *value, dwq_options_t *options)
{
    static const char *const groupings[] = { "none", "spawn", "split", NULL };
    static const char *const modes[] = { "gather", "sendrecv", NULL };
    static const char *const places[] = { "beside", "inside", NULL };
    int i;

    switch (option) {
    case 'g':
        i = find(value, groupings);
        options->grouping = i < 0 ? options->grouping : (dwq_grouping_t)i;
        return i >= 0;
    case 'n':
        return read_count(value, &options->nprocs_per_worker);
    case 'm':
        i = find(value, modes);
        options->collective_mode = (dwq_collective_mode_t)(i + 1);
        return i >= 0;
    case 'b':
        i = find(value, places);
        options->broker_is_worker = i > 0;
        return i >= 0;
    case 'v':
        options->verbose = true;
        return true;
    default:
        return false;
    }
}
