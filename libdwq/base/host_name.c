#include "libdwq/base/host_name.h"

#include <stddef.h>

bool dwqi_host_name_fits(const char *one, const char *other)
{
    size_t i = 0;

    while (one[i] != '\0' && one[i] == other[i]) {
        i++;
    }
    return i > 0 &&
           ((one[i] == '\0' && (other[i] == '\0' || other[i] == '.')) ||
            (other[i] == '\0' && one[i] == '.'));
}
