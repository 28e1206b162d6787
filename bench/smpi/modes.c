/* What the collective mode costs on simulated ranks: the arguments of `measure modes`. */
#include "bench/calls.h"

int main(int argc, char **argv)
{
    return measure_modes(argc - 1, argv + 1);
}
