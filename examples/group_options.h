/* The part of the command line that the examples with groups have in common:
 * how many ranks run a call together, and how they are brought together.
 *
 * Every rank parses the same arguments, also in a process that a broker spawned
 * (this program again, with the library's own argument behind the others). So a
 * program only notes what it does not understand, calls dwq_main() all the same,
 * and leaves it to the controller to complain. */
#ifndef EXAMPLES_GROUP_OPTIONS_H
#define EXAMPLES_GROUP_OPTIONS_H

#include <dwq/dwq.h>

#include <getopt.h>

/* For getopt_long(), in front of a program's own and the end of the list. */
#define GROUP_OPTIONS                               \
    { "grouping", required_argument, NULL, 'g' },   \
        { "nprocs", required_argument, NULL, 'n' }, \
        { "mode", required_argument, NULL, 'm' },   \
        { "broker", required_argument, NULL, 'b' }, \
    {                                               \
        "verbose", no_argument, NULL, 'v'           \
    }

#define GROUP_USAGE                                                         \
    "  --nprocs N          ranks that run one call together\n"              \
    "  --grouping HOW      none, split (the default for N > 1), or spawn\n" \
    "  --broker WHERE      beside its group (the default), or inside\n"     \
    "  --mode MODE         gather (the default), or sendrecv\n"             \
    "  --verbose           a line for each role\n"

/**
 * Take one option.
 *
 * @param option   What getopt_long() gave.
 * @param value    Its argument.
 * @param options  The field that belongs to it is set.
 *
 * @return false when the option is none of these, or its argument is bad
 */
bool group_option(int option, const char *value, dwq_options_t *options);

#endif
