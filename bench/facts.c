#include "bench/facts.h"

#include <dwq/dwq.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* The first line that a command prints. */
static void first_line(const char *command, char *text_out, size_t size)
{
    FILE *from = popen(command, "r");

    text_out[0] = '\0';
    if (!from) {
        return;
    }
    if (!fgets(text_out, (int)size, from)) {
        text_out[0] = '\0';
    }
    pclose(from);
    text_out[strcspn(text_out, "\n")] = '\0';
}

struct facts facts_find(void)
{
    struct facts facts = { .cores = (int)sysconf(_SC_NPROCESSORS_ONLN) };
    struct utsname name;
    time_t today = time(NULL);
    struct tm utc;
    char load[TEXT_MAX];

    if (uname(&name) == 0) {
        snprintf(facts.host, sizeof facts.host, "%.60s", name.nodename);
        snprintf(facts.kernel, sizeof facts.kernel, "%s %s %s", name.sysname,
                 name.release, name.machine);
    }
    first_line("sed -n 's/^model name[^:]*: //p' /proc/cpuinfo", facts.cpu,
               sizeof facts.cpu);
    first_line("mpirun --version 2>/dev/null", facts.mpi, sizeof facts.mpi);
    first_line("cut -d' ' -f1 /proc/loadavg", load, sizeof load);
    facts.load = strtod(load, NULL);
    snprintf(facts.library, sizeof facts.library, "libdwq %s", DWQ_VERSION);
    snprintf(facts.compiler, sizeof facts.compiler, "%s%s",
#if defined __clang__
             "clang ", __clang_version__
#else
             "gcc ", __VERSION__
#endif
    );
    gmtime_r(&today, &utc);
    strftime(facts.date, sizeof facts.date, "%Y-%m-%d %H:%M UTC", &utc);
    return facts;
}

bool facts_has_mpi4py(void)
{
    return system(
               "/usr/bin/python3 -c 'import mpi4py.futures' >/dev/null 2>&1") ==
           0;
}
