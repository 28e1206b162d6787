/* The questions, one file each. */
#ifndef BENCH_QUESTIONS_H
#define BENCH_QUESTIONS_H

#include "bench/bench.h"

extern const struct question question_throughput;
extern const struct question question_roundtrip;
extern const struct question question_crowded;
extern const struct question question_payload;
extern const struct question question_idle;
extern const struct question question_balance;
extern const struct question question_memory;
extern const struct question question_queue;
extern const struct question question_bounds;
extern const struct question question_groups;
extern const struct question question_placer;
extern const struct question question_workers;
extern const struct question question_scale;

#endif
