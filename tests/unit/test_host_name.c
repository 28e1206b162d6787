/* Names of hosts with and without their domain. */
#include <criterion/criterion.h>

#include "libdwq/base/host_name.h"

Test(host_name, fits_with_and_without_its_domain)
{
    static const struct {
        const char *one, *other;
        bool fits;
    } rows[] = {
        { "node2", "node2", true },
        { "node2", "node2.example.org", true },
        { "node2.example", "node2.example.org", true },
        { "node2.example.org", "node2.example.org", true },
        { "node2.example.org", "node2.elsewhere.org", false },
        { "node2", "node20", false },
        { "node2", "node20.example.org", false },
        { "node2.ex", "node2.example.org", false },
        { "node", "node2", false },
        { "", "node2", false },
        { "", ".example.org", false },
        { "", "", false },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(dwqi_host_name_fits(rows[i].one, rows[i].other),
                     rows[i].fits, "%s, %s", rows[i].one, rows[i].other);
        cr_expect_eq(dwqi_host_name_fits(rows[i].other, rows[i].one),
                     rows[i].fits, "%s, %s", rows[i].other, rows[i].one);
    }
}
