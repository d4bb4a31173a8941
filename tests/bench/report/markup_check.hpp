#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vicket::bench {

/// What is wrong with a piece of XML, with the byte; empty when it is well-formed: one root, all elements
/// closed in order, attributes quoted and there once, no bare `<` or `&`. Knows what the report writes of
/// XML, no more: comments, CDATA and processing instructions are refused.
[[nodiscard]] std::string xml_complaint(std::string_view text);

/// The same of an HTML page as the report writes it: `<meta>` needs no end, what is in `<style>` is not
/// looked at.
[[nodiscard]] std::string html_complaint(std::string_view text);

[[nodiscard]] std::size_t count_of(std::string_view text, std::string_view part);

} // namespace vicket::bench
