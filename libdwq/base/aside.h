/* A function that stands still in its middle while whoever called it goes on, in the
 * same thread: it has a stack of its own. */
#ifndef DWQI_BASE_ASIDE_H
#define DWQI_BASE_ASIDE_H

struct dwqi_aside;

/* Nothing of it runs yet. NULL: no memory. */
struct dwqi_aside *dwqi_aside_create(void (*function)(void *arg), void *arg);
/* Not in its middle: what it holds there is lost. NULL is harmless. */
void dwqi_aside_destroy(struct dwqi_aside *aside);

/* Begin it, or go on with it, until it pauses or returns; then nothing. */
void dwqi_aside_resume(struct dwqi_aside *aside);
/* In the function, or what it calls: back to whoever resumed it. */
void dwqi_aside_pause(struct dwqi_aside *aside);

#endif
