#pragma once

// Private to policy/'s sources: it includes RapidJSON.

#include "messages/ids.hpp"
#include "policy/rfc3339.hpp"
#include "policy/utf8.hpp"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <optional>
#include <string>
#include <string_view>

namespace vicket {

using json_writer = rapidjson::Writer<rapidjson::StringBuffer>;

inline void put_key(json_writer& out, std::string_view key) {
  out.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
}

/// Any bytes: what is not UTF-8 becomes U+FFFD.
inline void put_text(json_writer& out, std::string_view text) {
  if (!first_invalid_utf8(text)) {
    out.String(text.data() == nullptr ? "" : text.data(), static_cast<rapidjson::SizeType>(text.size()));
    return;
  }
  const auto valid = with_replaced_invalid_utf8(text);
  out.String(valid.data(), static_cast<rapidjson::SizeType>(valid.size()));
}

inline void put_text(json_writer& out, std::string_view key, std::string_view text) {
  put_key(out, key);
  put_text(out, text);
}

inline void put_time(json_writer& out, std::string_view key, std::optional<timestamp_ms> time) {
  put_key(out, key);
  if (time)
    put_text(out, format_rfc3339(*time));
  else
    out.Null();
}

} // namespace vicket
