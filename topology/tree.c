#include <stdlib.h>
#include <string.h>

#include "topology/placer_private.h"

static int compare_ints(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;

    return (x > y) - (x < y);
}

/* How many parts of that kind there are; 0 when a core is in none. */
static int count_parts(const struct dwqi_machine *machine,
                       enum dwqi_domain kind, int *scratch)
{
    int count = 0;

    for (int i = 0; i < machine->n_cores; i++) {
        scratch[i] = dwqi_core_part(&machine->cores[i], kind);
        if (scratch[i] < 0) {
            return 0;
        }
    }
    qsort(scratch, (size_t)machine->n_cores, sizeof *scratch, compare_ints);
    for (int i = 0; i < machine->n_cores; i++) {
        count += i == 0 || scratch[i] != scratch[i - 1];
    }
    return count;
}

/* The fewer parts of a kind there are, the further out it is; NUMA nodes may lie
 * in packages or packages in them. */
static void order_levels(struct tree *tree, int *scratch)
{
    static const enum dwqi_domain kinds[] = { DWQI_DOMAIN_L3, DWQI_DOMAIN_NUMA,
                                              DWQI_DOMAIN_PACKAGE };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        int count = count_parts(tree->machine, kinds[i], scratch);
        int at = tree->n_levels;

        if (count == 0) {
            continue;
        }
        while (at > 0 && tree->levels[at - 1].n_nodes < count) {
            tree->levels[at] = tree->levels[at - 1];
            at--;
        }
        tree->levels[at] = (struct level){ .kind = kinds[i], .n_nodes = count };
        tree->n_levels++;
    }
    tree->levels[tree->n_levels++] =
        (struct level){ .kind = DWQI_DOMAIN_HOST, .n_nodes = 1 };
}

struct sort_key {
    int parts[MAX_LEVELS]; /* from the outside to the inside */
    int index;
};

static int compare_keys(const void *a, const void *b)
{
    const struct sort_key *x = a, *y = b;

    for (int i = 0; i < MAX_LEVELS; i++) {
        if (x->parts[i] != y->parts[i]) {
            return x->parts[i] < y->parts[i] ? -1 : 1;
        }
    }
    return (x->index > y->index) - (x->index < y->index);
}

/* A part that two outer parts share counts as two: so each is one interval. */
static bool cut_level(struct tree *tree, int at, const struct sort_key *keys,
                      struct dwqi_arena *arena)
{
    struct level *level = &tree->levels[at];
    int n = tree->machine->n_cores, depth = tree->n_levels - at;
    size_t room = (size_t)n + 1;

    level->first = dwqi_arena_alloc(arena, room, sizeof *level->first);
    level->node_of = dwqi_arena_alloc(arena, room, sizeof *level->node_of);
    if (!level->first || !level->node_of) {
        return false;
    }
    level->n_nodes = 0;
    for (int i = 0; i < n; i++) {
        if (i == 0 || memcmp(keys[i].parts, keys[i - 1].parts,
                             (size_t)depth * sizeof keys->parts[0]) != 0) {
            level->first[level->n_nodes++] = i;
        }
        level->node_of[i] = level->n_nodes - 1;
    }
    level->first[level->n_nodes] = n;
    level->base = tree->n_nodes;
    tree->n_nodes += level->n_nodes;
    return true;
}

bool dwqi_tree_init(struct tree *tree, const struct dwqi_machine *machine,
                    struct dwqi_arena *arena)
{
    size_t n = (size_t)machine->n_cores;
    struct sort_key *keys = dwqi_arena_alloc(arena, n, sizeof *keys);
    bool ok;

