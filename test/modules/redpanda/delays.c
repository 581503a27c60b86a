/*
 * A transform over wasi-libc: of each flight that left late it writes one record with the delay in hours, keyed by the origin.
 *
 *   clang --target=wasm32-wasi -O2 -s -o delays.wasm delays.c
 */
#include "transform.h"

static const char *field(const char *json, const char *name) {
  const char *at = strstr(json, name);
  return at == NULL ? NULL : at + strlen(name);
}

static void late(const rp_record *record) {
  if (record->key.length >= 0 || record->value.length < 0) rp_abort("expected a value without a key", 0);
  char *json = malloc((size_t)record->value.length + 1);
  if (json == NULL) rp_abort("no memory", 0);
  memcpy(json, record->value.bytes, (size_t)record->value.length);
  json[record->value.length] = 0;
  const char *delay = field(json, "\"delay\":"), *origin = field(json, "\"origin\":\"");
  if (delay == NULL || origin == NULL) rp_abort("a record without delay and origin", 0);
  const char *end = strchr(origin, '"');
  long minutes = strtol(delay, NULL, 10);
  if (minutes > 0 && end != NULL) {
    char text[256];
    int length = snprintf(text, sizeof text, "{\"offset\":%lld,\"origin\":\"%.*s\",\"hours\":%.2f}", (long long)record->offset,
                          (int)(end - origin), origin, (double)minutes / 60);
    rp_write((rp_bytes){(const uint8_t *)origin, end - origin}, (rp_bytes){(const uint8_t *)text, length});
  }
  free(json);
}

int main(void) {
  rp_on_record_written(late);
  return 0;
}
