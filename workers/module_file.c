/* A file is looked at before dlopen() does: that never comes back from a FIFO, and the
 * process dies of SIGBUS where a shared object was copied in part. */
#include "workers/module_file.h"

#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libdwq/base/plain.h"

/* Whether all that would be mapped is there. What is no shared object of this machine
 * is left to dlopen(), which says why. */
static bool is_whole(FILE *file, uint64_t size)
{
    ElfW(Ehdr) head;
    ElfW(Phdr) part;

    if (fread(&head, sizeof head, 1, file) != 1 ||
        memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
        head.e_phentsize != sizeof part ||
        fseek(file, (long)head.e_phoff, SEEK_SET) != 0) {
        return true;
    }
    for (int i = 0; i < head.e_phnum; i++) {
        if (fread(&part, sizeof part, 1, file) != 1 ||
            (part.p_type == PT_LOAD &&
             (part.p_offset > size || part.p_filesz > size - part.p_offset))) {
            return false;
        }
    }
    return true;
}

/* What is wrong with a file that is there; NULL: nothing, or there is none. */
static const char *fault_of(const char *path, bool *found_out)
{
    struct stat info;
    FILE *file;
    bool whole;

    *found_out = stat(path, &info) == 0;
    if (!*found_out) {
        return errno == ENOENT || errno == ENOTDIR ? NULL
                                                   : dwqi_plain_error(errno);
    }
    if (!S_ISREG(info.st_mode)) {
        return "not a regular file";
    }
    file = fopen(path, "r");
    if (!file) {
        return dwqi_plain_error(errno);
    }
    whole = is_whole(file, (uint64_t)info.st_size);
    fclose(file);
    return whole ? NULL : "the file is not complete";
}

static char *path_in(const char *here, const char *folder, const char *name)
{
    bool relative = folder[0] != '/';
    size_t length = strcspn(folder, ":");
    size_t size = strlen(here) + length + strlen(name) + sizeof "//.so";
    char *path = malloc(size);

    if (path) {
        snprintf(path, size, "%s%s%.*s/%s.so", relative ? here : "",
                 relative ? "/" : "", (int)length, folder, name);
    }
    return path;
}

char *dwqi_module_file(const char *here, const char *module_path,
                       const char *name, char *why_out, size_t why_size)
{
    const char *folder = module_path;

    dwqi_plain_format(why_out, why_size, "no module '%s' (%s.so) in '%s'", name,
                      name, module_path);
    for (;;) {
        char *path = path_in(here, folder, name);
        const char *fault;
        bool found;

        if (!path) {
            dwqi_plain_format(why_out, why_size, "out of memory");
            return NULL;
        }
        fault = fault_of(path, &found);
        if (found && !fault) {
            return path;
        }
        if (fault) { /* another folder may have a good one */
            dwqi_plain_format(why_out, why_size,
                              "module '%s' cannot be loaded: %s: %s", name,
                              path, fault);
        }
        free(path);
        folder += strcspn(folder, ":");
        if (*folder++ == '\0') {
            return NULL;
        }
    }
}
