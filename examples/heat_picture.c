/* Writes PNG (ISO/IEC 15948) with nothing but the standard library: 256 colours,
 * and the pixels in "stored" blocks (RFC 1951), that is, not compressed. */
#include "examples/heat_picture.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 600       /* pixels, about */
#define BLOCK_MAX 65535 /* bytes in a stored block */
#define N_COLOURS 256

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        *at++ = (uint8_t)(value >> shift);
    }
    return at;
}

/* The check of a chunk: ISO 3309's, a bit at a time. */
static uint32_t crc(uint32_t state, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    while (size-- > 0) {
        state ^= *bytes++;
        for (int bit = 0; bit < 8; bit++) {
            state = (state >> 1) ^ (state & 1 ? 0xedb88320u : 0);
        }
    }
    return state;
}

static void write_chunk(FILE *file, const char *type, const uint8_t *data,
                        size_t size)
{
    uint8_t number[4];
    uint32_t check = crc(crc(0xffffffffu, type, 4), data, size);

    put_u32(number, (uint32_t)size);
    fwrite(number, 1, 4, file);
    fwrite(type, 1, 4, file);
    fwrite(data, 1, size, file);
    put_u32(number, ~check);
    fwrite(number, 1, 4, file);
}

/* From dark blue over red to light yellow: brighter is hotter. */
static void write_colours(FILE *file)
{
    static const double stops[][3] = {
        { 10, 10, 60 },   { 120, 30, 110 },  { 210, 70, 60 },
        { 250, 170, 50 }, { 252, 250, 190 },
    };
    const int last = (int)(sizeof stops / sizeof *stops) - 1;
    uint8_t colours[3 * N_COLOURS];

    for (int i = 0; i < N_COLOURS; i++) {
        double place = (double)i * last / (N_COLOURS - 1);
        int stop = (int)place < last ? (int)place : last - 1;
        double part = place - stop;

        for (int c = 0; c < 3; c++) {
            double value =
                stops[stop][c] + part * (stops[stop + 1][c] - stops[stop][c]);

            colours[3 * i + c] = (uint8_t)(value + 0.5);
        }
    }
    write_chunk(file, "PLTE", colours, sizeof colours);
}

/* Bytes as a zlib stream (RFC 1950). Gives its size; `out` has room. */
static size_t store(const uint8_t *data, size_t size, uint8_t *out)
{
    uint8_t *at = out;
    uint32_t a = 1, b = 0; /* Adler-32 */

    *at++ = 0x78;
    *at++ = 0x01;
    for (size_t done = 0; done < size;) {
        size_t n = size - done < BLOCK_MAX ? size - done : BLOCK_MAX;

        *at++ = done + n == size; /* the last one? */
        *at++ = (uint8_t)n;
        *at++ = (uint8_t)(n >> 8);
        *at++ = (uint8_t)~n;
        *at++ = (uint8_t)(~n >> 8);
        memcpy(at, data + done, n);
        at += n;
        done += n;
    }
    for (size_t i = 0; i < size; i++) {
        a = (a + data[i]) % 65521;
        b = (b + a) % 65521;
    }
    return (size_t)(put_u32(at, b << 16 | a) - out);
}

static uint8_t colour_of(double value, double low, double high)
{
    double place = (value - low) / (high - low);

    return place > 0 ? (uint8_t)((place < 1 ? place : 1) * (N_COLOURS - 1)) : 0;
}

/* The pixels row by row, each row after its filter: 0, none. */
static void fill(uint8_t *pixels, const double *field, size_t rows,
                 size_t columns, size_t side, double low, double high)
{
    for (size_t y = 0; y < rows * side; y++) {
        const double *row = field + y / side * columns;

        *pixels++ = 0;
        for (size_t x = 0; x < columns * side; x++) {
            *pixels++ = colour_of(row[x / side], low, high);
        }
    }
}

static void write_picture(FILE *file, size_t width, size_t height,
                          const uint8_t *stream, size_t size)
{
    uint8_t header[13] = { 0 };

    put_u32(put_u32(header, (uint32_t)width), (uint32_t)height);
    header[8] = 8; /* bits of a pixel */
    header[9] = 3; /* it is the number of a colour */
    fwrite("\x89PNG\r\n\x1a\n", 1, 8, file);
    write_chunk(file, "IHDR", header, sizeof header);
    write_colours(file);
    write_chunk(file, "IDAT", stream, size);
    write_chunk(file, "IEND", NULL, 0);
}

int heat_picture_write(const char *path, const double *field, size_t rows,
                       size_t columns, double low, double high)
{
    size_t side = columns < WIDTH ? WIDTH / columns : 1; /* of a point */
    size_t size = rows * side * (columns * side + 1);
    uint8_t *pixels = malloc(size);
    uint8_t *stream = malloc(size + 5 * (size / BLOCK_MAX + 1) + 6);
    FILE *file = NULL;
    int status = -1;

    if (!pixels || !stream) {
        errno = ENOMEM;
        goto done;
    }
    fill(pixels, field, rows, columns, side, low, high);
    file = fopen(path, "wb");
    if (!file) {
        goto done;
    }
    write_picture(file, columns * side, rows * side, stream,
                  store(pixels, size, stream));
    status = ferror(file) ? -1 : 0;
    if (fclose(file) != 0) {
        status = -1;
    }

done:
    free(stream);
    free(pixels);
    return status;
}