    *tree = (struct tree){ .machine = machine,
                           .order = dwqi_arena_alloc(arena, n,
                                                     sizeof *tree->order) };
    ok = keys && tree->order;
    if (ok) {
        order_levels(tree, tree->order);
    }
    for (int i = 0; ok && i < machine->n_cores; i++) {
        keys[i] = (struct sort_key){ .index = i };
        for (int k = 0; k < tree->n_levels; k++) {
            keys[i].parts[k] = dwqi_core_part(
                &machine->cores[i], tree->levels[tree->n_levels - 1 - k].kind);
        }
        tree->has_spare = tree->has_spare || machine->cores[i].n_pus > 1;
    }
    if (ok) {
        qsort(keys, (size_t)machine->n_cores, sizeof *keys, compare_keys);
        for (int i = 0; i < machine->n_cores; i++) {
            tree->order[i] = keys[i].index;
        }
    }
    for (int i = 0; ok && i < tree->n_levels; i++) {
        ok = cut_level(tree, i, keys, arena);
    }
    return ok;
}

/* The first threads of all cores come first, so that few share one. */
bool dwqi_tree_threads(const struct dwqi_machine *machine,
                       struct dwqi_machine *out, struct dwqi_arena *arena)
{
    *out =
        (struct dwqi_machine){ .pus = machine->pus, .n_pus = machine->n_pus };
    out->cores =
        dwqi_arena_alloc(arena, (size_t)machine->n_pus, sizeof *out->cores);
    for (int t = 0; out->cores && out->n_cores < machine->n_pus; t++) {
        for (int i = 0; i < machine->n_cores; i++) {
            struct dwqi_core core = machine->cores[i];

            if (t < core.n_pus) {
                core.first_pu += t;
                core.n_pus = 1;
                out->cores[out->n_cores++] = core;
            }
        }
    }
    return out->cores != NULL;
}

static struct mask *make_mask(const struct tree *tree,
                              const struct dwqi_cpuset *set,
                              struct dwqi_arena *arena)
{
    const struct dwqi_machine *machine = tree->machine;
    size_t n = (size_t)machine->n_cores;
    struct mask *mask = dwqi_arena_alloc(arena, 1, sizeof *mask);
    unsigned char *allowed = set ? dwqi_arena_alloc(arena, n, 1) : NULL;
    int n_pus = 0, last = -1;

    if (!mask || (set && !allowed)) {
        return NULL;
    }
    *mask =
        (struct mask){ .high = machine->n_cores, .n_cores = machine->n_cores };
    if (!set) {
        return mask;
    }
    mask->n_cores = 0;
    for (int i = 0; i < machine->n_cores; i++) {
        const struct dwqi_core *core = &machine->cores[tree->order[i]];

        allowed[i] = 0;
        for (int k = 0; k < core->n_pus; k++) {
            if (dwqi_cpuset_has(set, machine->pus[core->first_pu + k])) {
                allowed[i] = 1;
                n_pus++;
            }
        }
        if (allowed[i]) {
            mask->low = mask->n_cores == 0 ? i : mask->low;
            mask->n_cores++;
            last = i;
        }
    }
    mask->high = last + 1;
    mask->allowed =
        n_pus == machine->n_pus ? NULL : allowed; /* no need to look */
    return mask;
}

const struct mask *dwqi_tree_mask(struct tree *tree,
                                  const struct dwqi_cluster *cluster, int set,
                                  struct dwqi_arena *arena)
{
    size_t n = (size_t)cluster->n_sets + 1;

    if (!tree->masks) {
        tree->masks = dwqi_arena_alloc(arena, n, sizeof(struct mask *));
        if (!tree->masks) {
            return NULL;
        }
        memset(tree->masks, 0, n * sizeof(struct mask *));
    }
    if (!tree->masks[set + 1]) {
        tree->masks[set + 1] =
            make_mask(tree, set >= 0 ? &cluster->sets[set] : NULL, arena);
    }
    return tree->masks[set + 1];
}

int dwqi_tree_level(const struct tree *tree, enum dwqi_domain kind)
{
    for (int i = 0; i < tree->n_levels; i++) {
        if (tree->levels[i].kind == kind) {
            return i;
        }
    }
    return -1;
}
