#pragma once

#include <string>
#include <string_view>

namespace vicket {

/// What `vicket cluster init` makes in a database, statement after statement in one transaction; `schema` is checked to be an
/// identifier of small letters, digits and underscores that begins with a letter, at most 63 bytes.
///
/// One plain table has the rounds: ranges of it would make every append wait behind a dump. Bodies are encrypted, so what
/// PostgreSQL would do to make them smaller is only work (`EXTERNAL`). The small tables are written all the time: room in
/// their pages keeps that in place.
[[nodiscard]] bool is_schema_name(std::string_view schema) noexcept;
[[nodiscard]] std::string schema_statements(std::string_view schema);

/// A statement with the schema's name for each `$` before a dot.
[[nodiscard]] std::string in_schema(std::string_view text, std::string_view schema);

} // namespace vicket
