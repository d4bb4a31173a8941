#include "cluster/schema.hpp"

#include "policy/assertion.hpp"

#include <algorithm>

namespace vicket {

bool is_schema_name(std::string_view schema) noexcept {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !schema.empty() && schema.size() <= 63 && letter(schema[0]) && !schema.starts_with("pg_") &&
         std::all_of(schema.begin(), schema.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

std::string schema_statements(std::string_view schema) {
  VICKET_ASSERT(is_schema_name(schema));
  auto text = std::string{R"(
CREATE SCHEMA $;
CREATE TABLE $.cluster (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  format integer NOT NULL,
  name text NOT NULL,
  uuid uuid NOT NULL,
  key_fingerprint text NOT NULL,
  partitions integer NOT NULL CHECK (partitions > 0)
);
CREATE TABLE $.rounds (
  partition integer NOT NULL,
  number bigint NOT NULL,
  epoch bigint NOT NULL,
  kind smallint NOT NULL,
  digest bytea NOT NULL,
  durable_to bigint NOT NULL,
  body bytea NOT NULL,
  PRIMARY KEY (partition, number)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000);
ALTER TABLE $.rounds ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE TABLE $.partitions (
  partition integer PRIMARY KEY,
  owner text,
  epoch bigint NOT NULL DEFAULT 0,
  trimmed_to bigint NOT NULL DEFAULT 0,
  halted text
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE TABLE $.members (
  node text PRIMARY KEY,
  incarnation bigint NOT NULL,
  life text NOT NULL,
  state text NOT NULL,
  zone text NOT NULL,
  addresses text NOT NULL,
  protocol_from integer NOT NULL,
  protocol_to integer NOT NULL,
  timeline bigint NOT NULL,
  looked_at bigint NOT NULL,
  wrong text NOT NULL,
  unreached text NOT NULL DEFAULT '',
  drained boolean NOT NULL DEFAULT false,
  beats bigint NOT NULL DEFAULT 0,
  seen timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE TABLE $.copies (
  partition integer NOT NULL,
  node text NOT NULL,
  synced_to bigint NOT NULL DEFAULT 0,
  complete boolean NOT NULL DEFAULT false,
  PRIMARY KEY (partition, node)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
)"};
  std::string result;
  for (const auto c : text)
    if (c == '$')
      result += schema;
    else
      result += c;
  return result;
}

std::string in_schema(std::string_view text, std::string_view schema) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '.')
      result += schema;
    else
      result += text[i];
  return result;
}

} // namespace vicket
