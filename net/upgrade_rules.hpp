#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicket::internal {

/// The head of an HTTP request, as far as it matters for an upgrade. Names are compared in either case.
struct request_head {
  std::string method;
  std::string target;
  bool http_1_1 = true;
  std::vector<std::pair<std::string, std::string>> fields;

  /// The values of a field, joined by commas as HTTP has it; empty: it is not there.
  [[nodiscard]] std::string value(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
};

/// The items of a comma-separated list, without white space and empty ones.
[[nodiscard]] std::vector<std::string> list_items(std::string_view text);

/// An answer that is no upgrade, or (101) the one that is.
struct upgrade_answer {
  unsigned status = 101;
  std::string text = {};         ///< one line for who reads it, if it is a refusal
  std::string sub_protocol = {}; ///< if it is none
  std::vector<std::pair<std::string, std::string>> fields = {};
};

/// What a port that speaks WebSocket at one path alone answers: 404 to another path, 403 to a browser (`Origin`), 426 to
/// what is no upgrade to this version of WebSocket, 400 to what is malformed or knows none of `sub_protocols`. Else 101
/// with the first of the request's sub-protocols that is among them. Pure.
[[nodiscard]] upgrade_answer judge_upgrade(const request_head& head, std::string_view path,
                                           const std::vector<std::string>& sub_protocols);

} // namespace vicket::internal
