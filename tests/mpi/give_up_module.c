/* A module that knows nothing of the library but its headers, and calls exit(). */
#include <dwq/dwq.h>
#include <stdlib.h>

static int gives_up(dwq_call_t *call, void *arg)
{
    (void)call;
    (void)arg;
    exit(3);
}

static const dwq_function_t functions[] = { { "gives_up", gives_up, NULL },
                                            { NULL, NULL, NULL } };

DWQ_MODULE(.functions = functions);
