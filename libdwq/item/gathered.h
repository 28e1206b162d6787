/* What each rank of a communicator told all others. */
#ifndef DWQI_ITEM_GATHERED_H
#define DWQI_ITEM_GATHERED_H

#include <stdlib.h>

/* Bytes first[r] .. first[r + 1] - 1 are rank r's. */
struct dwqi_gathered {
    unsigned char *data;
    int *first; /* [size + 1] */
};

static inline void dwqi_gathered_finish(struct dwqi_gathered *gathered)
{
    free(gathered->data);
    free(gathered->first);
    *gathered = (struct dwqi_gathered){ .data = NULL };
}

#endif
