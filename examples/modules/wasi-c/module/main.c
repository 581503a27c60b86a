/*
 * Keeps readings of 30 degrees or more, and adds whole degrees. An ordinary filter of lines, as it would be written for a shell:
 * JSON objects in, one a line; those it keeps out, with one more member. Each line by itself, so this is a module of kind rows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOT_MILLICELSIUS 30000

int main(void) {
  static const char name[] = "\"millicelsius\":";
  static char line[65536];
  while (fgets(line, sizeof line, stdin) != NULL) {
    char *end = strchr(line, '\n');
    /* Quotes inside of a text are written as \", so what is found is a name. */
    const char *value = strstr(line, name);
    if (end == NULL || end == line || end[-1] != '}' || value == NULL) {
      fprintf(stderr, "no reading on one line of at most %zu bytes: %.80s\n", sizeof line - 2, line);
      return 1;
    }
    value += sizeof name - 1;
    long millicelsius = *value == 'n' ? 0 : atol(value); /* null is no heat */
    if (millicelsius < HOT_MILLICELSIUS) continue;
    fwrite(line, 1, (size_t)(end - 1 - line), stdout); /* all but the brace */
    printf(",\"celsius\":%ld}\n", millicelsius / 1000);
  }
  return 0;
}
