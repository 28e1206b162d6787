/* For the tests: a locale in which 0.5 is written "0,5", made for a while, as none may
 * be installed. */
#ifndef DWQ_TESTS_COMMA_LOCALE_H
#define DWQ_TESTS_COMMA_LOCALE_H

#include <stdbool.h>

#include "tests/temporary.h"

#define COMMA_LOCALE "de_DE.UTF-8"

/* Sets LOCPATH; the program itself, or one that it starts, takes COMMA_LOCALE. false:
 * the system has no localedef(1), or no sources of locales. */
static inline bool comma_locale_make(char folder[TEMPORARY_SIZE])
{
    char command[2 * TEMPORARY_SIZE];

    temporary_name(folder, "dwq-locale");
    if (!mkdtemp(folder)) {
        return false;
    }
    setenv("LOCPATH", folder, 1);
    snprintf(command, sizeof command,
             "localedef --quiet -f UTF-8 -i de_DE '%s/" COMMA_LOCALE "'",
             folder);
    return system(command) == 0;
}

static inline void comma_locale_remove(const char *folder)
{
    char command[2 * TEMPORARY_SIZE];

    snprintf(command, sizeof command, "rm -r '%s'", folder);
    if (system(command) != 0) {
        fprintf(stderr, "%s is left\n", folder);
    }
}

#endif
