/* A libFuzzer entry as a test: each file of the corpus folder, and each of its
 * beginnings, through the entry, without clang. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    INPUT_MAX = 1 << 20,
    BEGINNINGS_MAX = 4096
};

/* A block of just this size, so that tools see a read behind its end. */
static int try_input(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    if (copy == NULL) {
        return 1;
    }
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    return 0;
}

static int try_file(const char *folder, const char *name, uint8_t *input)
{
    char path[4096];
    FILE *file;
    size_t size;
    int failed = 0;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    size = fread(input, 1, INPUT_MAX, file);
    fclose(file);
    failed |= try_input(input, size);
    for (size_t i = 0; i < size && i < BEGINNINGS_MAX; i++) {
        failed |= try_input(input, i);
    }
    return failed;
}

int main(int argc, char **argv)
{
    uint8_t *input = malloc(INPUT_MAX);
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    struct dirent *entry;
    int n = 0, failed = 0;

    if (input == NULL || folder == NULL) {
        fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
        return 1;
    }
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.') {
            failed |= try_file(argv[1], entry->d_name, input);
            n++;
        }
    }
    closedir(folder);
    free(input);
    printf("%d inputs\n", n);
    return failed || n == 0;
}
