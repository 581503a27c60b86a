/*
 * Redpanda's data transforms as a C program sees them: the ABI of the published SDKs (redpanda, src/transform-sdk: C++
 * `transform_sdk.cc`, Go `abi.go`), and the loop that they run. Written from those for the tests of this repository.
 */
#ifndef REDPANDA_TRANSFORM_H
#define REDPANDA_TRANSFORM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RP_IMPORT(name) __attribute__((import_module("redpanda_transform"), import_name(name)))

RP_IMPORT("check_abi_version_1") void rp_check_abi(void);
RP_IMPORT("read_batch_header")
int32_t rp_read_batch_header(int64_t *base_offset, int32_t *record_count, int32_t *partition_leader_epoch,
                             int16_t *attributes, int32_t *last_offset_delta, int64_t *base_timestamp,
                             int64_t *max_timestamp, int64_t *producer_id, int16_t *producer_epoch,
                             int32_t *base_sequence);
RP_IMPORT("read_next_record")
int32_t rp_read_next_record(uint8_t *attributes, int64_t *timestamp, int64_t *offset, uint8_t *buffer, uint32_t length);
RP_IMPORT("write_record") int32_t rp_write_record(const uint8_t *buffer, uint32_t length);

/* A part of a record: `length` is -1 where there is none. */
typedef struct {
  const uint8_t *bytes;
  int64_t length;
} rp_bytes;

typedef struct {
  rp_bytes key;
  rp_bytes value;
  int64_t timestamp;
  int64_t offset;
} rp_record;

static void rp_abort(const char *what, int32_t code) {
  fprintf(stderr, "%s (errno %d)\n", what, (int)code);
  abort();
}

static size_t rp_put_varint(uint8_t *to, int64_t value) {
  uint64_t rest = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
  size_t n = 0;
  for (; rest >= 0x80; rest >>= 7) to[n++] = (uint8_t)(rest | 0x80);
  to[n++] = (uint8_t)rest;
  return n;
}

static int64_t rp_take_varint(const uint8_t **at, const uint8_t *end) {
  uint64_t value = 0;
  for (int i = 0; i < 10 && *at < end; i++) {
    uint8_t byte = *(*at)++;
    value |= (uint64_t)(byte & 0x7f) << (7 * i);
    if (byte < 0x80) return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
  }
  rp_abort("a varint is not one", 0);
  return 0;
}

static rp_bytes rp_take_bytes(const uint8_t **at, const uint8_t *end) {
  rp_bytes taken = {*at, rp_take_varint(at, end)};
  taken.bytes = *at;
  if (taken.length > end - *at) rp_abort("a record ends too early", 0);
  if (taken.length > 0) *at += taken.length;
  return taken;
}

static size_t rp_put_bytes(uint8_t *to, rp_bytes bytes) {
  size_t n = rp_put_varint(to, bytes.length);
  if (bytes.length <= 0) return n;
  memcpy(to + n, bytes.bytes, (size_t)bytes.length);
  return n + (size_t)bytes.length;
}

/* Writes a record with a key, a value and one header. */
static void rp_write(rp_bytes key, rp_bytes value) {
  static const rp_bytes name = {(const uint8_t *)"by", 2}, maker = {(const uint8_t *)"c", 1};
  uint8_t *buffer = malloc((size_t)(40 + (key.length > 0 ? key.length : 0) + value.length));
  if (buffer == NULL) rp_abort("no memory", 0);
  size_t n = rp_put_bytes(buffer, key);
  n += rp_put_bytes(buffer + n, value);
  n += rp_put_varint(buffer + n, 1);
  n += rp_put_bytes(buffer + n, name);
  n += rp_put_bytes(buffer + n, maker);
  int32_t written = rp_write_record(buffer, (uint32_t)n);
  free(buffer);
  if (written != (int32_t)n) rp_abort("writing a record failed", written);
}

/* Runs a transform on every record, for ever. */
static void rp_on_record_written(void (*transform)(const rp_record *)) {
  rp_check_abi();
  for (;;) {
    int64_t base_offset, base_timestamp, max_timestamp, producer_id;
    int32_t count, leader_epoch, last_offset_delta, base_sequence;
    int16_t attributes, producer_epoch;
    int32_t largest = rp_read_batch_header(&base_offset, &count, &leader_epoch, &attributes, &last_offset_delta,
                                           &base_timestamp, &max_timestamp, &producer_id, &producer_epoch,
                                           &base_sequence);
    if (largest < 0) rp_abort("reading a batch failed", largest);
    uint8_t *buffer = malloc((size_t)largest);
    for (int32_t i = 0; i < count; i++) {
      uint8_t record_attributes;
      rp_record record;
      int32_t length =
          rp_read_next_record(&record_attributes, &record.timestamp, &record.offset, buffer, (uint32_t)largest);
      if (length < 0) rp_abort("reading a record failed", length);
      const uint8_t *at = buffer, *end = buffer + length;
      record.key = rp_take_bytes(&at, end);
      record.value = rp_take_bytes(&at, end);
      for (int64_t header = rp_take_varint(&at, end); header > 0; header--) {
        rp_take_bytes(&at, end);
        rp_take_bytes(&at, end);
      }
      if (at != end) rp_abort("a record is longer than it says", 0);
      transform(&record);
    }
    free(buffer);
  }
}

#endif
