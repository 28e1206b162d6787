#include "topology/cpuset.h"

#include <stdlib.h>
#include <string.h>

#include "topology/text.h"

void dwqi_cpuset_finish(struct dwqi_cpuset *set)
{
    free(set->words);
    *set = (struct dwqi_cpuset){ .words = NULL };
}

static bool make_room(struct dwqi_cpuset *set, size_t n_words)
{
    uint64_t *words;

    if (n_words <= set->n_words) {
        return true;
    }
    words = realloc(set->words, n_words * sizeof *words);
    if (!words) {
        return false;
    }
    memset(words + set->n_words, 0, (n_words - set->n_words) * sizeof *words);
    set->words = words;
    set->n_words = n_words;
    return true;
}

bool dwqi_cpuset_add(struct dwqi_cpuset *set, int pu)
{
    if (pu < 0 || pu >= DWQI_PU_LIMIT || !make_room(set, (size_t)pu / 64 + 1)) {
        return false;
    }
    set->words[pu / 64] |= (uint64_t)1 << (pu % 64);
    return true;
}

bool dwqi_cpuset_unite(struct dwqi_cpuset *set, const struct dwqi_cpuset *other)
{
    if (!make_room(set, other->n_words)) {
        return false;
    }
    for (size_t i = 0; i < other->n_words; i++) {
        set->words[i] |= other->words[i];
    }
    return true;
}

bool dwqi_cpuset_has(const struct dwqi_cpuset *set, int pu)
{
    return pu >= 0 && (size_t)pu / 64 < set->n_words &&
           (set->words[pu / 64] >> (pu % 64) & 1) != 0;
}

int dwqi_cpuset_count(const struct dwqi_cpuset *set)
{
    int count = 0;

    for (size_t i = 0; i < set->n_words; i++) {
        for (uint64_t word = set->words[i]; word != 0; word &= word - 1) {
            count++;
        }
    }
    return count;
}

bool dwqi_cpuset_equal(const struct dwqi_cpuset *a, const struct dwqi_cpuset *b)
{
    return a->n_words == b->n_words &&
           (a->n_words == 0 ||
            memcmp(a->words, b->words, a->n_words * sizeof *a->words) == 0);
}

void dwqi_cpuset_print(const struct dwqi_cpuset *set, struct dwqi_buffer *text)
{
    int end = (int)(set->n_words * 64);
    bool first = true;

    for (int pu = 0; pu < end; pu++) {
        int last = pu;

        if (!dwqi_cpuset_has(set, pu)) {
            continue;
        }
        while (dwqi_cpuset_has(set, last + 1)) {
            last++;
        }
        dwqi_text_add(text, first ? "%d" : ",%d", pu);
        if (last > pu) {
            dwqi_text_add(text, "-%d", last);
        }
        first = false;
        pu = last;
    }
}

static bool read_range(struct dwqi_reader *reader, int above, int *first_out,
                       int *last_out)
{
    if (!dwqi_reader_number(reader, DWQI_PU_LIMIT - 1, first_out) ||
        *first_out <= above) {
        return false;
    }
    *last_out = *first_out;
    return !dwqi_reader_skip(reader, '-') ||
           (dwqi_reader_number(reader, DWQI_PU_LIMIT - 1, last_out) &&
            *last_out > *first_out);
}

bool dwqi_cpuset_parse(struct dwqi_cpuset *set, const char *text, size_t size)
{
    struct dwqi_reader reader = { .at = text, .end = text + size };
    int first, last = -1;
    bool more = size > 0;

    while (more) {
        if (!read_range(&reader, last, &first, &last)) {
            goto malformed;
        }
        for (int pu = first; pu <= last; pu++) {
            if (!dwqi_cpuset_add(set, pu)) {
                goto malformed;
            }
        }
        more = dwqi_reader_skip(&reader, ',');
    }
    if (reader.at == reader.end) {
        return true;
    }
malformed:
    dwqi_cpuset_finish(set);
    return false;
}
