/* make_corpus FOLDER [ORDERS]: writes the seeds of fuzz_codec into FOLDER: real items
 * of every shape; and those of fuzz_order into ORDERS. (Those of fuzz_roundtrip are recipes, found by the
 * fuzzer and a few by hand.) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dwq/dwq.h>

#include "libdwq/group/team_private.h"
#include "libdwq/item/codec.h"

struct maker {
    const char *folder;
    struct dwqi_scratch scratch;
    int n, failed;
};

static void write_item(struct maker *m, const char *name,
                       const struct dwqi_pack *packs, int n)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", m->folder, name);
    file = fopen(path, "wb");
    if (!file) {
        perror(path);
        m->failed = 1;
        return;
    }
    for (int i = 0; i < n; i++) {
        void *item = malloc(packs[i].size);

        dwqi_pack_copy(&packs[i], item);
        m->failed |= fwrite(item, packs[i].size, 1, file) != 1;
        free(item);
    }
    m->failed |= fclose(file) != 0;
    m->n++;
}

static void make_task(struct maker *m, const char *name, dwq_task_t task)
{
    struct dwqi_pack pack;
    const char *why;

    if (dwqi_pack_task(&task, 1, &m->scratch, &pack, &why) != DWQ_OK) {
        fprintf(stderr, "%s: %s\n", name, why);
        m->failed = 1;
        return;
    }
    write_item(m, name, &pack, 1);
    dwqi_pack_finish(&pack);
}

static void make_values(struct maker *m, const char *name, dwq_values_t values)
{
    struct dwqi_pack pack;
    const char *why;

    if (dwqi_values_pack(values, (dwq_kwargs_t){ 0, NULL }, &m->scratch, &pack,
                         &why) != DWQ_OK) {
        fprintf(stderr, "%s: %s\n", name, why);
        m->failed = 1;
        return;
    }
    write_item(m, name, &pack, 1);
    dwqi_pack_finish(&pack);
}

static void make_parts(struct maker *m, const char *name, int n,
                       dwq_values_t values)
{
    struct dwqi_pack packs[4];
    const char *why;

    for (int i = 0; i < n; i++) {
        struct dwqi_part_head head = { .id = 1,
                                       .n_parts = (uint32_t)n,
                                       .status = i ? DWQ_E_TASK : DWQ_OK };

        if (dwqi_pack_part(&head, i ? "no" : NULL, values, &m->scratch,
                           &packs[i], &why) != DWQ_OK) {
            fprintf(stderr, "%s: %s\n", name, why);
            m->failed = 1;
            n = i;
        }
    }
    if (!m->failed) {
        write_item(m, name, packs, n);
    }
    for (int i = 0; i < n; i++) {
        dwqi_pack_finish(&packs[i]);
    }
}

static void make_arrays(struct maker *m)
{
    static double data[32];
    char name[32];

    for (int type = DWQ_INT8; type <= DWQ_COMPLEX_DOUBLE; type++) {
        int ndim = (type - 1) % (DWQ_MAX_DIMS + 1);
        dwq_array_t array = dwq_array((dwq_type_t)type, data, ndim,
                                      (size_t[]){ 1, 2, 1, 2, 1, 1, 3, 1 });

        snprintf(name, sizeof name, "array_type_%d", type);
        make_values(m, name, DWQ_VALUES(ndim ? dwq_scatter(array) : array, 1));
    }
    make_values(m, "array_empty",
                DWQ_VALUES(dwq_array(DWQ_FLOAT, NULL, 2, (size_t[]){ 0, 3 })));
    make_parts(m, "part_arrays", 2,
               DWQ_VALUES(dwq_array(DWQ_INT8, data, 1, (size_t[]){ 65 }),
                          dwq_array(DWQ_INT8, data, 1, (size_t[]){ 64 })));
}

static void make_nested(struct maker *m)
{
    dwq_value_t nest[DWQ_MAX_DEPTH + 1];
    char text[300];

    nest[0] = dwq_value_int(1);
    for (int i = 1; i <= DWQ_MAX_DEPTH; i++) {
        nest[i] = dwq_value_list((dwq_values_t){ 1, &nest[i - 1] });
    }
    make_values(m, "nested", DWQ_VALUES(nest[DWQ_MAX_DEPTH]));
    make_values(m, "lists", DWQ_VALUES(DWQ_LIST(), DWQ_LIST(1, DWQ_LIST(2))));
    make_values(m, "maps",
                DWQ_VALUES(DWQ_MAP({ "a", DWQ_MAP({ "b", nest[1] }) })));
    memset(text, 'x', sizeof text);
    text[299] = '\0';
    make_values(m, "text_long", DWQ_VALUES((const char *)text));
    make_values(m, "bytes_long", DWQ_VALUES(((dwq_bytes_t){ text, 300 })));
}

/* --- Orders: as fuzz_order takes them ------------------------------------------ */

#define N_RANKS 3
#define FRAME 1024

struct order {
    struct dwqi_task_head task;
    struct dwqi_segment *segments;
    size_t n, front; /* bytes of head and table, padded */
    void *item;
};

