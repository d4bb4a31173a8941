#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vicket {

/// Cuts a JSON object into its members, or an array into its elements, and leaves each as it is written: strings are passed
/// over as strings and brackets are counted, that is all. So a text of any depth, with whatever escapes, falls into parts
/// whose ends are certain, and one part that is wrong says nothing about the others; whoever reads a part judges it.
/// Nothing is allocated, and there is no recursion.
class json_slices {
public:
  enum class kind : std::uint8_t { object, array };
  struct slice {
    std::string_view key;   ///< with its quotes; empty in an array
    std::string_view value; ///< not empty
  };

  json_slices(std::string_view text, kind of) : text_{text}, object_{of == kind::object} {}

  /// The next one. Nothing: there is none, or there is a fault.
  [[nodiscard]] std::optional<slice> next();
  /// What is wrong with the text as a whole, with the byte; empty: nothing.
  [[nodiscard]] std::string fault() const;

private:
  bool fail(std::string_view what);
  void skip_blanks();
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] char here() const { return at_end() ? '\0' : text_[at_]; }
  bool begin_or_separate();
  bool skip_string();
  bool skip_value();

  std::string_view text_;
  bool object_;
  bool begun_ = false;
  bool over_ = false;
  std::size_t at_ = 0;
  std::string_view fault_;
};

/// What a string says that is written with its quotes, if it is a JSON string in UTF-8.
[[nodiscard]] std::optional<std::string> text_of_json(std::string_view written);

/// The number that is written, if it is a whole one from 0 to `most`, without fraction and exponent.
[[nodiscard]] std::optional<std::uint64_t> count_of_json(std::string_view written, std::uint64_t most);

} // namespace vicket
