/* A field of temperatures as a picture: a PNG file, brighter is hotter. */
#ifndef EXAMPLES_HEAT_PICTURE_H
#define EXAMPLES_HEAT_PICTURE_H

#include <stddef.h>

/**
 * Write a picture. Points become squares, so that it is about 600 pixels wide.
 *
 * @param field      Borrowed: rows x columns values; the first row is on top.
 * @param low, high  Values at the ends of the colour scale, low < high.
 *
 * @return 0, or -1 with errno
 */
int heat_picture_write(const char *path, const double *field, size_t rows,
                       size_t columns, double low, double high);

#endif
