/* Where a module's file is, and whether it can be opened without harm. */
#ifndef DWQI_WORKERS_MODULE_FILE_H
#define DWQI_WORKERS_MODULE_FILE_H

#include <stddef.h>

/**
 * The first file NAME.so of the folders that is regular, readable and whole.
 *
 * @param here         What folders without '/' in front are seen from.
 * @param module_path  Folders with ':' between; an empty one is `here`.
 * @param why_out      Filled on NULL: what is wrong, with the name.
 *
 * @return its path, to be freed
 */
char *dwqi_module_file(const char *here, const char *module_path,
                       const char *name, char *why_out, size_t why_size);

#endif
