#include "tests/sim/transport_sim.h"

#include <stdlib.h>

uint64_t dwqi_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

double dwqi_random_unit(uint64_t *state)
{
    return (double)(dwqi_random(state) >> 11) * 0x1p-53;
}

void *dwqi_sim_memory(size_t size)
{
    void *memory = calloc(1, size);

    return memory ? memory : calloc(1, size);
}

void dwqi_random_noise(uint64_t *state, unsigned char *bytes, size_t size)
{
    size_t block = dwqi_random(state) % (size / DWQI_ALIGN);

    for (size_t i = 0; i < DWQI_ALIGN; i++) {
        bytes[block * DWQI_ALIGN + i] = (unsigned char)dwqi_random(state);
    }
}
