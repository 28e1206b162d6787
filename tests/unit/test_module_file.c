/* Files that are no module, or no whole one, fail the task and nothing else; a module
 * is found where it was at the start, and stays loaded. */
#include <criterion/criterion.h>
#include <elf.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/temporary.h"
#include "workers/registry.h"

#define GOOD UNIT_MODULES "/unit_good.so"

static const struct dwqi_log quiet = { .line = NULL };
static char folder[TEMPORARY_SIZE];
static struct dwqi_registry *registry;

static struct dwqi_registry *create(const char *module_path)
{
    struct dwqi_registry *made = NULL;
    struct dwqi_error reason = { .text = "" };

    cr_assert_eq(
        dwqi_registry_create(NULL, NULL, module_path, &quiet, &made, &reason),
        DWQ_OK);
    return made;
}

static void begin(void)
{
    temporary_name(folder, "dwq-modules");
    cr_assert_not_null(mkdtemp(folder));
    registry = create(folder);
}

static void end(void)
{
    char command[TEMPORARY_SIZE + 20];

    dwqi_registry_destroy(registry);
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    cr_expect_eq(system(command), 0);
}

TestSuite(module_file, .init = begin, .fini = end, .timeout = 60);

/* The path of "x.so" in the folder. */
static const char *path_of_x(void)
{
    static char path[TEMPORARY_SIZE + 8];

    snprintf(path, sizeof path, "%s/x.so", folder);
    return path;
}

static dwq_status_t find(const char *module, struct dwqi_error *reason_out)
{
    dwq_function_t found;

    *reason_out = (struct dwqi_error){ .text = "" };
    return dwqi_registry_find(registry, module, "own", &found, reason_out);
}

/* Module "x" fails, with a reason that names it and says this. */
static void refused(const char *why)
{
    struct dwqi_error reason;

    cr_expect_eq(find("x", &reason), DWQ_E_TASK);
    cr_expect(strstr(reason.text, "'x'") && strstr(reason.text, why),
              "no '%s' in '%s'", why, reason.text);
}

static void write_x(const void *data, size_t size)
{
    FILE *file = fopen(path_of_x(), "w");

    cr_assert_not_null(file);
    cr_assert_eq(fwrite(data, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
}

Test(module_file, a_fifo_a_folder_and_a_device_are_no_modules)
{
    cr_assert_eq(mkfifo(path_of_x(), 0666), 0);
    refused("not a regular file"); /* and does not wait for a writer */
    unlink(path_of_x());
    cr_assert_eq(mkdir(path_of_x(), 0777), 0);
    refused("not a regular file");
    rmdir(path_of_x());
    cr_assert_eq(symlink("/dev/zero", path_of_x()), 0);
    refused("not a regular file");
}

Test(module_file, a_file_that_cannot_be_read_says_so)
{
    cr_assert_eq(symlink("x.so", path_of_x()), 0); /* round and round */
    refused("Too many levels of symbolic links");
    unlink(path_of_x());
    if (geteuid() != 0) {
        write_x("x", 1);
        cr_assert_eq(chmod(path_of_x(), 0), 0);
        refused("Permission denied");
    }
}

Test(module_file, a_file_of_other_content_is_refused)
{
    write_x("", 0);
    refused("cannot be loaded");
    write_x("#!/bin/sh\n", 10);
    refused("cannot be loaded");
}

static char *read_good(size_t *size_out)
{
    FILE *file = fopen(GOOD, "r");
    char *data = malloc(1 << 20);

    cr_assert(file && data);
    *size_out = fread(data, 1, 1 << 20, file);
    cr_assert(*size_out < 1 << 20);
    fclose(file);
    return data;
}

/* Where the last part that is mapped ends. */
static size_t mapped_end(const char *data)
{
    Elf64_Ehdr head;
    size_t end = 0;

    memcpy(&head, data, sizeof head);
    for (int i = 0; i < head.e_phnum; i++) {
        Elf64_Phdr part;

        memcpy(&part, data + head.e_phoff + (size_t)i * sizeof part,
               sizeof part);
        if (part.p_type == PT_LOAD && part.p_offset + part.p_filesz > end) {
            end = part.p_offset + part.p_filesz;
        }
    }
    return end;
}

/* A copy that goes on, or a disk that was full. (What is behind the parts that are
 * mapped is not needed.) */
Test(module_file, a_module_that_was_copied_in_part_is_refused)
{
    struct dwqi_error reason;
    size_t size;
    char *data = read_good(&size);

    for (size_t part = 1; part < size; part += 97) {
        write_x(data, part);
        if (find("x", &reason) == DWQ_OK) {
            cr_expect_geq(part, mapped_end(data));
            break;
        }
        cr_assert_not_null(strstr(reason.text, "'x'"), "%s", reason.text);
    }
    free(data);
}

Test(module_file, a_good_file_in_a_later_folder_is_taken)
{
    struct dwqi_error reason;
    char path[2 * TEMPORARY_SIZE];

    snprintf(path, sizeof path, "%s/unit_good.so", folder);
    cr_assert_eq(mkdir(path, 0777), 0);
    snprintf(path, sizeof path, "%s:" UNIT_MODULES, folder);
    dwqi_registry_destroy(registry);
    registry = create(path);
    cr_expect_eq(find("unit_good", &reason), DWQ_OK, "%s", reason.text);
}

Test(module_file, a_relative_folder_is_that_of_the_start)
{
    struct dwqi_error reason;
    char path[32] = ".";

    cr_assert_eq(chdir(UNIT_MODULES), 0);
    dwqi_registry_destroy(registry);
    registry = create(path);
    cr_assert_eq(chdir("/"), 0);
    strcpy(path, "/nowhere"); /* the environment's may change, too */
    cr_expect_eq(find("unit_good", &reason), DWQ_OK, "%s", reason.text);
}

Test(module_file, a_module_is_never_unloaded)
{
    struct dwqi_error reason;

    dwqi_registry_destroy(registry);
    cr_assert_null(dlopen(GOOD, RTLD_NOW | RTLD_NOLOAD));
    registry = create(UNIT_MODULES);
    cr_assert_eq(find("unit_good", &reason), DWQ_OK, "%s", reason.text);
    dwqi_registry_destroy(registry);
    registry = NULL;
    cr_expect_not_null(dlopen(GOOD, RTLD_NOW | RTLD_NOLOAD));
}

Test(module_file, names_are_printed_in_one_line)
{
    struct dwqi_error reason;

    cr_expect_eq(find("x\nlibdwq: error: y", &reason), DWQ_E_TASK);
    cr_expect_null(strchr(reason.text, '\n'), "%s", reason.text);
    cr_expect_eq(find("../\x1b[31m", &reason), DWQ_E_TASK);
    cr_expect_not_null(strstr(reason.text, "\\x1b[31m"), "%s", reason.text);
}
