/*
 * An Extism plugin over wasi-libc, on the bare functions of the kernel (extism c-pdk, `extism-pdk.h`): of a flight that is later than
 * the setting `minutes` it gives origin, delay and hours.
 *
 *   clang --target=wasm32-wasi -O2 -s -mexec-model=reactor -o late.wasm late.c
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXTISM(name) __attribute__((import_module("extism:host/env"), import_name(name)))

EXTISM("input_length") uint64_t input_length(void);
EXTISM("input_load_u8") uint8_t input_load_u8(uint64_t offset);
EXTISM("input_load_u64") uint64_t input_load_u64(uint64_t offset);
EXTISM("alloc") uint64_t extism_alloc(uint64_t bytes);
EXTISM("free") void extism_free(uint64_t block);
EXTISM("length") uint64_t extism_length(uint64_t block);
EXTISM("load_u8") uint8_t load_u8(uint64_t at);
EXTISM("store_u8") void store_u8(uint64_t at, uint8_t byte);
EXTISM("output_set") void output_set(uint64_t at, uint64_t bytes);
EXTISM("error_set") void error_set(uint64_t block);
EXTISM("config_get") uint64_t config_get(uint64_t key);

static uint64_t block_of(const char *text) {
  size_t length = strlen(text);
  uint64_t block = extism_alloc(length);
  for (size_t i = 0; i < length; i++) store_u8(block + i, (uint8_t)text[i]);
  return block;
}

static int32_t fail(const char *what) {
  error_set(block_of(what));
  return 1;
}

static long setting(const char *name, long otherwise) {
  uint64_t key = block_of(name), value = config_get(key);
  extism_free(key);
  if (value == 0) return otherwise;
  char text[32] = {0};
  for (uint64_t i = 0; i < extism_length(value) && i < sizeof text - 1; i++) text[i] = (char)load_u8(value + i);
  extism_free(value);
  return strtol(text, NULL, 10);
}

__attribute__((export_name("late"))) int32_t late(void) {
  uint64_t length = input_length(), i = 0;
  char *row = malloc(length + 1);
  if (row == NULL) return fail("no memory");
  for (; i + 8 <= length; i += 8) {
    uint64_t word = input_load_u64(i);
    memcpy(row + i, &word, 8);
  }
  for (; i < length; i++) row[i] = (char)input_load_u8(i);
  row[length] = 0;
  const char *delay = strstr(row, "\"delay\":"), *origin = strstr(row, "\"origin\":\"");
  if (delay == NULL || origin == NULL) return fail("a row without delay and origin");
  long minutes = strtol(delay + strlen("\"delay\":"), NULL, 10);
  origin += strlen("\"origin\":\"");
  const char *end = strchr(origin, '"');
  if (minutes > setting("minutes", 15) && end != NULL) {
    char text[256];
    int written = snprintf(text, sizeof text, "{\"origin\":\"%.*s\",\"delay\":%ld,\"hours\":%.2f}", (int)(end - origin),
                           origin, minutes, (double)minutes / 60);
    output_set(block_of(text), (uint64_t)written);
  }
  free(row);
  return 0;
}

/* A second function, so that the configuration has to name one. */
__attribute__((export_name("fails"))) int32_t fails(void) {
  fprintf(stderr, "on standard error\n");
  exit(3);
}
