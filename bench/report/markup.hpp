#pragma once

#include <string>
#include <string_view>

namespace vicket::bench {

/// Text for HTML and XML, in an element or a quoted attribute: `& < > " '` are escaped; what XML 1.0 has no
/// place for (bytes that are not UTF-8, control characters, U+FFFE and U+FFFF) becomes U+FFFD.
[[nodiscard]] std::string escaped_markup(std::string_view text);

} // namespace vicket::bench