static void write_front(FILE *file, const struct order *o, uint32_t flags)
{
    struct dwqi_order_head head = { .magic = DWQI_ORDER_MAGIC,
                                    .kind = DWQI_ORDER_TASK,
                                    .size = o->task.size,
                                    .n_segments = (uint32_t)o->n,
                                    .flags = flags };
    size_t used = sizeof head + o->n * sizeof *o->segments;

    fwrite(&head, sizeof head, 1, file);
    fwrite(o->segments, sizeof *o->segments, o->n, file);
    fwrite((char[64]){ 0 }, o->front - used, 1, file);
}

/* What rank 0 of the group gets. */
static void write_share(FILE *file, const struct order *o)
{
    struct dwqi_share share = { o->segments, o->n, 0, N_RANKS };
    size_t size = dwqi_share_size(&share);
    void *mine = malloc(size);

    dwqi_share_copy(&share, o->item, mine);
    fwrite(mine, size, 1, file);
    free(mine);
}

/* Mode 0: the item for a broker; 1: by collectives; 2: by a message. */
static void write_order(struct maker *m, const char *name, int mode,
                        const struct order *o)
{
    struct dwqi_share share = { o->segments, o->n, 0, N_RANKS };
    char path[4096];
    FILE *file;
    bool fits = o->front + o->task.size <= FRAME;

    snprintf(path, sizeof path, "%s/%s_%d", m->folder, name, mode);
    file = fopen(path, "wb");
    if (!file) {
        perror(path);
        m->failed = 1;
        return;
    }
    fputc(mode, file);
    if (mode == 2) {
        fputc(DWQI_TASK, file);
        fputc((int)((o->front + dwqi_share_size(&share)) / 64), file);
        write_front(file, o, 0);
        write_share(file, o);
    } else if (mode == 1) {
        write_front(file, o, fits);
        if (fits) {
            fwrite(o->item, o->task.size, 1, file);
        }
        fseek(file, 1 + FRAME, SEEK_SET);
        if (!fits) {
            write_share(file, o);
        }
    } else {
        fwrite(o->item, o->task.size, 1, file);
    }
    m->failed |= fclose(file) != 0;
    m->n++;
}

static void make_order(struct maker *m, const char *name, dwq_values_t values)
{
    struct dwqi_arena arena = { .chunks = NULL };
    struct dwqi_pack pack;
    struct order o;
    const char *why;

    if (dwqi_pack_task(&(dwq_task_t){ .function = "f", .args = values }, 1,
                       &m->scratch, &pack, &why) != DWQ_OK ||
        posix_memalign(&o.item, 64, pack.size) != 0) {
        m->failed = 1;
        return;
    }
    dwqi_pack_copy(&pack, o.item);
    dwqi_task_head_read(o.item, pack.size, &o.task);
    dwqi_share_cut(o.item, &o.task, &arena, &o.segments, &o.n);
    o.front =
        dwqi_align(sizeof(struct dwqi_order_head) + o.n * sizeof *o.segments);
    for (int mode = 0; mode < 3; mode++) {
        write_order(m, name, mode, &o);
    }
    dwqi_arena_finish(&arena);
    dwqi_pack_finish(&pack);
    free(o.item);
}

static void make_orders(struct maker *m)
{
    static double data[300];
    dwq_array_t small =
        dwq_scatter(dwq_array(DWQ_INT8, data, 2, (size_t[]){ 5, 3 }));
    dwq_array_t large =
        dwq_scatter(dwq_array(DWQ_DOUBLE, data, 2, (size_t[]){ 100, 3 }));
    dwq_array_t shared = dwq_array(DWQ_DOUBLE, data, 1, (size_t[]){ 20 });

    make_order(m, "bare", DWQ_VALUES(1));
    make_order(m, "shared", DWQ_VALUES(shared));
    make_order(m, "rows", DWQ_VALUES(small, shared));
    make_order(m, "nested", DWQ_VALUES(DWQ_LIST(small, DWQ_LIST(small))));
    make_order(m, "large", DWQ_VALUES(large, shared, small));
}

int main(int argc, char **argv)
{
    struct maker m = { .folder = argc >= 2 ? argv[1] : NULL };

    if (!m.folder) {
        fprintf(stderr, "usage: %s FOLDER [ORDERS]\n", argv[0]);
        return 1;
    }
    make_task(&m, "task_bare", (dwq_task_t){ .function = "f" });
    make_task(&m, "task_module",
              (dwq_task_t){ .function = "f", .module = "m", DWQ_ARGS(1.5) });
    make_task(&m, "task_named",
              (dwq_task_t){
                  .function = "f",
                  DWQ_ARGS("x"),
                  DWQ_KWARGS({ "a", dwq_value(1) }, { "b", dwq_value("c") }) });
    make_values(&m, "none", DWQ_VALUES());
    make_values(&m, "scalars",
                DWQ_VALUES(dwq_value_nil(), (bool)true, (bool)false, 0.1));
    make_values(&m, "ints",
                DWQ_VALUES(-1, -33, 200, -200, 70000, INT64_MIN, UINT64_MAX));
    make_values(&m, "texts",
                DWQ_VALUES("", "abc", ((dwq_bytes_t){ "\0\1", 2 })));
    make_parts(&m, "part_one", 1, DWQ_VALUES(1));
    make_parts(&m, "part_three", 3, DWQ_VALUES("x", 2));
    make_arrays(&m);
    make_nested(&m);
    if (argc > 2) {
        m.folder = argv[2];
        make_orders(&m);
    }
    dwqi_scratch_finish(&m.scratch);
    printf("%d files\n", m.n);
    return m.failed || m.n == 0;
}
