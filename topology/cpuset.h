/* A set of hardware threads, by the numbers that the operating system gives
 * them. As text: "0-3,8". */
#ifndef DWQI_TOPOLOGY_CPUSET_H
#define DWQI_TOPOLOGY_CPUSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libdwq/base/buffer.h"

#define DWQI_PU_LIMIT 65536 /* numbers are below this */

/* {0} is the empty set. */
struct dwqi_cpuset {
    uint64_t *words; /* the last one is not 0 */
    size_t n_words;
};

void dwqi_cpuset_finish(struct dwqi_cpuset *set);
/* false: out of memory, or a number out of range; the set is as before. */
bool dwqi_cpuset_add(struct dwqi_cpuset *set, int pu);
bool dwqi_cpuset_unite(struct dwqi_cpuset *set,
                       const struct dwqi_cpuset *other);
bool dwqi_cpuset_has(const struct dwqi_cpuset *set, int pu);
int dwqi_cpuset_count(const struct dwqi_cpuset *set);
bool dwqi_cpuset_equal(const struct dwqi_cpuset *a,
                       const struct dwqi_cpuset *b);

/* Appends the text, without an end mark; "" for the empty set. */
void dwqi_cpuset_print(const struct dwqi_cpuset *set, struct dwqi_buffer *text);
/* Reads `size` bytes into an empty set. false: malformed (numbers have to
 * ascend), or out of memory; the set is then empty. */
bool dwqi_cpuset_parse(struct dwqi_cpuset *set, const char *text, size_t size);

#endif
