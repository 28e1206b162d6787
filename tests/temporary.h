/* For the tests: where files that they make for a while are. */
#ifndef DWQ_TESTS_TEMPORARY_H
#define DWQ_TESTS_TEMPORARY_H

#include <stdio.h>
#include <stdlib.h>

#define TEMPORARY_SIZE 256

/* A name for mkstemp() or mkdtemp(), in TMPDIR or /tmp. */
static inline void temporary_name(char path[TEMPORARY_SIZE], const char *name)
{
    const char *folder = getenv("TMPDIR");

    snprintf(path, TEMPORARY_SIZE, "%s/%s-XXXXXX",
             folder && *folder ? folder : "/tmp", name);
}

#endif
