/* Names of hosts, which some programs give with their domain, and some without. */
#ifndef DWQI_BASE_HOST_NAME_H
#define DWQI_BASE_HOST_NAME_H

#include <stdbool.h>

/* Whether two names may be those of one host: they are equal, or one is the other up
 * to a dot ("node2" and "node2.example.org"). */
bool dwqi_host_name_fits(const char *one, const char *other);

#endif
